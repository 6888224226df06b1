/* A group below the container's own, in which its process is (run.oci.delegate-cgroup): there it
 * may do as it pleases, under limits that stay the runtime's. v2 alone: delegation is not safe with
 * v1 (cgroups(7)).
 */
#define _GNU_SOURCE
#include "cgroup/private.h"

#include <limits.h>
#include <stdio.h>

enum
{
  MODE = 0755,
};

int
cgroup_check_below (const struct cgroup *cgroup, const char *below, struct tare_error *error)
{
  if (path_has_dot_dot (below) || below[strspn (below, "/.")] == '\0')
    return fail_kind (error, TARE_ERROR_CONFIG, -EINVAL,
                      "annotations[\"" CGROUP_BELOW "\"]: '%s' is not the name of a cgroup below "
                      "the container's",
                      below);
  if (cgroup->n_hierarchies != 1 || !cgroup->hierarchies[0].v2)
    return fail_kind (error, TARE_ERROR_UNSUPPORTED, -EOPNOTSUPP,
                      "annotations[\"" CGROUP_BELOW "\"]: needs cgroup v2, and a cgroup of the "
                      "container's own");
  return 0;
}

/* First the process, then the controllers: a group that gives some away may have no process. */
static int
enter (const struct cgroup_hierarchy *h, const char *below, pid_t pid)
{
  char path[PATH_MAX], number[16];
  size_t existed;
  int n = snprintf (path, sizeof path, "/%s", below);
  int r =
      n < 0 || (size_t) n >= sizeof path ? -ENAMETOOLONG : path_normalize (path, path, sizeof path);
  if (r < 0)
    return r;
  autoclose int group = group_make (h->fd, path, MODE, NULL, &existed);
  (void) snprintf (number, sizeof number, "%d", (int) pid);
  r = group < 0 ? group : group_write (group, "cgroup.procs", number);
  if (r < 0)
    return r;
  autoclose int again = group_make (h->fd, path, MODE, group_enable_controllers, &existed);
  return again < 0 ? again : 0;
}

int
cgroup_enter_below (const struct cgroup *cgroup, const char *below, pid_t pid,
                    struct tare_error *error)
{
  const struct cgroup_hierarchy *h = hierarchy_held (cgroup, NULL);
  int r = h == NULL ? -ENOENT : enter (h, below, pid);
  return r < 0 ? fail (error, r, "annotations[\"" CGROUP_BELOW "\"]: enter '%s'", below) : 0;
}
