/* tare-init against a host side made by hand: what the container then is, seen from inside. */
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/sys.h"
#include "tests/protocol/drive.h"
#include "tests/unit/tap.h"

#define CAP(n) (UINT64_C (1) << (n))

static bool
has (const struct drive *drive, const char *text)
{
  return strstr (drive->output, text) != NULL;
}

/* The container ran, and printed every one of the texts. */
static void
prints (struct drive *drive, const char *name, const char *const *texts, size_t count)
{
  int r = drive_run (drive);
  bool good = ok (r == 0, "%s: runs", name);
  if (!good)
    tap_note ("%s", drive->error.message);
  bool all = true;
  for (size_t i = 0; i < count; i++)
    all = ok (has (drive, texts[i]), "%s: %.*s", name, (int) strcspn (texts[i], "\n"), texts[i])
          && all;
  if (!all)
    for (char *line = strtok (drive->output, "\n"); line != NULL; line = strtok (NULL, "\n"))
      tap_note ("%s", line);
  drive_end (drive);
}
#define PRINTS(drive, name, ...)                                                                   \
  prints (drive, name, (const char *const[]){ __VA_ARGS__ },                                       \
          COUNT_OF (((const char *const[]){ __VA_ARGS__ })))

/* Create fails with this text and class, nothing ran. */
static void
refuses (struct drive *drive, const char *name, const char *text, enum tare_error_kind kind)
{
  int r = drive_run (drive);
  if (!ok (r < 0 && strstr (drive->error.message, text) != NULL && drive->output[0] == '\0',
           "%s: %s", name, text))
    tap_note ("%d '%s' printed '%s'", r, drive->error.message, drive->output);
  if (kind != TARE_ERROR_NONE)
    is_number (drive->error.kind, kind, "the class of this error");
  ok (!drive->alive && WIFEXITED (drive->status), "%s: init ended by itself", name);
  drive_end (drive);
}

static void
test_default (void)
{
  struct drive drive;
  drive_begin (&drive);
  drive.rlimits[drive.n_rlimits++] = (struct plan_rlimit){ RLIMIT_NOFILE, 99, 99 };
  drive.root.flags |= PLAN_SET_UMASK;
  drive.root.umask = 027;
  drive_script (&drive,
                "hostname; mount; umask; env; id; echo pid $$; grep -E 'Cap|NoNew|SigBlk|Groups' "
                "/proc/self/status; echo nofile $(ulimit -n); ls -l /dev | tr -s ' '; stat -c 'fd "
                "%N' /proc/self/fd/*; echo keys $(wc -c </proc/keys); ls /sys/firmware | wc -l; "
                "touch /x 2>&1; touch /proc/sys/kernel/hostname 2>&1; touch /dev/x && echo dev rw; "
                "ls -d / >/dev/null; grep lo: /proc/net/dev; cat /proc/1/oom_score >/dev/null; "
                "tr '\\0' ' ' </proc/1/cmdline");
  PRINTS (&drive, "default", "driven\n", "proc on /proc type proc (rw,relatime)",
          "tmpfs on /dev type tmpfs (rw,nosuid,size=65536k,mode=755",
          "shm on /dev/shm type tmpfs (rw,nosuid,nodev,noexec,relatime,size=65536k",
          "sysfs on /sys type sysfs (ro,nosuid,nodev,noexec,relatime)",
          "proc on /proc/sys type proc (ro,", "0027\n", "HOME=/root\n", "PATH=/bin:/usr/bin\n",
          "uid=0(root) gid=0", "pid 1\n", "CapPrm:\t0000000020000420", "CapBnd:\t0000000020000420",
          "CapInh:\t0000000000000000", "CapAmb:\t0000000000000000", "NoNewPrivs:\t1",
          "SigBlk:\t0000000000000000", "nofile 99\n", "crw-rw-rw- 1 root 0 1, 3", "fd -> ",
          "ptmx -> pts/ptmx", "keys 0\n", "touch: /x: Read-only file system",
          "/proc/sys/kernel/hostname: Read-only file system", "dev rw\n");
}

