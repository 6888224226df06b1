/* Log lines, to a callback or a destination. A struct log belongs to one context; there is no
 * global one. Text that came from a config is escaped: one message is one line, always. */
#ifndef TARE_BASE_LOG_H
#define TARE_BASE_LOG_H

#include "tare.h"

struct log
{
  void (*write) (enum tare_log_level level, const char *message, void *argument);
  void *argument;
  enum tare_log_level level;
};

/* Formats and hands on if level is wanted. log may be NULL. */
void log_at (const struct log *log, enum tare_log_level level, const char *format, ...)
    __attribute__ ((format (printf, 3, 4)));
#define log_warning(log, ...) log_at (log, TARE_LOG_WARNING, __VA_ARGS__)
#define log_debug(log, ...)   log_at (log, TARE_LOG_DEBUG, __VA_ARGS__)

#endif
