/* kill and delete. Serves runtime.md "Kill" and "Delete". Signals go by pidfd, so never to the next
 * owner of a pid. */
#include "host/internal.h"

#include <poll.h>

enum
{
  DEATH_MILLISECONDS = 10000, /* after SIGKILL; a process in an uninterruptible wait takes longer */
};

static bool
shares_pid_namespace (const struct container *container)
{
  return container->state.record != NULL && !container->state.record->new_pid_namespace;
}

static int
not_running (struct tare_error *error)
{
  /* Managers look for "container not running" and for "no such process", in this case. */
  return fail_kind (error, TARE_ERROR_STATUS, ESRCH, "container not running: no such process");
}

int
host_kill (const struct host *host, const char *id, int signal, uint32_t flags,
           struct tare_error *error)
{
  struct container container = CONTAINER_INIT (host, id);
  int r = container_open (&container, false, error);
  if (r < 0)
    return r;
  autoclose int pidfd = state_pidfd (&container.state, NULL);
  bool all = (flags & TARE_KILL_ALL) != 0;
  if (pidfd < 0)
    r = not_running (error);
  else if (all)
    r = cgroup_signal_all (&container.cgroup, signal, error);
  else
    r = sys_pidfd_send_signal (pidfd, signal);
  if (r == -ESRCH)
    r = not_running (error);
  else if (r < 0 && !all && pidfd >= 0)
    r = fail (error, r, "send signal %d to container `%s`", signal, id);
  /* In its own pid namespace the others die with init; elsewhere nobody would kill them. */
  if (r >= 0 && signal == SIGKILL && !all && shares_pid_namespace (&container))
    r = cgroup_kill (&container.cgroup, error);
  container_done (&container);
  return r;
}

/* Kills init and everything in the group, and waits for init's end. */
static int
kill_container (struct container *container, int pidfd, struct tare_error *error)
{
  int r = sys_pidfd_send_signal (pidfd, SIGKILL);
  if (r < 0 && r != -ESRCH)
    return fail (error, r, "kill container `%s`", container->id);
  r = cgroup_kill (&container->cgroup, error);
  if (r < 0)
    return r;
  struct pollfd end = { .fd = pidfd, .events = POLLIN };
  do
    r = poll (&end, 1, DEATH_MILLISECONDS);
  while (r < 0 && errno == EINTR);
  if (r == 0)
    return fail_kind (error, TARE_ERROR_STATUS, EBUSY,
                      "container init still running: process %lld does not die",
                      (long long) container->state.record->pid);
  return 0;
}

static int
check_deletable (struct container *container, uint32_t flags, struct tare_error *error)
{
  enum state_status status = state_now (&container->state);
  bool force = (flags & TARE_DELETE_FORCE) != 0;
  if (status == STATE_STOPPED || status == STATE_CREATING)
    return 0;
  if (status != STATE_CREATED && !force)
    return fail_kind (error, TARE_ERROR_STATUS, EBUSY,
                      "cannot delete container %s that is not stopped: %s", container->id,
                      enum_name (state_status_map, status));
  autoclose int pidfd = state_pidfd (&container->state, NULL);
  return pidfd < 0 ? 0 : kill_container (container, pidfd, error);
}

int
host_delete (const struct host *host, const char *id, uint32_t flags, struct tare_error *error)
{
  struct container container = CONTAINER_INIT (host, id);
  struct tare_error first = { 0 };
  bool force = (flags & TARE_DELETE_FORCE) != 0;
  int r = container_open (&container, true, &first);
  if (force && first.kind == TARE_ERROR_NOT_FOUND)
    return 0;
  if (force && first.kind == TARE_ERROR_CORRUPT && container.state.directory >= 0)
    {
      log_warning (host->log, "%s; removing its directory, what else it made is not known",
                   first.message);
      r = 0;
    }
  else if (r >= 0)
    r = check_deletable (&container, flags, &first);
  if (r >= 0)
    {
      container.reserved = true;
      r = steps_undo (create_steps, n_create_steps, &container, &first);
    }
  if (r < 0 && error != NULL)
    *error = first;
  container_done (&container);
  return r;
}
