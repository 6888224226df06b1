/* The file system part of a plan: mounts in order, devices, links, masked and read-only paths.
 * Serves config.md "Mounts", config-linux.md "Devices", "Default Devices", "Dev symbolic links",
 * "Masked Paths", "Readonly Paths". Pure: paths are compared as text, init resolves them. */
#include <limits.h>
#include <linux/mount.h>
#include <linux/sched.h>
#include <stdio.h>
#include <sys/stat.h>

#include "spec/internal.h"

/* What a mount below /proc may cover: what lxcfs offers, and two that managers set. */
static const char *const proc_allowed[] = {
  "/proc/cpuinfo",
  "/proc/diskstats",
  "/proc/loadavg",
  "/proc/meminfo",
  "/proc/slabinfo",
  "/proc/stat",
  "/proc/swaps",
  "/proc/uptime",
  "/proc/sys/crypto/fips_enabled",
  "/proc/sys/kernel/ns_last_pid",
};

static const struct
{
  const char *path;
  uint32_t major, minor;
} default_devices[] = {
  { "/dev/null", 1, 3 },   { "/dev/zero", 1, 5 },    { "/dev/full", 1, 7 },
  { "/dev/random", 1, 8 }, { "/dev/urandom", 1, 9 }, { "/dev/tty", 5, 0 },
};

static const struct
{
  const char *path, *target, *requires;
} default_links[] = {
  { "/dev/fd", "/proc/self/fd", "/proc/self/fd" },
  { "/dev/stdin", "/proc/self/fd/0", "/proc/self/fd" },
  { "/dev/stdout", "/proc/self/fd/1", "/proc/self/fd" },
  { "/dev/stderr", "/proc/self/fd/2", "/proc/self/fd" },
  { "/dev/core", "/proc/kcore", "/proc/kcore" },
  { "/dev/ptmx", "pts/ptmx", NULL },
};

struct maker
{
  const struct spec *spec;
  const struct spec_facts *facts;
  struct plan_builder *builder;
  struct plan_mount *mounts;
  size_t n_mounts, capacity;
  const bool *below; /* of each of spec's mounts: is something made below it later? */
  bool failed;
};

static struct plan_mount *
add_mount (struct maker *maker)
{
  if (maker->n_mounts == maker->capacity)
    {
      size_t capacity = maker->capacity * 2 + 16;
      void *grown = reallocarray (maker->mounts, capacity, sizeof *maker->mounts);
      if (grown == NULL)
        {
          maker->failed = true;
          return NULL;
        }
      maker->mounts = grown;
      maker->capacity = capacity;
    }
  struct plan_mount *mount = &maker->mounts[maker->n_mounts++];
  *mount = (struct plan_mount){ 0 };
  return mount;
}

static uint64_t
target_flags (const struct spec_mount *mount)
{
  for (size_t i = 0; i < COUNT_OF (proc_allowed); i++)
    if (str_equal (mount->target, proc_allowed[i]))
      return PLAN_MOUNT_IN_PROC_ALLOWED;
  /* A manager's volume may well lie behind a link of the image; what makes the container a
   * container may not. */
  if (path_is_below (mount->target, "/proc") || path_is_below (mount->target, "/sys")
      || path_is_below (mount->target, "/dev"))
    return mount->kind == SPEC_MOUNT_BIND ? 0 : PLAN_MOUNT_NO_SYMLINKS;
  return 0;
}

static bool
has_option (const struct spec_mount *mount, const char *key)
{
  for (size_t i = 0; i < mount->n_data; i++)
    {
      const char *rest = str_after (mount->data[i], key);
      if (rest != NULL && *rest == '=')
        return true;
    }
  return false;
}

/* The attributes and place that every mount of the plan takes from one of the config. */
static struct plan_mount
common (struct maker *maker, const struct spec_mount *from)
{
  return (struct plan_mount){
    .label = plan_put_text (maker->builder, from->label),
    .target = plan_put_text (maker->builder, from->target),
    .set = from->set,
    .clear = from->clear,
    .recursive_set = from->recursive_set,
    .recursive_clear = from->recursive_clear,
    .propagation = from->propagation,
    .recursive_propagation = from->recursive_propagation,
    .flags = target_flags (from) | from->flags,
  };
}

/* It is written to before it may get read-only. */
static uint64_t
copy_up_flags (const struct spec_mount *from)
{
  uint64_t flags = PLAN_MOUNT_COPY_UP | PLAN_MOUNT_LATE;
  return has_option (from, "uid") || has_option (from, "gid") ? flags
                                                              : flags | PLAN_MOUNT_OWNER_OF_TARGET;
}

