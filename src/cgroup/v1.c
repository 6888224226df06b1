/* The v1 layout: a tree for each controller or set of them (admin-guide/cgroup-v1). In the hybrid
 * layout there is a v2 tree as well, which serves where a v1 controller is missing, and which
 * alone can kill a group at once.
 */
#define _GNU_SOURCE
#include "cgroup/private.h"

#include <signal.h>

enum
{
  FREEZE_MS = 5000,
  KILL_FREEZE_MS = 1000, /* killing goes on without */
  KILL_ROUNDS = 5,
};

/* ---- freezer --------------------------------------------------------------------------------- */

static int
freezer_wait (int group, int64_t deadline)
{
  unsigned round = 0;
  for (;;)
    {
      char state[32];
      int r = group_read (group, "freezer.state", state, sizeof state);
      if (r < 0 || str_equal (state, "FROZEN"))
        return r;
      if (!back_off (&round, deadline))
        return -ETIMEDOUT;
      /* A process that forks all the time can stay FREEZING: ask again. */
      if (round % 8 == 0)
        (void) group_write (group, "freezer.state", "FROZEN");
    }
}

/* Stays thawed where it fails. */
static int
freezer_freeze (int group, int64_t deadline)
{
  int r = group_write (group, "freezer.state", "FROZEN");
  if (r >= 0)
    r = freezer_wait (group, deadline);
  if (r < 0)
    (void) group_write (group, "freezer.state", "THAWED");
  return r;
}

static int
v1_freeze (const struct cgroup *cgroup, bool frozen, struct tare_error *error)
{
  const struct cgroup_hierarchy *h = hierarchy_held (cgroup, "freezer");
  if (h == NULL)
    return v2_freeze (cgroup, frozen, error);
  int r = frozen ? freezer_freeze (h->fd, now_ms () + FREEZE_MS)
                 : group_write (h->fd, "freezer.state", "THAWED");
  return r < 0 ? fail (error, r, "%s '%s%s'", frozen ? "freeze" : "thaw", h->mount, h->path) : 0;
}

static int
v1_is_frozen (const struct cgroup *cgroup, struct tare_error *error)
{
  const struct cgroup_hierarchy *h = hierarchy_held (cgroup, "freezer");
  if (h == NULL)
    return v2_is_frozen (cgroup, error);
  char state[32];
  int r = group_read (h->fd, "freezer.state", state, sizeof state);
  if (r == -ENOENT || r == -ENODEV)
    return 0;
  return r < 0 ? fail (error, r, "freezer.state: read") : !str_equal (state, "THAWED");
}

static int
v1_is_frozen_above (const struct cgroup *cgroup, struct tare_error *error)
{
  const struct cgroup_hierarchy *h = hierarchy_held (cgroup, "freezer");
  char text[16];
  if (h == NULL)
    return v2_is_frozen_above (cgroup, error);
  int r = group_read (h->fd, "freezer.parent_freezing", text, sizeof text);
  if (r == -ENOENT || r == -ENODEV)
    return 0;
  return r < 0 ? fail (error, r, "freezer.parent_freezing: read") : str_equal (text, "1");
}

/* ---- kill ------------------------------------------------------------------------------------ */

/* Frozen, the group can neither fork faster than we kill nor let a pid be used again. */
static int
kill_listed (const struct cgroup *cgroup, const struct cgroup_hierarchy *h)
{
  const struct cgroup_hierarchy *freezer = hierarchy_held (cgroup, "freezer");
  int r = 0;
  for (unsigned round = 0; round < KILL_ROUNDS; round++)
    {
      auto_ (pid_list)
      struct pid_list list = { 0 };
      if (freezer != NULL)
        (void) freezer_freeze (freezer->fd, now_ms () + KILL_FREEZE_MS);
      r = group_pids (h->fd, true, &list);
      if (list.count > 0)
        r = pid_list_signal (&list, SIGKILL);
      if (freezer != NULL)
        (void) group_write (freezer->fd, "freezer.state", "THAWED");
      if (r < 0 || list.count == 0)
        break;
      unsigned wait = 0;
      (void) back_off (&wait, now_ms () + 1);
    }
  return r;
}

static int
v1_kill (const struct cgroup *cgroup, struct tare_error *error)
{
  const struct cgroup_hierarchy *freezer = hierarchy_held (cgroup, "freezer");
  if (hierarchy_held (cgroup, NULL) != NULL)
    {
      int r = v2_kill (cgroup, error);
      if (freezer != NULL) /* SIGKILL waits in a v1 freezer */
        (void) group_write (freezer->fd, "freezer.state", "THAWED");
      return r;
    }
  const struct cgroup_hierarchy *h = hierarchy_primary (cgroup);
  int r = h == NULL ? 0 : kill_listed (cgroup, h);
  return r < 0 ? fail (error, r, "kill the processes of '%s%s'", h->mount, h->path) : 0;
}

/* ---- devices --------------------------------------------------------------------------------- */

static int
write_rule (int group, const struct device_rule *rule, struct tare_error *error)
{
  const char *file = rule->allow ? "devices.allow" : "devices.deny";
  char text[64];
  device_rule_print (rule, text, sizeof text);
  int r = group_write (group, file, text);
  return r < 0 ? fail (error, r, "%s: write '%s'", file, text) : 0;
}

/* Type a is all or nothing for the kernel: what is less is said for b and c. */
static int
write_wide_rule (int group, struct device_rule rule, struct tare_error *error)
{
  rule.type = 'b';
  int r = write_rule (group, &rule, error);
  rule.type = 'c';
  return r < 0 ? r : write_rule (group, &rule, error);
}

/* A new group has its parent's rules, which is mostly everything: the list only allows what it
 * names, as with v2, so all is denied first. */
static int
v1_devices (const struct cgroup *cgroup, const struct device_rule *rules, size_t count,
            struct tare_error *error)
{
  static const struct device_rule deny_all = {
    .type = 'a', .major = DEVICE_ANY, .minor = DEVICE_ANY, .access = DEVICE_ACCESS_ALL
  };
  const struct cgroup_hierarchy *h = hierarchy_held (cgroup, "devices");
  if (h == NULL)
    return v2_devices (cgroup, rules, count, error);
  int r = count > 0 && device_rule_is_all (rules) ? 0 : write_rule (h->fd, &deny_all, error);
  for (size_t i = 0; r >= 0 && i < count; i++)
    if (rules[i].type == 'a' && !device_rule_is_all (&rules[i]))
      r = write_wide_rule (h->fd, rules[i], error);
    else
      r = write_rule (h->fd, &rules[i], error);
  return r < 0 ? wrap (error, r, "linux.resources.devices") : 0;
}

const struct cgroup_layout cgroup_layout_v1 = {
  .name = "v1",
  .devices = v1_devices,
  .freeze = v1_freeze,
  .is_frozen = v1_is_frozen,
  .is_frozen_above = v1_is_frozen_above,
  .kill = v1_kill,
};
