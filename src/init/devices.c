/* Device nodes and the links of /dev. Serves config-linux.md "Default Devices", "Devices", and
 * runtime-linux.md "Dev symbolic links".
 *
 * A node is made by mknod(2), and what is then there is read back. Where the kernel does not let us
 * (a user namespace), the host's node is bind-mounted, after it was seen to be that very device.
 * What exists already is that device, or an error.
 */
#include "init/init.h"

#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

/* The directory of the last path: nearly all of them are in /dev. */
struct parent
{
  int fd;
  const char *path; /* of something in it */
};

static void
parent_done (struct parent *parent)
{
  close_fd (&parent->fd);
}

static int
enter_parent (const struct init *init, struct parent *parent, const char *path,
              const char **ret_name)
{
  const char *slash = strrchr (path, '/');
  size_t length = slash != NULL ? (size_t) (slash + 1 - path) : 0;
  if (parent->fd >= 0 && length > 0 && strncmp (parent->path, path, length) == 0
      && strchr (parent->path + length, '/') == NULL && path[length] != '\0' && path[length] != '.')
    {
      *ret_name = path + length;
      return 0;
    }
  close_fd (&parent->fd);
  parent->fd = resolve_parent (init->root, path, resolve_flags_of (path), ret_name);
  parent->path = path;
  return parent->fd < 0 ? parent->fd : 0;
}

static const char *
kind_of (uint32_t mode)
{
  return S_ISCHR (mode) ? "character device" : S_ISBLK (mode) ? "block device" : "fifo";
}

static bool
is_device (const struct sys_stat *st, const struct plan_device *device)
{
  if ((st->mode & S_IFMT) != (device->mode & S_IFMT))
    return false;
  return S_ISFIFO (device->mode)
         || (st->rdev_major == device->major && st->rdev_minor == device->minor);
}

static int
other_thing (const struct plan_device *device, const char *what, struct tare_error *error)
{
  if (S_ISFIFO (device->mode))
    return fail_kind (error, TARE_ERROR_CONFIG, EEXIST, "%s is not a fifo", what);
  return fail_kind (error, TARE_ERROR_CONFIG, EEXIST, "%s is not %s %u:%u", what,
                    kind_of (device->mode), device->major, device->minor);
}

static bool
has_owner_and_mode (const struct sys_stat *st, const struct plan_device *device)
{
  return st->uid == device->uid && st->gid == device->gid
         && (st->mode & 07777) == (device->mode & 07777);
}

/* ACLs of the directory may have changed the mode, whatever the umask. */
static int
set_owner_and_mode (int node, const struct plan_device *device, struct tare_error *error)
{
  struct sys_stat st;
  int r = sys_fchownat (node, "", device->uid, device->gid, AT_EMPTY_PATH);
  if (r >= 0)
    r = sys_stat (node, NULL, &st);
  if (r >= 0 && (st.mode & 07777) != (device->mode & 07777))
    r = sys_chmod (node, device->mode & 07777);
  return r < 0 ? fail (error, r, "set its owner and mode") : 0;
}

static int
open_node (int directory, const char *name, struct sys_stat *ret_stat)
{
  autoclose int node = sys_openat2 (directory, name, O_PATH | O_NOFOLLOW, 0, RESOLVE_BENEATH);
  if (node < 0)
    return node;
  int r = sys_stat (node, NULL, ret_stat);
  return r < 0 ? r : take_fd (&node);
}

/* -EEXIST, without words, if something is there already. */
static int
make_node (int directory, const char *name, const struct plan_device *device,
           struct tare_error *error)
{
  struct sys_stat st;
  int r = sys_mknodat (directory, name, device->mode, makedev (device->major, device->minor));
  if (r < 0)
    return r == -EEXIST ? r : fail (error, r, "make the node");
  r = sys_stat (directory, name, &st);
  if (r >= 0 && is_device (&st, device) && has_owner_and_mode (&st, device))
    return 0;
  autoclose int node = open_node (directory, name, &st);
  if (node < 0)
    return fail (error, node, "open the new node");
  if (!is_device (&st, device))
    return other_thing (device, "what was made", error);
  return set_owner_and_mode (node, device, error);
}

/* A clone of a mount of the host's at path, if that is the device. */
static int
clone_node (const char *path, const struct plan_device *device)
{
  struct sys_stat st;
  autoclose int tree = sys_open_tree (AT_FDCWD, path, OPEN_TREE_CLONE);
  int r = tree < 0 ? tree : sys_stat (tree, NULL, &st);
  if (r < 0)
    return r;
  return is_device (&st, device) ? take_fd (&tree) : -EEXIST;
}

