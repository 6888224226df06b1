/* What a group uses, as the JSON that runc's `events` prints and managers read.
 *
 * Owns the order of it, and what is read from which hierarchy: each controller where it is, v1 or
 * v2. May not change anything.
 */
#include "cgroup/stats.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
cpuset_v1 (struct stats *stats)
{
  static const char *const flags[] = { "cpu_exclusive",      "mem_hardwall",
                                       "mem_exclusive",      "memory_migrate",
                                       "memory_spread_page", "memory_spread_slab",
                                       "memory_pressure",    "sched_load_balance" };
  stats_add_set (stats, "cpus", "cpuset.cpus");
  stats_add_set (stats, "mems", "cpuset.mems");
  for (size_t i = 0; i < COUNT_OF (flags); i++)
    {
      char file[64];
      (void) snprintf (file, sizeof file, "cpuset.%s", flags[i]);
      stats_add (stats, flags[i], file);
    }
}

static void
cpuset_v2 (struct stats *stats)
{
  stats_add_set (stats, "cpus", "cpuset.cpus.effective");
  stats_add_set (stats, "mems", "cpuset.mems.effective");
}

/* limit 0 is "none" to the readers. */
static void
pids (struct stats *stats)
{
  uint64_t limit;
  stats_add (stats, "current", "pids.current");
  if (stats_number (stats, "pids.max", &limit))
    json_number (&stats->json, "limit", limit == UINT64_MAX ? 0 : limit);
}

/* Rows of one member stand together. */
static const struct row
{
  const char *member, *controller; /* of v1 */
  void (*v1) (struct stats *stats);
  void (*v2) (struct stats *stats);
} rows[] = {
  { "cpu", "cpuacct", stats_v1_cpuacct, stats_v2_cpu },
  { "cpu", "cpu", stats_v1_cpu, NULL },
  { "cpuset", "cpuset", cpuset_v1, cpuset_v2 },
  { "memory", "memory", stats_v1_memory, stats_v2_memory },
  { "pids", "pids", pids, pids },
  { "blkio", "blkio", stats_v1_io, stats_v2_io },
  { "hugetlb", "hugetlb", stats_v1_hugetlb, stats_v2_hugetlb },
};

static void
add_row (struct stats *stats, const struct cgroup *cgroup, const struct row *row)
{
  const struct cgroup_hierarchy *v1 = hierarchy_held (cgroup, row->controller);
  const struct cgroup_hierarchy *v2 = hierarchy_held (cgroup, NULL);
  stats->group = v1 != NULL ? v1->fd : v2 != NULL ? v2->fd : -EBADF;
  if (v1 != NULL)
    row->v1 (stats);
  else if (v2 != NULL && row->v2 != NULL)
    row->v2 (stats);
}

int
cgroup_stats (const struct cgroup *cgroup, struct json *json, struct tare_error *error)
{
  struct stats stats = { .json = *json };
  int r = cgroup_refuse_none (cgroup, error);
  if (r < 0)
    return r;
  autofree char *text = calloc (1, STATS_MOST_TEXT);
  stats.text = text;
  if (text == NULL)
    return fail (error, ENOMEM, "read the statistics");
  json_open (&stats.json, "data", '{');
  for (size_t i = 0; i < COUNT_OF (rows); i++)
    {
      if (i == 0 || !str_equal (rows[i].member, rows[i - 1].member))
        json_open (&stats.json, rows[i].member, '{');
      add_row (&stats, cgroup, &rows[i]);
      if (i + 1 == COUNT_OF (rows) || !str_equal (rows[i].member, rows[i + 1].member))
        json_close (&stats.json, '}');
    }
  json_raw (&stats.json, "intel_rdt", "{}");
  json_raw (&stats.json, "network_interfaces", "[]");
  json_close (&stats.json, '}');
  *json = stats.json;
  return 0;
}
