/* The state root and the directories in it: reserve, open, lock, list, remove.
 *
 * What is found there is not trusted: it must be ours, not writable by others, and no link, or it
 * is an error that says so. The lock file orders the verbs. Who deletes removes it last, and who
 * has waited for it looks whether it is still there: so a directory that vanished is "does not
 * exist", never a half of one.
 */
#define _GNU_SOURCE
#include "state/state.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "state/record.h"
#include "sys/copy.h"
#include "sys/file.h"

#ifndef LOCK_EX
#define LOCK_EX 2
#define LOCK_NB 4
#endif

static const char lock_name[] = "lock";

enum
{
  LOCK_WAIT = 10,   /* seconds; a stopped verb must not hold `delete --force` for ever */
  REMOVE_DEPTH = 8, /* of directories below a state directory; we make none so deep */
};

/* ---- ids ------------------------------------------------------------------------------------- */

static bool
is_id (const char *id)
{
  static const char letters[] =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+.-";
  size_t length = strlen (id);
  return length > 0 && length <= NAME_MAX && strspn (id, letters) == length && id[0] != '.'
         && id[0] != '-';
}

int
state_check_id (const char *id, struct tare_error *error)
{
  if (id != NULL && is_id (id))
    return 0;
  return fail_kind (error, TARE_ERROR_USAGE, -EINVAL,
                    "invalid container ID format: '%.300s' is not 1 to %d letters, digits, '_', "
                    "'+', '.' and '-', the first neither '.' nor '-'",
                    id != NULL ? id : "", NAME_MAX);
}

static int
does_not_exist (const char *id, struct tare_error *error)
{
  return fail_kind (error, TARE_ERROR_NOT_FOUND, -ENOENT, "container `%s` does not exist", id);
}

/* ---- the root -------------------------------------------------------------------------------- */

/* path and its missing parents. */
static int
make_directories (const char *path)
{
  char part[PATH_MAX];
  size_t length = strlen (path);
  if (length >= sizeof part)
    return -ENAMETOOLONG;
  int last = sys_mkdirat (AT_FDCWD, path, 0700); /* as a rule only the last is missing */
  if (last != -ENOENT)
    return last == -EEXIST ? 0 : last;
  for (size_t i = 1; i <= length; i++)
    if (path[i] == '/' || path[i] == '\0')
      {
        memcpy (part, path, i);
        part[i] = '\0';
        int r = sys_mkdirat (AT_FDCWD, part, 0700);
        if (r < 0 && r != -EEXIST)
          return r;
      }
  return 0;
}

static int
check_root (int fd, const char *root, struct tare_error *error)
{
  struct sys_stat st, top;
  char what[PATH_MAX + 16];
  int r = sys_stat (fd, NULL, &st);
  if (r >= 0 && st.mount_root) /* a state root below "/" rarely is */
    r = sys_stat (AT_FDCWD, "/", &top);
  if (r < 0)
    return fail (error, r, "state root '%s'", root);
  if (st.mount_root && st.inode == top.inode && st.mount_id == top.mount_id)
    return fail_kind (error, TARE_ERROR_USAGE, -EINVAL, "state root '%s': it must not be /", root);
  (void) snprintf (what, sizeof what, "state root '%s'", root);
  return state_check_owner (&st, what, error);
}

int
state_open_root (const char *root, bool create, struct tare_error *error)
{
  const uint64_t flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;
  autoclose int fd = sys_openat2 (AT_FDCWD, root, flags, 0, 0);
  if (fd == -ENOENT && create)
    {
      int r = make_directories (root);
      if (r < 0)
        return fail (error, r, "state root '%s': mkdir", root);
      fd = sys_openat2 (AT_FDCWD, root, flags, 0, 0);
    }
  if (fd == -ELOOP || fd == -ENOTDIR)
    return fail_kind (error, TARE_ERROR_CORRUPT, fd,
                      "state root '%s': not a directory, or a symbolic link", root);
  if (fd < 0)
    return fail (error, fd, "state root '%s'", root);
  int r = check_root (fd, root, error);
  return r < 0 ? r : take_fd (&fd);
}

/* ---- one container's directory --------------------------------------------------------------- */

static void
state_begin (struct state *state)
{
  *state = (struct state){ .directory = -EBADF, .lock = -EBADF };
}

