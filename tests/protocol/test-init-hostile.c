/* tare-init against images that want out: links, fakes and special files where the runtime makes or
 * mounts something. A directory of the host is watched: whatever happens, it stays as it was. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/sys.h"
#include "tests/protocol/drive.h"
#include "tests/unit/tap.h"

static void
listing (const struct drive *drive, char *out, size_t size)
{
  drive_listing (drive, "host", out, size);
}

/* Runs it. text NULL: it must run; else it must be refused with this text. The host's directory and
 * the machine's mounts are as before. */
static void
expect (struct drive *drive, const char *name, const char *text)
{
  char before[4096], after[4096], mounts_before[65536] = "", mounts_after[65536] = "";
  autoclose int before_fd = open ("/proc/self/mountinfo", O_RDONLY);
  (void) sys_read_full (before_fd, mounts_before, sizeof mounts_before - 1);
  listing (drive, before, sizeof before);
  int r = drive_run (drive);
  autoclose int after_fd = open ("/proc/self/mountinfo", O_RDONLY);
  (void) sys_read_full (after_fd, mounts_after, sizeof mounts_after - 1);
  listing (drive, after, sizeof after);
  bool good = text == NULL ? r == 0 : r < 0 && strstr (drive->error.message, text) != NULL;
  if (!ok (good, "%s: %s", name, text == NULL ? "stays inside" : text))
    tap_note ("%d '%s' printed '%s'", r, drive->error.message, drive->output);
  is_text (after, before, "the host's directory is as before");
  ok (strcmp (mounts_before, mounts_after) == 0, "the host's mounts are as before");
}

static void
expect_and_end (struct drive *drive, const char *name, const char *text)
{
  expect (drive, name, text);
  drive_end (drive);
}

static void
is_inside (struct drive *drive, const char *name, const char *path)
{
  char full[512];
  struct stat st;
  expect (drive, name, NULL);
  snprintf (full, sizeof full, "%s/%s", drive->rootfs, path);
  ok (lstat (full, &st) == 0, "%s: the mount point is at /%s", name, path);
  drive_end (drive);
}

static void
bare_with_mount (struct drive *drive, const char *target)
{
  drive_begin (drive);
  drive_bare (drive);
  drive_mount (drive, "tmpfs", "tmpfs", target, 0, NULL, 0);
}

static void
test_destinations (void)
{
  struct drive drive;
  bare_with_mount (&drive, "/a/b");
  drive_link (&drive, "rootfs/a", drive.host); /* T01 */
  char inside[256];
  snprintf (inside, sizeof inside, "%s/b", drive.host + 1);
  is_inside (&drive, "absolute link", inside);

  bare_with_mount (&drive, "/../../host/x"); /* T02 */
  is_inside (&drive, "dot-dot", "host/x");
  bare_with_mount (&drive, "/a/../../b");
  drive_directory (&drive, "rootfs/a");
  is_inside (&drive, "dot-dot in the middle", "b");
  bare_with_mount (&drive, "/missing/../b");
  is_inside (&drive, "dot-dot after what is missing", "b");
  bare_with_mount (&drive, "/rel/x");
  drive_link (&drive, "rootfs/rel", "../../../host");
  is_inside (&drive, "relative link", "host/x");

  drive_begin (&drive); /* T03 */
  drive_bare (&drive);
  drive_link (&drive, "rootfs/f", "/nonexist/z");
  drive_bind (&drive, "/bin/busybox", "/f", 0);
  is_inside (&drive, "dangling link, file", "nonexist/z");
  bare_with_mount (&drive, "/f");
  drive_link (&drive, "rootfs/f", "one");
  drive_link (&drive, "rootfs/one", "./two/../three/");
  is_inside (&drive, "dangling links, directory", "three");

  bare_with_mount (&drive, "/loop1/x"); /* T04 */
  drive_link (&drive, "rootfs/loop1", "loop2");
  drive_link (&drive, "rootfs/loop2", "loop1");
  expect_and_end (&drive, "link loop", "a symbolic link is in the way");
  bare_with_mount (&drive, "/l0");
  for (int i = 0; i < 45; i++)
    {
      char name[32], target[32];
      snprintf (name, sizeof name, "rootfs/l%d", i);
      snprintf (target, sizeof target, "l%d", i + 1);
      drive_link (&drive, name, target);
    }
  expect_and_end (&drive, "a chain of 45 links", "mbolic link");
}

