/* The pidfd that a socket receives. */
#define _GNU_SOURCE
#include "cli.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int
cli_connect_pidfd_socket (const char *path, struct tare_error *error)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  if ((size_t) snprintf (address.sun_path, sizeof address.sun_path, "%s", path)
      >= sizeof address.sun_path)
    return tare_error_set (error, TARE_ERROR_USAGE, -ENAMETOOLONG,
                           "pidfd socket '%s': longer than %zu bytes", path,
                           sizeof address.sun_path - 1);
  int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd >= 0 && connect (fd, (struct sockaddr *) &address, sizeof address) == 0)
    return fd;
  int code = errno;
  if (fd >= 0)
    (void) close (fd);
  return tare_error_set (error, TARE_ERROR_SYSTEM, -code, "pidfd socket '%s': %s", path,
                         strerror (code));
}

/* The byte that goes with the descriptor has no meaning: a stream cannot carry none. */
int
cli_send_descriptor (int socket, int fd, struct tare_error *error)
{
  union
  {
    struct cmsghdr header;
    char bytes[CMSG_SPACE (sizeof (int))];
  } control = { .bytes = { 0 } };
  char byte = 0;
  struct iovec part = { &byte, 1 };
  struct msghdr message = { .msg_iov = &part,
                            .msg_iovlen = 1,
                            .msg_control = control.bytes,
                            .msg_controllen = sizeof control.bytes };
  struct cmsghdr *header = CMSG_FIRSTHDR (&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN (sizeof fd);
  memcpy (CMSG_DATA (header), &fd, sizeof fd);
  if (sendmsg (socket, &message, MSG_NOSIGNAL) >= 0)
    return 0;
  int code = errno;
  return tare_error_set (error, TARE_ERROR_SYSTEM, -code, "send to the pidfd socket: %s",
                         strerror (code));
}