static void
test_user (void)
{
  static const gid_t groups[] = { 7, 5, 70000 };
  struct drive drive;
  drive_begin (&drive);
  drive.root.uid = 1000;
  drive.root.gid = 1001;
  drive.groups = groups;
  drive.n_groups = COUNT_OF (groups);
  drive.root.inheritable = drive.root.ambient = CAP (10);
  drive.root.cwd = plan_put_text (&drive.builder, "/home/user/deep");
  drive_script (&drive, "pwd; env; grep -E 'Cap|Groups|Uid|Gid' /proc/self/status; stat -c "
                        "'%a %u' /home/user/deep");
  PRINTS (&drive, "user", "/home/user/deep\n", "HOME=/home/user\n", "Uid:\t1000\t1000\t1000\t1000",
          "Gid:\t1001\t1001\t1001\t1001", "Groups:\t5 7 70000 ", "CapInh:\t0000000000000400",
          "CapPrm:\t0000000000000400", "CapEff:\t0000000000000400", "CapBnd:\t0000000020000420",
          "CapAmb:\t0000000000000400", "755 0\n");
}

static void
test_programs (void)
{
  struct drive drive;
  static const struct
  {
    const char *program, *text;
    enum tare_error_kind kind;
  } cases[] = {
    { "nothere", "exec: `nothere`: executable file not found in $PATH: no such file or directory",
      TARE_ERROR_PROGRAM_NOT_FOUND },
    { "/no/such", "exec: `/no/such`: no such file or directory", TARE_ERROR_PROGRAM_NOT_FOUND },
    { "", "exec: ``: no such file or directory", TARE_ERROR_PROGRAM_NOT_FOUND },
    { "/etc", "exec: `/etc`: is a directory: permission denied",
      TARE_ERROR_PROGRAM_NOT_EXECUTABLE },
    { "/etc/passwd", "exec: `/etc/passwd`: permission denied", TARE_ERROR_PROGRAM_NOT_EXECUTABLE },
    { "/etc/passwd/x", "exec: `/etc/passwd/x`: no such file or directory (not a directory)",
      TARE_ERROR_PROGRAM_NOT_FOUND },
    { "/dev/null", "exec: `/dev/null`: not a regular file: permission denied",
      TARE_ERROR_PROGRAM_NOT_EXECUTABLE },
    { "/bin/script", "exec: `/bin/script`: no such file or directory (missing dynamic library",
      TARE_ERROR_PROGRAM_NOT_FOUND },
    { "/bin/text", "exec: `/bin/text`: exec format error", TARE_ERROR_PROGRAM_NOT_EXECUTABLE },
  };
  for (size_t i = 0; i < COUNT_OF (cases); i++)
    {
      char path[256];
      drive_begin (&drive);
      drive_file (&drive, "rootfs/bin/script", "#!/no/interpreter\n");
      drive_file (&drive, "rootfs/bin/text", "true\n");
      snprintf (path, sizeof path, "%s/bin/script", drive.rootfs);
      chmod (path, 0755);
      snprintf (path, sizeof path, "%s/bin/text", drive.rootfs);
      chmod (path, 0755);
      drive.args[0] = cases[i].program;
      drive.n_args = 1;
      refuses (&drive, "program", cases[i].text, cases[i].kind);
    }
}

static void
test_binds (void)
{
  struct drive drive;
  drive_begin (&drive);
  drive_directory (&drive, "host/shared");
  drive_file (&drive, "host/shared/file", "shared");
  char shared[160], file[160];
  snprintf (shared, sizeof shared, "%s/shared", drive.host);
  snprintf (file, sizeof file, "%s/secret", drive.host);
  drive_bind (&drive, shared, "/data/a", MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID);
  drive_bind (&drive, file, "/tmp/new/file", 0);
  struct plan_mount *late =
      drive_mount (&drive, "tmpfs", "tmpfs", "/late", MOUNT_ATTR_RDONLY, NULL, 0);
  late->flags = PLAN_MOUNT_LATE;
  drive_bind (&drive, shared, "/late/below", 0)->propagation = MS_SHARED;
  drive_mount (&drive, "tmpfs", "tmpfs", "/tmp/mode", 0, NULL, 0)->flags =
      PLAN_MOUNT_MODE_OF_TARGET;
  drive_directory (&drive, "rootfs/tmp/mode");
  char path[256];
  snprintf (path, sizeof path, "%s/tmp/mode", drive.rootfs);
  chmod (path, 01751);
  struct plan_mount *link = drive_mount (&drive, NULL, "below/file", "/late/link", 0, NULL, 0);
  link->action = PLAN_MOUNT_SYMLINK;
  drive_script (&drive, "cat /data/a/file /tmp/new/file /late/link; touch /data/a/x 2>&1; touch "
                        "/late/x 2>&1; touch /late/below/x && echo below rw; stat -c 'mode %a' "
                        "/tmp/mode; grep -E '/late/below|/data/a' /proc/self/mountinfo");
  PRINTS (&drive, "binds", "sharedthe host'sshared", "/data/a/x: Read-only file system",
          "/late/x: Read-only file system", "below rw\n", "mode 1751\n",
          "shared:", " /data/a ro,nosuid,relatime");
}