/* T56: whatever was made there already would be covered. */
static void
test_root_as_destination (void)
{
  static const char *const targets[] = { "/", "/.", "/..", "/root-link", "/etc/.." };
  struct drive drive;
  for (size_t i = 0; i < COUNT_OF (targets); i++)
    {
      drive_begin (&drive);
      drive_link (&drive, "rootfs/root-link", "/");
      drive_mount (&drive, "tmpfs", "tmpfs", targets[i], 0, NULL, 0);
      expect_and_end (&drive, targets[i], "the root itself cannot be mounted over");
    }
}

static void
test_dev (void)
{
  struct drive drive;
  drive_begin (&drive); /* T05 */
  drive.n_mounts = 1;
  drive.root.flags &= ~(uint64_t) PLAN_ROOT_READ_ONLY;
  drive_link (&drive, "rootfs/dev", drive.host);
  expect_and_end (&drive, "/dev is a link, no mount",
                  "linux.devices[0] '/dev/null': open its directory: ");
  drive_begin (&drive);
  drive.n_mounts = 1;
  drive_link (&drive, "rootfs/dev", "../host");
  expect_and_end (&drive, "/dev is a relative link", "mbolic link");
  drive_begin (&drive); /* T06 */
  for (size_t i = 1; i < drive.n_mounts; i++)
    drive.mounts[i].flags |= PLAN_MOUNT_NO_SYMLINKS;
  drive_link (&drive, "rootfs/dev", drive.host);
  expect_and_end (&drive, "/dev is a link, tmpfs on it",
                  "mounts[1] '/dev': a symbolic link is in the way");

  drive_begin (&drive);
  drive_bare (&drive);
  drive_directory (&drive, "rootfs/dev");
  drive_device (&drive, "/dev/x", S_IFCHR | 0600, 1, 3);
  drive_file (&drive, "rootfs/dev/x", "a file");
  expect_and_end (&drive, "a file where a device belongs",
                  "linux.devices[0] '/dev/x': exists and is not character device 1:3");
  drive_begin (&drive);
  drive_bare (&drive);
  drive_directory (&drive, "rootfs/dev");
  drive_device (&drive, "/dev/x", S_IFBLK | 0600, 1, 3);
  char path[256];
  snprintf (path, sizeof path, "%s/dev/x", drive.rootfs);
  ok (mknod (path, S_IFCHR | 0644, makedev (1, 3)) == 0, "a node in the image");
  expect_and_end (&drive, "another device",
                  "linux.devices[0] '/dev/x': exists and is not block device 1:3");
  drive_begin (&drive);
  drive_bare (&drive);
  drive_directory (&drive, "rootfs/dev");
  drive_device (&drive, "/dev/x", S_IFCHR | 0600, 1, 3);
  drive_device (&drive, "/dev/../p/fifo", S_IFIFO | 0640, 0, 0);
  snprintf (path, sizeof path, "%s/dev/x", drive.rootfs);
  ok (mknod (path, S_IFCHR | 0644, makedev (1, 3)) == 0, "the very node in the image");
  drive_script (&drive, "stat -c '%a %F' /dev/x /p/fifo");
  expect (&drive, "the very device", NULL);
  is_text (drive.output, "600 character special file\n640 fifo\n", "gets the mode asked for");
  drive_end (&drive);
  drive_begin (&drive); /* T58 */
  drive_device (&drive, "/proc/1/x", S_IFCHR | 0600, 1, 3);
  expect_and_end (&drive, "a device in proc", "linux.devices[6] '/proc/1/x'");
  drive_begin (&drive);
  drive_device (&drive, "/dev/..", S_IFCHR | 0600, 1, 3);
  expect_and_end (&drive, "a device without a name", "Invalid argument");
}

static void
move_proc_away (const struct drive *drive)
{
  char path[256];
  snprintf (path, sizeof path, "%s/proc", drive->rootfs);
  ok (rmdir (path) == 0, "no /proc in the image");
}

