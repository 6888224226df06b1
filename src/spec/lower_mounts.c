/* Mounts of the config, lowered: kind, absolute paths, attribute words by the option table, the
 * rest as data for the file system. Serves config.md "Mounts". */
#include <linux/mount.h>

#include "spec/internal.h"
#include "spec/mount_options.h"

/* Where options is null or absent, these stand in: what a person means by the destination. */
static const struct
{
  const char *destination;
  const char *options[8];
} default_options[] = {
  { "/dev", { "nosuid", "strictatime", "mode=755", "size=65536k" } },
  { "/dev/shm", { "nosuid", "noexec", "nodev", "mode=1777", "size=65536k" } },
  { "/dev/pts", { "nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5" } },
  { "/dev/mqueue", { "nosuid", "noexec", "nodev" } },
  { "/sys", { "nosuid", "noexec", "nodev", "ro" } },
  { "/sys/fs/cgroup", { "nosuid", "noexec", "nodev", "relatime", "ro" } },
};

/* A later option undoes an earlier one ("ro", "rw": the last wins). The atime family is one value
 * in several bits: naming one of it replaces the whole. */
static void
set_attribute (uint64_t *set, uint64_t *clear, uint64_t value)
{
  if (value == MOUNT_ATTR_RELATIME || (value & MOUNT_ATTR__ATIME) != 0)
    {
      *set = (*set & ~(uint64_t) MOUNT_ATTR__ATIME) | value;
      *clear |= MOUNT_ATTR__ATIME;
      return;
    }
  *set |= value;
  *clear &= ~value;
}

static void
clear_attribute (uint64_t *set, uint64_t *clear, uint64_t value)
{
  if ((value & MOUNT_ATTR__ATIME) != 0)
    {
      if ((*set & MOUNT_ATTR__ATIME) == value)
        *set &= ~(uint64_t) MOUNT_ATTR__ATIME;
      *clear |= MOUNT_ATTR__ATIME;
      return;
    }
  *set &= ~value;
  *clear |= value;
}

/* What is said of the whole tree holds for its top too, whatever was said of that before. */
static void
forget_attribute (struct spec_mount *mount, uint64_t value)
{
  bool atime = value == MOUNT_ATTR_RELATIME || (value & MOUNT_ATTR__ATIME) != 0;
  value = atime ? MOUNT_ATTR__ATIME : value;
  mount->set &= ~value;
  mount->clear &= ~value;
}

/* "slave", "shared" together make a shared slave; otherwise the last wins. */
static void
set_propagation (uint64_t *propagation, uint64_t value)
{
  *propagation = (value == MS_SHARED ? *propagation & MS_SLAVE : 0) | value;
}

/* Init sets that of the whole tree first, then that of the top, which may be a slave already. */
static void
set_recursive_propagation (struct spec_mount *mount, uint64_t value)
{
  bool both = value == MS_SHARED && (mount->propagation & MS_SLAVE) != 0;
  set_propagation (&mount->recursive_propagation, value);
  mount->propagation = both ? MS_SLAVE | MS_SHARED : 0;
}

static void
apply_attribute (struct spec_mount *mount, const struct mount_option *option)
{
  bool recursive = option->kind == OPTION_RECURSIVE_SET || option->kind == OPTION_RECURSIVE_CLEAR;
  uint64_t *set = recursive ? &mount->recursive_set : &mount->set;
  uint64_t *clear = recursive ? &mount->recursive_clear : &mount->clear;
  if (option->kind == OPTION_SET || option->kind == OPTION_RECURSIVE_SET)
    set_attribute (set, clear, option->value);
  else
    clear_attribute (set, clear, option->value);
  if (recursive)
    forget_attribute (mount, option->value);
}

static int
apply_option (struct spec_mount *mount, const char *text, struct tare_error *error)
{
  const struct mount_option *option = mount_option_find (text);
  switch (option != NULL ? option->kind : OPTION_SUPERBLOCK)
    {
    case OPTION_SET:
    case OPTION_CLEAR:
    case OPTION_RECURSIVE_SET:
    case OPTION_RECURSIVE_CLEAR:
      apply_attribute (mount, option);
      break;
    case OPTION_PROPAGATION:
      set_propagation (&mount->propagation, option->value);
      break;
    case OPTION_RECURSIVE_PROPAGATION:
      set_recursive_propagation (mount, option->value);
      break;
    case OPTION_BIND:
    case OPTION_RECURSIVE_BIND:
      if (mount->kind != SPEC_MOUNT_REMOUNT)
        mount->kind = SPEC_MOUNT_BIND;
      mount->recursive = mount->recursive || option->kind == OPTION_RECURSIVE_BIND;
      break;
    case OPTION_COPY_UP:
      mount->copy_up = true;
      break;
    case OPTION_REMOUNT:
      mount->kind = SPEC_MOUNT_REMOUNT;
      break;
    case OPTION_BIND_FLAG:
      mount->flags |= option->value;
      break;
    case OPTION_IDMAP:
      mount->flags |= option->value;
      spec_lower_idmap_option (mount, text);
      break;
    case OPTION_SUPERBLOCK:
      mount->data[mount->n_data++] = text;
      break;
    case OPTION_NOTHING:
      break;
    case OPTION_NOT_BUILT:
      return fail_kind (error, TARE_ERROR_UNSUPPORTED, EOPNOTSUPP,
                        "%s %s: option '%s' is not offered by this version", mount->label,
                        mount->target, text);
    }
  return 0;
}

