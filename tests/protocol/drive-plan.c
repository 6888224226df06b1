/* What a container of the tests is made of: a temporary directory with a root, and a plan made by
 * hand. */
#include "tests/protocol/drive.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/mount.h"
#include "sys/process.h"

static const uint64_t default_capabilities =
    1 << 5 /* CAP_KILL */ | 1 << 10 /* CAP_NET_BIND_SERVICE */ | 1 << 29 /* CAP_AUDIT_WRITE */;

void
drive_die (const char *what)
{
  printf ("Bail out! %s: %s\n", what, strerror (errno));
  exit (99);
}

/* ---- the temporary directory --------------------------------------------------------------- */

static const char *
below (const struct drive *drive, const char *path)
{
  static char full[2][4096];
  static int turn;
  turn = !turn;
  snprintf (full[turn], sizeof full[turn], "%s/%s", drive->directory, path);
  return full[turn];
}

void
drive_directory (const struct drive *drive, const char *path)
{
  if (mkdir (below (drive, path), 0755) < 0 && errno != EEXIST)
    drive_die (path);
}

void
drive_file (const struct drive *drive, const char *path, const char *text)
{
  FILE *file = fopen (below (drive, path), "w");
  if (file == NULL || fputs (text, file) < 0 || fclose (file) != 0)
    drive_die (path);
}

void
drive_link (const struct drive *drive, const char *path, const char *target)
{
  if (symlink (target, below (drive, path)) < 0)
    drive_die (path);
}

static int
remove_one (const char *path, const struct stat *st, int type, struct FTW *ftw)
{
  (void) st;
  (void) type;
  (void) ftw;
  return remove (path);
}

static int
compare_names (const struct dirent **a, const struct dirent **b)
{
  return strcmp ((*a)->d_name, (*b)->d_name);
}

void
drive_listing (const struct drive *drive, const char *path, char *out, size_t size)
{
  struct dirent **names;
  int n = scandir (below (drive, path), &names, NULL, compare_names);
  size_t length = 0;
  out[0] = '\0';
  for (int i = 0; i < n; i++)
    {
      struct stat st = { 0 };
      char full[4096 + 256];
      snprintf (full, sizeof full, "%s/%s", below (drive, path), names[i]->d_name);
      (void) lstat (full, &st);
      if (names[i]->d_name[0] != '.' && length < size)
        length += (size_t) snprintf (out + length, size - length, "%s %o %ld\n", names[i]->d_name,
                                     st.st_mode, (long) st.st_size);
      free (names[i]);
    }
  if (n >= 0)
    free (names);
}

static void
copy_busybox (const struct drive *drive)
{
  char command[512];
  snprintf (command, sizeof command,
            "cd %s/bin && cp /bin/busybox busybox && for i in sh cat ls id stat mount hostname "
            "readlink touch echo mkdir ip grep umask ulimit pwd env head tr sleep true kill wc cut "
            "dd mknod; do ln -sf busybox $i; done",
            drive->rootfs);
  if (system (command) != 0)
    drive_die ("busybox");
}

/* ---- the plan ------------------------------------------------------------------------------ */

struct plan_mount *
drive_mount (struct drive *drive, const char *type, const char *source, const char *target,
             uint64_t set, const char *const *options, size_t n_options)
{
  char label[32];
  struct plan_builder *builder = &drive->builder;
  struct plan_mount *mount = &drive->mounts[drive->n_mounts];
  snprintf (label, sizeof label, "mounts[%zu]", drive->n_mounts++);
  *mount = (struct plan_mount){
    .label = plan_put_text (builder, label),
    .action = type != NULL ? PLAN_MOUNT_FILESYSTEM : PLAN_MOUNT_BIND,
    .type = plan_put_text (builder, type),
    .source = plan_put_text (builder, source),
    .target = plan_put_text (builder, target),
    .options = plan_put_texts (builder, options, n_options),
    .set = set,
  };
  return mount;
}

struct plan_mount *
drive_bind (struct drive *drive, const char *source, const char *target, uint64_t set)
{
  return drive_mount (drive, NULL, source, target, set, NULL, 0);
}

