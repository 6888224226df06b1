/* The cgroupfs driver: we make the groups ourselves, in every hierarchy that is mounted.
 *
 * Owns making, entering and removing; may not know a limit (compile.c, write.c) nor which files
 * freeze or kill (the layouts).
 */
#define _GNU_SOURCE
#include "cgroup/private.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>

enum
{
  DESTROY_MS = 10000,
  UNCLAIMED_MODE = 0700,
  CLAIMED_MODE = 0755,
};

int
cgroupfs_probe (struct cgroup *cgroup, const struct cgroup_known *known, struct tare_error *error)
{
  return known != NULL ? cgroup_find_recorded (cgroup, known, error)
                       : cgroup_discover (cgroup, error);
}

/* ---- make ------------------------------------------------------------------------------------ */

/* A new v1 cpuset is empty, and no process can enter an empty one. */
static int
enter_cpuset (int parent, int child)
{
  static const char *const files[] = { "cpuset.cpus", "cpuset.mems" };
  for (size_t i = 0; i < COUNT_OF (files); i++)
    {
      char text[16384]; /* a machine of many processors, in pieces */
      int r = group_read (child, files[i], text, sizeof text);
      if (r >= 0 && *text != '\0')
        continue;
      if (r >= 0)
        r = group_read (parent, files[i], text, sizeof text);
      if (r >= 0)
        r = group_write (child, files[i], text);
      if (r < 0)
        return r;
    }
  return 0;
}

static void
undo_hierarchy (struct cgroup_hierarchy *h)
{
  char *path = h->path;
  size_t length = strlen (path);
  close_fd (&h->fd);
  while (length > h->existed && group_remove (h->root, path) >= 0)
    {
      length = (size_t) (strrchr (path, '/') - path);
      path[length] = '\0';
    }
}

static void
undo (struct cgroup *cgroup)
{
  for (size_t i = 0; i < cgroup->n_hierarchies; i++)
    if (cgroup->hierarchies[i].fd >= 0)
      undo_hierarchy (&cgroup->hierarchies[i]);
}

/* A group that was there must have no processes: they would get this container's limits, and be
 * killed with it. */
static int
check_empty (const struct cgroup_hierarchy *h, int group, struct tare_error *error)
{
  auto_ (pid_list)
  struct pid_list list = { 0 };
  int r = group_pids (group, true, &list);
  if (r < 0)
    return fail (error, r, "read the processes of '%s%s'", h->mount, h->path);
  if (list.count > 0)
    return fail_kind (error, TARE_ERROR_SYSTEM, -EBUSY,
                      "container's cgroup is not empty: %zu process(es) found", list.count);
  return 0;
}

/* The first is claimed for all of them, before the others are made. */
static int
claim (const struct cgroup_hierarchy *h, struct tare_error *error)
{
  int r = group_claim (h->fd, h->path[h->existed] != '\0');
  int used = r == -EBUSY ? check_empty (h, h->fd, error) : 0;
  if (used < 0)
    return used;
  if (r == -EBUSY)
    return fail_kind (error, TARE_ERROR_SYSTEM, r,
                      "container's cgroup '%s%s' is being taken by another container", h->mount,
                      h->path);
  return r < 0 ? fail (error, r, "claim cgroup '%s%s'", h->mount, h->path) : 0;
}

static int
make_hierarchy (struct cgroup_hierarchy *h, uint32_t mode, bool enable, struct tare_error *error)
{
  int (*enter) (int, int) = NULL;
  if (h->v2 && enable)
    enter = group_enable_controllers;
  else if (!h->v2 && list_has (h->controllers, "cpuset"))
    enter = enter_cpuset;
  int fd = group_make (h->root, h->path, mode, enter, &h->existed);
  if (fd < 0)
    return fail (error, fd, "make cgroup '%s%s'", h->mount, h->path);
  h->fd = fd;
  return 0;
}

int
cgroupfs_make (struct cgroup_hierarchy *h, bool enable, struct tare_error *error)
{
  return make_hierarchy (h, CLAIMED_MODE, enable, error);
}

static int
check_fit (const struct cgroup *cgroup, struct tare_error *error)
{
  bool existed = false;
  int r = 0;
  for (size_t i = 0; r >= 0 && i < cgroup->n_hierarchies; i++)
    {
      const struct cgroup_hierarchy *h = &cgroup->hierarchies[i];
      bool this_existed = h->path[h->existed] == '\0';
      existed = existed || this_existed;
      r = this_existed ? check_empty (h, h->fd, error) : 0;
    }
  if (r >= 0)
    r = cgroup->layout->is_frozen_above (cgroup, error);
  if (r > 0)
    return fail_kind (error, TARE_ERROR_SYSTEM, -EBUSY,
                      "container's cgroup unexpectedly frozen: by a group above it");
  if (r >= 0 && existed)
    r = cgroup->layout->is_frozen (cgroup, error);
  if (r > 0)
    return fail_kind (error, TARE_ERROR_SYSTEM, -EBUSY, "container's cgroup unexpectedly frozen");
  return r;
}

int
cgroupfs_check_free (const struct cgroup *cgroup, struct tare_error *error)
{
  for (size_t i = 0; i < cgroup->n_hierarchies; i++)
    {
      const struct cgroup_hierarchy *h = &cgroup->hierarchies[i];
      autoclose int group = group_open (h->root, h->path, O_RDONLY);
      int r = group < 0 ? 0 : check_empty (h, group, error);
      if (r < 0)
        return r;
    }
  return 0;
}

