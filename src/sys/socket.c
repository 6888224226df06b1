/* unix(7) SOCK_SEQPACKET with SCM_RIGHTS. Says -errno and nothing else; what is in a datagram is
 * the business of plan/protocol. */
#include "sys/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"

union control
{
  char bytes[CMSG_SPACE (sizeof (int) * SYS_MAX_FDS)];
  struct cmsghdr align;
};

int
sys_socketpair (int ret_fds[2])
{
  return socketpair (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ret_fds) < 0 ? -errno : 0;
}

int
sys_send (int fd, const void *head, size_t head_length, const void *body, size_t body_length,
          const int *fds, size_t n_fds)
{
  struct iovec parts[2] = {
    { .iov_base = (void *) (uintptr_t) head, .iov_len = head_length },
    { .iov_base = (void *) (uintptr_t) body, .iov_len = body_length },
  };
  union control control;
  struct msghdr message = { .msg_iov = parts, .msg_iovlen = body_length > 0 ? 2 : 1 };
  if (n_fds > SYS_MAX_FDS)
    return -EMSGSIZE;
  if (n_fds > 0)
    {
      memset (&control, 0, sizeof control);
      message.msg_control = control.bytes;
      message.msg_controllen = CMSG_SPACE (sizeof (int) * n_fds);
      struct cmsghdr *rights = CMSG_FIRSTHDR (&message);
      rights->cmsg_level = SOL_SOCKET;
      rights->cmsg_type = SCM_RIGHTS;
      rights->cmsg_len = CMSG_LEN (sizeof (int) * n_fds);
      memcpy (CMSG_DATA (rights), fds, sizeof (int) * n_fds);
    }
  ssize_t sent;
  do
    sent = sendmsg (fd, &message, MSG_NOSIGNAL);
  while (sent < 0 && errno == EINTR);
  return sent < 0 ? -errno : 0;
}

/* Moves the descriptors of one control message out; what does not fit is closed and told by
 * -EMSGSIZE. */
static int
take_rights (const struct cmsghdr *rights, int *ret_fds, size_t max_fds, size_t *n_fds)
{
  size_t count = (rights->cmsg_len - CMSG_LEN (0)) / sizeof (int);
  int r = 0;
  for (size_t i = 0; i < count; i++)
    {
      int fd;
      memcpy (&fd, CMSG_DATA (rights) + i * sizeof fd, sizeof fd);
      if (*n_fds < max_fds)
        ret_fds[(*n_fds)++] = fd;
      else
        {
          (void) close (fd);
          r = -EMSGSIZE;
        }
    }
  return r;
}

ssize_t
sys_receive (int fd, void *buffer, size_t size, int *ret_fds, size_t max_fds, size_t *ret_n_fds)
{
  struct iovec part = { .iov_base = buffer, .iov_len = size };
  union control control;
  struct msghdr message = { .msg_iov = &part,
                            .msg_iovlen = 1,
                            .msg_control = control.bytes,
                            .msg_controllen = sizeof control.bytes };
  ssize_t length;
  do
    length = recvmsg (fd, &message, MSG_CMSG_CLOEXEC);
  while (length < 0 && errno == EINTR);
  if (length < 0)
    return -errno;
  int r = (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0 ? -EMSGSIZE : 0;
  size_t n = 0;
  for (struct cmsghdr *c = CMSG_FIRSTHDR (&message); c != NULL; c = CMSG_NXTHDR (&message, c))
    if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS
        && take_rights (c, ret_fds, max_fds, &n) < 0)
      r = -EMSGSIZE;
  for (size_t i = 0; r < 0 && i < n; i++)
    (void) close (ret_fds[i]);
  if (r < 0)
    return r;
  if (ret_n_fds != NULL)
    *ret_n_fds = n;
  return length;
}

/* sun_path holds 108 bytes: longer ones are reached through a descriptor of their directory. */
static int
address_of (int dirfd, const char *name, struct sockaddr_un *ret_address)
{
  *ret_address = (struct sockaddr_un){ .sun_family = AF_UNIX };
  int length = dirfd == AT_FDCWD
                   ? snprintf (ret_address->sun_path, sizeof ret_address->sun_path, "%s", name)
                   : snprintf (ret_address->sun_path, sizeof ret_address->sun_path,
                               "/proc/thread-self/fd/%d/%s", dirfd, name);
  return length < 0 || (size_t) length >= sizeof ret_address->sun_path ? -ENAMETOOLONG : 0;
}

int
sys_socket_bind (int dirfd, const char *name, int type)
{
  struct sockaddr_un address;
  int r = address_of (dirfd, name, &address);
  if (r < 0)
    return r;
  autoclose int fd = socket (AF_UNIX, type | SOCK_CLOEXEC, 0);
  if (fd < 0 || bind (fd, (struct sockaddr *) &address, sizeof address) < 0)
    return -errno;
  return take_fd (&fd);
}

int
sys_socket_listen (int fd, int backlog)
{
  return listen (fd, backlog) < 0 ? -errno : 0;
}

int
sys_socket_accept (int fd)
{
  int peer;
  do
    peer = accept4 (fd, NULL, NULL, SOCK_CLOEXEC);
  while (peer < 0 && (errno == EINTR || errno == ECONNABORTED));
  return peer < 0 ? -errno : peer;
}

int
sys_socket_connect (int dirfd, const char *name, int type)
{
  struct sockaddr_un address;
  autoclose int directory = -EBADF;
  const char *base = name;
  int r = address_of (dirfd, name, &address);
  if (r == -ENAMETOOLONG && dirfd == AT_FDCWD && (base = strrchr (name, '/')) != NULL)
    {
      char path[4096];
      if ((size_t) (base - name) >= sizeof path)
        return -ENAMETOOLONG;
      memcpy (path, name, (size_t) (base - name));
      path[base - name] = '\0';
      directory = open (path, O_PATH | O_DIRECTORY | O_CLOEXEC);
      if (directory < 0)
        return -errno;
      r = address_of (directory, base + 1, &address);
    }
  if (r < 0)
    return r;
  autoclose int fd = socket (AF_UNIX, type | SOCK_CLOEXEC, 0);
  if (fd < 0)
    return -errno;
  while (connect (fd, (struct sockaddr *) &address, sizeof address) < 0)
    if (errno != EINTR)
      return -errno;
  return take_fd (&fd);
}

int
sys_socket_peer_pid (int fd, pid_t *ret_pid)
{
  struct ucred peer;
  socklen_t length = sizeof peer;
  if (getsockopt (fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) < 0)
    return -errno;
  *ret_pid = peer.pid;
  return 0;
}
