/* The public face of this folder: names, chooses the driver and the layout, hands on.
 *
 * Owns where a container's group is (config-linux.md "Cgroups Path"). May not touch a group itself:
 * that is the drivers' and the layouts'.
 */
#define _GNU_SOURCE
#include "cgroup/private.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>

#include "cgroup/systemd.h"
#include "sys/file.h"
#include "sys/process.h"

static const struct cgroup_driver *const drivers[] = {
  [TARE_CGROUP_CGROUPFS] = &cgroup_driver_cgroupfs,
  [TARE_CGROUP_SYSTEMD] = &cgroup_driver_systemd,
  [TARE_CGROUP_DISABLED] = &cgroup_driver_none,
};

static int
choose_driver (struct cgroup *cgroup, enum tare_cgroup_manager manager,
               const struct cgroup_known *known, const struct log *log, struct tare_error *error)
{
  *cgroup = (struct cgroup){ .log = log };
  if ((unsigned) manager < COUNT_OF (drivers))
    cgroup->driver = drivers[manager];
  if (cgroup->driver != NULL)
    return cgroup->driver->probe (cgroup, known, error);
  return fail_kind (error, TARE_ERROR_UNSUPPORTED, -EOPNOTSUPP, "no such cgroup driver: %d",
                    (int) manager);
}

void
cgroup_done (struct cgroup *cgroup)
{
  for (size_t i = 0; i < cgroup->n_hierarchies; i++)
    hierarchy_done (&cgroup->hierarchies[i]);
  cgroup->n_hierarchies = 0;
  unit_free (take_ptr (&cgroup->unit));
}

/* ---- names ----------------------------------------------------------------------------------- */

/* path has our own group; the container's goes there. A relative one is below it, but beside it in
 * the v2 tree: a group with processes in it, as ours has, cannot enable controllers for children.
 */
static int
place (struct cgroup_hierarchy *h, const char *wanted)
{
  char joined[2 * PATH_MAX], normal[PATH_MAX];
  size_t own = *wanted == '/' ? 0 : strlen (h->path);
  if (h->v2 && own > 0)
    own = (size_t) (strrchr (h->path, '/') - h->path);
  int n = snprintf (joined, sizeof joined, "%.*s/%s", (int) own, h->path, wanted);
  if (n < 0 || (size_t) n >= sizeof joined)
    return -ENAMETOOLONG;
  int r = path_normalize (joined, normal, sizeof normal);
  if (r < 0)
    return r;
  free_pointer (&h->path);
  h->path = strdup (normal);
  return h->path != NULL ? 0 : -ENOMEM;
}

static int
check_name (const char *wanted, struct tare_error *error)
{
  char normal[PATH_MAX];
  const char *below = wanted + strspn (wanted, "/");
  if (path_has_dot_dot (wanted))
    return fail_kind (error, TARE_ERROR_CONFIG, -EINVAL, "linux.cgroupsPath: '%s' contains '..'",
                      wanted);
  if (*wanted == '/' && path_normalize (wanted, normal, sizeof normal) < 0)
    return fail_kind (error, TARE_ERROR_CONFIG, -ENAMETOOLONG, "linux.cgroupsPath: too long");
  if (*below == '\0' || (*wanted == '/' && str_equal (normal, "/")) || str_equal (below, "."))
    return fail_kind (error, TARE_ERROR_CONFIG, -EINVAL,
                      "linux.cgroupsPath: '%s' is not below a hierarchy's root", wanted);
  return 0;
}

static int
place_all (struct cgroup *cgroup, const struct cgroup_wish *wish, struct tare_error *error)
{
  const char *path = wish->cgroups_path;
  const char *wanted = path != NULL && *path != '\0' ? path : wish->id;
  int r = check_name (wanted, error);
  for (size_t i = 0; r >= 0 && i < cgroup->n_hierarchies; i++)
    {
      r = place (&cgroup->hierarchies[i], wanted);
      if (r < 0)
        (void) fail (error, r, "linux.cgroupsPath: '%s'", wanted);
    }
  return r;
}

int
cgroup_plan (struct cgroup *ret_cgroup, enum tare_cgroup_manager manager,
             const struct cgroup_wish *wish, const struct log *log, struct tare_error *error)
{
  auto_ (cgroup)
  struct cgroup cgroup;
  int r = choose_driver (&cgroup, manager, NULL, log, error);
  if (r >= 0)
    r = (cgroup.driver->place != NULL ? cgroup.driver->place : place_all) (&cgroup, wish, error);
  if (r < 0)
    return r;
  *ret_cgroup = cgroup;
  cgroup.n_hierarchies = 0; /* they are the caller's now */
  cgroup.unit = NULL;
  return 0;
}

