/* What the host side does to init from outside: limits that need its own rights, the maps of a new
 * user namespace; and the namespaces that init is to join. Everything goes by /proc/PID of a
 * process that cannot be reaped under us: it is our child. */
#include "host/internal.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

/* Writes one file of /proc/PID. */
static int
write_proc (pid_t pid, const char *name, const char *text, struct tare_error *error)
{
  char path[64];
  (void) snprintf (path, sizeof path, "/proc/%d/%s", (int) pid, name);
  autoclose int fd = sys_open (path, O_WRONLY, 0);
  int r = fd < 0 ? fd : sys_write_once (fd, text);
  return r < 0 ? fail (error, r, "write '%s' to %s", text, path) : 0;
}

int
process_set_limits (struct container *container, struct tare_error *error)
{
  const struct oci_process *process = container->spec->config->process;
  if (process != NULL && process->has_oom_score_adj)
    {
      char text[16];
      (void) snprintf (text, sizeof text, "%d", process->oom_score_adj);
      int r = write_proc (container->pid, "oom_score_adj", text, error);
      if (r < 0)
        return wrap (error, r, "process.oomScoreAdj");
    }
  /* A hard limit that must rise needs our rights; init lowers the others itself, last of all. */
  for (size_t i = 0; i < container->spec->n_rlimits; i++)
    {
      const struct spec_rlimit *limit = &container->spec->rlimits[i];
      uint64_t soft, hard;
      int r = sys_get_rlimit (container->pid, limit->resource, &soft, &hard);
      if (r >= 0 && limit->hard > hard)
        r = sys_set_rlimit (container->pid, limit->resource, soft, limit->hard);
      if (r < 0)
        return fail (error, r, "process.rlimits[%zu]: raise %s to %llu", i,
                     enum_name (plan_rlimit_map, limit->resource),
                     (unsigned long long) limit->hard);
    }
  return 0;
}

static int
write_map (struct container *container, const char *file, const struct oci_id_mapping *mappings,
           size_t count, struct tare_error *error)
{
  __attribute__ ((cleanup (buf_done))) struct buf text = { 0 };
  for (size_t i = 0; i < count; i++)
    buf_format (&text, "%u %u %u\n", mappings[i].container_id, mappings[i].host_id,
                mappings[i].size);
  if (text.failed)
    return fail (error, ENOMEM, "%s", file);
  return write_proc (container->pid, file, text.bytes, error);
}

int
process_write_id_maps (struct container *container, struct tare_error *error)
{
  const struct oci_linux *linux = container->spec->config->linux;
  int r = write_map (container, "gid_map", linux->gid_mappings, linux->n_gid_mappings, error);
  return r < 0
             ? r
             : write_map (container, "uid_map", linux->uid_mappings, linux->n_uid_mappings, error);
}

/* time_namespaces(7): only while nobody is in the namespace, so init waits in front of it. */
int
process_write_time_offsets (struct container *container, struct tare_error *error)
{
  const struct oci_time_offsets *offsets = container->spec->config->linux->time_offsets;
  const struct
  {
    const char *clock;
    const struct oci_time_offset *offset;
  } clocks[] = { { "monotonic", offsets->monotonic }, { "boottime", offsets->boottime } };
  for (size_t i = 0; i < COUNT_OF (clocks); i++)
    {
      char text[64];
      if (clocks[i].offset == NULL)
        continue;
      (void) snprintf (text, sizeof text, "%s %lld %u", clocks[i].clock,
                       (long long) clocks[i].offset->secs, clocks[i].offset->nanosecs);
      int r = write_proc (container->pid, "timens_offsets", text, error);
      if (r < 0)
        return wrap (error, r, "linux.timeOffsets.%s", clocks[i].clock);
    }
  return 0;
}

/* Opened here, checked here, joined by init: the descriptor that was checked is the one that is
 * joined, whatever the path says by then. O_NONBLOCK: a FIFO must not hold us. */
