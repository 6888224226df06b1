/* Device nodes and the links of /dev. Serves config-linux.md "Default Devices", "Devices", and
 * runtime-linux.md "Dev symbolic links".
 *
 * A node is made by mknod(2), and read back from the descriptor of what is then there. Where the
 * kernel does not let us (a user namespace), the host's node is bind-mounted, after it was seen to
 * be that very device. What exists already is that device, or an error.
 */
#include "init/init.h"

#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

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

static int
make_node (int directory, const char *name, const struct plan_device *device,
           struct tare_error *error)
{
  struct sys_stat st;
  int r = sys_mknodat (directory, name, device->mode, makedev (device->major, device->minor));
  if (r < 0)
    return fail (error, r, "make the node");
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

static int
make_device (const struct init *init, const struct plan_device *device, struct tare_error *error)
{
  const char *name, *path = plan_string (init->plan, device->path);
  bool binds = init_flag (init, PLAN_USER_NAMESPACE) && can_be_bound (device);
  struct sys_stat st;
  autoclose int directory = resolve_parent (init->root, path, resolve_flags_of (path), &name);
  if (directory < 0)
    return fail (error, directory, "open its directory");
  autoclose int existing = open_node (directory, name, &st);
  if (existing < 0 && existing != -ENOENT)
    return fail (error, existing, "look for an existing node");
  if (existing >= 0 && is_device (&st, device))
    return keep_node (existing, &st, device, error);
  /* An empty file is what an earlier container's bind left behind. */
  if (existing >= 0 && !(binds && S_ISREG (st.mode) && st.size == 0))
    return other_thing (device, "exists and", error);
  int r = binds ? -EPERM : make_node (directory, name, device, error);
  if (r == -EPERM && can_be_bound (device) && init_owns_mounts (init))
    return bind_node (init, path, device, error);
  return r;
}

int
step_devices (struct init *init, struct tare_error *error)
{
  const struct plan_device *device = plan_elements (init->plan, init->plan->devices);
  for (size_t i = 0; i < init->plan->devices.count; i++)
    {
      int r = make_device (init, &device[i], error);
      if (r < 0)
        return wrap (error, r, "%s '%s'", plan_string (init->plan, device[i].label),
                     plan_string (init->plan, device[i].path));
    }
  return 0;
}

/* ---- links --------------------------------------------------------------------------------- */

static int
make_link (const struct init *init, const char *path, const char *text, struct tare_error *error)
{
  const char *name;
  autoclose int directory = resolve_parent (init->root, path, resolve_flags_of (path), &name);
  int r = directory < 0 ? directory : sys_symlinkat (text, directory, name);
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
  int r = 0;
  for (size_t i = 0; r >= 0 && i < init->plan->links.count; i++)
    {
      const char *requires = plan_string (init->plan, link[i].requires);
      if (requires == NULL || exists (init, requires))
        r = make_link (init, plan_string (init->plan, link[i].path),
                       plan_string (init->plan, link[i].target), error);
    }
  return r;
}
