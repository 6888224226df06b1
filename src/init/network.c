/* The loopback device of a new network namespace, by SIOCSIFFLAGS. Everything else of the network
 * is the host side's. */
#include "init/init.h"

#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

int
step_network (struct init *init, struct tare_error *error)
{
  (void) init;
  struct ifreq request = { .ifr_name = "lo" };
  autoclose int fd = socket (AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0)
    return fail (error, errno, "socket to bring 'lo' up");
  if (ioctl (fd, SIOCGIFFLAGS, &request) < 0)
    return fail (error, errno, "flags of 'lo'");
  request.ifr_flags |= IFF_UP;
  if (ioctl (fd, SIOCSIFFLAGS, &request) < 0)
    return fail (error, errno, "bring 'lo' up");
  return 0;
}