static int
apply_options (struct spec *spec, struct spec_mount *mount, const struct oci_mount *from,
               struct tare_error *error)
{
  const char *const *options = from->options;
  size_t count = from->n_options;
  for (size_t i = 0; options == NULL && i < COUNT_OF (default_options); i++)
    if (str_equal (mount->target, default_options[i].destination))
      for (options = default_options[i].options; options[count] != NULL;)
        count++;
  mount->data = arena_allocate (&spec->arena, (count + 1) * sizeof *mount->data);
  if (mount->data == NULL)
    return fail (error, ENOMEM, "%s", mount->label);
  for (size_t i = 0; i < count; i++)
    {
      int r = apply_option (mount, options[i], error);
      if (r < 0)
        return r;
    }
  return 0;
}

/* An absolute, tidy path in the arena; NULL when memory is gone. */
static const char *
absolute (struct arena *arena, const char *directory, const char *path)
{
  char *joined = *path == '/' ? arena_copy (arena, path, strlen (path))
                              : arena_format (arena, "%s/%s", directory, path);
  if (joined == NULL || path_normalize (joined, joined, strlen (joined) + 1) < 0)
    return NULL;
  return joined;
}

/* ---- rules --------------------------------------------------------------------------------- */

/* A bind mount shows a file system that has its options already; so does the container's cgroup
 * tree. The flags of config.md's table that belong to the file system are dropped with a warning,
 * anything else is a mistake. */
static int
refuse_data (struct spec_mount *mount, const char *kind, const struct log *log,
             struct tare_error *error)
{
  for (size_t i = 0; i < mount->n_data; i++)
    {
      if (mount_option_find (mount->data[i]) == NULL)
        return config_error (error, "%s %s: '%s' is not an option of %s mounts", mount->label,
                             mount->target, mount->data[i], kind);
      log_warning (log, "%s %s: '%s' belongs to the file system, not to a %s mount: ignoring it",
                   mount->label, mount->target, mount->data[i], kind);
    }
  mount->n_data = 0;
  return 0;
}

static int
check_bind (struct spec_mount *mount, const struct log *log, struct tare_error *error)
{
  const uint64_t others =
      PLAN_MOUNT_SOURCE_NOFOLLOW | PLAN_MOUNT_TARGET_NOFOLLOW | PLAN_MOUNT_IDMAP;
  if (mount->source == NULL)
    return config_error (error, "%s %s: a bind mount needs a source", mount->label, mount->target);
  if ((mount->flags & PLAN_MOUNT_COPY_SYMLINK) != 0 && (mount->flags & others) != 0)
    return config_error (error,
                         "%s %s: copy-symlink excludes src-nofollow, dest-nofollow and idmap",
                         mount->label, mount->target);
  return refuse_data (mount, "bind", log, error);
}

/* The file system of a bind mount is not the container's to change. */
static int
check_remount (const struct spec *spec, const struct spec_mount *mount, struct tare_error *error)
{
  const struct spec_mount *before = NULL;
  if (mount->n_data == 0)
    return 0;
  for (const struct spec_mount *other = spec->mounts; other < mount; other++)
    if (str_equal (other->target, mount->target) && other->kind != SPEC_MOUNT_REMOUNT)
      before = other;
  if (before != NULL && before->kind == SPEC_MOUNT_FILESYSTEM)
    return 0;
  return config_error (error,
                       "%s %s: remount: '%s' is an option of a file system, and none is mounted "
                       "there before",
                       mount->label, mount->target, mount->data[0]);
}

