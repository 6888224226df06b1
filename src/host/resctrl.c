/* Classes of service and monitoring groups of the CPU's caches and memory bandwidth. Serves
 * config-linux.md "IntelRdt" and the kernel's filesystems/resctrl.rst.
 *
 * A class that the config names belongs to its administrator: it is made where it is missing, and
 * left behind. Without a name it is the container's own, as a monitoring group always is, and goes
 * with it. Every process of the container is put in by its number: exec's have other parents.
 */
#include "host/internal.h"

#include <stdio.h>
#include <stdlib.h>

static const char resctrl_path[] = "/sys/fs/resctrl";

enum
{
  SCHEMATA_MAX = 64 << 10,
};

static const struct oci_intel_rdt *
config_of (const struct container *container)
{
  const struct oci_linux *linux = container->spec->config->linux;
  return linux != NULL ? linux->intel_rdt : NULL;
}

bool
rdt_needed (const struct container *container)
{
  return config_of (container) != NULL;
}

/* Below the root of resctrl. */
static const char *
class_of (const struct container *container)
{
  const char *name = config_of (container)->clos_id;
  if (name == NULL)
    return container->id;
  return str_equal (name, "/") ? "." : name;
}

/* For errors: as the config has it. */
static const char *
name_of (const struct container *container)
{
  const char *name = config_of (container)->clos_id;
  return name != NULL ? name : container->id;
}

/* A directory without the files of resctrl is what sysfs has while nothing is mounted there. */
static int
open_resctrl (struct tare_error *error)
{
  struct sys_stat st;
  autoclose int root = sys_open (resctrl_path, O_PATH | O_DIRECTORY, 0);
  int r = root < 0 ? root : sys_stat (root, "tasks", &st);
  if (r == -ENOENT)
    return fail_kind (error, TARE_ERROR_UNSUPPORTED, ENOENT,
                      "linux.intelRdt: no resctrl file system is mounted on '%s'", resctrl_path);
  return r < 0 ? fail (error, r, "linux.intelRdt: open '%s'", resctrl_path) : take_fd (&root);
}

