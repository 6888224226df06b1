/* Which groups a further process of a container enters (exec). Owns that choice only: entering is
 * the same as for the first process. Nothing here leads out of the container's own groups.
 */
#define _GNU_SOURCE
#include "cgroup/private.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>

/* h stands for path from now on. */
static int
move_to (struct cgroup_hierarchy *h, const char *path)
{
  autoclose int fd = group_open (h->root, path, O_RDONLY);
  if (fd < 0)
    return fd;
  char *copy = strdup (path);
  if (copy == NULL)
    return -ENOMEM;
  free_pointer (&h->path);
  close_fd (&h->fd);
  h->path = copy;
  h->fd = take_fd (&fd);
  return 0;
}

/* Where it cannot be told, or init has left the container's groups, the recorded one serves. */
static int
follow_init (struct cgroup_hierarchy *h, const struct group_line *line)
{
  char normal[PATH_MAX];
  if (path_normalize (line->path, normal, sizeof normal) < 0 || str_equal (normal, h->path)
      || strstr (normal, "/..") != NULL || !path_is_below (normal, h->path))
    return 0;
  int r = move_to (h, normal);
  return r == -ENOMEM ? r : 0;
}

static int
follow_init_everywhere (struct cgroup *cgroup, pid_t init, struct tare_error *error)
{
  autofree char *text = NULL;
  struct group_line line;
  int r = group_lines_read (init, &text, error);
  if (r < 0)
    return r;
  char *rest = text;
  while (group_line_next (&rest, &line))
    for (size_t i = 0; i < cgroup->n_hierarchies; i++)
      if (str_equal (cgroup->hierarchies[i].controllers, line.controllers)
          && follow_init (&cgroup->hierarchies[i], &line) < 0)
        return fail (error, ENOMEM, "find the groups of the container");
  return 0;
}

/* ---- groups below, by name ---------------------------------------------------------------------
 */

/* Is one of the length bytes of names, "cpu,memory", a controller of h? */
static bool
is_named (const struct cgroup_hierarchy *h, const char *names, size_t length)
{
  char name[NAME_MAX + 1];
  for (size_t i = 0, n; i < length; i += n + 1)
    {
      n = strcspn (names + i, ",:");
      if (n >= sizeof name)
        continue;
      memcpy (name, names + i, n);
      name[n] = '\0';
      if (h->v2 ? n == 0 : list_has (h->controllers, name) || str_equal (h->controllers, name))
        return true;
    }
  return false;
}

static int
enter_sub (struct cgroup_hierarchy *h, const char *path, struct tare_error *error)
{
  char joined[2 * PATH_MAX], normal[PATH_MAX];
  int n = snprintf (joined, sizeof joined, "%s/%s", h->path, path);
  int r = n < 0 || (size_t) n >= sizeof joined ? -ENAMETOOLONG
                                               : path_normalize (joined, normal, sizeof normal);
  if (r >= 0)
    r = move_to (h, normal);
  return r < 0 ? fail (error, r, "sub cgroup '%s' of '%s%s'", path, h->mount, h->path) : 0;
}

/* "PATH" goes for every hierarchy, "cpu,memory:PATH" for those of these controllers. */
static int
enter_subs (struct cgroup *cgroup, const char *sub, struct tare_error *error)
{
  const char *colon = strchr (sub, ':');
  const char *path = colon != NULL ? colon + 1 : sub;
  size_t found = 0;
  if (path_has_dot_dot (path))
    return fail_kind (error, TARE_ERROR_USAGE, -EINVAL, "bad sub cgroup path '%s': contains '..'",
                      sub);
  for (size_t i = 0; i < cgroup->n_hierarchies; i++)
    {
      struct cgroup_hierarchy *h = &cgroup->hierarchies[i];
      if (colon != NULL && !is_named (h, sub, (size_t) (colon - sub) + (colon == sub)))
        continue;
      int r = enter_sub (h, path, error);
      if (r < 0)
        return r;
      found++;
    }
  return found > 0
             ? 0
             : fail_kind (error, TARE_ERROR_USAGE, -ENOENT,
                          "bad sub cgroup path '%s': the container has no such controller", sub);
}

int
cgroup_join (struct cgroup *cgroup, pid_t init, const char *const *subs, size_t n_subs,
             struct tare_error *error)
{
  int r = 0;
  if (n_subs == 0)
    return cgroup->n_hierarchies > 0 ? follow_init_everywhere (cgroup, init, error) : 0;
  for (size_t i = 0; r >= 0 && i < n_subs; i++)
    r = enter_subs (cgroup, subs[i], error);
  return r;
}
