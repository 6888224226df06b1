/* A TAP producer for the C tests: every check prints a line and is counted; tap_done prints the
 * plan and gives the exit status. Not for code under src. */
#ifndef TARE_TESTS_TAP_H
#define TARE_TESTS_TAP_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int tap_count, tap_failed;

/* A line of diagnosis. */
__attribute__ ((format (printf, 1, 2), unused)) static void
tap_note (const char *format, ...)
{
  va_list arguments;
  va_start (arguments, format);
  fputs ("# ", stdout);
  vprintf (format, arguments);
  putchar ('\n');
  va_end (arguments);
}

__attribute__ ((format (printf, 2, 3), unused)) static bool
ok (bool good, const char *format, ...)
{
  va_list arguments;
  va_start (arguments, format);
  tap_count++;
  tap_failed += !good;
  printf ("%s %d - ", good ? "ok" : "not ok", tap_count);
  vprintf (format, arguments);
  putchar ('\n');
  fflush (stdout);
  va_end (arguments);
  return good;
}

__attribute__ ((unused)) static bool
is_text (const char *got, const char *wanted, const char *name)
{
  bool good = got == NULL || wanted == NULL ? got == wanted : strcmp (got, wanted) == 0;
  if (!ok (good, "%s", name))
    {
      tap_note ("got    %s", got == NULL ? "(null)" : got);
      tap_note ("wanted %s", wanted == NULL ? "(null)" : wanted);
    }
  return good;
}

__attribute__ ((unused)) static bool
is_number (long long got, long long wanted, const char *name)
{
  if (!ok (got == wanted, "%s", name))
    tap_note ("got %lld, wanted %lld", got, wanted);
  return got == wanted;
}

__attribute__ ((unused)) static void
skip (const char *name, const char *reason)
{
  tap_count++;
  printf ("ok %d - %s # SKIP %s\n", tap_count, name, reason);
}

__attribute__ ((unused)) static int
tap_done (void)
{
  printf ("1..%d\n", tap_count);
  if (tap_failed > 0)
    tap_note ("%d of %d failed", tap_failed, tap_count);
  return tap_failed > 0 || tap_count == 0;
}

#endif
