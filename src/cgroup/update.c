/* Limits of a container that lives. Owns the order: what there was is read, what is new is written,
 * the caller commits, and a failure of any of them goes back to what there was.
 */
#define _GNU_SOURCE
#include "cgroup/private.h"

static bool
same_rule (const struct device_rule *a, const struct device_rule *b)
{
  return a->allow == b->allow && a->type == b->type && a->major == b->major && a->minor == b->minor
         && a->access == b->access;
}

/* Managers repeat the rules that there are. They are not written again: with v1 a device that the
 * container may use would be refused for a moment, between "deny all" and its own rule. 1, 0 or
 * -errno. */
static int
devices_change (const struct oci_resources *stored, const struct oci_resources *update,
                struct tare_error *error)
{
  const struct oci_resources none = { 0 };
  autofree struct device_rule *old = NULL;
  autofree struct device_rule *new = NULL;
  size_t n_old, n_new;
  if (update->n_devices == 0)
    return 0;
  int r = device_rules_lower (stored != NULL ? stored : &none, &old, &n_old, error);
  if (r >= 0)
    r = device_rules_lower (update, &new, &n_new, error);
  if (r < 0)
    return r;
  bool same = n_old == n_new;
  for (size_t i = 0; same && i < n_new; i++)
    same = same_rule (&old[i], &new[i]);
  return !same;
}

struct change
{
  const struct oci_resources *stored, *merged, *complete;
  bool devices;
};

static int
write_change (const struct cgroup *cgroup, const struct change *change,
              struct cgroup_settings *settings, cgroup_commit *commit, void *argument,
              struct tare_error *error)
{
  int r = cgroup->driver->update (cgroup, settings, error);
  if (r >= 0 && change->devices)
    r = cgroup_apply_devices (cgroup, change->complete, error);
  return r < 0 ? r : commit (change->merged, argument, error);
}

static int
apply_change (const struct cgroup *cgroup, const struct change *change, cgroup_commit *commit,
              void *argument, struct tare_error *error)
{
  auto_ (cgroup_settings)
  struct cgroup_settings settings = { 0 };
  auto_ (cgroup_settings)
  struct cgroup_settings saved = { 0 };
  int r = compile_for (cgroup, change->complete, &settings, error);
  if (r >= 0)
    r = settings_save (cgroup, &settings, &saved, error);
  if (r < 0)
    return r;
  for (size_t i = 0; i < settings.n_warnings; i++)
    log_warning (cgroup->log, "%s", settings.warnings[i]);
  r = write_change (cgroup, change, &settings, commit, argument, error);
  if (r >= 0)
    return 0;
  settings_restore (cgroup, &saved);
  if (cgroup->driver->restore != NULL)
    cgroup->driver->restore (cgroup, &saved);
  if (change->devices)
    (void) cgroup_apply_devices (cgroup, change->stored, NULL);
  return r;
}

int
cgroup_update (const struct cgroup *cgroup, const struct oci_resources *stored,
               const struct oci_resources *update, cgroup_commit *commit, void *argument,
               struct tare_error *error)
{
  auto_ (arena)
  struct arena arena = { 0 };
  struct oci_resources *merged = NULL, *complete = NULL;
  int r = cgroup_refuse_none (cgroup, error);
  if (r < 0)
    return r;
  int devices = devices_change (stored, update, error);
  if (devices < 0)
    return devices;
  r = cgroup_merge (&arena, stored, update, &merged);
  if (r >= 0)
    r = cgroup_complete (&arena, merged, update, &complete);
  if (r < 0)
    return fail (error, r, "merge the resources");
  const struct change change = { stored, merged, complete, devices > 0 };
  return apply_change (cgroup, &change, commit, argument, error);
}
