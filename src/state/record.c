/* state.json: read strictly, written whole. A write is a temporary file, made exclusively, and a
 * rename: who reads sees the old record or the new one. No fsync: it need not outlive the machine,
 * for the processes it speaks of do not either.
 */
#define _GNU_SOURCE
#include "state/record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "sys/file.h"
#include "tare.h"

const struct enum_map state_status_map[] = {
  { "creating", STATE_CREATING }, { "created", STATE_CREATED }, { "running", STATE_RUNNING },
  { "paused", STATE_PAUSED },     { "stopped", STATE_STOPPED }, { NULL, 0 },
};

const struct enum_map state_cgroup_manager_map[] = {
  { "cgroupfs", TARE_CGROUP_CGROUPFS },
  { "systemd", TARE_CGROUP_SYSTEMD },
  { "disabled", TARE_CGROUP_DISABLED },
  { NULL, 0 },
};

OCI_DEFINE (state_record, STATE_RECORD_FIELDS)

/* ---- reading --------------------------------------------------------------------------------- */

int
state_check_owner (const struct sys_stat *st, const char *what, struct tare_error *error)
{
  uid_t own = geteuid ();
  if (st->uid != own)
    return fail_kind (error, TARE_ERROR_CORRUPT, -EPERM, "%s: belongs to user %u, not to %u", what,
                      st->uid, own);
  if ((st->mode & (S_IWGRP | S_IWOTH)) != 0)
    return fail_kind (error, TARE_ERROR_CORRUPT, -EPERM, "%s: others may write in it (mode %04o)",
                      what, st->mode & 07777);
  return 0;
}

static int
corrupt (struct tare_error *error, int code, const char *why)
{
  return fail_kind (error, TARE_ERROR_CORRUPT, code, "%s: %s", STATE_RECORD, why);
}

