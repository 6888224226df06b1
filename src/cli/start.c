/* tare start: lets a created container execute its program. */
#include "cli.h"

static int
run_start (struct cli *cli, const void *values, char **arguments, size_t count,
           struct tare_error *error)
{
  (void) values;
  (void) count;
  return tare_start (cli->context, arguments[0], error);
}

static const struct cli_option options[] = { { 0 } };

const struct cli_command cli_start = {
  .name = "start",
  .synopsis = "ID",
  .summary = "start a created container",
  .options = options,
  .min = 1,
  .max = 1,
  .run = run_start,
};
