/* The mounts of the container, in the plan's order. Serves config.md "Mounts".
 *
 * Every mount is made detached, gets its attributes while nobody can reach it, and is attached by
 * descriptor to a descriptor; nothing is remounted by path, so no exchange of a path can turn the
 * attributes of another mount (CVE-2021-30465). Read-only alone may wait, on the held descriptor,
 * where something is still to be made below.
 */
#include "init/init.h"

#include <linux/magic.h>
#include <stdio.h>
#include <sys/stat.h>

int
option_split (const char *option, char *ret_key, size_t size, const char **ret_value)
{
  const char *equals = strchr (option, '=');
  size_t length = equals != NULL ? (size_t) (equals - option) : strlen (option);
  if (length >= size)
    return -ENAMETOOLONG;
  memcpy (ret_key, option, length);
  ret_key[length] = '\0';
  *ret_value = equals != NULL ? equals + 1 : NULL;
  return 0;
}

/* ---- making -------------------------------------------------------------------------------- */

/* The kernel's own words where it has some. */
static int
filesystem_fail (int fs, int r, const char *type, const char *what, struct tare_error *error)
{
  char message[256] = "";
  sys_fs_message (fs, message, sizeof message);
  if (message[0] != '\0')
    return fail (error, r, "%s", message);
  return fail (error, r, "%s: %s", type, what);
}

static int
set_option (int fs, const char *option)
{
  char key[256]; /* the kernel's limit */
  const char *value;
  int r = option_split (option, key, sizeof key, &value);
  if (r < 0)
    return r;
  return value != NULL ? sys_fsconfig_string (fs, key, value) : sys_fsconfig_flag (fs, key);
}

static int
set_options (const struct init *init, const struct plan_mount *mount, int fs,
             struct tare_error *error)
{
  const char *type = plan_string (init->plan, mount->type);
  const char *source = plan_string (init->plan, mount->source);
  int r = source != NULL ? sys_fsconfig_string (fs, "source", source) : 0;
  if (r < 0)
    return filesystem_fail (fs, r, type, source, error);
  for (size_t i = 0; i < mount->options.count; i++)
    {
      const char *option = plan_string_at (init->plan, mount->options, i);
      r = set_option (fs, option);
      if (r < 0)
        return filesystem_fail (fs, r, type, option, error);
    }
  return 0;
}

/* A tmpfs takes the place of a directory of the image: with its mode, unless told otherwise. */
static int
set_mode_of_target (int fs, int target)
{
  struct sys_stat st;
  char mode[16];
  int r = sys_stat (target, NULL, &st);
  if (r < 0)
    return r;
  (void) snprintf (mode, sizeof mode, "%o", st.mode & 07777);
  return sys_fsconfig_string (fs, "mode", mode);
}

static int
make_filesystem (const struct init *init, const struct plan_mount *mount, int target,
                 struct tare_error *error)
{
  const char *type = plan_string (init->plan, mount->type);
  autoclose int fs = sys_fsopen (type);
  if (fs < 0)
    return fail (error, fs, "file system type '%s'", type);
  int r = set_options (init, mount, fs, error);
  if (r < 0)
    return r;
  if (target >= 0 && (mount->flags & PLAN_MOUNT_MODE_OF_TARGET) != 0)
    r = set_mode_of_target (fs, target);
  if (r >= 0)
    r = sys_fsconfig_create (fs);
  if (r < 0)
    return filesystem_fail (fs, r, type, "create", error);
  r = sys_fsmount (fs, 0);
  return r < 0 ? filesystem_fail (fs, r, type, "mount", error) : r;
}

static int
make_bind (const char *source, bool recursive, struct tare_error *error)
{
  int tree = sys_open_tree (AT_FDCWD, source, OPEN_TREE_CLONE | (recursive ? AT_RECURSIVE : 0));
  return tree < 0 ? fail (error, tree, "bind source '%s'", source) : tree;
}

/* A user namespace that does not own the network namespace gets no sysfs of its own, and no procfs
 * while the existing one has parts covered: they would be uncovered. */
static int
make_instead (const struct plan_mount *mount, const char *type, struct tare_error *error)
{
  if (str_equal (type, "sysfs") && (mount->flags & PLAN_MOUNT_SYSFS_FALLBACK) != 0)
    {
      *error = (struct tare_error){ 0 };
      return make_bind ("/sys", true, error);
    }
  if (str_equal (type, "proc"))
    return wrap (error, -EPERM, "the /proc of the outer container has masked parts");
  return -EPERM;
}

