/* Limits and device rules on the real kernel, in each layout: written, read back, refused, in
 * effect. Needs root. */
#define _GNU_SOURCE
#include "tests/unit/cgroup-live.h"

static const char all_limits[] =
    "{\"memory\":{\"limit\":67108864,\"swap\":134217728,\"reservation\":33554432,"
    "\"swappiness\":10},\"cpu\":{\"shares\":512,\"quota\":25000,\"period\":50000,\"burst\":1000,"
    "\"cpus\":\"0\",\"mems\":\"0\"},\"pids\":{\"limit\":20}}";

struct file_value
{
  const char *controller, *file, *value;
};

/* controller: NULL for the v2 tree. */
static void
check_files (const struct cgroup *cgroup, const struct file_value *wanted, size_t count)
{
  for (size_t i = 0; i < count; i++)
    {
      const char *got = content (cgroup, wanted[i].controller, wanted[i].file);
      if (!CHECK (str_equal (got, wanted[i].value), "%s is %s", wanted[i].file, wanted[i].value))
        tap_note ("%s", got);
    }
}

static bool
in_v2 (const struct cgroup *cgroup, const char *controller)
{
  return hierarchy_of (cgroup, NULL) != NULL
         && list_has (content (cgroup, NULL, "cgroup.controllers"), controller);
}

