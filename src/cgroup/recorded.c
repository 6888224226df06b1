/* A container's groups from its state file. Only the hierarchies that the caller has a use for are
 * looked at: of nine, state needs one.
 *
 * Owns struct cgroup's list of hierarchies for a container that is there (discover.c: for one that
 * is to be made); has no effect on any group.
 */
#define _GNU_SOURCE
#include "cgroup/private.h"

#include <fcntl.h>
#include <limits.h>

#include "sys/file.h"

/* ---- names ----------------------------------------------------------------------------------- */

static int
check_directory (const char *directory, struct tare_error *error)
{
  char normal[PATH_MAX];
  if (*directory != '/' || path_has_dot_dot (directory)
      || path_normalize (directory, normal, sizeof normal) < 0 || !str_equal (directory, normal)
      || str_after (directory, CGROUP_ROOT "/") == NULL)
    return fail_kind (error, TARE_ERROR_CORRUPT, -EINVAL, "'%s' is no cgroup directory", directory);
  return 0;
}

/* Is the hierarchy with these controllers mounted at name, which has length bytes? Named after all
 * of them, or after one that has a link there. */
static bool
is_mounted_at (const char *controllers, const char *name, size_t length)
{
  char copy[NAME_MAX + 1];
  if (length >= sizeof copy)
    return false;
  memcpy (copy, name, length);
  copy[length] = '\0';
  const char *named = str_after (controllers, "name=");
  if (*controllers == '\0')
    return str_equal (copy, CGROUP_UNIFIED);
  return str_equal (copy, named != NULL ? named : controllers)
         || (named == NULL && list_has (controllers, copy));
}

/* The length of the mount's path in a recorded directory: 0 if it is not this hierarchy's, or has
 * nothing below the mount. */
static size_t
mount_length (const char *directory, const char *controllers, bool pure)
{
  size_t length = strlen (CGROUP_ROOT);
  if (pure)
    return length;
  size_t name = strcspn (directory + length + 1, "/");
  if (!is_mounted_at (controllers, directory + length + 1, name))
    return 0;
  length += 1 + name;
  return directory[length] == '/' ? length : 0;
}

static int
add_recorded (struct cgroup *cgroup, const char *controllers, const struct cgroup_known *known,
              bool pure)
{
  for (size_t i = 0; i < known->count; i++)
    {
      size_t length = mount_length (known->directories[i], controllers, pure);
      if (length == 0)
        continue;
      if (cgroup->n_hierarchies == CGROUP_MAX_HIERARCHIES)
        return -E2BIG;
      struct cgroup_hierarchy *h = &cgroup->hierarchies[cgroup->n_hierarchies++];
      *h = (struct cgroup_hierarchy){
        .controllers = strdup (controllers),
        .mount = strndup (known->directories[i], length),
        .path = strdup (known->directories[i] + length),
        .v2 = *controllers == '\0',
        .root = -EBADF,
        .fd = -EBADF,
        .tasks = -EBADF,
      };
      return h->controllers == NULL || h->mount == NULL || h->path == NULL ? -ENOMEM : 0;
    }
  return 0; /* not recorded, or not mounted any more */
}

/* ---- of what use ----------------------------------------------------------------------------- */

static bool
serves (const struct cgroup *cgroup, const struct cgroup_hierarchy *h, enum cgroup_use use)
{
  const struct cgroup_hierarchy *freezer = hierarchy_of (cgroup, "freezer");
  const struct cgroup_hierarchy *v2 = hierarchy_of (cgroup, NULL);
  switch (use)
    {
    case CGROUP_TO_FREEZE:
      return h == (freezer != NULL ? freezer : v2);
    case CGROUP_TO_SIGNAL:
      return h == freezer || h == v2 || (freezer == NULL && v2 == NULL);
    case CGROUP_TO_CHANGE:
      break;
    }
  return true;
}

static void
drop_useless (struct cgroup *cgroup, enum cgroup_use use)
{
  bool keep[CGROUP_MAX_HIERARCHIES] = { false };
  for (size_t i = 0; i < cgroup->n_hierarchies; i++)
    keep[i] = serves (cgroup, &cgroup->hierarchies[i], use);
  for (size_t i = cgroup->n_hierarchies; i-- > 0;)
    if (!keep[i])
      cgroup_drop_hierarchy (cgroup, i);
}

/* ---- opening --------------------------------------------------------------------------------- */

/* -ENOENT: it is gone, or the mount is none of control groups any more. */
static int
open_hierarchy (struct cgroup_hierarchy *h)
{
  h->root = h->root >= 0 ? h->root : hierarchy_open_root (h->mount, h->v2);
  if (h->root < 0)
    return h->root;
  h->fd = group_open (h->root, h->path, O_RDONLY);
  return h->fd;
}

static int
open_all (struct cgroup *cgroup, struct tare_error *error)
{
  for (size_t i = cgroup->n_hierarchies; i-- > 0;)
    {
      const struct cgroup_hierarchy *h = &cgroup->hierarchies[i];
      int r = open_hierarchy (&cgroup->hierarchies[i]);
      if (r == -ENOENT)
        cgroup_drop_hierarchy (cgroup, i);
      else if (r < 0)
        return fail (error, r, "open '%s%s'", h->mount, h->path);
    }
  return 0;
}

static int
find_v1 (struct cgroup *cgroup, const struct cgroup_known *known, struct tare_error *error)
{
  autofree char *text = NULL;
  int r = group_lines_read (0, &text, error);
  if (r < 0)
    return r;
  char *rest = text;
  struct group_line line;
  while (r >= 0 && group_line_next (&rest, &line))
    r = add_recorded (cgroup, line.controllers, known, false);
  return r < 0 ? fail (error, r, "find the cgroups of the container") : 0;
}

/* root is that of the pure v2 tree. */
static int
find_v2 (struct cgroup *cgroup, int *root, const struct cgroup_known *known,
         struct tare_error *error)
{
  int r = add_recorded (cgroup, "", known, true);
  if (r < 0)
    return fail (error, r, "find the cgroups of the container");
  if (cgroup->n_hierarchies > 0)
    cgroup->hierarchies[0].root = take_fd (root);
  return 0;
}

int
cgroup_find_recorded (struct cgroup *cgroup, const struct cgroup_known *known,
                      struct tare_error *error)
{
  int r = 0;
  for (size_t i = 0; r >= 0 && i < known->count; i++)
    r = check_directory (known->directories[i], error);
  if (r < 0)
    return r;
  autoclose int root = sys_open (CGROUP_ROOT, O_PATH | O_DIRECTORY, 0);
  if (root < 0)
    return fail (error, root, "open '%s'", CGROUP_ROOT);
  bool v1 = !is_cgroup_mount (root, true);
  cgroup->layout = v1 ? &cgroup_layout_v1 : &cgroup_layout_v2;
  r = v1 ? find_v1 (cgroup, known, error) : find_v2 (cgroup, &root, known, error);
  if (r < 0)
    return r;
  drop_useless (cgroup, known->use);
  return open_all (cgroup, error);
}
