/* Standing for a process of a container: its signals are forwarded to it by pidfd, its end is ours,
 * with its status. What run and an attached exec have in common.
 */
#define _GNU_SOURCE
#include "cli.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Sets of signals as the kernel has them: in those of a C library the two or three are missing that
 * it keeps for itself, and a container may use them. */
#define SIGNAL_BIT(signal) (UINT64_C (1) << ((signal) -1))

/* Not for the container, nor for us: the kernel's default does what is right. Job control is to
 * stop and continue us; but not with a terminal in raw mode, see stop (). */
static const uint64_t kept_signals = SIGNAL_BIT (SIGURG) | SIGNAL_BIT (SIGTSTP)
                                     | SIGNAL_BIT (SIGTTIN) | SIGNAL_BIT (SIGTTOU)
                                     | SIGNAL_BIT (SIGCONT);

/* Whoever waits for us, or for the container, has had enough. */
static const uint64_t ending_signals =
    SIGNAL_BIT (SIGINT) | SIGNAL_BIT (SIGTERM) | SIGNAL_BIT (SIGHUP) | SIGNAL_BIT (SIGQUIT);

static int
open_signalfd (int fd, uint64_t set)
{
  return (int) syscall (SYS_signalfd4, fd, &set, sizeof set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static int
block_signals (uint64_t set)
{
  return (int) syscall (SYS_rt_sigprocmask, SIG_BLOCK, &set, NULL, sizeof set);
}

int
cli_open_signals (struct tare_error *error)
{
  int fd = open_signalfd (-1, ~kept_signals);
  if (fd < 0)
    return cli_system_error (error, "signalfd");
  if (block_signals (~kept_signals) == 0)
    return fd;
  int r = cli_system_error (error, "sigprocmask");
  (void) close (fd);
  return r;
}

int
cli_open_cancel (struct tare_error *error)
{
  int fd = open_signalfd (-1, ending_signals);
  return fd < 0 ? cli_system_error (error, "signalfd") : fd;
}

/* As SIGTSTP would have it, with our terminal as it was found; then on. */
static void
stop (struct cli_terminal *terminal)
{
  bool raw = terminal->raw;
  cli_terminal_restore (terminal);
  (void) raise (SIGSTOP);
  if (raw)
    cli_terminal_make_raw (terminal);
  cli_terminal_resize (terminal);
}

/* Those of ours alone are seen to, the others are forwarded. Returns how many those were that ask
 * for an end. */
static int
take_signals (int signals, int pidfd, struct cli_terminal *terminal)
{
  struct signalfd_siginfo info;
  int ends = 0;
  while (read (signals, &info, sizeof info) == (ssize_t) sizeof info)
    switch (info.ssi_signo)
      {
      case SIGCHLD:
        break;
      case SIGWINCH:
        if (terminal->master >= 0)
          cli_terminal_resize (terminal);
        break;
      case SIGTSTP:
        stop (terminal);
        break;
      default: /* that it has just ended is no error */
        ends += (ending_signals & SIGNAL_BIT (info.ssi_signo)) != 0;
        (void) syscall (SYS_pidfd_send_signal, pidfd, (int) info.ssi_signo, NULL, 0);
      }
  return ends;
}

/* Reaps all that have ended. 1 and *ret_status once init is among them. __WALL: init may be a
 * child that ends with no signal. */
static int
reap (pid_t init, int *ret_status)
{
  int status, found = 0;
  pid_t pid;
  while ((pid = waitpid (-1, &status, WNOHANG | __WALL)) > 0)
    if (pid == init)
      {
        *ret_status = status;
        found = 1;
      }
  return found;
}

/* A process that has ended is not ours yet while somebody who traces it has not let go of it:
 * waited for. -ECHILD: somebody took its status. */
static int
reap_ended (pid_t init, int *ret_status)
{
  pid_t pid;
  while ((pid = waitpid (init, ret_status, __WALL)) < 0 && errno == EINTR)
    ;
  return pid < 0 ? -errno : 0;
}

static int
exit_status (int status)
{
  return WIFSIGNALED (status) ? 128 + WTERMSIG (status) : WEXITSTATUS (status);
}

/* With a terminal in raw mode, a stop from outside has to restore it first. */
static int
catch_stops (int signals, struct tare_error *error)
{
  uint64_t stop_signal = SIGNAL_BIT (SIGTSTP);
  if (block_signals (stop_signal) < 0 || open_signalfd (signals, ~kept_signals | stop_signal) < 0)
    return cli_system_error (error, "signals");
  return 0;
}

/* The process has ended; what it wrote has not yet all been read. Whoever does not want to wait for
 * a reader that has gone to sleep asks us to end. */
static int
drain (int signals, int pidfd, struct cli_terminal *terminal, struct tare_error *error)
{
  struct pollfd fds[1 + CLI_TERMINAL_FDS] = { { signals, POLLIN, 0 } };
  while (!cli_terminal_is_drained (terminal))
    {
      (void) cli_terminal_watch (terminal, fds + 1);
      fds[2].fd = -1; /* read without waiting: no more is to come */
      if (poll (fds, COUNT_OF (fds), -1) < 0 && errno != EINTR)
        return cli_system_error (error, "poll");
      if ((fds[0].revents & POLLIN) != 0 && take_signals (signals, pidfd, terminal) > 0)
        break;
      cli_terminal_relay (terminal, fds + 1);
    }
  return 0;
}

void
cli_close_process (struct tare_process *process)
{
  if (process->pidfd >= 0)
    (void) close (process->pidfd);
  if (process->notify >= 0)
    (void) close (process->notify);
  process->pidfd = process->notify = -1;
}

int
cli_wait (struct tare_process *process, int signals, struct cli_terminal *terminal,
          struct tare_error *error)
{
  struct pollfd fds[] = {
    { process->pidfd, POLLIN, 0 },
    { signals, POLLIN, 0 },
    { -1, POLLIN, 0 },
    [3 + CLI_TERMINAL_FDS - 1] = { .fd = -1 },
  };
  int status = 0, r = terminal->master >= 0 ? catch_stops (signals, error) : 0;
  bool ended = false;
  while (r >= 0 && !ended)
    {
      fds[2].fd = process->notify;
      int timeout = cli_terminal_watch (terminal, fds + 3);
      if (poll (fds, COUNT_OF (fds), timeout) < 0)
        {
          r = errno == EINTR ? 0 : cli_system_error (error, "poll");
          continue;
        }
      ended = (fds[0].revents & POLLIN) != 0;
      if ((fds[1].revents & POLLIN) != 0)
        (void) take_signals (signals, process->pidfd, terminal);
      if (fds[2].fd >= 0 && (fds[2].revents & POLLIN) != 0)
        (void) cli_notify_relay (process, NULL); /* no reason to end a container that runs */
      cli_terminal_relay (terminal, fds + 3);
      /* Others' children too: we may be the one who adopts them. */
      bool found = reap (process->pid, &status) > 0;
      if (ended && !found && reap_ended (process->pid, &status) < 0)
        r = tare_error_set (error, TARE_ERROR_SYSTEM, -ECHILD, "the status of process %d is lost",
                            (int) process->pid);
      ended = ended || found;
    }
  if (r >= 0)
    r = drain (signals, process->pidfd, terminal, error);
  return r < 0 ? r : exit_status (status);
}
