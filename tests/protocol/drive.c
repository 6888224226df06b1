/* The host side, as little of it as a test of tare-init needs. */
#include "tests/protocol/drive.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/credentials.h"
#include "sys/file.h"
#include "sys/mount.h"
#include "sys/process.h"
#include "sys/socket.h"

static const uint64_t default_capabilities
  = 1 << 5 /* CAP_KILL */ | 1 << 10 /* CAP_NET_BIND_SERVICE */ | 1 << 29 /* CAP_AUDIT_WRITE */;

const char *
drive_init_path (bool faults)
{
  static char path[2][4096];
  const char *given = getenv (faults ? "TARE_INIT_FAULTS" : "TARE_INIT");
  const char *build = getenv ("top_builddir");
  snprintf (path[faults], sizeof path[faults], "%s/%s", build != NULL ? build : ".",
            faults ? "tests/tare-init-faults" : "tare-init");
  const char *chosen = given != NULL ? given : path[faults];
  return access (chosen, X_OK) == 0 ? chosen : NULL;
}

static void
die (const char *what)
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
    die (path);
}

void
drive_file (const struct drive *drive, const char *path, const char *text)
{
  FILE *file = fopen (below (drive, path), "w");
  if (file == NULL || fputs (text, file) < 0 || fclose (file) != 0)
    die (path);
}

