/* Groups on the real kernel: made, entered, limited, frozen, killed, removed. Once in the layout
 * that the machine has, then with only v1 and only v2 mounted, each in a mount namespace of this
 * program's own. Needs root. */
#define _GNU_SOURCE
#include "cgroup/private.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

#include "sys/credentials.h"
#include "sys/file.h"
#include "sys/process.h"
#include "tap.h"

static const char *view; /* the name of the layout under test */
static char top[64];     /* "/tare-test-PID" */

#define CHECK(condition, ...) check (condition, __VA_ARGS__)

__attribute__ ((format (printf, 2, 3))) static bool
check (bool good, const char *format, ...)
{
  char text[512];
  va_list arguments;
  va_start (arguments, format);
  vsnprintf (text, sizeof text, format, arguments);
  va_end (arguments);
  return ok (good, "%s: %s", view, text);
}

static bool
succeeds (int r, const struct tare_error *error, const char *name)
{
  if (!CHECK (r >= 0, "%s", name))
    tap_note ("%d %s", r, error->message);
  return r >= 0;
}

static bool
fails (int r, int code, const struct tare_error *error, const char *part, const char *name)
{
  bool good = r == code && strstr (error->message, part) != NULL;
  if (!CHECK (good, "%s", name))
    tap_note ("%d '%s', wanted %d '%s'", r, error->message, code, part);
  return good;
}

/* ---- helpers --------------------------------------------------------------------------------- */

static struct cgroup
plan (const char *name)
{
  struct cgroup cgroup = { 0 };
  struct tare_error error = { 0 };
  char path[256];
  snprintf (path, sizeof path, "%s/%s", top, name);
  if (cgroup_plan (&cgroup, TARE_CGROUP_CGROUPFS, path, "unused", NULL, &error) < 0)
    {
      printf ("Bail out! plan: %s\n", error.message);
      exit (1);
    }
  return cgroup;
}

static struct cgroup
make (const char *name)
{
  struct cgroup cgroup = plan (name);
  struct tare_error error = { 0 };
  if (cgroup_create (&cgroup, &error) < 0)
    {
      printf ("Bail out! create: %s\n", error.message);
      exit (1);
    }
  return cgroup;
}

static bool
exists (const char *path)
{
  struct stat st;
  return lstat (path, &st) == 0;
}

/* In how many hierarchies the group is there. */
static size_t
present (const struct cgroup *cgroup)
{
  size_t count = 0;
  for (size_t i = 0; i < cgroup_count (cgroup); i++)
    {
      autofree char *directory = cgroup_directory (cgroup, i);
      count += exists (directory);
    }
  return count;
}

static const char *
content (const struct cgroup *cgroup, const char *controller, const char *file)
{
  static char text[4096];
  const struct cgroup_hierarchy *h = hierarchy_held (cgroup, controller);
  if (h == NULL || group_read (h->fd, file, text, sizeof text) < 0)
    return "(none)";
  return text;
}

/* A process that does what function says, in the group. */
static pid_t
start_in (const struct cgroup *cgroup, int (*function) (void *), void *argument)
{
  int go[2];
  char byte = 0;
  struct tare_error error = { 0 };
  if (pipe (go) < 0)
    abort ();
  pid_t parent = getpid (), pid = fork ();
  if (pid == 0)
    {
      prctl (PR_SET_PDEATHSIG, SIGKILL);
      close (go[1]);
      if (getppid () != parent || read (go[0], &byte, 1) != 1)
        _exit (99);
      _exit (function (argument));
    }
  close (go[0]);
  int r = cgroup_attach (cgroup, pid, false, &error);
  if (r < 0)
    tap_note ("attach: %s", error.message);
  if (r < 0 || write (go[1], &byte, 1) != 1)
    kill (pid, SIGKILL);
  close (go[1]);
  return pid;
}

static int
sleep_long (void *unused)
{
  (void) unused;
  while (pause () < 0)
    continue;
  return 0;
}

static int
wait_for (pid_t pid)
{
  int status = 0;
  return waitpid (pid, &status, 0) == pid ? status : -1;
}

