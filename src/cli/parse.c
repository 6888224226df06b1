/* Options of a command line, by the tables of the commands.
 *
 * The forms are those of both families of runtimes, because managers use both: "--name VALUE",
 * "--name=VALUE", "-name" as Go's flag package has it, "-n VALUE", "-nVALUE", "-n=VALUE", letters
 * of flags run together, "--flag=false"; options may follow the id. Owns no option and prints
 * nothing.
 */
#define _GNU_SOURCE
#include "cli.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const struct cli_option help_option = { "help", 'h', CLI_FLAG, NULL, 0, NULL };

struct parser
{
  const struct cli_options *options;
  void *values;
  char **arguments;
  size_t count, next; /* next: the argument to look at */
  bool *help;
};

int
cli_number (const char *text, uint32_t max, uint32_t *ret_value)
{
  uint64_t value = 0;
  if (*text == '\0')
    return -EINVAL;
  for (const char *c = text; *c != '\0'; c++)
    {
      if (*c < '0' || *c > '9')
        return -EINVAL;
      value = value * 10 + (uint64_t) (*c - '0');
      if (value > max)
        return -ERANGE;
    }
  *ret_value = (uint32_t) value;
  return 0;
}

static int
smallest (int a, int b, int c)
{
  int least = a < b ? a : b;
  return least < c ? least : c;
}

/* How many letters have to be changed, added, left out, or swapped with the next, to make b of a.
 */
static int
distance (const char *a, const char *b)
{
  enum
  {
    LONGEST = 40
  };
  int rows[3][LONGEST + 1]; /* row i is in rows[i % 3] */
  size_t m = strlen (a), n = strlen (b);
  if (m > LONGEST || n > LONGEST)
    return INT_MAX;
  for (size_t i = 0; i <= m; i++)
    for (size_t j = 0; j <= n; j++)
      {
        int *row = rows[i % 3], *above = rows[(i + 2) % 3], *second = rows[(i + 1) % 3];
        row[j] = i == 0 || j == 0 ? (int) (i + j)
                                  : smallest (above[j] + 1, row[j - 1] + 1,
                                              above[j - 1] + (a[i - 1] != b[j - 1]));
        if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
          row[j] = smallest (row[j], row[j], second[j - 2] + 1);
      }
  return rows[m % 3][n];
}

const char *
cli_nearest (const char *text, const char *const *names, size_t count)
{
  const char *nearest = NULL;
  int best = (int) strlen (text) / 3 + 1;
  for (size_t i = 0; i < count; i++)
    {
      int d = names[i] != NULL ? distance (text, names[i]) : best;
      if (d < best)
        {
          best = d;
          nearest = names[i];
        }
    }
  return nearest;
}

static const struct cli_option *
find_name (const struct parser *parser, const char *name, size_t length)
{
  for (const struct cli_option *o = parser->options->rows; o->name != NULL; o++)
    if (strlen (o->name) == length && strncmp (o->name, name, length) == 0)
      return o;
  bool is_help = (length == 4 && strncmp (name, "help", 4) == 0)
                 || (length == 5 && strncmp (name, "usage", 5) == 0);
  return is_help ? &help_option : NULL;
}

static const struct cli_option *
find_letter (const struct parser *parser, char letter)
{
  for (const struct cli_option *o = parser->options->rows; o->name != NULL; o++)
    if (o->letter != '\0' && o->letter == letter)
      return o;
  return letter == 'h' || letter == '?' ? &help_option : NULL;
}

static int
unknown_option (const struct parser *parser, const char *argument, struct tare_error *error)
{
  enum
  {
    MOST = 64
  };
  const char *names[MOST] = { "help" };
  char name[64];
  size_t count = 1;
  for (const struct cli_option *o = parser->options->rows; o->name != NULL && count < MOST; o++)
    names[count++] = o->help != NULL ? o->name : NULL;
  const char *bare = argument + strspn (argument, "-");
  size_t length = strcspn (bare, "=");
  length = length < sizeof name ? length : sizeof name - 1;
  memcpy (name, bare, length);
  name[length] = '\0';
  const char *nearest = cli_nearest (name, names, count);
  const char *whose = parser->options->whose;
  return tare_error_set (error, TARE_ERROR_USAGE, -EINVAL, "unknown option '%s'%s%s%s%s%s",
                         argument, whose != NULL ? " of " : "", whose != NULL ? whose : "",
                         nearest != NULL ? "; did you mean '--" : "",
                         nearest != NULL ? nearest : "", nearest != NULL ? "'?" : "");
}

static bool
is_flag (const struct cli_option *option)
{
  return option->kind == CLI_FLAG || option->kind == CLI_CHOICE;
}

/* "--flag", or "--flag=TEXT". */
static int
read_flag (const struct cli_option *option, const char *text, bool *ret_value,
           struct tare_error *error)
{
  static const char *const yes[] = { "true", "t", "1", "yes" }, *const no[] = { "false", "f", "0",
                                                                                "no" };
  if (text == NULL)
    {
      *ret_value = true;
      return 0;
    }
  for (size_t i = 0; i < COUNT_OF (yes); i++)
    if (strcasecmp (text, yes[i]) == 0 || strcasecmp (text, no[i]) == 0)
      {
        *ret_value = strcasecmp (text, yes[i]) == 0;
        return 0;
      }
  return tare_error_set (error, TARE_ERROR_USAGE, -EINVAL,
                         "option '--%s': '%s' is neither true nor false", option->name, text);
}

