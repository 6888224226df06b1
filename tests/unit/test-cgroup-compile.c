/* linux.resources to the list of writes, for each layout, held against tests/golden/cgroup:
 * NAME.json is the input, NAME.txt what it becomes. UPDATE=1 writes the latter. Then the
 * conversions. */
#define _GNU_SOURCE
#include "cgroup/settings.h"

#include <dirent.h>
#include <math.h>

#include "tests/unit/tap.h"

static const struct
{
  const char *name;
  struct cgroup_facts facts;
} layouts[] = {
  { "v1",
    { "cpuset,cpu,cpuacct,blkio,memory,devices,freezer,net_cls,net_prio,hugetlb,pids,rdma", "" } },
  { "v2", { "", "cpuset cpu io memory hugetlb pids rdma misc" } },
  { "hybrid, huge pages in the v2 tree", { "cpu,cpuacct,cpuset,memory,pids,blkio,", "hugetlb" } },
  { "v2 with huge pages only", { "", "hugetlb" } },
};

static char *
read_text (const char *path)
{
  FILE *file = fopen (path, "re");
  char *text = calloc (1, 1 << 16);
  if (file != NULL && text != NULL)
    text[fread (text, 1, (1 << 16) - 1, file)] = '\0';
  if (file != NULL)
    fclose (file);
  return text;
}

static void
write_text (const char *path, const char *text)
{
  FILE *file = fopen (path, "we");
  if (file == NULL)
    return;
  fputs (text, file);
  fclose (file);
}

static void
print_layout (const struct oci_resources *resources, size_t i, struct buf *out)
{
  auto_ (cgroup_settings)
  struct cgroup_settings settings = { 0 };
  struct tare_error error = { 0 };
  buf_format (out, "# %s\n", layouts[i].name);
  int r = cgroup_compile (&layouts[i].facts, resources, &settings, &error);
  if (r < 0)
    buf_format (out, "error: %s\n", error.message);
  else
    cgroup_settings_print (&settings, out);
}

static void
test_golden (const char *directory, const char *name)
{
  char input[8192], output[8192];
  auto_ (arena)
  struct arena arena = { 0 };
  auto_ (buf)
  struct buf out = { 0 };
  struct tare_error error = { 0 };
  struct oci_resources *resources = NULL;
  snprintf (input, sizeof input, "%s/%s.json", directory, name);
  snprintf (output, sizeof output, "%s/%s.txt", directory, name);
  autofree char *json = read_text (input);
  const struct oci_source source = { .name = name, .bytes = json, .length = strlen (json) };
  if (!ok (oci_read_resources (&arena, &source, &resources, &error) >= 0, "read %s", name))
    {
      tap_note ("%s", error.message);
      return;
    }
  for (size_t i = 0; i < COUNT_OF (layouts); i++)
    print_layout (resources, i, &out);
  if (getenv ("UPDATE") != NULL)
    write_text (output, out.bytes);
  autofree char *wanted = read_text (output);
  is_text (out.bytes, wanted, name);
}

static int
compare_names (const void *a, const void *b)
{
  return strcmp (*(char *const *) a, *(char *const *) b);
}

static void
test_all_golden (void)
{
  char directory[4096], *names[256];
  size_t count = 0;
  const char *top = getenv ("top_srcdir");
  snprintf (directory, sizeof directory, "%s/tests/golden/cgroup", top != NULL ? top : ".");
  DIR *entries = opendir (directory);
  struct dirent *entry;
  while (entries != NULL && count < COUNT_OF (names) && (entry = readdir (entries)) != NULL)
    {
      char *end = strstr (entry->d_name, ".json");
      if (end != NULL)
        names[count++] = strndup (entry->d_name, (size_t) (end - entry->d_name));
    }
  if (entries != NULL)
    closedir (entries);
  ok (count >= 25, "%zu inputs in %s", count, directory);
  qsort (names, count, sizeof *names, compare_names);
  for (size_t i = 0; i < count; i++)
    {
      test_golden (directory, names[i]);
      free (names[i]);
    }
}

/* The formula itself, by libm, for every number of shares that there is. */
static uint64_t
weight_by_libm (uint64_t shares)
{
  double l = log2 ((double) shares);
  double exact = pow (10, (l * l + 125 * l) / 612 - 7.0 / 34);
  return (uint64_t) ceil (exact - 1e-9);
}

static void
test_shares (void)
{
  static const uint64_t known[][2] = {
    { 0, 0 },    { 1, 1 },      { 2, 1 },          { 1024, 100 },         { 262143, 10000 },
    { 512, 59 }, { 2048, 174 }, { 262144, 10000 }, { UINT64_MAX, 10000 },
  };
  for (size_t i = 0; i < COUNT_OF (known); i++)
    {
      char name[64];
      snprintf (name, sizeof name, "%llu shares", (unsigned long long) known[i][0]);
      is_number ((long long) cpu_shares_to_weight (known[i][0]), (long long) known[i][1], name);
    }
  uint64_t wrong = 0, falls = 0, before = 0;
  for (uint64_t shares = 2; shares <= 262144; shares++)
    {
      uint64_t weight = cpu_shares_to_weight (shares);
      wrong += weight != weight_by_libm (shares);
      falls += weight < before || weight < 1 || weight > 10000;
      before = weight;
    }
  is_number ((long long) wrong, 0, "as the formula for 2 to 262144 shares");
  is_number ((long long) falls, 0, "never falling, within 1 to 10000");
}

static void
test_io_weight (void)
{
  static const uint64_t known[][2] = {
    { 0, 0 }, { 1, 1 }, { 10, 1 }, { 11, 11 }, { 100, 910 }, { 500, 4950 }, { 1000, 10000 },
  };
  for (size_t i = 0; i < COUNT_OF (known); i++)
    {
      char name[64];
      snprintf (name, sizeof name, "block weight %llu", (unsigned long long) known[i][0]);
      is_number ((long long) io_weight_v2 (known[i][0]), (long long) known[i][1], name);
    }
}

int
main (void)
{
  test_all_golden ();
  test_shares ();
  test_io_weight ();
  return tap_done ();
}