/* What may stand in for a file system that the kernel refuses. A user namespace that does not own
 * the network namespace gets no sysfs of its own. A procfs shows a pid namespace: the host's does
 * only for a container that shares the host's. */
static const char *
substitute (const struct spec *spec, const struct spec_mount *mount)
{
  if (str_equal (mount->type, "sysfs"))
    return "/sys";
  return str_equal (mount->type, "proc") && !spec_has (spec, CLONE_NEWPID) ? "/proc" : NULL;
}

static bool
source_is_hosts (const struct maker *maker)
{
  return spec_has (maker->spec, CLONE_NEWUSER) && maker->facts->privileged;
}

/* Below the host's /sys are its control groups, of which some may well be the user's own: who makes
 * /sys read-only means them, too (CVE-2023-25809). */
static bool
protects_sys (const struct spec_mount *from)
{
  char source[PATH_MAX];
  return from->recursive && (from->set & MOUNT_ATTR_RDONLY) != 0
         && (from->recursive_clear & MOUNT_ATTR_RDONLY) == 0
         && path_normalize (from->source, source, sizeof source) >= 0
         && path_is_below (source, "/sys");
}

static void
fill_bind (const struct maker *maker, const struct spec_mount *from, struct plan_mount *mount)
{
  mount->action = PLAN_MOUNT_BIND;
  if (from->recursive)
    mount->flags |= PLAN_MOUNT_RECURSIVE;
  if (source_is_hosts (maker))
    mount->flags |= PLAN_MOUNT_SOURCE_BY_HOST;
  if (protects_sys (from))
    mount->recursive_set |= MOUNT_ATTR_RDONLY;
  mount->uid_map = plan_put_text (maker->builder, from->uid_map);
  mount->gid_map = plan_put_text (maker->builder, from->gid_map);
}

static void
fill_filesystem (const struct maker *maker, const struct spec_mount *from, struct plan_mount *mount)
{
  mount->action = PLAN_MOUNT_FILESYSTEM;
  mount->type = plan_put_text (maker->builder, from->type);
  mount->instead = plan_put_text (maker->builder, substitute (maker->spec, from));
  if (str_equal (from->type, "tmpfs") && !has_option (from, "mode"))
    mount->flags |= PLAN_MOUNT_MODE_OF_TARGET;
}

static void
plan_plain_mount (struct maker *maker, size_t i)
{
  const struct spec_mount *from = &maker->spec->mounts[i];
  struct plan_mount *mount = add_mount (maker);
  if (mount == NULL)
    return;
  *mount = common (maker, from);
  if (from->kind == SPEC_MOUNT_REMOUNT)
    mount->action = PLAN_MOUNT_REMOUNT;
  else
    mount->source = plan_put_text (maker->builder, from->source);
  if (from->kind == SPEC_MOUNT_BIND)
    fill_bind (maker, from, mount);
  else if (from->kind == SPEC_MOUNT_FILESYSTEM)
    fill_filesystem (maker, from, mount);
  mount->options = plan_put_texts (maker->builder, from->data, from->n_data);
  mount->root_label = plan_put_text (maker->builder, from->root_label);
  if (((from->set | from->recursive_set) & MOUNT_ATTR_RDONLY) != 0 && maker->below[i])
    mount->flags |= PLAN_MOUNT_LATE;
  if (from->copy_up)
    mount->flags |= copy_up_flags (from);
}

static void
plan_cgroup_hierarchy (struct maker *maker, const struct spec_mount *from,
                       const struct cgroup_mount *hierarchy)
{
  char target[4096];
  struct plan_mount *mount = add_mount (maker);
  if (mount == NULL)
    return;
  *mount = common (maker, from);
  size_t n_options = 0;
  while (n_options < COUNT_OF (hierarchy->options) && hierarchy->options[n_options] != NULL)
    n_options++;
  int length = snprintf (target, sizeof target, "%s%s%s", from->target,
                         *hierarchy->name != '\0' ? "/" : "", hierarchy->name);
  if (length < 0 || (size_t) length >= sizeof target)
    maker->failed = true;
  bool bind = hierarchy->type == NULL;
  mount->target = plan_put_text (maker->builder, target);
  mount->action = bind ? PLAN_MOUNT_BIND : PLAN_MOUNT_FILESYSTEM;
  mount->type = plan_put_text (maker->builder, hierarchy->type);
  mount->source = plan_put_text (maker->builder, bind ? hierarchy->source : "cgroup");
  mount->instead = plan_put_text (maker->builder, bind ? NULL : hierarchy->source);
  mount->options = plan_put_texts (maker->builder, hierarchy->options, n_options);
}

