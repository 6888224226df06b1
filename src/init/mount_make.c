/* Makes the mounts of the container while they are detached: a file system by fsopen(2), or a clone
 * of a part of the host's tree by open_tree(2); then its attributes, by mount_setattr(2). Where it
 * goes is mounts.c's business. Serves config.md "Mounts".
 *
 * What our own ids cannot do, the host side does for us: open a source that the container's user
 * may not reach, and map the ids of a mount. The clone is always made here, from our own mount
 * namespace, so that flags which a user namespace may not lift stay locked.
 */
#include "init/init.h"

#include <stdio.h>

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

/* ---- file systems -------------------------------------------------------------------------- */

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

/* A new mount has no attributes but those that fsmount(2) gives it. */
static uint64_t
new_attributes (const struct plan_mount *mount)
{
  uint64_t late = (mount->flags & PLAN_MOUNT_LATE) != 0 ? MOUNT_ATTR_RDONLY : 0;
  uint64_t recursive = mount->recursive_set & ~mount->recursive_clear & ~mount->clear;
  if ((mount->set & MOUNT_ATTR__ATIME) != 0)
    recursive &= ~(uint64_t) MOUNT_ATTR__ATIME;
  return (mount->set | recursive) & ~late;
}

/* The label of a file system that has no option for it: set while the mount can be written. */
static int
mount_labelled (int fs, const struct plan_mount *mount, const char *label, struct tare_error *error)
{
  autoclose int tree = sys_fsmount (fs, 0);
  int r = tree < 0 ? tree : sys_set_selinux_label (tree, label);
  if (r < 0)
    return fail (error, r, "linux.mountLabel: set '%s'", label);
  r = mount_change_attributes (tree, 0, new_attributes (mount), 0);
  return r < 0 ? fail (error, r, "set mount attributes") : take_fd (&tree);
}

/* sysfs shows the network namespace that it is made in, and file systems of the network stay in it.
 */
static bool
knows_no_network (const char *type)
{
  static const char *const types[] = { "proc", "tmpfs", "devpts", "mqueue", "overlay" };
  for (size_t i = 0; i < COUNT_OF (types); i++)
    if (str_equal (type, types[i]))
      return true;
  return false;
}

static int
make_filesystem (struct init *init, const struct plan_mount *mount, int target,
                 struct tare_error *error)
{
  const char *type = plan_string (init->plan, mount->type);
  int r = knows_no_network (type) ? 0 : init_enter_network (init, error);
  if (r < 0)
    return r;
  autoclose int fs = sys_fsopen (type);
  if (fs < 0)
    return fail (error, fs, "file system type '%s'", type);
  r = set_options (init, mount, fs, error);
  if (r < 0)
    return r;
  if (target >= 0 && (mount->flags & PLAN_MOUNT_MODE_OF_TARGET) != 0)
    r = set_mode_of_target (fs, target);
  if (r >= 0)
    r = sys_fsconfig_create (fs);
  if (r < 0)
    return filesystem_fail (fs, r, type, "create", error);
  if (mount->root_label != 0)
    return mount_labelled (fs, mount, plan_string (init->plan, mount->root_label), error);
  r = sys_fsmount (fs, new_attributes (mount));
  return r < 0 ? filesystem_fail (fs, r, type, "mount", error) : r;
}

/* ---- layers of an overlay ------------------------------------------------------------------ */

static const char layer_option[] = "lowerdir+=";

static bool
has_layers (const struct init *init, const struct plan_mount *mount)
{
  for (size_t i = 0; i < mount->options.count; i++)
    if (str_after (plan_string_at (init->plan, mount->options, i), layer_option) != NULL)
      return true;
  return false;
}

/* Adds the layer's descriptor to list, by the name that it has in our /proc/self. It stays open
 * until we execute: the list is looked up when the file system is created. */
static int
name_layer (const char *path, char *list, size_t size)
{
  size_t length = strlen (list);
  int fd = sys_open (path, O_PATH | O_DIRECTORY, 0);
  if (fd < 0)
    return fd;
  int n = snprintf (list + length, size - length, "%sfd/%d", length > 0 ? ":" : "", fd);
  return n < 0 || (size_t) n >= size - length ? -E2BIG : 0;
}

/* Before Linux 6.8 there is no option that takes one layer, and fsconfig(2) takes 255 bytes for all
 * of them: then they go by descriptor. */
