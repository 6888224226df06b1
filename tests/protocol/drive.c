/* The host side, as little of it as a test of tare-init needs. */
#include "tests/protocol/drive.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/credentials.h"
#include "sys/file.h"
#include "sys/process.h"
#include "sys/socket.h"

const char *
drive_init_path (bool faults)
{
  static char *found[2]; /* absolute: a test may change its directory */
  char path[4096];
  const char *given = getenv (faults ? "TARE_INIT_FAULTS" : "TARE_INIT");
  const char *build = getenv ("top_builddir");
  snprintf (path, sizeof path, "%s/%s", build != NULL ? build : ".",
            faults ? "tests/tare-init-faults" : "tare-init");
  if (found[faults] == NULL)
    found[faults] = realpath (given != NULL ? given : path, NULL);
  return found[faults];
}

/* ---- the process --------------------------------------------------------------------------- */

static int
raise_all (void)
{
  struct sys_capabilities capabilities;
  int r = sys_capget (&capabilities);
  capabilities.inheritable = capabilities.permitted;
  if (r == 0)
    r = sys_capset (&capabilities);
  for (unsigned i = 0; r == 0 && i < 64; i++)
    if ((capabilities.permitted & 1ULL << i) != 0)
      r = sys_ambient_raise (i);
  return r;
}

static _Noreturn void
child (const struct drive *drive, int image, int socket, int output)
{
  char number[16], name[] = "tare-init", fault[128];
  char *argv[] = { name, number, NULL }, *envp[] = { NULL, NULL };
  snprintf (number, sizeof number, "%d", socket);
  if (drive->fault != NULL)
    {
      snprintf (fault, sizeof fault, "TARE_FAULT=%s", drive->fault);
      envp[0] = fault;
    }
  dup2 (output, 1);
  dup2 (output, 2);
  sys_set_cloexec (socket, false);
  if ((drive->root.clone_flags & CLONE_NEWUSER) == 0 || raise_all () == 0)
    sys_execveat (image, "", argv, envp, AT_EMPTY_PATH);
  _exit (111);
}

static int
send_plan (struct drive *drive, int plan, int start)
{
  int fds[PLAN_FD_COUNT + PLAN_MAX_NAMESPACES];
  fds[PLAN_FD_PLAN] = plan;
  fds[PLAN_FD_PROGRESS] = drive->progress_fd;
  fds[PLAN_FD_START] = drive->root.kind == PLAN_EXEC ? drive->container : start;
  for (size_t i = 0; i < drive->n_joins; i++)
    fds[PLAN_FD_COUNT + i] = drive->join_fds[i];
  return channel_send (&drive->channel, MESSAGE_PLAN, 0, fds, PLAN_FD_COUNT + drive->n_joins,
                       &drive->error);
}

static int
map_progress (struct drive *drive)
{
  int r = 0;
  drive->progress_fd = sys_memfd ("progress", false);
  if (drive->progress_fd < 0 || sys_truncate (drive->progress_fd, sizeof *drive->progress) < 0)
    drive_die ("progress");
  drive->progress = sys_map (drive->progress_fd, sizeof *drive->progress, true, &r);
  return r;
}

