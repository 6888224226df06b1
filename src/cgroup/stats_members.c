/* The members of statistics that v1 and v2 have in common, from their files. What a kernel does not
 * tell is left out. */
#define _GNU_SOURCE
#include "cgroup/stats.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>

/* ---- reading --------------------------------------------------------------------------------- */

bool
stats_text (struct stats *stats, const char *file)
{
  return group_read (stats->group, file, stats->text, STATS_MOST_TEXT) >= 0;
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
