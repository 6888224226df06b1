/* The features document: what this build can do, not what this host has (features.md; but for
 * seccomp.supportedFlags, where the specification asks for the kernel). Only what
 * is there: a manager that reads a name here will use it. The lists come from the tables that do
 * the work, so they cannot promise more.
 */
#define _GNU_SOURCE
#include "spec/texts.h"

#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "libocispec/ocispec.h"
#include "spec/mount_options.h"
#include "spec/spec.h"
#include "tare.h"

static const char oci_version_min[] = "1.0.0";

/* Kinds of hooks that are run. Ended by NULL. */
static const char *const hooks[] = {
  "prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop", NULL,
};

/* Annotations that change what we do, outside the container or to confine it: a manager must not
 * let its users, or an image, set them. All that we know of run.oci.*. Ended by NULL. */
static const char *const unsafe_annotations[] = {
  "org.systemd.property.",
  "run.oci.delegate-cgroup",
  SPEC_HOOKS_STDERR,
  SPEC_HOOKS_STDOUT,
  "run.oci.keep_original_groups",
  "run.oci.mount_context_type",
  "run.oci.pidfd_receiver",
  "run.oci.seccomp.receiver",
  "run.oci.seccomp_bpf_data",
  "run.oci.seccomp_fail_unknown_syscall",
  "run.oci.systemd.subgroup",
  NULL,
};

#ifdef HAVE_SYSTEMD
#define TARE_HAS_SYSTEMD true
#else
#define TARE_HAS_SYSTEMD false
#endif

static const int namespaces[] = {
  OCI_NAMESPACE_CGROUP, OCI_NAMESPACE_IPC,  OCI_NAMESPACE_MOUNT, OCI_NAMESPACE_NETWORK,
  OCI_NAMESPACE_PID,    OCI_NAMESPACE_TIME, OCI_NAMESPACE_USER,  OCI_NAMESPACE_UTS,
};

/* An empty list says "none"; an absent one would say "unknown". */
static bool
put_texts (struct arena *arena, const char *const *texts, const char ***ret_texts,
           size_t *ret_count)
{
  size_t count = 0;
  while (texts[count] != NULL)
    count++;
  const char **copy = arena_allocate (arena, (count + 1) * sizeof *copy);
  if (copy == NULL)
    return false;
  memcpy (copy, texts, count * sizeof *copy);
  *ret_texts = copy;
  *ret_count = count;
  return true;
}