static void
limit_waiting (const struct drive *drive, int fd)
{
  struct timeval limit = { .tv_sec = drive->timeout / 1000,
                           .tv_usec = drive->timeout % 1000 * 1000 };
  (void) setsockopt (fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
}

/* Held by who can reach it: an ordinary user may have no way into the build tree. */
static int held_init = -EBADF;

void
drive_hold_init (void)
{
  const char *path = drive_init_path (false);
  held_init = path != NULL ? open (path, O_PATH | O_CLOEXEC) : -EBADF;
}

static int
open_init (const struct drive *drive)
{
  if (held_init >= 0 && drive->fault == NULL)
    return fcntl (held_init, F_DUPFD_CLOEXEC, 0);
  const char *path = drive_init_path (drive->fault != NULL);
  return path != NULL ? open (path, O_PATH | O_CLOEXEC) : -EBADF;
}

int
drive_spawn (struct drive *drive)
{
  int pair[2], out[2];
  autoclose int directory = open (drive->directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
  autoclose int start = sys_socket_bind (directory, "start", SOCK_SEQPACKET);
  autoclose int image = open_init (drive);
  autoclose int plan = drive_plan (drive);
  if (start < 0 || image < 0 || map_progress (drive) < 0 || sys_socketpair (pair) < 0
      || pipe2 (out, O_CLOEXEC) < 0)
    drive_die ("spawn");
  if (plan < 0)
    return plan;
  sigset_t mask;
  struct sys_clone clone = { .flags = drive->root.clone_flags | CLONE_CLEAR_SIGHAND,
                             .pidfd = &drive->pidfd,
                             .cgroup = -EBADF,
                             .exit_signal = SIGCHLD };
  fflush (stdout);
  sys_block_signals (&mask);
  drive->pid = sys_clone3 (&clone);
  if (drive->pid == 0)
    child (drive, image, pair[1], out[1]);
  sys_set_signal_mask (&mask);
  close (pair[1]);
  close (out[1]);
  if (drive->pid < 0)
    drive_die ("clone3");
  drive->alive = true;
  drive->output_fd = out[0];
  drive->channel = (struct channel){ .fd = pair[0], .side = MESSAGE_TO_INIT };
  limit_waiting (drive, pair[0]);
  return send_plan (drive, plan, start);
}

static int
write_proc (struct drive *drive, const char *name, const char *text)
{
  char path[64];
  snprintf (path, sizeof path, "/proc/%d/%s", drive->pid, name);
  autoclose int fd = open (path, O_WRONLY | O_CLOEXEC);
  int r = fd < 0 ? -errno : sys_write_once (fd, text);
  return r < 0 ? fail (&drive->error, r, "write %s", path) : 0;
}

/* Where init is gone already, its last word says why. */
static int
say (struct drive *drive, enum message type)
{
  bool brings = (type == MESSAGE_RULES && (drive->root.flags & PLAN_SECCOMP) != 0)
                || (type == MESSAGE_NETWORK && drive->network > 0);
  const int *fd = type == MESSAGE_NETWORK ? &drive->network : &drive->filter;
  int r = channel_send (&drive->channel, type, 0, fd, brings ? 1 : 0, &drive->error);
  return r != -EPIPE ? r : channel_receive (&drive->channel, MESSAGE_NONE, NULL, &drive->error);
}

static int
sync_with (struct drive *drive, enum message receive, enum message send)
{
  int r = channel_receive (&drive->channel, receive, NULL, &drive->error);
  return r < 0 || send == MESSAGE_NONE ? r : say (drive, send);
}

static int
map_user (struct drive *drive)
{
  int r = sync_with (drive, MESSAGE_USER_NAMESPACE, MESSAGE_NONE);
  if (r >= 0 && (drive->root.flags & PLAN_SETGROUPS_DENIED) != 0)
    r = write_proc (drive, "setgroups", "deny");
  if (r >= 0)
    r = write_proc (drive, "uid_map", drive->user_map);
  if (r >= 0)
    r = write_proc (drive, "gid_map", drive->user_map);
  return r < 0 ? r : say (drive, MESSAGE_MAPPED);
}

static int
follow_fork (struct drive *drive)
{
  struct received received;
  int status, r = channel_receive (&drive->channel, MESSAGE_FORKED, &received, &drive->error);
  if (r < 0)
    return r;
  sys_pidfd_wait (drive->pidfd, &status);
  close_fd (&drive->pidfd);
  drive->pid = (pid_t) received.value;
  drive->pidfd = received.fds[0];
  return status == 0 ? 0 : fail (&drive->error, EPROTO, "the stage ended with %#x", status);
}

static int
take_network (struct drive *drive)
{
  struct received received;
  int r = channel_receive (&drive->channel, MESSAGE_NETWORK_NAMESPACE, &received, &drive->error);
  for (size_t i = 0; r >= 0 && i < received.n_fds; i++)
    close_fd (&received.fds[i]);
  return r < 0 || received.n_fds == 1 ? r : fail (&drive->error, EPROTO, "no socket");
}

int
drive_create (struct drive *drive)
{
  uint64_t flags = drive->root.flags;
  int r = 0;
  if ((drive->root.clone_flags & CLONE_NEWUSER) != 0 || (flags & PLAN_UNSHARE_USER) != 0)
    r = map_user (drive);
  if (r >= 0 && (flags & PLAN_TIME_OFFSETS) != 0)
    {
      r = sync_with (drive, MESSAGE_TIME_NAMESPACE, MESSAGE_NONE);
      if (r >= 0)
        r = write_proc (drive, "timens_offsets", drive->offsets);
      if (r >= 0)
        r = say (drive, MESSAGE_OFFSETS);
    }
  if (r >= 0 && (flags & PLAN_NET_DEVICES) != 0)
    r = take_network (drive);
  if (r >= 0 && (flags & PLAN_FORK) != 0)
    r = follow_fork (drive);
  if (r >= 0)
    r = say (drive, MESSAGE_GO);
  if (r >= 0 && (flags & PLAN_HOST_NETWORK) != 0)
    r = say (drive, MESSAGE_NETWORK);
  if (r >= 0)
    r = sync_with (drive, MESSAGE_ROOTFS_READY, MESSAGE_NONE);
  if (r >= 0 && (flags & PLAN_HOST_FIRST) != 0)
    r = say (drive, MESSAGE_HOOKS_DONE);
  if (r >= 0)
    r = say (drive, MESSAGE_RULES);
  return r < 0 ? r : sync_with (drive, MESSAGE_READY, MESSAGE_RUN);
}

int
drive_connect (struct drive *drive)
{
  char path[128];
  snprintf (path, sizeof path, "%s/start", drive->directory);
  return sys_socket_connect (AT_FDCWD, path, SOCK_SEQPACKET);
}

int
drive_start (struct drive *drive)
{
  char byte;
  struct channel start = { .side = MESSAGE_TO_INIT };
  autoclose int fd = drive_connect (drive);
  start.fd = fd;
  if (fd < 0)
    return fail (&drive->error, fd, "connect");
  limit_waiting (drive, fd);
  int r = channel_send (&start, MESSAGE_START, 0, NULL, 0, &drive->error);
  if (r >= 0)
    r = channel_receive (&start, MESSAGE_EXECUTING, NULL, &drive->error);
  if (r < 0)
    return r;
  /* The end of file now says that exec worked; a datagram is init's error. */
  if (recv (fd, &byte, 1, MSG_PEEK) == 0)
    return 0;
  return channel_receive (&start, MESSAGE_NONE, NULL, &drive->error);
}

static void
read_output (struct drive *drive)
{
  size_t length = 0;
  struct pollfd wait = { .fd = drive->output_fd, .events = POLLIN };
  while (length < sizeof drive->output - 1 && poll (&wait, 1, 10000) > 0)
    {
      ssize_t n =
          read (drive->output_fd, drive->output + length, sizeof drive->output - 1 - length);
      if (n <= 0)
        break;
      length += (size_t) n;
    }
  drive->output[length] = '\0';
}

int
drive_wait (struct drive *drive)
{
  struct pollfd wait = { .fd = drive->pidfd, .events = POLLIN };
  read_output (drive);
  if (poll (&wait, 1, 10000) <= 0)
    return fail (&drive->error, ETIMEDOUT, "init did not end");
  drive->alive = false;
  return sys_pidfd_wait (drive->pidfd, &drive->status);
}

int
drive_run (struct drive *drive)
{
  int r = drive_spawn (drive);
  if (r >= 0)
    r = drive_create (drive);
  if (r >= 0)
    r = drive_start (drive);
  int waited = drive->alive ? drive_wait (drive) : 0;
  return r < 0 ? r : waited;
}

void
drive_end (struct drive *drive)
{
  if (drive->alive)
    {
      int status;
      sys_pidfd_send_signal (drive->pidfd, SIGKILL);
      sys_pidfd_wait (drive->pidfd, &status);
    }
  close_fd (&drive->pidfd);
  close_fd (&drive->output_fd);
  close_fd (&drive->progress_fd);
  close_fd (&drive->channel.fd);
  for (size_t i = 0; i < drive->n_joins; i++)
    close_fd (&drive->join_fds[i]);
  sys_unmap (drive->progress, sizeof *drive->progress);
  plan_builder_done (&drive->builder);
  drive_remove (drive);
}
