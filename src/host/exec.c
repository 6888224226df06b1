/* The host side of exec, as a table: a further process in a container that is there. Its rows are
 * create's, less those that make something lasting: all there is to take back is the process.
 *
 * Holds no lock: the container may end or be deleted meanwhile, and then the process ends with it.
 */
#include "host/internal.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>

static int
is_stopped (struct tare_error *error)
{
  return fail_kind (error, TARE_ERROR_STATUS, ESRCH, "cannot exec in a stopped container");
}

static int
check_status (struct container *container, struct tare_error *error)
{
  switch (state_now (&container->state))
    {
    case STATE_CREATED:
    case STATE_RUNNING:
    case STATE_PAUSED:
      break;
    case STATE_CREATING:
      return fail_kind (error, TARE_ERROR_STATUS, EBUSY, "container `%s` is still being created",
                        container->id);
    case STATE_STOPPED:
      return is_stopped (error);
    }
  int frozen = container->has_cgroup ? cgroup_is_frozen (&container->cgroup, error) : 0;
  if (frozen < 0)
    return frozen;
  int above = container->has_cgroup && !container->exec->ignore_paused
                  ? cgroup_is_frozen_above (&container->cgroup, error)
                  : 0;
  if (above < 0)
    return above;
  if (above > 0)
    return fail_kind (error, TARE_ERROR_STATUS, EBUSY,
                      "cannot exec in a paused container: a cgroup above its own is frozen");
  if (frozen > 0 && !container->exec->ignore_paused)
    return fail_kind (error, TARE_ERROR_STATUS, EBUSY,
                      "cannot exec in a paused container (use --ignore-paused to override)");
  return 0;
}

static int
open_container (struct container *container, struct received *received, struct tare_error *error)
{
  (void) received;
  int r = container_open (container, false, CGROUP_TO_CHANGE, error);
  if (r >= 0)
    r = check_status (container, error);
  if (r >= 0)
    r = container->container_init = state_pidfd (&container->state, error);
  return r < 0 ? r : 0;
}

static int
load (struct container *container, struct received *received, struct tare_error *error)
{
  (void) received;
  int r = container_load (container, error);
  if (r < 0)
    return r;
  container->container_spec = take_ptr (&container->spec);
  return spec_load_exec (container->container_spec, container->exec, container->host->log,
                         &container->spec, error);
}

/* ---- what differs ---------------------------------------------------------------------------- */

/* 1 if the container's namespace is another than ours, by the links of the two /proc/PID/ns. Only
 * those can be joined: setns refuses the user namespace that one is in. */
static int
differs (int own, int other, const char *name)
{
  char ours[64], theirs[64];
  ssize_t length = sys_readlinkat (own, name, ours, sizeof ours);
  if (length == -ENOENT) /* not in this kernel */
    return 0;
  if (length >= 0)
    length = sys_readlinkat (other, name, theirs, sizeof theirs);
  return length < 0 ? (int) length : !str_equal (ours, theirs);
}

static int
open_namespaces (const char *pid)
{
  char path[32];
  (void) snprintf (path, sizeof path, "/proc/%s/ns", pid);
  return sys_open (path, O_PATH | O_DIRECTORY, 0);
}

static int
find_namespaces (struct container *container, uint64_t *ret_namespaces, struct tare_error *error)
{
  static const struct
  {
    const char *name;
    uint32_t type;
  } namespaces[] = {
    { "user", CLONE_NEWUSER }, { "mnt", CLONE_NEWNS },        { "pid", CLONE_NEWPID },
    { "net", CLONE_NEWNET },   { "ipc", CLONE_NEWIPC },       { "uts", CLONE_NEWUTS },
    { "time", CLONE_NEWTIME }, { "cgroup", CLONE_NEWCGROUP },
  };
  char pid[16];
  uint64_t found = 0;
  (void) snprintf (pid, sizeof pid, "%d", container->state.record->pid);
  autoclose int own = open_namespaces ("thread-self"), other = open_namespaces (pid);
  if (own < 0)
    return fail (error, own, "open /proc/thread-self/ns");
  for (size_t i = 0; i < COUNT_OF (namespaces); i++)
    {
      int r = other < 0 ? other : differs (own, other, namespaces[i].name);
      if (r == -ENOENT || r == -ESRCH) /* it is just ending */
        return is_stopped (error);
      if (r < 0)
        return fail (error, r, "look at the %s namespace of container `%s`", namespaces[i].name,
                     container->id);
      found |= r > 0 ? namespaces[i].type : 0;
    }
  *ret_namespaces = found;
  return 0;
}

