/* tare kill: sends a signal to a container's init, or to all its processes. */
#define _GNU_SOURCE
#include "cli.h"

#include <errno.h>
#include <signal.h>

struct kill_options
{
  bool all;
};

static int
run_kill (struct cli *cli, const void *values, char **arguments, size_t count,
          struct tare_error *error)
{
  const struct kill_options *options = values;
  int signal = count > 1 ? cli_signal (arguments[1]) : SIGTERM;
  if (signal < 0)
    return tare_error_set (error, TARE_ERROR_USAGE, -EINVAL, "unknown signal '%s'", arguments[1]);
  return tare_kill (cli->context, arguments[0], signal, options->all ? TARE_KILL_ALL : 0, error);
}

static const struct cli_option options[] = {
  { "all", 'a', CLI_FLAG, NULL, offsetof (struct kill_options, all),
    "to every process of the container" },
  { 0 },
};

const struct cli_command cli_kill = {
  .name = "kill",
  .synopsis = "ID [SIGNAL]",
  .summary = "send a signal to a container (default: TERM)",
  .options = options,
  .options_size = sizeof (struct kill_options),
  .min = 1,
  .max = 2,
  .run = run_kill,
};
