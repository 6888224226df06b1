/* tare help, and what --help shows: made from the tables that the parser goes by. */
#define _GNU_SOURCE
#include "cli.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum
{
  MOST_COMMANDS = 64,
};

const struct cli_command *
cli_find_command (const struct cli *cli, const char *name, struct tare_error *error)
{
  const char *names[MOST_COMMANDS];
  size_t count = 0;
  for (const struct cli_command *const *c = cli->commands; *c != NULL && count < MOST_COMMANDS; c++)
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
      fprintf (stream, "  %-28s %s\n", left, o->help);
    }
  fprintf (stream, "  %-28s %s\n", "-h, --help", "print this help");
}

static int
print_stream (const struct cli *cli, FILE *stream, char **text, size_t *length,
              struct tare_error *error)
{
  int r = fclose (stream) == 0
              ? cli_print (cli, *text, *length, error)
              : tare_error_set (error, TARE_ERROR_SYSTEM, -ENOMEM, "out of memory");
  free (*text);
  return r;
}

static FILE *
open_text (char **text, size_t *length, struct tare_error *error)
{
  FILE *stream = open_memstream (text, length);
  if (stream == NULL)
    tare_error_set (error, TARE_ERROR_SYSTEM, -ENOMEM, "out of memory");
  return stream;
}

int
cli_show_help (const struct cli *cli, const struct cli_command *command, struct tare_error *error)
{
  char *text = NULL;
  size_t length = 0;
  FILE *stream = open_text (&text, &length, error);
  if (stream == NULL)
    return -ENOMEM;
  fprintf (stream, "usage: tare [GLOBAL OPTION...] %s [OPTION...]%s%s\n\n%s\n\noptions:\n",
           command->name, *command->synopsis != '\0' ? " " : "", command->synopsis,
           command->summary);
  put_options (stream, command->options);
  return print_stream (cli, stream, &text, &length, error);
}

int
cli_show_usage (const struct cli *cli, struct tare_error *error)
{
  char *text = NULL;
  size_t length = 0;
  FILE *stream = open_text (&text, &length, error);
  if (stream == NULL)
    return -ENOMEM;
  fprintf (stream,
           "usage: tare [GLOBAL OPTION...] COMMAND [OPTION...] [ARGUMENT...]\n\n"
           "Runs containers as the OCI runtime specification %s says.\n\ncommands:\n",
           TARE_OCI_VERSION);
  for (const struct cli_command *const *c = cli->commands; *c != NULL; c++)
    fprintf (stream, "  %-12s %s\n", (*c)->name, (*c)->summary);
  fprintf (stream, "\nglobal options:\n");
  put_options (stream, cli->global_options);
  fprintf (stream, "\n'tare COMMAND --help' tells the options of a command.\n");
  return print_stream (cli, stream, &text, &length, error);
}

static int
run_help (struct cli *cli, const void *values, char **arguments, size_t count,
          struct tare_error *error)
{
  (void) values;
  if (count == 0)
    return cli_show_usage (cli, error);
  const struct cli_command *command = cli_find_command (cli, arguments[0], error);
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
