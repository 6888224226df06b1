/* What a group uses, as the JSON that runc's `events` prints and managers read.
 *
 * Owns the order of it, and what is read from which hierarchy: each controller where it is, v1 or
 * v2. What a kernel does not tell is left out. May not change anything.
 */
#define _GNU_SOURCE
#include "cgroup/stats.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>

enum
{
  MOST_TEXT = 128 << 10,
};

/* ---- reading --------------------------------------------------------------------------------- */

bool
stats_text (struct stats *stats, const char *file)
{
  return group_read (stats->group, file, stats->text, MOST_TEXT) >= 0;
}

bool
stats_number (struct stats *stats, const char *file, uint64_t *ret_value)
{
  char text[32];
  if (group_read (stats->group, file, text, sizeof text) < 0)
    return false;
  if (!str_equal (text, "max"))
    return parse_u64 (text, UINT64_MAX, ret_value) >= 0;
  *ret_value = UINT64_MAX;
  return true;
}

/* "key 5" up to the end of the line. */
static bool
parse_line (const char *line, char key[static 64], uint64_t *ret_value)
{
  char number[24];
  size_t length = strcspn (line, " \n");
  size_t digits = line[length] == ' ' ? strcspn (line + length + 1, "\n") : 0;
  if (length >= 64 || digits == 0 || digits >= sizeof number)
    return false;
  memcpy (key, line, length);
  key[length] = '\0';
  memcpy (number, line + length + 1, digits);
  number[digits] = '\0';
  return parse_u64 (number, UINT64_MAX, ret_value) >= 0;
}

static const char *
next_line (const char *line)
{
  line += strcspn (line, "\n");
  return *line == '\n' ? line + 1 : line;
}

uint64_t
stats_keyed (const char *text, const char *key)
{
  char name[64];
  uint64_t value;
  for (; *text != '\0'; text = next_line (text))
    if (parse_line (text, name, &value) && str_equal (name, key))
      return value;
  return 0;
}

/* ---- printing -------------------------------------------------------------------------------- */

void
stats_add (struct stats *stats, const char *name, const char *file)
{
  uint64_t value;
  if (file != NULL && stats_number (stats, file, &value))
    json_number (&stats->json, name, value);
}

void
stats_add_usage (struct stats *stats, const char *name, const struct stats_usage *files)
{
  uint64_t failures = 0;
  json_open (&stats->json, name, '{');
  stats_add (stats, "limit", files->limit);
  stats_add (stats, "usage", files->usage);
  stats_add (stats, "max", files->max);
  if (files->failcnt != NULL)
    (void) stats_number (stats, files->failcnt, &failures);
  json_number (&stats->json, "failcnt", failures);
  json_close (&stats->json, '}');
}

void
stats_add_raw (struct stats *stats, const char *text)
{
  char name[64];
  uint64_t value;
  json_open (&stats->json, "raw", '{');
  for (; *text != '\0'; text = next_line (text))
    if (parse_line (text, name, &value))
      json_number (&stats->json, name, value);
  json_close (&stats->json, '}');
}

/* "some avg10=0.00 avg60=0.12 avg300=0.00 total=5": numbers in JSON too. */
void
stats_add_pressure (struct stats *stats, const char *file)
{
  char text[512];
  if (group_read (stats->group, file, text, sizeof text) < 0)
    return; /* ENOENT, or EOPNOTSUPP: switched off */
  char *rest = text, *line;
  json_open (&stats->json, "psi", '{');
  while ((line = strsep (&rest, "\n")) != NULL)
    {
      const char *word = strsep (&line, " ");
      json_open (&stats->json, word, '{');
      while (line != NULL && (word = strsep (&line, " ")) != NULL)
        {
          char *value = strchr (word, '=');
          if (value == NULL || value[1 + strspn (value + 1, "0123456789.")] != '\0')
            continue;
          *value = '\0';
          json_raw (&stats->json, word, value + 1);
        }
      json_close (&stats->json, '}');
    }
  json_close (&stats->json, '}');
}

void
stats_add_set (struct stats *stats, const char *name, const char *file)
{
  if (!stats_text (stats, file))
    return;
  char *rest = stats->text, *word;
  json_open (&stats->json, name, '[');
  while ((word = strsep (&rest, ",")) != NULL)
    {
      uint64_t first, last;
      char *dash = strchr (word, '-');
      if (dash != NULL)
        *dash = '\0';
      if (parse_u64 (word, UINT16_MAX, &first) < 0
          || parse_u64 (dash != NULL ? dash + 1 : word, UINT16_MAX, &last) < 0)
        continue;
      for (; first <= last; first++)
        json_number (&stats->json, NULL, first);
    }
  json_close (&stats->json, ']');
}

void
stats_add_device (struct stats *stats, const char *device, const char *operation, uint64_t value)
{
  char major[16];
  uint64_t number;
  const char *colon = strchr (device, ':');
  if (colon == NULL || (size_t) (colon - device) >= sizeof major)
    return;
  json_open (&stats->json, NULL, '{');
  (void) snprintf (major, sizeof major, "%.*s", (int) (colon - device), device);
  if (parse_u64 (major, UINT32_MAX, &number) >= 0)
    json_number (&stats->json, "major", number);
  if (parse_u64 (colon + 1, UINT32_MAX, &number) >= 0)
    json_number (&stats->json, "minor", number);
  if (*operation != '\0')
    json_string (&stats->json, "op", operation);
  json_number (&stats->json, "value", value);
  json_close (&stats->json, '}');
}

/* Reserved pages are the container's as well, where the kernel counts them (since 5.7). */
static void
add_size (struct stats *stats, const char *size, const struct stats_pages *files)
{
  char usage[96], max[96], failures[96];
  struct stats_usage names = { .usage = usage };
  uint64_t value;
  const char *part = ".rsvd";
  (void) snprintf (usage, sizeof usage, "hugetlb.%s%s%s", size, part, files->usage);
  if (!stats_number (stats, usage, &value))
    part = "";
  (void) snprintf (usage, sizeof usage, "hugetlb.%s%s%s", size, part, files->usage);
  if (files->max != NULL)
    {
      (void) snprintf (max, sizeof max, "hugetlb.%s%s%s", size, part, files->max);
      (void) snprintf (failures, sizeof failures, "hugetlb.%s%s%s", size, part, files->failcnt);
      names.max = max;
      names.failcnt = failures;
    }
  stats_add_usage (stats, size, &names);
}

void
stats_add_pages (struct stats *stats, const struct stats_pages *files)
{
  autoclose int copy = group_open (stats->group, "", O_RDONLY);
  DIR *directory = copy >= 0 ? fdopendir (copy) : NULL;
  const struct dirent *entry;
  if (directory == NULL)
    return;
  (void) take_fd (&copy);
  while ((entry = readdir (directory)) != NULL)
    {
      const char *rest = str_after (entry->d_name, "hugetlb.");
      size_t length = rest != NULL ? strcspn (rest, ".") : 0;
      char size[32];
      if (rest == NULL || length >= sizeof size || !str_equal (rest + length, files->usage))
        continue;
      memcpy (size, rest, length);
      size[length] = '\0';
      add_size (stats, size, files);
    }
  (void) closedir (directory);
}

/* ---- the whole ------------------------------------------------------------------------------- */

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
  autofree char *text = calloc (1, MOST_TEXT);
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