static void
test_proc (void)
{
  static const char *const inside[] = { "/proc/self/attr", "/proc/self", "/proc/1/ns",
                                        "/proc/sys/kernel" };
  static const char *const texts[] = { "x", "/host", ".." };
  struct drive drive;
  for (size_t i = 0; i < COUNT_OF (texts); i++) /* T10, T11 */
    {
      drive_begin (&drive);
      move_proc_away (&drive);
      drive_link (&drive, "rootfs/proc", texts[i]);
      expect_and_end (&drive, "/proc is a link",
                      "mounts[0] '/proc': a symbolic link is in the way");
    }
  drive_begin (&drive);
  drive_link (&drive, "rootfs/sys", "x");
  expect_and_end (&drive, "/sys is a link", "'/sys': a symbolic link is in the way");
  drive_begin (&drive); /* T12 */
  move_proc_away (&drive);
  drive_file (&drive, "rootfs/proc", "");
  expect_and_end (&drive, "/proc is a file",
                  "mounts[0] '/proc': a directory cannot be mounted over what is not a directory");
  for (size_t i = 0; i < COUNT_OF (inside); i++) /* T15 */
    {
      drive_begin (&drive);
      drive_mount (&drive, "tmpfs", "tmpfs", inside[i], 0, NULL, 0);
      expect_and_end (&drive, inside[i], "cannot be mounted over: it is inside proc");
    }
  drive_begin (&drive);
  drive_mount (&drive, "tmpfs", "tmpfs", "/sys/../proc/self/attr", 0, NULL, 0);
  expect_and_end (&drive, "proc by dot-dot", "cannot be mounted over: it is inside proc");
  drive_begin (&drive);
  drive_link (&drive, "rootfs/innocent", "/proc/self");
  drive_mount (&drive, "tmpfs", "tmpfs", "/innocent/attr", 0, NULL, 0);
  expect_and_end (&drive, "proc by a link", "cannot be mounted over: it is inside proc");
  drive_begin (&drive); /* T14 */
  drive_bind (&drive, drive.host, "/proc", 0);
  expect_and_end (&drive, "a directory as /proc", "is not a procfs");
  drive_begin (&drive);
  drive_bind (&drive, "/proc/self", "/proc", 0);
  expect_and_end (&drive, "/proc/self as /proc", "'/proc/self' is not a procfs");
  drive_begin (&drive); /* T13 */
  drive_mount (&drive, "tmpfs", "fake", "/proc", 0, NULL, 0);
  expect_and_end (&drive, "a tmpfs over /proc", "'fake' is not a procfs");
  drive_begin (&drive);
  drive_bind (&drive, "/bin/busybox", "/proc/uptime", 0)->flags = PLAN_MOUNT_IN_PROC_ALLOWED;
  drive_script (&drive, "cat /proc/uptime | head -c 4 | tr -d '\\177'");
  expect (&drive, "a listed file of proc", NULL);
  is_text (drive.output, "ELF", "is covered");
  drive_end (&drive);
}

static void
test_special_targets (void)
{
  static const char *const what[] = { "fifo", "socket", "device" };
  static const mode_t modes[] = { S_IFIFO, S_IFSOCK, S_IFCHR };
  struct drive drive;
  for (size_t i = 0; i < COUNT_OF (modes); i++) /* T09 */
    {
      char path[256], file[160];
      drive_begin (&drive);
      drive_bare (&drive);
      snprintf (path, sizeof path, "%s/t", drive.rootfs);
      snprintf (file, sizeof file, "%s/secret", drive.host);
      ok (mknod (path, modes[i] | 0600, makedev (1, 5)) == 0, "a %s in the image", what[i]);
      drive_bind (&drive, file, "/t", 0);
      drive_script (&drive, "cat /t");
      expect (&drive, what[i], NULL);
      is_text (drive.output, "the host's", "is mounted over, not opened");
      drive_end (&drive);
    }
  drive_begin (&drive);
  drive_bare (&drive);
  drive_bind (&drive, "/bin/busybox", "/etc", 0);
  expect_and_end (&drive, "a file over a directory",
                  "mounts[0] '/etc': a file cannot be mounted over a directory");
  drive_begin (&drive);
  drive_bare (&drive);
  drive_bind (&drive, drive.host, "/etc/passwd", 0);
  expect_and_end (&drive, "a directory over a file",
                  "a directory cannot be mounted over what is not a directory");
  drive_begin (&drive);
  drive_bare (&drive);
  drive_bind (&drive, drive.host, "/etc/passwd/x", 0);
  expect_and_end (&drive, "below a file", "Not a directory");
}

