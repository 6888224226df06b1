/* tare features: what this build can do, as JSON (features.md). */
#include "cli.h"

#include <stdlib.h>
#include <string.h>

static int
run_features (struct cli *cli, const void *values, char **arguments, size_t count,
              struct tare_error *error)
{
  char *text;
  (void) values;
  (void) arguments;
  (void) count;
  int r = tare_features (&text, error);
  if (r < 0)
    return r;
  r = cli_print (cli, text, strlen (text), error);
  free (text);
  return r;
}

const struct cli_command cli_features = {
  .name = "features",
  .synopsis = "",
  .summary = "print what this build can do",
  .description = "Prints the document that features.md of the specification describes: "
                 "what this build can do, not what this machine has.\n",
  .no_context = true,
  .run = run_features,
};
