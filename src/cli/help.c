/* tare help: what --help shows. */
#include "cli.h"

#include <errno.h>

static int
run_help (struct cli *cli, const void *values, char **arguments, size_t count,
          struct tare_error *error)
{
  (void) values;
  if (count == 0)
    return cli_show_usage (cli, error);
  const struct cli_command *command = cli_find_command (arguments[0], error);
  return command == NULL ? -EINVAL : cli_show_help (cli, command, error);
}

static const struct cli_option options[] = { { 0 } };

const struct cli_command cli_help = {
  .name = "help",
  .synopsis = "[COMMAND]",
  .summary = "print help",
  .options = options,
  .max = 1,
  .no_context = true,
  .run = run_help,
};
