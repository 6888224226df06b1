/* Masked and read-only paths. Serves config-linux.md "Masked Paths", "Readonly Paths".
 *
 * Files are covered by the host's own /dev/null, seen to be 1:3 before it is used (CVE-2025-31133);
 * directories by one empty read-only tmpfs. Only a destination that does not exist is passed over.
 * After pivot_root every path is looked at once more: a mask that is not in force is an error,
 * never a silent escape.
 */
#include "init/init.h"

#include <sys/stat.h>

enum
{
  NULL_MAJOR = 1,
  NULL_MINOR = 3,
};

struct masks
{
  int null;      /* the host's /dev/null */
  int directory; /* the tmpfs; detached until its first use */
  bool attached;
};

static bool
is_null (const struct sys_stat *st)
{
  return S_ISCHR (st->mode) && st->rdev_major == NULL_MAJOR && st->rdev_minor == NULL_MINOR;
}

static bool
is_mask_directory (const struct init *init, const struct sys_stat *st)
{
  return S_ISDIR (st->mode) && st->device_major == init->mask_major
         && st->device_minor == init->mask_minor;
}

int
open_host_null (struct tare_error *error)
{
  struct sys_stat st;
  autoclose int fd = sys_open ("/dev/null", O_PATH | O_NOFOLLOW, 0);
  int r = fd < 0 ? fd : sys_stat (fd, NULL, &st);
  if (r < 0)
    return fail (error, r, "open the host's /dev/null");
  if (!is_null (&st))
    return fail (error, ENODEV, "the host's /dev/null is not device 1:3");
  return take_fd (&fd);
}

/* ---- masking ------------------------------------------------------------------------------- */

static int
make_mask_directory (struct init *init, struct masks *masks, struct tare_error *error)
{
  struct sys_stat st;
  autoclose int fs = sys_fsopen ("tmpfs");
  int r = fs < 0 ? fs : sys_fsconfig_string (fs, "source", "tmpfs");
  if (r >= 0)
    r = sys_fsconfig_string (fs, "nr_blocks", "1");
  if (r >= 0)
    r = sys_fsconfig_string (fs, "nr_inodes", "1");
  if (r >= 0)
    r = sys_fsconfig_create (fs);
  autoclose int tree = r < 0 ? r : sys_fsmount (fs, MOUNT_ATTR_RDONLY);
  r = tree < 0 ? tree : sys_stat (tree, NULL, &st);
  if (r < 0)
    return fail (error, r, "make a tmpfs to mask with");
  init->mask_major = st.device_major;
  init->mask_minor = st.device_minor;
  masks->directory = take_fd (&tree);
  return 0;
}

/* The first use attaches the tmpfs itself: older kernels do not clone what is detached. */
static int
cover_directory (struct init *init, struct masks *masks, int target, struct tare_error *error)
{
  int r = masks->directory < 0 ? make_mask_directory (init, masks, error) : 0;
  if (r < 0)
    return r;
  if (!masks->attached)
    {
      r = sys_move_mount (masks->directory, target);
      masks->attached = r >= 0;
      return r < 0 ? fail (error, r, "attach the mask") : 0;
    }
  autoclose int clone = sys_open_tree (masks->directory, "", OPEN_TREE_CLONE | AT_EMPTY_PATH);
  r = clone < 0 ? clone : sys_move_mount (clone, target);
  return r < 0 ? fail (error, r, "attach a copy of the mask") : 0;
}

static int
cover_file (struct masks *masks, int target, struct tare_error *error)
{
  if (masks->null < 0)
    masks->null = open_host_null (error);
  if (masks->null < 0)
    return masks->null;
  autoclose int clone = sys_open_tree (masks->null, "", OPEN_TREE_CLONE | AT_EMPTY_PATH);
  int r = clone < 0 ? clone : sys_move_mount (clone, target);
  return r < 0 ? fail (error, r, "cover it with /dev/null") : 0;
}

static int
mask (struct init *init, struct masks *masks, int target, struct tare_error *error)
{
  struct sys_stat st;
  int r = sys_stat (target, NULL, &st);
  if (r < 0)
    return fail (error, r, "stat");
  if (is_null (&st) || is_mask_directory (init, &st))
    return 0; /* listed twice, or by another name */
  return S_ISDIR (st.mode) ? cover_directory (init, masks, target, error)
                           : cover_file (masks, target, error);
}

static int
make_read_only (int target, struct tare_error *error)
{
  const struct mount_attr attributes = { .attr_set = MOUNT_ATTR_RDONLY };
  autoclose int tree = sys_open_tree (target, "", OPEN_TREE_CLONE | AT_RECURSIVE | AT_EMPTY_PATH);
  int r = tree < 0 ? tree : sys_mount_setattr (tree, AT_RECURSIVE, &attributes);
  if (r >= 0)
    r = sys_move_mount (tree, target);
  return r < 0 ? fail (error, r, "make it read-only") : 0;
}

/* A descriptor, or -ENOENT where there is nothing to protect; any other failure is in error. */
static int
open_path (const struct init *init, const struct plan_path *path, struct tare_error *error)
{
  int fd = resolve (init->root, plan_string (init->plan, path->path), 0);
  if (fd == -ENOENT || fd == -ENOTDIR)
    return -ENOENT;
  return fd < 0 ? fail (error, fd, "open it") : fd;
}

static int
protect (struct init *init, struct masks *masks, const struct plan_path *path,
         struct tare_error *error)
{
  autoclose int target = open_path (init, path, error);
  if (target < 0)
    return target == -ENOENT ? 0 : target;
  return path->action == PLAN_PATH_MASK ? mask (init, masks, target, error)
                                        : make_read_only (target, error);
}

static int
wrap_path (const struct init *init, const struct plan_path *path, int r, struct tare_error *error)
{
  return r < 0 ? wrap (error, r, "%s '%s'", plan_string (init->plan, path->label),
                       plan_string (init->plan, path->path))
               : 0;
}

static void
masks_done (struct masks *masks)
{
  close_fd (&masks->null);
  close_fd (&masks->directory);
}

int
step_paths (struct init *init, struct tare_error *error)
{
  auto_ (masks)
  struct masks masks = { .null = -EBADF, .directory = -EBADF };
  const struct plan_path *path = plan_elements (init->plan, init->plan->paths);
  int r = 0;
  for (size_t i = 0; r >= 0 && i < init->plan->paths.count; i++)
    r = wrap_path (init, &path[i], protect (init, &masks, &path[i], error), error);
  return r;
}

/* ---- reading back -------------------------------------------------------------------------- */

/* As the container's process will find it: the root is ours by now. */
static int
verify (const struct init *init, const struct plan_path *path, struct tare_error *error)
{
  const char *name = plan_string (init->plan, path->path);
  bool masked = path->action == PLAN_PATH_MASK;
  struct sys_stat st;
  int r = masked ? sys_stat_path (name, &st) : sys_is_read_only (name);
  if (r == -ENOENT || r == -ENOTDIR)
    return 0;
  if (r < 0)
    return fail (error, r, "read back");
  if (masked && !is_null (&st) && !is_mask_directory (init, &st))
    return fail (error, EPERM, "the mask is not in force");
  return masked || r > 0 ? 0 : fail (error, EROFS, "it did not get read-only");
}

int
step_paths_in_force (struct init *init, struct tare_error *error)
{
  const struct plan_path *path = plan_elements (init->plan, init->plan->paths);
  int r = 0;
  for (size_t i = 0; r >= 0 && i < init->plan->paths.count; i++)
    r = wrap_path (init, &path[i], verify (init, &path[i], error), error);
  return r;
}
