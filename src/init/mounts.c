/* The mounts of the container, in the plan's order: where they go. Serves config.md "Mounts".
 *
 * Every mount is made detached, gets its attributes while nobody can reach it, and is attached by
 * descriptor to a descriptor; nothing is remounted by path, so no exchange of a path can turn the
 * attributes of another mount (CVE-2021-30465). Read-only alone may wait, on the held descriptor,
 * where something is still to be made below.
 */
#include "init/init.h"

#include <linux/magic.h>
#include <sys/stat.h>

/* ---- placing ------------------------------------------------------------------------------- */

static bool
is_type (const struct init *init, const struct plan_mount *mount, const char *type)
{
  return mount->action == PLAN_MOUNT_FILESYSTEM
         && str_equal (plan_string (init->plan, mount->type), type);
}

static uint64_t
target_flags (const struct init *init, const struct plan_mount *mount)
{
  bool fixed = (mount->flags & PLAN_MOUNT_NO_SYMLINKS) != 0 || is_type (init, mount, "proc")
               || is_type (init, mount, "sysfs");
  return fixed ? RESOLVE_NO_SYMLINKS : 0;
}

static int
target_fail (int r, struct tare_error *error)
{
  if (r == -ELOOP)
    return fail (error, r, "a symbolic link is in the way");
  return fail (error, r, "open the mount point");
}

static int
refuse_in_proc (struct tare_error *error)
{
  return fail_kind (error, TARE_ERROR_CONFIG, EINVAL, "cannot be mounted over: it is inside proc");
}

/* Inside a procfs nothing may be covered or faked (CVE-2019-16884, CVE-2019-19921), but for the
 * files that the plan lets pass. target is negative while it is not made. */
static int
check_in_proc (const struct init *init, const struct plan_mount *mount, int target,
               struct tare_error *error)
{
  const char *path = plan_string (init->plan, mount->target);
  uint64_t magic;
  if ((mount->flags & PLAN_MOUNT_IN_PROC_ALLOWED) != 0 || str_equal (path, "/proc"))
    return 0;
  if (path_is_below (path, "/proc"))
    return refuse_in_proc (error);
  if (target < 0)
    return 0;
  int r = sys_fs_magic (target, &magic);
  if (r < 0)
    return target_fail (r, error);
  return magic == PROC_SUPER_MAGIC ? refuse_in_proc (error) : 0;
}

/* /proc is a procfs, whole, or there is none: what is mounted there instead would be taken for one.
 */
static int
check_is_proc (const struct init *init, const struct plan_mount *mount, int tree,
               struct tare_error *error)
{
  struct sys_stat st;
  uint64_t magic;
  const char *source = plan_string (init->plan, mount->source);
  if (!str_equal (plan_string (init->plan, mount->target), "/proc"))
    return 0;
  int r = sys_fs_magic (tree, &magic);
  if (r >= 0)
    r = sys_stat (tree, NULL, &st);
  if (r < 0)
    return fail (error, r, "stat of the mount");
  if (magic != PROC_SUPER_MAGIC || st.inode != 1)
    return fail_kind (error, TARE_ERROR_CONFIG, EINVAL, "'%s' is not a procfs",
                      source != NULL ? source : "what is mounted");
  return 0;
}

static int
set_mount_propagation (int tree, unsigned flags, uint64_t propagation, struct tare_error *error)
{
  /* Ascending, so that "slave" comes before "shared": both together make a shared slave. */
  const uint64_t order[] = { MS_UNBINDABLE, MS_PRIVATE, MS_SLAVE, MS_SHARED };
  for (size_t i = 0; i < COUNT_OF (order); i++)
    {
      struct mount_attr attributes = { .propagation = order[i] };
      int r = (propagation & order[i]) != 0 ? sys_mount_setattr (tree, flags, &attributes) : 0;
      if (r < 0)
        return fail (error, r, "set propagation");
    }
  return 0;
}

static int
set_all_propagation (const struct plan_mount *mount, int tree, struct tare_error *error)
{
  int r = set_mount_propagation (tree, AT_RECURSIVE, mount->recursive_propagation, error);
  return r < 0 ? r : set_mount_propagation (tree, 0, mount->propagation, error);
}

/* By a link of the image, say: all that was made in the root already would be covered, masked paths
 * too, and the rest be made in somebody's volume. */
static int
refuse_root (const struct init *init, const struct sys_stat *target, struct tare_error *error)
{
  struct sys_stat root;
  int r = sys_stat (init->root, NULL, &root);
  if (r < 0)
    return fail (error, r, "stat of the root");
  if (root.mount_id != target->mount_id || root.inode != target->inode)
    return 0;
  return fail_kind (error, TARE_ERROR_CONFIG, EINVAL, "the root itself cannot be mounted over");
}