static int
set_layers_by_descriptor (const struct init *init, const struct plan_mount *mount, int fs,
                          struct tare_error *error)
{
  char list[256] = "";
  for (size_t i = 0; i < mount->options.count; i++)
    {
      const char *option = plan_string_at (init->plan, mount->options, i);
      const char *layer = str_after (option, layer_option);
      int r = layer != NULL ? name_layer (layer, list, sizeof list) : set_option (fs, option);
      if (r < 0)
        return filesystem_fail (fs, r, "overlay", option, error);
    }
  int r = sys_fsconfig_string (fs, "lowerdir", list);
  return r < 0 ? filesystem_fail (fs, r, "overlay", list, error) : 0;
}

static int
make_overlay_by_descriptor (const struct init *init, const struct plan_mount *mount,
                            struct tare_error *error)
{
  autoclose int fs = sys_fsopen ("overlay");
  int r = fs < 0 ? fs : sys_chdir ("/proc/self");
  if (r < 0)
    return fail (error, r, "overlay");
  r = set_layers_by_descriptor (init, mount, fs, error);
  if (r < 0)
    return r;
  r = sys_fsconfig_create (fs);
  if (r >= 0)
    r = sys_chdir ("/");
  if (r >= 0)
    r = sys_fsmount (fs, new_attributes (mount));
  return r < 0 ? filesystem_fail (fs, r, "overlay", "create", error) : r;
}

/* ---- binds --------------------------------------------------------------------------------- */

/* MOUNT and MOUNTED: the host side does to fd what the plan says of mount, and may answer with a
 * descriptor. */
static int
ask_host (struct init *init, const struct plan_mount *mount, int fd, int *ret_fd,
          struct tare_error *error)
{
  const struct plan_mount *first = plan_elements (init->plan, init->plan->mounts);
  struct received received = { 0 };
  int r = channel_send (&init->channel, MESSAGE_MOUNT, (uint64_t) (mount - first), &fd, 1, error);
  if (r >= 0)
    r = channel_receive (&init->channel, MESSAGE_MOUNTED, &received, error);
  if (r < 0)
    return r;
  *ret_fd = received.n_fds > 0 ? received.fds[0] : -EBADF;
  for (size_t i = 1; i < received.n_fds; i++)
    close_fd (&received.fds[i]);
  return 0;
}

/* Opened below the root of our own mount namespace, or there would be no clone of it for us. */
static int
ask_for_source (struct init *init, const struct plan_mount *mount, int *ret_source,
                struct tare_error *error)
{
  autoclose int root = sys_open ("/", O_PATH | O_DIRECTORY, 0);
  if (root < 0)
    return fail (error, root, "open the host's root");
  return ask_host (init, mount, root, ret_source, error);
}

int
mount_open_source (struct init *init, const struct plan_mount *mount, struct mount_source *source,
                   struct tare_error *error)
{
  *source = (struct mount_source){ -EBADF, plan_string (init->plan, mount->source) };
  int r = init_enter_network (init, error); /* it may be of /proc/self/ns */
  if (r < 0)
    return r;
  if ((mount->flags & PLAN_MOUNT_SOURCE_BY_HOST) == 0)
    return 0;
  r = ask_for_source (init, mount, &source->fd, error);
  if (r >= 0 && source->fd >= 0)
    source->path = "";
  return r;
}

static int
clone_tree (const char *path, const struct mount_source *source, unsigned flags,
            struct tare_error *error)
{
  flags |= OPEN_TREE_CLONE | (source->fd >= 0 ? AT_EMPTY_PATH : 0);
  int tree = sys_open_tree (source->fd >= 0 ? source->fd : AT_FDCWD, source->path, flags);
  return tree < 0 ? fail (error, tree, "bind source '%s'", path) : tree;
}

static int
make_bind (struct init *init, const struct plan_mount *mount, const struct mount_source *source,
           struct tare_error *error)
{
  int none;
  unsigned flags = (mount->flags & PLAN_MOUNT_RECURSIVE) != 0 ? AT_RECURSIVE : 0;
  if ((mount->flags & PLAN_MOUNT_SOURCE_NOFOLLOW) != 0)
    flags |= AT_SYMLINK_NOFOLLOW;
  autoclose int tree = clone_tree (plan_string (init->plan, mount->source), source, flags, error);
  if (tree < 0)
    return tree;
  int r = (mount->flags & PLAN_MOUNT_IDMAP) != 0 ? ask_host (init, mount, tree, &none, error) : 0;
  return r < 0 ? r : take_fd (&tree);
}

