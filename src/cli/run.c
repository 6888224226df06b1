/* tare run: create and start in one. Attached, it stands for the container's init: adopts its
 * orphans, forwards signals to it by pidfd, ends with its status, and deletes the container.
 */
#define _GNU_SOURCE
#include "cli.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Not for the container: its own children's, those about our terminal, and job control, which is to
 * stop and continue us. */
static const int kept_signals[] = { SIGWINCH, SIGURG, SIGTSTP, SIGTTIN, SIGTTOU, SIGCONT };

static int
system_error (struct tare_error *error, const char *what)
{
  int code = errno;
  return tare_error_set (error, TARE_ERROR_SYSTEM, -code, "%s: %s", what, strerror (code));
}

/* Blocks what is to be forwarded, and SIGCHLD; they come by the descriptor that is returned. */
static int
open_signals (sigset_t *ret_old, struct tare_error *error)
{
  sigset_t set;
  sigfillset (&set);
  for (size_t i = 0; i < COUNT_OF (kept_signals); i++)
    sigdelset (&set, kept_signals[i]);
  int fd = signalfd (-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  if (fd < 0)
    return system_error (error, "signalfd");
  if (sigprocmask (SIG_BLOCK, &set, ret_old) == 0)
    return fd;
  int r = system_error (error, "sigprocmask");
  (void) close (fd);
  return r;
}

static void
forward (int signals, int pidfd)
{
  struct signalfd_siginfo info;
  while (read (signals, &info, sizeof info) == (ssize_t) sizeof info)
    if (info.ssi_signo != SIGCHLD) /* that it has just ended is no error */
      (void) syscall (SYS_pidfd_send_signal, pidfd, (int) info.ssi_signo, NULL, 0);
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

static int
wait_for (const struct tare_process *process, int signals, struct tare_error *error)
{
  struct pollfd fds[] = { { process->pidfd, POLLIN, 0 }, { signals, POLLIN, 0 } };
  int status = 0;
  for (;;)
    {
      if (reap (process->pid, &status) > 0)
        return WIFSIGNALED (status) ? 128 + WTERMSIG (status) : WEXITSTATUS (status);
      if (poll (fds, COUNT_OF (fds), -1) < 0 && errno != EINTR)
        return system_error (error, "poll");
      if ((fds[1].revents & POLLIN) != 0)
        forward (signals, process->pidfd);
      /* It ended, and is none of our children: somebody took its status. */
      if ((fds[0].revents & POLLIN) != 0 && reap (process->pid, &status) <= 0)
        return tare_error_set (error, TARE_ERROR_SYSTEM, -ECHILD,
                               "the status of the container's init (pid %d) is lost",
                               (int) process->pid);
      if ((fds[0].revents & POLLIN) != 0)
        return WIFSIGNALED (status) ? 128 + WTERMSIG (status) : WEXITSTATUS (status);
    }
}

/* The container goes; an error that there is already stays the one that is told. */
static int
delete_after (struct cli *cli, const char *id, int r, struct tare_error *error)
{
  struct tare_error second = { 0 };
  int deleted = tare_delete (cli->context, id, TARE_DELETE_FORCE, &second);
  if (deleted < 0 && r >= 0)
    {
      *error = second;
      return deleted;
    }
  if (deleted < 0)
    cli_log_write (&cli->log, TARE_LOG_WARNING, second.message);
  return r;
}

static int
run_attached (struct cli *cli, const struct cli_create_options *options, const char *id,
              struct tare_error *error)
{
  struct tare_process process = { 0, -1 };
  sigset_t old;
  if (!options->no_subreaper && prctl (PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0)
    return system_error (error, "prctl (PR_SET_CHILD_SUBREAPER)");
  int signals = open_signals (&old, error);
  if (signals < 0)
    return signals;
  int r = cli_create_container (cli, options, id, &process, error);
  if (r >= 0)
    {
      r = tare_start (cli->context, id, error);
      bool started = r >= 0;
      if (started)
        r = wait_for (&process, signals, error);
      if (!started || !options->keep)
        r = delete_after (cli, id, r, error);
      (void) close (process.pidfd);
    }
  (void) close (signals);
  return r;
}

static int
run_detached (struct cli *cli, const struct cli_create_options *options, const char *id,
              struct tare_error *error)
{
  struct tare_process process = { 0, -1 };
  int r = cli_create_container (cli, options, id, &process, error);
  if (r < 0)
    return r;
  (void) close (process.pidfd);
  r = tare_start (cli->context, id, error);
  return r < 0 ? delete_after (cli, id, r, error) : 0;
}

static int
run_run (struct cli *cli, const void *values, char **arguments, size_t count,
         struct tare_error *error)
{
  const struct cli_create_options *options = values;
  (void) count;
  return options->detach ? run_detached (cli, options, arguments[0], error)
                         : run_attached (cli, options, arguments[0], error);
}

static const struct cli_option options[] = {
  CLI_CREATE_OPTIONS,
  CLI_CREATE_OPTION ("detach", 'd', CLI_FLAG, NULL, detach, "return once the program runs"),
  CLI_CREATE_OPTION ("keep", 0, CLI_FLAG, NULL, keep, "do not delete the container at its end"),
  { 0 },
};

const struct cli_command cli_run = {
  .name = "run",
  .synopsis = "ID",
  .summary = "create and start a container, and wait for its end",
  .options = options,
  .options_size = sizeof (struct cli_create_options),
  .min = 1,
  .max = 1,
  .run = run_run,
};
