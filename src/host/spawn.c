/* clone3 and exec of tare-init; and its end, when something fails. Between clone3 and exec the
 * child makes raw system calls only: the caller may have threads. It shares no memory with us
 * (CLONE_VM): it is in the container's group, and where that runs out of memory the kernel kills
 * every process that has the victim's. */
#include "host/internal.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

enum
{
  CAPABILITY_BITS = 64,
};

/* Everything the child needs, made before clone3. */
struct child
{
  int image, socket, entry;
  int stdio[3];
  bool new_user_namespace;
  const struct cgroup *cgroup;
  char *argv[4];
  char *envp[2];
};

/* exec in a user namespace whose maps are not written yet loses every capability, unless they are
 * ambient (capabilities(7)). init drops them again. */
static int
keep_capabilities (void)
{
  struct sys_capabilities capabilities;
  int r = sys_capget (&capabilities);
  capabilities.inheritable = capabilities.permitted;
  if (r == 0)
    r = sys_capset (&capabilities);
  for (unsigned i = 0; r == 0 && i < CAPABILITY_BITS; i++)
    if ((capabilities.permitted & 1ULL << i) != 0)
      r = sys_ambient_raise (i);
  return r;
}

static int
exec_init (const struct child *child, const char **ret_what)
{
  int r = cgroup_enter (child->cgroup);
  if (r < 0)
    *ret_what = "enter the container's cgroup";
  for (int i = 0; i < 3 && r >= 0; i++)
    r = child->stdio[i] == i ? sys_set_cloexec (i, false) : sys_dup3 (child->stdio[i], i, 0);
  if (r >= 0)
    r = sys_set_cloexec (child->socket, false);
  if (r >= 0 && child->entry >= 0)
    r = sys_set_cloexec (child->entry, false);
  if (r >= 0 && child->new_user_namespace)
    r = keep_capabilities ();
  if (r >= 0)
    r = sys_execveat (child->image, "", child->argv, child->envp, AT_EMPTY_PATH);
  return r;
}

static _Noreturn void
run_child (const struct child *child)
{
  struct channel channel = { .fd = child->socket, .side = MESSAGE_TO_HOST };
  struct tare_error failure = { 0 };
  const char *what = "execute tare-init";
  int r = exec_init (child, &what);
  (void) fail (&failure, r, "%s", what);
  (void) channel_send_error (&channel, &failure);
  _exit (1);
}

static void
close_stdio (int stdio[3])
{
  for (int i = 0; i < 3; i++)
    if (stdio[i] != i)
      close_fd (&stdio[i]);
}

/* The caller's descriptors for 0, 1 and 2, out of each other's way. */
static int
prepare_stdio (const int wanted[3], int minimum, int stdio[3])
{
  int r = 0;
  for (int i = 0; i < 3; i++)
    {
      bool moved = wanted[i] >= 0 && wanted[i] != i;
      stdio[i] = !moved ? i : r < 0 ? -EBADF : sys_dup_above (wanted[i], minimum);
      r = stdio[i] < 0 && r >= 0 ? stdio[i] : r;
    }
  if (r < 0)
    close_stdio (stdio);
  return r;
}

/* An exec has its initial affinity before it enters the groups, and the final one after that: a
 * cpuset sets it anew for who enters. Then all of it is the host side's, one after the other. */
static bool
enters_later (const struct container *container)
{
  const struct oci_process *process = container->spec->config->process;
  return container->exec != NULL && process->exec_cpu_affinity != NULL;
}

static pid_t
clone_child (struct container *container, const struct plan *plan, const struct child *child,
             int *ret_pidfd)
{
  struct sys_clone clone = {
    .flags = plan->clone_flags | CLONE_CLEAR_SIGHAND,
    .pidfd = ret_pidfd,
    .cgroup = container->has_cgroup && !enters_later (container)
                  ? cgroup_clone_fd (&container->cgroup)
                  : -EBADF,
  };
  pid_t pid = sys_clone3 (&clone);
  if (pid < 0 && clone.cgroup >= 0 && (pid == -EACCES || pid == -EOPNOTSUPP || pid == -EBUSY))
    {
      /* Entering from outside a delegated tree, or a threaded group: attached afterwards. */
      clone.cgroup = -EBADF;
      pid = sys_clone3 (&clone);
    }
  if (pid == 0)
    run_child (child);
  container->in_v2 = pid > 0 && clone.cgroup >= 0;
  return pid;
}

/* In the first message, or in a memfd that goes with it. */
int
spawn_seal_plan (struct container *container, struct tare_error *error)
{
  if (container->builder.buf.length <= PLAN_IN_MESSAGE)
    return 0;
  container->plan_fd = plan_seal (&container->builder, error);
  return container->plan_fd < 0 ? container->plan_fd : 0;
}

int
spawn_send_plan (struct container *container, struct tare_error *error)
{
  const struct buf *plan = &container->builder.buf;
  bool inside = container->plan_fd < 0;
  size_t first = inside ? PLAN_FD_PROGRESS : PLAN_FD_PLAN;
  return channel_send_plan (&container->channel, plan->bytes, inside ? plan->length : 0,
                            container->outgoing + first, container->n_outgoing - first, error);
}

