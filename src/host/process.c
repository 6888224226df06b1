/* What the host side does to init from outside: limits that need its own rights, the maps of a new
 * user namespace; and the namespaces that init is to join. Everything goes by /proc/PID of a
 * process that cannot be reaped under us: it is our child. */
#include "host/internal.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "plan/schedule.h"

int
process_write_file (pid_t pid, const char *name, const char *text, struct tare_error *error)
{
  char path[64];
  (void) snprintf (path, sizeof path, "/proc/%d/%s", (int) pid, name);
  autoclose int fd = sys_open (path, O_WRONLY, 0);
  int r = fd < 0 ? fd : sys_write_once (fd, text);
  return r < 0 ? fail (error, r, "write '%s' to %s", text, path) : 0;
}

/* Of an unprivileged runtime nobody expects that it protects its containers from the kernel. */
static int
set_oom_score (struct container *container, int wanted, struct tare_error *error)
{
  char path[64], text[16], current[16] = "";
  (void) snprintf (path, sizeof path, "/proc/%d/oom_score_adj", (int) container->pid);
  (void) snprintf (text, sizeof text, "%d", wanted);
  autoclose int fd = sys_open (path, O_RDWR, 0);
  ssize_t length = fd < 0 ? fd : sys_read_full (fd, current, sizeof current - 1);
  if (length < 0)
    return fail (error, (int) length, "process.oomScoreAdj: read %s", path);
  current[strcspn (current, "\n")] = '\0';
  if (str_equal (current, text)) /* which needs no right */
    return 0;
  int r = sys_rewind (fd);
  if (r >= 0)
    r = sys_write_once (fd, text);
  if (r == -EACCES && sys_is_unprivileged ())
    {
      log_warning (container->host->log,
                   "process.oomScoreAdj: stays %s, an unprivileged runtime cannot lower it to %s",
                   current, text);
      return 0;
    }
  return r < 0 ? fail (error, r, "process.oomScoreAdj: %s, from %s%s", text, current,
                       r == -EACCES ? " (to lower it needs CAP_SYS_RESOURCE)" : "")
               : 0;
}

/* A hard limit that must rise needs our rights; init lowers the others itself, last of all. */
static int
raise_limits (struct container *container, struct tare_error *error)
{
  for (size_t i = 0; i < container->spec->n_rlimits; i++)
    {
      const struct spec_rlimit *limit = &container->spec->rlimits[i];
      uint64_t soft, hard;
      int r = sys_get_rlimit (container->pid, limit->resource, &soft, &hard);
      if (r >= 0 && limit->hard > hard)
        r = sys_set_rlimit (container->pid, limit->resource, soft, limit->hard);
      if (r < 0)
        return fail (error, r, "process.rlimits[%zu]: raise %s to %llu%s", i,
                     enum_name (plan_rlimit_map, limit->resource), (unsigned long long) limit->hard,
                     r == -EPERM ? " (to raise a hard limit needs CAP_SYS_RESOURCE, and "
                                   "RLIMIT_NOFILE ends at fs.nr_open)"
                                 : "");
    }
  return 0;
}

int
process_set_limits (struct container *container, struct tare_error *error)
{
  const struct oci_process *process = container->spec->config->process;
  int r = process != NULL && process->has_oom_score_adj
              ? set_oom_score (container, process->oom_score_adj, error)
              : 0;
  return r < 0 ? r : raise_limits (container, error);
}

int
process_set_affinity (struct container *container, enum spec_affinity which,
                      struct tare_error *error)
{
  struct ranges processors;
  int r =
      container->exec != NULL ? spec_exec_affinity (container->spec, which, &processors, error) : 0;
  if (r < 0 || container->exec == NULL || processors.count == 0)
    return r;
  r = sys_set_affinity (container->pid, processors.bits, COUNT_OF (processors.bits));
  return r < 0 ? fail (
             error, r, "process.execCPUAffinity.%s: set it%s",
             which == SPEC_AFFINITY_INITIAL ? "initial" : "final",
             r == -EINVAL ? " (no such processor is there, or its cpuset has none of them)" : "")
               : 0;
}

/* Late: what init itself has to do should not wait for a policy that is meant for the program. */
int
process_schedule (struct container *container, struct tare_error *error)
{
  const struct plan *plan = (const struct plan *) container->builder.buf.bytes;
  return (plan->flags & PLAN_HOST_SCHEDULES) != 0
             ? plan_apply_schedule (plan, container->pid, error)
             : 0;
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
      int r = process_write_file (container->pid, "timens_offsets", text, error);
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

/* Is fd, a namespace of this kind ("net"), the one that we are in ourselves? -errno. */
static int
is_own (int fd, const char *kind)
{
  struct sys_stat own, other;
  char path[64];
  (void) snprintf (path, sizeof path, "/proc/thread-self/ns/%s", kind);
  autoclose int self = sys_open (path, O_RDONLY, 0);
  int r = self < 0 ? self : sys_stat (self, NULL, &own);
  if (r >= 0)
    r = sys_stat (fd, NULL, &other);
  if (r < 0)
    return r;
  return own.inode == other.inode && own.device_minor == other.device_minor;
}

/* A path that cannot be opened is an error when it is to be joined. */
bool
process_has_cgroup_namespace (const struct spec *spec)
{
  for (size_t i = 0; i < spec->n_namespaces; i++)
    if (spec->namespaces[i].type == CLONE_NEWCGROUP && spec->namespaces[i].path != NULL)
      {
        autoclose int fd = sys_open (spec->namespaces[i].path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
        return fd < 0 || is_own (fd, "cgroup") != 1;
      }
  return spec_is_new (spec, CLONE_NEWCGROUP);
}

bool
process_joins_user_namespace (const struct container *container)
{
  size_t join = 0;
  for (size_t i = 0; i < container->spec->n_namespaces; i++)
    {
      const struct spec_namespace *namespace = &container->spec->namespaces[i];
      if (namespace->path != NULL && namespace->type == CLONE_NEWUSER)
        return is_own (container->joins[join], "user") != 1;
      join += namespace->path != NULL;
    }
  return false;
}

/* A path may lead to the namespace that we are in ourselves: no sysctl, no hostname there. */
static int
refuse_own (const struct spec *spec, const struct spec_namespace *namespace, int fd,
            struct tare_error *error)
{
  const char *kind = enum_name (plan_namespace_type_map, namespace->type);
  if ((spec_changed_namespaces (spec) & namespace->type) == 0)
    return 0;
  int r = is_own (fd, namespace->type == CLONE_NEWNET ? "net" : kind);
  if (r < 0)
    return fail (error, r, "compare %s namespace '%s' with our own", kind, namespace->path);
  if (r == 0)
    return 0;
  return fail_kind (error, TARE_ERROR_CONFIG, EINVAL,
                    "linux.namespaces: '%s' is the host's own %s namespace: linux.sysctl, "
                    "linux.netDevices, hostname and domainname may not change it",
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