/* By the same path, or else by the number, under which udev keeps a link to each node. */
static int
clone_host_node (const char *path, const struct plan_device *device, struct tare_error *error)
{
  char by_number[48];
  int tree = clone_node (path, device);
  if (tree >= 0)
    return tree;
  (void) snprintf (by_number, sizeof by_number, "/dev/%s/%u:%u",
                   S_ISBLK (device->mode) ? "block" : "char", device->major, device->minor);
  int other = clone_node (by_number, device);
  if (other >= 0)
    return other;
  return tree == -EEXIST ? other_thing (device, "the host's node", error)
                         : fail (error, tree, "the host's node");
}

static int
bind_node (const struct init *init, const char *path, const struct plan_device *device,
           struct tare_error *error)
{
  autoclose int tree = clone_host_node (path, device, error);
  if (tree < 0)
    return tree;
  autoclose int target = resolve_or_make (init->root, path, resolve_flags_of (path), RESOLVE_FILE);
  int r = target < 0 ? target : sys_move_mount (tree, target);
  return r < 0 ? fail (error, r, "bind the host's node") : 0;
}

static bool
can_be_bound (const struct plan_device *device)
{
  return S_ISCHR (device->mode) || S_ISBLK (device->mode);
}

/* That device is there already. A default one is as good as any; one of the config gets the owner
 * and mode that it asks for, unless it is somebody else's: a mount, or not ours to change. */
static int
keep_node (int node, const struct sys_stat *st, const struct plan_device *device,
           struct tare_error *error)
{
  if ((device->flags & PLAN_DEVICE_DEFAULT) != 0 || st->mount_root)
    return 0;
  int r = set_owner_and_mode (node, device, error);
  return r == -EPERM || r == -EINVAL ? 0 : r;
}

/* 1: it is there already. 0: nothing is, or what may be covered: an empty file is what an earlier
 * container's bind left behind. */
static int
take_existing (int directory, const char *name, const struct plan_device *device, bool binds,
               struct tare_error *error)
{
  struct sys_stat st;
  autoclose int existing = open_node (directory, name, &st);
  if (existing == -ENOENT || (existing >= 0 && binds && S_ISREG (st.mode) && st.size == 0))
    return 0;
  if (existing < 0)
    return fail (error, existing, "look for an existing node");
  if (!is_device (&st, device))
    return other_thing (device, "exists and", error);
  int r = keep_node (existing, &st, device, error);
  return r < 0 ? r : 1;
}

static int
make_device (const struct init *init, struct parent *parent, const struct plan_device *device,
             struct tare_error *error)
{
  const char *name, *path = plan_string (init->plan, device->path);
  bool binds = init_flag (init, PLAN_USER_NAMESPACE) && can_be_bound (device);
  int r = enter_parent (init, parent, path, &name);
  if (r < 0)
    return fail (error, r, "open its directory");
  r = binds ? -EEXIST : make_node (parent->fd, name, device, error);
  if (r == -EEXIST)
    {
      r = take_existing (parent->fd, name, device, binds, error);
      if (r != 0)
        return r < 0 ? r : 0;
      r = binds ? -EPERM : fail (error, EEXIST, "make the node");
    }
  if (r == -EPERM && can_be_bound (device) && init_owns_mounts (init))
    return bind_node (init, path, device, error);
  return r;
}

int
step_devices (struct init *init, struct tare_error *error)
{
  const struct plan_device *device = plan_elements (init->plan, init->plan->devices);
  auto_ (parent)
  struct parent parent = { .fd = -EBADF };
  for (size_t i = 0; i < init->plan->devices.count; i++)
    {
      int r = make_device (init, &parent, &device[i], error);
      if (r < 0)
        return wrap (error, r, "%s '%s'", plan_string (init->plan, device[i].label),
                     plan_string (init->plan, device[i].path));
    }
  return 0;
}

/* ---- links --------------------------------------------------------------------------------- */

static int
make_link (const struct init *init, struct parent *parent, const char *path, const char *text,
           struct tare_error *error)
{
  const char *name;
  int r = enter_parent (init, parent, path, &name);
  if (r >= 0)
    r = sys_symlinkat (text, parent->fd, name);
  if (r < 0 && r != -EEXIST)
    return fail (error, r, "symbolic link '%s' to '%s'", path, text);
  return 0;
}

static bool
exists (const struct init *init, const char *path)
{
  autoclose int found = resolve (init->root, path, 0);
  return found >= 0;
}

int
step_links (struct init *init, struct tare_error *error)
{
  const struct plan_link *link = plan_elements (init->plan, init->plan->links);
  const char *asked = NULL; /* most need the same */
  bool there = true;
  auto_ (parent)
  struct parent parent = { .fd = -EBADF };
  int r = 0;
  for (size_t i = 0; r >= 0 && i < init->plan->links.count; i++)
    {
      const char *requires = plan_string (init->plan, link[i].requires);
      if (requires != NULL && (asked == NULL || !str_equal (requires, asked)))
        there = exists (init, asked = requires);
      if (requires == NULL || there)
        r = make_link (init, &parent, plan_string (init->plan, link[i].path),
                       plan_string (init->plan, link[i].target), error);
    }
  return r;
}
