/* Whose a group is. Two containers that are given one group: while it is made, a lock on its
 * directory lets one of them in; from then on an attribute of it has that one's name, and who comes
 * later to remove "its" group sees that it is another's. Both live and die with the directory.
 */
#define _GNU_SOURCE
#include "cgroup/private.h"

#include <sys/file.h>
#include <sys/xattr.h>

#include "sys/file.h"

/* Of cgroup v1 only the first; without rights over the machine only the second, and only v2. */
static const char *const names[] = { "trusted.tare.owner", "user.tare.owner" };

enum
{
  GROUP_MODE = 0755, /* the usual one */
  MOST_OWNER = 512,
};

/* Until it is locked nobody else may have a directory of ours open: one who could open it could
 * lock it, too. */
int
group_claim (int group, bool made)
{
  int r = sys_flock (group, LOCK_EX | LOCK_NB);
  if (r >= 0 && made)
    r = sys_fchmod (group, GROUP_MODE);
  return r == -EAGAIN ? -EBUSY : r;
}

/* Where that cannot be had, the group is taken for whose record it is in. */
void
group_mark (int group, const char *owner)
{
  for (size_t i = 0; i < COUNT_OF (names); i++)
    if (fsetxattr (group, names[i], owner, strlen (owner), 0) == 0)
      return;
}

bool
group_is_of_another (int group, const char *owner)
{
  char text[MOST_OWNER];
  ssize_t length = -1;
  for (size_t i = 0; i < COUNT_OF (names) && length < 0; i++)
    length = fgetxattr (group, names[i], text, sizeof text);
  return length >= 0
         && ((size_t) length != strlen (owner) || memcmp (text, owner, (size_t) length) != 0);
}

bool
cgroup_is_of_another (const struct cgroup *cgroup)
{
  const struct cgroup_hierarchy *h = &cgroup->hierarchies[0];
  return cgroup->owner != NULL && cgroup->n_hierarchies > 0 && h->fd >= 0
         && group_is_of_another (h->fd, cgroup->owner);
}
