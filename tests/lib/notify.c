/* Both ends of what a supervisor passes in.
 * notify send TEXT           to $NOTIFY_SOCKET, as a program in a container does
 * notify listen SOCKET LOG   a supervisor: a line of LOG for each datagram, with the number of
 *                            descriptors that came; these are closed, as the end of a barrier asks
 * notify pidfd SOCKET LOG    waits for one connection and its descriptor, and writes down of which
 *                            process it is a pidfd */
#define _GNU_SOURCE
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static void
check (int good, const char *what)
{
  if (good)
    return;
  perror (what);
  exit (1);
}

static struct sockaddr_un
address_of (const char *path)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  check ((size_t) snprintf (address.sun_path, sizeof address.sun_path, "%s", path)
             < sizeof address.sun_path,
         path);
  return address;
}

static int
bind_to (const char *path, int type)
{
  char new_path[sizeof ((struct sockaddr_un *) 0)->sun_path];
  (void) snprintf (new_path, sizeof new_path, "%s.new", path);
  struct sockaddr_un address = address_of (new_path);
  int fd = socket (AF_UNIX, type | SOCK_CLOEXEC, 0);
  check (bind (fd, (struct sockaddr *) &address, sizeof address) == 0, "bind");
  check (type == SOCK_DGRAM || listen (fd, 1) == 0, "listen");
  check (rename (new_path, path) == 0, "rename");
  return fd;
}

/* The text, and the first descriptor; how many came. */
static int
receive (int fd, char *text, size_t size, int *ret_fd)
{
  union
  {
    struct cmsghdr header;
    char bytes[CMSG_SPACE (8 * sizeof (int))];
  } control;
  struct iovec part = { text, size - 1 };
  struct msghdr message = { .msg_iov = &part,
                            .msg_iovlen = 1,
                            .msg_control = control.bytes,
                            .msg_controllen = sizeof control.bytes };
  ssize_t length = recvmsg (fd, &message, MSG_CMSG_CLOEXEC);
  check (length >= 0, "recvmsg");
  text[length] = '\0';
  struct cmsghdr *header = CMSG_FIRSTHDR (&message);
  if (header == NULL || header->cmsg_type != SCM_RIGHTS)
    return 0;
  memcpy (ret_fd, CMSG_DATA (header), sizeof *ret_fd);
  return (int) ((header->cmsg_len - CMSG_LEN (0)) / sizeof (int));
}

static int
send_text (const char *text)
{
  const char *path = getenv ("NOTIFY_SOCKET");
  check (path != NULL, "NOTIFY_SOCKET");
  struct sockaddr_un address = address_of (path);
  int fd = socket (AF_UNIX, SOCK_DGRAM, 0);
  check (sendto (fd, text, strlen (text), 0, (struct sockaddr *) &address, sizeof address) >= 0,
         path);
  return 0;
}

static void
supervise (const char *path, FILE *log)
{
  int fd = bind_to (path, SOCK_DGRAM);
  for (;;)
    {
      char text[4096];
      int got = -1, count = receive (fd, text, sizeof text, &got);
      for (char *c = text; (c = strchr (c, '\n')) != NULL;)
        *c = ' ';
      fprintf (log, "%s, %d descriptors\n", text, count);
      if (got >= 0)
        (void) close (got);
    }
}

static int
take_pidfd (const char *path, FILE *log)
{
  char text[4096], line[256];
  int got = -1, peer = accept (bind_to (path, SOCK_STREAM), NULL, NULL);
  check (peer >= 0, "accept");
  check (receive (peer, text, sizeof text, &got) == 1, "descriptors");
  (void) snprintf (text, sizeof text, "/proc/self/fdinfo/%d", got);
  FILE *info = fopen (text, "re");
  check (info != NULL, text);
  while (fgets (line, sizeof line, info) != NULL)
    if (strncmp (line, "Pid:", 4) == 0)
      fprintf (log, "%d\n", atoi (line + 4));
  return 0;
}

int
main (int argc, char **argv)
{
  if (argc == 3 && strcmp (argv[1], "send") == 0)
    return send_text (argv[2]);
  if (argc != 4)
    return 2;
  FILE *log = fopen (argv[3], "ae");
  check (log != NULL, argv[3]);
  setvbuf (log, NULL, _IOLBF, 0);
  if (strcmp (argv[1], "pidfd") == 0)
    return take_pidfd (argv[2], log);
  supervise (argv[2], log);
  return 0;
}
