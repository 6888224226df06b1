/* What the systemd driver asks for: names, limits and annotations as words for tare-systemd. */
#include "cgroup/cgroup.h"
#include "cgroup/systemd.h"
#include "tap.h"

/* NUL becomes '|'. */
static const char *
shown (const struct buf *buf)
{
  static char text[8192];
  size_t length = buf->length < sizeof text ? buf->length : sizeof text - 1;
  for (size_t i = 0; i < length; i++)
    text[i] = buf->bytes[i] != '\0' ? buf->bytes[i] : '|';
  text[length] = '\0';
  return text;
}

/* ---- names ----------------------------------------------------------------------------------- */

static void
test_name (const char *path, bool user, const char *subgroup, const char *name, const char *group)
{
  struct tare_error error = { 0 };
  struct cgroup_unit *unit = NULL;
  struct oci_pair annotation = { "run.oci.systemd.subgroup", subgroup };
  const struct cgroup_wish wish = {
    .id = "c1",
    .cgroups_path = path,
    .annotations = &annotation,
    .n_annotations = subgroup != NULL,
  };
  int r = unit_plan (&wish, user, &unit, &error);
  ok (r == 0, "'%s': a unit: %s", path != NULL ? path : "", error.message);
  if (r < 0)
    return;
  is_text (unit->name, name, "its name");
  is_text (unit->path, group, "its group");
  unit_free (unit);
}

static void
test_bad_name (const char *path, const char *words)
{
  struct tare_error error = { 0 };
  struct cgroup_unit *unit = NULL;
  const struct cgroup_wish wish = { .id = "c1", .cgroups_path = path };
  int r = unit_plan (&wish, false, &unit, &error);
  ok (r == -EINVAL && strstr (error.message, words) != NULL, "'%s': %s", path, error.message);
}

static void
test_names (void)
{
  char name[64];
  const char *rest = NULL;
  test_name (NULL, false, NULL, "tare-c1.scope", "/system.slice/tare-c1.scope");
  test_name ("", true, NULL, "tare-c1.scope", "/user.slice/tare-c1.scope");
  test_name ("a-b-c.slice:docker:x", false, NULL, "docker-x.scope",
             "/a.slice/a-b.slice/a-b-c.slice/docker-x.scope");
  test_name ("-.slice::x", false, NULL, "x.scope", "/x.scope");
  test_name (":p:a+b/c", false, NULL, "p-a\\x2bb\\x2fc.scope",
             "/system.slice/p-a\\x2bb\\x2fc.scope");
  test_name (":p:x", false, "inner", "p-x.scope", "/system.slice/p-x.scope/inner");
  test_name (":p:x", false, "", "p-x.scope", "/system.slice/p-x.scope");
  test_bad_name ("/a/b", "slice:prefix:name");
  test_bad_name ("a.slice:b", "slice:prefix:name");
  test_bad_name ("a.slice:b:c:d", "slice:prefix:name");
  test_bad_name ("a.slice:b:", "no name");
  test_bad_name ("a:b:c", "not the name of a slice");
  test_bad_name ("../a.slice:b:c", "not the name of a slice");
  test_bad_name ("a--b.slice:b:c", "not the name of a slice");
  test_bad_name ("-a.slice:b:c", "not the name of a slice");
  ok (unit_of_path ("/a.slice/p-x.scope/in/ner", name, sizeof name, &rest), "a scope in a path");
  is_text (name, "p-x.scope", "its name");
  is_text (rest, "/in/ner", "what is below it");
  ok (!unit_of_path ("/a.slice/b.service/.scope", name, sizeof name, &rest), "no scope in a path");
}

/* ---- limits ---------------------------------------------------------------------------------- */

static void
test_setting (const char *file, const char *value, const char *words)
{
  struct cgroup_setting item = { .controller = "", .file = file, .value = value };
  struct cgroup_settings settings = { .items = &item, .count = 1 };
  struct buf buf = { 0 };
  ok (put_settings (&buf, &settings) == 0, "%s: %s", file, value);
  is_text (shown (&buf), words, "in words");
  buf_done (&buf);
}

