/* The default config.json: what `spec` writes. The same mounts, masks and limits as the other
 * runtimes' defaults, so that what is true of a container there is true here. It is made as a
 * struct oci_config and printed by its table, so it can hold nothing that the reader refuses.
 */
#define _GNU_SOURCE
#include "spec/texts.h"

#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "libocispec/ocispec.h"
#include "tare.h"

enum
{
  MOST_OPTIONS = 8,
};

struct default_mount
{
  const char *destination, *type, *source;
  const char *options[MOST_OPTIONS];
};

static const struct default_mount mounts[] = {
  { "/proc", "proc", "proc", { NULL } },
  { "/dev", "tmpfs", "tmpfs", { "nosuid", "strictatime", "mode=755", "size=65536k" } },
  { "/dev/pts",
    "devpts",
    "devpts",
    { "nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5" } },
  { "/dev/shm", "tmpfs", "shm", { "nosuid", "noexec", "nodev", "mode=1777", "size=65536k" } },
  { "/dev/mqueue", "mqueue", "mqueue", { "nosuid", "noexec", "nodev" } },
  { "/sys", "sysfs", "sysfs", { "nosuid", "noexec", "nodev", "ro" } },
  { "/sys/fs/cgroup", "cgroup", "cgroup", { "nosuid", "noexec", "nodev", "relatime", "ro" } },
};

/* A user namespace that does not own the network namespace may not mount sysfs. */
static const struct default_mount rootless_sys = {
  "/sys", "none", "/sys", { "rbind", "nosuid", "noexec", "nodev", "ro" }
};

static const char *const args[] = { "sh" };
static const char *const env[] = {
  "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  "TERM=xterm",
};
static const char *const capabilities[] = {
  "CAP_AUDIT_WRITE",
  "CAP_KILL",
  "CAP_NET_BIND_SERVICE",
};
static const char *const masked_paths[] = {
  "/proc/acpi",       "/proc/asound",      "/proc/kcore",       "/proc/keys", "/proc/latency_stats",
  "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug", "/proc/scsi", "/sys/firmware",
};
static const char *const readonly_paths[] = {
  "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger",
};

/* The list in the arena: the structs are filled by the reader, so their members are not const. */
static const char **
copy_texts (struct arena *arena, const char *const *texts, size_t count)
{
  const char **copy = arena_allocate (arena, count * sizeof *copy);
  if (copy != NULL)
    memcpy (copy, texts, count * sizeof *copy);
  return copy;
}

#define COPY_TEXTS(arena, object, member, list)                                                    \
  ((object)->n_##member = COUNT_OF (list),                                                         \
   ((object)->member = copy_texts (arena, list, COUNT_OF (list))) != NULL)

#define NEW(arena, pointer) (((pointer) = arena_allocate (arena, sizeof *(pointer))) != NULL)

/* Below /sys nothing is mounted where the whole of it is bound; gid 5 is not mapped. */
static bool
put_mount (struct arena *arena, struct oci_config *config, const struct default_mount *from,
           bool rootless)
{
  struct oci_mount *mount = &config->mounts[config->n_mounts++];
  mount->destination = from->destination;
  mount->type = from->type;
  mount->source = from->source;
  size_t count = 0;
  while (count < MOST_OPTIONS && from->options[count] != NULL)
    count++;
  if (count == 0)
    return true;
  mount->options = arena_allocate (arena, count * sizeof *mount->options);
  for (size_t i = 0; mount->options != NULL && i < count; i++)
    if (!rootless || str_after (from->options[i], "gid=") == NULL)
      mount->options[mount->n_options++] = from->options[i];
  return mount->options != NULL;
}

static bool
put_mounts (struct arena *arena, struct oci_config *config, bool rootless)
{
  config->mounts = arena_allocate (arena, (COUNT_OF (mounts) + 1) * sizeof *config->mounts);
  bool good = config->mounts != NULL;
  for (size_t i = 0; good && i < COUNT_OF (mounts); i++)
    if (!rootless || !path_is_below (mounts[i].destination, "/sys"))
      good = put_mount (arena, config, &mounts[i], rootless);
  return good && (!rootless || put_mount (arena, config, &rootless_sys, rootless));
}