/* ---- attributes ---------------------------------------------------------------------------- */

int
mount_change_attributes (int tree, unsigned flags, uint64_t set, uint64_t clear)
{
  if (set == 0 && clear == 0)
    return 0;
  if (((set | clear) & MOUNT_ATTR__ATIME) != 0)
    clear |= MOUNT_ATTR__ATIME; /* one of a kind: the old one must go */
  struct mount_attr attributes = { .attr_set = set, .attr_clr = clear };
  return sys_mount_setattr (tree, flags, &attributes);
}

/* Read-only of a late mount: not now for the top, at once for what is below it. */
int
mount_set_attributes (const struct plan_mount *mount, int tree, struct tare_error *error)
{
  uint64_t set = mount->set, clear = mount->clear;
  int r =
      mount_change_attributes (tree, AT_RECURSIVE, mount->recursive_set, mount->recursive_clear);
  if ((mount->flags & PLAN_MOUNT_LATE) != 0)
    {
      set &= ~(uint64_t) MOUNT_ATTR_RDONLY;
      clear |= mount->recursive_set & MOUNT_ATTR_RDONLY;
    }
  if (r >= 0)
    r = mount_change_attributes (tree, 0, set, clear);
  if (r == -EPERM && ((clear | mount->recursive_clear) != 0))
    return fail (error, r, "the source's mount flags are locked in this user namespace");
  return r < 0 ? fail (error, r, "set mount attributes") : 0;
}

/* ---- all of it ----------------------------------------------------------------------------- */

static int
make_with_attributes (int made, const struct plan_mount *mount, struct tare_error *error)
{
  autoclose int tree = made;
  int r = tree < 0 ? tree : mount_set_attributes (mount, tree, error);
  return r < 0 ? r : take_fd (&tree);
}

/* A file system that the kernel keeps from us: a part of the host's tree in its place, if that
 * shows nothing else. */
static int
make_instead (const struct init *init, const struct plan_mount *mount, int refusal,
              struct tare_error *error)
{
  const char *instead = plan_string (init->plan, mount->instead);
  if (instead != NULL)
    {
      const struct mount_source source = { -EBADF, instead };
      struct plan_mount whole = *mount;
      whole.recursive_set |= mount->set; /* a whole tree of the host's */
      *error = (struct tare_error){ 0 };
      return make_with_attributes (clone_tree (instead, &source, AT_RECURSIVE, error), &whole,
                                   error);
    }
  if (str_equal (plan_string (init->plan, mount->type), "proc"))
    return wrap (error, refusal,
                 "in a user namespace there is a new procfs only while no part of the existing "
                 "/proc is covered, as an outer container's masked paths are");
  return refusal;
}

static int
make_new (struct init *init, const struct plan_mount *mount, int target, struct tare_error *error)
{
  int tree = make_filesystem (init, mount, target, error);
  if (tree == -EINVAL && has_layers (init, mount))
    {
      struct tare_error first = *error;
      tree = make_overlay_by_descriptor (init, mount, error);
      if (tree < 0)
        *error = first;
    }
  if (tree != -EPERM && !(tree == -EBUSY && mount->instead != 0))
    return tree;
  return make_instead (init, mount, tree, error);
}

int
mount_make (struct init *init, const struct plan_mount *mount, const struct mount_source *source,
            int target, struct tare_error *error)
{
  if (mount->action == PLAN_MOUNT_BIND)
    return make_with_attributes (make_bind (init, mount, source, error), mount, error);
  return make_new (init, mount, target, error);
}

int
mount_reconfigure (const struct init *init, const struct plan_mount *mount, int target,
                   struct tare_error *error)
{
  if (mount->options.count == 0)
    return 0;
  autoclose int fs = sys_fspick (target);
  if (fs < 0)
    return fail (error, fs, "remount");
  int r = set_options (init, mount, fs, error);
  if (r < 0)
    return r;
  r = sys_fsconfig_reconfigure (fs);
  return r < 0 ? filesystem_fail (fs, r, "remount", "change its options", error) : 0;
}
