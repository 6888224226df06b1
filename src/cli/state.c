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

static const struct cli_option options[] = { { 0 } };

const struct cli_command cli_state = {
  .name = "state",
  .synopsis = "ID",
  .summary = "print the state of a container",
  .options = options,
  .min = 1,
  .max = 1,
  .run = run_state,
};