static bool
put_process (struct arena *arena, struct oci_process *process)
{
  if (!NEW (arena, process->user) || !NEW (arena, process->capabilities)
      || !NEW (arena, process->rlimits))
    return false;
  process->terminal = process->has_terminal = true;
  process->no_new_privileges = process->has_no_new_privileges = true;
  process->cwd = "/";
  process->user->has_uid = process->user->has_gid = true;
  process->n_rlimits = 1;
  process->rlimits[0] = (struct oci_rlimit){
    .type = "RLIMIT_NOFILE", .hard = 1024, .has_hard = true, .soft = 1024, .has_soft = true
  };
  struct oci_capabilities *sets = process->capabilities;
  return COPY_TEXTS (arena, process, args, args) && COPY_TEXTS (arena, process, env, env)
         && COPY_TEXTS (arena, sets, bounding, capabilities)
         && COPY_TEXTS (arena, sets, effective, capabilities)
         && COPY_TEXTS (arena, sets, permitted, capabilities);
}

static bool
put_namespaces (struct arena *arena, struct oci_linux *linux, uint32_t flags)
{
  bool rootless = (flags & TARE_SPEC_ROOTLESS) != 0;
  const struct
  {
    int type;
    bool wanted;
  } rows[] = {
    { OCI_NAMESPACE_PID, true },
    { OCI_NAMESPACE_NETWORK, !rootless },
    { OCI_NAMESPACE_IPC, true },
    { OCI_NAMESPACE_UTS, true },
    { OCI_NAMESPACE_MOUNT, true },
    { OCI_NAMESPACE_CGROUP, (flags & SPEC_DEFAULT_CGROUP_NAMESPACE) != 0 },
    { OCI_NAMESPACE_USER, rootless },
  };
  linux->namespaces = arena_allocate (arena, COUNT_OF (rows) * sizeof *linux->namespaces);
  for (size_t i = 0; linux->namespaces != NULL && i < COUNT_OF (rows); i++)
    if (rows[i].wanted)
      linux->namespaces[linux->n_namespaces++] =
          (struct oci_namespace){ .type = rows[i].type, .has_type = true };
  return linux->namespaces != NULL;
}

/* The caller's own ids become 0. */
static bool
put_mappings (struct arena *arena, struct oci_linux *linux)
{
  if (!NEW (arena, linux->uid_mappings) || !NEW (arena, linux->gid_mappings))
    return false;
  struct oci_id_mapping mapping = { .has_container_id = true,
                                    .has_host_id = true,
                                    .has_size = true };
  mapping.size = 1;
  mapping.host_id = geteuid ();
  *linux->uid_mappings = mapping;
  mapping.host_id = getegid ();
  *linux->gid_mappings = mapping;
  linux->n_uid_mappings = linux->n_gid_mappings = 1;
  return true;
}

/* No device but those that every container has. */
static bool
put_resources (struct arena *arena, struct oci_linux *linux)
{
  struct oci_device_rule *rule;
  if (!NEW (arena, linux->resources) || !NEW (arena, rule))
    return false;
  *rule = (struct oci_device_rule){ .has_allow = true, .access = "rwm" };
  linux->resources->devices = rule;
  linux->resources->n_devices = 1;
  return true;
}

static bool
put_config (struct arena *arena, struct oci_config *config, uint32_t flags)
{
  bool rootless = (flags & TARE_SPEC_ROOTLESS) != 0;
  if (!NEW (arena, config->process) || !NEW (arena, config->root) || !NEW (arena, config->linux))
    return false;
  config->oci_version = TARE_OCI_VERSION;
  config->hostname = "tare";
  config->root->path = "rootfs";
  config->root->readonly = config->root->has_readonly = true;
  return put_process (arena, config->process) && put_mounts (arena, config, rootless)
         && put_namespaces (arena, config->linux, flags)
         && (rootless ? put_mappings (arena, config->linux) : put_resources (arena, config->linux))
         && COPY_TEXTS (arena, config->linux, masked_paths, masked_paths)
         && COPY_TEXTS (arena, config->linux, readonly_paths, readonly_paths);
}

int
spec_default_json (uint32_t flags, char **ret_json, struct tare_error *error)
{
  auto_ (arena)
  struct arena arena = { 0 };
  auto_ (buf)
  struct buf text = { 0 };
  struct oci_config config = { 0 };
  if (!put_config (&arena, &config, flags))
    return fail (error, ENOMEM, "spec");
  oci_write (&text, &oci_config_table, &config, 2);
  buf_text (&text, "\n");
  char *json = buf_take (&text);
  if (json == NULL)
    return fail (error, ENOMEM, "spec");
  *ret_json = json;
  return 0;
}
