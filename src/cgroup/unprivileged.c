/* A runtime that has no rights over the machine's groups: it goes on without those that it may not
 * make, and says why where a limit would have needed one. What is delegated to it (cgroups(7),
 * "Cgroups delegation") it uses as any other.
 */
#define _GNU_SOURCE
#include "cgroup/private.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

/* Asked of the kernel with the rights that making it will have. */
static int
may_write (int group, const char *file)
{
  return faccessat (group, file, W_OK, AT_EACCESS) < 0 ? -errno : 0;
}

/* 0, or why the group cannot be made in h, or entered where it is there already. */
static int
test_hierarchy (const struct cgroup_hierarchy *h)
{
  autoclose int group = group_open (h->root, h->path, O_RDONLY);
  if (group >= 0)
    return may_write (group, "cgroup.procs");
  autoclose int nearest = group_open_nearest (h->root, h->path);
  return nearest < 0 ? nearest : may_write (nearest, ".");
}

void
cgroup_leave_out_forbidden (struct cgroup *cgroup)
{
  cgroup->unprivileged = true;
  if (cgroup->driver != &cgroup_driver_cgroupfs)
    return;
  for (size_t i = cgroup->n_hierarchies; i-- > 0;)
    {
      const struct cgroup_hierarchy *h = &cgroup->hierarchies[i];
      int r = test_hierarchy (h);
      if (r != -EACCES && r != -EPERM && r != -EROFS)
        continue;
      log_debug (cgroup->log, "cgroup '%s%s': %s; going on without it", h->mount, h->path,
                 errno_text (r));
      if (*cgroup->left_out == '\0') /* the v2 tree comes first: it is what can be delegated */
        (void) snprintf (cgroup->left_out, sizeof cgroup->left_out, "cgroup '%s%s': %s", h->mount,
                         h->path, errno_text (r));
      cgroup_drop_hierarchy (cgroup, i);
    }
}

int
explain_left_out (const struct cgroup *cgroup, int r, struct tare_error *error)
{
  if (r >= 0 || *cgroup->left_out == '\0' || error == NULL)
    return r;
  size_t used = strlen (error->message);
  (void) snprintf (error->message + used, sizeof error->message - used,
                   " (%s; an ordinary user needs a cgroup v2 tree that is delegated to it, as "
                   "systemd does)",
                   cgroup->left_out);
  return r;
}
