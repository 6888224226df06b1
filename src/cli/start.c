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

const struct cli_command cli_start = {
  .name = "start",
  .synopsis = "ID",
  .summary = "start a created container",
  .description = "Lets the program of a created container run. Returns after it was "
                 "executed; that it could not be is an error of this command.\n",
  .min = 1,
  .max = 1,
  .run = run_start,
};