static int
run_in (const struct cgroup *cgroup, int (*function) (void *), void *argument)
{
  int status = wait_for (start_in (cgroup, function, argument));
  return WIFEXITED (status) ? WEXITSTATUS (status) : 128;
}

static int
apply (const struct cgroup *cgroup, const char *json, bool devices, struct tare_error *error)
{
  auto_(arena) struct arena arena = { 0 };
  struct oci_resources *resources;
  const struct oci_source source = { .name = "resources", .bytes = json, .length = strlen (json) };
  *error = (struct tare_error) { 0 };
  int r = oci_read_resources (&arena, &source, &resources, error);
  if (r >= 0)
    r = cgroup_check (cgroup, resources, error);
  if (r >= 0)
    r = devices ? cgroup_apply_devices (cgroup, resources, error)
                : cgroup_apply (cgroup, resources, error);
  return r;
}

/* ---- tests ----------------------------------------------------------------------------------- */

static void
test_make (void)
{
  struct tare_error error = { 0 };
  struct cgroup cgroup = plan ("make/a/b");
  size_t count = cgroup_count (&cgroup);
  CHECK (count > 0 && present (&cgroup) == 0, "plan has no effect (%zu hierarchies)", count);
  succeeds (cgroup_create (&cgroup, &error), &error, "create");
  CHECK (present (&cgroup) == count, "is there in every hierarchy");
  CHECK ((cgroup_clone_fd (&cgroup) >= 0) == (hierarchy_of (&cgroup, NULL) != NULL),
         "a descriptor for clone3 where there is a v2 tree");
  if (hierarchy_of (&cgroup, "cpuset") != NULL)
    {
      CHECK (*content (&cgroup, "cpuset", "cpuset.cpus") != '\0', "cpuset.cpus filled");
      CHECK (*content (&cgroup, "cpuset", "cpuset.mems") != '\0', "cpuset.mems filled");
    }
  if (hierarchy_of (&cgroup, NULL) != NULL)
    {
      char root[512] = "";
      (void) group_read (hierarchy_of (&cgroup, NULL)->root, "cgroup.controllers", root,
                         sizeof root);
      CHECK (str_equal (content (&cgroup, NULL, "cgroup.controllers"), root),
             "controllers enabled down the path: '%s'", root);
    }
  succeeds (cgroup_destroy (&cgroup, &error), &error, "destroy");
  CHECK (present (&cgroup) == 0, "is gone from every hierarchy");
  succeeds (cgroup_destroy (&cgroup, &error), &error, "destroy again");
  cgroup_done (&cgroup);
}

static void
test_enter (void)
{
  struct tare_error error = { 0 };
  struct cgroup cgroup = make ("enter");
  pid_t pid = start_in (&cgroup, sleep_long, NULL);
  char path[64];
  static char text[65536];
  snprintf (path, sizeof path, "/proc/%d/cgroup", (int) pid);
  autoclose int fd = open (path, O_RDONLY | O_CLOEXEC);
  ssize_t length = read (fd, text, sizeof text - 1);
  text[length > 0 ? length : 0] = '\0';
  size_t found = 0;
  for (char *rest = text, *line; (line = strsep (&rest, "\n")) != NULL;)
    found += strstr (line, top) != NULL && strstr (line, "/enter") != NULL;
  CHECK (found == cgroup_count (&cgroup), "a process is in all %zu hierarchies (%zu)",
         cgroup_count (&cgroup), found);

  pid_t *pids = NULL;
  size_t count = 0;
  succeeds (cgroup_processes (&cgroup, &pids, &count, &error), &error, "processes");
  CHECK (count == 1 && pids[0] == pid, "it is listed");
  free (pids);

  struct cgroup second = plan ("enter");
  fails (cgroup_create (&second, &error), -EBUSY, &error,
         "container's cgroup is not empty: 1 process(es) found", "create of a group in use");
  CHECK (present (&cgroup) == cgroup_count (&cgroup) && kill (pid, 0) == 0,
         "the group and its process are left alone");
  cgroup_done (&second);

  int64_t began = now_ms ();
  succeeds (cgroup_kill (&cgroup, &error), &error, "kill");
  int status = wait_for (pid);
  CHECK (WIFSIGNALED (status) && WTERMSIG (status) == SIGKILL && now_ms () - began < 2000,
         "the process was killed");
  succeeds (cgroup_destroy (&cgroup, &error), &error, "destroy");
  cgroup_done (&cgroup);
}