static void
plan_cgroup_link (struct maker *maker, const struct spec_mount *from, const char *name,
                  const char *target)
{
  char path[4096];
  struct plan_mount *mount = add_mount (maker);
  if (mount == NULL)
    return;
  int length = snprintf (path, sizeof path, "%s/%s", from->target, name);
  if (length < 0 || (size_t) length >= sizeof path)
    maker->failed = true;
  mount->label = plan_put_text (maker->builder, from->label);
  mount->action = PLAN_MOUNT_SYMLINK;
  mount->target = plan_put_text (maker->builder, path);
  mount->source = plan_put_text (maker->builder, target);
}

/* One mount of type cgroup in the config: on v2 it is one here too, on v1 a tmpfs that holds a
 * mount for each hierarchy and a link for each controller that shares one. */
static void
plan_cgroup_mount (struct maker *maker, const struct spec_mount *from)
{
  static const char *const tmpfs_options[] = { "mode=755" };
  const struct cgroup_mounts *cgroup = maker->facts->cgroup_mounts;
  if (cgroup == NULL)
    return; /* no group of the container's own: nothing of the host's is shown */
  if (cgroup->tmpfs)
    {
      struct plan_mount *mount = add_mount (maker);
      if (mount == NULL)
        return;
      *mount = common (maker, from);
      mount->action = PLAN_MOUNT_FILESYSTEM;
      mount->type = plan_put_text (maker->builder, "tmpfs");
      mount->source = plan_put_text (maker->builder, "tmpfs");
      mount->options = plan_put_texts (maker->builder, tmpfs_options, COUNT_OF (tmpfs_options));
      mount->flags |= PLAN_MOUNT_LATE;
    }
  for (size_t i = 0; i < cgroup->n_mounts; i++)
    plan_cgroup_hierarchy (maker, from, &cgroup->mounts[i]);
  for (size_t i = 0; i < cgroup->n_links; i++)
    plan_cgroup_link (maker, from, cgroup->links[i].name, cgroup->links[i].target);
}

static bool
dev_is_bound (const struct spec *spec)
{
  for (size_t i = 0; i < spec->n_mounts; i++)
    if (spec->mounts[i].kind == SPEC_MOUNT_BIND && str_equal (spec->mounts[i].target, "/dev"))
      return true;
  return false;
}

static uint32_t
device_type (const char *type)
{
  return *type == 'b' ? S_IFBLK : *type == 'p' ? S_IFIFO : S_IFCHR;
}

/* The default devices, then the config's. A default one that the config names too is the config's
 * alone. The host's own /dev, bound, is left as it is. */
static int
plan_devices (struct maker *maker, struct plan *root)
{
  const struct oci_linux *linux = maker->spec->config->linux;
  size_t n_own = linux != NULL ? linux->n_devices : 0, n = 0;
  bool bound = dev_is_bound (maker->spec);
  autofree struct plan_device *devices =
      calloc (n_own + COUNT_OF (default_devices), sizeof *devices);
  if (devices == NULL)
    return -ENOMEM;
  for (size_t i = 0; !bound && i < COUNT_OF (default_devices); i++)
    {
      bool named = false;
      for (size_t k = 0; k < n_own; k++)
        named = named || str_equal (linux->devices[k].path, default_devices[i].path);
      if (!named)
        devices[n++] = (struct plan_device){
          .label = plan_put_text (maker->builder, "default device"),
          .path = plan_put_text (maker->builder, default_devices[i].path),
          .mode = S_IFCHR | 0666,
          .major = default_devices[i].major,
          .minor = default_devices[i].minor,
          .flags = PLAN_DEVICE_DEFAULT,
        };
    }
  for (size_t i = 0; i < n_own; i++)
    {
      const struct oci_device *from = &linux->devices[i];
      char label[48];
      if (bound && path_is_below (from->path, "/dev"))
        continue;
      (void) snprintf (label, sizeof label, "linux.devices[%zu]", i);
      devices[n++] = (struct plan_device){
        .label = plan_put_text (maker->builder, label),
        .path = plan_put_text (maker->builder, from->path),
        .mode = device_type (from->type) | (from->has_file_mode ? from->file_mode & 07777 : 0666),
        .major = (uint32_t) from->major,
        .minor = (uint32_t) from->minor,
        .uid = from->uid,
        .gid = from->gid,
      };
    }
  root->devices = plan_put_array (maker->builder, devices, n, sizeof *devices);
  return 0;
}

