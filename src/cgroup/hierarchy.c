/* Which of a container's groups serves a purpose; and the end of one. */
#include "cgroup/private.h"

const struct cgroup_hierarchy *
hierarchy_of (const struct cgroup *cgroup, const char *controller)
{
  for (size_t i = 0; i < cgroup->n_hierarchies; i++)
    {
      const struct cgroup_hierarchy *h = &cgroup->hierarchies[i];
      if (controller == NULL ? h->v2 : !h->v2 && list_has (h->controllers, controller))
        return h;
    }
  return NULL;
}

const struct cgroup_hierarchy *
hierarchy_held (const struct cgroup *cgroup, const char *controller)
{
  const struct cgroup_hierarchy *h = hierarchy_of (cgroup, controller);
  return h != NULL && h->fd >= 0 ? h : NULL;
}

const struct cgroup_hierarchy *
hierarchy_primary (const struct cgroup *cgroup)
{
  static const char *const preferred[] = { NULL, "pids", "freezer", "devices", "memory" };
  for (size_t i = 0; i < COUNT_OF (preferred); i++)
    {
      const struct cgroup_hierarchy *h = hierarchy_held (cgroup, preferred[i]);
      if (h != NULL)
        return h;
    }
  for (size_t i = 0; i < cgroup->n_hierarchies; i++)
    if (cgroup->hierarchies[i].fd >= 0)
      return &cgroup->hierarchies[i];
  return NULL;
}

void
hierarchy_done (struct cgroup_hierarchy *h)
{
  free_pointer (&h->controllers);
  free_pointer (&h->mount);
  free_pointer (&h->path);
  close_fd (&h->root);
  close_fd (&h->fd);
  close_fd (&h->tasks);
}

void
cgroup_drop_hierarchy (struct cgroup *cgroup, size_t i)
{
  hierarchy_done (&cgroup->hierarchies[i]);
  cgroup->n_hierarchies--;
  for (; i < cgroup->n_hierarchies; i++)
    cgroup->hierarchies[i] = cgroup->hierarchies[i + 1];
}
