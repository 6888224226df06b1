/* Standard output, and the small checks that several commands share. What cannot be written is an
 * error: a manager would otherwise take silence for an answer. */
#define _GNU_SOURCE
#include "cli.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int
cli_print (const struct cli *cli, const char *text, size_t length, struct tare_error *error)
{
  int code = cli->stdout_closed ? EBADF : 0;
  while (code == 0 && length > 0)
    {
      ssize_t n = write (STDOUT_FILENO, text, length);
      if (n >= 0)
        {
          text += n;
          length -= (size_t) n;
        }
      else if (errno == EAGAIN)
        {
          struct pollfd wait = { STDOUT_FILENO, POLLOUT, 0 };
          (void) poll (&wait, 1, -1);
        }
      else if (errno != EINTR)
        code = errno;
    }
  if (code != 0)
    return tare_error_set (error, TARE_ERROR_SYSTEM, -code, "write to standard output: %s",
                           strerror (code));
  return 0;
}

FILE *
cli_open_text (char **text, size_t *length, struct tare_error *error)
{
  FILE *stream = open_memstream (text, length);
  if (stream == NULL)
    tare_error_set (error, TARE_ERROR_SYSTEM, -ENOMEM, "out of memory");
  return stream;
}

int
cli_print_text (const struct cli *cli, FILE *stream, char **text, size_t *length,
                struct tare_error *error)
{
  int r = fclose (stream) == 0
              ? cli_print (cli, *text, *length, error)
              : tare_error_set (error, TARE_ERROR_SYSTEM, -ENOMEM, "out of memory");
  free (*text);
  return r;
}

int
cli_choose (const char *option, const char *text, const char *const *names, size_t count,
            struct tare_error *error)
{
  char list[256] = "";
  size_t length = 0;
  for (size_t i = 0; i < count; i++)
    {
      if (strcmp (text, names[i]) == 0)
        return (int) i;
      int n = snprintf (list + length, sizeof list - length, "%s%s", i > 0 ? ", " : "", names[i]);
      length += n > 0 && (size_t) n < sizeof list - length ? (size_t) n : 0;
    }
  return tare_error_set (error, TARE_ERROR_USAGE, -EINVAL, "option '%s': '%s' is not one of %s",
                         option, text, list);
}

int
cli_system_error (struct tare_error *error, const char *what)
{
  int code = errno;
  return tare_error_set (error, TARE_ERROR_SYSTEM, -code, "%s: %s", what, strerror (code));
}
