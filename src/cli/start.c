/* tare start: lets a created container execute its program. */
#include "cli.h"

#include <errno.h>

static int
run_start (struct cli *cli, const void *values, char **arguments, size_t count,
           struct tare_error *error)
{
  (void) values;
  (void) count;
  struct tare_process process = TARE_PROCESS_INIT;
  int r = cli_notify_check (error);
  if (r >= 0 && cli_notify_path () != NULL)
    r = tare_notify_socket (cli->context, arguments[0], &process, error);
  if (r >= 0 || r == -ENOENT) /* it needs none, or is not there: that is then told */
    r = tare_start (cli->context, arguments[0], error);
  if (r >= 0)
    r = cli_notify_wait (&process, error);
  cli_close_process (&process);
  return r;
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
