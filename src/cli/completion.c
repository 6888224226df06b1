/* tare completion: what a shell completes, made from the tables. Ids come from "tare list -q",
 * asked with the --root of the line.
 */
#define _GNU_SOURCE
#include "cli.h"

#include <errno.h>
#include <string.h>

/* What an argument is, by its name in the tables. */
enum argument
{
  ANYTHING,
  DIRECTORY,
  FILE_NAME,
  WORDS, /* "a|b|c" */
  CONTAINER,
  COMMAND_NAME,
};

static enum argument
argument_kind (const char *name, size_t length)
{
  static const struct
  {
    const char *name;
    enum argument kind;
  } kinds[] = {
    { "DIR", DIRECTORY }, { "FILE", FILE_NAME },         { "PATH", FILE_NAME },
    { "ID", CONTAINER },  { "[COMMAND]", COMMAND_NAME },
  };
  if (memchr (name, '|', length) != NULL)
    return WORDS;
  for (size_t i = 0; i < COUNT_OF (kinds); i++)
    if (strlen (kinds[i].name) == length && strncmp (kinds[i].name, name, length) == 0)
      return kinds[i].kind;
  return ANYTHING;
}

static enum argument
option_kind (const struct cli_option *option)
{
  return argument_kind (option->argument, strlen (option->argument));
}

/* Of a command's first argument. */
static enum argument
first_kind (const struct cli_command *command)
{
  return argument_kind (command->synopsis, strcspn (command->synopsis, " "));
}

static bool
takes_value (const struct cli_option *option)
{
  return option->kind != CLI_FLAG && option->kind != CLI_CHOICE;
}

static const struct cli_option *
next_shown (const struct cli_option *option)
{
  while (option->name != NULL && option->help == NULL)
    option++;
  return option;
}

#define FOR_EACH_ROW(o, rows)                                                                      \
  for (const struct cli_option *o = next_shown (rows); o->name != NULL; o = next_shown (o + 1))

static const struct cli_command *const *
next_offered (const struct cli_command *const *command)
{
  while (*command != NULL && (*command)->refusal != NULL)
    command++;
  return command;
}

#define FOR_EACH_COMMAND(c, table)                                                                 \
  for (const struct cli_command *const *c = next_offered ((table)->commands); *c != NULL;          \
       c = next_offered (c + 1))

/* "a|b|c", up to length, with another separator. */
static void
put_words (FILE *stream, const char *text, size_t length, char separator)
{
  for (size_t i = 0; i < length; i++)
    fputc (text[i] == '|' ? separator : text[i], stream);
}

/* Inside single quotes; a backslash before each of the characters of special. */
static void
put_quoted (FILE *stream, const char *text, const char *special)
{
  for (const char *c = text; *c != '\0'; c++)
    if (*c == '\'')
      fputs ("'\\''", stream);
    else
      fprintf (stream, "%s%c", strchr (special, *c) != NULL ? "\\" : "", *c);
}

/* ---- bash ------------------------------------------------------------------------------------ */

static void
put_bash_value (FILE *stream, enum argument kind, const char *words, size_t length)
{
  switch (kind)
    {
    case DIRECTORY:
      fputs ("kind=directory", stream);
      break;
    case FILE_NAME:
      fputs ("kind=file", stream);
      break;
    case CONTAINER:
      fputs ("words=$(\"${ids[@]}\" 2>/dev/null)", stream);
      break;
    case COMMAND_NAME:
      fputs ("words=$commands", stream);
      break;
    case WORDS:
      fputs ("words='", stream);
      put_words (stream, words, length, ' ');
      fputs ("'", stream);
      break;
    case ANYTHING:
      fputs (":", stream);
    }
  fputs (" ;;\n", stream);
}

/* The cases of what stands before the word: "create --bundle". */
static void
put_bash_values (FILE *stream, const char *command, const struct cli_option *rows)
{
  FOR_EACH_ROW (o, rows)
  if (takes_value (o))
    {
      fprintf (stream, "    '%s --%s'", command, o->name);
      if (o->letter != '\0')
        fprintf (stream, " | '%s -%c'", command, o->letter);
      fputs (") ", stream);
      put_bash_value (stream, option_kind (o), o->argument, strlen (o->argument));
    }
}

static void
put_bash_names (FILE *stream, const char *command, const struct cli_option *rows)
{
  fprintf (stream, "      '%s') words='--help", command);
  FOR_EACH_ROW (o, rows)
  fprintf (stream, " --%s", o->name);
  fputs ("' ;;\n", stream);
}

