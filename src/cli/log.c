/* Where messages go: stderr, a file, the journal (its native datagram protocol), syslog (RFC 3164
 * by /dev/log); as text or as one JSON object a line.
 *
 * Managers read this. Podman parses the whole file as *one* object, so a failed operation writes
 * one error record there and, at the default level, nothing else: warnings go to stderr then. An
 * error goes to stderr as well: conmon and people look there. The messages are one line of valid
 * UTF-8 already (tare_escape).
 */
#define _GNU_SOURCE
#include "cli.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static const struct
{
  const char *name;
  enum tare_log_level level;
} levels[] = {
  { "error", TARE_LOG_ERROR }, { "warning", TARE_LOG_WARNING }, { "warn", TARE_LOG_WARNING },
  { "info", TARE_LOG_INFO },   { "debug", TARE_LOG_DEBUG },     { "trace", TARE_LOG_DEBUG },
};

static const char *
level_name (enum tare_log_level level)
{
  for (size_t i = 0; i < COUNT_OF (levels); i++)
    if (levels[i].level == level)
      return levels[i].name;
  return "error";
}

/* Of syslog(3), which journald uses as well. */
static int
priority (enum tare_log_level level)
{
  static const int priorities[] = {
    [TARE_LOG_ERROR] = 3, [TARE_LOG_WARNING] = 4, [TARE_LOG_INFO] = 6, [TARE_LOG_DEBUG] = 7
  };
  return priorities[level];
}

static int
parse_level (const char *text, enum tare_log_level *ret_level, struct tare_error *error)
{
  for (size_t i = 0; i < COUNT_OF (levels); i++)
    if (strcmp (text, levels[i].name) == 0)
      {
        *ret_level = levels[i].level;
        return 0;
      }
  return tare_error_set (error, TARE_ERROR_USAGE, -EINVAL,
                         "option '--log-level': '%s' is not one of error, warning, info, debug",
                         text);
}

static int
open_socket (struct cli_log *log, enum cli_destination destination, const char *path,
             const char *identifier, struct tare_error *error)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  snprintf (address.sun_path, sizeof address.sun_path, "%s", path);
  int fd = socket (AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || connect (fd, (struct sockaddr *) &address, sizeof address) < 0)
    {
      int code = errno;
      if (fd >= 0)
        (void) close (fd);
      return tare_error_set (error, TARE_ERROR_SYSTEM, -code, "log: connect to '%s': %s", path,
                             strerror (code));
    }
  log->destination = destination;
  log->fd = fd;
  log->identifier = *identifier != '\0' ? identifier : "tare";
  return 0;
}

static int
open_file (struct cli_log *log, const char *path, struct tare_error *error)
{
  int fd = open (path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0644);
  if (fd < 0)
    {
      int code = errno;
      return tare_error_set (error, TARE_ERROR_SYSTEM, -code, "log: open '%s': %s", path,
                             strerror (code));
    }
  log->destination = CLI_LOG_FILE;
  log->fd = fd;
  return 0;
}

static int
open_destination (struct cli_log *log, const char *text, struct tare_error *error)
{
  const char *colon = strchr (text, ':');
  size_t length = colon != NULL ? (size_t) (colon - text) : 0;
  /* "a:b" may be a kind of log that another runtime has; "/a:b" and "./a:b" are files. */
  if (length == 0 || memchr (text, '/', length) != NULL)
    return open_file (log, text, error);
  if (length == 4 && strncmp (text, "file", length) == 0)
    return open_file (log, colon + 1, error);
  if (length == 8 && strncmp (text, "journald", length) == 0)
    return open_socket (log, CLI_LOG_JOURNALD, "/run/systemd/journal/socket", colon + 1, error);
  if (length == 6 && strncmp (text, "syslog", length) == 0)
    return open_socket (log, CLI_LOG_SYSLOG, "/dev/log", colon + 1, error);
  return tare_error_set (error, TARE_ERROR_USAGE, -EINVAL,
                         "option '--log': '%s' is not one of PATH, file:PATH, journald:ID, "
                         "syslog:ID",
                         text);
}

