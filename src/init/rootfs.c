/* The root: propagation of the whole tree, the rootfs attached over its own path, at the end
 * pivot_root(2). Serves config.md "Root", config-linux.md "Rootfs Mount Propagation".
 *
 * It is attached before anything is mounted below, because hooks of the host side mount into
 * root.path and must be seen inside, and because older kernels cannot mount onto detached trees.
 */
#include "init/init.h"

enum
{
  PROPAGATION = MS_UNBINDABLE | MS_PRIVATE | MS_SLAVE | MS_SHARED,
  MOST_PARENTS = 4096,
};

bool
init_owns_mounts (const struct init *init)
{
  return ((init->plan->clone_flags | init->plan->unshare_flags) & CLONE_NEWNS) != 0;
}

static int
set_propagation (int mount, uint64_t propagation)
{
  struct mount_attr attributes = { .propagation = propagation & PROPAGATION };
  return sys_mount_setattr (mount, (propagation & MS_REC) != 0 ? AT_RECURSIVE : 0, &attributes);
}

static int
open_host_root (struct tare_error *error)
{
  int fd = sys_open ("/", O_PATH | O_DIRECTORY, 0);
  return fd < 0 ? fail (error, fd, "open the host's root") : fd;
}

/* Unbindable waits until pivot_root: nothing could be bind-mounted from the host any more. */
static int
set_host_propagation (const struct init *init, int host_root, struct tare_error *error)
{
  uint64_t propagation = init->plan->root_propagation;
  if ((propagation & PROPAGATION) == 0)
    return 0;
  if ((propagation & MS_UNBINDABLE) != 0)
    propagation = MS_PRIVATE | (propagation & MS_REC);
  int r = set_propagation (host_root, propagation);
  return r < 0 ? fail (error, r, "propagation of the host's mounts") : 0;
}

/* No mount of the host's that we see is shared with anybody: nothing climbs out of here. */
static bool
host_is_private (const struct init *init)
{
  uint64_t propagation = init->plan->root_propagation;
  return (propagation & MS_REC) != 0 && (propagation & MS_SHARED) == 0
         && (propagation & (MS_SLAVE | MS_PRIVATE | MS_UNBINDABLE)) != 0;
}

/* The mount that holds the rootfs is shared no more: what is mounted in the container stays there,
 * and pivot_root(2) demands it. A slave it remains where the config wants slaves: bind mounts of
 * the same file system see what the host mounts later. Only the top of a mount can be changed, so
 * climb there. */
static int
unshare_parent (const struct init *init, int rootfs, struct tare_error *error)
{
  struct sys_stat st;
  autoclose int at = sys_openat2 (rootfs, ".", O_PATH | O_DIRECTORY, 0, 0);
  int r = at < 0 ? at : sys_stat (at, NULL, &st);
  for (int i = 0; r >= 0 && !st.mount_root && i < MOST_PARENTS; i++)
    {
      int above = sys_openat2 (at, "..", O_PATH | O_DIRECTORY, 0, 0);
      close_fd (&at);
      at = above;
      r = at < 0 ? at : sys_stat (at, NULL, &st);
    }
  if (r >= 0)
    r = set_propagation (at,
                         (init->plan->root_propagation & MS_SLAVE) != 0 ? MS_SLAVE : MS_PRIVATE);
  return r < 0 ? fail (error, r, "make the mount of the rootfs private") : 0;
}

int
init_hold_root (struct init *init, int root, struct tare_error *error)
{
  struct sys_stat st;
  init->root = root;
  int r = sys_stat (root, NULL, &st);
  if (r < 0)
    return fail (error, r, "stat of the root");
  init->root_mount = st.mount_id;
  init->root_inode = st.inode;
  return 0;
}

/* "/" itself, by a link or another name, would be pivoted away under the host's feet. */
static int
refuse_host_root (int rootfs, int host_root, const char *path, struct tare_error *error)
{
  struct sys_stat ours, host;
  int r = sys_stat (rootfs, NULL, &ours);
  if (r >= 0)
    r = sys_stat (host_root, NULL, &host);
  if (r < 0)
    return fail (error, r, "stat of the rootfs '%s'", path);
  if (ours.inode == host.inode && ours.mount_id == host.mount_id
      && ours.device_major == host.device_major && ours.device_minor == host.device_minor)
    return fail_kind (error, TARE_ERROR_CONFIG, EINVAL,
                      "root.path: '%s' is the host's own root directory", path);
  return 0;
}

