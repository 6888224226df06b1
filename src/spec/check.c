/* What the specification demands of a config beyond its shape: one row each, with the section that
 * says so. Nothing is repaired here. */
#include <linux/mount.h>
#include <linux/sched.h>
#include <string.h>

#include "spec/internal.h"

static bool
has_text (const char *text)
{
  return text != NULL && *text != '\0';
}

/* A property that acts on a namespace would act on the host's, were there none of its own. */
static int
needs_namespace (const struct spec *spec, uint64_t type, const char *place,
                 struct tare_error *error)
{
  if (((spec->new_namespaces | spec->joined_namespaces) & type) != 0)
    return 0;
  return config_error (error, "%s: needs a %s namespace of its own", place,
                       enum_name (plan_namespace_type_map, (int64_t) type));
}

static int
check_version (const struct spec *spec, struct tare_error *error)
{
  const char *version = spec->config->oci_version;
  const char *rest = str_after (version, "1.");
  if (rest == NULL || *rest < '0' || *rest > '9')
    return config_error (error, "ociVersion: \"%s\" is not 1.0.0 to 1.3", version);
  return 0;
}

static int
check_mount_namespace (const struct spec *spec, struct tare_error *error)
{
  return needs_namespace (spec, CLONE_NEWNS, "root", error);
}

static int
check_host_names (const struct spec *spec, struct tare_error *error)
{
  const struct oci_config *config = spec->config;
  int r = 0;
  if (has_text (config->hostname))
    r = needs_namespace (spec, CLONE_NEWUTS, "hostname", error);
  if (r >= 0 && has_text (config->domainname))
    r = needs_namespace (spec, CLONE_NEWUTS, "domainname", error);
  return r;
}

/* Ignored where there is no terminal, whatever it says. */
static int
check_console_size (const struct oci_process *process, struct tare_error *error)
{
  const struct oci_box *size = process->console_size;
  if (!process->terminal || size == NULL
      || (size->height <= UINT16_MAX && size->width <= UINT16_MAX))
    return 0;
  return config_error (error, "process.consoleSize: %llu x %llu is more than a terminal has (%d)",
                       (unsigned long long) size->height, (unsigned long long) size->width,
                       UINT16_MAX);
}

static int
check_process (const struct spec *spec, struct tare_error *error)
{
  const struct oci_process *process = spec->config->process;
  if (process == NULL)
    return 0; /* config.md: optional until start */
  if (process->n_args == 0)
    return config_error (error, "process.args: required, at least one");
  if (*process->cwd != '/')
    return config_error (error, "process.cwd: '%s' is not absolute", process->cwd);
  for (size_t i = 0; i < process->n_env; i++)
    if (strchr (process->env[i], '=') == NULL || process->env[i][0] == '=')
      return config_error (error, "process.env[%zu]: \"%s\" is not name=value", i, process->env[i]);
  if (process->has_oom_score_adj
      && (process->oom_score_adj < -1000 || process->oom_score_adj > 1000))
    return config_error (error, "process.oomScoreAdj: %d is not -1000 to 1000",
                         process->oom_score_adj);
  if (process->user != NULL && process->user->has_umask && process->user->umask > 0777)
    return config_error (error, "process.user.umask: %u is not 0 to 511 (0777)",
                         process->user->umask);
  return check_console_size (process, error);
}

static int
check_time_offsets (const struct spec *spec, struct tare_error *error)
{
  const struct oci_linux *linux = spec->config->linux;
  if (linux == NULL || linux->time_offsets == NULL || spec_is_new (spec, CLONE_NEWTIME))
    return 0;
  return config_error (error, "linux.timeOffsets: needs a new time namespace");
}

static int
check_paths (const char *place, const char *const *paths, size_t count, struct tare_error *error)
{
  for (size_t i = 0; i < count; i++)
    if (*paths[i] != '/')
      return config_error (error, "linux.%s[%zu]: '%s' is not absolute", place, i, paths[i]);
  return 0;
}

static int
check_masks (const struct spec *spec, struct tare_error *error)
{
  const struct oci_linux *linux = spec->config->linux;
  if (linux == NULL)
    return 0;
  int r = check_paths ("maskedPaths", linux->masked_paths, linux->n_masked_paths, error);
  return r < 0
             ? r
             : check_paths ("readonlyPaths", linux->readonly_paths, linux->n_readonly_paths, error);
}

static int
check_devices (const struct spec *spec, struct tare_error *error)
{
  const struct oci_linux *linux = spec->config->linux;
  for (size_t i = 0; linux != NULL && i < linux->n_devices; i++)
    {
      const struct oci_device *device = &linux->devices[i];
      bool fifo = str_equal (device->type, "p");
      if (*device->path != '/')
        return config_error (error, "linux.devices[%zu].path: '%s' is not absolute", i,
                             device->path);
      if (!fifo && (!device->has_major || !device->has_minor))
        return config_error (error, "linux.devices[%zu] '%s': type %s needs major and minor", i,
                             device->path, device->type);
      if (!fifo
          && (device->major < 0 || device->major > 4095 || device->minor < 0
              || device->minor > 1048575))
        return config_error (error,
                             "linux.devices[%zu] '%s': %lld:%lld is not a device number (0:0 to "
                             "4095:1048575)",
                             i, device->path, (long long) device->major, (long long) device->minor);
    }
  return 0;
}

static int
check_annotations (const struct spec *spec, struct tare_error *error)
{
  for (size_t i = 0; i < spec->config->n_annotations; i++)
    if (spec->config->annotations[i].key[0] == '\0')
      return config_error (error, "annotations: a key is empty");
  return 0;
}

static const struct
{
  const char *section;
  int (*check) (const struct spec *spec, struct tare_error *error);
} checks[] = {
  { "config.md, Specification version", check_version },
  { "config.md, Root", check_mount_namespace },
  { "config.md, Hostname and Domainname", check_host_names },
  { "config.md, Process", check_process },
  { "config.md, POSIX-platform Hooks", spec_check_hooks },
  { "config.md, Annotations", check_annotations },
  { "config.md, Linux Process", spec_check_schedule },
  { "config-linux.md, User namespace mappings", spec_check_id_mappings },
  { "config-linux.md, Offset for Time Namespace", check_time_offsets },
  { "config-linux.md, Masked and Readonly Paths", check_masks },
  { "config-linux.md, Devices", check_devices },
  { "config-linux.md, Network Devices", spec_check_net_devices },
  { "config-linux.md, IntelRdt", spec_check_rdt },
  { "config-linux.md, Sysctl", spec_check_sysctl },
  { "config-linux.md, Seccomp", spec_check_seccomp },
};

int
spec_check (const struct spec *spec, struct tare_error *error)
{
  for (size_t i = 0; i < COUNT_OF (checks); i++)
    {
      int r = checks[i].check (spec, error);
      if (r < 0)
        return r;
    }
  return 0;
}
