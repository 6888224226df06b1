/* tare: the command line. Owns the process itself: the only place that chooses an exit status. One
 * line of error a failed command, always. The commands and the global options are in table.c.
 */
#define _GNU_SOURCE
#include "cli.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- commands -------------------------------------------------------------------------------- */

static int
check_count (const struct cli_command *command, char **arguments, size_t count,
             struct tare_error *error)
{
  if (count < command->min)
    return tare_error_set (error, TARE_ERROR_USAGE, -EINVAL,
                           "%s: an argument is missing; usage: tare %s [OPTION...] %s",
                           command->name, command->name, command->synopsis);
  if (count > command->max)
    return tare_error_set (error, TARE_ERROR_USAGE, -EINVAL,
                           "%s: unexpected argument '%s'; usage: tare %s [OPTION...]%s%s",
                           command->name, arguments[command->max], command->name,
                           *command->synopsis != '\0' ? " " : "", command->synopsis);
  return 0;
}

static void
log_from_library (enum tare_log_level level, const char *message, void *argument)
{
  cli_log_write (argument, level, message);
}

static int
open_context (struct cli *cli, const struct cli_global_options *global, struct tare_error *error)
{
  static const char *const managers[] = {
    [TARE_CGROUP_CGROUPFS] = "cgroupfs",
    [TARE_CGROUP_SYSTEMD] = "systemd",
    [TARE_CGROUP_DISABLED] = "disabled",
  };
  static const char *const answers[] = {
    [TARE_ROOTLESS_AUTO] = "auto",
    [TARE_ROOTLESS_TRUE] = "true",
    [TARE_ROOTLESS_FALSE] = "false",
  };
  int manager = global->systemd_cgroup ? TARE_CGROUP_SYSTEMD : TARE_CGROUP_CGROUPFS;
  if (global->cgroup_manager != NULL)
    {
      manager = cli_choose ("--cgroup-manager", global->cgroup_manager, managers,
                            COUNT_OF (managers), error);
      if (manager < 0)
        return manager;
    }
  int rootless = TARE_ROOTLESS_AUTO;
  if (global->rootless != NULL)
    {
      rootless = cli_choose ("--rootless", global->rootless, answers, COUNT_OF (answers), error);
      if (rootless < 0)
        return rootless;
    }
  const struct tare_context_options options = {
    .size = sizeof options,
    .root = global->root,
    .cgroup_manager = (uint32_t) manager,
    .log = log_from_library,
    .log_argument = &cli->log,
    .log_level = cli->log.level,
    .rootless = (uint32_t) rootless,
  };
  return tare_context_new (&options, &cli->context, error);
}

static int
run_command (struct cli *cli, const struct cli_global_options *global,
             const struct cli_command *command, char **arguments, size_t count,
             struct tare_error *error)
{
  const struct cli_options options = { cli_rows (command), command->name };
  /* The structs are small and of several types: one buffer that is aligned for any. */
  union
  {
    max_align_t align;
    char bytes[512];
  } values = { .bytes = { 0 } };
  bool help;
  if (command->refusal != NULL)
    return tare_error_set (error, TARE_ERROR_UNSUPPORTED, -EOPNOTSUPP,
                           "command '%s' is not offered by this version: %s", command->name,
                           command->refusal);
  if (command->options_size > sizeof values)
    return tare_error_set (error, TARE_ERROR_SYSTEM, -E2BIG, "%s: too many options", command->name);
  int r = cli_parse (&options, &values, arguments, count, command->stop, &count, &help, error);
  if (r >= 0 && !help)
    r = check_count (command, arguments, count, error);
  if (r >= 0 && !help && !command->no_context)
    r = open_context (cli, global, error);
  if (r >= 0)
    r = help ? cli_show_help (cli, command, error)
             : command->run (cli, &values, arguments, count, error);
  cli_free_texts (options.rows, &values);
  return r;
}