static int
set_flag (const struct parser *parser, const struct cli_option *option, const char *text,
          struct tare_error *error)
{
  char *member = (char *) parser->values + option->offset;
  bool value = false;
  int r = read_flag (option, text, &value, error);
  if (r >= 0 && option->kind == CLI_CHOICE)
    *(uint32_t *) member = value ? TARE_YES : TARE_NO;
  else if (r >= 0)
    *(option == &help_option ? parser->help : (bool *) member) = value;
  return r;
}

/* There are never more of them than arguments. */
static int
add_text (const struct parser *parser, struct cli_texts *texts, const char *text,
          struct tare_error *error)
{
  if (texts->items == NULL)
    texts->items = calloc (parser->count, sizeof *texts->items);
  if (texts->items == NULL)
    return tare_error_set (error, TARE_ERROR_SYSTEM, -ENOMEM, "out of memory");
  texts->items[texts->count++] = text;
  return 0;
}

void
cli_free_texts (const struct cli_option *rows, void *values)
{
  for (const struct cli_option *o = rows; o->name != NULL; o++)
    if (o->kind == CLI_TEXTS)
      free (((struct cli_texts *) ((char *) values + o->offset))->items);
}

/* Stores text, which is not NULL but for flags. */
static int
set_value (const struct parser *parser, const struct cli_option *option, const char *text,
           struct tare_error *error)
{
  void *member = (char *) parser->values + option->offset;
  switch (option->kind)
    {
    case CLI_FLAG:
    case CLI_CHOICE:
      return set_flag (parser, option, text, error);
    case CLI_TEXTS:
      return add_text (parser, member, text, error);
    case CLI_TEXT:
      *(const char **) member = *text != '\0' ? text : NULL;
      return 0;
    case CLI_NUMBER:
      if (cli_number (text, UINT32_MAX, member) < 0)
        return tare_error_set (error, TARE_ERROR_USAGE, -EINVAL,
                               "option '--%s': '%s' is not a number from 0 to %u", option->name,
                               text, UINT32_MAX);
      return 0;
    }
  return -EINVAL;
}

/* Stores value, or the next argument where the option needs one and value is NULL. */
static int
take (struct parser *parser, const struct cli_option *option, const char *value,
      struct tare_error *error)
{
  if (!is_flag (option) && value == NULL)
    {
      /* podman looks for the first wording in older versions, for the second in newer ones */
      if (parser->next == parser->count)
        return tare_error_set (error, TARE_ERROR_USAGE, -EINVAL,
                               "flag needs an argument: --%s (option '--%s' requires an argument)",
                               option->name, option->name);
      value = parser->arguments[parser->next++];
    }
  return set_value (parser, option, value, error);
}

static int
parse_letters (struct parser *parser, const char *argument, struct tare_error *error)
{
  for (const char *c = argument + 1; *c != '\0'; c++)
    {
      const struct cli_option *option = find_letter (parser, *c);
      if (option == NULL)
        return unknown_option (parser, argument, error);
      if (!is_flag (option) || c[1] == '=')
        {
          const char *rest = c[1] == '=' ? c + 2 : c[1] != '\0' ? c + 1 : NULL;
          return take (parser, option, rest, error);
        }
      int r = take (parser, option, NULL, error);
      if (r < 0)
        return r;
    }
  return 0;
}

/* argument begins with '-' and is longer than that. */
static int
parse_option (struct parser *parser, const char *argument, struct tare_error *error)
{
  bool two = argument[1] == '-';
  const char *name = argument + (two ? 2 : 1);
  size_t length = strcspn (name, "=");
  const struct cli_option *option = two || length > 1 ? find_name (parser, name, length) : NULL;
  if (option != NULL)
    return take (parser, option, name[length] == '=' ? name + length + 1 : NULL, error);
  return two ? unknown_option (parser, argument, error) : parse_letters (parser, argument, error);
}

int
cli_parse (const struct cli_options *options, void *values, char **arguments, size_t count,
           bool stop, size_t *ret_count, bool *ret_help, struct tare_error *error)
{
  bool help = false, ended = false;
  size_t kept = 0;
  struct parser parser = { options, values, arguments, count, 0, &help };
  while (parser.next < count)
    {
      char *argument = arguments[parser.next++];
      bool is_option = !ended && argument[0] == '-' && argument[1] != '\0';
      if (is_option && strcmp (argument, "--") == 0)
        {
          ended = true;
          continue;
        }
      if (!is_option)
        {
          arguments[kept++] = argument;
          ended = ended || stop;
          continue;
        }
      int r = parse_option (&parser, argument, error);
      if (r < 0)
        return r;
    }
  *ret_count = kept;
  *ret_help = help;
  return 0;
}

const struct cli_option *
cli_rows (const struct cli_command *command)
{
  static const struct cli_option none[] = { { 0 } };
  return command->options != NULL ? command->options : none;
}
