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

static const struct cli_option options[] = { { 0 } };

const struct cli_command cli_resume = {
  .name = "resume",
  .synopsis = "ID",
  .summary = "let the processes of a paused container go on",
  .options = options,
  .min = 1,
  .max = 1,
  .run = run_resume,
};
