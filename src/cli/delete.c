/* tare delete: removes a container that was created or has stopped; with --force any. */
#include "cli.h"

struct delete_options
{
  bool force, regex;
};

static int
delete_one (struct cli *cli, const char *id, const void *argument, struct tare_error *error)
{
  const struct delete_options *options = argument;
  return tare_delete (cli->context, id, options->force ? TARE_DELETE_FORCE : 0, error);
}

static int
run_delete (struct cli *cli, const void *values, char **arguments, size_t count,
            struct tare_error *error)
{
  const struct delete_options *options = values;
  (void) count;
  return cli_for_each (cli, arguments[0], options->regex, delete_one, options, error);
}

static const struct cli_option options[] = {
  { "force", 'f', CLI_FLAG, NULL, offsetof (struct delete_options, force),
    "kill it first; an unknown container is no error" },
  { "regex", 'r', CLI_FLAG, NULL, offsetof (struct delete_options, regex),
    "ID is a regular expression: all that match" },
  { 0 },
};

const struct cli_command cli_delete = {
  .name = "delete",
  .synopsis = "ID",
  .summary = "delete a container",
  .description = "Removes what create made: the control group, with every process that is left in "
                 "it, whoever put it there; the state directory. Runs the poststop hooks. A "
                 "running container has to be stopped first, or "
                 "--force to be given.\n",
  .options = options,
  .options_size = sizeof (struct delete_options),
  .min = 1,
  .max = 1,
  .run = run_delete,
};