void
drive_device (struct drive *drive, const char *path, uint32_t mode, uint32_t major, uint32_t minor)
{
  char label[32];
  snprintf (label, sizeof label, "linux.devices[%zu]", drive->n_devices);
  drive->devices[drive->n_devices++] = (struct plan_device){
    .label = plan_put_text (&drive->builder, label),
    .path = plan_put_text (&drive->builder, path),
    .mode = mode,
    .major = major,
    .minor = minor,
  };
}

void
drive_path (struct drive *drive, enum plan_path_action action, const char *path)
{
  char label[48];
  snprintf (label, sizeof label, "linux.%s[%zu]",
            action == PLAN_PATH_MASK ? "maskedPaths" : "readonlyPaths", drive->n_paths);
  drive->paths[drive->n_paths++] = (struct plan_path){
    .label = plan_put_text (&drive->builder, label),
    .action = action,
    .path = plan_put_text (&drive->builder, path),
  };
}

void
drive_join (struct drive *drive, uint32_t type, const char *path)
{
  size_t i = drive->n_joins++;
  drive->join_fds[i] = open (path, O_RDONLY | O_CLOEXEC);
  if (drive->join_fds[i] < 0)
    drive_die (path);
  drive->joins[i] = (struct plan_join){
    .type = type,
    .fd = (uint32_t) i,
    .path = plan_put_text (&drive->builder, path),
  };
}

void
drive_script (struct drive *drive, const char *script)
{
  drive->args[0] = "sh";
  drive->args[1] = "-c";
  drive->args[2] = script;
  drive->n_args = 3;
}

static void
default_mounts (struct drive *drive)
{
  static const char *const dev[] = { "mode=755", "size=65536k" };
  static const char *const pts[] = { "newinstance", "ptmxmode=0666", "mode=0620", "gid=5" };
  static const char *const shm[] = { "mode=1777", "size=65536k" };
  const uint64_t all = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
  drive_mount (drive, "proc", "proc", "/proc", 0, NULL, 0);
  drive_mount (drive, "tmpfs", "tmpfs", "/dev", MOUNT_ATTR_NOSUID | MOUNT_ATTR_STRICTATIME, dev, 2);
  drive_mount (drive, "devpts", "devpts", "/dev/pts", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, pts,
               4);
  drive_mount (drive, "tmpfs", "shm", "/dev/shm", all, shm, 2);
  drive_mount (drive, "mqueue", "mqueue", "/dev/mqueue", all, NULL, 0);
  drive_mount (drive, "sysfs", "sysfs", "/sys", all | MOUNT_ATTR_RDONLY, NULL, 0);
}

static void
default_devices (struct drive *drive)
{
  static const struct
  {
    const char *path;
    uint32_t major, minor;
  } devices[] = {
    { "/dev/null", 1, 3 },   { "/dev/zero", 1, 5 },    { "/dev/full", 1, 7 },
    { "/dev/random", 1, 8 }, { "/dev/urandom", 1, 9 }, { "/dev/tty", 5, 0 },
  };
  for (size_t i = 0; i < COUNT_OF (devices); i++)
    drive_device (drive, devices[i].path, S_IFCHR | 0666, devices[i].major, devices[i].minor);
}

static void
default_paths (struct drive *drive)
{
  static const char *const read_only[] = { "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys",
                                           "/proc/sysrq-trigger" };
  static const char *const masked[] = { "/proc/acpi",          "/proc/asound",     "/proc/kcore",
                                        "/proc/keys",          "/proc/timer_list", "/proc/scsi",
                                        "/proc/latency_stats", "/sys/firmware" };
  for (size_t i = 0; i < COUNT_OF (read_only); i++)
    drive_path (drive, PLAN_PATH_READ_ONLY, read_only[i]);
  for (size_t i = 0; i < COUNT_OF (masked); i++)
    drive_path (drive, PLAN_PATH_MASK, masked[i]);
}

