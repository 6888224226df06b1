/* The loopback device of a new network namespace, by SIOCSIFFLAGS. Everything else of the network
 * is the host side's; a socket of ours shows it where. */
#include "init/init.h"

#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

int
step_network (struct init *init, struct tare_error *error)
{
  (void) init;
  /* IFF_LOOPBACK stays, whatever we say. */
  struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP };
  autoclose int fd = socket (AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0)
    return fail (error, errno, "socket to bring 'lo' up");
  if (ioctl (fd, SIOCSIFFLAGS, &request) < 0)
    return fail (error, errno, "bring 'lo' up");
  return 0;
}

/* No path: what /proc says may be somebody else's by now. Whatever its kind, a socket belongs to
 * the network namespace that it was made in. */
int
step_net_devices (struct init *init, struct tare_error *error)
{
  autoclose int fd = socket (AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0)
    return fail (error, errno, "socket of the network namespace");
  return channel_send (&init->channel, MESSAGE_NETWORK_NAMESPACE, 0, &fd, 1, error);
}