/* move_mount(2) would only say EINVAL. */
static int
check_kinds (int tree, const struct sys_stat *target, struct tare_error *error)
{
  struct sys_stat st;
  int r = sys_stat (tree, NULL, &st);
  if (r < 0)
    return fail (error, r, "stat of the mount");
  if (S_ISDIR (st.mode) == S_ISDIR (target->mode))
    return 0;
  return fail_kind (error, TARE_ERROR_CONFIG, ENOTDIR, "%s cannot be mounted over %s",
                    S_ISDIR (st.mode) ? "a directory" : "a file",
                    S_ISDIR (target->mode) ? "a directory" : "what is not a directory");
}

static int
attach (const struct init *init, const struct plan_mount *mount, int tree, int target,
        struct tare_error *error)
{
  struct sys_stat st;
  int r = sys_stat (target, NULL, &st);
  if (r < 0)
    return fail (error, r, "stat of the mount point");
  r = check_kinds (tree, &st, error);
  if (r >= 0 && (mount->flags & PLAN_MOUNT_ROOT) == 0)
    r = refuse_root (init, &st, error);
  if (r < 0)
    return r;
  r = sys_move_mount (tree, target);
  if (r < 0)
    return fail (error, r, "attach the mount");
  return set_all_propagation (mount, tree, error);
}

static int
make_target (const struct init *init, const struct plan_mount *mount, int tree,
             struct tare_error *error)
{
  struct sys_stat st;
  int r = sys_stat (tree, NULL, &st);
  if (r < 0)
    return fail (error, r, "stat of the mount");
  r = resolve_or_make (init->root, plan_string (init->plan, mount->target),
                       target_flags (init, mount),
                       S_ISDIR (st.mode) ? RESOLVE_DIRECTORY : RESOLVE_FILE);
  return r < 0 ? fail (error, r, "make the mount point") : r;
}

static int
make_symlink (const struct init *init, const struct plan_mount *mount, const char *text,
              struct tare_error *error)
{
  char existing[PATH_MAX];
  const char *name;
  autoclose int directory = resolve_parent (init->root, plan_string (init->plan, mount->target),
                                            target_flags (init, mount), &name);
  if (directory < 0)
    return fail (error, directory, "open the link's directory");
  int r = sys_symlinkat (text, directory, name);
  if (r == -EEXIST && sys_readlinkat (directory, name, existing, sizeof existing) >= 0
      && str_equal (existing, text))
    return 0;
  return r < 0 ? fail (error, r, "make a symbolic link to '%s'", text) : 0;
}

static int
open_target (const struct init *init, const struct plan_mount *mount, struct tare_error *error)
{
  const char *path = plan_string (init->plan, mount->target);
  bool nofollow = (mount->flags & PLAN_MOUNT_TARGET_NOFOLLOW) != 0;
  int target = nofollow ? resolve_nofollow (init->root, path)
                        : resolve (init->root, path, target_flags (init, mount));
  if (target == -ENOENT && nofollow)
    return fail_kind (error, TARE_ERROR_CONFIG, EINVAL,
                      "dest-nofollow wants a mount point that exists");
  return target < 0 && target != -ENOENT ? target_fail (target, error) : target;
}

/* From now on the root is what is mounted on "/". */
static int
replace_root (struct init *init, int tree, struct tare_error *error)
{
  int root = sys_dup_above (tree, 0);
  if (root < 0)
    return fail (error, root, "keep the new root");
  close_fd (&init->root);
  init->root = root;
  return 0;
}

static bool
turns_read_only (const struct plan_mount *mount)
{
  return (mount->flags & PLAN_MOUNT_LATE) != 0
         && ((mount->set | mount->recursive_set) & MOUNT_ATTR_RDONLY) != 0;
}

static int
place (struct init *init, const struct plan_mount *mount, int tree, int *target,
       struct tare_error *error)
{
  int r = 0;
  if (*target >= 0 && (mount->flags & PLAN_MOUNT_COPY_UP) != 0)
    r = copy_up (mount, *target, tree, error);
  if (r < 0)
    return r;
  if (*target < 0)
    *target = make_target (init, mount, tree, error);
  if (*target < 0)
    return *target;
  r = check_in_proc (init, mount, *target, error);
  if (r >= 0)
    r = check_is_proc (init, mount, tree, error);
  if (r >= 0)
    r = attach (init, mount, tree, *target, error);
  if (r >= 0 && (mount->flags & PLAN_MOUNT_ROOT) != 0)
    r = replace_root (init, tree, error);
  return r;
}

/* ret_held: the mount, where its read-only is still to come. */
static int
mount_one (struct init *init, const struct plan_mount *mount, const struct mount_source *source,
           int *ret_held, struct tare_error *error)
{
  autoclose int target = open_target (init, mount, error);
  if (target < 0 && target != -ENOENT)
    return target;
  int r = check_in_proc (init, mount, target, error);
  if (r < 0)
    return r;
  autoclose int tree = mount_make (init, mount, source, target, error);
  if (tree < 0)
    return tree;
  r = place (init, mount, tree, &target, error);
  if (r >= 0 && turns_read_only (mount))
    *ret_held = take_fd (&tree);
  return r;
}