void
drive_begin (struct drive *drive)
{
  memset (drive, 0, sizeof *drive);
  drive->pidfd = drive->output_fd = drive->progress_fd = drive->channel.fd = -EBADF;
  snprintf (drive->directory, sizeof drive->directory, "/tmp/tare-drive-XXXXXX");
  if (mkdtemp (drive->directory) == NULL || chmod (drive->directory, 0755) < 0)
    drive_die (drive->directory);
  snprintf (drive->rootfs, sizeof drive->rootfs, "%s/rootfs", drive->directory);
  snprintf (drive->host, sizeof drive->host, "%s/host", drive->directory);
  static const char *const directories[] = { "host",       "rootfs",      "rootfs/bin",
                                             "rootfs/etc", "rootfs/proc", "rootfs/tmp" };
  for (size_t i = 0; i < COUNT_OF (directories); i++)
    drive_directory (drive, directories[i]);
  drive_file (drive, "host/secret", "the host's");
  drive_file (drive, "rootfs/etc/passwd",
              "root:x:0:0:root:/root:/bin/sh\n1000:x:0:0::/bad:/bin/sh\n"
              "user:x:1000:1000::/home/user:/bin/sh\n");
  copy_busybox (drive);
  plan_begin (&drive->builder);
  drive->root.flags = PLAN_NO_NEW_PRIVILEGES | PLAN_ROOT_READ_ONLY | PLAN_HOST_PRIVILEGED
                      | PLAN_LOOPBACK_UP | PLAN_NEW_PID_NAMESPACE;
  drive->root.clone_flags = CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET;
  drive->root.root_propagation = MS_SLAVE | MS_REC;
  drive->root.hostname = plan_put_text (&drive->builder, "driven");
  drive->root.cwd = plan_put_text (&drive->builder, "/");
  drive->root.rootfs = plan_put_text (&drive->builder, drive->rootfs);
  for (unsigned i = 0; i < 64 && sys_prctl (PR_CAPBSET_READ, i, 0, 0, 0) >= 0; i++)
    drive->root.bounding_before |= 1ULL << i; /* all that the kernel knows */
  drive->root.bounding = drive->root.permitted = drive->root.effective = default_capabilities;
  drive->env[drive->n_env++] = "PATH=/bin:/usr/bin";
  drive_script (drive, "true");
  default_mounts (drive);
  default_devices (drive);
  default_paths (drive);
}

void
drive_bare (struct drive *drive)
{
  drive->n_mounts = drive->n_devices = drive->n_paths = 0;
  drive->root.flags &= ~(uint64_t) PLAN_ROOT_READ_ONLY;
}

int
drive_plan (struct drive *drive)
{
  static const struct
  {
    const char *path, *target, *requires;
  } links[] = {
    { "/dev/fd", "/proc/self/fd", "/proc/self/fd" },
    { "/dev/ptmx", "pts/ptmx", NULL },
  };
  struct plan_builder *builder = &drive->builder;
  struct plan *root = &drive->root;
  struct plan_link made[COUNT_OF (links)];
  for (size_t i = 0; i < COUNT_OF (links); i++)
    made[i] = (struct plan_link){ plan_put_text (builder, links[i].path),
                                  plan_put_text (builder, links[i].target),
                                  plan_put_text (builder, links[i].requires) };
#define PUT(member)                                                                                \
  root->member = plan_put_array (builder, drive->member, drive->n_##member, sizeof *drive->member)
  PUT (joins);
  PUT (mounts);
  PUT (devices);
  PUT (paths);
  PUT (sysctls);
  PUT (rlimits);
  PUT (groups);
  PUT (create_hooks);
  PUT (start_hooks);
#undef PUT
  if (drive->n_devices > 0)
    root->links = plan_put_array (builder, made, COUNT_OF (made), sizeof *made);
  root->args = plan_put_texts (builder, drive->args, drive->n_args);
  root->env = plan_put_texts (builder, drive->env, drive->n_env);
  int r = plan_finish (builder, root, &drive->error);
  return r < 0 ? r : plan_seal (builder, &drive->error);
}

void
drive_remove (const struct drive *drive)
{
  (void) nftw (drive->directory, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}