static void
test_clone (void)
{
  struct tare_error error = { 0 };
  struct cgroup cgroup = make ("clone");
  if (cgroup_clone_fd (&cgroup) >= 0)
    {
      struct sys_clone clone = { .cgroup = cgroup_clone_fd (&cgroup), .exit_signal = SIGCHLD };
      pid_t pid = sys_clone3 (&clone);
      if (pid == 0)
        for (;;)
          pause ();
      CHECK (pid > 0, "clone3 into the v2 tree");
      succeeds (cgroup_attach (&cgroup, pid, true, &error), &error, "attach to the others");
      for (size_t i = 0; i < cgroup_count (&cgroup); i++)
        {
          auto_(pid_list) struct pid_list list = { 0 };
          (void) group_pids (cgroup.hierarchies[i].fd, false, &list);
          if (list.count != 1 || list.pids[0] != pid)
            CHECK (false, "it is in %s", cgroup.hierarchies[i].mount);
        }
      succeeds (cgroup_signal_all (&cgroup, SIGTERM, &error), &error, "signal all");
      CHECK (WTERMSIG (wait_for (pid)) == SIGTERM, "the signal arrived");
    }
  succeeds (cgroup_destroy (&cgroup, &error), &error, "destroy");
  cgroup_done (&cgroup);
}

static void
test_limits (void)
{
  static const struct
  {
    const char *controller, *file, *value;
  } wanted[] = {
    { "memory", "memory.limit_in_bytes", "67108864" },
    { "memory", "memory.memsw.limit_in_bytes", "134217728" },
    { "memory", "memory.soft_limit_in_bytes", "33554432" },
    { "memory", "memory.swappiness", "10" },
    { "cpu", "cpu.shares", "512" },
    { "cpu", "cpu.cfs_period_us", "50000" },
    { "cpu", "cpu.cfs_quota_us", "25000" },
    { "cpu", "cpu.cfs_burst_us", "1000" },
    { "cpuset", "cpuset.cpus", "0" },
    { "cpuset", "cpuset.mems", "0" },
    { "pids", "pids.max", "20" },
  };
  struct tare_error error = { 0 };
  struct cgroup cgroup = make ("limits");
  succeeds (apply (&cgroup,
                   "{\"blockIO\":{\"weight\":0},\"cpu\":{\"shares\":0,\"quota\":0,\"period\":0},"
                   "\"memory\":{\"limit\":0,\"swap\":0,\"disableOOMKiller\":false},"
                   "\"hugepageLimits\":[{\"pageSize\":\"1GB\",\"limit\":0}]}",
                   false, &error),
            &error, "zeros need no controller");
  succeeds (apply (&cgroup, "{\"cpu\":{\"shares\":1024}}", false, &error), &error,
            "nor does the default");
  if (hierarchy_of (&cgroup, "memory") != NULL)
    {
      const char *first = "{\"memory\":{\"limit\":67108864,\"swap\":134217728,\"reservation\":"
                          "33554432,\"swappiness\":10},\"cpu\":{\"shares\":512,\"quota\":25000,"
                          "\"period\":50000,\"burst\":1000,\"cpus\":\"0\",\"mems\":\"0\"},"
                          "\"pids\":{\"limit\":20}}";
      succeeds (apply (&cgroup, first, false, &error), &error, "limits");
      for (size_t i = 0; i < COUNT_OF (wanted); i++)
        if (!CHECK (str_equal (content (&cgroup, wanted[i].controller, wanted[i].file),
                               wanted[i].value),
                    "%s is %s", wanted[i].file, wanted[i].value))
          tap_note ("%s", content (&cgroup, wanted[i].controller, wanted[i].file));
      succeeds (apply (&cgroup, "{\"memory\":{\"limit\":268435456,\"swap\":268435456}}", false,
                       &error),
                &error, "a limit above the old memory and swap");
      CHECK (str_equal (content (&cgroup, "memory", "memory.limit_in_bytes"), "268435456"),
             "was written after it");
      succeeds (apply (&cgroup, "{\"memory\":{\"limit\":-1}}", false, &error), &error, "no limit");
      CHECK (strlen (content (&cgroup, "memory", "memory.memsw.limit_in_bytes")) > 15,
             "nor one for swap");
      fails (apply (&cgroup, "{\"cpu\":{\"cpus\":\"x\"}}", false, &error), -EINVAL, &error,
             "cpuset.cpus: write 'x': Invalid argument", "a value that the kernel refuses");
      fails (apply (&cgroup, "{\"unified\":{\"memory.high\":\"1\"}}", false, &error), -EOPNOTSUPP,
             &error, "linux.resources.unified: 'memory.high'", "unified needs v2");
      succeeds (apply (&cgroup, "{\"pids\":{\"limit\":-1}}", false, &error), &error, "pids -1");
      CHECK (str_equal (content (&cgroup, "pids", "pids.max"), "max"), "is max");
    }
  else
    {
      fails (apply (&cgroup, "{\"memory\":{\"limit\":67108864}}", false, &error), -EOPNOTSUPP,
             &error, "linux.resources.memory.limit: the memory controller is not available",
             "an absent controller");
      fails (apply (&cgroup, "{\"network\":{\"classID\":1}}", false, &error), -EOPNOTSUPP, &error,
             "linux.resources.network.classID: cgroup v2 has nothing like it", "no v2 form");
    }
  if (hierarchy_of (&cgroup, NULL) != NULL
      && list_has (content (&cgroup, NULL, "cgroup.controllers"), "hugetlb"))
    {
      succeeds (apply (&cgroup,
                       "{\"hugepageLimits\":[{\"pageSize\":\"2MB\",\"limit\":4194304}],"
                       "\"unified\":{\"cgroup.max.depth\":\"7\"}}",
                       false, &error),
                &error, "huge pages and a raw key in the v2 tree");
      CHECK (str_equal (content (&cgroup, NULL, "hugetlb.2MB.max"), "4194304"), "limit is there");
      CHECK (str_equal (content (&cgroup, NULL, "hugetlb.2MB.rsvd.max"), "4194304"),
             "and for reservations");
      CHECK (str_equal (content (&cgroup, NULL, "cgroup.max.depth"), "7"), "raw key is there");
      fails (apply (&cgroup, "{\"hugepageLimits\":[{\"pageSize\":\"3MB\",\"limit\":1}]}", false,
                    &error),
             -ENOENT, &error, "hugetlb.3MB.max: write '1'", "a page size that does not exist");
    }
  succeeds (cgroup_destroy (&cgroup, &error), &error, "destroy");
  cgroup_done (&cgroup);
}