static int
dispatch (struct cli *cli, char **arguments, size_t count, struct tare_error *error)
{
  const struct cli_options options = { cli->table->options, NULL };
  struct cli_global_options global = { 0 };
  struct tare_error log_error = { 0 };
  bool help = false;
  int r = cli_parse (&options, &global, arguments, count, true, &count, &help, error);
  /* The log first, even if the rest is wrong: that must be found in it. */
  const char *destination = global.log;
  if (destination == NULL && global.systemd_log)
    destination = "journald:tare";
  int opened = cli_log_open (&cli->log, destination, global.log_format, global.log_level,
                             global.debug, &log_error);
  if (r < 0)
    return r;
  if (opened < 0)
    {
      *error = log_error;
      return opened;
    }
  if (global.criu != NULL)
    cli_log_write (&cli->log, TARE_LOG_WARNING, "option '--criu' is accepted and ignored");
  if (global.version)
    return cli_version.run (cli, NULL, arguments, 0, error);
  if (help)
    return cli_show_usage (cli, error);
  if (count == 0)
    return tare_error_set (error, TARE_ERROR_USAGE, -EINVAL,
                           "no command given; 'tare --help' lists them");
  const struct cli_command *command = cli_find_command (cli->table, arguments[0], error);
  return command == NULL ? -EINVAL
                         : run_command (cli, &global, command, arguments + 1, count - 1, error);
}

/* ---- the process ----------------------------------------------------------------------------- */

/* A descriptor 0, 1 or 2 that is closed would be given to the next file opened, and a message be
 * written into it. */
static int
fill_standard_descriptors (bool *ret_stdout_closed)
{
  for (int fd = 0; fd <= 2; fd++)
    {
      if (fcntl (fd, F_GETFD) >= 0 || errno != EBADF)
        continue;
      if (open ("/dev/null", O_RDWR) != fd)
        return -EBADF;
      *ret_stdout_closed = *ret_stdout_closed || fd == STDOUT_FILENO;
    }
  return 0;
}

static void
ignore_signal (int signal)
{
  (void) signal;
}

/* A reader that went away is an error like any other (EPIPE), so that what was begun is undone. A
 * handler, not SIG_IGN: that would be inherited by the container. */
static void
prepare_signals (void)
{
  struct sigaction action, old;
  memset (&action, 0, sizeof action);
  action.sa_handler = ignore_signal;
  action.sa_flags = SA_RESTART;
  if (sigaction (SIGPIPE, NULL, &old) == 0 && old.sa_handler == SIG_DFL)
    (void) sigaction (SIGPIPE, &action, NULL);
  (void) sigaction (SIGXFSZ, &action, NULL); /* a file size limit: EFBIG, likewise */
  (void) signal (SIGCHLD, SIG_DFL);          /* ignored, children would end without a status */
}

static int
exit_status (const struct cli *cli, const struct tare_error *error)
{
  switch (error->kind)
    {
    case TARE_ERROR_PROGRAM_NOT_FOUND:
      return 127;
    case TARE_ERROR_PROGRAM_NOT_EXECUTABLE:
      return 126;
    default:
      return cli->failure_status != 0 ? cli->failure_status : EXIT_FAILURE;
    }
}

int
main (int argc, char **argv)
{
  struct cli cli = { .table = &cli_table,
                     .log = { .fd = STDERR_FILENO, .level = TARE_LOG_WARNING } };
  struct tare_error error = { 0 };
  if (fill_standard_descriptors (&cli.stdout_closed) < 0)
    return EXIT_FAILURE;
  prepare_signals ();
  /* argc may be 0: then argv[1] is the first of the environment. */
  size_t count = argc > 1 ? (size_t) argc - 1 : 0;
  int r = dispatch (&cli, argv + (argc > 0), count, &error);
  if (r < 0)
    cli_log_write (&cli.log, TARE_LOG_ERROR,
                   error.message[0] != '\0' ? error.message : strerror (-r));
  tare_context_free (cli.context);
  return r < 0 ? exit_status (&cli, &error) : r;
}