int
cgroup_open (struct cgroup *ret_cgroup, enum tare_cgroup_manager manager, enum cgroup_use use,
             const char *const *directories, size_t count, const struct log *log,
             struct tare_error *error)
{
  auto_ (cgroup)
  struct cgroup cgroup;
  const struct cgroup_known known = { .directories = directories, .count = count, .use = use };
  int r = choose_driver (&cgroup, manager, &known, log, error);
  if (r < 0)
    return r;
  cgroup.groupless = count == 0;
  *ret_cgroup = cgroup;
  cgroup.n_hierarchies = 0; /* they are the caller's now */
  return 0;
}

const char *
cgroup_unit_name (const struct cgroup *cgroup)
{
  return cgroup->unit != NULL ? cgroup->unit->name : NULL;
}

size_t
cgroup_count (const struct cgroup *cgroup)
{
  return cgroup->n_hierarchies;
}

char *
cgroup_directory (const struct cgroup *cgroup, size_t i)
{
  char *directory;
  const struct cgroup_hierarchy *h = &cgroup->hierarchies[i];
  return asprintf (&directory, "%s%s", h->mount, h->path) < 0 ? NULL : directory;
}

/* ---- life ------------------------------------------------------------------------------------ */

int
cgroup_check_free (const struct cgroup *cgroup, struct tare_error *error)
{
  return cgroup->driver->check_free (cgroup, error);
}

int
cgroup_create (struct cgroup *cgroup, struct tare_error *error)
{
  return cgroup->driver->prepare (cgroup, error);
}

int
cgroup_clone_fd (const struct cgroup *cgroup)
{
  const struct cgroup_hierarchy *h = hierarchy_held (cgroup, NULL);
  return h != NULL ? h->fd : -EBADF;
}

void
cgroup_open_entries (struct cgroup *cgroup)
{
  for (size_t i = 0; i < cgroup->n_hierarchies; i++)
    {
      struct cgroup_hierarchy *h = &cgroup->hierarchies[i];
      if (!h->v2 && h->fd >= 0 && h->tasks < 0)
        h->tasks = group_open_file (h->fd, "tasks", O_WRONLY);
    }
}

int
cgroup_late_entry (const struct cgroup *cgroup)
{
  const struct cgroup_hierarchy *memory = hierarchy_held (cgroup, "memory");
  return memory != NULL ? memory->tasks : -EBADF;
}

int
cgroup_enter (const struct cgroup *cgroup)
{
  int r = 0, late = cgroup_late_entry (cgroup);
  for (size_t i = 0; r >= 0 && i < cgroup->n_hierarchies; i++)
    if (cgroup->hierarchies[i].tasks >= 0 && cgroup->hierarchies[i].tasks != late)
      r = sys_write_once (cgroup->hierarchies[i].tasks, "0");
  return r;
}

int
cgroup_attach (struct cgroup *cgroup, pid_t pid, bool in_v2, struct tare_error *error)
{
  return cgroup->driver->attach (cgroup, pid, in_v2, error);
}

int
cgroup_destroy (struct cgroup *cgroup, struct tare_error *error)
{
  int r = cgroup->driver->destroy (cgroup, error);
  return r < 0 ? r : 0;
}

/* ---- limits ---------------------------------------------------------------------------------- */

/* Device rules are no limits: they are not compiled, and take effect at another time. */
static bool
has_limits (const struct oci_resources *resources)
{
  return resources != NULL
         && (resources->n_unified > 0 || resources->memory != NULL || resources->cpu != NULL
             || resources->pids != NULL || resources->block_io != NULL
             || resources->n_hugepage_limits > 0 || resources->network != NULL
             || resources->n_rdma > 0);
}

/* Switched off: nobody is told that a limit is not in force, for that was asked for. */
static bool
has_no_groups (const struct cgroup *cgroup)
{
  return cgroup->n_hierarchies == 0 && *cgroup->left_out == '\0';
}

int
cgroup_check (const struct cgroup *cgroup, const struct oci_resources *resources,
              struct tare_error *error)
{
  autofree struct device_rule *rules = NULL;
  size_t count;
  if (resources == NULL || has_no_groups (cgroup))
    return 0;
  auto_ (cgroup_settings)
  struct cgroup_settings settings = { 0 };
  int r = has_limits (resources) ? compile_for (cgroup, resources, &settings, error) : 0;
  if (r < 0)
    return explain_left_out (cgroup, r, error);
  return device_rules_lower (resources, &rules, &count, error);
}

int
cgroup_apply (const struct cgroup *cgroup, const struct oci_resources *resources,
              struct tare_error *error)
{
  if (!has_limits (resources) || has_no_groups (cgroup))
    return 0;
  auto_ (cgroup_settings)
  struct cgroup_settings settings = { 0 };
  int r = compile_for (cgroup, resources, &settings, error);
  for (size_t i = 0; i < settings.n_warnings; i++)
    log_warning (cgroup->log, "%s", settings.warnings[i]);
  if (r >= 0)
    r = cgroup->driver->update (cgroup, &settings, error);
  return explain_left_out (cgroup, r, error);
}

