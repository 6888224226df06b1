/* The floor of one `run`: what the kernel alone takes for the default container, without a runtime.
 * No JSON, no state, no seccomp, no limits: a cgroup, namespaces, mounts, devices, masks,
 * pivot_root, exec, wait.
 *
 *   floor COUNT ROOTFS CGROUP2-DIRECTORY COMMAND [ARG...]
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#define COUNT_OF(array) (sizeof (array) / sizeof *(array))

static const struct
{
  const char *type, *target, *data;
  unsigned long flags;
} mounts[] = {
  { "proc", "proc", NULL, 0 },
  { "tmpfs", "dev", "mode=755,size=65536k", MS_NOSUID | MS_STRICTATIME },
  { "devpts", "dev/pts", "newinstance,ptmxmode=0666,mode=0620,gid=5", MS_NOSUID | MS_NOEXEC },
  { "tmpfs", "dev/shm", "mode=1777,size=65536k", MS_NOSUID | MS_NOEXEC | MS_NODEV },
  { "mqueue", "dev/mqueue", NULL, MS_NOSUID | MS_NOEXEC | MS_NODEV },
  { "sysfs", "sys", NULL, MS_NOSUID | MS_NOEXEC | MS_NODEV | MS_RDONLY },
  { "cgroup2", "sys/fs/cgroup", NULL, MS_NOSUID | MS_NOEXEC | MS_NODEV | MS_RDONLY },
};

static const struct
{
  const char *path;
  unsigned major, minor;
} devices[] = {
  { "dev/null", 1, 3 },   { "dev/zero", 1, 5 },    { "dev/full", 1, 7 },
  { "dev/random", 1, 8 }, { "dev/urandom", 1, 9 }, { "dev/tty", 5, 0 },
};

static const struct
{
  const char *path, *target;
} links[] = {
  { "dev/fd", "/proc/self/fd" },       { "dev/stdin", "/proc/self/fd/0" },
  { "dev/stdout", "/proc/self/fd/1" }, { "dev/stderr", "/proc/self/fd/2" },
  { "dev/ptmx", "pts/ptmx" },
};

static const char *const masked_files[] = { "proc/kcore",         "proc/keys",
                                            "proc/latency_stats", "proc/timer_list",
                                            "proc/timer_stats",   "proc/sched_debug" };
static const char *const masked_directories[] = { "proc/acpi", "proc/asound", "proc/scsi",
                                                  "sys/firmware" };
static const char *const read_only[] = { "proc/bus", "proc/fs", "proc/irq", "proc/sys",
                                         "proc/sysrq-trigger" };

static void
must (long r, const char *what)
{
  if (r >= 0)
    return;
  fprintf (stderr, "floor: %s: %s\n", what, strerror (errno));
  _exit (1);
}

static void
fill_dev (void)
{
  for (size_t i = 0; i < COUNT_OF (devices); i++)
    must (mknod (devices[i].path, S_IFCHR | 0666, makedev (devices[i].major, devices[i].minor)),
          devices[i].path);
  for (size_t i = 0; i < COUNT_OF (links); i++)
    must (symlink (links[i].target, links[i].path), links[i].path);
}

/* What this kernel does not have needs no mask. */
static void
hide (void)
{
  for (size_t i = 0; i < COUNT_OF (read_only); i++)
    if (mount (read_only[i], read_only[i], NULL, MS_BIND | MS_REC, NULL) == 0)
      must (mount (NULL, read_only[i], NULL,
                   MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL),
            read_only[i]);
  for (size_t i = 0; i < COUNT_OF (masked_files); i++)
    (void) !mount ("dev/null", masked_files[i], NULL, MS_BIND, NULL);
  for (size_t i = 0; i < COUNT_OF (masked_directories); i++)
    (void) !mount ("tmpfs", masked_directories[i], "tmpfs", MS_RDONLY, "nr_blocks=1,nr_inodes=1");
}

static void
container (const char *rootfs, char **argv)
{
  must (mount (NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), "/");
  must (mount (rootfs, rootfs, NULL, MS_BIND | MS_REC, NULL), rootfs);
  must (chdir (rootfs), rootfs);
  for (size_t i = 0; i < COUNT_OF (mounts); i++)
    {
      (void) mkdir (mounts[i].target, 0755);
      must (
          mount (mounts[i].type, mounts[i].target, mounts[i].type, mounts[i].flags, mounts[i].data),
          mounts[i].target);
    }
  fill_dev ();
  hide ();
  must (mount (NULL, rootfs, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL), rootfs);
  must (syscall (SYS_pivot_root, ".", "."), "pivot_root");
  must (umount2 (".", MNT_DETACH), "umount");
  must (chdir ("/"), "/");
  must (sethostname ("floor", 5), "sethostname");
  must (prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs");
  must (execv (argv[0], argv), argv[0]);
}

static bool
run (const char *rootfs, const char *cgroup, char **argv)
{
  must (mkdir (cgroup, 0755), cgroup);
  int fd = open (cgroup, O_DIRECTORY | O_CLOEXEC | O_PATH);
  must (fd, cgroup);
  struct clone_args args = {
    .flags = CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET
             | CLONE_NEWCGROUP | CLONE_INTO_CGROUP,
    .exit_signal = SIGCHLD,
    .cgroup = (unsigned) fd,
  };
  long pid = syscall (SYS_clone3, &args, sizeof args);
  must (pid, "clone3");
  if (pid == 0)
    container (rootfs, argv);
  int status = 1;
  must (waitpid ((pid_t) pid, &status, 0), "waitpid");
  (void) close (fd);
  must (rmdir (cgroup), cgroup);
  return status == 0;
}

int
main (int argc, char **argv)
{
  char cgroup[4096];
  if (argc < 5)
    {
      fprintf (stderr, "usage: floor COUNT ROOTFS CGROUP2-DIRECTORY COMMAND [ARG...]\n");
      return 2;
    }
  snprintf (cgroup, sizeof cgroup, "%s/floor-%d", argv[3], (int) getpid ());
  for (long n = strtol (argv[1], NULL, 10); n > 0; n--)
    if (!run (argv[2], cgroup, argv + 4))
      return 1;
  return 0;
}
