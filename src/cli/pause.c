/* tare pause: freezes the container's control group. */
#include "cli.h"

static int
run_pause (struct cli *cli, const void *values, char **arguments, size_t count,
           struct tare_error *error)
{
  (void) values;
  (void) count;
  return tare_pause (cli->context, arguments[0], error);
}

static const struct cli_option options[] = { { 0 } };

const struct cli_command cli_pause = {
  .name = "pause",
  .synopsis = "ID",
  .summary = "stop all processes of a container",
  .options = options,
  .min = 1,
  .max = 1,
  .run = run_pause,
};
