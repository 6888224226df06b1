/* start: wakes the init of a created container and waits until it is the container's process.
 * Serves runtime.md "Start". */
#include "host/internal.h"

#include <sys/socket.h>

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
  /* A frozen init answers nobody: this must not hang. */
  int frozen = container->has_cgroup ? cgroup_is_frozen (&container->cgroup, NULL) : 0;
  if (frozen > 0)
    return fail_kind (error, TARE_ERROR_STATUS, EBUSY, "cannot start a paused container");
  return 0;
}

static int
connect_init (struct container *container, struct channel *channel, struct tare_error *error)
{
  pid_t peer = 0;
  autoclose int fd
    = sys_socket_connect (container->state.directory, STATE_START_SOCKET, SOCK_SEQPACKET);
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
  *channel = (struct channel) { .fd = take_fd (&fd), .side = MESSAGE_TO_INIT };
  return 0;
}

/* EXECUTING and then end of file is success: execve closed the connection. */
static int
wait_for_exec (struct channel *channel, struct tare_error *error)
{
  int r = channel_send (channel, MESSAGE_START, 0, NULL, 0, error);
  if (r >= 0)
    r = channel_receive (channel, MESSAGE_EXECUTING, NULL, error);
  if (r == -ECONNRESET || r == -EPIPE)
    return fail_kind (error, TARE_ERROR_PROTOCOL, r,
                      "container process is already dead (is a memory limit too low?)");
  if (r < 0)
    return r;
  struct tare_error end = { 0 };
  r = channel_receive (channel, MESSAGE_EXECUTING, NULL, &end);
  if (r == -ECONNRESET)
    return 0;
  if (error != NULL)
    *error = end;
  return r;
}

int
host_start (const struct host *host, const char *id, struct tare_error *error)
{
  struct container container = CONTAINER_INIT (host, id);
  struct channel channel = { .fd = -EBADF };
  int r = container_open (&container, true, error);
  if (r >= 0)
    r = check_created (&container, error);
  if (r >= 0)
    r = connect_init (&container, &channel, error);
  if (r >= 0)
    r = wait_for_exec (&channel, error);
  close_fd (&channel.fd);
  if (r >= 0)
    {
      container.state.record->status = STATE_RUNNING;
      r = state_write (&container.state, error);
      (void) sys_unlinkat (container.state.directory, STATE_START_SOCKET, 0);
    }
  container_done (&container);
  return r;
}