static void
put_bash_head (FILE *stream, const struct cli_table *table)
{
  fputs ("# bash completion of tare, made by \"tare completion bash\".\n"
         "_tare() {\n"
         "  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}\n"
         "  local command= option words= kind= i ids=(tare list -q)\n"
         "  local commands='",
         stream);
  FOR_EACH_COMMAND (c, table)
  fprintf (stream, "%s%s", *c == table->commands[0] ? "" : " ", (*c)->name);
  fputs ("'\n"
         "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
         "    case ${COMP_WORDS[i]} in\n      ",
         stream);
  FOR_EACH_ROW (o, table->options)
  if (takes_value (o))
    {
      fprintf (stream, "--%s", o->name);
      if (o->letter != '\0')
        fprintf (stream, " | -%c", o->letter);
      fputs (" | ", stream);
    }
  fputs ("=)\n"
         "        option=${COMP_WORDS[i]}\n"
         "        [ \"${COMP_WORDS[i+1]}\" != = ] || ((i++))\n"
         "        case $option in --root | -r) ids=(tare --root \"${COMP_WORDS[i+1]}\" list -q) ;; "
         "esac\n"
         "        ((i++)) ;;\n"
         "      -*) ;;\n"
         "      *) command=${COMP_WORDS[i]}; break ;;\n"
         "    esac\n"
         "  done\n"
         "  if [ \"$before\" = = ]; then before=${COMP_WORDS[COMP_CWORD-2]}; fi\n"
         "  if [ \"$word\" = = ]; then word=; fi\n",
         stream);
}

static void
put_bash (FILE *stream, const struct cli_table *table)
{
  put_bash_head (stream, table);
  fputs ("  case \"$command $before\" in\n", stream);
  put_bash_values (stream, "", table->options);
  FOR_EACH_COMMAND (c, table)
  put_bash_values (stream, (*c)->name, cli_rows (*c));
  fputs ("    *) case $word in\n    -*) case $command in\n", stream);
  put_bash_names (stream, "", table->options);
  FOR_EACH_COMMAND (c, table)
  put_bash_names (stream, (*c)->name, cli_rows (*c));
  fputs ("      esac ;;\n    *) case $command in\n      '') words=$commands ;;\n", stream);
  FOR_EACH_COMMAND (c, table)
  if (first_kind (*c) != ANYTHING)
    {
      fprintf (stream, "      %s) ", (*c)->name);
      put_bash_value (stream, first_kind (*c), (*c)->synopsis, strcspn ((*c)->synopsis, " "));
    }
  fputs ("      esac ;;\n    esac ;;\n  esac\n"
         "  case $kind in\n"
         "    directory) mapfile -t COMPREPLY < <(compgen -d -- \"$word\") ;;\n"
         "    file) mapfile -t COMPREPLY < <(compgen -f -- \"$word\") ;;\n"
         "    *) mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$word\") ;;\n"
         "  esac\n"
         "}\n"
         "complete -o filenames -F _tare tare\n",
         stream);
}

/* ---- zsh ------------------------------------------------------------------------------------- */

static void
put_zsh_action (FILE *stream, enum argument kind, const char *words, size_t length)
{
  static const char *const actions[] = {
    [ANYTHING] = " ",          [DIRECTORY] = "_files -/",         [FILE_NAME] = "_files",
    [CONTAINER] = "_tare_ids", [COMMAND_NAME] = "_tare_commands",
  };
  if (kind != WORDS)
    {
      fputs (actions[kind], stream);
      return;
    }
  fputc ('(', stream);
  put_words (stream, words, length, ' ');
  fputc (')', stream);
}

static void
put_zsh_rows (FILE *stream, const struct cli_option *rows, const char *indent)
{
  FOR_EACH_ROW (o, rows)
  {
    const char *equals = takes_value (o) ? "=" : "";
    fputs (indent, stream);
    if (o->letter != '\0')
      fprintf (stream, "'(-%c --%s)'{-%c,--%s%s}'[", o->letter, o->name, o->letter, o->name,
               equals);
    else
      fprintf (stream, "'%s--%s%s[", o->kind == CLI_TEXTS ? "*" : "", o->name, equals);
    put_quoted (stream, o->help, "[]\\");
    fputc (']', stream);
    if (takes_value (o))
      {
        fputs (":", stream);
        put_quoted (stream, o->argument, ":[]\\");
        fputs (":", stream);
        put_zsh_action (stream, option_kind (o), o->argument, strlen (o->argument));
      }
    fputs ("' \\\n", stream);
  }
  fprintf (stream, "%s'(-h --help)'{-h,--help}'[print this help]' \\\n", indent);
}

