/* Manual pages in roff, made from the tables: "tare help --man [COMMAND]". The build writes them to
 * man/, and puts man/tare.roff, what no table knows, at the end of the first.
 */
#define _GNU_SOURCE
#include "cli.h"

#include <ctype.h>
#include <string.h>

/* Text that roff is to print as it is: no request at the start of a line, a hyphen that can be
 * copied, no escape. */
static void
put_text (FILE *stream, const char *text)
{
  for (const char *c = text; *c != '\0'; c++)
    {
      bool first = c == text || c[-1] == '\n';
      if (first && (*c == '.' || *c == '\''))
        fputs ("\\&", stream);
      if (*c == '\\')
        fputs ("\\e", stream);
      else if (*c == '-')
        fputs ("\\-", stream);
      else
        fputc (*c, stream);
    }
}

/* "create", "ID" as macro words: quoted, so that blanks stay. */
static void
put_macro (FILE *stream, const char *macro, const char *text)
{
  fprintf (stream, ".%s \"", macro);
  for (const char *c = text; *c != '\0'; c++)
    fputs (*c == '"' ? "\\(dq" : *c == '-' ? "\\-" : (const char[]){ *c, '\0' }, stream);
  fputs ("\"\n", stream);
}

static void
put_options (FILE *stream, const struct cli_option *rows)
{
  static const struct cli_option help = { "help", 'h', CLI_FLAG, NULL, 0, "print a short help" };
  for (const struct cli_option *o = rows;; o++)
    {
      const struct cli_option *row = o->name != NULL ? o : &help;
      if (row->help != NULL)
        {
          fputs (".TP\n", stream);
          if (row->letter != '\0')
            fprintf (stream, "\\fB\\-%c\\fR, ", row->letter);
          fputs ("\\fB\\-\\-", stream);
          put_text (stream, row->name);
          fputs ("\\fR", stream);
          if (row->argument != NULL)
            fprintf (stream, "=\\fI%s\\fR", row->argument);
          fputc ('\n', stream);
          put_text (stream, row->help);
          fputs (".\n", stream);
        }
      if (row == &help)
        return;
    }
}

static void
put_title (FILE *stream, const struct cli_command *command)
{
  fputs (".TH TARE", stream);
  if (command != NULL)
    fputs ("\\-", stream);
  for (const char *c = command != NULL ? command->name : ""; *c != '\0'; c++)
    fputc (toupper ((unsigned char) *c), stream);
  fprintf (stream, " 1 \"\" \"tare %s\" \"User Commands\"\n.SH NAME\ntare", tare_version ());
  if (command != NULL)
    fprintf (stream, "\\-%s \\- ", command->name);
  else
    fputs (" \\- run containers by the OCI runtime specification", stream);
}

static void
put_paragraphs (FILE *stream, const char *text)
{
  while (*text != '\0')
    {
      size_t length = strcspn (text, "\n");
      char line[1024];
      snprintf (line, sizeof line, "%.*s", (int) length, text);
      put_text (stream, line);
      text += length + (text[length] == '\n');
      fputs (*text != '\0' ? "\n.PP\n" : "\n", stream);
    }
}

static void
put_command (FILE *stream, const struct cli_command *command)
{
  put_title (stream, command);
  put_text (stream, command->summary);
  fprintf (stream,
           "\n.SH SYNOPSIS\n.B tare\n.RI [ global\\ option ...]\n.B %s\n.RI [ option ...]\n",
           command->name);
  if (*command->synopsis != '\0')
    put_macro (stream, "I", command->synopsis);
  if (command->description != NULL)
    {
      fputs (".SH DESCRIPTION\n", stream);
      put_paragraphs (stream, command->description);
    }
  fputs (".SH OPTIONS\n", stream);
  put_options (stream, cli_rows (command));
  fputs (".SH SEE ALSO\n.BR tare (1)\n", stream);
}

static void
put_all (FILE *stream, const struct cli_table *table)
{
  put_title (stream, NULL);
  fputs ("\n.SH SYNOPSIS\n.B tare\n.RI [ global\\ option ...]\n.I command\n"
         ".RI [ option ...]\n.RI [ argument ...]\n.SH COMMANDS\n",
         stream);
  for (const struct cli_command *const *c = table->commands; *c != NULL; c++)
    if ((*c)->refusal == NULL)
      {
        fprintf (stream, ".TP\n.BR tare\\-%s (1)\n", (*c)->name);
        put_text (stream, (*c)->summary);
        fputs (".\n", stream);
      }
  fputs (".SH GLOBAL OPTIONS\n"
         "They stand before the command. An option is written\n"
         ".BI \\-\\-name= value\nor\n.BI \\-\\-name\\  value\\fR;\n"
         "one dash is enough. A flag can be taken back:\n.BR \\-\\-name=false .\n"
         "A command's options may follow its arguments, but not those of a program.\n",
         stream);
  put_options (stream, table->options);
}

void
cli_put_manual (FILE *stream, const struct cli_table *table, const struct cli_command *command)
{
  if (command != NULL)
    put_command (stream, command);
  else
    put_all (stream, table);
}
