/* Which cgroup hierarchies there are, found without mountinfo: statfs(2) of /sys/fs/cgroup says
 * what the tree is, /proc/self/cgroup names the v1 hierarchies and our own groups, cgroups(7).
 *
 * Owns struct cgroup's list of hierarchies; has no effect on any group.
 */
#define _GNU_SOURCE
#include "cgroup/private.h"

#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>

#include "sys/file.h"

bool
is_cgroup_mount (int fd, bool v2)
{
  uint64_t magic;
  return sys_fs_magic (fd, &magic) >= 0 && magic == (v2 ? CGROUP2_SUPER_MAGIC : CGROUP_SUPER_MAGIC);
}

int
hierarchy_open_root (const char *mount, bool v2)
{
  autoclose int fd = sys_open (mount, O_PATH | O_DIRECTORY, 0);
  if (fd < 0)
    return fd;
  return is_cgroup_mount (fd, v2) ? take_fd (&fd) : -ENOENT;
}

static int
open_v1_named (int root, const char *name)
{
  autoclose int fd = sys_openat2 (root, name, O_PATH | O_DIRECTORY, 0, RESOLVE_BENEATH);
  return fd >= 0 && is_cgroup_mount (fd, false) ? take_fd (&fd) : -ENOENT;
}

/* The directory where a v1 hierarchy is mounted: named after all its controllers, or else a link
 * of one controller's name leads there ("cpuacct,cpu" may be mounted as "cpu,cpuacct"). That name
 * goes to name. */
static int
open_v1_mount (int root, const char *controllers, char name[static NAME_MAX + 1])
{
  const char *list = str_after (controllers, "name=");
  list = list != NULL ? list : controllers;
  (void) snprintf (name, NAME_MAX + 1, "%s", list);
  int fd = open_v1_named (root, name);
  while (fd < 0 && *list != '\0')
    {
      size_t length = strcspn (list, ",");
      (void) snprintf (name, NAME_MAX + 1, "%.*s", (int) length, list);
      fd = open_v1_named (root, name);
      list += length + (list[length] == ',');
    }
  return fd;
}

static char *
join (const char *directory, const char *name)
{
  char *path;
  return asprintf (&path, "%s%s%s", directory, *name != '\0' ? "/" : "", name) < 0 ? NULL : path;
}

/* Our own group as a path from this mount. "/": unknown there, as inside a container that sees a
 * part of the tree only. */
static char *
own_path (int mount, const char *path)
{
  char normal[PATH_MAX];
  if (path_normalize (path, normal, sizeof normal) < 0 || !path_is_below (normal, "/")
      || str_equal (normal, "/"))
    return strdup ("");
  autoclose int fd = group_open (mount, normal, O_PATH);
  return strdup (fd < 0 ? "" : normal);
}

/* mount is taken over. path becomes our own group's; cgroup_plan puts the container's there. */
static int
add_hierarchy (struct cgroup *cgroup, int mount, const char *name, const struct group_line *own)
{
  if (cgroup->n_hierarchies == CGROUP_MAX_HIERARCHIES)
    {
      close_fd (&mount);
      return -E2BIG;
    }
  struct cgroup_hierarchy *h = &cgroup->hierarchies[cgroup->n_hierarchies++];
  *h = (struct cgroup_hierarchy){
    .controllers = strdup (own->controllers),
    .mount = join (CGROUP_ROOT, name),
    .path = own_path (mount, own->path),
    .v2 = *own->controllers == '\0',
    .root = mount,
    .fd = -EBADF,
    .tasks = -EBADF,
  };
  return h->controllers == NULL || h->mount == NULL || h->path == NULL ? -ENOMEM : 0;
}

static int
add_v1 (struct cgroup *cgroup, int root, const struct group_line *own)
{
  char name[NAME_MAX + 1];
  int mount = open_v1_mount (root, own->controllers, name);
  return mount < 0 ? 0 : add_hierarchy (cgroup, mount, name, own); /* not mounted: not for us */
}

/* The v2 tree of the hybrid layout. */
static int
add_unified (struct cgroup *cgroup, int root, const struct group_line *own)
{
  static const char name[] = CGROUP_UNIFIED;
  int mount =
      sys_openat2 (root, name, O_PATH | O_DIRECTORY, 0, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
  if (mount >= 0 && is_cgroup_mount (mount, true))
    return add_hierarchy (cgroup, mount, name, own);
  close_fd (&mount);
  return 0;
}

/* Cuts the next line of *text; false at the end, or at a line that is none of the kernel's. */
bool
group_line_next (char **text, struct group_line *ret_own)
{
  char *line = strsep (text, "\n");
  char *controllers = line != NULL ? strchr (line, ':') : NULL;
  char *path = controllers != NULL ? strchr (controllers + 1, ':') : NULL;
  if (path == NULL)
    return false;
  *controllers++ = '\0';
  *path++ = '\0';
  *ret_own = (struct group_line){ .controllers = controllers, .path = path };
  return true;
}

int
group_lines_read (pid_t pid, char **ret_text, struct tare_error *error)
{
  enum
  {
    MOST = CGROUP_MAX_HIERARCHIES * (PATH_MAX + 256),
  };
  char file[32] = "/proc/self/cgroup", bytes[4096];
  auto_ (buf)
  struct buf text = { 0 };
  if (pid > 0)
    (void) snprintf (file, sizeof file, "/proc/%d/cgroup", (int) pid);
  autoclose int fd = sys_open (file, O_RDONLY, 0);
  ssize_t length = fd < 0 ? fd : (ssize_t) sizeof bytes;
  while (length == (ssize_t) sizeof bytes && text.length < MOST)
    {
      length = sys_read_full (fd, bytes, sizeof bytes);
      buf_append (&text, bytes, length > 0 ? (size_t) length : 0);
    }
  if (length < 0)
    return fail (error, (int) length, "read %s", file);
  *ret_text = buf_take (&text);
  return *ret_text != NULL ? 0 : fail (error, ENOMEM, "read %s", file);
}

int
cgroup_discover (struct cgroup *cgroup, struct tare_error *error)
{
  autoclose int root = sys_open (CGROUP_ROOT, O_PATH | O_DIRECTORY, 0);
  if (root < 0)
    return fail (error, root, "open '%s'", CGROUP_ROOT);
  autofree char *text = NULL;
  int r = group_lines_read (0, &text, error);
  if (r < 0)
    return r;
  bool v1 = !is_cgroup_mount (root, true);
  char *rest = text;
  struct group_line own;
  while (r >= 0 && group_line_next (&rest, &own))
    if (!v1 && *own.controllers == '\0')
      r = add_hierarchy (cgroup, take_fd (&root), "", &own);
    else if (v1 && *own.controllers == '\0')
      r = add_unified (cgroup, root, &own);
    else if (v1)
      r = add_v1 (cgroup, root, &own);
  if (r < 0)
    return fail (error, r, "find the cgroup hierarchies");
  if (cgroup->n_hierarchies == 0)
    return fail_kind (error, TARE_ERROR_UNSUPPORTED, -ENOENT,
                      "no cgroup file system is mounted below %s", CGROUP_ROOT);
  cgroup->layout = v1 ? &cgroup_layout_v1 : &cgroup_layout_v2;
  return 0;
}