static void
test_bind_errors (void)
{
  struct drive drive;
  static const char *const bad[] = { "mode=9" };
  drive_begin (&drive);
  drive_bind (&drive, "/no/such/source", "/data", 0);
  refuses (&drive, "bind",
           "mounts[6] '/data': bind source '/no/such/source': No such file or "
           "directory",
           TARE_ERROR_SYSTEM);
  drive_begin (&drive);
  drive_mount (&drive, "tmpfs", "tmpfs", "/data", 0, bad, 1);
  refuses (&drive, "tmpfs", "mounts[6] '/data': tmpfs: Bad value for 'mode': Invalid argument",
           TARE_ERROR_SYSTEM);
  drive_begin (&drive);
  drive_mount (&drive, "nosuchfs", "x", "/data", 0, NULL, 0);
  refuses (&drive, "type", "mounts[6] '/data': file system type 'nosuchfs': No such device",
           TARE_ERROR_SYSTEM);
}

static void
test_user_namespace (void)
{
  struct drive drive;
  drive_begin (&drive);
  drive.root.clone_flags |= CLONE_NEWUSER;
  drive.root.flags |= PLAN_USER_NAMESPACE;
  drive.user_map = "0 100000 65536\n";
  drive.root.permitted = drive.root.bounding = drive.root.effective = CAP (21) | CAP (0);
  drive.root.inheritable = CAP (0); /* the host side made it ambient: that must not stay */
  drive_link (&drive, "rootfs/tmp/x", "x");
  char path[160];
  snprintf (path, sizeof path, "%s", drive.rootfs);
  ok (chown (path, 100000, 100000) == 0 && chmod (path, 0755) == 0, "the root is the container's");
  drive_script (&drive, "cat /proc/self/uid_map; id; ls -l /dev | tr -s ' '; grep Cap "
                        "/proc/self/status; echo null >/dev/null && echo writable");
  PRINTS (&drive, "user namespace", "0     100000      65536", "uid=0(root)", " 1, 3 ",
          "CapEff:\t0000000000200001", "CapAmb:\t0000000000000000", "writable\n");
}

/* An ordinary user, with a user namespace of one id; the host side may then look into init's /proc
 * until GO. */
static void
test_ordinary_user (void)
{
  struct drive drive;
  drive_hold_init ();
  ok (setgroups (0, NULL) == 0 && setresgid (4321, 4321, 0) == 0 && setresuid (4321, 4321, 0) == 0,
      "an ordinary user");
  drive_begin (&drive);
  drive.root.clone_flags |= CLONE_NEWUSER;
  drive.root.flags = (drive.root.flags | PLAN_USER_NAMESPACE | PLAN_SETGROUPS_DENIED)
                     & ~(uint64_t) PLAN_HOST_PRIVILEGED;
  drive.user_map = "0 4321 1\n";
  drive.mounts[2].options.count = 3; /* without gid=5, which is not mapped */
  drive_script (&drive, "cat /proc/self/uid_map; id; grep CapEff /proc/self/status; echo x "
                        ">/dev/null && echo null; mount | grep -c /dev/; stat -c '%U %a' /dev/shm");
  PRINTS (&drive, "ordinary user", "0       4321          1", "uid=0(root)",
          "CapEff:\t0000000020000420", "null\n", "root 1777\n");
  ok (setresuid (0, 0, 0) == 0 && setresgid (0, 0, 0) == 0, "root again");
}

/* A process that holds namespaces to be joined. */
static pid_t
hold_namespaces (uint64_t flags, const char *map)
{
  int ready[2], mapped[2];
  char byte;
  struct sys_clone clone = { .flags = flags, .cgroup = -EBADF, .exit_signal = SIGCHLD };
  if (pipe (ready) < 0 || pipe (mapped) < 0)
    return -1;
  pid_t pid = sys_clone3 (&clone);
  if (pid == 0)
    {
      sys_prctl (1 /* PR_SET_PDEATHSIG */, SIGKILL, 0, 0, 0);
      (void) !write (ready[1], "r", 1);
      for (;;)
        pause ();
    }
  (void) !read (ready[0], &byte, 1);
  for (int i = 0; map != NULL && i < 2; i++)
    {
      char path[64];
      snprintf (path, sizeof path, "/proc/%d/%s", pid, i == 0 ? "uid_map" : "gid_map");
      autoclose int fd = open (path, O_WRONLY);
      (void) sys_write_once (fd, map);
    }
  for (int i = 0; i < 2; i++)
    {
      close (ready[i]);
      close (mapped[i]);
    }
  return pid;
}