static int
change_attributes (int tree, unsigned flags, uint64_t set, uint64_t clear)
{
  if (set == 0 && clear == 0)
    return 0;
  if (((set | clear) & MOUNT_ATTR__ATIME) != 0)
    clear |= MOUNT_ATTR__ATIME; /* one of a kind: the old one must go */
  struct mount_attr attributes = { .attr_set = set, .attr_clr = clear };
  return sys_mount_setattr (tree, flags, &attributes);
}

/* Read-only of a late mount: not now for the top, at once for what is below it. */
static int
set_attributes (const struct plan_mount *mount, int tree, struct tare_error *error)
{
  uint64_t set = mount->set, clear = mount->clear;
  int r = change_attributes (tree, AT_RECURSIVE, mount->recursive_set, mount->recursive_clear);
  if ((mount->flags & PLAN_MOUNT_LATE) != 0)
    {
      set &= ~(uint64_t) MOUNT_ATTR_RDONLY;
      clear |= mount->recursive_set & MOUNT_ATTR_RDONLY;
    }
  if (r >= 0)
    r = change_attributes (tree, 0, set, clear);
  if (r == -EPERM && ((clear | mount->recursive_clear) != 0))
    return fail (error, r, "the source's mount flags are locked in this user namespace");
  return r < 0 ? fail (error, r, "set mount attributes") : 0;
}

static int
make_tree (const struct init *init, const struct plan_mount *mount, int target,
           struct tare_error *error)
{
  bool binds = mount->action == PLAN_MOUNT_BIND;
  struct plan_mount effective = *mount;
  autoclose int tree = binds ? make_bind (plan_string (init->plan, mount->source),
                                          (mount->flags & PLAN_MOUNT_RECURSIVE) != 0, error)
                             : make_filesystem (init, mount, target, error);
  if (tree == -EPERM && !binds)
    {
      tree = make_instead (mount, plan_string (init->plan, mount->type), error);
      effective.recursive_set |= mount->set; /* a whole tree of the host's */
    }
  if (tree < 0)
    return tree;
  int r = set_attributes (&effective, tree, error);
  return r < 0 ? r : take_fd (&tree);
}

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
  if (r >= 0)
    r = refuse_root (init, &st, error);
  if (r < 0)
    return r;
  r = sys_move_mount (tree, target);
  if (r < 0)
    return fail (error, r, "attach the mount");
  r = set_mount_propagation (tree, 0, mount->propagation, error);
  return r < 0 ? r
               : set_mount_propagation (tree, AT_RECURSIVE, mount->recursive_propagation, error);
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

/* ret_held: the mount, where its read-only is still to come. */
static int
mount_one (struct init *init, const struct plan_mount *mount, int *ret_held,
           struct tare_error *error)
{
  autoclose int target =
      resolve (init->root, plan_string (init->plan, mount->target), target_flags (init, mount));
  if (target < 0 && target != -ENOENT)
    return target_fail (target, error);
  int r = check_in_proc (init, mount, target, error);
  if (r < 0)
    return r;
  autoclose int tree = make_tree (init, mount, target, error);
  if (tree < 0)
    return tree;
  if (target >= 0 && (mount->flags & PLAN_MOUNT_COPY_UP) != 0)
    r = copy_up (mount, target, tree, error);
  if (r < 0)
    return r;
  if (target < 0)
    target = make_target (init, mount, tree, error);
  if (target < 0)
    return target;
  r = check_in_proc (init, mount, target, error);
  if (r >= 0)
    r = check_is_proc (init, mount, tree, error);
  if (r >= 0)
    r = attach (init, mount, tree, target, error);
  bool late = (mount->flags & PLAN_MOUNT_LATE) != 0
              && ((mount->set | mount->recursive_set) & MOUNT_ATTR_RDONLY) != 0;
  if (r >= 0 && late)
    *ret_held = take_fd (&tree);
  return r;
}

static int
make_symlink (const struct init *init, const struct plan_mount *mount, struct tare_error *error)
{
  char existing[PATH_MAX];
  const char *name, *text = plan_string (init->plan, mount->source);
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
      int r;
      if (mount[i].action == PLAN_MOUNT_SYMLINK)
        r = make_symlink (init, &mount[i], error);
      else
        r = mount_one (init, &mount[i], &init->held[i], error);
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
      int r = init->held[i] < 0 ? 0 : change_attributes (init->held[i], 0, MOUNT_ATTR_RDONLY, 0);
      if (r < 0)
        return fail (error, r, "%s '%s': make read-only", plan_string (init->plan, mount[i].label),
                     plan_string (init->plan, mount[i].target));
      close_fd (&init->held[i]);
    }
  int r = init_flag (init, PLAN_ROOT_READ_ONLY)
              ? change_attributes (init->root, 0, MOUNT_ATTR_RDONLY, 0)
              : 0;
  return r < 0 ? fail (error, r, "make the root read-only") : 0;
}
