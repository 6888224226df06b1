/* A group that its container may divide: given to the user who runs in it, with the files that the
 * kernel says are safe to give. Serves config-linux.md "Cgroup ownership", cgroups(7) "Cgroups
 * delegation". Not beside groups of v1, where delegation is not safe.
 */
#include "cgroup/private.h"

#include <fcntl.h>
#include <limits.h>

#include "sys/file.h"

enum
{
  MOST_NAMES = 4096,
};

/* Where the kernel does not say. */
static const char fallback[] = "cgroup.procs\n"
                               "cgroup.subtree_control\n"
                               "cgroup.threads\n";

static int
give (int group, const char *name, uint32_t uid)
{
  int r = sys_fchownat (group, name, uid, (uint32_t) -1, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW);
  return r == -ENOENT ? 0 : r; /* of a controller that is not enabled here */
}

/* names: a line each. */
static int
give_files (int group, const char *names, uint32_t uid, struct tare_error *error)
{
  char name[NAME_MAX + 1];
  int r = 0;
  for (size_t length; r >= 0 && *names != '\0'; names += length + (names[length] == '\n'))
    {
      length = strcspn (names, "\n");
      if (length == 0 || length >= sizeof name || memchr (names, '/', length) != NULL)
        continue;
      memcpy (name, names, length);
      name[length] = '\0';
      r = give (group, name, uid);
      if (r < 0)
        return fail (error, r, "give '%s' of the container's cgroup to uid %u", name, uid);
    }
  r = give (group, "", uid);
  return r < 0 ? fail (error, r, "give the container's cgroup to uid %u", uid) : 0;
}

static int
give_both (const struct cgroup_hierarchy *h, const char *below, const char *names, uint32_t uid,
           struct tare_error *error)
{
  int r = give_files (h->fd, names, uid, error);
  if (r < 0 || below == NULL)
    return r;
  autoclose int group = group_open (h->fd, below, O_RDONLY);
  return group < 0 ? fail (error, group, "open '%s' of the container's cgroup", below)
                   : give_files (group, names, uid, error);
}

int
cgroup_delegate (const struct cgroup *cgroup, const char *below, uint32_t uid,
                 struct tare_error *error)
{
  char names[MOST_NAMES] = "";
  struct tare_error failure = { 0 };
  const struct cgroup_hierarchy *h = hierarchy_held (cgroup, NULL);
  if (cgroup->n_hierarchies != 1 || h == NULL)
    return 0;
  autoclose int list = sys_open ("/sys/kernel/cgroup/delegate", O_RDONLY, 0);
  if (list < 0 || sys_read_full (list, names, sizeof names - 1) <= 0)
    memcpy (names, fallback, sizeof fallback);
  int r = give_both (h, below, names, uid, &failure);
  if (r == -EPERM && cgroup->unprivileged)
    {
      log_debug (cgroup->log, "%s; it stays ours", failure.message);
      return 0;
    }
  if (r < 0 && error != NULL)
    *error = failure;
  return r;
}
