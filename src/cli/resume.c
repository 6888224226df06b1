/* tare resume: thaws the container's control group. */
#include "cli.h"

static int
run_resume (struct cli *cli, const void *values, char **arguments, size_t count,
            struct tare_error *error)
{
  (void) values;
  (void) count;
  return tare_resume (cli->context, arguments[0], error);
}

const struct cli_command cli_resume = {
  .name = "resume",
  .synopsis = "ID",
  .summary = "let the processes of a paused container go on",
  .description = "The container has to be paused.\n",
  .min = 1,
  .max = 1,
  .run = run_resume,
};
