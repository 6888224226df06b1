/* tare kill: sends a signal to a container's init, or to all its processes. */
#define _GNU_SOURCE
#include "cli.h"

#include <errno.h>
#include <signal.h>

struct kill_options
{
  bool all, regex;
};

struct request
{
  int signal;
  uint32_t flags;
};

static int
kill_one (struct cli *cli, const char *id, const void *argument, struct tare_error *error)
{
  const struct request *request = argument;
  return tare_kill (cli->context, id, request->signal, request->flags, error);
}

static int
run_kill (struct cli *cli, const void *values, char **arguments, size_t count,
          struct tare_error *error)
{
  const struct kill_options *options = values;
  int signal = count > 1 ? cli_signal (arguments[1]) : SIGTERM;
  if (signal < 0)
    return tare_error_set (error, TARE_ERROR_USAGE, -EINVAL, "unknown signal '%s'", arguments[1]);
  const struct request request = { signal, options->all ? TARE_KILL_ALL : 0 };
  return cli_for_each (cli, arguments[0], options->regex, kill_one, &request, error);
}

static const struct cli_option options[] = {
  { "all", 'a', CLI_FLAG, NULL, offsetof (struct kill_options, all),
    "to every process of the container" },
  { "regex", 'r', CLI_FLAG, NULL, offsetof (struct kill_options, regex),
    "ID is a regular expression: to all that match" },
  { 0 },
};

const struct cli_command cli_kill = {
  .name = "kill",
  .synopsis = "ID [SIGNAL]",
  .summary = "send a signal to a container (default: TERM)",
  .description = "SIGNAL is a number or a name with or without SIG, in any case. A "
                 "container that has stopped is an error: \"container not running\".\n",
  .options = options,
  .options_size = sizeof (struct kill_options),
  .min = 1,
  .max = 2,
  .run = run_kill,
};