static void
end_holder (pid_t pid)
{
  int status;
  kill (pid, SIGKILL);
  sys_wait_pid (pid, &status);
}

static void
join (struct drive *drive, uint32_t type, pid_t pid, const char *name)
{
  char path[64];
  snprintf (path, sizeof path, "/proc/%d/ns/%s", pid, name);
  drive_join (drive, type, path);
  drive->root.clone_flags &= ~(uint64_t) type;
}

static void
namespace_of (pid_t pid, const char *name, char *text, size_t size)
{
  char path[64];
  snprintf (path, sizeof path, "/proc/%d/ns/%s", pid, name);
  ssize_t n = readlink (path, text, size - 1);
  text[n < 0 ? 0 : n] = '\0';
}

static void
test_joins (void)
{
  struct drive drive;
  char net[64], pid_namespace[64];
  pid_t pid = hold_namespaces (CLONE_NEWNET | CLONE_NEWPID | CLONE_NEWUTS, NULL);
  namespace_of (pid, "net", net, sizeof net);
  namespace_of (pid, "pid", pid_namespace, sizeof pid_namespace);

  drive_begin (&drive);
  join (&drive, CLONE_NEWPID, pid, "pid");
  join (&drive, CLONE_NEWNET, pid, "net");
  drive.root.flags = (drive.root.flags | PLAN_FORK) & ~(uint64_t) PLAN_LOOPBACK_UP;
  drive_script (&drive,
                "readlink /proc/self/ns/net; readlink /proc/self/ns/pid; echo pid $$; hostname");
  PRINTS (&drive, "joined", net, pid_namespace, "pid 2\n", "driven\n");

  /* The host's network namespace with a new user namespace. */
  drive_begin (&drive);
  join (&drive, CLONE_NEWNET, pid, "net");
  drive.root.unshare_flags = drive.root.clone_flags;
  drive.root.clone_flags = 0;
  drive.root.flags = (drive.root.flags | PLAN_FORK | PLAN_UNSHARE_USER | PLAN_USER_NAMESPACE)
                     & ~(uint64_t) PLAN_LOOPBACK_UP;
  drive.user_map = "0 0 4294967295\n";
  drive.mounts[5].instead = plan_put_text (&drive.builder, "/sys");
  drive_script (&drive, "readlink /proc/self/ns/net; echo pid $$; id; touch /sys/x 2>&1; ls "
                        "/sys/kernel >/dev/null && echo sys; touch /sys/fs/cgroup/x 2>&1");
  PRINTS (&drive, "joined, then a new user namespace", net, "pid 1\n", "uid=0(root)",
          "/sys/x: Read-only", "sys\n", "/sys/fs/cgroup/x: Read-only");

  drive_begin (&drive);
  join (&drive, CLONE_NEWNET, pid, "pid");
  refuses (&drive, "wrong type", "it is not a network namespace", TARE_ERROR_CONFIG);
  drive_begin (&drive);
  drive_join (&drive, CLONE_NEWNET, "/etc/passwd");
  refuses (&drive, "no namespace",
           "join network namespace '/etc/passwd': it is not a network namespace",
           TARE_ERROR_CONFIG);
  end_holder (pid);
}

/* Made by the host side: sysfs is of it, and the program is in it. */
static void
test_host_network (void)
{
  struct drive drive;
  char net[64], path[64];
  const char *names[] = { "net", "uts" };
  pid_t pid = hold_namespaces (CLONE_NEWNET | CLONE_NEWUTS, NULL);
  namespace_of (pid, "net", net, sizeof net);
  for (size_t i = 0; i < 3; i++)
    {
      drive_begin (&drive);
      drive.root.clone_flags &= ~(uint64_t) CLONE_NEWNET;
      drive.root.flags = (drive.root.flags | PLAN_HOST_NETWORK) & ~(uint64_t) PLAN_LOOPBACK_UP;
      snprintf (path, sizeof path, "/proc/%d/ns/%s", pid, names[i % COUNT_OF (names)]);
      drive.network = i < COUNT_OF (names) ? open (path, O_RDONLY | O_CLOEXEC) : 0;
      if (i == 0)
        {
          drive_script (&drive, "readlink /proc/self/ns/net; echo $(ls /sys/class/net)");
          PRINTS (&drive, "brought by the host side", net, "lo\n");
        }
      else
        refuses (&drive, i == 1 ? "another kind of namespace" : "none",
                 "enter the network namespace", TARE_ERROR_SYSTEM);
      if (i < COUNT_OF (names))
        close (drive.network);
    }
  end_holder (pid);
}