/* copy-symlink: what is a link on the host is the same link inside, and not followed. */
static int
bind_one (struct init *init, const struct plan_mount *mount, int *ret_held,
          struct tare_error *error)
{
  char text[PATH_MAX];
  struct mount_source source;
  int r = mount_open_source (init, mount, &source, error);
  autoclose int fd = source.fd;
  if (r < 0)
    return r;
  if ((mount->flags & PLAN_MOUNT_COPY_SYMLINK) != 0
      && sys_readlinkat (fd >= 0 ? fd : AT_FDCWD, source.path, text, sizeof text) >= 0)
    return make_symlink (init, mount, text, error);
  return mount_one (init, mount, &source, ret_held, error);
}

/* The mount that is at the target already, whoever made it. */
static int
open_mounted (const struct init *init, const struct plan_mount *mount, struct tare_error *error)
{
  struct sys_stat st = { 0 };
  autoclose int target =
      resolve (init->root, plan_string (init->plan, mount->target), target_flags (init, mount));
  int r = target < 0 ? target : check_in_proc (init, mount, target, error);
  if (r >= 0)
    r = sys_stat (target, NULL, &st);
  if (r < 0 && r != -ENOENT)
    return error->message[0] != '\0' ? r : target_fail (r, error);
  if (!st.mount_root)
    return fail_kind (error, TARE_ERROR_CONFIG, EINVAL, "remount: nothing is mounted there");
  return take_fd (&target);
}

static int
remount_one (struct init *init, const struct plan_mount *mount, int *ret_held,
             struct tare_error *error)
{
  autoclose int target = open_mounted (init, mount, error);
  int r = target < 0 ? target : mount_reconfigure (init, mount, target, error);
  if (r >= 0)
    r = mount_set_attributes (mount, target, error);
  if (r >= 0)
    r = set_all_propagation (mount, target, error);
  if (r >= 0 && turns_read_only (mount))
    *ret_held = take_fd (&target);
  return r;
}

static int
apply (struct init *init, const struct plan_mount *mount, int *ret_held, struct tare_error *error)
{
  switch ((enum plan_mount_action) mount->action)
    {
    case PLAN_MOUNT_SYMLINK:
      return make_symlink (init, mount, plan_string (init->plan, mount->source), error);
    case PLAN_MOUNT_REMOUNT:
      return remount_one (init, mount, ret_held, error);
    case PLAN_MOUNT_BIND:
      return bind_one (init, mount, ret_held, error);
    case PLAN_MOUNT_FILESYSTEM:
      break;
    }
  return mount_one (init, mount, NULL, ret_held, error);
}

int
step_mounts (struct init *init, struct tare_error *error)
{
  const struct plan_mount *mount = plan_elements (init->plan, init->plan->mounts);
  size_t count = init->plan->mounts.count;
  init->held = init_memory (count * sizeof *init->held);
  if (init->held == NULL)
    return fail (error, ENOMEM, "mounts");
  for (size_t i = 0; i < count; i++)
    init->held[i] = -EBADF;
  for (size_t i = 0; i < count; i++)
    {
      int r = apply (init, &mount[i], &init->held[i], error);
      if (r < 0)
        return wrap (error, r, "%s '%s'", plan_string (init->plan, mount[i].label),
                     plan_string (init->plan, mount[i].target));
    }
  return 0;
}

/* The working directory is made while that is still possible. Whether it is there is asked when it
 * is entered. */
static void
make_cwd (const struct init *init)
{
  const char *cwd = plan_string (init->plan, init->plan->cwd);
  autoclose int fd = cwd != NULL ? resolve_or_make (init->root, cwd, 0, RESOLVE_DIRECTORY) : -EBADF;
  (void) fd;
}

int
step_read_only (struct init *init, struct tare_error *error)
{
  make_cwd (init);
  const struct plan_mount *mount = plan_elements (init->plan, init->plan->mounts);
  for (size_t i = 0; i < init->plan->mounts.count; i++)
    {
      int r =
          init->held[i] < 0 ? 0 : mount_change_attributes (init->held[i], 0, MOUNT_ATTR_RDONLY, 0);
      if (r < 0)
        return fail (error, r, "%s '%s': make read-only", plan_string (init->plan, mount[i].label),
                     plan_string (init->plan, mount[i].target));
      close_fd (&init->held[i]);
    }
  int r = init_flag (init, PLAN_ROOT_READ_ONLY)
              ? mount_change_attributes (init->root, 0, MOUNT_ATTR_RDONLY, 0)
              : 0;
  return r < 0 ? fail (error, r, "make the root read-only") : 0;
}
