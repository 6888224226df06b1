/* The life of groups on the real kernel, in each layout: made, entered, frozen, killed, removed,
 * and what is refused. Needs root. */
#define _GNU_SOURCE
#include "tests/unit/cgroup-live.h"

#include <sys/file.h>

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
          auto_ (pid_list)
          struct pid_list list = { 0 };
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
  uint64_t *counter =
      mmap (NULL, sizeof *counter, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
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
  fails (cgroup_create (&second, &error), -EBUSY, &error, "is being taken by another container",
         "create of a group that another container is just made in");
  (void) sys_flock (cgroup.hierarchies[0].fd, LOCK_UN);
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

/* Two processes that start a successor and end, for ever: whoever lists them is always late. */
static int
fork_on (void *unused)
{
  (void) unused;
  (void) fork ();
  for (;;)
    if (fork () > 0)
      _exit (0);
}

static void
test_forking (void)
{
  struct tare_error error = { 0 };
  struct cgroup cgroup = make ("forking");
  prctl (PR_SET_CHILD_SUBREAPER, 1);
  start_in (&cgroup, fork_on, NULL);
  usleep (20000);
  int64_t began = now_ms ();
  succeeds (cgroup_destroy (&cgroup, &error), &error, "destroy a group that forks all the time");
  CHECK (now_ms () - began < 5000, "in %lld ms", (long long) (now_ms () - began));
  CHECK (present (&cgroup) == 0, "nothing is left");
  cgroup_done (&cgroup);
  while (waitpid (-1, NULL, 0) > 0)
    continue;
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
  char text[16];
  pid_t pid = fork ();
  if (pid == 0)
    _exit (sleep_long (NULL)); /* killed as a straggler, in this one hierarchy */
  snprintf (text, sizeof text, "%d", (int) pid);
  CHECK (group_write (at, "cgroup.procs", text) == 0, "a process, %d groups down", made);
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
  CHECK (WTERMSIG (wait_for (pid)) == SIGKILL, "the process was killed");
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
  for (enum cgroup_use use = CGROUP_TO_FREEZE; use <= CGROUP_TO_SIGNAL; use++)
    {
      succeeds (cgroup_open (&again, TARE_CGROUP_CGROUPFS, use, recorded, count, NULL, &error),
                &error, "open as much as is of use");
      CHECK (cgroup_count (&again) >= 1 && cgroup_count (&again) <= (size_t) use + 1,
             "which is little");
      pid_t frozen = start_in (&cgroup, sleep_long, NULL);
      CHECK (cgroup_is_frozen (&again, &error) == 0, "it is not frozen");
      succeeds (cgroup_freeze (&again, true, &error), &error, "freeze");
      CHECK (cgroup_is_frozen (&again, &error) == 1, "it is frozen");
      succeeds (cgroup_kill (&again, &error), &error, "kill");
      succeeds (cgroup_freeze (&again, false, &error), &error, "thaw");
      CHECK (WTERMSIG (wait_for (frozen)) == SIGKILL, "killed");
      cgroup_done (&again);
    }
  succeeds (
      cgroup_open (&again, TARE_CGROUP_CGROUPFS, CGROUP_TO_CHANGE, recorded, count, NULL, &error),
      &error, "open what was recorded");
  CHECK (cgroup_count (&again) == count, "all of it");
  pid_t pid = start_in (&again, sleep_long, NULL);
  succeeds (cgroup_destroy (&again, &error), &error, "destroy through it");
  CHECK (WTERMSIG (wait_for (pid)) == SIGKILL && present (&cgroup) == 0, "nothing is left");
  cgroup_done (&again);
  succeeds (
      cgroup_open (&again, TARE_CGROUP_CGROUPFS, CGROUP_TO_CHANGE, recorded, count, NULL, &error),
      &error, "open what is gone");
  CHECK (cgroup_count (&again) == 0, "there is nothing");
  succeeds (cgroup_kill (&again, &error), &error, "kill of nothing");
  succeeds (cgroup_destroy (&again, &error), &error, "destroy of nothing");
  CHECK (cgroup_is_frozen (&again, &error) == 0, "nothing is not frozen");
  cgroup_done (&again);
  for (size_t i = 0; i < count; i++)
    free (directories[i]);
  cgroup_done (&cgroup);

  static const char *const bad[] = {
    "/etc", "/sys/fs/cgroup", "/sys/fs/cgroup/../../../etc", "relative", "", "/sys/fs/cgroup/a/../b"
  };
  for (size_t i = 0; i < COUNT_OF (bad); i++)
    fails (cgroup_open (&again, TARE_CGROUP_CGROUPFS, CGROUP_TO_CHANGE, &bad[i], 1, NULL, &error),
           -EINVAL, &error, "is no cgroup directory", bad[i]);
}

/* Two containers in one group, one after the other. */
static void
test_owner (void)
{
  struct tare_error error = { 0 };
  struct cgroup first = plan ("owner"), second = plan ("owner");
  first.owner = "first";
  second.owner = "second";
  succeeds (cgroup_create (&first, &error), &error, "create for the first");
  (void) sys_flock (first.hierarchies[0].fd, LOCK_UN);
  succeeds (cgroup_create (&second, &error), &error, "and for the second: nobody is in it");
  pid_t pid = start_in (&second, sleep_long, NULL);
  succeeds (cgroup_destroy (&first, &error), &error, "destroy for the first");
  CHECK (kill (pid, 0) == 0 && present (&second) == cgroup_count (&second),
         "it is the second's: it stays, and so does its process");
  succeeds (cgroup_destroy (&second, &error), &error, "destroy for the second");
  CHECK (present (&second) == 0 && WIFSIGNALED (wait_for (pid)), "is gone, with its process");
  cgroup_done (&first);
  cgroup_done (&second);
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
          const char *type = !new_namespace ? NULL : v1 ? "cgroup" : "cgroup2";
          good &= type == NULL ? m->type == NULL : m->type != NULL && str_equal (m->type, type);
          /* v2 without a namespace: the host's tree as it is, not a mount that would change it */
          bool whole = !v1 && !new_namespace;
          good &= str_after (m->source, "/sys/fs/cgroup") != NULL
                  && (strstr (m->source, "/mounts") == NULL) == whole;
          good &= (m->options[0] != NULL) == (v1 && new_namespace);
          good &= (*m->name == '\0') == !v1;
        }
      CHECK (good, "%zu mounts, namespace %d", mounts.n_mounts, new_namespace);
      cgroup_mounts_done (&mounts);
    }
  cgroup_done (&cgroup);
}

static void
tests (void)
{
  test_make ();
  test_enter ();
  test_clone ();
  test_freeze ();
  test_nested ();
  test_forking ();
  test_deep ();
  test_undo ();
  test_reopen ();
  test_owner ();
  test_mounts ();
}

int
main (void)
{
  return run_views (tests);
}
