/* What a mount of type "cgroup" becomes inside the container: names only, no effect.
 *
 * v2: the tree itself. v1: a tmpfs that holds a directory for each hierarchy, as on a host, and
 * links for controllers that share one; the v2 tree of the hybrid layout is not shown. Without a
 * cgroup namespace a v1 hierarchy shows the container's own group, and v2 the host's tree, by bind.
 * A container without a group of v1 has the tmpfs alone, into which managers bind what they like.
 */
#define _GNU_SOURCE
#include "cgroup/private.h"

#include <stdio.h>

void
cgroup_mounts_done (struct cgroup_mounts *mounts)
{
  for (size_t i = 0; i < mounts->n_mounts; i++)
    {
      free_pointer (&mounts->mounts[i].source);
      free_pointer (&mounts->mounts[i].words);
    }
  mounts->n_mounts = 0;
  mounts->n_links = 0;
}

static int
add_mount (struct cgroup_mounts *mounts, const struct cgroup *cgroup, size_t i)
{
  struct cgroup_mount *mount = &mounts->mounts[mounts->n_mounts];
  const struct cgroup_hierarchy *h = &cgroup->hierarchies[i];
  const char *named = str_after (h->controllers, "name=");
  *mount = (struct cgroup_mount){
    .name = named != NULL ? named : h->controllers,
    .source = cgroup_directory (cgroup, i),
    .words = strdup (h->controllers),
  };
  mounts->n_mounts++;
  return mount->source == NULL || mount->words == NULL ? -ENOMEM : 0;
}

/* "cpu,cpuacct" to "cpu", "cpuacct"; "name=systemd" to "none", "name=systemd". */
static int
split_options (struct cgroup_mount *mount)
{
  char *rest = mount->words, *word;
  size_t n = 0;
  if (str_after (rest, "name=") != NULL)
    mount->options[n++] = "none";
  while ((word = strsep (&rest, ",")) != NULL)
    {
      if (n + 1 == CGROUP_MAX_OPTIONS)
        return -E2BIG;
      mount->options[n++] = word;
    }
  return 0;
}

static int
add_links (struct cgroup_mounts *mounts, const char *controllers)
{
  if (strchr (controllers, ',') == NULL)
    return 0;
  for (const char *word = controllers; *word != '\0';)
    {
      size_t length = strcspn (word, ",");
      if (mounts->n_links == CGROUP_MAX_HIERARCHIES)
        return -E2BIG;
      char *name = mounts->links[mounts->n_links].name;
      char *target = mounts->links[mounts->n_links].target;
      size_t size = sizeof mounts->links->name;
      if (length >= size || strlen (controllers) >= size)
        return -ENAMETOOLONG;
      (void) snprintf (name, size, "%.*s", (int) length, word);
      (void) snprintf (target, size, "%s", controllers);
      mounts->n_links++;
      word += length + (word[length] == ',');
    }
  return 0;
}

static int
add_v1 (struct cgroup_mounts *mounts, const struct cgroup *cgroup, size_t i, bool new_namespace)
{
  int r = add_mount (mounts, cgroup, i);
  if (r >= 0 && new_namespace)
    {
      struct cgroup_mount *mount = &mounts->mounts[mounts->n_mounts - 1];
      mount->type = "cgroup";
      r = split_options (mount);
    }
  return r < 0 ? r : add_links (mounts, cgroup->hierarchies[i].controllers);
}

/* In the host's own cgroup namespace a new mount would take the mount's options (nsdelegate,
 * memory_recursiveprot) from the whole machine: there the host's mount is shown as it is. */
static int
add_v2 (struct cgroup_mounts *mounts, const struct cgroup *cgroup, size_t i, bool new_namespace)
{
  int r = add_mount (mounts, cgroup, i);
  struct cgroup_mount *mount = &mounts->mounts[mounts->n_mounts - 1];
  if (new_namespace)
    {
      mount->type = "cgroup2";
      return r;
    }
  free_pointer (&mount->source);
  mount->source = strdup (cgroup->hierarchies[i].mount);
  return mount->source == NULL ? -ENOMEM : r;
}

bool
cgroup_is_shown (const struct cgroup *cgroup)
{
  return cgroup->n_hierarchies > 0 || cgroup->layout == &cgroup_layout_v1;
}

int
cgroup_plan_mounts (const struct cgroup *cgroup, bool new_namespace,
                    struct cgroup_mounts *ret_mounts, struct tare_error *error)
{
  auto_ (cgroup_mounts)
  struct cgroup_mounts mounts = { 0 };
  bool v1 = cgroup->layout == &cgroup_layout_v1;
  int r = 0;
  mounts.tmpfs = v1;
  for (size_t i = 0; r >= 0 && i < cgroup->n_hierarchies; i++)
    if (!v1)
      r = add_v2 (&mounts, cgroup, i, new_namespace);
    else if (!cgroup->hierarchies[i].v2)
      r = add_v1 (&mounts, cgroup, i, new_namespace);
  if (r < 0)
    return fail (error, r, "plan the cgroup mounts");
  *ret_mounts = mounts;
  mounts.n_mounts = 0; /* the caller's now */
  return 0;
}
