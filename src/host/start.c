/* start: wakes the init of a created container and waits until it is the container's process.
 * Serves runtime.md "Start". */
#include "host/internal.h"

#include <poll.h>
#include <sys/socket.h>

enum
{
  HELD_SECONDS = 2, /* that it cannot run may be for a moment only */
  END_MILLISECONDS = 2000,
};

static bool
is_frozen (const struct container *container)
{
  return container->has_cgroup
         && (cgroup_is_frozen (&container->cgroup, NULL) > 0
             || cgroup_is_frozen_above (&container->cgroup, NULL) > 0);
}

static int
check_created (struct container *container, struct tare_error *error)
{
  switch (state_now (&container->state))
    {
    case STATE_CREATED:
      break;
    case STATE_CREATING:
      return fail_kind (error, TARE_ERROR_STATUS, EBUSY, "container `%s` is still being created",
                        container->id);
    case STATE_STOPPED:
      return fail_kind (error, TARE_ERROR_STATUS, ESRCH,
                        "cannot start a container that has stopped");
    case STATE_RUNNING:
    case STATE_PAUSED:
      return fail_kind (error, TARE_ERROR_STATUS, EBUSY,
                        "cannot start an already running container");
    }
  if (is_frozen (container))
    return fail_kind (error, TARE_ERROR_STATUS, EBUSY, "cannot start a paused container");
  if (state_is_suspended (&container->state))
    return fail_kind (error, TARE_ERROR_STATUS, EBUSY,
                      "cannot start container `%s`: its init is stopped by a signal",
                      container->id);
  return 0;
}

static int
connect_init (struct container *container, struct channel *channel, struct tare_error *error)
{
  pid_t peer = 0;
  autoclose int fd =
      sys_socket_connect (container->state.directory, STATE_START_SOCKET, SOCK_SEQPACKET);
  int r = fd < 0 ? fd : sys_socket_peer_pid (fd, &peer);
  if (r == -ECONNREFUSED || r == -ENOENT)
    return fail_kind (error, TARE_ERROR_STATUS, EBUSY,
                      "container `%s` was started already, or its init is dead", container->id);
  if (r < 0)
    return fail (error, r, "connect to the init of container `%s`", container->id);
  if (peer != container->state.record->pid)
    return fail_kind (error, TARE_ERROR_CORRUPT, EPERM,
                      "the start socket of container `%s` belongs to process %d, not to %lld",
                      container->id, (int) peer, (long long) container->state.record->pid);
  *channel = (struct channel){ .fd = take_fd (&fd), .side = MESSAGE_TO_INIT };
  return 0;
}

/* Its hooks may take their time; but an init that is frozen, or stopped, answers nobody. */
static int
await_answer (const struct container *container, const struct channel *channel,
              struct tare_error *error)
{
  struct pollfd answer = { .fd = channel->fd, .events = POLLIN };
  for (int held = 0; held < HELD_SECONDS;)
    {
      int r = poll (&answer, 1, 1000);
      if (r > 0)
        return 0;
      if (r < 0 && errno != EINTR)
        return fail (error, -errno, "wait for the init of container `%s`", container->id);
      if (r == 0)
        held = is_frozen (container) || state_is_suspended (&container->state) ? held + 1 : 0;
    }
  return fail_kind (error, TARE_ERROR_STATUS, EBUSY,
                    "cannot start container `%s`: its init is frozen, or stopped by a signal",
                    container->id);
}

static int
wait_for_exec (const struct container *container, struct channel *channel, struct tare_error *error)
{
  int r = channel_send (channel, MESSAGE_START, 0, NULL, 0, error);
  if (r >= 0)
    r = await_answer (container, channel, error);
  if (r >= 0)
    r = channel_receive (channel, MESSAGE_EXECUTING, NULL, error);
  if (r == -ECONNRESET || r == -EPIPE)
    return fail_kind (error, TARE_ERROR_PROTOCOL, r,
                      "container process is already dead (is a memory limit too low?)");
  if (r >= 0)
    r = await_answer (container, channel, error);
  return r < 0 ? r : await_execve (channel, error);
}

/* An init that has told of its failure is about to end. Whoever hears of it from us deletes the
 * container next, as one that has stopped: Docker's engine gives up for good where it has not yet.
 */
static void
await_end (const struct container *container)
{
  autoclose int pidfd = state_pidfd (&container->state, NULL);
  struct pollfd end = { .fd = pidfd, .events = POLLIN };
  if (pidfd >= 0)
    (void) poll (&end, 1, END_MILLISECONDS);
}

static int
note_running (struct container *container, struct tare_error *error)
{
  int r = state_commit (&container->state, error);
  (void) sys_unlinkat (container->state.directory, STATE_START_SOCKET, 0);
  return r;
}

/* With the record of it written before: where that fails, nothing runs. */
static int
run_program (struct container *container, struct tare_error *error)
{
  struct channel channel = { .fd = -EBADF };
  int r = connect_init (container, &channel, error);
  if (r >= 0)
    {
      r = wait_for_exec (container, &channel, error);
      close_fd (&channel.fd);
      if (r < 0 && error->kind != TARE_ERROR_STATUS)
        await_end (container);
    }
  if (r >= 0)
    return note_running (container, error);
  state_discard (&container->state);
  return r;
}

/* runtime.md, steps 7 and 9: a startContainer or poststart hook that fails is the container's end.
 */
static void
give_up (struct container *container)
{
  struct tare_error second = { 0 };
  int r = container_open_cgroup (container, CGROUP_TO_CHANGE, &second);
  if (r >= 0)
    r = hooks_load (container, &second); /* for poststop */
  if (r >= 0)
    r = container_destroy (container, &second);
  if (r < 0)
    log_warning (container->host->log, "%s", second.message);
}

int
host_start (const struct host *host, const char *id, struct tare_error *error)
{
  struct container container = CONTAINER_INIT (host, id);
  struct tare_error failure = { 0 };
  int r = container_open (&container, true, CGROUP_TO_FREEZE, &failure);
  if (r >= 0)
    r = check_created (&container, &failure);
  if (r >= 0)
    r = hooks_load (&container, &failure);
  if (r >= 0)
    r = state_prepare (&container.state, STATE_RUNNING, &failure);
  if (r >= 0)
    r = run_program (&container, &failure);
  if (r >= 0)
    r = hooks_poststart (&container, &failure);
  if (r < 0 && failure.kind == TARE_ERROR_HOOK)
    give_up (&container);
  if (r < 0 && error != NULL)
    *error = failure;
  container_done (&container);
  return r;
}
