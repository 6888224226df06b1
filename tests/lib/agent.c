/* A seccomp agent: agent SOCKET LOG ERRNO listens on SOCKET and answers whatever the filters ask
 * whose listeners come in: ERRNO 0 lets the call go on, another number makes it fail. To LOG goes a
 * line for each connection, "state " and the container process state, how many descriptors came
 * with it and whether the connection was closed after it; and one for each question: "call NUMBER".
 * Ends with the last writer of its standard input. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#ifndef SECCOMP_USER_NOTIF_FLAG_CONTINUE
#define SECCOMP_USER_NOTIF_FLAG_CONTINUE 1UL
#endif

enum
{
  FIRST = 2, /* after standard input and the socket */
  MOST = 64,
};

static void
check (bool good, const char *what)
{
  if (good)
    return;
  perror (what);
  exit (1);
}

static int
listen_on (const char *path)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  check ((size_t) snprintf (address.sun_path, sizeof address.sun_path, "%s.new", path)
             < sizeof address.sun_path,
         path);
  check (bind (fd, (struct sockaddr *) &address, sizeof address) == 0, "bind");
  check (listen (fd, 8) == 0, "listen");
  check (rename (address.sun_path, path) == 0, "rename");
  return fd;
}

/* The state, its descriptors and the end of the connection. Returns the listener, or -1. */
static int
receive (int peer, FILE *log)
{
  static char text[1 << 20];
  int fds[8], listener = -1, count = 0;
  union
  {
    struct cmsghdr header;
    char bytes[CMSG_SPACE (sizeof fds)];
  } control;
  struct iovec part = { text, sizeof text - 1 };
  struct msghdr message = { .msg_iov = &part,
                            .msg_iovlen = 1,
                            .msg_control = control.bytes,
                            .msg_controllen = sizeof control.bytes };
  ssize_t length = recvmsg (peer, &message, MSG_CMSG_CLOEXEC);
  if (length <= 0) /* it came to nothing */
    return -1;
  struct cmsghdr *header = CMSG_FIRSTHDR (&message);
  if (header != NULL && header->cmsg_type == SCM_RIGHTS)
    {
      count = (int) ((header->cmsg_len - CMSG_LEN (0)) / sizeof (int));
      memcpy (fds, CMSG_DATA (header), (size_t) count * sizeof (int));
      listener = fds[0];
    }
  for (ssize_t n; (n = read (peer, text + length, sizeof text - 1 - (size_t) length)) > 0;)
    length += n;
  fprintf (log, "state %.*s\ndescriptors %d\n", (int) length, text, count);
  return listener;
}

static void
answer (int listener, int code, FILE *log)
{
  struct seccomp_notif question = { 0 };
  struct seccomp_notif_resp response = { 0 };
  if (ioctl (listener, SECCOMP_IOCTL_NOTIF_RECV, &question) < 0)
    return; /* it was killed meanwhile */
  fprintf (log, "call %d\n", question.data.nr);
  response.id = question.id;
  response.error = -code;
  response.flags = code == 0 ? SECCOMP_USER_NOTIF_FLAG_CONTINUE : 0;
  (void) ioctl (listener, SECCOMP_IOCTL_NOTIF_SEND, &response);
}

static void
take (struct pollfd *fds, size_t *count, FILE *log)
{
  int peer = accept4 (fds[1].fd, NULL, NULL, SOCK_CLOEXEC);
  check (peer >= 0, "accept");
  int listener = receive (peer, log);
  (void) close (peer);
  if (listener >= 0 && *count < MOST)
    fds[(*count)++] = (struct pollfd){ listener, POLLIN, 0 };
}

int
main (int argc, char **argv)
{
  if (argc != 4)
    return 2;
  struct pollfd fds[MOST] = { { STDIN_FILENO, POLLIN, 0 }, { -1, POLLIN, 0 } };
  size_t count = FIRST;
  FILE *log = fopen (argv[2], "ae");
  check (log != NULL, argv[2]);
  setvbuf (log, NULL, _IOLBF, 0);
  fds[1].fd = listen_on (argv[1]);
  while (fds[0].revents == 0)
    {
      check (poll (fds, count, -1) >= 0, "poll");
      for (size_t i = FIRST; i < count; i++)
        if ((fds[i].revents & POLLIN) != 0)
          answer (fds[i].fd, atoi (argv[3]), log);
        else if (fds[i].revents != 0)
          {
            (void) close (fds[i].fd);
            fds[i].fd = -1;
          }
      if (fds[1].revents != 0)
        take (fds, &count, log);
    }
  return 0;
}