static int
cgroupfs_prepare (struct cgroup *cgroup, struct tare_error *error)
{
  int r = 0;
  for (size_t i = 0; r >= 0 && i < cgroup->n_hierarchies; i++)
    {
      struct cgroup_hierarchy *h = &cgroup->hierarchies[i];
      r = make_hierarchy (h, i == 0 ? UNCLAIMED_MODE : CLAIMED_MODE, true, error);
      if (r >= 0 && i == 0)
        r = claim (h, error);
    }
  if (r >= 0)
    r = check_fit (cgroup, error);
  if (r >= 0 && cgroup->owner != NULL && cgroup->n_hierarchies > 0)
    group_mark (cgroup->hierarchies[0].fd, cgroup->owner);
  if (r < 0)
    undo (cgroup);
  return r;
}

/* ---- enter ----------------------------------------------------------------------------------- */

static int
attach_one (const struct cgroup_hierarchy *h, const char *pid)
{
  /* EINVAL: the cpu controller refuses a task that clone has not quite finished (before 6.6). */
  int64_t deadline = now_ms () + 100;
  unsigned round = 0;
  int r;
  do
    r = group_write (h->fd, "cgroup.procs", pid);
  while (r == -EINVAL && back_off (&round, deadline));
  return r;
}

int
cgroupfs_attach (struct cgroup *cgroup, pid_t pid, bool in_v2, struct tare_error *error)
{
  char text[16];
  (void) snprintf (text, sizeof text, "%d", (int) pid);
  for (size_t i = 0; i < cgroup->n_hierarchies; i++)
    {
      struct cgroup_hierarchy *h = &cgroup->hierarchies[i];
      bool enters = h->tasks >= 0;
      close_fd (&h->tasks);
      int r = h->fd < 0 || enters || (h->v2 && in_v2) ? 0 : attach_one (h, text);
      if (r == -EACCES && h->v2)
        return fail_kind (error, TARE_ERROR_SYSTEM, r,
                          "cannot move process %s into '%s%s': both it and the process's present "
                          "group must lie below one that is delegated to this user",
                          text, h->mount, h->path);
      if (r < 0)
        return fail (error, r, "move process %s into '%s%s'", text, h->mount, h->path);
    }
  return 0;
}

/* ---- remove ---------------------------------------------------------------------------------- */

/* A group that lost its last process this moment can be busy for a little while. */
static int
remove_hierarchy (const struct cgroup_hierarchy *h, int64_t deadline)
{
  unsigned round = 0;
  for (;;)
    {
      int r = group_remove (h->root, h->path);
      if (r >= 0 || r == -ENOENT || (r != -EBUSY && r != -ENOTEMPTY))
        return r == -ENOENT ? 0 : r;
      auto_ (pid_list)
      struct pid_list list = { 0 };
      (void) group_pids (h->fd, true, &list);
      (void) pid_list_signal (&list, SIGKILL);
      (void) group_remove_below (h->fd, deadline);
      if (!back_off (&round, deadline))
        return r;
    }
}

static int
explain_busy (const struct cgroup_hierarchy *h, int r, struct tare_error *error)
{
  auto_ (pid_list)
  struct pid_list list = { 0 };
  (void) group_pids (h->fd, true, &list);
  if (r == -EBUSY && list.count > 0)
    return fail_kind (error, TARE_ERROR_SYSTEM, r,
                      "remove cgroup '%s%s': %zu process(es) do not end, the first is %d", h->mount,
                      h->path, list.count, (int) list.pids[0]);
  return fail (error, r, "remove cgroup '%s%s'", h->mount, h->path);
}

/* Closes those that went at once, which is the rule. Returns how many did not. */
static size_t
remove_quickly (struct cgroup *cgroup)
{
  size_t left = 0;
  for (size_t i = 0; i < cgroup->n_hierarchies; i++)
    {
      struct cgroup_hierarchy *h = &cgroup->hierarchies[i];
      int r = h->fd < 0 ? -ENOENT : group_remove (h->root, h->path);
      if (r >= 0 || r == -ENOENT)
        close_fd (&h->fd);
      else
        left++;
    }
  return left;
}

int
cgroupfs_destroy (struct cgroup *cgroup, struct tare_error *error)
{
  if (cgroup_is_of_another (cgroup))
    {
      log_debug (cgroup->log, "cgroup '%s' is another container's now",
                 cgroup->hierarchies[0].path);
      return 1;
    }
  if (remove_quickly (cgroup) == 0)
    return 0;
  int64_t deadline = now_ms () + DESTROY_MS;
  int result = 0;
  (void) cgroup->layout->kill (cgroup, NULL);
  const struct cgroup_hierarchy *v2 = hierarchy_held (cgroup, NULL);
  if (v2 != NULL)
    (void) v2_wait (v2->fd, "populated", 0, deadline);
  for (size_t i = 0; i < cgroup->n_hierarchies; i++)
    {
      struct cgroup_hierarchy *h = &cgroup->hierarchies[i];
      int r = h->fd < 0 ? 0 : remove_hierarchy (h, deadline);
      if (r >= 0)
        close_fd (&h->fd);
      else
        result = explain_busy (h, r, error);
    }
  return result;
}

const struct cgroup_driver cgroup_driver_cgroupfs = {
  .name = "cgroupfs",
  .probe = cgroupfs_probe,
  .check_free = cgroupfs_check_free,
  .prepare = cgroupfs_prepare,
  .attach = cgroupfs_attach,
  .update = settings_write,
  .destroy = cgroupfs_destroy,
};
