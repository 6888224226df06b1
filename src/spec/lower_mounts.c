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

static int
apply_option (struct spec_mount *mount, const char *text, struct tare_error *error)
{
  const struct mount_option *option = mount_option_find (text);
  switch (option != NULL ? option->kind : OPTION_SUPERBLOCK)
    {
    case OPTION_SET:
      set_attribute (&mount->set, &mount->clear, option->value);
      break;
    case OPTION_CLEAR:
      clear_attribute (&mount->set, &mount->clear, option->value);
      break;
    case OPTION_RECURSIVE_SET:
      set_attribute (&mount->recursive_set, &mount->recursive_clear, option->value);
      break;
    case OPTION_RECURSIVE_CLEAR:
      clear_attribute (&mount->recursive_set, &mount->recursive_clear, option->value);
      break;
    case OPTION_PROPAGATION:
      mount->propagation |= option->value;
      break;
    case OPTION_RECURSIVE_PROPAGATION:
      mount->recursive_propagation |= option->value;
      break;
    case OPTION_BIND:
    case OPTION_RECURSIVE_BIND:
      mount->kind = SPEC_MOUNT_BIND;
      mount->recursive = mount->recursive || option->kind == OPTION_RECURSIVE_BIND;
      break;
    case OPTION_COPY_UP:
      mount->copy_up = true;
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

static int
check_mount (const struct spec_mount *mount, struct tare_error *error)
{
  if (mount->kind == SPEC_MOUNT_BIND && mount->source == NULL)
    return config_error (error, "%s %s: a bind mount needs a source", mount->label, mount->target);
  if (mount->kind == SPEC_MOUNT_BIND && mount->n_data > 0)
    return config_error (error, "%s %s: '%s' is not an option of bind mounts", mount->label,
                         mount->target, mount->data[0]);
  if (mount->kind != SPEC_MOUNT_BIND && mount->type == NULL)
    return config_error (error, "%s %s: type: required, but missing", mount->label, mount->target);
  if (mount->copy_up && (mount->kind == SPEC_MOUNT_BIND || !str_equal (mount->type, "tmpfs")))
    return config_error (error, "%s %s: tmpcopyup is an option of tmpfs mounts alone", mount->label,
                         mount->target);
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
  if (str_equal (mount->target, "/"))
    return config_error (error, "mounts[%zu].destination: '%s' is the root itself", i,
                         from->destination);
  if (from->type != NULL && str_equal (from->type, "bind"))
    mount->kind = SPEC_MOUNT_BIND;
  else if (from->type != NULL && str_equal (from->type, "cgroup"))
    mount->kind = SPEC_MOUNT_CGROUP;
  if (from->n_uid_mappings > 0 || from->n_gid_mappings > 0)
    return fail_kind (error, TARE_ERROR_UNSUPPORTED, EOPNOTSUPP,
                      "%s %s: uidMappings: idmapped mounts are not offered by this version",
                      mount->label, mount->target);
  int r = apply_options (spec, mount, from, error);
  if (r >= 0)
    r = check_mount (mount, error);
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
