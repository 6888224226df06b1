/* One container, or with --regex every one whose id matches (kill, delete): an extended regular
 * expression, as crun has it. */
#define _GNU_SOURCE
#include "cli.h"

#include <errno.h>
#include <regex.h>

/* The rest is done all the same; the first error is the one that is told. */
static int
call_matching (struct cli *cli, const regex_t *regex, cli_each_t *call, const void *argument,
               struct tare_error *error)
{
  struct tare_container *containers;
  size_t count;
  int r = tare_list (cli->context, &containers, &count, error);
  if (r < 0)
    return r;
  for (size_t i = 0; i < count; i++)
    {
      struct tare_error other = { 0 };
      int one = 0;
      if (regexec (regex, containers[i].id, 0, NULL, 0) == 0)
        one = call (cli, containers[i].id, argument, r < 0 ? &other : error);
      r = r < 0 ? r : one;
    }
  tare_list_free (containers, count);
  return r < 0 ? r : 0;
}

int
cli_for_each (struct cli *cli, const char *id, bool regex, cli_each_t *call, const void *argument,
              struct tare_error *error)
{
  regex_t compiled;
  char reason[128];
  if (!regex)
    return call (cli, id, argument, error);
  int code = regcomp (&compiled, id, REG_EXTENDED | REG_NOSUB);
  if (code != 0)
    {
      (void) regerror (code, &compiled, reason, sizeof reason);
      return tare_error_set (error, TARE_ERROR_USAGE, -EINVAL,
                             "option '--regex': '%s' is no regular expression: %s", id, reason);
    }
  int r = call_matching (cli, &compiled, call, argument, error);
  regfree (&compiled);
  return r;
}
