/* kill and delete. Serves runtime.md "Kill" and "Delete". Signals go by pidfd, so never to the next
 * owner of a pid. */
#include "host/internal.h"

#include <poll.h>

enum
{
  REMADE_TIMES = 8,           /* by others, while we want to delete it */
  DEATH_MILLISECONDS = 10000, /* after SIGKILL; a process in an uninterruptible wait takes longer */
};

static bool
shares_pid_namespace (const struct container *container)
{
  return container->state.record != NULL && !container->state.record->new_pid_namespace;
}

/* Without a group init alone is known; a namespace of its own takes the others with it. */
static bool
reaches_all (const struct container *container, int signal)
{
  return !cgroup_is_none (&container->cgroup)
         || (signal == SIGKILL && !shares_pid_namespace (container));
}

/* SIGKILL waits in a frozen group of v1. */
static int
thaw (struct container *container, struct tare_error *error)
{
  int frozen = cgroup_is_frozen (&container->cgroup, error);
  return frozen > 0 ? cgroup_freeze (&container->cgroup, false, error) : frozen;
}

/* Of a container whose init has ended: in a shared pid namespace the others live on, unless those
 * in its group are the next one's, who was given it. */
static bool
has_left_processes (struct container *container)
{
  pid_t *pids = NULL;
  size_t count = 0;
  if (!container->has_cgroup || state_now (&container->state) != STATE_STOPPED
      || container_open_cgroup (container, CGROUP_TO_CHANGE, NULL) < 0
      || cgroup_is_of_another (&container->cgroup))
    return false;
  int r = cgroup_processes (&container->cgroup, &pids, &count, NULL);
  free (pids);
  return r >= 0 && count > 0;
}

static int
signal_init (const struct container *container, int pidfd, int signal, struct tare_error *error)
{
  int r = sys_pidfd_send_signal (pidfd, signal);
  if (r < 0 && r != -ESRCH)
    return fail (error, r, "send signal %d to container `%s`", signal, container->id);
  /* In its own pid namespace the others die with init; elsewhere nobody would kill them. */
  if (r >= 0 && signal == SIGKILL && shares_pid_namespace (container))
    r = cgroup_kill (&container->cgroup, error);
  return r;
}

int
host_kill (const struct host *host, const char *id, int signal, uint32_t flags,
           struct tare_error *error)
{
  struct container container = CONTAINER_INIT (host, id);
  int r = container_open (&container, false, CGROUP_TO_SIGNAL, error);
  autoclose int pidfd = r < 0 ? r : state_pidfd (&container.state, error);
  bool all = (flags & TARE_KILL_ALL) != 0;
  if (all && pidfd >= 0 && !reaches_all (&container, signal))
    log_warning (host->log,
                 "signal %d goes to init alone: the container has no cgroup that tells "
                 "who else belongs to it",
                 signal);
  all = all && !cgroup_is_none (&container.cgroup);
  /* containerd's shim waits for what they have open, and ends them by this. */
  if (r >= 0 && all && (pidfd >= 0 || (pidfd == -ESRCH && has_left_processes (&container))))
    r = cgroup_signal_all (&container.cgroup, signal, error);
  else
    r = pidfd < 0 ? pidfd : signal_init (&container, pidfd, signal, error);
  if (r == -ESRCH && pidfd >= 0)
    {
      /* It ended in between: then this says so, in the same words. */
      autoclose int gone = state_pidfd (&container.state, error);
      r = gone < 0 ? gone : 0;
    }
  if (r >= 0 && signal == SIGKILL)
    r = thaw (&container, error);
  container_done (&container);
  return r;
}

static int
wait_for_end (const struct container *container, int pidfd, struct tare_error *error)
{
  struct pollfd end = { .fd = pidfd, .events = POLLIN };
  int r;
  do
    r = poll (&end, 1, DEATH_MILLISECONDS);
  while (r < 0 && errno == EINTR);
  if (r == 0)
    return fail_kind (error, TARE_ERROR_STATUS, EBUSY,
                      "container init still running: process %lld does not die",
                      (long long) container->state.record->pid);
  return 0;
}