static int
open_group (int root, const char *group)
{
  return sys_openat2 (root, group, O_PATH | O_DIRECTORY, 0, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
}

/* ---- schemata -------------------------------------------------------------------------------- */

/* Empty: none are asked for. */
static int
wanted_schemata (const struct container *container, char **ret_text, struct tare_error *error)
{
  auto_ (buf)
  struct buf text = { 0 };
  spec_rdt_schemata (config_of (container), &text);
  buf_text (&text, "");
  char *taken = buf_take (&text);
  if (taken == NULL)
    return fail (error, ENOMEM, "linux.intelRdt");
  *ret_text = taken;
  return 0;
}

static int
check_schemata (const struct container *container, int group, struct tare_error *error)
{
  autofree char *wanted = NULL;
  int r = wanted_schemata (container, &wanted, error);
  if (r < 0 || *wanted == '\0')
    return r;
  autofree char *text = malloc (SCHEMATA_MAX + 1);
  if (text == NULL)
    return fail (error, ENOMEM, "linux.intelRdt");
  autoclose int file = sys_openat2 (group, "schemata", O_RDONLY, 0, RESOLVE_BENEATH);
  ssize_t length = file < 0 ? file : sys_read_full (file, text, SCHEMATA_MAX);
  if (length < 0)
    return fail (error, (int) length, "linux.intelRdt: read the schemata of class '%s'",
                 name_of (container));
  text[length] = '\0';
  if (spec_rdt_matches (wanted, text))
    return 0;
  return fail_kind (error, TARE_ERROR_CONFIG, EEXIST,
                    "linux.intelRdt.closID: class '%s' exists, with other schemata",
                    name_of (container));
}

/* What the kernel says of the last thing that it refused; errno is EINVAL for all of them. */
static int
refused (int root, int r, const char *class, struct tare_error *error)
{
  char text[256];
  autoclose int file = sys_openat2 (root, "info/last_cmd_status", O_RDONLY, 0, RESOLVE_BENEATH);
  ssize_t length = file < 0 ? file : sys_read_full (file, text, sizeof text - 1);
  while (length > 0 && text[length - 1] == '\n')
    length--;
  if (length <= 0)
    return fail (error, r, "linux.intelRdt: write the schemata of class '%s'", class);
  text[length] = '\0';
  return fail (error, r, "linux.intelRdt: write the schemata of class '%s': %s", class, text);
}

static int
write_schemata (const struct container *container, int root, struct tare_error *error)
{
  autofree char *wanted = NULL;
  int r = wanted_schemata (container, &wanted, error);
  if (r < 0 || *wanted == '\0')
    return r;
  autoclose int group = open_group (root, class_of (container));
  autoclose int file =
      group < 0 ? group : sys_openat2 (group, "schemata", O_WRONLY, 0, RESOLVE_BENEATH);
  r = file < 0 ? file : sys_write_once (file, wanted);
  return r < 0 ? refused (root, r, name_of (container), error) : 0;
}

/* ---- before anything is made ----------------------------------------------------------------- */

int
rdt_check (const struct container *container, struct tare_error *error)
{
  const struct oci_intel_rdt *rdt = config_of (container);
  autofree char *wanted = NULL;
  if (rdt == NULL)
    return 0;
  autoclose int root = open_resctrl (error);
  int r = root < 0 ? root : wanted_schemata (container, &wanted, error);
  if (r < 0)
    return r;
  autoclose int group = open_group (root, class_of (container));
  if (group < 0 && group != -ENOENT)
    return fail (error, group, "linux.intelRdt: open class '%s'", name_of (container));
  if (group >= 0 && rdt->clos_id == NULL)
    return fail_kind (error, TARE_ERROR_EXISTS, EEXIST,
                      "linux.intelRdt: class '%s' exists, and is not this container's",
                      container->id);
  if (group >= 0)
    return check_schemata (container, group, error);
  if (rdt->clos_id != NULL && *wanted == '\0')
    return fail_kind (error, TARE_ERROR_CONFIG, ENOENT,
                      "linux.intelRdt.closID: there is no class '%s', nor schemata to make it with",
                      rdt->clos_id);
  return 0;
}

/* For the record: where every process goes, in this order, and what goes when the container does.
 */
int
rdt_describe (struct container *container, struct state_record *record)
{
  const struct oci_intel_rdt *rdt = config_of (container);
  struct arena *arena = &container->state.arena;
  if (rdt == NULL)
    return 0;
  record->rdt_groups = arena_allocate (arena, 2 * sizeof *record->rdt_groups);
  record->rdt_made = arena_allocate (arena, 2 * sizeof *record->rdt_made);
  if (record->rdt_groups == NULL || record->rdt_made == NULL)
    return -ENOMEM;
  record->rdt_groups[record->n_rdt_groups++] = class_of (container);
  if (rdt->clos_id == NULL)
    record->rdt_made[record->n_rdt_made++] = container->id;
  if (!rdt->enable_monitoring)
    return 0;
  const char *monitor =
      arena_format (arena, "%s/mon_groups/%s", class_of (container), container->id);
  record->rdt_groups[record->n_rdt_groups++] = monitor;
  record->rdt_made[record->n_rdt_made++] = monitor;
  return monitor != NULL ? 0 : -ENOMEM;
}

/* ---- making ---------------------------------------------------------------------------------- */

/* Nobody is left a class of that name with something else in it. */
static int
make_class (const struct container *container, int root, struct tare_error *error)
{
  const char *class = class_of (container);
  int r = sys_mkdirat (root, class, 0755);
  if (r == -EEXIST && config_of (container)->clos_id != NULL)
    return 0; /* rdt_check has compared it */
  if (r == -ENOSPC)
    return fail (error, r, "linux.intelRdt: class '%s': the CPU has no more of them", class);
  if (r < 0)
    return fail (error, r, "linux.intelRdt: make class '%s'", class);
  r = write_schemata (container, root, error);
  if (r < 0)
    (void) sys_unlinkat (root, class, AT_REMOVEDIR);
  return r;
}

static int
make_monitor (const struct container *container, int root, struct tare_error *error)
{
  const struct state_record *record = container->state.record;
  const char *monitor = record->rdt_groups[record->n_rdt_groups - 1];
  int r = sys_mkdirat (root, monitor, 0755);
  return r < 0 ? fail (error, r, "linux.intelRdt.enableMonitoring: make '%s/%s'", resctrl_path,
                       monitor)
               : 0;
}

/* What turns out to be there already is not ours to take back. */
int
row_make_rdt (struct container *container, struct received *received, struct tare_error *error)
{
  (void) received;
  struct state_record *record = container->state.record;
  size_t made = record->n_rdt_made;
  record->n_rdt_made = 0;
  autoclose int root = open_resctrl (error);
  int r = root < 0 ? root : 0;
  if (r >= 0 && !str_equal (class_of (container), "."))
    r = make_class (container, root, error);
  if (r < 0)
    return r;
  record->n_rdt_made = config_of (container)->clos_id == NULL;
  if (config_of (container)->enable_monitoring)
    r = make_monitor (container, root, error);
  if (r >= 0)
    record->n_rdt_made = made;
  return r;
}

int
undo_rdt (struct container *container, struct tare_error *error)
{
  const struct state_record *record = container->state.record;
  int result = 0;
  if (record == NULL || record->n_rdt_made == 0)
    return 0;
  autoclose int root = sys_open (resctrl_path, O_PATH | O_DIRECTORY, 0);
  for (size_t i = record->n_rdt_made; root >= 0 && i-- > 0;)
    {
      int r = sys_unlinkat (root, record->rdt_made[i], AT_REMOVEDIR);
      if (r < 0 && r != -ENOENT && result == 0)
        result = fail (error, r, "remove '%s/%s'", resctrl_path, record->rdt_made[i]);
    }
  return result;
}

/* ---- processes ------------------------------------------------------------------------------- */

bool
row_enters_rdt (const struct container *container)
{
  return container->state.record->n_rdt_groups > 0;
}

static int
enter_group (int root, const char *name, pid_t pid)
{
  char text[16];
  autoclose int group = open_group (root, name);
  autoclose int tasks =
      group < 0 ? group : sys_openat2 (group, "tasks", O_WRONLY, 0, RESOLVE_BENEATH);
  (void) snprintf (text, sizeof text, "%d\n", pid);
  return tasks < 0 ? tasks : sys_write_once (tasks, text);
}

int
row_enter_rdt (struct container *container, struct received *received, struct tare_error *error)
{
  (void) received;
  const struct state_record *record = container->state.record;
  autoclose int root = open_resctrl (error);
  if (root < 0)
    return root;
  for (size_t i = 0; i < record->n_rdt_groups; i++)
    {
      int r = enter_group (root, record->rdt_groups[i], container->pid);
      if (r < 0)
        return fail (error, r, "linux.intelRdt: enter '%s/%s'", resctrl_path,
                     record->rdt_groups[i]);
    }
  return 0;
}