static void
test_masks (void)
{
  struct drive drive;
  drive_begin (&drive); /* T20, T21: the image's own /dev/null is never used */
  drive.n_mounts = 1;
  drive.n_devices = drive.n_paths = 0;
  drive_directory (&drive, "rootfs/dev");
  drive_link (&drive, "rootfs/dev/null", "/proc/sys/kernel/core_pattern");
  drive_file (&drive, "rootfs/secret", "image");
  drive_directory (&drive, "rootfs/dir");
  drive_file (&drive, "rootfs/dir/file", "image");
  drive_directory (&drive, "rootfs/other");
  drive_file (&drive, "rootfs/other/file", "image");
  drive_link (&drive, "rootfs/by-link", "/dir/../dir");
  static const char *const masked[] = { "/secret",   "/proc/keys",      "/by-link",      "/dir",
                                        "/dir/",     "/other/../other", "/../../secret", "/no/such",
                                        "/secret/x", "/dir/file" };
  for (size_t i = 0; i < COUNT_OF (masked); i++)
    drive_path (&drive, PLAN_PATH_MASK, masked[i]);
  drive_script (&drive, "cat /secret; ls /dir /other; cat /proc/keys; stat -c %t:%T /secret "
                        "/proc/keys; grep -c mask /proc/self/mountinfo; grep -c ' /dir ' "
                        "/proc/self/mountinfo; readlink /dev/null");
  expect (&drive, "masks", NULL);
  is_text (drive.output, "/dir:\n\n/other:\n1:3\n1:3\n0\n1\n/proc/sys/kernel/core_pattern\n",
           "are in force, once each");
  drive_end (&drive);

  drive_begin (&drive); /* T22: through a link to the host */
  drive_bare (&drive);
  drive_link (&drive, "rootfs/link", drive.host);
  drive_path (&drive, PLAN_PATH_MASK, "/link/secret");
  expect_and_end (&drive, "a mask by a link out", NULL);
  drive_begin (&drive);
  drive_bare (&drive);
  drive_link (&drive, "rootfs/link", "link");
  drive_path (&drive, PLAN_PATH_MASK, "/link/secret");
  expect_and_end (&drive, "a mask that cannot be resolved",
                  "linux.maskedPaths[0] '/link/secret': open it: ");
  drive_begin (&drive);
  drive.n_paths = 0;
  drive_path (&drive, PLAN_PATH_READ_ONLY, "/proc/self/fd/0");
  expect_and_end (&drive, "a magic link", "mbolic link");

  drive_begin (&drive);
  drive_bare (&drive);
  drive_mount (&drive, "tmpfs", "tmpfs", "/data", MOUNT_ATTR_NOSUID, NULL, 0);
  drive_mount (&drive, "tmpfs", "tmpfs", "/data/below", 0, NULL, 0);
  drive_path (&drive, PLAN_PATH_READ_ONLY, "/data");
  drive_path (&drive, PLAN_PATH_READ_ONLY, "/data");
  drive_path (&drive, PLAN_PATH_MASK, "/data");
  drive_path (&drive, PLAN_PATH_READ_ONLY, "/tmp");
  drive_script (&drive, "touch /tmp/x 2>&1; touch /data/x 2>&1");
  expect (&drive, "read-only twice, then masked", NULL);
  is_text (drive.output,
           "touch: /tmp/x: Read-only file system\ntouch: /data/x: Read-only file system\n",
           "is read-only");
  drive_end (&drive);
}

static void
test_cwd_and_home (void)
{
  struct drive drive;
  for (int fd = 0; fd < 20; fd += 3) /* T34 */
    {
      char cwd[32];
      drive_begin (&drive);
      snprintf (cwd, sizeof cwd, "/proc/self/fd/%d", fd);
      drive.root.cwd = plan_put_text (&drive.builder, cwd);
      expect_and_end (&drive, cwd, "process.cwd: chdir '/proc/self/fd/");
    }
  drive_begin (&drive);
  int directory = open ("/", O_PATH | O_DIRECTORY); /* inherited by init: not CLOEXEC */
  drive_script (&drive, "echo /proc/self/fd/*; echo /proc/1/fd/*");
  expect (&drive, "an inherited directory", NULL);
  is_text (drive.output,
           "/proc/self/fd/0 /proc/self/fd/1 /proc/self/fd/2 /proc/self/fd/3\n"
           "/proc/1/fd/0 /proc/1/fd/1 /proc/1/fd/2 /proc/1/fd/3\n",
           "is closed: 3 is what the shell reads the directory with");
  drive_end (&drive);
  close (directory);

  char path[256];
  drive_begin (&drive); /* /etc/passwd is a FIFO */
  snprintf (path, sizeof path, "%s/etc/passwd", drive.rootfs);
  ok (unlink (path) == 0 && mkfifo (path, 0666) == 0, "/etc/passwd is a FIFO");
  drive_script (&drive, "echo $HOME");
  expect (&drive, "a FIFO as passwd", NULL);
  is_text (drive.output, "/\n", "HOME is /");
  drive_end (&drive);
}

/* A file that the kernel makes up is not read for HOME: reading /proc/kmsg takes messages away. */
static void
test_passwd_in_proc (void)
{
  struct drive drive;
  char path[256];
  drive_begin (&drive);
  snprintf (path, sizeof path, "%s/etc/passwd", drive.rootfs);
  ok (unlink (path) == 0, "no /etc/passwd");
  drive_link (&drive, "rootfs/etc/passwd", "/proc/sys/kernel/hostname");
  drive.root.hostname = plan_put_text (&drive.builder, "x:x:0:0::/evil");
  drive_script (&drive, "echo $HOME");
  expect (&drive, "a file of proc as passwd", NULL);
  is_text (drive.output, "/\n", "HOME is /");
  drive_end (&drive);
}