void
drive_link (const struct drive *drive, const char *path, const char *target)
{
  if (symlink (target, below (drive, path)) < 0)
    die (path);
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
    die ("busybox");
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
  *mount = (struct plan_mount) {
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
drive_device (struct drive *drive, const char *path, uint32_t mode, uint32_t major,
              uint32_t minor)
{
  char label[32];
  snprintf (label, sizeof label, "linux.devices[%zu]", drive->n_devices);
  drive->devices[drive->n_devices++] = (struct plan_device) {
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
  drive->paths[drive->n_paths++] = (struct plan_path) {
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
    die (path);
  drive->joins[i] = (struct plan_join) {
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
  static const char *const read_only[]
    = { "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger" };
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
    die (drive->directory);
  snprintf (drive->rootfs, sizeof drive->rootfs, "%s/rootfs", drive->directory);
  snprintf (drive->host, sizeof drive->host, "%s/host", drive->directory);
  static const char *const directories[]
    = { "host", "rootfs", "rootfs/bin", "rootfs/etc", "rootfs/proc", "rootfs/tmp" };
  for (size_t i = 0; i < COUNT_OF (directories); i++)
    drive_directory (drive, directories[i]);
  drive_file (drive, "host/secret", "the host's");
  drive_file (drive, "rootfs/etc/passwd", "root:x:0:0:root:/root:/bin/sh\n1000:x:0:0::/bad:/bin/sh\n"
                                          "user:x:1000:1000::/home/user:/bin/sh\n");
  copy_busybox (drive);
  plan_begin (&drive->builder);
  drive->root.flags = PLAN_NO_NEW_PRIVILEGES | PLAN_ROOT_READ_ONLY | PLAN_HOST_PRIVILEGED
                      | PLAN_LOOPBACK_UP | PLAN_NEW_PID_NAMESPACE;
  drive->root.clone_flags
    = CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET;
  drive->root.root_propagation = MS_SLAVE | MS_REC;
  drive->root.hostname = plan_put_text (&drive->builder, "driven");
  drive->root.cwd = plan_put_text (&drive->builder, "/");
  drive->root.rootfs = plan_put_text (&drive->builder, drive->rootfs);
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

static int
finish_plan (struct drive *drive)
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
    made[i] = (struct plan_link) { plan_put_text (builder, links[i].path),
                                   plan_put_text (builder, links[i].target),
                                   plan_put_text (builder, links[i].requires) };
#define PUT(member)                                                                               \
  root->member = plan_put_array (builder, drive->member, drive->n_##member, sizeof *drive->member)
  PUT (joins);
  PUT (mounts);
  PUT (devices);
  PUT (paths);
  PUT (sysctls);
  PUT (rlimits);
  PUT (groups);
#undef PUT
  if (drive->n_devices > 0)
    root->links = plan_put_array (builder, made, COUNT_OF (made), sizeof *made);
  root->args = plan_put_texts (builder, drive->args, drive->n_args);
  root->env = plan_put_texts (builder, drive->env, drive->n_env);
  int r = plan_finish (builder, root, &drive->error);
  return r < 0 ? r : plan_seal (builder, &drive->error);
}

/* ---- the process --------------------------------------------------------------------------- */

static int
raise_all (void)
{
  struct sys_capabilities capabilities;
  int r = sys_capget (&capabilities);
  capabilities.inheritable = capabilities.permitted;
  if (r == 0)
    r = sys_capset (&capabilities);
  for (unsigned i = 0; r == 0 && i < 64; i++)
    if ((capabilities.permitted & 1ULL << i) != 0)
      r = sys_ambient_raise (i);
  return r;
}

static _Noreturn void
child (const struct drive *drive, int image, int socket, int output)
{
  char number[16], name[] = "tare-init", fault[128];
  char *argv[] = { name, number, NULL }, *envp[] = { NULL, NULL };
  snprintf (number, sizeof number, "%d", socket);
  if (drive->fault != NULL)
    {
      snprintf (fault, sizeof fault, "TARE_FAULT=%s", drive->fault);
      envp[0] = fault;
    }
  dup2 (output, 1);
  dup2 (output, 2);
  sys_set_cloexec (socket, false);
  if ((drive->root.clone_flags & CLONE_NEWUSER) == 0 || raise_all () == 0)
    sys_execveat (image, "", argv, envp, AT_EMPTY_PATH);
  _exit (111);
}

static int
send_plan (struct drive *drive, int plan, int start)
{
  int fds[PLAN_FD_COUNT + PLAN_MAX_NAMESPACES];
  fds[PLAN_FD_PLAN] = plan;
  fds[PLAN_FD_PROGRESS] = drive->progress_fd;
  fds[PLAN_FD_START] = start;
  for (size_t i = 0; i < drive->n_joins; i++)
    fds[PLAN_FD_COUNT + i] = drive->join_fds[i];
  return channel_send (&drive->channel, MESSAGE_PLAN, 0, fds, PLAN_FD_COUNT + drive->n_joins,
                       &drive->error);
}

static int
map_progress (struct drive *drive)
{
  int r = 0;
  drive->progress_fd = sys_memfd ("progress", false);
  if (drive->progress_fd < 0 || sys_truncate (drive->progress_fd, sizeof *drive->progress) < 0)
    die ("progress");
  drive->progress = sys_map (drive->progress_fd, sizeof *drive->progress, true, &r);
  return r;
}

static void
limit_waiting (const struct drive *drive, int fd)
{
  struct timeval limit = { .tv_sec = drive->timeout / 1000,
                           .tv_usec = drive->timeout % 1000 * 1000 };
  (void) setsockopt (fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
}

int
drive_spawn (struct drive *drive)
{
  int pair[2], out[2];
  autoclose int directory = open (drive->directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
  autoclose int start = sys_socket_bind (directory, "start");
  const char *path = drive_init_path (drive->fault != NULL);
  autoclose int image = path != NULL ? open (path, O_PATH | O_CLOEXEC) : -1;
  autoclose int plan = finish_plan (drive);
  if (start < 0 || image < 0 || map_progress (drive) < 0 || sys_socketpair (pair) < 0
      || pipe2 (out, O_CLOEXEC) < 0)
    die ("spawn");
  if (plan < 0)
    return plan;
  sigset_t mask;
  struct sys_clone clone = { .flags = drive->root.clone_flags | CLONE_CLEAR_SIGHAND,
                             .pidfd = &drive->pidfd,
                             .cgroup = -EBADF,
                             .exit_signal = SIGCHLD };
  fflush (stdout);
  sys_block_signals (&mask);
  drive->pid = sys_clone3 (&clone);
  if (drive->pid == 0)
    child (drive, image, pair[1], out[1]);
  sys_set_signal_mask (&mask);
  close (pair[1]);
  close (out[1]);
  if (drive->pid < 0)
    die ("clone3");
  drive->alive = true;
  drive->output_fd = out[0];
  drive->channel = (struct channel) { .fd = pair[0], .side = MESSAGE_TO_INIT };
  limit_waiting (drive, pair[0]);
  return send_plan (drive, plan, start);
}

static int
write_proc (struct drive *drive, const char *name, const char *text)
{
  char path[64];
  snprintf (path, sizeof path, "/proc/%d/%s", drive->pid, name);
  autoclose int fd = open (path, O_WRONLY | O_CLOEXEC);
  int r = fd < 0 ? -errno : sys_write_once (fd, text);
  return r < 0 ? fail (&drive->error, r, "write %s", path) : 0;
}

/* Where init is gone already, its last word says why. */
static int
say (struct drive *drive, enum message type)
{
  int r = channel_send (&drive->channel, type, 0, NULL, 0, &drive->error);
  return r != -EPIPE ? r : channel_receive (&drive->channel, MESSAGE_NONE, NULL, &drive->error);
}

static int
sync_with (struct drive *drive, enum message receive, enum message send)
{
  int r = channel_receive (&drive->channel, receive, NULL, &drive->error);
  return r < 0 || send == MESSAGE_NONE ? r : say (drive, send);
}

static int
map_user (struct drive *drive)
{
  int r = sync_with (drive, MESSAGE_USER_NAMESPACE, MESSAGE_NONE);
  if (r >= 0)
    r = write_proc (drive, "uid_map", drive->user_map);
  if (r >= 0)
    r = write_proc (drive, "gid_map", drive->user_map);
  return r < 0 ? r : say (drive, MESSAGE_MAPPED);
}

static int
follow_fork (struct drive *drive)
{
  struct received received;
  int status, r = channel_receive (&drive->channel, MESSAGE_FORKED, &received, &drive->error);
  if (r < 0)
    return r;
  sys_pidfd_wait (drive->pidfd, &status);
  close_fd (&drive->pidfd);
  drive->pid = (pid_t) received.value;
  drive->pidfd = received.fds[0];
  return status == 0 ? 0 : fail (&drive->error, EPROTO, "the stage ended with %#x", status);
}

int
drive_create (struct drive *drive)
{
  uint64_t flags = drive->root.flags;
  int r = 0;
  if ((drive->root.clone_flags & CLONE_NEWUSER) != 0 || (flags & PLAN_UNSHARE_USER) != 0)
    r = map_user (drive);
  if (r >= 0 && (flags & PLAN_TIME_OFFSETS) != 0)
    {
      r = sync_with (drive, MESSAGE_TIME_NAMESPACE, MESSAGE_NONE);
      if (r >= 0)
        r = write_proc (drive, "timens_offsets", drive->offsets);
      if (r >= 0)
        r = say (drive, MESSAGE_OFFSETS);
    }
  if (r >= 0 && (flags & PLAN_FORK) != 0)
    r = follow_fork (drive);
  if (r >= 0)
    r = say (drive, MESSAGE_GO);
  if (r >= 0)
    r = sync_with (drive, MESSAGE_ROOTFS_READY, MESSAGE_HOOKS_DONE);
  drive->at_rootfs_ready = r >= 0;
  return r < 0 ? r : sync_with (drive, MESSAGE_READY, MESSAGE_RUN);
}

int
drive_connect (struct drive *drive)
{
  char path[128];
  snprintf (path, sizeof path, "%s/start", drive->directory);
  return sys_socket_connect (AT_FDCWD, path, SOCK_SEQPACKET);
}

int
drive_start (struct drive *drive)
{
  char byte;
  struct channel start = { .side = MESSAGE_TO_INIT };
  autoclose int fd = drive_connect (drive);
  start.fd = fd;
  if (fd < 0)
    return fail (&drive->error, fd, "connect");
  limit_waiting (drive, fd);
  int r = channel_send (&start, MESSAGE_START, 0, NULL, 0, &drive->error);
  if (r >= 0)
    r = channel_receive (&start, MESSAGE_EXECUTING, NULL, &drive->error);
  if (r < 0)
    return r;
  /* The end of file now says that exec worked; a datagram is init's error. */
  if (recv (fd, &byte, 1, MSG_PEEK) == 0)
    return 0;
  return channel_receive (&start, MESSAGE_NONE, NULL, &drive->error);
}

static void
read_output (struct drive *drive)
{
  size_t length = 0;
  struct pollfd wait = { .fd = drive->output_fd, .events = POLLIN };
  while (length < sizeof drive->output - 1 && poll (&wait, 1, 10000) > 0)
    {
      ssize_t n = read (drive->output_fd, drive->output + length,
                        sizeof drive->output - 1 - length);
      if (n <= 0)
        break;
      length += (size_t) n;
    }
  drive->output[length] = '\0';
}

int
drive_wait (struct drive *drive)
{
  struct pollfd wait = { .fd = drive->pidfd, .events = POLLIN };
  read_output (drive);
  if (poll (&wait, 1, 10000) <= 0)
    return fail (&drive->error, ETIMEDOUT, "init did not end");
  drive->alive = false;
  return sys_pidfd_wait (drive->pidfd, &drive->status);
}

int
drive_run (struct drive *drive)
{
  int r = drive_spawn (drive);
  if (r >= 0)
    r = drive_create (drive);
  if (r >= 0)
    r = drive_start (drive);
  int waited = drive->alive ? drive_wait (drive) : 0;
  return r < 0 ? r : waited;
}

void
drive_end (struct drive *drive)
{
  if (drive->alive)
    {
      int status;
      sys_pidfd_send_signal (drive->pidfd, SIGKILL);
      sys_pidfd_wait (drive->pidfd, &status);
    }
  close_fd (&drive->pidfd);
  close_fd (&drive->output_fd);
  close_fd (&drive->progress_fd);
  close_fd (&drive->channel.fd);
  for (size_t i = 0; i < drive->n_joins; i++)
    close_fd (&drive->join_fds[i]);
  sys_unmap (drive->progress, sizeof *drive->progress);
  plan_builder_done (&drive->builder);
  nftw (drive->directory, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}