/* The file's bytes into the arena, as they are. */
static int
read_bytes (struct state *state, const char **ret_bytes, size_t *ret_length,
            struct tare_error *error)
{
  struct sys_stat st;
  /* O_NONBLOCK: a FIFO of that name must not hold us. */
  autoclose int fd =
      sys_openat2 (state->directory, STATE_RECORD, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0,
                   RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
  int r = fd < 0 ? fd : sys_stat (fd, NULL, &st);
  if (r == -ENOENT)
    return corrupt (error, r, "missing: its creation was not finished, or it was damaged");
  if (r < 0)
    return corrupt (error, r, errno_text (r));
  if (!S_ISREG (st.mode))
    return corrupt (error, -EINVAL, "not a regular file");
  r = state_check_owner (&st, STATE_RECORD, error);
  if (r < 0)
    return r;
  if (st.size > OCI_SIZE_MAX)
    return corrupt (error, -EFBIG, "larger than 32 MiB");
  char *bytes = arena_allocate (&state->arena, st.size + 1);
  ssize_t length = bytes != NULL ? sys_read_full (fd, bytes, st.size) : -ENOMEM;
  if (length < 0)
    return corrupt (error, (int) length, errno_text ((int) length));
  *ret_bytes = bytes;
  *ret_length = (size_t) length;
  return 0;
}

/* What the table cannot say. */
static int
check_record (const struct state *state, const struct state_record *record,
              struct tare_error *error)
{
  if (!str_equal (record->id, state->id))
    return fail_kind (error, TARE_ERROR_CORRUPT, -EINVAL, "%s: it is that of container `%s`",
                      STATE_RECORD, record->id);
  if (record->pid < 0)
    return corrupt (error, -EINVAL, "pid: negative");
  return 0;
}

int
state_read_record (struct state *state, struct tare_error *error)
{
  struct oci_source source = { .name = STATE_RECORD };
  void *object;
  int r = read_bytes (state, &source.bytes, &source.length, error);
  if (r < 0)
    return r;
  r = oci_read (&state->arena, &source, &state_record_table, &object, error);
  if (r < 0)
    return classify (error, r, TARE_ERROR_CORRUPT);
  r = check_record (state, object, error);
  if (r < 0)
    return r;
  state->record = object;
  return 0;
}

/* ---- writing --------------------------------------------------------------------------------- */

enum
{
  SECONDS_OF_DAY = 86400,
  DAYS_BEFORE_1970 = 719468, /* since 0000-03-01: years that begin in March end in the leap day */
  DAYS_OF_400_YEARS = 146097,
};

/* RFC 3339, UTC, nanoseconds. gmtime_r (3) would first read the machine's time zone. */
static const char *
now_text (struct arena *arena)
{
  struct timespec now = { 0 };
  (void) clock_gettime (CLOCK_REALTIME, &now);
  unsigned second = (unsigned) (now.tv_sec % SECONDS_OF_DAY);
  unsigned days = (unsigned) (now.tv_sec / SECONDS_OF_DAY) + DAYS_BEFORE_1970;
  unsigned era = days / DAYS_OF_400_YEARS, day = days % DAYS_OF_400_YEARS;
  unsigned year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
  day -= 365 * year + year / 4 - year / 100;
  unsigned month = (5 * day + 2) / 153; /* 0: March */
  day -= (153 * month + 2) / 5;
  bool next = month >= 10; /* January, February */
  return arena_format (arena, "%04u-%02u-%02uT%02u:%02u:%02u.%09ldZ",
                       era * 400 + year + (next ? 1 : 0), next ? month - 9 : month + 3, day + 1,
                       second / 3600, second / 60 % 60, second % 60, now.tv_nsec);
}

int
state_new_record (struct state *state, struct tare_error *error)
{
  struct state_record *record = arena_allocate (&state->arena, sizeof *record);
  if (record == NULL)
    return fail (error, ENOMEM, "state");
  record->version = STATE_RECORD_VERSION;
  record->status = STATE_CREATING;
  record->id = state->id;
  record->created = now_text (&state->arena);
  record->owner = geteuid ();
  record->has_version = record->has_status = record->has_owner = true;
  if (record->created == NULL)
    return fail (error, ENOMEM, "state");
  state->record = record;
  return 0;
}

/* The temporary file may be there: of one that was killed while it held the lock that is ours now.
 */
static int
create_temporary (int directory, const char *name)
{
  const uint64_t flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW;
  int fd = sys_openat2 (directory, name, flags, 0600, RESOLVE_BENEATH);
  if (fd != -EEXIST)
    return fd;
  (void) sys_unlinkat (directory, name, 0);
  return sys_openat2 (directory, name, flags, 0600, RESOLVE_BENEATH);
}

struct file
{
  const char *name, *temporary;
};
static const struct file record_file = { STATE_RECORD, STATE_TEMPORARY (STATE_RECORD) };
static const struct file config_file = { STATE_CONFIG, STATE_TEMPORARY (STATE_CONFIG) };
static const struct file resources_file = { STATE_RESOURCES, STATE_TEMPORARY (STATE_RESOURCES) };

static int
write_aside (const struct state *state, const struct file *file, const void *bytes, size_t length,
             struct tare_error *error)
{
  /* What is written may be longer than what it came from: annotations are escaped. */
  if (length > OCI_SIZE_MAX)
    return fail_kind (error, TARE_ERROR_CONFIG, EFBIG,
                      "state directory of `%s`: '%s' would have %zu bytes, at most %d are read",
                      state->id, file->name, length, OCI_SIZE_MAX);
  autoclose int fd = create_temporary (state->directory, file->temporary);
  if (fd < 0)
    return fail (error, fd, "state directory of `%s`: create '%s'", state->id, file->temporary);
  int r = sys_write_full (fd, bytes, length);
  if (r >= 0)
    return 0;
  (void) sys_unlinkat (state->directory, file->temporary, 0);
  return fail (error, r, "state directory of `%s`: write '%s'", state->id, file->name);
}

static int
put_in_place (const struct state *state, const struct file *file, struct tare_error *error)
{
  int r = sys_renameat (state->directory, file->temporary, file->name);
  if (r >= 0)
    return 0;
  (void) sys_unlinkat (state->directory, file->temporary, 0);
  return fail (error, r, "state directory of `%s`: write '%s'", state->id, file->name);
}

static int
write_file (const struct state *state, const struct file *file, const void *bytes, size_t length,
            struct tare_error *error)
{
  int r = write_aside (state, file, bytes, length, error);
  return r < 0 ? r : put_in_place (state, file, error);
}

static int
print_record (struct state_record *record, struct buf *text, struct tare_error *error)
{
  record->has_pid = record->has_start_time = record->pid != 0;
  record->has_cgroup_manager = record->has_new_pid_namespace = true;
  record->has_later_hooks = record->later_hooks;
  record->has_chrooted = record->chrooted;
  record->has_keep_keyring = record->keep_keyring;
  oci_write (text, &state_record_table, record, 2);
  buf_text (text, "\n");
  return text->failed ? fail (error, ENOMEM, "state") : 0;
}

int
state_prepare (struct state *state, enum state_status status, struct tare_error *error)
{
  auto_ (buf)
  struct buf text = { 0 };
  int now = state->record->status;
  state->record->status = state->prepared = (int) status;
  int r = print_record (state->record, &text, error);
  state->record->status = now;
  return r < 0 ? r : write_aside (state, &record_file, text.bytes, text.length, error);
}

int
state_commit (struct state *state, struct tare_error *error)
{
  int r = put_in_place (state, &record_file, error);
  if (r >= 0)
    state->record->status = state->prepared;
  return r;
}

void
state_discard (struct state *state)
{
  (void) sys_unlinkat (state->directory, record_file.temporary, 0);
}

int
state_write (struct state *state, struct tare_error *error)
{
  int r = state_prepare (state, (enum state_status) state->record->status, error);
  return r < 0 ? r : state_commit (state, error);
}

const char *
state_owner_mark (struct state *state)
{
  return arena_format (&state->arena, "%s %s", state->record->created, state->id);
}

int
state_write_config (struct state *state, const void *bytes, size_t length, struct tare_error *error)
{
  return write_file (state, &config_file, bytes, length, error);
}

int
state_write_resources (struct state *state, const void *bytes, size_t length,
                       struct tare_error *error)
{
  return write_file (state, &resources_file, bytes, length, error);
}
