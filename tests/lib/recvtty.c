/* What a manager does with --console-socket: recvtty SOCKET NAME listens on SOCKET, writes what
 * came with the terminal to the file NAME, then relays: our input to the terminal, the terminal to
 * our output, until no process has it open. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static void
check (bool good, const char *what)
{
  if (good)
    return;
  perror (what);
  exit (1);
}

static int
accept_one (const char *path)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  check ((size_t) snprintf (address.sun_path, sizeof address.sun_path, "%s.new", path)
             < sizeof address.sun_path,
         path);
  check (bind (fd, (struct sockaddr *) &address, sizeof address) == 0, "bind");
  check (listen (fd, 1) == 0, "listen");
  /* Who waits for the name may connect as soon as it is there. */
  check (rename (address.sun_path, path) == 0, "rename");
  int peer = accept4 (fd, NULL, NULL, SOCK_CLOEXEC);
  check (peer >= 0, "accept");
  return peer;
}

static int
receive (int peer, const char *name_file)
{
  char name[256];
  union
  {
    struct cmsghdr header;
    char bytes[CMSG_SPACE (sizeof (int))];
  } control;
  struct iovec part = { name, sizeof name };
  struct msghdr message = { .msg_iov = &part,
                            .msg_iovlen = 1,
                            .msg_control = control.bytes,
                            .msg_controllen = sizeof control.bytes };
  ssize_t length = recvmsg (peer, &message, MSG_CMSG_CLOEXEC);
  check (length > 0, "recvmsg");
  struct cmsghdr *header = CMSG_FIRSTHDR (&message);
  check (header != NULL && header->cmsg_type == SCM_RIGHTS, "no descriptor");
  int fd;
  memcpy (&fd, CMSG_DATA (header), sizeof fd);
  int file = open (name_file, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  check (file >= 0 && write (file, name, (size_t) length) == length, name_file);
  return fd;
}

static bool
copy (int from, int to)
{
  char bytes[4096];
  ssize_t n = read (from, bytes, sizeof bytes);
  if (n < 0 && errno == EINTR)
    return true;
  for (ssize_t done = 0; done < n;)
    {
      ssize_t written = write (to, bytes + done, (size_t) (n - done));
      check (written > 0, "write");
      done += written;
    }
  return n > 0;
}

int
main (int argc, char **argv)
{
  if (argc != 3)
    return 2;
  int terminal = receive (accept_one (argv[1]), argv[2]);
  struct pollfd fds[] = { { terminal, POLLIN, 0 }, { STDIN_FILENO, POLLIN, 0 } };
  for (;;)
    {
      check (poll (fds, 2, -1) >= 0, "poll");
      if (fds[0].revents != 0 && !copy (terminal, STDOUT_FILENO))
        return 0;
      if (fds[1].revents != 0 && !copy (STDIN_FILENO, terminal))
        fds[1].fd = -1;
    }
}
