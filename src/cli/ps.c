/* tare ps: the pids of a container's processes, as the host counts them. */
#define _GNU_SOURCE
#include "cli.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

struct ps_options
{
  const char *format;
};

static int
print_pids (const struct cli *cli, bool json, const pid_t *pids, size_t count,
            struct tare_error *error)
{
  char *text = NULL;
  size_t length = 0;
  FILE *stream = open_memstream (&text, &length);
  if (stream == NULL)
    return tare_error_set (error, TARE_ERROR_SYSTEM, -ENOMEM, "out of memory");
  fputs (json ? "[" : "PID\n", stream);
  for (size_t i = 0; i < count; i++)
    fprintf (stream, json ? "%s%d" : "%s%d\n", json && i > 0 ? "," : "", (int) pids[i]);
  fputs (json ? "]\n" : "", stream);
  int r = fclose (stream) == 0
              ? cli_print (cli, text, length, error)
              : tare_error_set (error, TARE_ERROR_SYSTEM, -ENOMEM, "out of memory");
  free (text);
  return r;
}

static int
run_ps (struct cli *cli, const void *values, char **arguments, size_t count,
        struct tare_error *error)
{
  static const char *const formats[] = { "table", "json" };
  const struct ps_options *options = values;
  pid_t *pids;
  int format = 0;
  if (options->format != NULL)
    format = cli_choose ("--format", options->format, formats, COUNT_OF (formats), error);
  if (format < 0)
    return format;
  int r = tare_processes (cli->context, arguments[0], &pids, &count, error);
  if (r < 0)
    return r;
  r = print_pids (cli, format == 1, pids, count, error);
  free (pids);
  return r;
}

static const struct cli_option options[] = {
  { "format", 'f', CLI_TEXT, "FORMAT", offsetof (struct ps_options, format),
    "table (default) or json" },
  { 0 },
};

/* stop: what follows the id is for options of ps(1). */
const struct cli_command cli_ps = {
  .name = "ps",
  .synopsis = "ID",
  .summary = "list the processes of a container",
  .options = options,
  .options_size = sizeof (struct ps_options),
  .min = 1,
  .max = 1,
  .stop = true,
  .run = run_ps,
};