static int
compare_texts (const void *a, const void *b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

static bool
put_mount_options (struct arena *arena, struct oci_features *features)
{
  size_t count = 0;
  while (mount_options[count].name != NULL)
    count++;
  features->mount_options = arena_allocate (arena, (count + 1) * sizeof *features->mount_options);
  if (features->mount_options == NULL)
    return false;
  for (size_t i = 0; i < count; i++)
    if (mount_options[i].kind != OPTION_NOT_BUILT)
      features->mount_options[features->n_mount_options++] = mount_options[i].name;
  qsort (features->mount_options, features->n_mount_options, sizeof *features->mount_options,
         compare_texts);
  return true;
}

static bool
put_capabilities (struct arena *arena, struct oci_features_linux *linux)
{
  char name[64];
  linux->capabilities = arena_allocate (arena, (CAP_LAST_CAP + 1) * sizeof *linux->capabilities);
  if (linux->capabilities == NULL)
    return false;
  for (unsigned i = 0; i <= CAP_LAST_CAP; i++)
    {
      const char *text = capability_name (i, name, sizeof name);
      /* libcap prints the number of one that it does not know */
      if (text == NULL || str_after (text, "CAP_") == NULL)
        continue;
      char *copy = arena_copy (arena, text, strlen (text));
      if (copy == NULL)
        return false;
      linux->capabilities[linux->n_capabilities++] = copy;
    }
  return true;
}

static void
put_flag (bool value, bool *ret_value, bool *ret_has)
{
  *ret_value = value;
  *ret_has = true;
}

#define PUT_FLAG(object, member, value) put_flag (value, &(object)->member, &(object)->has_##member)

struct parts
{
  struct oci_features_linux linux_part;
  struct oci_features_cgroup cgroup;
  struct oci_features_seccomp seccomp;
  struct oci_features_enabled apparmor, selinux, idmap, net_devices;
  struct oci_features_intel_rdt intel_rdt;
  struct oci_features_memory_policy memory_policy;
  struct oci_features_mount_extensions mount_extensions;
  int namespaces[COUNT_OF (namespaces)];
};

/* The values of map but those that wanted () does not want. */
static bool
put_values (struct arena *arena, const struct enum_map *map, bool (*wanted) (int value),
            int **ret_values, size_t *ret_count)
{
  size_t count = 0, all = 0;
  while (map[all].name != NULL)
    all++;
  int *values = arena_allocate (arena, (all + 1) * sizeof *values);
  for (size_t i = 0; values != NULL && i < all; i++)
    if (wanted ((int) map[i].value))
      values[count++] = (int) map[i].value;
  *ret_values = values;
  *ret_count = count;
  return values != NULL;
}

static bool
every_value (int value)
{
  return value >= 0;
}

static bool
put_memory_policy (struct arena *arena, struct oci_features_memory_policy *policy)
{
  return put_values (arena, oci_memory_policy_mode_map, every_value, &policy->modes,
                     &policy->n_modes)
         && put_values (arena, oci_memory_policy_flag_map, every_value, &policy->flags,
                        &policy->n_flags);
}

static bool
put_seccomp (struct arena *arena, struct oci_features_seccomp *seccomp)
{
  PUT_FLAG (seccomp, enabled, spec_seccomp_version () != NULL);
  if (!seccomp->enabled)
    return true;
  return put_values (arena, oci_seccomp_action_map, spec_seccomp_has_action, &seccomp->actions,
                     &seccomp->n_actions)
         && put_values (arena, oci_seccomp_operator_map, spec_seccomp_has_operator,
                        &seccomp->operators, &seccomp->n_operators)
         && put_values (arena, oci_seccomp_arch_map, spec_seccomp_has_arch, &seccomp->archs,
                        &seccomp->n_archs)
         && put_values (arena, oci_seccomp_flag_map, spec_seccomp_knows_flag, &seccomp->known_flags,
                        &seccomp->n_known_flags)
         && put_values (arena, oci_seccomp_flag_map, spec_seccomp_has_flag,
                        &seccomp->supported_flags, &seccomp->n_supported_flags);
}

/* The version of libseccomp, under the name that the other runtimes use. */
static bool
put_annotations (struct arena *arena, struct oci_features *features)
{
  const char *version = spec_seccomp_version ();
  if (version == NULL)
    return true;
  struct oci_pair *pair = arena_allocate (arena, sizeof *pair);
  if (pair == NULL)
    return false;
  *pair = (struct oci_pair){ "io.github.seccomp.libseccomp.version", version };
  features->annotations = pair;
  features->n_annotations = 1;
  return true;
}

static bool
put_linux (struct arena *arena, struct parts *parts)
{
  struct oci_features_linux *linux = &parts->linux_part;
  memcpy (parts->namespaces, namespaces, sizeof namespaces);
  linux->namespaces = parts->namespaces;
  linux->n_namespaces = COUNT_OF (namespaces);
  linux->cgroup = &parts->cgroup;
  PUT_FLAG (linux->cgroup, v1, true);
  PUT_FLAG (linux->cgroup, v2, true);
  PUT_FLAG (linux->cgroup, systemd, TARE_HAS_SYSTEMD);
  PUT_FLAG (linux->cgroup, systemd_user, TARE_HAS_SYSTEMD);
  PUT_FLAG (linux->cgroup, rdma, true);
  linux->seccomp = &parts->seccomp;
  linux->apparmor = &parts->apparmor;
  PUT_FLAG (linux->apparmor, enabled, true);
  linux->selinux = &parts->selinux;
  PUT_FLAG (linux->selinux, enabled, true);
  linux->intel_rdt = &parts->intel_rdt;
  PUT_FLAG (linux->intel_rdt, enabled, true);
  PUT_FLAG (linux->intel_rdt, schemata, true);
  PUT_FLAG (linux->intel_rdt, monitoring, true);
  linux->mount_extensions = &parts->mount_extensions;
  linux->mount_extensions->idmap = &parts->idmap;
  PUT_FLAG (linux->mount_extensions->idmap, enabled, true);
  linux->net_devices = &parts->net_devices;
  PUT_FLAG (linux->net_devices, enabled, true);
  linux->memory_policy = &parts->memory_policy;
  return put_capabilities (arena, linux) && put_seccomp (arena, linux->seccomp)
         && put_memory_policy (arena, linux->memory_policy);
}

int
spec_features_json (char **ret_json, struct tare_error *error)
{
  auto_ (arena)
  struct arena arena = { 0 };
  auto_ (buf)
  struct buf text = { 0 };
  struct parts parts = { 0 };
  struct oci_features features = {
    .oci_version_min = oci_version_min,
    .oci_version_max = TARE_OCI_VERSION,
    .linux = &parts.linux_part,
  };
  if (!put_texts (&arena, hooks, &features.hooks, &features.n_hooks)
      || !put_texts (&arena, unsafe_annotations, &features.potentially_unsafe_config_annotations,
                     &features.n_potentially_unsafe_config_annotations)
      || !put_mount_options (&arena, &features) || !put_annotations (&arena, &features)
      || !put_linux (&arena, &parts))
    return fail (error, ENOMEM, "features");
  oci_write (&text, &oci_features_table, &features, 2);
  buf_text (&text, "\n");
  char *json = buf_take (&text);
  if (json == NULL)
    return fail (error, ENOMEM, "features");
  *ret_json = json;
  return 0;
}
