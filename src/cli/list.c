/* tare list: the containers below the root, as a table, as ids, or as a JSON array. */
#define _GNU_SOURCE
#include "cli.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct list_options
{
  const char *format;
  bool quiet;
};

enum
{
  COLUMNS = 6,
  NARROWEST = 12, /* with PADDING what runc's table has: scripts cut it by position */
  PADDING = 3,
};

struct row
{
  char pid[16], bundle[4096], owner[256];
  const char *columns[COLUMNS];
};

static void
make_row (const struct tare_container *container, struct row *row)
{
  snprintf (row->pid, sizeof row->pid, "%d", (int) container->pid);
  tare_escape (container->bundle, row->bundle, sizeof row->bundle);
  tare_escape (container->owner, row->owner, sizeof row->owner);
  const char *columns[COLUMNS] = { container->id, row->pid,           container->status,
                                   row->bundle,   container->created, row->owner };
  memcpy (row->columns, columns, sizeof columns);
}

static void
put_row (FILE *stream, const char *const *columns, const size_t *widths)
{
  for (int i = 0; i < COLUMNS; i++)
    if (i < COLUMNS - 1)
      fprintf (stream, "%-*s", (int) widths[i], columns[i]);
    else
      fprintf (stream, "%s\n", columns[i]);
}

static void
put_table (FILE *stream, const struct tare_container *containers, size_t count)
{
  static const char *const heads[COLUMNS] = { "ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER" };
  size_t widths[COLUMNS] = { 0 };
  struct row row;
  for (size_t i = 0; i <= count; i++)
    {
      if (i < count)
        make_row (&containers[i], &row);
      for (int c = 0; c < COLUMNS; c++)
        {
          size_t width = strlen (i < count ? row.columns[c] : heads[c]) + PADDING;
          widths[c] = width > widths[c] ? width : widths[c];
          widths[c] = widths[c] > NARROWEST ? widths[c] : NARROWEST;
        }
    }
  put_row (stream, heads, widths);
  for (size_t i = 0; i < count; i++)
    {
      make_row (&containers[i], &row);
      put_row (stream, row.columns, widths);
    }
}

/* An empty array, not runc's null: every reader takes it. */
static void
put_json (FILE *stream, const struct tare_container *containers, size_t count)
{
  fputc ('[', stream);
  for (size_t i = 0; i < count; i++)
    fprintf (stream, "%s%s", i > 0 ? "," : "", containers[i].json);
  fputs ("]\n", stream);
}

static int
print_list (const struct cli *cli, const struct list_options *options, bool json,
            const struct tare_container *containers, size_t count, struct tare_error *error)
{
  char *text = NULL;
  size_t length = 0;
  FILE *stream = cli_open_text (&text, &length, error);
  if (stream == NULL)
    return -ENOMEM;
  for (size_t i = 0; options->quiet && i < count; i++)
    fprintf (stream, "%s\n", containers[i].id);
  if (!options->quiet && json)
    put_json (stream, containers, count);
  else if (!options->quiet)
    put_table (stream, containers, count);
  return cli_print_text (cli, stream, &text, &length, error);
}

static int
run_list (struct cli *cli, const void *values, char **arguments, size_t count,
          struct tare_error *error)
{
  static const char *const formats[] = { "table", "json" };
  const struct list_options *options = values;
  struct tare_container *containers;
  int format = 0;
  (void) arguments;
  if (options->format != NULL)
    format = cli_choose ("--format", options->format, formats, COUNT_OF (formats), error);
  if (format < 0)
    return format;
  int r = tare_list (cli->context, &containers, &count, error);
  if (r < 0)
    return r;
  r = print_list (cli, options, format == 1, containers, count, error);
  tare_list_free (containers, count);
  return r;
}

static const struct cli_option options[] = {
  { "format", 'f', CLI_TEXT, "table|json", offsetof (struct list_options, format),
    "how it looks (default: table)" },
  { "quiet", 'q', CLI_FLAG, NULL, offsetof (struct list_options, quiet), "print the ids only" },
  { 0 },
};

const struct cli_command cli_list = {
  .name = "list",
  .synopsis = "",
  .summary = "list the containers",
  .description = "Lists the containers below the state root, sorted by id. One that cannot "
                 "be read is a warning, and the others are listed.\n",
  .options = options,
  .options_size = sizeof (struct list_options),
  .run = run_list,
};
