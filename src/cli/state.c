/* tare state: the state of a container as JSON (runtime.md "State"). */
#include "cli.h"

#include <stdlib.h>
#include <string.h>

static int
run_state (struct cli *cli, const void *values, char **arguments, size_t count,
           struct tare_error *error)
{
  char *text;
  (void) values;
  (void) count;
  int r = tare_state (cli->context, arguments[0], &text, error);
  if (r < 0)
    return r;
  r = cli_print (cli, text, strlen (text), error);
  free (text);
  return r;
}

const struct cli_command cli_state = {
  .name = "state",
  .synopsis = "ID",
  .summary = "print the state of a container",
  .description = "Prints the state that runtime.md of the specification describes. The "
                 "status is creating, created, running, paused or stopped.\n",
  .min = 1,
  .max = 1,
  .run = run_state,
};