static void
test_settings (void)
{
  test_setting ("memory.max", "4096", "MemoryMax|t|1|4096|");
  test_setting ("memory.max", "max", "MemoryMax|t|1|18446744073709551615|");
  test_setting ("memory.limit_in_bytes", "-1", "MemoryMax|t|1|18446744073709551615|");
  test_setting ("pids.max", "0", "TasksMax|t|1|1|");
  test_setting ("cpu.max", "50000 100000",
                "CPUQuotaPerSecUSec|t|1|500000|?CPUQuotaPeriodUSec|t|1|100000|");
  test_setting ("cpu.max", "12345",
                "CPUQuotaPerSecUSec|t|1|130000|?CPUQuotaPeriodUSec|t|1|100000|");
  test_setting ("cpu.max", "max 50000",
                "CPUQuotaPerSecUSec|t|1|18446744073709551615|?CPUQuotaPeriodUSec|t|1|50000|");
  test_setting ("cpu.idle", "1", "?CPUWeight|t|1|0|");
  test_setting ("cpu.idle", "0", "");
  test_setting ("cpuset.cpus", "0-3,9", "?AllowedCPUs|ay|1|0f02|");
  test_setting ("cpuset.cpus", "3-1", "");
  test_setting ("cpuset.cpus", "\n", "?AllowedCPUs|ay|1||");
  test_setting ("cpuset.mems", "0", "?AllowedMemoryNodes|ay|1|01|");
  test_setting ("io.weight", "default 200", "IOWeight|t|1|200|");
  test_setting ("io.weight", "8:0 300", "IODeviceWeight|a(st)|2|/dev/block/8:0|300|");
  test_setting ("io.max", "8:16 riops=7", "IOReadIOPSMax|a(st)|2|/dev/block/8:16|7|");
  test_setting ("io.max", "8:16 rbps=5 wbps=max riops=7",
                "IOReadBandwidthMax|a(st)|2|/dev/block/8:16|5|"
                "IOWriteBandwidthMax|a(st)|2|/dev/block/8:16|18446744073709551615|"
                "IOReadIOPSMax|a(st)|2|/dev/block/8:16|7|");
  test_setting ("hugetlb.2MB.max", "1", "");
}

static void
test_devices (void)
{
  struct buf buf = { 0 };
  const struct device_rule rules[] = {
    { .allow = false, .type = 'a', .major = -1, .minor = -1, .access = DEVICE_ACCESS_ALL },
    { .allow = true, .type = 'c', .major = -1, .minor = -1, .access = BPF_DEVCG_ACC_MKNOD },
    { .allow = true, .type = 'b', .major = 8, .minor = 1, .access = BPF_DEVCG_ACC_READ },
    { .allow = true, .type = 'c', .major = 7, .minor = -1, .access = BPF_DEVCG_ACC_READ },
  };
  ok (put_devices (&buf, rules, 3) == 0, "rules that systemd can say");
  is_text (shown (&buf),
           "DevicePolicy|s|1|strict|DeviceAllow|a(ss)|0|"
           "DeviceAllow|a(ss)|4|char-*|m|/dev/block/8:1|r|",
           "in words");
  buf_done (&buf);
  ok (put_devices (&buf, rules, 4) == 0 && buf.length == 0, "one that it cannot: nothing");
  buf_done (&buf);
  ok (put_devices (&buf, rules + 1, 1) == 0 && buf.length == 0, "not denied first: nothing");
  buf_done (&buf);
}

/* ---- annotations ----------------------------------------------------------------------------- */

static void
test_annotation (const char *key, const char *value, const char *words)
{
  struct tare_error error = { 0 };
  const struct oci_pair pair = { key, value };
  struct buf buf = { 0 };
  int r = put_annotations (&buf, &pair, 1, &error);
  if (words != NULL)
    {
      ok (r == 0, "%s = %s: %s", key, value, error.message);
      is_text (shown (&buf), words, "in words");
    }
  else
    ok (r == -EINVAL && strstr (error.message, key + sizeof "org.systemd.property." - 1) != NULL,
        "%s = %s: %s", key, value, error.message);
  buf_done (&buf);
}

static void
test_annotations (void)
{
  test_annotation ("org.systemd.property.TimeoutStopUSec", "uint64 123",
                   "TimeoutStopUSec|t|1|123|");
  test_annotation ("org.systemd.property.TimeoutStopSec", "2", "TimeoutStopUSec|t|1|2000000|");
  test_annotation ("org.systemd.property.CPUQuotaPerSecUSec", "5", "CPUQuotaPerSecUSec|t|1|5|");
  test_annotation ("org.systemd.property.CollectMode", "'inactive'", "CollectMode|s|1|inactive|");
  test_annotation ("org.systemd.property.After", "['a.service', 'b.service']",
                   "After|as|2|a.service|b.service|");
  test_annotation ("org.systemd.property.SendSIGHUP", "true", "SendSIGHUP|b|1|1|");
  test_annotation ("org.example", "x", "");
  static const char *const refused[] = {
    "ExecStart", "ExecStop",  "Wants", "Requires", "BindsTo",
    "Conflicts", "OnFailure", "PIDs",  "Slice",    "FailureAction",
    "User",      "Delegate",  "",      "After ",   "JobTimeoutAction",
    "Upholds",   "Sec",
  };
  for (size_t i = 0; i < COUNT_OF (refused); i++)
    {
      char key[96];
      (void) snprintf (key, sizeof key, "org.systemd.property.%s", refused[i]);
      test_annotation (key, "'x'", NULL);
    }
  static const char *const bad[] = { "x", "-1", "uint64", "18446744073709551615", "'5'", "" };
  for (size_t i = 0; i < COUNT_OF (bad); i++)
    test_annotation ("org.systemd.property.TimeoutStopSec", bad[i], NULL);
  test_annotation ("org.systemd.property.After", "['a'", NULL);
  test_annotation ("org.systemd.property.After", "'a'", NULL);
  test_annotation ("org.systemd.property.CollectMode", "'a", NULL);
  test_annotation ("org.systemd.property.SendSIGHUP", "yes", NULL);
}

int
main (void)
{
  test_names ();
  test_settings ();
  test_devices ();
  test_annotations ();
  return tap_done ();
}
