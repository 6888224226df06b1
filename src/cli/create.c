/* tare create: makes a container that waits for start. What it shares with run is here. */
#define _GNU_SOURCE
#include "cli.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* Ours are all close-on-exec, the caller's cannot be: so it is there, and it is the caller's. */
static int
check_preserved (uint32_t count, struct tare_error *error)
{
  for (uint32_t i = 0; i < count; i++)
    {
      int flags = i < INT32_MAX - 3 ? fcntl (3 + (int) i, F_GETFD) : -1;
      if (flags < 0 || (flags & FD_CLOEXEC) != 0)
        return tare_error_set (error, TARE_ERROR_USAGE, -EBADF,
                               "unable to stat preserved-fd %u (of %u): descriptor %u is not open",
                               i, count, i + 3);
    }
  return 0;
}

static int
connect_socket (const char *path, struct tare_error *error)
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
static int
send_descriptor (int socket, int fd, struct tare_error *error)
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

static int
create (struct cli *cli, const struct cli_create_options *options, const char *id,
        struct tare_process *ret_process, struct tare_error *error)
{
  const struct tare_create_options create = {
    .size = sizeof create,
    .bundle = options->bundle,
    .config = options->config,
    .pid_file = options->pid_file,
    .console_socket = options->console_socket,
    .stdio = { -1, -1, -1 },
    .preserve_fds = options->preserve_fds,
    .no_pivot = options->no_pivot,
    .no_new_keyring = options->no_new_keyring,
  };
  return tare_create (cli->context, id, &create, ret_process, error);
}

int
cli_create_container (struct cli *cli, const struct cli_create_options *options, const char *id,
                      struct tare_process *ret_process, struct tare_error *error)
{
  struct tare_process process = { 0, -1 };
  int socket = -1;
  int r = check_preserved (options->preserve_fds, error);
  if (r >= 0 && options->pidfd_socket != NULL)
    r = socket = connect_socket (options->pidfd_socket, error);
  if (r >= 0)
    r = create (cli, options, id, &process, error);
  if (r >= 0 && socket >= 0)
    {
      r = send_descriptor (socket, process.pidfd, error);
      if (r < 0)
        {
          (void) tare_delete (cli->context, id, TARE_DELETE_FORCE, NULL);
          (void) close (process.pidfd);
        }
    }
  if (socket >= 0)
    (void) close (socket);
  if (r >= 0)
    *ret_process = process;
  return r < 0 ? r : 0;
}

static int
run_create (struct cli *cli, const void *values, char **arguments, size_t count,
            struct tare_error *error)
{
  struct tare_process process;
  (void) count;
  int r = cli_create_container (cli, values, arguments[0], &process, error);
  if (r >= 0)
    (void) close (process.pidfd);
  return r;
}

static const struct cli_option options[] = {
  CLI_CREATE_OPTIONS,
  /* go-runc passes it to create as well, where it changes nothing */
  CLI_CREATE_OPTION ("detach", 'd', CLI_FLAG, NULL, detach, NULL),
  { 0 },
};

const struct cli_command cli_create = {
  .name = "create",
  .synopsis = "ID",
  .summary = "create a container, which then waits for start",
  .options = options,
  .options_size = sizeof (struct cli_create_options),
  .min = 1,
  .max = 1,
  .run = run_create,
};