static void
test_join_user (void)
{
  struct drive drive;
  char user[64], net[64];
  pid_t pid = hold_namespaces (CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWPID, "0 200000 65536\n");
  namespace_of (pid, "user", user, sizeof user);
  namespace_of (pid, "net", net, sizeof net);
  drive_begin (&drive);
  join (&drive, CLONE_NEWNET, pid, "net");
  join (&drive, CLONE_NEWUSER, pid, "user");
  join (&drive, CLONE_NEWPID, pid, "pid");
  drive.root.unshare_flags = drive.root.clone_flags;
  drive.root.clone_flags = 0;
  drive.root.flags =
      (drive.root.flags | PLAN_FORK | PLAN_USER_NAMESPACE) & ~(uint64_t) PLAN_LOOPBACK_UP;
  ok (chown (drive.rootfs, 200000, 200000) == 0, "the root is the container's");
  drive_script (&drive, "readlink /proc/self/ns/user; readlink /proc/self/ns/net; id; echo pid $$");
  PRINTS (&drive, "joined user namespace", user, net, "uid=0(root)", "pid 2\n");
  end_holder (pid);
}

static void
test_time_offsets (void)
{
  struct drive drive;
  drive_begin (&drive);
  drive.root.unshare_flags = CLONE_NEWTIME;
  drive.root.flags |= PLAN_TIME_OFFSETS | PLAN_FORK;
  /* What is pid 1 cannot have a sibling made by CLONE_PARENT. */
  drive.root.unshare_flags |= CLONE_NEWPID;
  drive.root.clone_flags &= ~(uint64_t) CLONE_NEWPID;
  drive.offsets = "monotonic 1000000 0\nboottime 864000000 0\n";
  drive_script (&drive, "head -c 4 /proc/uptime; echo; echo pid $$");
  PRINTS (&drive, "time offsets", "86", "pid 1\n");
}

static void
test_sysctl (void)
{
  struct drive drive;
  drive_begin (&drive);
  drive.sysctls[drive.n_sysctls++] =
      (struct plan_sysctl){ plan_put_text (&drive.builder, "net/ipv4/ip_forward"),
                            plan_put_text (&drive.builder, "1") };
  drive.sysctls[drive.n_sysctls++] =
      (struct plan_sysctl){ plan_put_text (&drive.builder, "kernel/shmmni"),
                            plan_put_text (&drive.builder, "111") };
  drive_script (&drive, "cat /proc/sys/net/ipv4/ip_forward; cat /proc/sys/kernel/shmmni");
  PRINTS (&drive, "sysctl", "1\n111\n");

  drive_begin (&drive);
  drive.sysctls[drive.n_sysctls++] =
      (struct plan_sysctl){ plan_put_text (&drive.builder, "net/../../1/oom_score_adj"),
                            plan_put_text (&drive.builder, "1") };
  refuses (&drive, "sysctl that climbs", "sysctl 'net/../../1/oom_score_adj'", TARE_ERROR_NONE);
  drive_begin (&drive);
  drive.sysctls[drive.n_sysctls++] =
      (struct plan_sysctl){ plan_put_text (&drive.builder, "net/ipv4/no_such"),
                            plan_put_text (&drive.builder, "1") };
  refuses (&drive, "unknown sysctl", "No such file or directory", TARE_ERROR_SYSTEM);
}

static void
test_modes_without_pivot (void)
{
  struct drive drive;
  drive_begin (&drive);
  drive.root.flags |= PLAN_CHROOT;
  drive_script (&drive, "ls -d /bin /proc/1; ls /work 2>&1");
  PRINTS (&drive, "no pivot", "/bin\n/proc/1\n", "ls: /work: No such file or directory");

  drive_begin (&drive);
  drive.root.root_propagation = MS_SHARED | MS_REC;
  drive_script (&drive, "grep ' / / ' /proc/self/mountinfo; grep -c . /proc/self/mountinfo; head "
                        "-1 /proc/self/mountinfo");
  PRINTS (&drive, "shared root", "shared:");
  drive_begin (&drive);
  drive.root.root_propagation = MS_UNBINDABLE;
  drive_script (&drive, "head -1 /proc/self/mountinfo");
  PRINTS (&drive, "unbindable root", "unbindable");
}

