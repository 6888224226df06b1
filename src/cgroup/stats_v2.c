/* Which files of cgroup v2 tell what a group uses (admin-guide/cgroup-v2). Times are microseconds
 * there; what is printed has nanoseconds. */
#define _GNU_SOURCE
#include "cgroup/stats.h"

static void
add_nanoseconds (struct stats *stats, const char *name, const char *key)
{
  json_number (&stats->json, name, stats_keyed (stats->text, key) * 1000);
}

void
stats_v2_cpu (struct stats *stats)
{
  if (!stats_text (stats, "cpu.stat"))
    *stats->text = '\0';
  json_open (&stats->json, "usage", '{');
  add_nanoseconds (stats, "total", "usage_usec");
  add_nanoseconds (stats, "kernel", "system_usec");
  add_nanoseconds (stats, "user", "user_usec");
  json_close (&stats->json, '}');
  json_open (&stats->json, "throttling", '{');
  json_number (&stats->json, "periods", stats_keyed (stats->text, "nr_periods"));
  json_number (&stats->json, "throttledPeriods", stats_keyed (stats->text, "nr_throttled"));
  add_nanoseconds (stats, "throttledTime", "throttled_usec");
  json_close (&stats->json, '}');
  stats_add_pressure (stats, "cpu.pressure");
}

static uint64_t
add_limited (uint64_t a, uint64_t b)
{
  uint64_t sum;
  return __builtin_add_overflow (a, b, &sum) ? UINT64_MAX : sum;
}

/* Readers know v1, whose limit of swap is one of memory and swap together. */
static void
add_swap (struct stats *stats, uint64_t usage, uint64_t limit)
{
  uint64_t swap_usage, swap_limit;
  if (!stats_number (stats, "memory.swap.current", &swap_usage)
      || !stats_number (stats, "memory.swap.max", &swap_limit))
    return;
  json_open (&stats->json, "swap", '{');
  json_number (&stats->json, "limit", add_limited (limit, swap_limit));
  json_number (&stats->json, "usage", add_limited (usage, swap_usage));
  json_number (&stats->json, "failcnt",
               stats_text (stats, "memory.swap.events") ? stats_keyed (stats->text, "fail") : 0);
  json_close (&stats->json, '}');
}

void
stats_v2_memory (struct stats *stats)
{
  uint64_t usage = 0, limit = UINT64_MAX;
  if (stats_text (stats, "memory.stat"))
    {
      json_number (&stats->json, "cache", stats_keyed (stats->text, "file"));
      stats_add_raw (stats, stats->text);
    }
  (void) stats_number (stats, "memory.max", &limit);
  (void) stats_number (stats, "memory.current", &usage);
  json_open (&stats->json, "usage", '{');
  json_number (&stats->json, "limit", limit);
  json_number (&stats->json, "usage", usage);
  stats_add (stats, "max", "memory.peak");
  json_number (&stats->json, "failcnt",
               stats_text (stats, "memory.events") ? stats_keyed (stats->text, "max") : 0);
  json_close (&stats->json, '}');
  add_swap (stats, usage, limit);
  stats_add_pressure (stats, "memory.pressure");
}

/* "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6": the one that begins with prefix. */
static void
add_column (struct stats *stats, const char *line, const char *prefix, const char *operation)
{
  const char *at = strstr (line, prefix);
  uint64_t value;
  char number[24], device[32];
  size_t length = at != NULL ? strcspn (at + strlen (prefix), " ") : 0;
  size_t name = strcspn (line, " ");
  if (length == 0 || length >= sizeof number || name >= sizeof device)
    return;
  memcpy (number, at + strlen (prefix), length);
  number[length] = '\0';
  memcpy (device, line, name);
  device[name] = '\0';
  if (parse_u64 (number, UINT64_MAX, &value) >= 0)
    stats_add_device (stats, device, operation, value);
}

void
stats_v2_io (struct stats *stats)
{
  static const struct
  {
    const char *list, *prefixes[3];
  } lists[] = {
    { "ioServiceBytesRecursive", { " rbytes=", " wbytes=", " dbytes=" } },
    { "ioServicedRecursive", { " rios=", " wios=", " dios=" } },
  };
  static const char *const operations[] = { "Read", "Write", "Discard" };
  if (!stats_text (stats, "io.stat"))
    *stats->text = '\0';
  for (size_t i = 0; i < COUNT_OF (lists); i++)
    {
      json_open (&stats->json, lists[i].list, '[');
      for (char *line = stats->text; *line != '\0';)
        {
          char *end = line + strcspn (line, "\n"), last = *end;
          *end = '\0';
          for (size_t p = 0; p < COUNT_OF (operations); p++)
            add_column (stats, line, lists[i].prefixes[p], operations[p]);
          *end = last;
          line = end + (last != '\0');
        }
      json_close (&stats->json, ']');
    }
  stats_add_pressure (stats, "io.pressure");
}

void
stats_v2_hugetlb (struct stats *stats)
{
  static const struct stats_pages files = { ".current", NULL, NULL };
  stats_add_pages (stats, &files);
}
