/* The network namespace of the container: its loopback device, and the way into one that the host
 * side has made. Everything else of it is the host side's; a socket of ours shows it where. */
#include "init/init.h"

int
step_network (struct init *init, struct tare_error *error)
{
  if (!init_flag (init, PLAN_LOOPBACK_UP))
    return 0; /* init_enter_network will */
  autoclose int fd = sys_network_socket ();
  int r = fd < 0 ? fd : sys_loopback_up (fd);
  return r < 0 ? fail (error, r, "bring 'lo' up") : 0;
}

/* As late as can be: the host side is still making it, and few things depend on it. */
int
init_enter_network (struct init *init, struct tare_error *error)
{
  struct received received = { 0 };
  if (!init_flag (init, PLAN_HOST_NETWORK) || init->in_network)
    return 0;
  int r = channel_receive (&init->channel, MESSAGE_NETWORK, &received, error);
  if (r < 0)
    return r;
  r = received.n_fds == 1 ? sys_setns (received.fds[0], CLONE_NEWNET) : -EPROTO;
  for (size_t i = 0; i < received.n_fds; i++)
    close_fd (&received.fds[i]);
  init->in_network = r >= 0;
  return r < 0 ? fail (error, r, "enter the network namespace") : 0;
}

/* No path: what /proc says may be somebody else's by now. Whatever its kind, a socket belongs to
 * the network namespace that it was made in. */
int
step_net_devices (struct init *init, struct tare_error *error)
{
  autoclose int fd = sys_network_socket ();
  if (fd < 0)
    return fail (error, fd, "socket of the network namespace");
  return channel_send (&init->channel, MESSAGE_NETWORK_NAMESPACE, 0, &fd, 1, error);
}
