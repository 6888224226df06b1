/* The state directory: what is refused there, what survives, what a container is said to be. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "state/record.h"
#include "state/state.h"
#include "sys/process.h"
#include "tap.h"

static char base[] = "/tmp/tare-test-state.XXXXXX";

#define STATE_INIT                                                                                 \
  {                                                                                                \
    .directory = -EBADF, .lock = -EBADF                                                            \
  }

static const char *
at (const char *name)
{
  static char paths[4][PATH_MAX];
  static int next;
  char *path = paths[next++ % 4];
  snprintf (path, PATH_MAX, "%s/%s", base, name);
  return path;
}

static void
write_file (const char *path, const void *bytes, size_t length)
{
  int fd = open (path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0 || write (fd, bytes, length) != (ssize_t) length)
    ok (false, "write %s", path);
  close (fd);
}

static void
make_link (const char *target, const char *path)
{
  if (symlink (target, path) < 0)
    ok (false, "symlink %s", path);
}

static bool
is_one_line (const char *message)
{
  return message[0] != '\0' && strpbrk (message, "\n\r\033") == NULL;
}

/* ---- ids and roots --------------------------------------------------------------------------- */

static void
test_ids (void)
{
  static const char *const good[] = { "a", "A9", "_x", "+", "a.b-c_d+e", "0" };
  static const char *const bad[] = { "",     ".",    "..",     "a/b", "../x", "a\nb", "-x",
                                     ".abc", "a b",  "a\033[", "é",   "a,b",  "/",    "a/../b",
                                     "a:b",  "a\tb", "*",      "~",   "a\\b", "$a",   "a%00" };
  char longest[NAME_MAX + 2];
  struct tare_error error = { 0 };
  for (size_t i = 0; i < sizeof good / sizeof *good; i++)
    ok (state_check_id (good[i], NULL) == 0, "id '%s'", good[i]);
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    {
      error.message[0] = '\0';
      int r = state_check_id (bad[i], &error);
      ok (r == -EINVAL && error.kind == TARE_ERROR_USAGE && is_one_line (error.message)
              && strstr (error.message, "invalid container ID format") != NULL,
          "bad id %zu is refused in one line", i);
    }
  memset (longest, 'a', sizeof longest);
  longest[NAME_MAX] = '\0';
  ok (state_check_id (longest, NULL) == 0, "255 letters");
  longest[NAME_MAX] = 'a';
  longest[NAME_MAX + 1] = '\0';
  ok (state_check_id (longest, NULL) == -EINVAL, "256 letters");
  ok (state_check_id (NULL, NULL) == -EINVAL, "no id at all");
}

static void
refused_root (const char *path, int code, const char *words)
{
  struct tare_error error = { 0 };
  int fd = state_open_root (path, true, &error);
  if (!ok (fd == code && is_one_line (error.message) && strstr (error.message, words) != NULL,
           "root refused: %s", words))
    tap_note ("%d: %s", fd, error.message);
  if (fd >= 0)
    close (fd);
}

static void
test_roots (void)
{
  struct stat st;
  struct tare_error error = { 0 };
  ok (state_open_root (at ("new/a/b"), false, &error) == -ENOENT, "a missing root is not made");
  int fd = state_open_root (at ("new/a/b"), true, &error);
  ok (fd >= 0 && fstat (fd, &st) == 0 && (st.st_mode & 07777) == 0700, "made, with 0700");
  close (fd);
  mkdir (at ("open"), 0700);
  chmod (at ("open"), 0777);
  refused_root (at ("open"), -EPERM, "others may write in it (mode 0777)");
  chmod (at ("open"), 0720);
  refused_root (at ("open"), -EPERM, "others may write");
  make_link (at ("new"), at ("link"));
  refused_root (at ("link"), -ENOTDIR, "symbolic link");
  write_file (at ("file"), "x", 1);
  refused_root (at ("file"), -ENOTDIR, "not a directory");
  refused_root (at ("file/below"), -ENOTDIR, "not a directory");
  refused_root ("/", -EINVAL, "must not be /");
  mkdir (at ("foreign"), 0700);
  if (geteuid () == 0 && chown (at ("foreign"), 12345, 12345) == 0)
    refused_root (at ("foreign"), -EPERM, "belongs to user 12345");
  else
    skip ("root of another user", "needs root");
}

