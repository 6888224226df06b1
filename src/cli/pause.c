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

const struct cli_command cli_pause = {
  .name = "pause",
  .synopsis = "ID",
  .summary = "stop all processes of a container",
  .description = "By the freezer of the control group. A process cannot notice it.\n",
  .min = 1,
  .max = 1,
  .run = run_pause,
};