static void
plan_links (struct maker *maker, struct plan *root)
{
  struct plan_link links[COUNT_OF (default_links)];
  if (dev_is_bound (maker->spec))
    return;
  for (size_t i = 0; i < COUNT_OF (links); i++)
    links[i] = (struct plan_link){
      .path = plan_put_text (maker->builder, default_links[i].path),
      .target = plan_put_text (maker->builder, default_links[i].target),
      .requires = plan_put_text (maker->builder, default_links[i].requires),
    };
  root->links = plan_put_array (maker->builder, links, COUNT_OF (links), sizeof *links);
}

static void
add_paths (struct maker *maker, struct plan_path *paths, const char *const *from, size_t count,
           enum plan_path_action action)
{
  const char *name = action == PLAN_PATH_MASK ? "maskedPaths" : "readonlyPaths";
  for (size_t i = 0; i < count; i++)
    {
      char label[48];
      (void) snprintf (label, sizeof label, "linux.%s[%zu]", name, i);
      paths[i] = (struct plan_path){
        .label = plan_put_text (maker->builder, label),
        .action = action,
        .path = plan_put_text (maker->builder, from[i]),
      };
    }
}

/* Read-only first: a masked path below a read-only one must not be covered by its copy. */
static int
plan_paths (struct maker *maker, struct plan *root)
{
  const struct oci_linux *linux = maker->spec->config->linux;
  size_t count = linux != NULL ? linux->n_readonly_paths + linux->n_masked_paths : 0;
  if (count == 0)
    return 0;
  autofree struct plan_path *paths = calloc (count, sizeof *paths);
  if (paths == NULL)
    return -ENOMEM;
  add_paths (maker, paths, linux->readonly_paths, linux->n_readonly_paths, PLAN_PATH_READ_ONLY);
  add_paths (maker, paths + linux->n_readonly_paths, linux->masked_paths, linux->n_masked_paths,
             PLAN_PATH_MASK);
  root->paths = plan_put_array (maker->builder, paths, count, sizeof *paths);
  return 0;
}

/* Not in the host's own /dev, nor in mounts that are somebody else's too. */
static bool
has_console (const struct spec *spec)
{
  const struct oci_process *process = spec->config->process;
  return process != NULL && process->terminal && spec_is_new (spec, CLONE_NEWNS)
         && !dev_is_bound (spec);
}

/* Only the directory can be mounted ahead of time: the socket is bound when it is wanted. */
static void
plan_notify_mount (struct maker *maker)
{
  struct plan_mount *mount = maker->facts->notify_directory != NULL ? add_mount (maker) : NULL;
  if (mount == NULL)
    return;
  mount->label = plan_put_text (maker->builder, "NOTIFY_SOCKET");
  mount->action = PLAN_MOUNT_BIND;
  mount->source = plan_put_text (maker->builder, maker->facts->notify_directory);
  mount->target = plan_put_text (maker->builder, SPEC_NOTIFY_DIRECTORY);
  if (source_is_hosts (maker)) /* the state directory is for us alone */
    mount->flags |= PLAN_MOUNT_SOURCE_BY_HOST;
  mount->set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
}

int
spec_plan_filesystem (const struct spec *spec, const struct spec_facts *facts,
                      struct plan_builder *builder, struct plan *root, struct tare_error *error)
{
  struct maker maker = { .spec = spec, .facts = facts, .builder = builder };
  if (spec_mount_label (spec) != NULL && !facts->has_selinux)
    return fail_kind (error, TARE_ERROR_UNSUPPORTED, EOPNOTSUPP,
                      "linux.mountLabel: '%s': SELinux is not enabled on this host",
                      spec_mount_label (spec));
  autofree bool *below = spec_find_below (spec);
  if (below == NULL)
    return fail (error, ENOMEM, "make the plan");
  maker.below = below;
  root->rootfs = plan_put_text (builder, spec->rootfs);
  root->root_propagation = spec->root_propagation;
  if (spec->config->root->readonly)
    root->flags |= PLAN_ROOT_READ_ONLY;
  if (has_console (spec))
    root->flags |= PLAN_CONSOLE;
  for (size_t i = 0; i < spec->n_mounts && !maker.failed; i++)
    if (spec->mounts[i].kind == SPEC_MOUNT_CGROUP)
      plan_cgroup_mount (&maker, &spec->mounts[i]);
    else
      plan_plain_mount (&maker, i);
  plan_notify_mount (&maker);
  root->mounts = plan_put_array (builder, maker.mounts, maker.n_mounts, sizeof *maker.mounts);
  free (maker.mounts);
  int r = maker.failed ? -ENOMEM : plan_devices (&maker, root);
  if (r >= 0)
    r = plan_paths (&maker, root);
  plan_links (&maker, root);
  return r < 0 ? fail (error, r, "make the plan") : 0;
}
