/* For the tests of cgroups on the real kernel: the layouts, each in a mount namespace of the test's
 * own, and groups with processes in them. Needs root. */
#ifndef TARE_TESTS_CGROUP_LIVE_H
#define TARE_TESTS_CGROUP_LIVE_H

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
#include "tests/unit/tap.h"

static const char *view; /* the name of the layout under test */
static char top[64];     /* "/tare-test-PID" */
static char warned[512]; /* the last warning */

static void
keep_warning (enum tare_log_level level, const char *message, void *argument)
{
  (void) argument;
  if (level == TARE_LOG_WARNING)
    snprintf (warned, sizeof warned, "%s", message);
}

static const struct log test_log = { .write = keep_warning, .level = TARE_LOG_WARNING };

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

__attribute__ ((unused)) static bool
succeeds (int r, const struct tare_error *error, const char *name)
{
  if (!CHECK (r >= 0, "%s", name))
    tap_note ("%d %s", r, error->message);
  return r >= 0;
}

__attribute__ ((unused)) static bool
fails (int r, int code, const struct tare_error *error, const char *part, const char *name)
{
  bool good = r == code && strstr (error->message, part) != NULL;
  if (!CHECK (good, "%s", name))
    tap_note ("%d '%s', wanted %d '%s'", r, error->message, code, part);
  return good;
}

/* ---- helpers --------------------------------------------------------------------------------- */

__attribute__ ((unused)) static struct cgroup
plan (const char *name)
{
  struct cgroup cgroup = { 0 };
  struct tare_error error = { 0 };
  char path[256];
  snprintf (path, sizeof path, "%s/%s", top, name);
  if (cgroup_plan (&cgroup, TARE_CGROUP_CGROUPFS,
                   &(const struct cgroup_wish){ .id = "unused", .cgroups_path = path }, &test_log,
                   &error)
      < 0)
    {
      printf ("Bail out! plan: %s\n", error.message);
      exit (1);
    }
  return cgroup;
}

__attribute__ ((unused)) static struct cgroup
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

__attribute__ ((unused)) static bool
exists (const char *path)
{
  struct stat st;
  return lstat (path, &st) == 0;
}

/* In how many hierarchies the group is there. */
__attribute__ ((unused)) static size_t
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

__attribute__ ((unused)) static const char *
content (const struct cgroup *cgroup, const char *controller, const char *file)
{
  static char text[4096];
  const struct cgroup_hierarchy *h = hierarchy_held (cgroup, controller);
  if (h == NULL || group_read (h->fd, file, text, sizeof text) < 0)
    return "(none)";
  return text;
}

/* A process that does what function says, in the group. */
__attribute__ ((unused)) static pid_t
start_in (struct cgroup *cgroup, int (*function) (void *), void *argument)
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

__attribute__ ((unused)) static int
sleep_long (void *unused)
{
  (void) unused;
  while (pause () < 0)
    continue;
  return 0;
}

__attribute__ ((unused)) static int
wait_for (pid_t pid)
{
  int status = 0;
  return waitpid (pid, &status, 0) == pid ? status : -1;
}

__attribute__ ((unused)) static int
run_in (struct cgroup *cgroup, int (*function) (void *), void *argument)
{
  int status = wait_for (start_in (cgroup, function, argument));
  return WIFEXITED (status) ? WEXITSTATUS (status) : 128;
}

__attribute__ ((unused)) static int
apply (const struct cgroup *cgroup, const char *json, bool devices, struct tare_error *error)
{
  auto_ (arena)
  struct arena arena = { 0 };
  struct oci_resources *resources;
  const struct oci_source source = { .name = "resources", .bytes = json, .length = strlen (json) };
  *error = (struct tare_error){ 0 };
  int r = oci_read_resources (&arena, &source, &resources, error);
  if (r >= 0)
    r = cgroup_check (cgroup, resources, error);
  if (r >= 0)
    r = devices ? cgroup_apply_devices (cgroup, resources, error)
                : cgroup_apply (cgroup, resources, error);
  return r;
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
  if (cgroup_plan (&cgroup, TARE_CGROUP_CGROUPFS,
                   &(const struct cgroup_wish){ .id = "unused", .cgroups_path = top }, NULL, NULL)
      < 0)
    return;
  for (size_t i = 0; i < cgroup.n_hierarchies; i++)
    cgroup.hierarchies[i].fd =
        group_open (cgroup.hierarchies[i].root, cgroup.hierarchies[i].path, O_RDONLY);
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

static void
run_view (const char *name, void (*tests) (void))
{
  view = name;
  snprintf (top, sizeof top, "/tare-test-%d", (int) getpid ());
  tests ();
  remove_top ();
}

/* In the layout that the machine has, then with only v1 and only v2 mounted. */
__attribute__ ((unused)) static int
run_views (void (*tests) (void))
{
  if (geteuid () != 0 || !enter_mount_namespace ())
    {
      skip ("cgroups", "needs root");
      return tap_done ();
    }
  run_view ("as it is", tests);
  if (enter_mount_namespace () && show_v1 ())
    run_view ("v1", tests);
  else
    tap_note ("no controller has a v1 hierarchy here");
  umount2 ("/sys/fs/cgroup", MNT_DETACH);
  if (mount ("cgroup2", "/sys/fs/cgroup", "cgroup2", 0, NULL) == 0)
    run_view ("v2", tests);
  else
    tap_note ("no cgroup v2 here");
  return tap_done ();
}

#endif