static int
open_root (struct container *container, struct tare_error *error)
{
  char path[32];
  if (!container->state.record->chrooted)
    return 0;
  (void) snprintf (path, sizeof path, "/proc/%d/root", container->state.record->pid);
  int fd = sys_open (path, O_PATH | O_DIRECTORY, 0);
  if (fd < 0)
    return fail (error, fd, "open the root of container `%s`", container->id);
  container->joins[container->n_joins++] = fd;
  return 0;
}

/* A zombie too has: signals do not tell. */
static bool
has_ended (int pidfd)
{
  struct pollfd end = { .fd = pidfd, .events = POLLIN };
  return poll (&end, 1, 0) > 0;
}

/* What was found by the number of init's pid is believed only if init is still there afterwards:
 * until then the number was its own. */
static int
make_plan (struct container *container, struct received *received, struct tare_error *error)
{
  (void) received;
  const struct tare_exec_options *options = container->exec;
  struct spec_facts facts = {
    .id = container->id,
    .preserve_fds = container->preserve_fds,
    .listen_fds = options->listen_fds,
    .timings = container->host->log != NULL && container->host->log->level >= TARE_LOG_DEBUG,
    .chrooted = container->state.record->chrooted,
    .keep_keyring = container->state.record->keep_keyring,
    .log = container->host->log,
  };
  int r = find_namespaces (container, &facts.container_namespaces, error);
  if (r >= 0)
    r = process_facts (container->spec, &facts, error);
  if (r >= 0)
    r = open_root (container, error);
  if (r >= 0)
    r = cgroup_join (&container->cgroup, container->state.record->pid, options->cgroups,
                     options->n_cgroups, error);
  if (has_ended (container->container_init))
    return is_stopped (error);
  if (r >= 0)
    r = spec_plan_exec (container->spec, &facts, &container->builder, error);
  if (r < 0)
    return r;
  return spawn_seal_plan (container, error);
}

/* ---- the end --------------------------------------------------------------------------------- */

/* The pid file is there before anything of the container's choice runs. */
static int
ready (struct container *container, struct received *received, struct tare_error *error)
{
  (void) received;
  row_log_progress (container);
  row_reap_stage (container);
  int r = process_read_back (container, error);
  if (r >= 0)
    r = process_schedule (container, error);
  return r < 0 ? r : row_write_pid_file (container, error);
}

/* PLAN goes once limits and groups are set: from then on init changes its ids by itself. */
const struct step exec_steps[] = {
  { .name = "open", .run = open_container },
  { .name = "load", .run = load },
  { .name = "console", .run = row_console },
  { .name = "plan", .run = make_plan },
  { .name = "spawn", .run = row_spawn, .undo = spawn_kill },
  { .name = "attach", .run = row_attach },
  { .name = "limits", .run = row_limits, .send = MESSAGE_PLAN },
  { .name = "forked", .needed = row_is_forked, .receive = MESSAGE_FORKED, .run = row_forked },
  { .name = "enter_rdt", .needed = row_enters_rdt, .run = row_enter_rdt },
  { .name = "filter", .needed = row_has_filter, .run = row_compile_filter },
  { .name = "go", .run = row_send_filter, .send = MESSAGE_GO },
  { .name = "terminal",
    .needed = row_has_terminal,
    .receive = MESSAGE_TERMINAL,
    .run = row_take_terminal },
  { .name = "ready",
    .receive = MESSAGE_READY,
    .run = ready,
    .send = MESSAGE_RUN,
    .undo = row_remove_pid_file },
  { .name = "executing", .receive = MESSAGE_EXECUTING, .run = row_executing },
};
const size_t n_exec_steps = COUNT_OF (exec_steps);

int
host_exec (const struct host *host, const char *id, const struct tare_exec_options *options,
           struct tare_process *ret_process, struct tare_error *error)
{
  struct container container = CONTAINER_INIT (host, id);
  container.exec = options;
  container.stdio = options->stdio;
  container.cancel = options->cancel;
  container.preserve_fds = options->listen_fds + options->preserve_fds;
  container.pid_file = options->pid_file;
  container.console_socket = options->console_socket;
  container.want_terminal = options->want_terminal;
  int r = steps_run (exec_steps, n_exec_steps, &container, error);
  if (r >= 0)
    container_take_process (&container, ret_process);
  container_done (&container);
  return r;
}
