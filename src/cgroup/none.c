/* The driver for cgroups switched off (--cgroup-manager=disabled): the container stays in the
 * groups of whoever started it, and nothing below /sys/fs/cgroup is touched or even looked at.
 * With no hierarchy in the list everything else in this folder does nothing by itself.
 */
#include "cgroup/private.h"

static int
none_probe (struct cgroup *cgroup, const struct cgroup_known *known, struct tare_error *error)
{
  (void) known;
  (void) error;
  cgroup->layout = &cgroup_layout_v2;
  return 0;
}

static int
none_check_free (const struct cgroup *cgroup, struct tare_error *error)
{
  (void) cgroup;
  (void) error;
  return 0;
}

static int
none_prepare (struct cgroup *cgroup, struct tare_error *error)
{
  (void) cgroup;
  (void) error;
  return 0;
}

static int
none_attach (struct cgroup *cgroup, pid_t pid, bool in_v2, struct tare_error *error)
{
  (void) cgroup;
  (void) pid;
  (void) in_v2;
  (void) error;
  return 0;
}

static int
none_update (const struct cgroup *cgroup, struct cgroup_settings *settings,
             struct tare_error *error)
{
  (void) cgroup;
  (void) settings;
  (void) error;
  return 0;
}

const struct cgroup_driver cgroup_driver_none = {
  .name = "none",
  .probe = none_probe,
  .check_free = none_check_free,
  .prepare = none_prepare,
  .attach = none_attach,
  .update = none_update,
  .destroy = none_prepare,
};