static int
check_kind (const struct spec *spec, struct spec_mount *mount, const struct log *log,
            struct tare_error *error)
{
  const uint64_t of_binds = PLAN_MOUNT_SOURCE_NOFOLLOW | PLAN_MOUNT_TARGET_NOFOLLOW
                            | PLAN_MOUNT_COPY_SYMLINK | PLAN_MOUNT_IDMAP;
  if (mount->kind != SPEC_MOUNT_BIND && (mount->flags & of_binds) != 0)
    return config_error (error, "%s %s: %s: only of bind mounts", mount->label, mount->target,
                         (mount->flags & PLAN_MOUNT_IDMAP) != 0
                             ? "idmap"
                             : "copy-symlink, src-nofollow, dest-nofollow");
  if (mount->copy_up
      && (mount->kind != SPEC_MOUNT_FILESYSTEM || mount->type == NULL
          || !str_equal (mount->type, "tmpfs")))
    return config_error (error, "%s %s: tmpcopyup is an option of tmpfs mounts alone", mount->label,
                         mount->target);
  switch (mount->kind)
    {
    case SPEC_MOUNT_BIND:
      return check_bind (mount, log, error);
    case SPEC_MOUNT_CGROUP:
      return refuse_data (mount, "cgroup", log, error);
    case SPEC_MOUNT_REMOUNT:
      return check_remount (spec, mount, error);
    case SPEC_MOUNT_FILESYSTEM:
      break;
    }
  if (mount->type == NULL)
    return config_error (error, "%s %s: type: required, but missing", mount->label, mount->target);
  return 0;
}

/* A mount on "/" hides what was mounted in the rootfs before it. */
static int
check_root (const struct spec *spec, struct spec_mount *mount, struct tare_error *error)
{
  if (!str_equal (mount->target, "/") || mount->kind == SPEC_MOUNT_REMOUNT)
    return 0;
  mount->flags |= PLAN_MOUNT_ROOT;
  if (mount->kind == SPEC_MOUNT_CGROUP)
    return config_error (error, "%s /: a cgroup tree cannot be the root", mount->label);
  for (const struct spec_mount *other = spec->mounts; other < mount; other++)
    if (!str_equal (other->target, "/"))
      return config_error (error, "%s /: would hide %s %s, so it must come first", mount->label,
                           other->label, other->target);
  return 0;
}

/* The kernel copies no more of an option (fsconfig(2)). */
static int
check_lengths (const struct spec_mount *mount, struct tare_error *error)
{
  enum
  {
    MOST = 255
  };
  for (size_t i = 0; i < mount->n_data; i++)
    {
      const char *value = strchr (mount->data[i], '=');
      if (strlen (value != NULL ? value + 1 : mount->data[i]) > MOST)
        return config_error (error,
                             "%s %s: option '%.32s...' is longer than the %d bytes that "
                             "the kernel takes",
                             mount->label, mount->target, mount->data[i], MOST);
    }
  return 0;
}

static int
lower_mount (struct spec *spec, size_t i, const struct log *log, struct tare_error *error)
{
  const struct oci_mount *from = &spec->config->mounts[i];
  struct spec_mount *mount = &spec->mounts[i];
  mount->label = arena_format (&spec->arena, "mounts[%zu]", i);
  mount->type = from->type;
  mount->source = from->source;
  if (*from->destination == '\0')
    return config_error (error, "mounts[%zu].destination: is empty", i);
  if (*from->destination != '/')
    log_warning (log, "mounts[%zu].destination: '%s' is not absolute, taking it from '/'", i,
                 from->destination);
  mount->target = absolute (&spec->arena, "", from->destination);
  if (mount->label == NULL || mount->target == NULL)
    return fail (error, ENOMEM, "mounts[%zu]", i);
  if (from->type != NULL && str_equal (from->type, "bind"))
    mount->kind = SPEC_MOUNT_BIND;
  else if (from->type != NULL && str_equal (from->type, "cgroup"))
    mount->kind = SPEC_MOUNT_CGROUP;
  int r = apply_options (spec, mount, from, error);
  if (r >= 0)
    r = spec_lower_idmap (spec, mount, from, error);
  if (r >= 0)
    r = check_kind (spec, mount, log, error);
  if (r >= 0)
    r = check_root (spec, mount, error);
  if (r >= 0 && mount->kind == SPEC_MOUNT_FILESYSTEM && str_equal (mount->type, "overlay"))
    r = spec_lower_overlay (spec, mount, error);
  if (r >= 0)
    r = check_lengths (mount, error);
  if (r < 0 || mount->kind != SPEC_MOUNT_BIND)
    return r;
  mount->source = absolute (&spec->arena, spec->bundle, mount->source);
  return mount->source == NULL ? fail (error, ENOMEM, "mounts[%zu]", i) : 0;
}

int
spec_lower_mounts (struct spec *spec, const struct log *log, struct tare_error *error)
{
  size_t count = spec->config->n_mounts;
  spec->mounts = arena_allocate (&spec->arena, count * sizeof *spec->mounts);
  if (spec->mounts == NULL)
    return fail (error, ENOMEM, "mounts");
  spec->n_mounts = count;
  for (size_t i = 0; i < count; i++)
    {
      int r = lower_mount (spec, i, log, error);
      if (r < 0)
        return r;
    }
  return 0;
}