static void
put_zsh (FILE *stream, const struct cli_table *table)
{
  fputs ("#compdef tare\n"
         "# zsh completion of tare, made by \"tare completion zsh\".\n"
         "_tare_ids() {\n"
         "  local -a ids root\n"
         "  root=(${opt_args[--root]:-${opt_args[-r]}})\n"
         "  ids=(${(f)\"$(tare ${root:+--root=$root} list -q 2>/dev/null)\"})\n"
         "  _describe -t containers container ids\n"
         "}\n"
         "_tare_commands() {\n"
         "  local -a commands\n"
         "  commands=(\n",
         stream);
  FOR_EACH_COMMAND (c, table)
  {
    fprintf (stream, "    '%s:", (*c)->name);
    put_quoted (stream, (*c)->summary, ":\\");
    fputs ("'\n", stream);
  }
  fputs ("  )\n  _describe -t commands command commands\n}\n"
         "_tare() {\n"
         "  local curcontext=$curcontext state line\n"
         "  local -A opt_args\n"
         "  _arguments -C \\\n",
         stream);
  put_zsh_rows (stream, table->options, "    ");
  fputs ("    '1:command:_tare_commands' '*::argument:->argument'\n"
         "  [[ $state == argument ]] || return\n"
         "  case $words[1] in\n",
         stream);
  FOR_EACH_COMMAND (c, table)
  {
    fprintf (stream, "    %s) _arguments \\\n", (*c)->name);
    put_zsh_rows (stream, cli_rows (*c), "      ");
    if (first_kind (*c) == ANYTHING)
      fputs ("      && return ;;\n", stream);
    else
      {
        fputs ("      '1:argument:", stream);
        put_zsh_action (stream, first_kind (*c), (*c)->synopsis, strcspn ((*c)->synopsis, " "));
        fputs ("' ;;\n", stream);
      }
  }
  fputs ("  esac\n}\n[ \"$funcstack[1]\" = _tare ] && _tare \"$@\" || compdef _tare tare\n",
         stream);
}

/* ---- fish ------------------------------------------------------------------------------------ */

static void
put_fish_value (FILE *stream, enum argument kind, const char *words, size_t length)
{
  switch (kind)
    {
    case DIRECTORY:
      fputs (" -xa '(__fish_complete_directories)'", stream);
      break;
    case FILE_NAME:
      fputs (" -rF", stream);
      break;
    case CONTAINER:
      fputs (" -xa '(tare list -q 2>/dev/null)'", stream);
      break;
    case COMMAND_NAME:
      fputs (" -xa '(tare help --names)'", stream);
      break;
    case WORDS:
      fputs (" -xa '", stream);
      put_words (stream, words, length, ' ');
      fputc ('\'', stream);
      break;
    case ANYTHING:
      fputs (" -x", stream);
    }
}

static void
put_fish_rows (FILE *stream, const char *condition, const struct cli_option *rows)
{
  FOR_EACH_ROW (o, rows)
  {
    fprintf (stream, "complete -c tare -n '%s' -l %s", condition, o->name);
    if (o->letter != '\0')
      fprintf (stream, " -s %c", o->letter);
    if (takes_value (o))
      put_fish_value (stream, option_kind (o), o->argument, strlen (o->argument));
    fputs (" -d '", stream);
    put_quoted (stream, o->help, "\\");
    fputs ("'\n", stream);
  }
}

static void
put_fish (FILE *stream, const struct cli_table *table)
{
  fputs ("# fish completion of tare, made by \"tare completion fish\".\n"
         "complete -c tare -f\n"
         "complete -c tare -s h -l help -d 'print this help'\n",
         stream);
  put_fish_rows (stream, "__fish_use_subcommand", table->options);
  FOR_EACH_COMMAND (c, table)
  {
    char condition[128];
    snprintf (condition, sizeof condition, "__fish_seen_subcommand_from %s", (*c)->name);
    fprintf (stream, "complete -c tare -n __fish_use_subcommand -a %s -d '", (*c)->name);
    put_quoted (stream, (*c)->summary, "\\");
    fputs ("'\n", stream);
    put_fish_rows (stream, condition, cli_rows (*c));
    if (first_kind (*c) != ANYTHING)
      {
        fprintf (stream, "complete -c tare -n '%s'", condition);
        put_fish_value (stream, first_kind (*c), (*c)->synopsis, strcspn ((*c)->synopsis, " "));
        fputc ('\n', stream);
      }
  }
}

static int
run_completion (struct cli *cli, const void *values, char **arguments, size_t count,
                struct tare_error *error)
{
  static const struct
  {
    const char *name;
    void (*put) (FILE *stream, const struct cli_table *table);
  } shells[] = { { "bash", put_bash }, { "zsh", put_zsh }, { "fish", put_fish } };
  char *text = NULL;
  size_t length = 0, i = 0;
  (void) values;
  (void) count;
  while (i < COUNT_OF (shells) && strcmp (arguments[0], shells[i].name) != 0)
    i++;
  if (i == COUNT_OF (shells))
    return tare_error_set (error, TARE_ERROR_USAGE, -EINVAL,
                           "completion: '%s' is not one of bash, zsh, fish", arguments[0]);
  FILE *stream = cli_open_text (&text, &length, error);
  if (stream == NULL)
    return -ENOMEM;
  shells[i].put (stream, cli->table);
  return cli_print_text (cli, stream, &text, &length, error);
}

const struct cli_command cli_completion = {
  .name = "completion",
  .synopsis = "bash|zsh|fish",
  .summary = "print what makes a shell complete commands, options and ids",
  .description = "The build installs the three scripts where the shells look for them. By hand: "
                 "\"source <(tare completion bash)\".\n",
  .min = 1,
  .max = 1,
  .no_context = true,
  .run = run_completion,
};
