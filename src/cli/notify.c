/* NOTIFY_SOCKET (sd_notify(3)): between the container's program, which has a socket of its own, and
 * whoever supervises us. What is handed on is that it is ready, and nothing else that it says: not
 * which process to watch, not which files to keep.
 */
#define _GNU_SOURCE
#include "cli.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum
{
  MOST_BYTES = 4096, /* what is longer is cut, and was not meant for us */
  BARRIER_MILLISECONDS = 30000,
};

const char *
cli_notify_path (void)
{
  const char *path = getenv ("NOTIFY_SOCKET");
  return path != NULL && *path != '\0' ? path : NULL;
}

/* As sd_listen_fds(3) has it; but where nobody has said whose they are, they are ours. */
uint32_t
cli_listen_fds (void)
{
  const char *count = getenv ("LISTEN_FDS"), *pid = getenv ("LISTEN_PID");
  uint32_t number = 0, owner = 0;
  if (count == NULL || cli_number (count, INT32_MAX, &number) < 0)
    return 0;
  if (pid != NULL && (cli_number (pid, INT32_MAX, &owner) < 0 || owner != (uint32_t) getpid ()))
    return 0;
  return number;
}

/* ---- to the supervisor ----------------------------------------------------------------------- */

static int
supervisor_error (struct tare_error *error)
{
  int code = errno;
  return tare_error_set (error, TARE_ERROR_SYSTEM, -code, "NOTIFY_SOCKET '%s': %s",
                         cli_notify_path (), strerror (code));
}

/* "@": in the abstract name space. */
static int
connect_supervisor (struct tare_error *error)
{
  const char *path = cli_notify_path ();
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  size_t length = strlen (path);
  if (length >= sizeof address.sun_path || (*path != '/' && *path != '@'))
    return tare_error_set (error, TARE_ERROR_USAGE, -EINVAL,
                           "NOTIFY_SOCKET '%s': is neither an absolute path nor '@' and a name, of "
                           "at most %zu bytes",
                           path, sizeof address.sun_path - 1);
  memcpy (address.sun_path, path, length);
  if (*path == '@')
    address.sun_path[0] = '\0';
  socklen_t size = (socklen_t) (offsetof (struct sockaddr_un, sun_path) + length);
  int fd = socket (AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd >= 0 && connect (fd, (struct sockaddr *) &address, size) == 0)
    return fd;
  int r = supervisor_error (error);
  if (fd >= 0)
    (void) close (fd);
  return r;
}

static int
send_to_supervisor (const char *text, int fd, struct tare_error *error)
{
  union
  {
    struct cmsghdr header;
    char bytes[CMSG_SPACE (sizeof fd)];
  } control = { .bytes = { 0 } };
  struct iovec part = { (void *) (uintptr_t) text, strlen (text) };
  struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };
  if (fd >= 0)
    {
      message.msg_control = control.bytes;
      message.msg_controllen = sizeof control.bytes;
      struct cmsghdr *header = CMSG_FIRSTHDR (&message);
      header->cmsg_level = SOL_SOCKET;
      header->cmsg_type = SCM_RIGHTS;
      header->cmsg_len = CMSG_LEN (sizeof fd);
      memcpy (CMSG_DATA (header), &fd, sizeof fd);
    }
  int to = connect_supervisor (error);
  if (to < 0)
    return to;
  int r = sendmsg (to, &message, MSG_NOSIGNAL) < 0 ? supervisor_error (error) : 0;
  (void) close (to);
  return r;
}

int
cli_notify_check (struct tare_error *error)
{
  if (cli_notify_path () == NULL)
    return 0;
  int fd = connect_supervisor (error);
  if (fd < 0)
    return fd;
  (void) close (fd);
  return 0;
}

/* The supervisor closes the descriptor once it has seen to all that came before: only then may who
 * sent that come to an end. */
static int
wait_for_supervisor (struct tare_error *error)
{
  int pair[2];
  if (pipe2 (pair, O_CLOEXEC) < 0)
    return cli_system_error (error, "pipe");
  int r = send_to_supervisor ("BARRIER=1", pair[1], error);
  (void) close (pair[1]);
  struct pollfd end = { .fd = pair[0] };
  if (r >= 0)
    (void) poll (&end, 1, BARRIER_MILLISECONDS);
  (void) close (pair[0]);
  return r;
}

/* ---- from the container ---------------------------------------------------------------------- */

/* A line of the datagram. */
static bool
says_ready (const char *bytes, size_t length)
{
  static const char ready[] = "READY=1";
  while (length > 0)
    {
      const char *end = memchr (bytes, '\n', length);
      size_t line = end != NULL ? (size_t) (end - bytes) : length;
      if (line == sizeof ready - 1 && memcmp (bytes, ready, line) == 0)
        return true;
      if (end == NULL)
        return false;
      bytes += line + 1;
      length -= line + 1;
    }
  return false;
}

/* Descriptors that come with it are dropped by the kernel: there is no room for them. */
static bool
is_ready (int notify)
{
  char bytes[MOST_BYTES];
  for (;;)
    {
      ssize_t n = recv (notify, bytes, sizeof bytes, MSG_DONTWAIT);
      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        return false;
      if (says_ready (bytes, (size_t) n))
        return true;
    }
}

int
cli_notify_relay (struct tare_process *process, struct tare_error *error)
{
  if (process->notify < 0 || !is_ready (process->notify))
    return 0;
  (void) close (process->notify);
  process->notify = -1;
  return send_to_supervisor ("READY=1\n", -1, error);
}

int
cli_notify_wait (struct tare_process *process, struct tare_error *error)
{
  char text[32];
  int r = 0;
  if (process->notify < 0)
    return 0;
  while (r >= 0 && process->notify >= 0)
    {
      struct pollfd fds[] = { { process->notify, POLLIN, 0 }, { process->pidfd, POLLIN, 0 } };
      if (poll (fds, COUNT_OF (fds), -1) < 0 && errno != EINTR)
        return cli_system_error (error, "poll");
      r = cli_notify_relay (process, error);
      if ((fds[1].revents & POLLIN) != 0 && process->notify >= 0)
        return r; /* it has ended, and was never ready */
    }
  (void) snprintf (text, sizeof text, "MAINPID=%d\n", (int) process->pid);
  if (r >= 0)
    r = send_to_supervisor (text, -1, error);
  return r < 0 ? r : wait_for_supervisor (error);
}
