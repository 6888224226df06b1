/* tare help, and what --help shows: made from the tables that the parser goes by. */
#define _GNU_SOURCE
#include "cli.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum
{
  MOST_COMMANDS = 64,
  HELP_COLUMN = 28,
};

struct help_options
{
  bool manual, names;
};

const struct cli_command *
cli_find_command (const struct cli_table *table, const char *name, struct tare_error *error)
{
  const char *names[MOST_COMMANDS];
  size_t count = 0;
  for (const struct cli_command *const *c = table->commands; *c != NULL && count < MOST_COMMANDS;
       c++)
    {
      if (strcmp (name, (*c)->name) == 0)
        return *c;
      names[count++] = (*c)->name;
    }
  const char *nearest = cli_nearest (name, names, count);
  tare_error_set (error, TARE_ERROR_USAGE, -EINVAL, "unknown command '%s'%s%s%s", name,
                  nearest != NULL ? "; did you mean '" : "", nearest != NULL ? nearest : "",
                  nearest != NULL ? "'?" : "");
  return NULL;
}

static void
put_options (FILE *stream, const struct cli_option *rows)
{
  for (const struct cli_option *o = rows; o->name != NULL; o++)
    {
      char left[64];
      if (o->help == NULL)
        continue;
      snprintf (left, sizeof left, "%c%c%s --%s%s%s", o->letter != 0 ? '-' : ' ',
                o->letter != 0 ? o->letter : ' ', o->letter != 0 ? "," : " ", o->name,
                o->argument != NULL ? "=" : "", o->argument != NULL ? o->argument : "");
      bool fits = strlen (left) <= HELP_COLUMN;
      fprintf (stream, "  %-*s%s%-*s %s\n", HELP_COLUMN, left, fits ? "" : "\n",
               fits ? 0 : HELP_COLUMN + 2, "", o->help);
    }
  fprintf (stream, "  %-*s %s\n", HELP_COLUMN, "-h, --help", "print this help");
}

static void
put_help (FILE *stream, const struct cli_command *command)
{
  fprintf (stream, "usage: tare [GLOBAL OPTION...] %s [OPTION...]%s%s\n\n%s\n\noptions:\n",
           command->name, *command->synopsis != '\0' ? " " : "", command->synopsis,
           command->summary);
  put_options (stream, cli_rows (command));
}

static void
put_usage (FILE *stream, const struct cli_table *table)
{
  fprintf (stream,
           "usage: tare [GLOBAL OPTION...] COMMAND [OPTION...] [ARGUMENT...]\n\n"
           "Runs containers as the OCI runtime specification %s says.\n\ncommands:\n",
           TARE_OCI_VERSION);
  for (const struct cli_command *const *c = table->commands; *c != NULL; c++)
    if ((*c)->refusal == NULL)
      fprintf (stream, "  %-12s %s\n", (*c)->name, (*c)->summary);
  fprintf (stream, "\nglobal options:\n");
  put_options (stream, table->options);
  fprintf (stream, "\n'tare COMMAND --help' tells the options of a command.\n");
}

static void
put_names (FILE *stream, const struct cli_table *table)
{
  for (const struct cli_command *const *c = table->commands; *c != NULL; c++)
    if ((*c)->refusal == NULL)
      fprintf (stream, "%s\n", (*c)->name);
}

static int
show (const struct cli *cli, const struct cli_command *command, const struct help_options *options,
      struct tare_error *error)
{
  char *text = NULL;
  size_t length = 0;
  FILE *stream = cli_open_text (&text, &length, error);
  if (stream == NULL)
    return -ENOMEM;
  if (options->names)
    put_names (stream, cli->table);
  else if (options->manual)
    cli_put_manual (stream, cli->table, command);
  else if (command != NULL)
    put_help (stream, command);
  else
    put_usage (stream, cli->table);
  return cli_print_text (cli, stream, &text, &length, error);
}

int
cli_show_help (const struct cli *cli, const struct cli_command *command, struct tare_error *error)
{
  return show (cli, command, &(const struct help_options){ .manual = false }, error);
}

int
cli_show_usage (const struct cli *cli, struct tare_error *error)
{
  return cli_show_help (cli, NULL, error);
}

static int
run_help (struct cli *cli, const void *values, char **arguments, size_t count,
          struct tare_error *error)
{
  const struct cli_command *command = NULL;
  if (count > 0)
    {
      command = cli_find_command (cli->table, arguments[0], error);
      if (command == NULL)
        return -EINVAL;
    }
  return show (cli, command, values, error);
}

static const struct cli_option options[] = {
  { "man", 0, CLI_FLAG, NULL, offsetof (struct help_options, manual), "as a manual page" },
  { "names", 0, CLI_FLAG, NULL, offsetof (struct help_options, names),
    "the names of the commands alone" },
  { 0 },
};

const struct cli_command cli_help = {
  .name = "help",
  .synopsis = "[COMMAND]",
  .summary = "print help",
  .options = options,
  .options_size = sizeof (struct help_options),
  .max = 1,
  .no_context = true,
  .run = run_help,
};