/* T34: args[0] does not lead through a descriptor of ours, not even to the container's own root. */
static void
test_program_by_descriptor (void)
{
  struct drive drive;
  for (int fd = 3; fd < 40; fd++)
    {
      char program[64];
      drive_begin (&drive);
      snprintf (program, sizeof program, "/proc/self/fd/%d/bin/busybox", fd);
      drive.args[0] = program;
      expect_and_end (&drive, program, "exec: `/proc/self/fd/");
    }
}

static void
test_rootfs (void)
{
  struct drive drive;
  drive_begin (&drive); /* T55 */
  drive.root.rootfs = plan_put_text (&drive.builder, "/");
  expect_and_end (&drive, "the host's root", "root.path: '/' is the host's own root directory");
  drive_begin (&drive);
  drive_link (&drive, "root-link", "/");
  char path[256];
  snprintf (path, sizeof path, "%s/root-link", drive.directory);
  drive.root.rootfs = plan_put_text (&drive.builder, path);
  expect_and_end (&drive, "a link to it", "is the host's own root directory");
  drive_begin (&drive);
  drive_link (&drive, "other-link", "rootfs");
  snprintf (path, sizeof path, "%s/other-link", drive.directory);
  drive.root.rootfs = plan_put_text (&drive.builder, path);
  expect_and_end (&drive, "a link to the rootfs", NULL);
  drive_begin (&drive);
  snprintf (path, sizeof path, "%s/none", drive.directory);
  drive.root.rootfs = plan_put_text (&drive.builder, path);
  expect_and_end (&drive, "a missing rootfs", "does not exist");
  drive_begin (&drive);
  drive.root.rootfs = plan_put_text (&drive.builder, "/etc/passwd");
  expect_and_end (&drive, "a file as rootfs", "Not a directory");
}

/* Somebody keeps exchanging a directory of the image and a link to the host's, for as long as init
 * makes things below it. */
static pid_t
start_swapping (const struct drive *drive)
{
  pid_t pid = fork ();
  if (pid != 0)
    return pid;
  autoclose int root = open (drive->rootfs, O_PATH | O_DIRECTORY);
  for (;;)
    (void) renameat2 (root, "a", root, "b", RENAME_EXCHANGE);
}

static void
test_races (void)
{
  enum
  {
    ROUNDS = 50
  };
  int ran = 0, escapes = 0, met = 0;
  for (int i = 0; i < ROUNDS; i++)
    {
      struct drive drive;
      char before[4096], after[4096], inside[320];
      int status;
      drive_begin (&drive);
      drive_bare (&drive);
      drive_directory (&drive, "rootfs/a");
      drive_link (&drive, "rootfs/b", drive.host);
      drive_mount (&drive, "tmpfs", "tmpfs", "/a/new/x", 0, NULL, 0);
      drive_bind (&drive, "/bin/busybox", "/a/new/file", 0);
      drive_device (&drive, "/a/null", S_IFCHR | 0666, 1, 3);
      drive_path (&drive, PLAN_PATH_MASK, "/a/secret");
      listing (&drive, before, sizeof before);
      pid_t swapper = start_swapping (&drive);
      ran += drive_run (&drive) == 0;
      kill (swapper, SIGKILL);
      sys_wait_pid (swapper, &status);
      listing (&drive, after, sizeof after);
      escapes += strcmp (before, after) != 0;
      /* Where the link was met, its target was made inside. */
      snprintf (inside, sizeof inside, "%s%s", drive.rootfs, drive.host);
      met += access (inside, F_OK) == 0;
      drive_end (&drive);
    }
  is_number (escapes, 0, "exchanging a directory and a link: nothing is made outside");
  ok (met > 0 && met < ROUNDS, "both were met: %d times the link", met);
  tap_note ("%d of %d containers ran", ran, ROUNDS);
}

int
main (void)
{
  if (getuid () != 0 || drive_init_path (false) == NULL)
    {
      printf ("Bail out! needs root, and tare-init (TARE_INIT, or below top_builddir)\n");
      return 99;
    }
  test_destinations ();
  test_root_as_destination ();
  test_dev ();
  test_proc ();
  test_special_targets ();
  test_masks ();
  test_cwd_and_home ();
  test_passwd_in_proc ();
  test_program_by_descriptor ();
  test_rootfs ();
  test_races ();
  return tap_done ();
}
