/* tare events: a line of JSON for everything that happens to a container, and every so often one
 * with what it uses, until it ends. The lines are runc's.
 */
#define _GNU_SOURCE
#include "cli.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct events_options
{
  bool stats;
  const char *interval;
};

static const uint64_t most_milliseconds = 24 * 3600 * 1000; /* poll counts in an int */

/* "5s", "1m30s", "250ms", or seconds without a unit. */
static int
parse_interval (const char *text, uint64_t *ret_milliseconds)
{
  static const struct
  {
    const char *name;
    uint64_t milliseconds;
  } units[] = {
    { "ms", 1 }, { "h", 3600 * 1000 }, { "m", 60 * 1000 }, { "s", 1000 }, { "", 1000 }
  };
  uint64_t total = 0;
  while (*text != '\0')
    {
      char digits[12];
      uint32_t number;
      size_t n = strspn (text, "0123456789"), unit = 0;
      if (n == 0 || n >= sizeof digits)
        return -EINVAL;
      memcpy (digits, text, n);
      digits[n] = '\0';
      text += n;
      while (unit < COUNT_OF (units) && strncmp (text, units[unit].name, strlen (units[unit].name)))
        unit++;
      if (unit == COUNT_OF (units) || cli_number (digits, UINT32_MAX, &number) < 0)
        return -EINVAL;
      text += strlen (units[unit].name);
      total += number * units[unit].milliseconds;
    }
  *ret_milliseconds = total;
  return total > 0 && total <= most_milliseconds ? 0 : -ERANGE;
}

static uint64_t
now_milliseconds (void)
{
  struct timespec now;
  (void) clock_gettime (CLOCK_MONOTONIC, &now);
  return (uint64_t) now.tv_sec * 1000 + (uint64_t) now.tv_nsec / 1000000;
}

static int
print_stats (const struct cli *cli, const char *id, struct tare_error *error)
{
  char *json = NULL;
  int r = tare_stats (cli->context, id, &json, error);
  if (r >= 0)
    r = cli_print (cli, json, strlen (json), error);
  free (json);
  return r;
}

/* An id has no character that JSON would escape. */
static int
print_oom (const struct cli *cli, const char *id, struct tare_error *error)
{
  char line[512];
  int n = snprintf (line, sizeof line, "{\"type\":\"oom\",\"id\":\"%s\"}\n", id);
  return cli_print (cli, line, (size_t) n, error);
}

/* Waits for an event, for the reader to go away, or until the time. 1: the container has ended. */
static int
wait_for_event (const struct cli *cli, const char *id, struct tare_events *events, uint64_t until,
                struct tare_error *error)
{
  struct pollfd fds[] = {
    { .fd = tare_events_fd (events), .events = POLLIN },
    { .fd = STDOUT_FILENO, .events = 0 },
  };
  uint64_t now = now_milliseconds ();
  int r = poll (fds, COUNT_OF (fds), until > now ? (int) (until - now) : 0);
  if (r < 0)
    return errno == EINTR ? 0 : cli_system_error (error, "poll");
  if ((fds[1].revents & (POLLERR | POLLHUP)) != 0)
    return tare_error_set (error, TARE_ERROR_SYSTEM, -EPIPE, "write to standard output: %s",
                           strerror (EPIPE));
  int happened = tare_events_take (events);
  if (happened < 0)
    return tare_error_set (error, TARE_ERROR_SYSTEM, happened, "events: %s", strerror (-happened));
  r = (happened & TARE_EVENT_OOM) != 0 ? print_oom (cli, id, error) : 0;
  return r < 0 ? r : (happened & TARE_EVENT_END) != 0;
}

static int
follow (const struct cli *cli, const char *id, uint64_t interval, struct tare_error *error)
{
  struct tare_events *events = NULL;
  int r = tare_events_open (cli->context, id, &events, error);
  if (r < 0)
    return r;
  uint64_t next = now_milliseconds () + interval;
  while (r == 0)
    {
      r = wait_for_event (cli, id, events, next, error);
      if (r != 0 || now_milliseconds () < next)
        continue;
      next += interval;
      struct tare_error gone = { 0 };
      r = print_stats (cli, id, &gone);
      if (r < 0 && (gone.kind == TARE_ERROR_STATUS || gone.kind == TARE_ERROR_NOT_FOUND))
        r = 1; /* it ended just now */
      else if (r < 0)
        *error = gone;
    }
  tare_events_free (events);
  return r < 0 ? r : 0;
}

static int
run_events (struct cli *cli, const void *values, char **arguments, size_t count,
            struct tare_error *error)
{
  const struct events_options *options = values;
  uint64_t interval = 5000;
  (void) count;
  int r = options->interval != NULL ? parse_interval (options->interval, &interval) : 0;
  if (r < 0)
    return tare_error_set (error, TARE_ERROR_USAGE, r,
                           "option '--interval': '%s' is not a time from 1ms to 24h, such as 5s",
                           options->interval);
  return options->stats ? print_stats (cli, arguments[0], error)
                        : follow (cli, arguments[0], interval, error);
}

static const struct cli_option options[] = {
  { "stats", 0, CLI_FLAG, NULL, offsetof (struct events_options, stats),
    "print what the container uses now, and end" },
  { "interval", 0, CLI_TEXT, "TIME", offsetof (struct events_options, interval),
    "how often to print what it uses (default: 5s)" },
  { 0 },
};

const struct cli_command cli_events = {
  .name = "events",
  .synopsis = "ID",
  .summary = "show what a container uses, and when its memory limit is reached",
  .options = options,
  .options_size = sizeof (struct events_options),
  .min = 1,
  .max = 1,
  .run = run_events,
};
