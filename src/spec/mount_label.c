/* linux.mountLabel: the SELinux context of what the container's mounts hold. Serves config-linux.md
 * "Mount Label", and the annotation that says which of the kernel's four options carries it:
 *
 *   run.oci.mount_context_type=context|fscontext|defcontext|rootcontext
 *
 * Pure. That the host has SELinux is asked when the plan is made.
 */
#include "spec/internal.h"

static const char *const context_keys[] = { "context", "fscontext", "defcontext", "rootcontext" };

/* proc, sysfs and the cgroup file systems have labels by policy alone. */
static const char *const unlabelled[] = { "proc", "sysfs", "cgroup", "cgroup2" };

const char *
spec_mount_label (const struct spec *spec)
{
  const struct oci_linux *linux = spec->config->linux;
  const char *label = linux != NULL ? linux->mount_label : NULL;
  return label != NULL && *label != '\0' ? label : NULL;
}

static bool
is_one_of (const char *text, const char *const *list, size_t count)
{
  for (size_t i = 0; i < count; i++)
    if (str_equal (text, list[i]))
      return true;
  return false;
}

/* A mount that says itself what its label is keeps it. */
static bool
has_context (const struct spec_mount *mount)
{
  for (size_t i = 0; i < mount->n_data; i++)
    for (size_t k = 0; k < COUNT_OF (context_keys); k++)
      {
        const char *rest = str_after (mount->data[i], context_keys[k]);
        if (rest != NULL && *rest == '=')
          return true;
      }
  return false;
}

static int
label_mount (struct spec *spec, struct spec_mount *mount, const char *key, const char *label,
             struct tare_error *error)
{
  if (mount->kind != SPEC_MOUNT_FILESYSTEM
      || is_one_of (mount->type, unlabelled, COUNT_OF (unlabelled)) || has_context (mount))
    return 0;
  if (str_equal (mount->type, "mqueue")) /* takes no such option, but a label on its root */
    {
      mount->root_label = label;
      return 0;
    }
  const char **data = arena_allocate (&spec->arena, (mount->n_data + 1) * sizeof *data);
  const char *option = arena_format (&spec->arena, "%s=%s", key, label);
  if (data == NULL || option == NULL)
    return fail (error, ENOMEM, "linux.mountLabel");
  for (size_t i = 0; i < mount->n_data; i++)
    data[i] = mount->data[i];
  data[mount->n_data++] = option;
  mount->data = data;
  return 0;
}

int
spec_label_mounts (struct spec *spec, struct tare_error *error)
{
  const char *label = spec_mount_label (spec);
  const char *key = spec_annotation (spec, "run.oci.mount_context_type");
  if (label == NULL)
    return 0;
  if (key == NULL)
    key = context_keys[0];
  if (!is_one_of (key, context_keys, COUNT_OF (context_keys)))
    return config_error (error,
                         "annotations.run.oci.mount_context_type: '%s' is not one of context, "
                         "fscontext, defcontext, rootcontext",
                         key);
  for (size_t i = 0; i < spec->n_mounts; i++)
    {
      int r = label_mount (spec, &spec->mounts[i], key, label, error);
      if (r < 0)
        return r;
    }
  return 0;
}
