/* Which files of cgroup v1 tell what a group uses (admin-guide/cgroup-v1). */
#define _GNU_SOURCE
#include "cgroup/stats.h"

#include <stdio.h>

/* cpuacct.usage_percpu: "1200 0 50" */
static void
add_per_cpu (struct stats *stats, const char *name, const char *file)
{
  if (!stats_text (stats, file))
    return;
  char *rest = stats->text, *word;
  uint64_t value;
  json_open (&stats->json, name, '[');
  while ((word = strsep (&rest, " \n")) != NULL)
    if (parse_u64 (word, UINT64_MAX, &value) >= 0)
      json_number (&stats->json, NULL, value);
  json_close (&stats->json, ']');
}

void
stats_v1_cpuacct (struct stats *stats)
{
  uint64_t user = 0, kernel = 0, total = 0;
  (void) stats_number (stats, "cpuacct.usage", &total);
  (void) stats_number (stats, "cpuacct.usage_user", &user);
  (void) stats_number (stats, "cpuacct.usage_sys", &kernel);
  json_open (&stats->json, "usage", '{');
  json_number (&stats->json, "total", total);
  add_per_cpu (stats, "percpu", "cpuacct.usage_percpu");
  add_per_cpu (stats, "percpu_kernel", "cpuacct.usage_percpu_sys");
  add_per_cpu (stats, "percpu_user", "cpuacct.usage_percpu_user");
  json_number (&stats->json, "kernel", kernel);
  json_number (&stats->json, "user", user);
  json_close (&stats->json, '}');
}

void
stats_v1_cpu (struct stats *stats)
{
  bool there = stats_text (stats, "cpu.stat");
  json_open (&stats->json, "throttling", '{');
  if (there)
    {
      json_number (&stats->json, "periods", stats_keyed (stats->text, "nr_periods"));
      json_number (&stats->json, "throttledPeriods", stats_keyed (stats->text, "nr_throttled"));
      json_number (&stats->json, "throttledTime", stats_keyed (stats->text, "throttled_time"));
    }
  json_close (&stats->json, '}');
}

void
stats_v1_memory (struct stats *stats)
{
  static const struct
  {
    const char *name;
    struct stats_usage files;
  } usages[] = {
    { "usage",
      { "memory.limit_in_bytes", "memory.usage_in_bytes", "memory.max_usage_in_bytes",
        "memory.failcnt" } },
    { "swap",
      { "memory.memsw.limit_in_bytes", "memory.memsw.usage_in_bytes",
        "memory.memsw.max_usage_in_bytes", "memory.memsw.failcnt" } },
    { "kernel",
      { "memory.kmem.limit_in_bytes", "memory.kmem.usage_in_bytes",
        "memory.kmem.max_usage_in_bytes", "memory.kmem.failcnt" } },
    { "kernelTCP",
      { "memory.kmem.tcp.limit_in_bytes", "memory.kmem.tcp.usage_in_bytes",
        "memory.kmem.tcp.max_usage_in_bytes", "memory.kmem.tcp.failcnt" } },
  };
  if (stats_text (stats, "memory.stat"))
    {
      json_number (&stats->json, "cache", stats_keyed (stats->text, "cache"));
      stats_add_raw (stats, stats->text);
    }
  for (size_t i = 0; i < COUNT_OF (usages); i++)
    stats_add_usage (stats, usages[i].name, &usages[i].files);
}

/* "8:0 Read 4096"; "Total 4096" is left out. */
static void
add_list (struct stats *stats, const char *name, const char *file)
{
  if (!stats_text (stats, file))
    return;
  char *rest = stats->text, *line;
  json_open (&stats->json, name, '[');
  while ((line = strsep (&rest, "\n")) != NULL)
    {
      const char *device = strsep (&line, " ");
      const char *operation = line != NULL ? strsep (&line, " ") : NULL;
      uint64_t value;
      if (line != NULL && parse_u64 (line, UINT64_MAX, &value) >= 0)
        stats_add_device (stats, device, operation, value);
      else if (operation != NULL && parse_u64 (operation, UINT64_MAX, &value) >= 0)
        stats_add_device (stats, device, "", value);
    }
  json_close (&stats->json, ']');
}

/* The bfq scheduler counts what goes through it, the throttling layer everything. */
void
stats_v1_io (struct stats *stats)
{
  static const struct
  {
    const char *name, *file;
  } lists[] = {
    { "ioServiceBytesRecursive", "blkio.throttle.io_service_bytes_recursive" },
    { "ioServicedRecursive", "blkio.throttle.io_serviced_recursive" },
    { "ioQueueRecursive", "blkio.bfq.io_queued_recursive" },
    { "ioServiceTimeRecursive", "blkio.bfq.io_service_time_recursive" },
    { "ioWaitTimeRecursive", "blkio.bfq.io_wait_time_recursive" },
    { "ioMergedRecursive", "blkio.bfq.io_merged_recursive" },
    { "ioTimeRecursive", "blkio.bfq.time_recursive" },
    { "sectorsRecursive", "blkio.bfq.sectors_recursive" },
  };
  for (size_t i = 0; i < COUNT_OF (lists); i++)
    add_list (stats, lists[i].name, lists[i].file);
}

void
stats_v1_hugetlb (struct stats *stats)
{
  static const struct stats_pages files = { ".usage_in_bytes", ".max_usage_in_bytes", ".failcnt" };
  stats_add_pages (stats, &files);
}
