/* tare run: create and start in one. Attached, it stands for the container's init: adopts its
 * orphans, forwards signals to it by pidfd, ends with its status, and deletes the container.
 */
#define _GNU_SOURCE
#include "cli.h"

#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

enum
{
  KILLED = 128 + SIGKILL,
};

/* The container goes, by whomever; an error that there is already stays the one that is told. */
static int
delete_after (struct cli *cli, const char *id, bool ended, int r, struct tare_error *error)
{
  struct tare_error second = { 0 };
  int deleted = tare_delete (cli->context, id, ended ? 0 : TARE_DELETE_FORCE, &second);
  if (second.kind == TARE_ERROR_NOT_FOUND)
    return r;
  if (deleted < 0 && r >= 0)
    {
      *error = second;
      return deleted;
    }
  if (deleted < 0)
    cli_log_write (&cli->log, TARE_LOG_WARNING, second.message);
  return r;
}

/* Else nobody would know why: the kernel's log is not for everyone. */
static void
tell_oom (const struct cli *cli, const char *id)
{
  char line[512];
  if (tare_is_oom_killed (cli->context, id, NULL) <= 0)
    return;
  (void) snprintf (line, sizeof line, "container `%s` was killed: its memory limit was reached",
                   id);
  cli_log_write (&cli->log, TARE_LOG_WARNING, line);
}

static int
run_attached (struct cli *cli, const struct cli_create_options *options, const char *id,
              struct tare_error *error)
{
  struct tare_process process = TARE_PROCESS_INIT;
  struct cli_terminal terminal = CLI_TERMINAL_INIT;
  if (!options->no_subreaper && prctl (PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0)
    return cli_system_error (error, "prctl (PR_SET_CHILD_SUBREAPER)");
  int signals = cli_open_signals (error);
  if (signals < 0)
    return signals;
  int cancel = cli_open_cancel (error);
  int r = cancel;
  if (r >= 0)
    r = cli_create_container (cli, options, CLI_RUN_ATTACHED, cancel, id, &process, error);
  if (r >= 0)
    {
      r = cli_terminal_open (&terminal, process.terminal, error);
      bool opened = r >= 0;
      if (opened)
        r = cli_wait (&process, signals, &terminal, error);
      bool ended = opened && r >= 0;
      cli_terminal_close (&terminal);
      if (opened && r == KILLED)
        tell_oom (cli, id);
      if (!opened || !options->keep)
        r = delete_after (cli, id, ended, r, error);
      cli_close_process (&process);
    }
  if (cancel >= 0)
    (void) close (cancel);
  (void) close (signals);
  return r;
}

static int
run_detached (struct cli *cli, const struct cli_create_options *options, const char *id,
              struct tare_error *error)
{
  struct tare_process process = TARE_PROCESS_INIT;
  int r = cli_create_container (cli, options, CLI_RUN_DETACHED, -1, id, &process, error);
  if (r < 0)
    return r;
  r = cli_notify_wait (&process, error);
  cli_close_process (&process);
  return r < 0 ? delete_after (cli, id, false, r, error) : 0;
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
  .description = "Does what create and start do, and waits: signals are forwarded to the "
                 "container, its terminal is relayed, and at its end the container is "
                 "deleted. SIGINT, SIGTERM, SIGHUP or SIGQUIT before the program runs "
                 "takes back what has been made.\n"
                 "Ends with the exit status of the container, or 128 plus the number of "
                 "the signal that killed it; 127 where the program is not found, 126 where "
                 "it cannot be executed, 1 for any other failure.\n",
  .options = options,
  .options_size = sizeof (struct cli_create_options),
  .min = 1,
  .max = 1,
  .run = run_run,
};