/* ---- devices --------------------------------------------------------------------------------- */

struct access_test
{
  unsigned major, minor;
  int flags; /* of open(2) */
};

/* 0: allowed, else the errno. */
static int
open_device (void *argument)
{
  const struct access_test *test = argument;
  char path[64];
  snprintf (path, sizeof path, "/dev/tare-test-%d", (int) getpid ());
  if (mknod (path, S_IFCHR | 0600, makedev (test->major, test->minor)) < 0)
    return 100;
  int fd = open (path, test->flags | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  int result = fd < 0 ? errno : 0;
  unlink (path);
  return result;
}

static void
test_devices (void)
{
  static const char *const deny_all
      = "{\"devices\":[{\"allow\":false,\"access\":\"rwm\"},"
        "{\"allow\":true,\"type\":\"c\",\"major\":1,\"minor\":11,\"access\":\"r\"}]}";
  static const char *const allow_all = "{\"devices\":[{\"allow\":true,\"access\":\"rwm\"}]}";
  struct access_test null = { 1, 3, O_RDWR }, kmsg = { 1, 11, O_RDONLY }, kmsg_write = { 1, 11, O_WRONLY },
                     memory = { 1, 1, O_RDONLY };
  struct tare_error error = { 0 };
  struct cgroup cgroup = make ("devices");
  CHECK (run_in (&cgroup, open_device, &memory) != EPERM, "no rules: everything is allowed");
  succeeds (apply (&cgroup, allow_all, true, &error), &error, "rules that allow everything");
  CHECK (run_in (&cgroup, open_device, &memory) != EPERM, "and everything is allowed");
  succeeds (apply (&cgroup, deny_all, true, &error), &error, "rules that deny but for one");
  CHECK (run_in (&cgroup, open_device, &null) == 0, "a default device is allowed");
  CHECK (run_in (&cgroup, open_device, &memory) == EPERM, "another is not, though it can be made");
  CHECK (run_in (&cgroup, open_device, &kmsg) == 0, "the one named is allowed to be read");
  CHECK (run_in (&cgroup, open_device, &kmsg_write) == EPERM, "but not to be written");
  succeeds (apply (&cgroup, allow_all, true, &error), &error, "all allowed again");
  CHECK (run_in (&cgroup, open_device, &memory) != EPERM, "takes the place of the first rules");
  fails (apply (&cgroup, "{\"devices\":[{\"allow\":true,\"type\":\"c\"}]}", true, &error), -EINVAL,
         &error, "linux.resources.devices[0].access", "a rule without access");
  succeeds (cgroup_destroy (&cgroup, &error), &error, "destroy");
  cgroup_done (&cgroup);
}

/* Everything that the compiler can put into a program, a thousand times, through the verifier. */
static void
test_many_rules (void)
{
  struct tare_error error = { 0 };
  struct cgroup cgroup = make ("many");
  if (hierarchy_of (&cgroup, NULL) == NULL)
    {
      cgroup_destroy (&cgroup, NULL);
      cgroup_done (&cgroup);
      return;
    }
  static const char types[] = "abc";
  size_t count = 1000;
  autofree struct device_rule *rules = calloc (count, sizeof *rules);
  for (size_t i = 0; i < count; i++)
    rules[i] = (struct device_rule) {
      .allow = i % 3 != 0,
      .type = types[i % 3],
      .major = i % 5 == 0 ? DEVICE_ANY : (int64_t) (i * 7919 % 5000),
      .minor = i % 4 == 0 ? DEVICE_ANY : (int64_t) (i * 104729 % 70000),
      .access = (uint8_t) (i % 7 + 1),
    };
  rules[10].major = UINT32_MAX;
  int64_t began = now_ms ();
  int r = v2_devices (&cgroup, rules, count, &error);
  succeeds (r, &error, "1,000 rules pass the verifier");
  CHECK (now_ms () - began < 2000, "quickly: %lld ms", (long long) (now_ms () - began));
  succeeds (cgroup_destroy (&cgroup, &error), &error, "destroy");
  cgroup_done (&cgroup);
}

/* ---- freeze, nested groups, removal ---------------------------------------------------------- */

static int
count_up (void *argument)
{
  volatile uint64_t *counter = argument;
  while (usleep (500) == 0)
    *counter += 1;
  return 0;
}

static bool
advances (volatile uint64_t *counter)
{
  uint64_t before = *counter;
  usleep (60000);
  return *counter != before;
}

static void
test_freeze (void)
{
  struct tare_error error = { 0 };
  struct cgroup cgroup = make ("freeze");
  uint64_t *counter
      = mmap (NULL, sizeof *counter, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  pid_t pid = start_in (&cgroup, count_up, counter);
  usleep (20000);
  CHECK (advances (counter), "the process runs");
  succeeds (cgroup_freeze (&cgroup, true, &error), &error, "freeze");
  CHECK (!advances (counter), "the process stands still");
  CHECK (cgroup_is_frozen (&cgroup, &error) == 1, "is frozen");
  succeeds (cgroup_signal_all (&cgroup, SIGCONT, &error), &error, "signal all of a frozen group");
  CHECK (cgroup_is_frozen (&cgroup, &error) == 1, "does not thaw it");
  succeeds (cgroup_freeze (&cgroup, false, &error), &error, "thaw");
  CHECK (advances (counter) && cgroup_is_frozen (&cgroup, &error) == 0, "the process runs again");
  succeeds (cgroup_freeze (&cgroup, true, &error), &error, "freeze again");
  int64_t began = now_ms ();
  succeeds (cgroup_destroy (&cgroup, &error), &error, "destroy while frozen, with a process");
  CHECK (now_ms () - began < 3000, "in %lld ms", (long long) (now_ms () - began));
  CHECK (WTERMSIG (wait_for (pid)) == SIGKILL && present (&cgroup) == 0, "nothing is left");
  cgroup_done (&cgroup);

  cgroup = make ("freeze");
  struct cgroup second = plan ("freeze");
  succeeds (cgroup_freeze (&cgroup, true, &error), &error, "freeze an empty group");
  fails (cgroup_create (&second, &error), -EBUSY, &error, "container's cgroup unexpectedly frozen",
         "create of a frozen group");
  CHECK (present (&cgroup) == cgroup_count (&cgroup), "leaves the group alone");
  cgroup_done (&second);
  succeeds (cgroup_destroy (&cgroup, &error), &error, "destroy");
  cgroup_done (&cgroup);
}

static void
test_nested (void)
{
  struct tare_error error = { 0 };
  struct cgroup cgroup = make ("nested");
  struct cgroup inner[] = { make ("nested/x"), make ("nested/x/y"), make ("nested/z") };
  pid_t started[3] = { 0 };
  if (hierarchy_of (&cgroup, NULL) == NULL) /* no internal processes where controllers are on */
    started[0] = start_in (&cgroup, sleep_long, NULL);
  started[1] = start_in (&inner[1], sleep_long, NULL);
  started[2] = start_in (&inner[2], sleep_long, NULL);
  size_t wanted = started[0] != 0 ? 3 : 2, count = 0;
  pid_t *pids = NULL;
  succeeds (cgroup_processes (&cgroup, &pids, &count, &error), &error, "processes below");
  bool ascending = true;
  for (size_t i = 1; i < count; i++)
    ascending &= pids[i - 1] < pids[i];
  CHECK (count == wanted && ascending, "%zu, ascending (%zu)", wanted, count);
  free (pids);
  for (size_t i = 0; i < COUNT_OF (inner); i++)
    cgroup_done (&inner[i]);
  int64_t began = now_ms ();
  succeeds (cgroup_destroy (&cgroup, &error), &error, "destroy a tree with processes");
  CHECK (now_ms () - began < 3000, "in %lld ms", (long long) (now_ms () - began));
  for (size_t i = 0; i < 3; i++)
    if (started[i] != 0)
      CHECK (WTERMSIG (wait_for (started[i])) == SIGKILL, "process %zu was killed", i);
  CHECK (present (&cgroup) == 0, "nothing is left");
  cgroup_done (&cgroup);
}

/* Deeper than there are descriptors. */
static void
test_deep (void)
{
  enum
  {
    DEPTH = 400,
  };
  struct tare_error error = { 0 };
  struct cgroup cgroup = make ("deep");
  const struct cgroup_hierarchy *h = hierarchy_primary (&cgroup);
  int at = dup (h->fd), made = 0;
  for (; made < DEPTH && mkdirat (at, "d", 0755) == 0; made++)
    {
      int next = openat (at, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
      close (at);
      at = next;
    }
  close (at);
  uint64_t soft, hard;
  sys_get_rlimit (0, RLIMIT_NOFILE, &soft, &hard);
  sys_set_rlimit (0, RLIMIT_NOFILE, 64, hard);
  pid_t *pids = NULL;
  size_t count = 0;
  int r = cgroup_processes (&cgroup, &pids, &count, &error);
  CHECK (r < 0, "processes of %d nested groups: an error, no crash (%s)", made, error.message);
  int64_t began = now_ms ();
  succeeds (cgroup_destroy (&cgroup, &error), &error, "destroy with 64 descriptors");
  CHECK (present (&cgroup) == 0, "nothing is left, in %lld ms", (long long) (now_ms () - began));
  sys_set_rlimit (0, RLIMIT_NOFILE, soft, hard);
  cgroup_done (&cgroup);
}

/* ---- failure --------------------------------------------------------------------------------- */

static void
test_undo (void)
{
  struct tare_error error = { 0 };
  struct cgroup cgroup = plan ("undo/bad\nname");
  CHECK (cgroup_create (&cgroup, &error) < 0, "a name that the kernel refuses: %s", error.message);
  struct cgroup parent = plan ("undo");
  CHECK (present (&parent) == 0, "the parents made on the way are gone again");
  cgroup_done (&cgroup);
  cgroup_done (&parent);

  cgroup = plan ("undo/a");
  size_t count = cgroup_count (&cgroup);
  const char *last = cgroup.hierarchies[count - 1].mount;
  if (count > 1 && mount (last, last, NULL, MS_BIND, NULL) == 0)
    {
      CHECK (mount (NULL, last, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL) == 0, "read-only");
      cgroup_done (&cgroup);
      cgroup = plan ("undo/a");
      fails (cgroup_create (&cgroup, &error), -EROFS, &error, "make cgroup '/sys/fs/cgroup/",
             "the last hierarchy is read-only");
      umount2 (cgroup.hierarchies[count - 1].mount, MNT_DETACH);
      parent = plan ("undo");
      CHECK (present (&parent) == 0, "nothing is left in the others");
      cgroup_done (&parent);
    }
  cgroup_done (&cgroup);
}

static void
test_reopen (void)
{
  struct tare_error error = { 0 };
  struct cgroup cgroup = make ("reopen"), again = { 0 };
  size_t count = cgroup_count (&cgroup);
  char *directories[CGROUP_MAX_HIERARCHIES + 1];
  for (size_t i = 0; i < count; i++)
    directories[i] = cgroup_directory (&cgroup, i);
  const char *const *recorded = (const char *const *) directories;
  succeeds (cgroup_open (&again, TARE_CGROUP_CGROUPFS, recorded, count, NULL, &error), &error,
            "open what was recorded");
  CHECK (cgroup_count (&again) == count, "all of it");
  pid_t pid = start_in (&again, sleep_long, NULL);
  succeeds (cgroup_destroy (&again, &error), &error, "destroy through it");
  CHECK (WTERMSIG (wait_for (pid)) == SIGKILL && present (&cgroup) == 0, "nothing is left");
  cgroup_done (&again);
  succeeds (cgroup_open (&again, TARE_CGROUP_CGROUPFS, recorded, count, NULL, &error), &error,
            "open what is gone");
  CHECK (cgroup_count (&again) == 0, "there is nothing");
  succeeds (cgroup_kill (&again, &error), &error, "kill of nothing");
  succeeds (cgroup_destroy (&again, &error), &error, "destroy of nothing");
  CHECK (cgroup_is_frozen (&again, &error) == 0, "nothing is not frozen");
  cgroup_done (&again);
  for (size_t i = 0; i < count; i++)
    free (directories[i]);
  cgroup_done (&cgroup);

  static const char *const bad[]
      = { "/etc", "/sys/fs/cgroup", "/sys/fs/cgroup/../../../etc", "relative", "",
          "/sys/fs/cgroup/a/../b" };
  for (size_t i = 0; i < COUNT_OF (bad); i++)
    fails (cgroup_open (&again, TARE_CGROUP_CGROUPFS, &bad[i], 1, NULL, &error), -EINVAL, &error,
           "is no cgroup directory", bad[i]);
}

static void
test_mounts (void)
{
  struct tare_error error = { 0 };
  struct cgroup cgroup = plan ("mounts");
  for (int new_namespace = 0; new_namespace < 2; new_namespace++)
    {
      struct cgroup_mounts mounts;
      succeeds (cgroup_plan_mounts (&cgroup, new_namespace, &mounts, &error), &error, "mounts");
      bool v1 = cgroup.layout == &cgroup_layout_v1;
      size_t wanted = cgroup_count (&cgroup) - (v1 && hierarchy_of (&cgroup, NULL) != NULL);
      bool good = mounts.n_mounts == wanted && mounts.tmpfs == v1;
      for (size_t i = 0; i < mounts.n_mounts; i++)
        {
          const struct cgroup_mount *m = &mounts.mounts[i];
          const char *type = !v1 ? "cgroup2" : new_namespace ? "cgroup" : NULL;
          good &= type == NULL ? m->type == NULL : m->type != NULL && str_equal (m->type, type);
          good &= str_after (m->source, "/sys/fs/cgroup/") != NULL
                  && strstr (m->source, "/mounts") != NULL;
          good &= (m->options[0] != NULL) == (v1 && new_namespace);
          good &= (*m->name == '\0') == !v1;
        }
      CHECK (good, "%zu mounts, namespace %d", mounts.n_mounts, new_namespace);
      cgroup_mounts_done (&mounts);
    }
  cgroup_done (&cgroup);
}

/* ---- views ----------------------------------------------------------------------------------- */

static bool
has_left (int group)
{
  struct sys_stat st;
  return sys_stat (group, NULL, &st) < 0 || st.nlink != 2;
}

static void
remove_top (void)
{
  struct cgroup cgroup = { 0 };
  if (cgroup_plan (&cgroup, TARE_CGROUP_CGROUPFS, top, "unused", NULL, NULL) < 0)
    return;
  for (size_t i = 0; i < cgroup.n_hierarchies; i++)
    cgroup.hierarchies[i].fd
        = group_open (cgroup.hierarchies[i].root, cgroup.hierarchies[i].path, O_RDONLY);
  size_t left = 0;
  for (size_t i = 0; i < cgroup.n_hierarchies; i++)
    if (cgroup.hierarchies[i].fd >= 0)
      {
        static const char *const names[] = { "make/a", "make" };
        for (size_t n = 0; n < COUNT_OF (names); n++)
          (void) group_remove (cgroup.hierarchies[i].fd, names[n]);
        left += has_left (cgroup.hierarchies[i].fd);
      }
  CHECK (left == 0, "no group of any test is left");
  CHECK (cgroup_destroy (&cgroup, NULL) >= 0, "and their parent can go");
  cgroup_done (&cgroup);
}

static void
test_view (const char *name)
{
  view = name;
  snprintf (top, sizeof top, "/tare-test-%d", (int) getpid ());
  test_make ();
  test_enter ();
  test_clone ();
  test_limits ();
  test_devices ();
  test_many_rules ();
  test_freeze ();
  test_nested ();
  test_deep ();
  test_undo ();
  test_reopen ();
  test_mounts ();
  remove_top ();
}

static bool
enter_mount_namespace (void)
{
  return unshare (CLONE_NEWNS) == 0 && mount (NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

/* The controllers that have a v1 hierarchy now: to make one would take the controller from v2, for
 * the whole machine. False: none has. */
static bool
show_v1 (void)
{
  char path[128], line[256];
  size_t shown = 0;
  FILE *file = fopen ("/proc/cgroups", "re");
  umount2 ("/sys/fs/cgroup", MNT_DETACH);
  if (file == NULL || mount ("cgroup", "/sys/fs/cgroup", "tmpfs", 0, "mode=755") < 0)
    return false;
  while (fgets (line, sizeof line, file) != NULL)
    {
      uint64_t hierarchy = 0;
      char *number = line + strcspn (line, "\t");
      if (*line == '#' || *number == '\0')
        continue;
      *number++ = '\0';
      number[strspn (number, "0123456789")] = '\0';
      if (parse_u64 (number, UINT64_MAX, &hierarchy) < 0 || hierarchy == 0)
        continue;
      snprintf (path, sizeof path, "/sys/fs/cgroup/%.64s", line);
      mkdir (path, 0755);
      shown += mount ("cgroup", path, "cgroup", 0, line) == 0;
    }
  fclose (file);
  mkdir ("/sys/fs/cgroup/systemd", 0755);
  (void) !mount ("cgroup", "/sys/fs/cgroup/systemd", "cgroup", 0, "none,name=systemd");
  return shown > 0;
}

int
main (void)
{
  if (geteuid () != 0 || !enter_mount_namespace ())
    {
      skip ("cgroups", "needs root");
      return tap_done ();
    }
  setvbuf (stdout, NULL, _IOLBF, 0);
  test_view ("as it is");
  if (enter_mount_namespace () && show_v1 ())
    test_view ("v1");
  else
    tap_note ("no controller has a v1 hierarchy here");
  umount2 ("/sys/fs/cgroup", MNT_DETACH);
  if (mount ("cgroup2", "/sys/fs/cgroup", "cgroup2", 0, NULL) == 0)
    test_view ("v2");
  else
    tap_note ("no cgroup v2 here");
  return tap_done ();
}