void
state_done (struct state *state)
{
  close_fd (&state->lock);
  close_fd (&state->directory);
  arena_done (&state->arena);
  free_pointer (&state->id);
  state->record = NULL;
}

static int
open_id (int root, const char *id)
{
  return sys_openat2 (root, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0,
                      RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
}

static int
open_directory (int root, const char *id, struct state *state, struct tare_error *error)
{
  struct sys_stat st;
  char what[NAME_MAX + 32];
  state->id = strdup (id);
  if (state->id == NULL)
    return fail (error, ENOMEM, "state");
  state->directory = open_id (root, id);
  int r = state->directory;
  if (r == -ENOENT)
    return does_not_exist (id, error);
  if (r == -ELOOP || r == -ENOTDIR)
    return fail_kind (error, TARE_ERROR_CORRUPT, r,
                      "container `%s`: its state is not a directory, or a symbolic link", id);
  if (r < 0)
    return fail (error, r, "container `%s`: open its state directory", id);
  (void) snprintf (what, sizeof what, "container `%s`", id);
  r = sys_stat (state->directory, NULL, &st);
  return r < 0 ? fail (error, r, "%s", what) : state_check_owner (&st, what, error);
}

/* Only who makes a container, or clears a damaged one away, makes a lock: a reader's would stand in
 * the way of the delete that is just about to remove the directory. */
static int
open_lock (const struct state *state, bool create)
{
  struct sys_stat st;
  const uint64_t flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
  const uint64_t resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS;
  int fd = create ? -ENOENT : sys_openat2 (state->directory, lock_name, flags, 0, resolve);
  /* The record goes first: with one there, nobody is at that point. */
  if (fd == -ENOENT && (create || sys_stat (state->directory, STATE_RECORD, &st) >= 0))
    fd = sys_openat2 (state->directory, lock_name, flags | O_CREAT, 0600, resolve);
  return fd;
}

/* Waits for the lock, a bounded time. -EBUSY. */
static int
wait_lock (int lock)
{
  const struct timespec pause = { .tv_nsec = 10 * 1000 * 1000 };
  int r = sys_flock (lock, LOCK_EX | LOCK_NB);
  for (int i = 0; r == -EAGAIN && i < LOCK_WAIT * 100; i++)
    {
      (void) nanosleep (&pause, NULL);
      r = sys_flock (lock, LOCK_EX | LOCK_NB);
    }
  return r == -EAGAIN ? -EBUSY : r;
}

static int
is_no_lock (const struct state *state, int code, struct tare_error *error)
{
  return fail_kind (error, TARE_ERROR_CORRUPT, code,
                    "container `%s`: its lock is not a regular file", state->id);
}

static int
take_lock (struct state *state, bool create, struct tare_error *error)
{
  struct sys_stat st;
  state->lock = open_lock (state, create);
  if (state->lock == -ENOENT) /* it is just being made, or removed */
    return does_not_exist (state->id, error);
  if (state->lock == -ELOOP || state->lock == -EISDIR || state->lock == -ENXIO)
    return is_no_lock (state, state->lock, error);
  if (state->lock < 0)
    return fail (error, state->lock, "container `%s`: open its lock", state->id);
  int r = wait_lock (state->lock);
  if (r == -EBUSY)
    return fail_kind (error, TARE_ERROR_STATUS, r,
                      "container `%s` is busy: another command has held it for %d seconds",
                      state->id, LOCK_WAIT);
  if (r >= 0)
    r = sys_stat (state->lock, NULL, &st);
  if (r < 0)
    return fail (error, r, "container `%s`: lock", state->id);
  if (!S_ISREG (st.mode))
    return is_no_lock (state, -EINVAL, error);
  return st.nlink == 0 ? does_not_exist (state->id, error) : 0;
}

/* The directory that we made may have been cleared away, and this be another's of that name. */
static int
check_unused (const struct state *state, struct tare_error *error)
{
  struct sys_stat st;
  int r = sys_stat (state->directory, STATE_RECORD, &st);
  if (r == -ENOENT)
    return 0;
  return r < 0 ? fail (error, r, "container `%s`: %s", state->id, STATE_RECORD)
               : fail_kind (error, TARE_ERROR_EXISTS, -EEXIST, "container `%s` already exists",
                            state->id);
}

static int
reserve (int root, struct state *state, struct tare_error *error)
{
  int r = sys_mkdirat (root, state->id, 0700);
  if (r == -EEXIST)
    return fail_kind (error, TARE_ERROR_EXISTS, r, "container `%s` already exists", state->id);
  if (r < 0)
    return fail (error, r, "container `%s`: make its state directory", state->id);
  state->directory = open_id (root, state->id);
  r = state->directory < 0
          ? fail (error, state->directory, "container `%s`: open its state directory", state->id)
          : take_lock (state, true, error);
  if (r >= 0)
    r = check_unused (state, error);
  if (r == -EEXIST)
    return r;
  if (r >= 0)
    r = state_new_record (state, error);
  if (r < 0 && r != -ENOENT) /* ours alone, and nothing else is made yet */
    (void) state_remove (root, state, NULL);
  return r;
}

int
state_reserve (int root, const char *id, struct state *ret_state, struct tare_error *error)
{
  auto_ (state)
  struct state state;
  state_begin (&state);
  int r = state_check_id (id, error);
  if (r < 0)
    return r;
  state.id = strdup (id);
  if (state.id == NULL)
    return fail (error, ENOMEM, "state");
  r = reserve (root, &state, error);
  if (r < 0)
    return r;
  *ret_state = state;
  state_begin (&state);
  return 0;
}

/* The directory is there, the record is not: somebody is just making or removing it, or was. */
static int
judge_missing (const struct state *state, struct tare_error *error)
{
  autoclose int lock = state->lock < 0 ? open_lock (state, false) : -EBADF;
  if (lock == -ENOENT || (lock >= 0 && sys_flock (lock, LOCK_EX | LOCK_NB) == -EAGAIN))
    return does_not_exist (state->id, error);
  return wrap (error, -ENOENT, "container `%s`", state->id);
}

static int
read_record (struct state *state, struct tare_error *error)
{
  int r = state_read_record (state, error);
  if (r == -ENOENT)
    return judge_missing (state, error);
  return r < 0 ? wrap (error, r, "container `%s`", state->id) : 0;
}

static int
open_state (int root, const char *id, bool lock, bool damaged, struct state *ret_state,
            struct tare_error *error)
{
  auto_ (state)
  struct state state;
  state_begin (&state);
  int r = state_check_id (id, error);
  if (r >= 0)
    r = open_directory (root, id, &state, error);
  if (r >= 0 && lock)
    r = take_lock (&state, damaged, error);
  if (r >= 0 && !damaged)
    r = read_record (&state, error);
  else if (r >= 0 && state_read_record (&state, NULL) >= 0)
    r = fail (error, -EAGAIN, "container `%s`: it is not damaged", id);
  if (r < 0)
    return r;
  *ret_state = state;
  state_begin (&state);
  return 0;
}

int
state_open (int root, const char *id, bool lock, struct state *ret_state, struct tare_error *error)
{
  return open_state (root, id, lock, false, ret_state, error);
}

int
state_open_damaged (int root, const char *id, struct state *ret_state, struct tare_error *error)
{
  return open_state (root, id, true, true, ret_state, error);
}

/* ---- listing and removing -------------------------------------------------------------------- */

static void
dir_done (DIR **stream)
{
  if (*stream != NULL)
    (void) closedir (*stream);
}

/* A stream of its own position over what fd stands for. */
static DIR *
open_stream (int fd)
{
  int copy = sys_openat2 (fd, ".", O_RDONLY | O_DIRECTORY, 0, RESOLVE_BENEATH);
  DIR *stream = copy >= 0 ? fdopendir (copy) : NULL;
  if (stream == NULL && copy >= 0)
    (void) close (copy);
  else if (copy < 0)
    errno = -copy;
  return stream;
}

static bool
is_dots (const char *name)
{
  return str_equal (name, ".") || str_equal (name, "..");
}

/* What there is before the record is written, and after it is removed. */
static bool
is_no_record_yet (const char *name)
{
  return is_dots (name) || str_equal (name, lock_name) || str_equal (name, STATE_START_SOCKET)
         || str_equal (name, STATE_TEMPORARY (STATE_RECORD));
}

bool
state_is_unfinished (int root, const char *id)
{
  char entries[4096];
  autoclose int directory = open_id (root, id);
  ssize_t length =
      directory < 0 ? directory : sys_read_directory (directory, entries, sizeof entries);
  for (size_t offset = 0; length > 0 && offset < (size_t) length;)
    if (!is_no_record_yet (sys_entry_name (entries, &offset)))
      return false;
  return length > 0; /* and those few are read at once */
}

static int remove_all (int directory, unsigned depth);

static int
remove_entry (int directory, const char *name, unsigned depth)
{
  int r = sys_unlinkat (directory, name, 0);
  if (r != -EISDIR && r != -EPERM)
    return r == -ENOENT ? 0 : r;
  autoclose int child = sys_openat2 (directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0,
                                     RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV);
  if (child < 0)
    return child == -ENOTDIR ? r : child;
  r = depth == 0 ? -ELOOP : remove_all (child, depth - 1);
  return r < 0 ? r : sys_unlinkat (directory, name, AT_REMOVEDIR);
}

/* What goes last, at the top: the record and the lock. */
static bool
goes_late (const char *name, unsigned depth)
{
  return depth == REMOVE_DEPTH && (str_equal (name, STATE_RECORD) || str_equal (name, lock_name));
}

/* Everything in directory but what goes late. Goes on after a failure, which it returns. */
static int
remove_all (int directory, unsigned depth)
{
  char entries[4096];
  ssize_t length;
  int failure = sys_rewind (directory);
  while ((length = sys_read_directory (directory, entries, sizeof entries)) > 0)
    for (size_t offset = 0; offset < (size_t) length;)
      {
        const char *name = sys_entry_name (entries, &offset);
        int r =
            is_dots (name) || goes_late (name, depth) ? 0 : remove_entry (directory, name, depth);
        failure = failure < 0 ? failure : r;
      }
  /* ENOENT: somebody has removed directory itself. */
  return length < 0 && length != -ENOENT ? (int) length : failure;
}

/* The lock last. Whoever makes another at once has the directory from then on: it is not ours to
 * remove any more. */
static int
remove_lock_and_directory (int root, const struct state *state)
{
  int r = state->directory >= 0 ? remove_entry (state->directory, lock_name, REMOVE_DEPTH) : 0;
  if (r >= 0)
    r = sys_unlinkat (root, state->id, AT_REMOVEDIR);
  return r == -ENOENT || r == -ENOTEMPTY ? 0 : r;
}

int
state_remove (int root, struct state *state, struct tare_error *error)
{
  int r = state->directory >= 0 ? remove_all (state->directory, REMOVE_DEPTH) : 0;
  /* A delete that is killed before this can be repeated: the record still tells what there is. */
  if (r >= 0 && state->directory >= 0)
    r = remove_entry (state->directory, STATE_RECORD, REMOVE_DEPTH);
  if (r >= 0)
    r = remove_lock_and_directory (root, state);
  return r < 0 ? fail (error, r, "container `%s`: remove its state directory", state->id) : 0;
}

void
state_list_free (char **ids, size_t count)
{
  for (size_t i = 0; i < count; i++)
    free (ids[i]);
  free (ids);
}

struct ids
{
  char **ids;
  size_t count, capacity;
};

static void
ids_done (struct ids *ids)
{
  state_list_free (ids->ids, ids->count);
}

static int
add_id (struct ids *ids, const char *id)
{
  if (ids->count == ids->capacity)
    {
      size_t capacity = ids->capacity * 2 + 16;
      char **more = reallocarray (ids->ids, capacity, sizeof *more);
      if (more == NULL)
        return -ENOMEM;
      ids->ids = more;
      ids->capacity = capacity;
    }
  ids->ids[ids->count] = strdup (id);
  return ids->ids[ids->count] != NULL ? (int) ids->count++ : -ENOMEM;
}

static int
compare_ids (const void *a, const void *b)
{
  return strcmp (*(char *const *) a, *(char *const *) b);
}

int
state_list (int root, char ***ret_ids, size_t *ret_count, struct tare_error *error)
{
  auto_ (ids)
  struct ids ids = { 0 };
  __attribute__ ((cleanup (dir_done))) DIR *stream = open_stream (root);
  struct dirent *entry;
  if (stream == NULL)
    return fail (error, errno, "state root");
  while ((entry = readdir (stream)) != NULL)
    if (is_id (entry->d_name) && add_id (&ids, entry->d_name) < 0)
      return fail (error, ENOMEM, "state root");
  if (ids.count > 0)
    qsort (ids.ids, ids.count, sizeof *ids.ids, compare_ids);
  *ret_ids = take_ptr (&ids.ids);
  *ret_count = ids.count;
  ids.count = 0;
  return 0;
}