static int
open_namespace (const struct spec_namespace *namespace, struct tare_error *error)
{
  autoclose int fd = sys_open (namespace->path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
  const char *kind = enum_name (plan_namespace_type_map, namespace->type);
  if (fd < 0)
    return fail (error, fd, "open %s namespace '%s'", kind, namespace->path);
  int type = sys_namespace_type (fd);
  if (type != (int) namespace->type)
    return fail_kind (error, TARE_ERROR_CONFIG, EINVAL,
                      "linux.namespaces: '%s' is %s%s, not a %s "
                      "namespace",
                      namespace->path, type < 0 ? "no namespace" : "a namespace of type ",
                      type < 0 ? "" : enum_name (plan_namespace_type_map, type), kind);
  return take_fd (&fd);
}

/* A path may lead to the namespace that we are in ourselves: no sysctl, no hostname there. */
static int
refuse_own (const struct spec *spec, const struct spec_namespace *namespace, int fd,
            struct tare_error *error)
{
  struct sys_stat own, other;
  char path[64];
  const char *kind = enum_name (plan_namespace_type_map, namespace->type);
  if ((spec_changed_namespaces (spec) & namespace->type) == 0)
    return 0;
  (void) snprintf (path, sizeof path, "/proc/thread-self/ns/%s",
                   namespace->type == CLONE_NEWNET ? "net" : kind);
  autoclose int self = sys_open (path, O_RDONLY, 0);
  int r = self < 0 ? self : sys_stat (self, NULL, &own);
  if (r >= 0)
    r = sys_stat (fd, NULL, &other);
  if (r < 0)
    return fail (error, r, "compare %s namespace '%s' with '%s'", kind, namespace->path, path);
  if (own.inode != other.inode || own.device_minor != other.device_minor)
    return 0;
  return fail_kind (error, TARE_ERROR_CONFIG, EINVAL,
                    "linux.namespaces: '%s' is the host's own %s namespace: linux.sysctl, hostname "
                    "and domainname may not change it",
                    namespace->path, kind);
}

int
process_open_namespaces (struct container *container, struct tare_error *error)
{
  const struct spec *spec = container->spec;
  for (size_t i = 0; i < spec->n_namespaces; i++)
    {
      if (spec->namespaces[i].path == NULL)
        continue;
      int fd = open_namespace (&spec->namespaces[i], error);
      if (fd < 0)
        return fd;
      container->joins[container->n_joins++] = fd;
      int r = refuse_own (spec, &spec->namespaces[i], fd, error);
      if (r < 0)
        return r;
    }
  return 0;
}

static int
known_capabilities (uint64_t *ret_known)
{
  char text[16];
  uint64_t last;
  autoclose int fd = sys_open ("/proc/sys/kernel/cap_last_cap", O_RDONLY, 0);
  ssize_t length = fd < 0 ? fd : read (fd, text, sizeof text - 1);
  if (length < 0)
    return fd < 0 ? fd : -errno;
  text[length > 0 ? length - 1 : 0] = '\0'; /* the line's end */
  int r = parse_u64 (text, 63, &last);
  if (r >= 0)
    *ret_known = UINT64_MAX >> (63 - last);
  return r;
}

/* In a user namespace of its own a container can have whatever the kernel knows; elsewhere no more
 * than the runtime itself has. */
int
process_facts (const struct spec *spec, struct spec_facts *facts, struct tare_error *error)
{
  struct sys_status own;
  int r = sys_read_status (0, &own);
  if (r < 0)
    return fail (error, r, "read /proc/thread-self/status");
  facts->ignored_signals = own.ignored;
  facts->bounding = own.bounding;
  facts->grantable = own.bounding & own.permitted;
  if (((spec->new_namespaces | spec->joined_namespaces) & CLONE_NEWUSER) == 0)
    return 0;
  r = known_capabilities (&facts->bounding);
  facts->grantable = facts->bounding;
  return r < 0 ? fail (error, r, "read /proc/sys/kernel/cap_last_cap") : 0;
}