static int
attach_rootfs (struct init *init, int rootfs, const char *path, struct tare_error *error)
{
  int r = host_is_private (init) ? 0 : unshare_parent (init, rootfs, error);
  if (r < 0)
    return r;
  autoclose int tree = sys_open_tree (rootfs, "", OPEN_TREE_CLONE | AT_RECURSIVE | AT_EMPTY_PATH);
  if (tree < 0)
    return fail (error, tree, "clone the rootfs '%s'", path);
  r = sys_move_mount (tree, rootfs);
  if (r < 0)
    return fail (error, r, "mount the rootfs '%s'", path);
  return init_hold_root (init, take_fd (&tree), error);
}

/* Everything here dies with the mount namespace: it must not be the host's. */
static int
check_namespace (const struct init *init, struct tare_error *error)
{
  const struct plan_join *join = plan_elements (init->plan, init->plan->joins);
  bool has_one = init_owns_mounts (init);
  for (size_t i = 0; i < init->plan->joins.count; i++)
    has_one = has_one || join[i].type == CLONE_NEWNS;
  if (has_one || init->plan->mounts.count + init->plan->paths.count == 0)
    return 0;
  return fail_kind (error, TARE_ERROR_CONFIG, EINVAL,
                    "mounts, masked and read-only paths need a mount namespace");
}

int
step_rootfs (struct init *init, struct tare_error *error)
{
  const char *path = plan_string (init->plan, init->plan->rootfs);
  autoclose int host_root = open_host_root (error);
  if (host_root < 0)
    return host_root;
  int r = check_namespace (init, error);
  if (r >= 0 && init_owns_mounts (init))
    r = set_host_propagation (init, host_root, error);
  if (r < 0)
    return r;
  autoclose int rootfs = sys_open (path, O_PATH | O_DIRECTORY, 0);
  if (rootfs == -ENOENT)
    return fail_kind (error, TARE_ERROR_CONFIG, ENOENT,
                      "root.path: the rootfs path '%s' does not exist", path);
  if (rootfs < 0)
    return fail (error, rootfs, "root.path: open '%s'", path);
  r = refuse_host_root (rootfs, host_root, path, error);
  if (r < 0)
    return r;
  if (init_owns_mounts (init))
    return attach_rootfs (init, rootfs, path, error);
  return init_hold_root (init, take_fd (&rootfs), error);
}

/* ---- at the end ---------------------------------------------------------------------------- */

/* After pivot_root (".", ".") the old root lies over the new one, and "." leads umount2(2) to it.
 * Slave first where it is still shared, or its unmounting would reach the host. */
static int
pivot (const struct init *init, struct tare_error *error)
{
  bool shared = !host_is_private (init);
  autoclose int old_root = shared ? open_host_root (error) : -EBADF;
  if (shared && old_root < 0)
    return old_root;
  int r = sys_pivot_root (".", ".");
  if (r < 0)
    return fail (error, r, "pivot_root");
  r = shared ? set_propagation (old_root, MS_SLAVE | MS_REC) : 0;
  if (r >= 0)
    r = sys_umount (".", MNT_DETACH);
  return r < 0 ? fail (error, r, "unmount the host's root") : 0;
}

/* --no-pivot, where "/" is a ramdisk: the root is moved over it, and the host's mounts stay below.
 * In a joined mount namespace only our own root directory changes. */
static int
move_and_chroot (const struct init *init, struct tare_error *error)
{
  int r = 0;
  if (init_owns_mounts (init))
    {
      autoclose int host_root = open_host_root (error);
      if (host_root < 0)
        return host_root;
      r = old_root_drop (init, error);
      if (r < 0)
        return r;
      r = sys_move_mount (init->root, host_root);
    }
  if (r >= 0)
    r = sys_fchdir (init->root);
  if (r >= 0)
    r = sys_chroot (".");
  return r < 0 ? fail (error, r, "change the root directory") : 0;
}

/* Slave and private are what the root is already: its parent was private when it was cloned. */
static int
set_root_propagation (const struct init *init, struct tare_error *error)
{
  uint64_t propagation = init->plan->root_propagation;
  if (!init_owns_mounts (init) || (propagation & (MS_SHARED | MS_UNBINDABLE)) == 0)
    return 0;
  int r = set_propagation (init->root, propagation);
  return r < 0 ? fail (error, r, "propagation of the root") : 0;
}

int
step_pivot_root (struct init *init, struct tare_error *error)
{
  int r = sys_fchdir (init->root);
  if (r < 0)
    return fail (error, r, "enter the rootfs");
  bool pivots = init_owns_mounts (init) && !init_flag (init, PLAN_CHROOT);
  r = pivots ? pivot (init, error) : move_and_chroot (init, error);
  return r < 0 ? r : set_root_propagation (init, error);
}
