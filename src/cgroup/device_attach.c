/* bpf(2): loads a device filter and puts it on a cgroup. */
#define _GNU_SOURCE
#include "cgroup/device_filter.h"

#include <sys/syscall.h>

static const char program_name[] = "tare_devices";

enum
{
  MAX_PROGRAMS = 64, /* on one group, by the kernel's own limit */
};

static int
call (enum bpf_cmd command, union bpf_attr *attributes)
{
  long r = syscall (SYS_bpf, command, attributes, sizeof *attributes);
  return r < 0 ? -errno : (int) r;
}

static uint64_t
address (const void *pointer)
{
  return (uint64_t) (uintptr_t) pointer;
}

/* log: where the verifier may say why not; NULL at first, for then it need not write. */
static int
load (const struct device_filter *filter, char *log, uint32_t log_size)
{
  union bpf_attr attributes = {
    .prog_type = BPF_PROG_TYPE_CGROUP_DEVICE,
    .insns = address (filter->instructions),
    .insn_cnt = (uint32_t) filter->count,
    .license = address ("Apache-2.0"),
    .log_level = log != NULL,
    .log_buf = address (log),
    .log_size = log_size,
  };
  memcpy (attributes.prog_name, program_name, sizeof program_name);
  return call (BPF_PROG_LOAD, &attributes);
}

/* The last line that is not empty. */
static const char *
last_line (char *log)
{
  size_t length = strlen (log);
  while (length > 0 && log[length - 1] == '\n')
    log[--length] = '\0';
  char *line = strrchr (log, '\n');
  return line != NULL ? line + 1 : log;
}

static int
explain_load (const struct device_filter *filter, int r, struct tare_error *error)
{
  enum
  {
    LOG_SIZE = 1 << 16,
  };
  autofree char *log = calloc (1, LOG_SIZE);
  autoclose int again = -EBADF;
  if (log != NULL && r != -EPERM)
    again = load (filter, log, LOG_SIZE);
  if (log != NULL && *log != '\0')
    {
      log[LOG_SIZE - 1] = '\0';
      return fail (error, r, "linux.resources.devices: load a program of %zu instructions: %s",
                   filter->count, last_line (log));
    }
  return fail (error, r, "linux.resources.devices: load a program of %zu instructions",
               filter->count);
}

/* The program with that id, if it is one of ours. */
static int
open_ours (uint32_t id)
{
  struct bpf_prog_info info = { 0 };
  union bpf_attr by_id = { .prog_id = id };
  autoclose int fd = call (BPF_PROG_GET_FD_BY_ID, &by_id);
  union bpf_attr get_info = {
    .info = { .bpf_fd = (uint32_t) fd, .info_len = sizeof info, .info = address (&info) }
  };
  if (fd < 0 || call (BPF_OBJ_GET_INFO_BY_FD, &get_info) < 0)
    return -ENOENT;
  return strncmp (info.name, program_name, sizeof info.name) == 0 ? take_fd (&fd) : -ENOENT;
}

/* The program that we put on the group before, or -ENOENT. */
static int
find_ours (int group)
{
  uint32_t ids[MAX_PROGRAMS] = { 0 };
  union bpf_attr query = {
    .query = {
      .target_fd = (uint32_t) group,
      .attach_type = BPF_CGROUP_DEVICE,
      .prog_ids = address (ids),
      .prog_cnt = MAX_PROGRAMS,
    },
  };
  int found = call (BPF_PROG_QUERY, &query) < 0 ? 0 : (int) query.query.prog_cnt;
  int fd = -ENOENT;
  for (int i = 0; fd < 0 && i < found; i++)
    fd = open_ours (ids[i]);
  return fd;
}

/* Load, shift, and at once "allow". */
static bool
allows_all (const struct device_filter *filter)
{
  return filter->count == 4 && filter->instructions[2].imm == 1;
}

int
device_filter_attach (int group, const struct device_filter *filter, struct tare_error *error)
{
  autoclose int old = find_ours (group);
  if (old < 0 && allows_all (filter))
    return 0;
  autoclose int program = load (filter, NULL, 0);
  if (program < 0)
    return explain_load (filter, program, error);
  /* MULTI: the programs of groups above and of others here count as well, and all must allow. */
  union bpf_attr attach = {
    .target_fd = (uint32_t) group,
    .attach_bpf_fd = (uint32_t) program,
    .attach_type = BPF_CGROUP_DEVICE,
    .attach_flags = BPF_F_ALLOW_MULTI | (old >= 0 ? (uint32_t) BPF_F_REPLACE : 0),
    .replace_bpf_fd = old >= 0 ? (uint32_t) old : 0,
  };
  int r = call (BPF_PROG_ATTACH, &attach);
  return r < 0 ? fail (error, r, "linux.resources.devices: attach the program") : 0;
}
