/* tare delete: removes a container that was created or has stopped; with --force any. */
#include "cli.h"

struct delete_options
{
  bool force;
};

static int
run_delete (struct cli *cli, const void *values, char **arguments, size_t count,
            struct tare_error *error)
{
  const struct delete_options *options = values;
  (void) count;
  return tare_delete (cli->context, arguments[0], options->force ? TARE_DELETE_FORCE : 0, error);
}

static const struct cli_option options[] = {
  { "force", 'f', CLI_FLAG, NULL, offsetof (struct delete_options, force),
    "kill it first; an unknown container is no error" },
  { 0 },
};

const struct cli_command cli_delete = {
  .name = "delete",
  .synopsis = "ID",
  .summary = "delete a container",
  .options = options,
  .options_size = sizeof (struct delete_options),
  .min = 1,
  .max = 1,
  .run = run_delete,
};
