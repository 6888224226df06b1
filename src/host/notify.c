/* NOTIFY_SOCKET (sd_notify(3)): a directory of the container's own, seen inside, in which a socket
 * waits while somebody wants to know that the program is ready. The supervisor's own socket is
 * never given to a container: who could speak to it could name any process as the main one.
 */
#include "host/internal.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>

/* Bound anew: who did so before is not there any more. */
static int
bind_socket (int directory)
{
  int r = sys_unlinkat (directory, SPEC_NOTIFY_SOCKET, 0);
  autoclose int fd =
      r < 0 && r != -ENOENT ? r : sys_socket_bind (directory, SPEC_NOTIFY_SOCKET, SOCK_DGRAM);
  r = fd < 0 ? fd : sys_fchmodat (directory, SPEC_NOTIFY_SOCKET, 0777);
  return r < 0 ? r : take_fd (&fd);
}

/* Where the config has brought a socket of its own, that one is meant. */
static bool
is_wanted (const struct container *container)
{
  return container->options->notify && container->spec->config->process != NULL
         && !spec_has_variable (container->spec, "NOTIFY_SOCKET");
}

int
notify_make (struct container *container, struct tare_error *error)
{
  char link[64], path[PATH_MAX];
  if (!is_wanted (container))
    return 0;
  int r = sys_mkdirat (container->state.directory, STATE_NOTIFY, 0755);
  autoclose int directory = r < 0 ? r
                                  : sys_openat2 (container->state.directory, STATE_NOTIFY,
                                                 O_RDONLY | O_DIRECTORY, 0, RESOLVE_NO_SYMLINKS);
  r = directory < 0 ? directory : sys_fchmod (directory, 0755);
  if (r < 0)
    return fail (error, r, "make a directory for NOTIFY_SOCKET");
  (void) snprintf (link, sizeof link, "/proc/thread-self/fd/%d", directory);
  ssize_t length = sys_readlinkat (AT_FDCWD, link, path, sizeof path);
  if (length < 0)
    return fail (error, (int) length, "find the directory for NOTIFY_SOCKET");
  container->notify_directory = strdup (path);
  if (container->notify_directory == NULL)
    return fail (error, ENOMEM, "NOTIFY_SOCKET");
  if (container->options->start) /* else it is for who calls start */
    container->notify = bind_socket (directory);
  return container->options->start && container->notify < 0
             ? fail (error, container->notify, "bind the NOTIFY_SOCKET")
             : 0;
}

int
host_notify_socket (const struct host *host, const char *id, struct tare_process *ret_process,
                    struct tare_error *error)
{
  struct container container = CONTAINER_INIT (host, id);
  int r = container_open (&container, false, CGROUP_TO_FREEZE, error);
  autoclose int directory =
      r < 0 ? -EBADF
            : sys_openat2 (container.state.directory, STATE_NOTIFY, O_RDONLY | O_DIRECTORY, 0,
                           RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
  if (r >= 0 && directory < 0)
    r = fail (error, directory, "container `%s` has no NOTIFY_SOCKET", id);
  autoclose int pidfd = r < 0 ? -EBADF : state_pidfd (&container.state, error);
  if (r >= 0)
    r = pidfd;
  autoclose int fd = r < 0 ? -EBADF : bind_socket (directory);
  if (r >= 0 && fd < 0)
    r = fail (error, fd, "bind the NOTIFY_SOCKET of container `%s`", id);
  if (r >= 0)
    *ret_process = (struct tare_process){
      .pid = container.state.record->pid,
      .pidfd = take_fd (&pidfd),
      .terminal = -1,
      .notify = take_fd (&fd),
    };
  container_done (&container);
  return r < 0 ? r : 0;
}