/* ---- one directory --------------------------------------------------------------------------- */

static int
open_root (void)
{
  int fd = state_open_root (at ("root"), true, NULL);
  if (fd < 0)
    ok (false, "open the root");
  return fd;
}

/* A whole record, in the directory of id. */
static void
make (int root, const char *id)
{
  static struct oci_pair annotations[] = { { "a", "1" }, { "b\n", "\"" } };
  static const char *groups[] = { "/sys/fs/cgroup/unified/x", "/sys/fs/cgroup/pids/x" };
  struct state state = STATE_INIT;
  struct tare_error error = { 0 };
  if (state_reserve (root, id, &state, &error) < 0)
    {
      ok (false, "reserve %s: %s", id, error.message);
      return;
    }
  state.record->status = STATE_RUNNING;
  state.record->bundle = "/bundle";
  state.record->rootfs = "/bundle/rootfs";
  state.record->annotations = annotations;
  state.record->n_annotations = 2;
  state.record->cgroups = groups;
  state.record->n_cgroups = 2;
  state.record->cgroup_manager = TARE_CGROUP_DISABLED;
  state.record->new_pid_namespace = true;
  if (state_note_process (&state, getpid (), &error) < 0 || state_write (&state, &error) < 0
      || state_write_config (&state, "{}", 2, &error) < 0)
    ok (false, "write %s: %s", id, error.message);
  state_done (&state);
}

static void
test_reserve (int root)
{
  struct state state = STATE_INIT, again = STATE_INIT;
  struct tare_error error = { 0 };
  ok (state_open (root, "c1", false, &state, &error) == -ENOENT
          && error.kind == TARE_ERROR_NOT_FOUND,
      "unknown");
  is_text (error.message, "container `c1` does not exist", "and its words");
  ok (state_reserve (root, "c1", &state, &error) == 0 && state.lock >= 0, "reserved and locked");
  ok (state_reserve (root, "c1", &again, &error) == -EEXIST && error.kind == TARE_ERROR_EXISTS,
      "a second time: taken");
  is_text (error.message, "container `c1` already exists", "and its words");
  ok (state_open (root, "c1", false, &again, &error) == -ENOENT
          && error.kind == TARE_ERROR_NOT_FOUND,
      "for others it is not there yet");
  ok (state_write (&state, &error) == 0, "written");
  ok (state_open (root, "c1", false, &again, &error) == 0, "others can read it meanwhile");
  ok (again.record->status == STATE_CREATING && again.record->pid == 0
          && again.record->owner == geteuid () && strlen (again.record->created) == 30
          && again.record->created[29] == 'Z',
      "as being created, now, by us");
  ok (state_now (&again) == STATE_CREATING, "creating, while its maker holds the lock");
  state_done (&state);
  ok (state_now (&again) == STATE_STOPPED, "stopped, once its maker is gone");
  state_done (&again);
}

static void
test_round_trip (int root)
{
  struct state state = STATE_INIT;
  struct tare_error error = { 0 };
  make (root, "c2");
  ok (state_open (root, "c2", true, &state, &error) == 0, "opened and locked");
  const struct state_record *r = state.record;
  ok (r->status == STATE_RUNNING && r->pid == getpid () && r->start_time != 0
          && r->cgroup_manager == TARE_CGROUP_DISABLED && r->new_pid_namespace,
      "numbers come back");
  ok (r->n_annotations == 2 && strcmp (r->annotations[1].key, "b\n") == 0
          && strcmp (r->annotations[1].value, "\"") == 0 && r->n_cgroups == 2
          && strcmp (r->cgroups[1], "/sys/fs/cgroup/pids/x") == 0
          && strcmp (r->bundle, "/bundle") == 0,
      "texts and lists come back");
  ok (state_now (&state) == STATE_RUNNING, "running");
  int pidfd = state_pidfd (&state, &error);
  ok (pidfd >= 0, "with a pidfd");
  close (pidfd);
  state.record->start_time++;
  ok (state_now (&state) == STATE_STOPPED, "another start time: another process, so stopped");
  ok (state_pidfd (&state, &error) == -ESRCH && error.kind == TARE_ERROR_STATUS,
      "and no pidfd of it");
  is_text (error.message, "container not running: no such process", "in the managers' words");
  ok (state_remove (root, &state, &error) == 0, "removed");
  ok (faccessat (root, "c2", F_OK, 0) < 0, "and gone");
  ok (state_remove (root, &state, &error) == 0, "removed again: no error");
  state_done (&state);
}

