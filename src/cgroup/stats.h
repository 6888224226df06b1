/* Inside the statistics of a group: stats_members.c (what both versions have in common),
 * stats_v1.c, stats_v2.c (which files tell it). */
#ifndef TARE_CGROUP_STATS_H
#define TARE_CGROUP_STATS_H

#include "base/json.h"
#include "cgroup/private.h"

enum
{
  STATS_MOST_TEXT = 128 << 10,
};

struct stats
{
  struct json json;
  int group;  /* of the hierarchy that is being read */
  char *text; /* STATS_MOST_TEXT bytes: what stats_text read last */
};

/* The file as text, cut at a size that none of them has; false if it cannot be read. */
bool stats_text (struct stats *stats, const char *file);
/* The number in a file, "max" is the largest there is; false if there is none. */
bool stats_number (struct stats *stats, const char *file, uint64_t *ret_value);
/* The number behind key in the lines of text: "key 5"; 0 if there is none. */
uint64_t stats_keyed (const char *text, const char *key);
/* Member name is the number in the file, if there is one. */
void stats_add (struct stats *stats, const char *name, const char *file);
/* {limit, usage, max, failcnt}; only those that are there but for the last, which is always. */
struct stats_usage
{
  const char *limit, *usage, *max, *failcnt;
};
void stats_add_usage (struct stats *stats, const char *name, const struct stats_usage *files);
/* "raw": the lines of text as members. */
void stats_add_raw (struct stats *stats, const char *text);
/* "psi", from a pressure file (accounting/psi), if there is one. */
void stats_add_pressure (struct stats *stats, const char *file);
/* "0-2,5" as an array of numbers. */
void stats_add_set (struct stats *stats, const char *name, const char *file);
/* An element of a list of block devices. */
void stats_add_device (struct stats *stats, const char *device, const char *operation,
                       uint64_t value);
/* Members for each size of huge pages that the group has: files "hugetlb.SIZE<...>". */
struct stats_pages
{
  const char *usage, *max, *failcnt; /* what follows the size */
};
void stats_add_pages (struct stats *stats, const struct stats_pages *files);

void stats_v1_cpu (struct stats *stats);
void stats_v1_cpuacct (struct stats *stats);
void stats_v1_memory (struct stats *stats);
void stats_v1_io (struct stats *stats);
void stats_v1_hugetlb (struct stats *stats);
void stats_v2_cpu (struct stats *stats);
void stats_v2_memory (struct stats *stats);
void stats_v2_io (struct stats *stats);
void stats_v2_hugetlb (struct stats *stats);

#endif