int
cli_log_open (struct cli_log *log, const char *destination, const char *format, const char *level,
              bool debug, struct tare_error *error)
{
  static const char *const formats[] = { "text", "json" };
  int r;
  log->level = debug ? TARE_LOG_DEBUG : TARE_LOG_WARNING;
  if (format != NULL)
    {
      r = cli_choose ("--log-format", format, formats, COUNT_OF (formats), error);
      if (r < 0)
        return r;
      log->json = r == 1;
    }
  log->errors_only = log->json && level == NULL && !debug;
  if (level != NULL)
    {
      r = parse_level (level, &log->level, error);
      if (r < 0)
        return r;
    }
  return destination != NULL ? open_destination (log, destination, error) : 0;
}

/* RFC 3339, UTC, nanoseconds. */
static void
put_time (char *out, size_t size)
{
  struct timespec now = { 0 };
  struct tm parts = { 0 };
  char text[32] = "";
  (void) clock_gettime (CLOCK_REALTIME, &now);
  (void) gmtime_r (&now.tv_sec, &parts);
  (void) strftime (text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
  snprintf (out, size, "%s.%09ldZ", text, now.tv_nsec);
}

static void
put_json (FILE *stream, enum tare_log_level level, const char *message, const char *when)
{
  fprintf (stream, "{\"level\":\"%s\",\"msg\":\"", level_name (level));
  for (const char *c = message; *c != '\0'; c++)
    {
      if (*c == '"' || *c == '\\')
        fputc ('\\', stream);
      fputc (*c, stream);
    }
  fprintf (stream, "\",\"time\":\"%s\"}", when);
}

/* The record as its destination wants it, without the end of the line. */
static void
put_record (const struct cli_log *log, FILE *stream, enum tare_log_level level, const char *message)
{
  char when[64];
  put_time (when, sizeof when);
  if (log->destination == CLI_LOG_JOURNALD)
    fprintf (stream, "PRIORITY=%d\nSYSLOG_IDENTIFIER=%s\nMESSAGE=", priority (level),
             log->identifier);
  else if (log->destination == CLI_LOG_SYSLOG) /* 3 << 3: the facility "daemon" */
    fprintf (stream, "<%d>%s[%d]: ", 3 << 3 | priority (level), log->identifier, (int) getpid ());
  if (log->json)
    put_json (stream, level, message, when);
  else if (log->destination == CLI_LOG_FILE)
    fprintf (stream, "%s %s: %s", when, level_name (level), message);
  else if (log->destination == CLI_LOG_STDERR)
    fprintf (stream, "tare: %s%s%s", level == TARE_LOG_ERROR ? "" : level_name (level),
             level == TARE_LOG_ERROR ? "" : ": ", message);
  else
    fputs (message, stream);
  if (log->destination != CLI_LOG_SYSLOG)
    fputc ('\n', stream);
}

/* One write: two processes may share the file. That it fails cannot be told to anybody. */
static void
emit (const struct cli_log *log, enum tare_log_level level, const char *message)
{
  char *text = NULL;
  size_t length = 0;
  FILE *stream = open_memstream (&text, &length);
  if (stream == NULL)
    return;
  put_record (log, stream, level, message);
  if (fclose (stream) == 0)
    {
      bool datagram = log->destination == CLI_LOG_JOURNALD || log->destination == CLI_LOG_SYSLOG;
      ssize_t done = datagram ? send (log->fd, text, length, MSG_NOSIGNAL | MSG_DONTWAIT)
                              : write (log->fd, text, length);
      (void) done;
    }
  free (text);
}

void
cli_log_write (const struct cli_log *log, enum tare_log_level level, const char *message)
{
  const struct cli_log terminal = { .destination = CLI_LOG_STDERR, .fd = STDERR_FILENO };
  if (level > log->level)
    return;
  bool elsewhere = log->destination != CLI_LOG_STDERR;
  bool left_out = elsewhere && log->errors_only && level != TARE_LOG_ERROR;
  if (!left_out)
    emit (log, level, message);
  if (elsewhere && (left_out || level == TARE_LOG_ERROR))
    emit (&terminal, level, message);
}