/* In a user namespace the kernel lets nobody set device rules, nor make a device node. */
int
cgroup_apply_devices (const struct cgroup *cgroup, const struct oci_resources *resources,
                      struct tare_error *error)
{
  autofree struct device_rule *rules = NULL;
  size_t count = 0;
  if (resources == NULL || resources->n_devices == 0 || has_no_groups (cgroup))
    return 0;
  int r = device_rules_lower (resources, &rules, &count, error);
  if (r >= 0 && cgroup->driver->devices != NULL)
    r = cgroup->driver->devices (cgroup, rules, count, error);
  if (r >= 0)
    r = cgroup->layout->devices (cgroup, rules, count, error);
  if (!cgroup->unprivileged || (r != -EPERM && r != -EACCES && r != -EOPNOTSUPP))
    return r;
  log_debug (cgroup->log, "linux.resources.devices: left out: in a user namespace nobody can make "
                          "a device node");
  if (error != NULL)
    *error = (struct tare_error){ 0 };
  return 0;
}

/* ---- processes ------------------------------------------------------------------------------- */

static int
compare_pids (const void *a, const void *b)
{
  pid_t x = *(const pid_t *) a, y = *(const pid_t *) b;
  return (x > y) - (x < y);
}

bool
cgroup_is_none (const struct cgroup *cgroup)
{
  return cgroup->driver == &cgroup_driver_none || cgroup->groupless;
}

int
cgroup_refuse_none (const struct cgroup *cgroup, struct tare_error *error)
{
  if (!cgroup_is_none (cgroup))
    return 0;
  return fail_kind (
      error, TARE_ERROR_UNSUPPORTED, -EOPNOTSUPP, "the container has no cgroup of its own (%s)",
      cgroup->driver == &cgroup_driver_none ? "--cgroup-manager=disabled"
                                            : "none was delegated to the user that made it");
}

static int
list_processes (const struct cgroup *cgroup, struct pid_list *list, struct tare_error *error)
{
  const struct cgroup_hierarchy *h = hierarchy_primary (cgroup);
  int r = cgroup_refuse_none (cgroup, error);
  if (r < 0 || h == NULL)
    return r;
  r = group_pids (h->fd, true, list);
  return r < 0 ? fail (error, r, "read the processes of '%s%s'", h->mount, h->path) : 0;
}

int
cgroup_processes (const struct cgroup *cgroup, pid_t **ret_pids, size_t *ret_count,
                  struct tare_error *error)
{
  auto_ (pid_list)
  struct pid_list list = { 0 };
  int r = list_processes (cgroup, &list, error);
  if (r < 0)
    return r;
  size_t count = 0;
  if (list.count > 0)
    qsort (list.pids, list.count, sizeof *list.pids, compare_pids);
  for (size_t i = 0; i < list.count; i++) /* one that moved while we read may be there twice */
    if (count == 0 || list.pids[i] != list.pids[count - 1])
      list.pids[count++] = list.pids[i];
  *ret_pids = take_ptr (&list.pids);
  *ret_count = count;
  return 0;
}

/* Frozen for the moment, so that no pid in the list can end and come back as another's. */
int
cgroup_signal_all (const struct cgroup *cgroup, int signal, struct tare_error *error)
{
  int was_frozen = cgroup_refuse_none (cgroup, error);
  if (was_frozen >= 0 && signal == SIGKILL)
    return cgroup_kill (cgroup, error);
  if (was_frozen >= 0)
    was_frozen = cgroup_is_frozen (cgroup, error);
  if (was_frozen < 0)
    return was_frozen;
  bool thaw = !was_frozen && cgroup->layout->freeze (cgroup, true, NULL) >= 0;
  auto_ (pid_list)
  struct pid_list list = { 0 };
  int r = list_processes (cgroup, &list, error);
  if (r >= 0)
    {
      r = pid_list_signal (&list, signal);
      if (r < 0)
        (void) fail (error, r, "send signal %d", signal);
    }
  if (thaw)
    (void) cgroup->layout->freeze (cgroup, false, NULL);
  return r;
}

int
cgroup_kill (const struct cgroup *cgroup, struct tare_error *error)
{
  return cgroup->layout->kill (cgroup, error);
}

void
cgroup_release (const struct cgroup *cgroup, pid_t pid)
{
  char text[16];
  const struct cgroup_hierarchy *h = hierarchy_of (cgroup, "freezer");
  if (h == NULL || h->v2 || cgroup_is_frozen (cgroup, NULL) <= 0)
    return;
  (void) snprintf (text, sizeof text, "%d", (int) pid);
  (void) group_write (h->root, "cgroup.procs", text);
}

int
cgroup_freeze (const struct cgroup *cgroup, bool frozen, struct tare_error *error)
{
  int r = cgroup_refuse_none (cgroup, error);
  return r < 0 ? r : cgroup->layout->freeze (cgroup, frozen, error);
}

int
cgroup_is_frozen_above (const struct cgroup *cgroup, struct tare_error *error)
{
  return cgroup->layout->is_frozen_above (cgroup, error);
}

int
cgroup_is_frozen (const struct cgroup *cgroup, struct tare_error *error)
{
  return cgroup->layout->is_frozen (cgroup, error);
}