/* Kills init and everything in the group, and waits for init's end. */
static int
kill_container (struct container *container, int pidfd, struct tare_error *error)
{
  int r = sys_pidfd_send_signal (pidfd, SIGKILL);
  if (r < 0 && r != -ESRCH)
    return fail (error, r, "kill container `%s`", container->id);
  r = cgroup_kill (&container->cgroup, error);
  return r < 0 ? r : wait_for_end (container, pidfd, error);
}

/* Init alone: its group cannot be had. */
static int
kill_init (struct container *container, struct tare_error *error)
{
  autoclose int pidfd = state_pidfd (&container->state, NULL);
  int r = pidfd < 0 ? -ESRCH : sys_pidfd_send_signal (pidfd, SIGKILL);
  if (r < 0 && r != -ESRCH)
    return fail (error, r, "kill container `%s`", container->id);
  return r < 0 ? 0 : wait_for_end (container, pidfd, error);
}

int
container_destroy (struct container *container, struct tare_error *error)
{
  autoclose int pidfd = state_pidfd (&container->state, NULL);
  int r = pidfd < 0 ? 0 : kill_container (container, pidfd, error);
  if (r < 0)
    return r;
  container->reserved = true;
  container->hooks_began = true;
  return steps_undo (create_steps, n_create_steps, container, error);
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

/* A config that cannot be read any more is no reason to keep the container. */
static void
find_hooks (struct container *container)
{
  struct tare_error failure = { 0 };
  container->hooks_began = true;
  if (hooks_load (container, &failure) < 0)
    log_warning (container->host->log, "poststop hooks are not run: %s", failure.message);
}

/* Before the lock is waited for: a verb that holds it may be waiting for this very process. */
static void
kill_first (const struct host *host, const char *id)
{
  struct container container = CONTAINER_INIT (host, id);
  if (container_open (&container, false, CGROUP_TO_SIGNAL, NULL) >= 0)
    {
      autoclose int pidfd = state_pidfd (&container.state, NULL);
      if (pidfd >= 0 && sys_pidfd_send_signal (pidfd, SIGKILL) >= 0)
        (void) cgroup_kill (&container.cgroup, NULL);
    }
  container_done (&container);
}

/* What cannot be read is opened all the same by force, or where nothing but it was made yet, or is
 * left: but only if it cannot be read by the one who holds the lock either, else somebody was just
 * making it. */
static int
open_to_delete (struct container *container, bool force, struct tare_error *error)
{
  const struct log *log = container->host->log;
  int r = -EAGAIN;
  for (int i = 0; r == -EAGAIN && i < REMADE_TIMES; i++)
    {
      struct tare_error why = { 0 };
      r = container_open (container, true, CGROUP_TO_CHANGE, &why);
      *error = why;
      bool unfinished = r < 0 && state_is_unfinished (container->host->root, container->id);
      bool clears = why.kind == TARE_ERROR_CORRUPT ? force || unfinished
                                                   : force && why.kind == TARE_ERROR_NOT_FOUND;
      if (r >= 0 || !clears)
        return r;
      /* Held already where the record can be read, but not what it tells of control groups. */
      r = container->state.directory >= 0
              ? kill_init (container, error)
              : state_open_damaged (container->host->root, container->id, &container->state, error);
      if (r >= 0 && !unfinished)
        log_warning (log, "%s; only its state directory is removed, what else it made is not known",
                     why.message);
    }
  return r;
}

int
host_delete (const struct host *host, const char *id, uint32_t flags, struct tare_error *error)
{
  struct container container = CONTAINER_INIT (host, id);
  struct tare_error first = { 0 };
  bool force = (flags & TARE_DELETE_FORCE) != 0;
  if (force)
    kill_first (host, id);
  int r = open_to_delete (&container, force, &first);
  if (r >= 0 && container.has_cgroup)
    r = check_deletable (&container, flags, &first);
  if (r >= 0)
    {
      container.reserved = true;
      find_hooks (&container);
      r = steps_undo (create_steps, n_create_steps, &container, &first);
    }
  if (force && r < 0 && first.kind == TARE_ERROR_NOT_FOUND)
    r = 0;
  if (r < 0 && error != NULL)
    *error = first;
  container_done (&container);
  return r;
}
