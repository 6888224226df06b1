/* Strings of the config that mean something become numbers here: namespace types, resource limits,
 * capability sets, propagation. Serves config.md "Process" and config-linux.md "Namespaces". */
#include <linux/mount.h>
#include <linux/sched.h>

#include "spec/internal.h"

static const uint32_t namespace_flags[] = {
  [OCI_NAMESPACE_PID] = CLONE_NEWPID,       [OCI_NAMESPACE_NETWORK] = CLONE_NEWNET,
  [OCI_NAMESPACE_MOUNT] = CLONE_NEWNS,      [OCI_NAMESPACE_IPC] = CLONE_NEWIPC,
  [OCI_NAMESPACE_UTS] = CLONE_NEWUTS,       [OCI_NAMESPACE_USER] = CLONE_NEWUSER,
  [OCI_NAMESPACE_CGROUP] = CLONE_NEWCGROUP, [OCI_NAMESPACE_TIME] = CLONE_NEWTIME,
};

static const uint64_t propagation_flags[] = {
  [OCI_PROPAGATION_PRIVATE] = MS_PRIVATE,
  [OCI_PROPAGATION_SHARED] = MS_SHARED,
  [OCI_PROPAGATION_SLAVE] = MS_SLAVE,
  [OCI_PROPAGATION_UNBINDABLE] = MS_UNBINDABLE,
  [OCI_PROPAGATION_RPRIVATE] = MS_PRIVATE | MS_REC,
  [OCI_PROPAGATION_RSHARED] = MS_SHARED | MS_REC,
  [OCI_PROPAGATION_RSLAVE] = MS_SLAVE | MS_REC,
  [OCI_PROPAGATION_RUNBINDABLE] = MS_UNBINDABLE | MS_REC,
};

static int
lower_namespaces (struct spec *spec, struct tare_error *error)
{
  const struct oci_linux *linux = spec->config->linux;
  for (size_t i = 0; linux != NULL && i < linux->n_namespaces; i++)
    {
      const struct oci_namespace *from = &linux->namespaces[i];
      uint32_t type = namespace_flags[from->type];
      bool joined = from->path != NULL && *from->path != '\0';
      if (((spec->new_namespaces | spec->joined_namespaces) & type) != 0)
        return config_error (error, "linux.namespaces[%zu].type: \"%s\" is there twice", i,
                             enum_name (oci_namespace_type_map, from->type));
      if (joined && *from->path != '/')
        return config_error (error, "linux.namespaces[%zu].path: '%s' is not absolute", i,
                             from->path);
      *(joined ? &spec->joined_namespaces : &spec->new_namespaces) |= type;
      spec->namespaces[spec->n_namespaces++] =
          (struct spec_namespace){ type, joined ? from->path : NULL };
    }
  return 0;
}

static int
lower_rlimits (struct spec *spec, struct tare_error *error)
{
  const struct oci_process *process = spec->config->process;
  uint64_t seen = 0;
  spec->rlimits = arena_allocate (&spec->arena, process->n_rlimits * sizeof *spec->rlimits);
  if (spec->rlimits == NULL)
    return fail (error, ENOMEM, "process.rlimits");
  for (size_t i = 0; i < process->n_rlimits; i++)
    {
      const struct oci_rlimit *from = &process->rlimits[i];
      int64_t resource;
      if (enum_value (plan_rlimit_map, from->type, &resource) < 0)
        return config_error (error, "process.rlimits[%zu].type: \"%s\" is not a limit of Linux", i,
                             from->type);
      if ((seen & 1ULL << resource) != 0)
        return config_error (error, "process.rlimits[%zu].type: \"%s\" is there twice", i,
                             from->type);
      if (from->soft > from->hard)
        return config_error (error,
                             "process.rlimits[%zu]: %s: the soft limit %llu is above the hard "
                             "limit %llu",
                             i, from->type, (unsigned long long) from->soft,
                             (unsigned long long) from->hard);
      seen |= 1ULL << resource;
      spec->rlimits[spec->n_rlimits++] =
          (struct spec_rlimit){ (uint32_t) resource, from->soft, from->hard };
    }
  return 0;
}

static void
lower_capabilities (struct spec *spec, const struct log *log)
{
  static const char *const set_names[] = {
    [CAPABILITIES_BOUNDING] = "bounding",   [CAPABILITIES_EFFECTIVE] = "effective",
    [CAPABILITIES_PERMITTED] = "permitted", [CAPABILITIES_INHERITABLE] = "inheritable",
    [CAPABILITIES_AMBIENT] = "ambient",
  };
  const struct oci_capabilities *from = spec->config->process->capabilities;
  if (from == NULL)
    return;
  const struct
  {
    const char **names;
    size_t count;
  } sets[] = {
    [CAPABILITIES_BOUNDING] = { from->bounding, from->n_bounding },
    [CAPABILITIES_EFFECTIVE] = { from->effective, from->n_effective },
    [CAPABILITIES_PERMITTED] = { from->permitted, from->n_permitted },
    [CAPABILITIES_INHERITABLE] = { from->inheritable, from->n_inheritable },
    [CAPABILITIES_AMBIENT] = { from->ambient, from->n_ambient },
  };
  for (size_t set = 0; set < COUNT_OF (sets); set++)
    for (size_t i = 0; i < sets[set].count; i++)
      {
        int number = capability_number (sets[set].names[i]);
        if (number < 0) /* config.md: warn, do not fail */
          log_warning (log, "process.capabilities.%s: '%s' is not a known capability, ignoring it",
                       set_names[set], sets[set].names[i]);
        else
          spec->capabilities[set] |= 1ULL << number;
      }
}

static int
lower_root (struct spec *spec, struct tare_error *error)
{
  const struct oci_root *root = spec->config->root;
  const struct oci_linux *linux = spec->config->linux;
  if (root == NULL)
    return config_error (error, "root: required, but missing");
  if (*root->path == '\0')
    return config_error (error, "root.path: is empty");
  spec->rootfs = *root->path == '/'
                     ? root->path
                     : arena_format (&spec->arena, "%s/%s", spec->bundle, root->path);
  /* Not left as it is where the host's mounts are shared: what is mounted on a bind mount without a
   * propagation of its own would appear on the host. */
  spec->root_propagation = linux != NULL && linux->has_rootfs_propagation
                               ? propagation_flags[linux->rootfs_propagation]
                               : MS_SLAVE | MS_REC;
  return spec->rootfs == NULL ? fail (error, ENOMEM, "root.path") : 0;
}

int
spec_lower_process (struct spec *spec, const struct log *log, struct tare_error *error)
{
  if (spec->config->process == NULL)
    return 0;
  lower_capabilities (spec, log);
  return lower_rlimits (spec, error);
}

int
spec_lower (struct spec *spec, const struct log *log, struct tare_error *error)
{
  int r = lower_root (spec, error);
  if (r >= 0)
    r = lower_namespaces (spec, error);
  if (r >= 0)
    r = spec_lower_mounts (spec, log, error);
  if (r >= 0)
    r = spec_label_mounts (spec, error);
  if (r >= 0)
    r = spec_lower_seccomp (spec, error);
  return r < 0 ? r : spec_lower_process (spec, log, error);
}
