/* Log lines: formats, escapes, hands on. Where they go is the caller's callback. */
#include "base/log.h"
#include "base/str.h"

#include <stdarg.h>
#include <stdio.h>

void
log_at (const struct log *log, enum tare_log_level level, const char *format, ...)
{
  char text[4096], line[8192];
  if (log == NULL || log->write == NULL || level > log->level)
    return;
  va_list arguments;
  va_start (arguments, format);
  int length = vsnprintf (text, sizeof text, format, arguments);
  va_end (arguments);
  if (length < 0)
    return;
  if ((size_t) length >= sizeof text)
    text[utf8_cut (text, sizeof text - 1)] = '\0';
  escape_line (text, line, sizeof line);
  log->write (level, line, log->argument);
}
