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

/* What a mount is to cover. */
struct place
{
  int fd; /* negative: still to be made */
  struct sys_stat st;
};

static void
place_done (struct place *place)
{
  close_fd (&place->fd);
}

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

/* Is that a part of a procfs? Most mount points lie in the same few file systems. */
static int
is_in_procfs (struct init *init, const struct place *place)
{
  uint64_t magic;
  if (place->st.device_major == init->plain_major && place->st.device_minor == init->plain_minor)
    return 0;
  int r = sys_fs_magic (place->fd, &magic);
  if (r < 0 || magic == PROC_SUPER_MAGIC)
    return r < 0 ? r : 1;
  init->plain_major = place->st.device_major;
  init->plain_minor = place->st.device_minor;
  return 0;
}

/* Inside a procfs nothing may be covered or faked (CVE-2019-16884, CVE-2019-19921), but for the
 * files that the plan lets pass. */
static bool
may_be_in_procfs (const struct init *init, const struct plan_mount *mount)
{
  return (mount->flags & PLAN_MOUNT_IN_PROC_ALLOWED) != 0
         || str_equal (plan_string (init->plan, mount->target), "/proc");
}

/* Nothing is made there either. */
static int
check_path (const struct init *init, const struct plan_mount *mount, struct tare_error *error)
{
  return !may_be_in_procfs (init, mount)
                 && path_is_below (plan_string (init->plan, mount->target), "/proc")
             ? refuse_in_proc (error)
             : 0;
}

/* Looks at place->fd, once: what is seen is what is mounted over. */
static int
check_place (struct init *init, const struct plan_mount *mount, struct place *place,
             struct tare_error *error)
{
  int r = sys_stat (place->fd, NULL, &place->st);
  if (r >= 0 && !may_be_in_procfs (init, mount))
    r = is_in_procfs (init, place);
  if (r < 0)
    return target_fail (r, error);
  return r > 0 ? refuse_in_proc (error) : 0;
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
  bool made = is_type (init, mount, "proc") && mount->instead == 0;
  if (made || !str_equal (plan_string (init->plan, mount->target), "/proc"))
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
  if (init->root_mount != target->mount_id || init->root_inode != target->inode)
    return 0;
  return fail_kind (error, TARE_ERROR_CONFIG, EINVAL, "the root itself cannot be mounted over");
}

/* move_mount(2) only said EINVAL. */
static int
explain_attach (int refusal, int tree, const struct sys_stat *target, struct tare_error *error)
{
  struct sys_stat st;
  if (sys_stat (tree, NULL, &st) < 0 || S_ISDIR (st.mode) == S_ISDIR (target->mode))
    return fail (error, refusal, "attach the mount");
  return fail_kind (error, TARE_ERROR_CONFIG, ENOTDIR, "%s cannot be mounted over %s",
                    S_ISDIR (st.mode) ? "a directory" : "a file",
                    S_ISDIR (target->mode) ? "a directory" : "what is not a directory");
}

static int
attach (const struct init *init, const struct plan_mount *mount, int tree,
        const struct place *place, struct tare_error *error)
{
  int r = (mount->flags & PLAN_MOUNT_ROOT) == 0 ? refuse_root (init, &place->st, error) : 0;
  if (r < 0)
    return r;
  r = sys_move_mount (tree, place->fd);
  if (r < 0)
    return explain_attach (r, tree, &place->st, error);
  return set_all_propagation (mount, tree, error);
}

/* What is bound may be a file; a file system is a directory. */
static int
make_target (const struct init *init, const struct plan_mount *mount, int tree,
             struct tare_error *error)
{
  struct sys_stat st = { .mode = S_IFDIR };
  int r = mount->action == PLAN_MOUNT_BIND ? sys_stat (tree, NULL, &st) : 0;
  if (r < 0)
    return fail (error, r, "stat of the mount");
  r = resolve_missing (init->root, plan_string (init->plan, mount->target),
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
  return init_hold_root (init, root, error);
}

static bool
turns_read_only (const struct plan_mount *mount)
{
  return (mount->flags & PLAN_MOUNT_LATE) != 0
         && ((mount->set | mount->recursive_set) & MOUNT_ATTR_RDONLY) != 0;
}

static int
put_in_place (struct init *init, const struct plan_mount *mount, int tree, struct place *place,
              struct tare_error *error)
{
  int r = 0;
  if (place->fd < 0)
    {
      place->fd = make_target (init, mount, tree, error);
      r = place->fd < 0 ? place->fd : check_place (init, mount, place, error);
    }
  else if ((mount->flags & PLAN_MOUNT_COPY_UP) != 0)
    r = copy_up (mount, place->fd, tree, error);
  if (r >= 0)
    r = check_is_proc (init, mount, tree, error);
  if (r >= 0)
    r = attach (init, mount, tree, place, error);
  if (r >= 0 && (mount->flags & PLAN_MOUNT_ROOT) != 0)
    r = replace_root (init, tree, error);
  return r;
}

/* ret_held: the mount, where its read-only is still to come. */
static int
mount_one (struct init *init, const struct plan_mount *mount, const struct mount_source *source,
           int *ret_held, struct tare_error *error)
{
  auto_ (place)
  struct place place = { .fd = open_target (init, mount, error) };
  int r = place.fd < 0 && place.fd != -ENOENT ? place.fd : check_path (init, mount, error);
  if (r >= 0 && place.fd >= 0)
    r = check_place (init, mount, &place, error);
  if (r < 0)
    return r;
  autoclose int tree = mount_make (init, mount, source, place.fd, error);
  if (tree < 0)
    return tree;
  r = put_in_place (init, mount, tree, &place, error);
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
open_mounted (struct init *init, const struct plan_mount *mount, struct tare_error *error)
{
  auto_ (place)
  struct place place = { .fd = resolve (init->root, plan_string (init->plan, mount->target),
                                        target_flags (init, mount)) };
  int r = check_path (init, mount, error);
  if (r < 0)
    return r;
  r = place.fd < 0 ? place.fd : check_place (init, mount, &place, error);
  if (r < 0 && r != -ENOENT)
    return error->message[0] != '\0' ? r : target_fail (r, error);
  if (!place.st.mount_root)
    return fail_kind (error, TARE_ERROR_CONFIG, EINVAL, "remount: nothing is mounted there");
  return take_fd (&place.fd);
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
  bool wanted = cwd != NULL && !str_equal (cwd, "/");
  autoclose int fd = wanted ? resolve_or_make (init->root, cwd, 0, RESOLVE_DIRECTORY) : -EBADF;
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