static void
test_no_process (void)
{
  struct drive drive;
  drive_begin (&drive);
  drive.n_args = 0;
  drive.root.cwd = 0;
  ok (drive_spawn (&drive) == 0 && drive_create (&drive) == 0, "a container without a program");
  ok (drive_start (&drive) < 0 && strstr (drive.error.message, "no program to start") != NULL,
      "cannot be started");
  drive_end (&drive);
}

static size_t
read_text (const char *path, char *text, size_t size)
{
  autoclose int fd = open (path, O_RDONLY);
  ssize_t length = fd < 0 ? 0 : sys_read_full (fd, text, size - 1);
  text[length < 0 ? 0 : length] = '\0';
  return strlen (text);
}

/* While a container waits for its start, others may look into its /proc/PID: nothing of the host's
 * is open there. */
static void
test_waiting (void)
{
  struct drive drive;
  char path[96], target[256], found[1024] = "";
  int directory = open ("/", O_PATH | O_DIRECTORY); /* inherited: not CLOEXEC */
  drive_begin (&drive);
  drive.root.uid = 1000;
  ok (drive_spawn (&drive) == 0 && drive_create (&drive) == 0, "created");
  struct pollfd wait = { .fd = drive.pidfd, .events = POLLIN };
  (void) poll (&wait, 1, 100); /* until it has closed the protocol socket */
  for (int fd = 3; fd < 64; fd++)
    {
      snprintf (path, sizeof path, "/proc/%d/fd/%d", drive.pid, fd);
      ssize_t length = readlink (path, target, sizeof target - 1);
      target[length < 0 ? 0 : length] = '\0';
      if (strncmp (target, "socket:", 7) == 0)
        target[7] = '\0';
      size_t used = strlen (found);
      snprintf (found + used, sizeof found - used, "%s%s", target, length < 0 ? "" : " ");
    }
  is_text (found, "socket: ", "open is the start socket alone");
  snprintf (path, sizeof path, "/proc/%d/environ", drive.pid);
  is_number ((long long) read_text (path, target, sizeof target), 0, "its environment is empty");
  struct stat st;
  ok (stat (path, &st) == 0 && st.st_uid == 0, "it is not dumpable: not its user owns its /proc");
  drive_end (&drive);
  close (directory);
}

/* The host's mounts are shared and the container's stay so: what init unmounts must not go away on
 * the host. In a mount namespace of the test's own, as the last of its tests. */
static void
test_shared_host (void)
{
  static char before[1 << 18], after[1 << 18];
  struct drive drive;
  autoclose int root = open ("/", O_PATH | O_DIRECTORY);
  struct mount_attr shared = { .propagation = MS_SHARED };
  ok (sys_unshare (CLONE_NEWNS) == 0 && sys_fchdir (root) == 0, "a mount namespace of our own");
  autoclose int own_root = open ("/", O_PATH | O_DIRECTORY);
  ok (sys_mount_setattr (own_root, AT_RECURSIVE, &shared) == 0, "all shared");
  read_text ("/proc/self/mountinfo", before, sizeof before);
  drive_begin (&drive);
  drive.root.root_propagation = MS_SHARED | MS_REC;
  ok (drive_run (&drive) == 0, "a container with shared propagation");
  read_text ("/proc/self/mountinfo", after, sizeof after);
  is_text (after, before, "the host's mounts are as before");
  drive_end (&drive);
}

int
main (void)
{
  if (getuid () != 0 || drive_init_path (false) == NULL)
    {
      printf ("Bail out! needs root, and tare-init (TARE_INIT, or below top_builddir)\n");
      return 99;
    }
  test_default ();
  test_user ();
  test_programs ();
  test_binds ();
  test_bind_errors ();
  test_user_namespace ();
  test_ordinary_user ();
  test_joins ();
  test_host_network ();
  test_join_user ();
  test_time_offsets ();
  test_sysctl ();
  test_modes_without_pivot ();
  test_no_process ();
  test_waiting ();
  test_shared_host ();
  return tap_done ();
}
