/* Golden plans: every NAME.json beside this file must make the plan in NAME.plan, or the error in
 * it. `UPDATE=1` writes what was made instead. Needs no root: making a plan has no effect. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "spec/spec.h"
#include "tests/unit/tap.h"

static char *
read_file (const char *path, size_t *ret_length)
{
  FILE *file = fopen (path, "r");
  char *bytes = malloc (1 << 20);
  *ret_length = file != NULL ? fread (bytes, 1, (1 << 20) - 1, file) : 0;
  bytes[*ret_length] = '\0';
  if (file != NULL)
    fclose (file);
  return bytes;
}

static void
note_warning (enum tare_log_level level, const char *message, void *argument)
{
  (void) level;
  buf_format (argument, "warning: %s\n", message);
}

/* A v1 host with two hierarchies, one of them shared by two controllers. */
static const struct cgroup_mounts v1_mounts = {
  .mounts = { { .name = "cpu,cpuacct",
                .source = (char *) (uintptr_t) "/sys/fs/cgroup/cpu,cpuacct/c1" },
              { .name = "systemd", .source = (char *) (uintptr_t) "/sys/fs/cgroup/systemd/c1" } },
  .n_mounts = 2,
  .tmpfs = true,
  .links = { { "cpu", "cpu,cpuacct" }, { "cpuacct", "cpu,cpuacct" } },
  .n_links = 2,
};
static const struct cgroup_mounts v2_mounts = {
  .mounts = { { .name = "", .type = "cgroup2" } },
  .n_mounts = 1,
};

/* exec-*.json: the config of a running container; in it, this. */
static int
plan_exec (const struct spec *container, struct spec_facts *facts, struct plan_builder *builder,
           struct tare_error *error)
{
  static const char *const args[] = { "ls", "-l" }, *const env[] = { "TERM=vt100", "A=1", "A=2" };
  static const char *const capabilities[] = { "CAP_CHOWN" };
  static const uint32_t gids[] = { 17 };
  struct tare_exec_options options = TARE_EXEC_OPTIONS_INIT;
  struct spec *spec = NULL;
  options.args = args;
  options.n_args = COUNT_OF (args);
  options.env = env;
  options.n_env = COUNT_OF (env);
  options.capabilities = capabilities;
  options.n_capabilities = COUNT_OF (capabilities);
  options.additional_gids = gids;
  options.n_additional_gids = COUNT_OF (gids);
  options.set_uid = true;
  options.uid = 5;
  facts->container_namespaces = container->new_namespaces;
  int r = spec_load_exec (container, &options, facts->log, &spec, error);
  if (r >= 0)
    r = spec_plan_exec (spec, facts, builder, error);
  spec_free (spec);
  return r;
}

static void
make_text (const char *name, const char *bytes, size_t length, struct buf *text)
{
  struct log log = { note_warning, text, TARE_LOG_WARNING };
  struct spec_input input = { "config.json", bytes, length, "/bundle" };
  struct tare_error error = { 0 };
  struct spec *spec = NULL;
  struct plan_builder builder = { 0 };
  struct spec_facts facts = {
    .id = "c1",
    .grantable = ~(1ULL << 24), /* all but CAP_SYS_RESOURCE */
    .privileged = true,
    .comes_back = true,
    .host_schedules = strncmp (name, "v1", 2) == 0,
    .has_apparmor = strncmp (name, "v1", 2) != 0,
    .has_selinux = strncmp (name, "v1", 2) != 0,
    .cgroup_mounts = strncmp (name, "v1", 2) == 0 ? &v1_mounts : &v2_mounts,
    .log = &log,
  };
  int r = spec_load (&input, &log, &spec, &error);
  if (r >= 0 && strncmp (name, "exec", 4) == 0)
    r = plan_exec (spec, &facts, &builder, &error);
  else if (r >= 0)
    r = spec_plan (spec, &facts, &builder, &error);
  if (r >= 0)
    r = plan_check (builder.buf.bytes, builder.buf.length, &error);
  if (r < 0)
    buf_format (text, "error %u: %s\n", error.kind, error.message);
  else
    plan_print ((const struct plan *) builder.buf.bytes, text);
  plan_builder_done (&builder);
  spec_free (spec);
}

static void
check_golden (const char *directory, const char *name)
{
  char path[4096];
  size_t length, golden_length;
  struct buf text = { 0 };
  snprintf (path, sizeof path, "%s/%s.json", directory, name);
  autofree char *config = read_file (path, &length);
  make_text (name, config, length, &text);
  snprintf (path, sizeof path, "%s/%s.plan", directory, name);
  if (getenv ("UPDATE") != NULL)
    {
      FILE *file = fopen (path, "w");
      if (file != NULL)
        {
          fwrite (text.bytes, 1, text.length, file);
          fclose (file);
        }
    }
  autofree char *golden = read_file (path, &golden_length);
  bool same = golden_length == text.length && memcmp (golden, text.bytes, text.length) == 0;
  ok (same, "%s", name);
  if (!same)
    fprintf (stderr, "--- made:\n%s--- %s:\n%s", text.bytes, path, golden);
  buf_done (&text);
}

static int
is_config (const struct dirent *entry)
{
  const char *dot = strrchr (entry->d_name, '.');
  return dot != NULL && strcmp (dot, ".json") == 0;
}

int
main (void)
{
  char directory[4096];
  struct dirent **entries;
  const char *top = getenv ("top_srcdir");
  snprintf (directory, sizeof directory, "%s/tests/golden/plan", top != NULL ? top : ".");
  int count = scandir (directory, &entries, is_config, alphasort);
  ok (count > 0, "there are golden plans in %s", directory);
  for (int i = 0; i < count; i++)
    {
      *strrchr (entries[i]->d_name, '.') = '\0';
      check_golden (directory, entries[i]->d_name);
      free (entries[i]);
    }
  if (count >= 0)
    free (entries);
  return tap_done ();
}