/* The first datagram: the plan, and every descriptor that init will ever need. */
static void
queue_plan (struct container *container)
{
  int *fds = container->outgoing;
  fds[PLAN_FD_PLAN] = container->plan_fd;
  fds[PLAN_FD_PROGRESS] = container->progress_fd;
  size_t count = PLAN_FD_START;
  if (container->exec != NULL)
    fds[count++] = container->container_init;
  else if (container->start_socket >= 0)
    fds[count++] = container->start_socket;
  for (size_t i = 0; i < container->n_joins; i++)
    fds[count++] = container->joins[i];
  container->n_outgoing = count;
}

static int
open_channel (struct container *container, int minimum, struct tare_error *error)
{
  int pair[2];
  int r = sys_socketpair (pair);
  if (r < 0)
    return fail (error, r, "make a socket pair");
  container->channel.fd = pair[0];
  container->peer = pair[1];
  if (pair[1] < minimum) /* not among the descriptors that the container is to keep */
    {
      container->peer = sys_dup_above (pair[1], minimum);
      close_fd (&pair[1]);
    }
  return container->peer < 0 ? fail (error, container->peer, "make a socket pair") : 0;
}

int
spawn_init (struct container *container, const struct plan *plan, struct tare_error *error)
{
  int minimum = 3 + (int) container->preserve_fds;
  int r = open_channel (container, minimum, error);
  if (r < 0)
    return r;
  if (container->has_cgroup && !enters_later (container))
    cgroup_open_entries (&container->cgroup);
  /* Like the socket: not among the descriptors that the container is to keep. */
  int late = container->has_cgroup ? cgroup_late_entry (&container->cgroup) : -EBADF;
  autoclose int entry = late >= 0 ? sys_dup_above (late, minimum) : -EBADF;
  if (late >= 0 && entry < 0)
    return fail (error, entry, "the container's memory cgroup");
  char number[16], entry_number[16], fault[128];
  char name[] = "tare-init";
  (void) snprintf (number, sizeof number, "%d", container->peer);
  (void) snprintf (entry_number, sizeof entry_number, "%d", entry);
  struct child child = {
    .image = container->image,
    .socket = container->peer,
    .entry = entry,
    .new_user_namespace = (plan->clone_flags & CLONE_NEWUSER) != 0,
    .cgroup = &container->cgroup,
    .argv = { name, number, entry >= 0 ? entry_number : NULL, NULL },
    .envp = { NULL, NULL },
  };
#ifdef TARE_FAULTS
  (void) snprintf (fault, sizeof fault, "TARE_FAULT=%s", getenv ("TARE_FAULT") ?: "");
  child.envp[0] = fault;
#else
  (void) fault;
#endif
  r = prepare_stdio (container->stdio, minimum, child.stdio);
  if (r < 0)
    return fail (error, r, "the container's standard descriptors");
  sigset_t mask;
  int pidfd = -EBADF;
  (void) sys_block_signals (&mask);
  pid_t pid = clone_child (container, plan, &child, &pidfd);
  (void) sys_set_signal_mask (&mask);
  close_stdio (child.stdio);
  close_fd (&container->peer);
  if (pid < 0)
    return fail (error, pid, "clone3");
  container->pid = pid;
  container->pidfd = pidfd;
  queue_plan (container);
  return 0;
}

static void
kill_and_wait (int *pidfd)
{
  int status;
  if (*pidfd < 0)
    return;
  (void) sys_pidfd_send_signal (*pidfd, SIGKILL);
  (void) sys_pidfd_wait (*pidfd, &status); /* ECHILD: it is not ours to wait for */
  close_fd (pidfd);
}

int
spawn_kill (struct container *container, struct tare_error *error)
{
  (void) error;
  if (container->exec != NULL && container->pidfd >= 0 && container->has_cgroup)
    {
      (void) sys_pidfd_send_signal (container->pidfd, SIGKILL);
      cgroup_release (&container->cgroup, container->pid); /* killed already: it runs no more */
    }
  kill_and_wait (&container->stage);
  kill_and_wait (&container->pidfd);
  close_fd (&container->channel.fd); /* for an init that we were never told of */
  return 0;
}

static const char *
explain_kill (const struct container *container, int signal)
{
  if (signal != SIGKILL)
    return "";
  if (container->has_cgroup && cgroup_oom_kills (&container->cgroup) > 0)
    return " by the container's memory limit, which is too low";
  return " (is a memory limit too low?)";
}

int
spawn_explain_death (struct container *container, struct tare_error *error)
{
  const char *step = init_step_name (container->progress != NULL ? container->progress->step : 0);
  int status = 0;
  (void) sys_pidfd_send_signal (container->pidfd, SIGKILL); /* its end of file came first */
  int r = sys_pidfd_wait (container->pidfd, &status);
  if (r < 0)
    return fail_kind (error, TARE_ERROR_PROTOCOL, ECONNRESET, "tare-init ended in step %s", step);
  if (WIFSIGNALED (status))
    return fail_kind (error, TARE_ERROR_PROTOCOL, ECONNRESET,
                      "tare-init was killed by signal %d in step %s%s", WTERMSIG (status), step,
                      explain_kill (container, WTERMSIG (status)));
  return fail_kind (error, TARE_ERROR_PROTOCOL, ECONNRESET,
                    "tare-init ended with status %d in step %s", WEXITSTATUS (status), step);
}