static void
limit_v1 (struct cgroup *cgroup)
{
  static const struct file_value wanted[] = {
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
  static const struct file_value raised[] = {
    { "memory", "memory.limit_in_bytes", "268435456" },
    { "memory", "memory.memsw.limit_in_bytes", "268435456" },
    { "pids", "pids.max", "max" },
  };
  struct tare_error error = { 0 };
  succeeds (apply (cgroup, all_limits, false, &error), &error, "limits");
  check_files (cgroup, wanted, COUNT_OF (wanted));
  succeeds (apply (cgroup,
                   "{\"memory\":{\"limit\":268435456,\"swap\":268435456},\"pids\":{\"limit\":-1}}",
                   false, &error),
            &error, "a limit above the old one of memory and swap");
  check_files (cgroup, raised, COUNT_OF (raised));
  succeeds (apply (cgroup, "{\"memory\":{\"limit\":-1}}", false, &error), &error, "no limit");
  CHECK (strlen (content (cgroup, "memory", "memory.memsw.limit_in_bytes")) > 15,
         "nor one for memory and swap");
  fails (apply (cgroup, "{\"unified\":{\"memory.high\":\"1\"}}", false, &error), -EOPNOTSUPP,
         &error, "linux.resources.unified: 'memory.high'", "unified needs v2");
  *warned = '\0';
  succeeds (apply (cgroup, "{\"blockIO\":{\"leafWeight\":300}}", false, &error), &error,
            "a leaf weight, which no kernel takes any more");
  CHECK (strstr (warned, "linux.resources.blockIO.leafWeight: left out") != NULL,
         "is a warning: %s", warned);
}

/* Moving into a group charges nothing to it: what is touched there is. */
static int
use_memory (void *ready)
{
  char *bytes = malloc (1 << 20);
  if (bytes == NULL)
    return 1;
  for (size_t i = 0; i < 1 << 20; i += 1024)
    ((volatile char *) bytes)[i] = 1;
  *(volatile bool *) ready = true;
  return sleep_long (NULL);
}

static void
limit_below_usage (struct cgroup *cgroup)
{
  struct tare_error error = { 0 };
  volatile bool *ready =
      mmap (NULL, sizeof *ready, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  pid_t pid = start_in (cgroup, use_memory, (void *) (uintptr_t) ready);
  for (unsigned i = 0; i < 1000 && !*ready; i++)
    usleep (10000);
  fails (apply (cgroup, "{\"memory\":{\"limit\":4096,\"checkBeforeUpdate\":true}}", false, &error),
         -EBUSY, &error, "linux.resources.memory.limit: 4096 is not above the present usage",
         "a limit below the usage, checked");
  CHECK (kill (pid, 0) == 0 && str_equal (content (cgroup, NULL, "memory.max"), "67108864"),
         "changes nothing");
  kill (pid, SIGKILL);
  wait_for (pid);
}

static void
limit_v2 (struct cgroup *cgroup)
{
  static const struct file_value wanted[] = {
    { NULL, "memory.max", "67108864" }, { NULL, "memory.swap.max", "67108864" },
    { NULL, "memory.low", "33554432" }, { NULL, "cpu.weight", "59" },
    { NULL, "cpu.max", "25000 50000" }, { NULL, "cpu.max.burst", "1000" },
    { NULL, "cpuset.cpus", "0" },       { NULL, "cpuset.mems", "0" },
    { NULL, "pids.max", "20" },
  };
  static const struct file_value raised[] = {
    { NULL, "memory.max", "max" },        { NULL, "memory.swap.max", "max" },
    { NULL, "cpu.max", "max 100000" },    { NULL, "cpu.weight", "100" },
    { NULL, "memory.high", "536870912" }, { NULL, "pids.max", "max" },
  };
  struct tare_error error = { 0 };
  *warned = '\0';
  succeeds (apply (cgroup, all_limits, false, &error), &error, "limits");
  check_files (cgroup, wanted, COUNT_OF (wanted));
  CHECK (strstr (warned, "memory.swappiness: left out") != NULL, "swappiness: %s", warned);
  limit_below_usage (cgroup);
  succeeds (apply (cgroup, "{\"cpu\":{\"burst\":0}}", false, &error), &error, "no burst");
  succeeds (
      apply (cgroup,
             "{\"memory\":{\"limit\":-1},\"pids\":{\"limit\":-1},\"cpu\":{\"quota\":-1,"
             "\"period\":100000,\"shares\":1024},\"unified\":{\"memory.high\":\"536870912\"}}",
             false, &error),
      &error, "no limits");
  check_files (cgroup, raised, COUNT_OF (raised));
  succeeds (apply (cgroup, "{\"cpu\":{\"idle\":1,\"shares\":512}}", false, &error), &error, "idle");
  CHECK (str_equal (content (cgroup, NULL, "cpu.idle"), "1"), "cpu.idle is 1");
  fails (apply (cgroup, "{\"network\":{\"classID\":1}}", false, &error), -EOPNOTSUPP, &error,
         "linux.resources.network.classID: cgroup v2 has nothing like it", "no v2 form");
}

static void
limit_absent (struct cgroup *cgroup)
{
  struct tare_error error = { 0 };
  fails (apply (cgroup, "{\"memory\":{\"limit\":67108864}}", false, &error), -EOPNOTSUPP, &error,
         "linux.resources.memory.limit: the memory controller is not available",
         "a limit for an absent controller");
}

static void
limit_huge_pages (struct cgroup *cgroup)
{
  static const struct file_value wanted[] = {
    { NULL, "hugetlb.2MB.max", "4194304" },
    { NULL, "hugetlb.2MB.rsvd.max", "4194304" },
    { NULL, "cgroup.max.depth", "7" },
  };
  struct tare_error error = { 0 };
  succeeds (apply (cgroup,
                   "{\"hugepageLimits\":[{\"pageSize\":\"2MB\",\"limit\":4194304}],"
                   "\"unified\":{\"cgroup.max.depth\":\"7\"}}",
                   false, &error),
            &error, "huge pages and a raw key in the v2 tree");
  check_files (cgroup, wanted, COUNT_OF (wanted));
  fails (apply (cgroup, "{\"hugepageLimits\":[{\"pageSize\":\"3MB\",\"limit\":1}]}", false, &error),
         -ENOENT, &error,
         "linux.resources.hugepageLimits: hugetlb.3MB.max: write '1': No such file or directory",
         "a page size that there is not");
}

static void
test_limits (void)
{
  static const char zeros[] =
      "{\"blockIO\":{\"weight\":0},\"cpu\":{\"shares\":0,\"quota\":0,\"period\":0},"
      "\"memory\":{\"limit\":0,\"swap\":0,\"disableOOMKiller\":false},"
      "\"hugepageLimits\":[{\"pageSize\":\"2MB\",\"limit\":0}]}";
  struct tare_error error = { 0 };
  struct cgroup cgroup = make ("limits");
  bool v1 = hierarchy_of (&cgroup, "memory") != NULL, v2 = in_v2 (&cgroup, "memory");
  succeeds (apply (&cgroup, zeros, false, &error), &error, "zeros need no controller");
  succeeds (apply (&cgroup, "{\"cpu\":{\"shares\":1024}}", false, &error), &error,
            "nor does the default");
  if (v1)
    limit_v1 (&cgroup);
  else if (v2)
    limit_v2 (&cgroup);
  else
    limit_absent (&cgroup);
  if (v1 || v2)
    fails (apply (&cgroup, "{\"cpu\":{\"cpus\":\"x\"}}", false, &error), -EINVAL, &error,
           "linux.resources.cpu.cpus: cpuset.cpus: write 'x': Invalid argument",
           "a value that the kernel refuses");
  if (in_v2 (&cgroup, "hugetlb"))
    limit_huge_pages (&cgroup);
  succeeds (cgroup_destroy (&cgroup, &error), &error, "destroy");
  cgroup_done (&cgroup);
}

/* Throttling of a real disk, and a weight, which a kernel may lack: then an error says so. */
static void
test_block_io (void)
{
  struct tare_error error = { 0 };
  struct cgroup cgroup = make ("block");
  struct sys_stat disk;
  char json[256], wanted[64];
  bool v2 = in_v2 (&cgroup, "io");
  if (sys_stat (AT_FDCWD, "/dev/vda", &disk) >= 0
      && (v2 || hierarchy_of (&cgroup, "blkio") != NULL))
    {
      snprintf (
          json, sizeof json,
          "{\"blockIO\":{\"throttleReadBpsDevice\":[{\"major\":%u,\"minor\":%u,\"rate\":1048576"
          "}]}}",
          disk.rdev_major, disk.rdev_minor);
      snprintf (wanted, sizeof wanted, "%u:%u %s1048576", disk.rdev_major, disk.rdev_minor,
                v2 ? "rbps=" : "");
      succeeds (apply (&cgroup, json, false, &error), &error, "throttle");
      const char *got = v2 ? content (&cgroup, NULL, "io.max")
                           : content (&cgroup, "blkio", "blkio.throttle.read_bps_device");
      CHECK (strncmp (got, wanted, strlen (wanted)) == 0, "%s", got);
      int r = apply (&cgroup, "{\"blockIO\":{\"weight\":500}}", false, &error);
      CHECK (r >= 0 || (r == -ENOENT && strstr (error.message, "weight: write '") != NULL),
             "weight: %s", r < 0 ? error.message : "written");
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
  static const char *const deny_all =
      "{\"devices\":[{\"allow\":false,\"access\":\"rwm\"},"
      "{\"allow\":true,\"type\":\"c\",\"major\":1,\"minor\":11,\"access\":\"r\"}]}";
  static const char *const allow_all = "{\"devices\":[{\"allow\":true,\"access\":\"rwm\"}]}";
  struct access_test null = { 1, 3, O_RDWR }, kmsg = { 1, 11, O_RDONLY },
                     kmsg_write = { 1, 11, O_WRONLY }, memory = { 1, 1, O_RDONLY };
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
    rules[i] = (struct device_rule){
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

static void
tests (void)
{
  test_limits ();
  test_block_io ();
  test_devices ();
  test_many_rules ();
}

int
main (void)
{
  return run_views (tests);
}