/* ---- damaged records ------------------------------------------------------------------------- */

static bool
is_corrupt (int root, const char *id, const char *words)
{
  struct state state = STATE_INIT;
  struct tare_error error = { 0 };
  int r = state_open (root, id, false, &state, &error);
  bool good = r < 0 && error.kind == TARE_ERROR_CORRUPT && is_one_line (error.message)
              && strstr (error.message, words) != NULL && strstr (error.message, id) != NULL;
  if (!good)
    tap_note ("%d, kind %u: %s", r, error.kind, error.message);
  state_done (&state);
  return good;
}

/* What delete --force does with it. */
static bool
clears_away (int root, const char *id)
{
  struct state state = STATE_INIT;
  struct tare_error error = { 0 };
  int r = state_open (root, id, true, &state, &error);
  if (r < 0 && (error.kind == TARE_ERROR_CORRUPT || error.kind == TARE_ERROR_NOT_FOUND))
    r = state_open_damaged (root, id, &state, &error);
  if (r >= 0)
    r = state_remove (root, &state, &error);
  state_done (&state);
  if (r < 0)
    tap_note ("%s", error.message);
  return r >= 0 && faccessat (root, id, F_OK, AT_SYMLINK_NOFOLLOW) < 0;
}

static void
test_bytes (int root)
{
  static const struct
  {
    const char *name, *bytes, *words;
  } rows[] = {
    { "nothing", "", "state.json" },
    { "no object", "[]", "state.json" },
    { "garbage", "\x80\xff\x01garbage", "state.json" },
    { "no members", "{}", "missing" },
    { "another id",
      "{\"version\":1,\"id\":\"other\",\"status\":\"created\",\"created\":\"x\",\"owner\":0}",
      "`other`" },
    { "a later version",
      "{\"version\":2,\"id\":\"d\",\"status\":\"created\",\"created\":\"x\",\"owner\":0}",
      "version" },
    { "an unknown status",
      "{\"version\":1,\"id\":\"d\",\"status\":\"dead\",\"created\":\"x\",\"owner\":0}", "status" },
    { "a negative pid",
      "{\"version\":1,\"id\":\"d\",\"status\":\"created\",\"created\":\"x\",\"owner\":0,\"pid\":-"
      "1}",
      "pid" },
    { "a huge pid",
      "{\"version\":1,\"id\":\"d\",\"status\":\"created\",\"created\":\"x\",\"owner\":0,\"pid\":"
      "4294967297}",
      "pid" },
    { "a key twice",
      "{\"version\":1,\"version\":1,\"id\":\"d\",\"status\":\"created\",\"owner\":0}", "version" },
    { "text behind it",
      "{\"version\":1,\"id\":\"d\",\"status\":\"created\",\"created\":\"x\",\"owner\":0}x",
      "state.json" },
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    {
      make (root, "d");
      write_file (at ("root/d/state.json"), rows[i].bytes, strlen (rows[i].bytes));
      ok (is_corrupt (root, "d", rows[i].words), "record: %s", rows[i].name);
      ok (clears_away (root, "d"), "and it can be cleared away");
    }
}

static void
put_directory (const char *path)
{
  mkdir (path, 0700);
}
static void
put_fifo (const char *path)
{
  mkfifo (path, 0600);
}
static void
put_link (const char *path)
{
  make_link ("config.json", path);
}
static void
put_huge (const char *path)
{
  write_file (path, "{", 1);
  if (truncate (path, OCI_SIZE_MAX + 1L) < 0)
    ok (false, "truncate");
}
static void
put_writable (const char *path)
{
  write_file (path, "{}", 2);
  chmod (path, 0666);
}
static void
put_nothing (const char *path)
{
  (void) path;
}

static void
test_files (int root)
{
  static const struct
  {
    const char *name, *words;
    void (*put) (const char *path);
  } rows[] = {
    { "a directory", "not a regular file", put_directory },
    { "a FIFO", "not a regular file", put_fifo },
    { "a symbolic link", "symbolic links", put_link },
    { "33 MiB", "larger than 32 MiB", put_huge },
    { "writable by others", "others may write", put_writable },
    { "missing", "missing", put_nothing },
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    {
      make (root, "d");
      unlink (at ("root/d/state.json"));
      rows[i].put (at ("root/d/state.json"));
      ok (is_corrupt (root, "d", rows[i].words), "record: %s", rows[i].name);
      ok (clears_away (root, "d"), "and it can be cleared away");
    }
}

/* Cut at every place, and with every byte spoilt: an error or a record, never more. */
static void
test_every_byte (int root)
{
  char bytes[4096], spoilt[4096];
  make (root, "d");
  int fd = open (at ("root/d/state.json"), O_RDONLY | O_CLOEXEC);
  ssize_t length = read (fd, bytes, sizeof bytes);
  close (fd);
  size_t opened = 0, crooked = 0;
  for (ssize_t i = 0; i < length - 2; i++) /* the last two are "}\n" */
    {
      struct state state = STATE_INIT;
      write_file (at ("root/d/state.json"), bytes, (size_t) i);
      opened += state_open (root, "d", false, &state, NULL) >= 0;
      state_done (&state);
    }
  ok (length > 100 && opened == 0, "cut anywhere in %zd bytes: an error", length);
  for (ssize_t i = 0; i < length; i++)
    {
      struct state state = STATE_INIT;
      struct tare_error error = { 0 };
      memcpy (spoilt, bytes, (size_t) length);
      spoilt[i] = (char) (spoilt[i] ^ 0x80);
      write_file (at ("root/d/state.json"), spoilt, (size_t) length);
      int r = state_open (root, "d", false, &state, &error);
      crooked += r >= 0 || error.kind != TARE_ERROR_CORRUPT || !is_one_line (error.message);
      state_done (&state);
    }
  ok (crooked == 0, "any byte spoilt: an error of one line");
  ok (clears_away (root, "d"), "and it can be cleared away");
}

static void
test_directories (int root)
{
  struct tare_error error = { 0 };
  struct state state = STATE_INIT;
  make (root, "d");
  chmod (at ("root/d"), 0777);
  ok (is_corrupt (root, "d", "others may write"), "directory: others may write in it");
  ok (!clears_away (root, "d"), "then it is left alone");
  chmod (at ("root/d"), 0700);
  if (geteuid () == 0 && chown (at ("root/d"), 12345, 0) == 0)
    {
      ok (is_corrupt (root, "d", "belongs to user 12345"), "directory: of another user");
      if (chown (at ("root/d"), 0, 0) < 0)
        ok (false, "chown");
    }
  else
    skip ("directory of another user", "needs root");
  ok (state_open_damaged (root, "d", &state, NULL) == -EAGAIN && state.directory < 0,
      "ours again: it is not damaged any more");
  ok (clears_away (root, "d"), "and cleared away");
  mkdir (at ("elsewhere"), 0700);
  write_file (at ("elsewhere/precious"), "x", 1);
  make_link (at ("elsewhere"), at ("root/d"));
  ok (is_corrupt (root, "d", "symbolic link"), "directory: a symbolic link");
  ok (!clears_away (root, "d") && access (at ("elsewhere/precious"), F_OK) == 0,
      "which is not followed");
  unlink (at ("root/d"));
  write_file (at ("root/d"), "x", 1);
  ok (is_corrupt (root, "d", "not a directory"), "directory: a file");
  unlink (at ("root/d"));
  mkdir (at ("root/d"), 0700);
  ok (state_open (root, "d", false, &state, &error) == -ENOENT
          && error.kind == TARE_ERROR_NOT_FOUND,
      "directory: empty, as one that is just being made");
  ok (state_reserve (root, "d", &state, &error) == -EEXIST, "its id is taken");
  ok (clears_away (root, "d"), "but it can be cleared away");
}

static void
test_remove (int root)
{
  struct state state = STATE_INIT;
  struct tare_error error = { 0 };
  make (root, "d");
  mkdir (at ("root/d/sub"), 0700);
  mkdir (at ("root/d/sub/sub"), 0);
  make_link (at ("elsewhere"), at ("root/d/sub/link"));
  write_file (at ("root/d/.state.json.new"), "half", 4);
  ok (state_open (root, "d", true, &state, &error) == 0 && state_write (&state, &error) == 0,
      "a temporary file that was left does not stand in the way of a write");
  ok (state_remove (root, &state, &error) == 0 && access (at ("root/d"), F_OK) < 0,
      "directories below go too");
  ok (access (at ("elsewhere/precious"), F_OK) == 0, "and what a link points to does not");
  state_done (&state);
}

/* ---- locks ----------------------------------------------------------------------------------- */

static pid_t
hold_lock (int root, const char *id, unsigned milliseconds, bool remove)
{
  pid_t child = fork ();
  if (child != 0)
    {
      usleep (100 * 1000);
      return child;
    }
  struct state state = STATE_INIT;
  int r = state_open (root, id, true, &state, NULL);
  usleep (milliseconds * 1000);
  if (r >= 0 && remove)
    r = state_remove (root, &state, NULL);
  _exit (r < 0);
}

static void
test_locks (int root)
{
  struct state state = STATE_INIT;
  struct tare_error error = { 0 };
  int status;
  make (root, "d");
  pid_t child = hold_lock (root, "d", 300, false);
  ok (state_open (root, "d", true, &state, &error) == 0, "waits for the lock");
  ok (waitpid (child, &status, WNOHANG) == child || waitpid (child, &status, 0) == child,
      "which the other let go");
  state_done (&state);
  child = hold_lock (root, "d", 300, true);
  ok (state_open (root, "d", true, &state, &error) == -ENOENT && error.kind == TARE_ERROR_NOT_FOUND,
      "who waited while it was deleted finds nothing");
  ok (waitpid (child, &status, 0) == child && status == 0, "and the delete went through");
  state_done (&state);
}

/* The same id from many sides: one winner. */
static void
test_one_winner (int root)
{
  enum
  {
    MANY = 16
  };
  pid_t children[MANY];
  int winners = 0, losers = 0;
  for (int i = 0; i < MANY; i++)
    if ((children[i] = fork ()) == 0)
      {
        struct state state = STATE_INIT;
        int r = state_reserve (root, "storm", &state, NULL);
        usleep (200 * 1000);
        _exit (r == 0 ? 0 : r == -EEXIST ? 1 : 2);
      }
  for (int i = 0; i < MANY; i++)
    {
      int status = 0;
      waitpid (children[i], &status, 0);
      winners += WEXITSTATUS (status) == 0;
      losers += WEXITSTATUS (status) == 1;
    }
  ok (winners == 1 && losers == MANY - 1, "%d sides, %d winner, %d losers", MANY, winners, losers);
  ok (clears_away (root, "storm"), "cleared away");
}

/* Makes the id and removes it again, or clears away what others have begun; says whether two ever
 * had it at once. */
static int
fight (int root, bool makes)
{
  for (int i = 0; i < 400; i++)
    {
      struct state state = STATE_INIT;
      int r = makes ? state_reserve (root, "fight", &state, NULL)
                    : state_open_damaged (root, "fight", &state, NULL);
      if (r >= 0 && makes)
        {
          int claim = open (at ("claim"), O_CREAT | O_EXCL | O_CLOEXEC, 0600);
          if (claim < 0)
            return 1;
          usleep (100);
          close (claim);
          if (state_write (&state, NULL) < 0
              || faccessat (state.directory, "state.json", F_OK, 0) < 0
              || unlink (at ("claim")) < 0)
            return 1;
        }
      if (r >= 0)
        (void) state_remove (root, &state, NULL);
      state_done (&state);
    }
  return 0;
}

static void
test_fight (int root)
{
  enum
  {
    MANY = 6
  };
  pid_t children[MANY];
  int losses = 0;
  for (int i = 0; i < MANY; i++)
    if ((children[i] = fork ()) == 0)
      _exit (fight (root, i % 3 != 2));
  for (int i = 0; i < MANY; i++)
    {
      int status = 0;
      waitpid (children[i], &status, 0);
      losses += status != 0;
    }
  ok (losses == 0, "made and cleared away at once: never two have it, nobody loses it");
  unlink (at ("claim"));
  struct state state = STATE_INIT;
  make (root, "whole");
  ok (state_open_damaged (root, "whole", &state, NULL) == -EAGAIN, "what is whole is not damaged");
  state_done (&state);
}

/* ---- what a container is --------------------------------------------------------------------- */

static enum state_status
status_of (pid_t pid, enum state_status recorded)
{
  struct state state = STATE_INIT;
  struct state_record record = { .status = recorded };
  state.record = &record;
  if (state_note_process (&state, pid, NULL) < 0)
    return STATE_PAUSED;
  return state_now (&state);
}

/* A program that sleeps, executed from a memfd of that name. */
static pid_t
sleep_in_memfd (const char *name)
{
  int from = open ("/bin/sleep", O_RDONLY | O_CLOEXEC);
  int memfd = memfd_create (name, MFD_CLOEXEC);
  char bytes[65536];
  ssize_t n;
  while ((n = read (from, bytes, sizeof bytes)) > 0)
    if (write (memfd, bytes, (size_t) n) != n)
      return -1;
  pid_t child = fork ();
  if (child == 0)
    {
      char *const argv[] = { (char *) "sleep", (char *) "100", NULL };
      char *const envp[] = { NULL };
      sys_execveat (memfd, "", argv, envp, AT_EMPTY_PATH);
      _exit (1);
    }
  close (from);
  close (memfd);
  usleep (200 * 1000);
  return child;
}

static void
test_statuses (void)
{
  int status;
  pid_t other = sleep_in_memfd ("other"), init = sleep_in_memfd ("tare-init");
  ok (status_of (getpid (), STATE_RUNNING) == STATE_RUNNING, "recorded running, alive");
  ok (status_of (getpid (), STATE_STOPPED) == STATE_STOPPED, "recorded stopped");
  ok (status_of (getpid (), STATE_CREATED) == STATE_RUNNING,
      "recorded created, executes a program: running");
  ok (status_of (other, STATE_CREATED) == STATE_RUNNING, "the same with another memfd");
  ok (status_of (init, STATE_CREATED) == STATE_CREATED, "recorded created, still tare-init");
  kill (other, SIGKILL);
  usleep (100 * 1000);
  ok (status_of (other, STATE_RUNNING) == STATE_STOPPED, "a zombie is stopped");
  waitpid (other, &status, 0);
  kill (init, SIGKILL);
  waitpid (init, &status, 0);
  struct state state = STATE_INIT;
  struct state_record record = { .status = STATE_RUNNING, .pid = init, .start_time = 1 };
  state.record = &record;
  ok (state_now (&state) == STATE_STOPPED, "no process of that pid: stopped");
  ok (state_pidfd (&state, NULL) == -ESRCH, "and no pidfd");
  record.pid = 0;
  ok (state_pidfd (&state, NULL) == -ESRCH, "no pid: no pidfd");
}

/* ---- lists, full disks ----------------------------------------------------------------------- */

static void
test_list (void)
{
  char **ids;
  size_t count;
  int root = state_open_root (at ("list"), true, NULL);
  ok (state_list (root, &ids, &count, NULL) == 0 && count == 0, "an empty root");
  state_list_free (ids, count);
  const char *const names[] = { "list/b", "list/a", "list/.hidden", "list/c d", "list/-x" };
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    mkdir (at (names[i]), 0700);
  ok (state_list (root, &ids, &count, NULL) == 0 && count == 2 && strcmp (ids[0], "a") == 0
          && strcmp (ids[1], "b") == 0,
      "sorted, and only what can be an id");
  state_list_free (ids, count);
  close (root);
}

static void
fill_disk (const char *path)
{
  char block[4096] = { 0 };
  int fd = open (path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  while (write (fd, block, sizeof block) > 0)
    ;
  close (fd);
}

/* The root on a file system of 64 KiB. */
static void
test_full_disk (void)
{
  struct state state = STATE_INIT, other = STATE_INIT;
  struct tare_error error = { 0 };
  mkdir (at ("full"), 0700);
  if (unshare (CLONE_NEWNS) < 0 || mount (NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0
      || mount ("tmpfs", at ("full"), "tmpfs", 0, "size=64k,mode=700,nr_inodes=20") < 0)
    {
      skip ("full disk", "needs root");
      return;
    }
  int root = state_open_root (at ("full"), false, NULL);
  make (root, "d");
  fill_disk (at ("full/filler"));
  ok (state_open (root, "d", true, &state, &error) == 0, "a full disk: can be read");
  ok (state_write (&state, &error) == -ENOSPC && is_one_line (error.message), "cannot be written");
  ok (access (at ("full/d/.state.json.new"), F_OK) < 0, "and leaves nothing half");
  ok (state_reserve (root, "e", &other, &error) == 0 && state_write (&other, &error) == -ENOSPC
          && state_remove (root, &other, &error) == 0 && access (at ("full/e"), F_OK) < 0,
      "a new one fails, and leaves nothing");
  state_done (&other);
  ok (state_open (root, "d", false, &other, &error) == 0 && other.record->pid == getpid (),
      "the old record is whole");
  state_done (&other);
  mount (NULL, at ("full"), NULL, MS_REMOUNT | MS_RDONLY, "size=64k,mode=700");
  ok (state_remove (root, &state, &error) == -EROFS && is_one_line (error.message),
      "read-only: a clean error");
  mount (NULL, at ("full"), NULL, MS_REMOUNT, "size=64k,mode=700");
  ok (state_remove (root, &state, &error) == 0 && access (at ("full/d"), F_OK) < 0,
      "delete works on a full disk");
  state_done (&state);
  unlink (at ("full/filler"));
  char name[32];
  int made = 0;
  do
    snprintf (name, sizeof name, "full/i%d", made++);
  while (mknod (at (name), S_IFREG | 0600, 0) == 0);
  ok (state_reserve (root, "e", &other, &error) < 0 && access (at ("full/e"), F_OK) < 0,
      "out of inodes (after %d): fails, and leaves nothing", made);
  close (root);
  umount2 (at ("full"), MNT_DETACH);
}

int
main (void)
{
  if (mkdtemp (base) == NULL)
    return 1;
  test_ids ();
  test_roots ();
  int root = open_root ();
  test_reserve (root);
  test_round_trip (root);
  test_bytes (root);
  test_files (root);
  test_every_byte (root);
  test_directories (root);
  test_remove (root);
  test_locks (root);
  test_one_winner (root);
  test_fight (root);
  test_statuses ();
  test_list ();
  test_full_disk ();
  close (root);
  char *const argv[] = { (char *) "rm", (char *) "-rf", base, NULL };
  pid_t child = fork ();
  if (child == 0)
    {
      execvp ("rm", argv);
      _exit (1);
    }
  waitpid (child, NULL, 0);
  return tap_done ();
}
