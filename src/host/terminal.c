/* Where a terminal, or a pidfd, goes: to the unix socket that the caller named (--console-socket),
 * or back to the caller itself. Serves config.md "Process" (terminal). */
#include "host/internal.h"

#include <stdio.h>
#include <sys/socket.h>

int
terminal_connect (const char *path, struct tare_error *error)
{
  int fd = sys_socket_connect (AT_FDCWD, path, SOCK_STREAM);
  return fd < 0 ? fail (error, fd, "connect to the console socket '%s'", path) : fd;
}

/* With its name inside the container, for whom it may concern. */
int
terminal_send (int socket, int master, uint64_t number, struct tare_error *error)
{
  char name[32];
  int length = snprintf (name, sizeof name, "/dev/pts/%llu", (unsigned long long) number);
  int r = sys_send (socket, name, (size_t) length, NULL, 0, &master, 1);
  return r < 0 ? fail (error, r, "send the terminal to the console socket") : 0;
}

/* run.oci.pidfd_receiver: who is to get a pidfd of the container's init. */
int
pidfd_send (struct container *container, struct tare_error *error)
{
  const char *path = spec_annotation (container->spec, "run.oci.pidfd_receiver");
  if (path == NULL || *path == '\0')
    return 0;
  autoclose int socket = sys_socket_connect (AT_FDCWD, path, SOCK_STREAM);
  int r = socket < 0 ? socket : sys_send (socket, "", 1, NULL, 0, &container->pidfd, 1);
  return r < 0 ? fail (error, r, "annotations.run.oci.pidfd_receiver: send the pidfd to '%s'", path)
               : 0;
}

/* Before anything is made: a terminal that nobody takes would be one that nobody reads. */
int
row_console (struct container *container, struct received *received, struct tare_error *error)
{
  (void) received;
  const struct oci_process *process = container->spec->config->process;
  bool terminal = process != NULL && process->terminal;
  if (!terminal && container->console_socket != NULL)
    return fail_kind (error, TARE_ERROR_USAGE, EINVAL,
                      "cannot use console socket if tare will not allocate tty: process.terminal "
                      "is false");
  if (terminal && container->console_socket == NULL && !container->want_terminal)
    return fail_kind (error, TARE_ERROR_USAGE, EINVAL,
                      "cannot allocate tty if tare will detach without setting console socket: "
                      "use --console-socket with create when a terminal is used");
  if (container->console_socket == NULL)
    return 0;
  int fd = terminal_connect (container->console_socket, error);
  if (fd < 0)
    return fd;
  container->console = fd;
  return 0;
}

bool
row_has_terminal (const struct container *container)
{
  return container_plan_flag (container, PLAN_TERMINAL);
}

int
row_take_terminal (struct container *container, struct received *received, struct tare_error *error)
{
  if (received->n_fds != 1)
    return fail_kind (error, TARE_ERROR_PROTOCOL, EPROTO, "TERMINAL without a terminal");
  container->terminal = take_fd (&received->fds[0]);
  if (container->console < 0)
    return 0;
  int r = terminal_send (container->console, container->terminal, received->value, error);
  close_fd (&container->console);
  close_fd (&container->terminal);
  return r;
}
