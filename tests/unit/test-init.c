/* The parts of tare-init that need no container: the table, program look-up, passwd, options, the
 * resolver on a directory of our own. */
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "init/init.h"
#include "tests/unit/tap.h"

static void
test_table (void)
{
  uint32_t sent = 0, received = 0;
  for (uint32_t i = 0; i < INIT_STEP_COUNT; i++)
    {
      const struct init_step_row *step = &init_steps[i];
      is_text (step->name, init_step_name (i + 1), "the row is in its place");
      ok (step->run != NULL || (!step->inside && step->sends != MESSAGE_NONE), "%s does something",
          step->name);
      ok (step->sends == MESSAGE_NONE || message_direction (step->sends) == MESSAGE_TO_HOST,
          "%s sends to the host", step->name);
      ok (step->receives == MESSAGE_NONE || message_direction (step->receives) == MESSAGE_TO_INIT,
          "%s receives from the host", step->name);
      ok ((step->sends == MESSAGE_NONE || (sent & 1u << step->sends) == 0)
              && (step->receives == MESSAGE_NONE || (received & 1u << step->receives) == 0),
          "%s: no message twice", step->name);
      sent |= 1u << step->sends;
      received |= 1u << step->receives;
    }
  for (uint32_t m = MESSAGE_NONE + 1; m < MESSAGE_COUNT; m++)
    if (m != MESSAGE_PLAN && m != MESSAGE_ERROR)
      ok (((message_direction (m) == MESSAGE_TO_HOST ? sent : received) & 1u << m) != 0,
          "%s has its row", message_name (m));
}

static void
test_options (void)
{
  char key[8];
  const char *value = "untouched";
  ok (option_split ("size=1=2", key, sizeof key, &value) == 0, "key=value");
  is_text (key, "size", "its key");
  is_text (value, "1=2", "its value");
  ok (option_split ("ro", key, sizeof key, &value) == 0 && value == NULL, "a flag");
  is_text (key, "ro", "its name");
  ok (option_split ("x=", key, sizeof key, &value) == 0, "an empty value");
  is_text (value, "", "is empty, not missing");
  ok (option_split ("12345678=x", key, sizeof key, &value) == -ENAMETOOLONG, "a key too long");
  ok (option_split ("1234567", key, sizeof key, &value) == 0, "a key that just fits");
}

static void
test_environment (void)
{
  static const char *const env[] = { "PATHS=1", "PATH=/a", "PATH=/b", "HOM=/x", "EMPTY=", NULL };
  is_text (environment_value (env, "PATH"), "/a", "the first of a name");
  is_text (environment_value (env, "EMPTY"), "", "an empty one");
  is_text (environment_value (env, "HOME"), NULL, "a missing one");
  is_text (environment_value (env, "PATHS=1"), NULL, "not a name");
}

static void
test_passwd (void)
{
  static const struct
  {
    const char *text;
    uint32_t uid;
    const char *home;
  } cases[] = {
    { "root:x:0:0:root:/root:/bin/sh\n", 0, "/root" },
    { "root:x:0:0:root:/root:/bin/sh", 0, "/root" },
    { "root:x:0:0:root:/root", 0, "/root" },
    { "root:x:0:0:root:/root:/bin/sh\n", 1, NULL },
    { "1000:x:0:0::/zero:\nuser:x:1000:1000::/home/u:\n", 1000, "/home/u" }, /* T40 */
    { "1000:x:0:0::/zero:\n", 1000, NULL },
    { "a:x:1:1::/first:\nb:x:1:1::/second:\n", 1, "/first" },
    { "a:x:1:1:::\nb:x:1:1::/second:\n", 1, "/second" },
    { "a:x:1:1::relative:\n", 1, NULL },
    { "a:x:+1:1::/plus:\na:x: 1:1::/space:\na:x:1x:1::/x:\na:x::1::/empty:\n", 1, NULL },
    { "a:x:4294967296:1::/big:\na:x:99999999999999999999:1::/huge:\n", 0, NULL },
    { "a:x:4294967295:1::/max:\n", UINT32_MAX, "/max" },
    { "\n\n:\n::\n:::::\na\n", 0, NULL },
    { "", 0, NULL },
  };
  char home[64];
  for (size_t i = 0; i < COUNT_OF (cases); i++)
    {
      int r = passwd_home (cases[i].text, strlen (cases[i].text), cases[i].uid, home, sizeof home);
      is_text (r == 0 ? home : NULL, cases[i].home, "HOME out of a passwd");
    }
  char longest[200] = "a:x:1:1::/";
  memset (longest + strlen (longest), 'x', 100);
  ok (passwd_home (longest, strlen (longest), 1, home, sizeof home) == -ENOENT, "a HOME too long");
  ok (passwd_home ("a:x:1:1::/a\0b:", 15, 1, home, sizeof home) == -ENOENT, "a HOME with a NUL");
}

/* ---- files --------------------------------------------------------------------------------- */

static char directory[] = "/tmp/tare-test-init-XXXXXX";

static int
remove_one (const char *path, const struct stat *st, int type, struct FTW *ftw)
{
  (void) st;
  (void) type;
  (void) ftw;
  return remove (path);
}

static const char *
below (const char *path)
{
  static char full[4096];
  snprintf (full, sizeof full, "%s/%s", directory, path);
  return full;
}

static void
make_file (const char *path, mode_t mode)
{
  int fd = open (below (path), O_CREAT | O_EXCL | O_WRONLY, mode);
  ok (fd >= 0 && close (fd) == 0, "a file %s", path);
}

static void
finds (const char *name, const char *search_path, const char *wanted)
{
  char path[PATH_MAX];
  struct tare_error error = { 0 };
  int r = program_find (name, search_path, path, sizeof path, &error);
  if (!ok (r == 0 && strcmp (path, wanted) == 0, "%s in %s", name, search_path))
    tap_note ("%d '%s' %s", r, r == 0 ? path : "", error.message);
}

static void
misses (const char *name, const char *search_path, enum tare_error_kind kind, const char *text)
{
  char path[PATH_MAX] = "untouched";
  struct tare_error error = { 0 };
  int r = program_find (name, search_path, path, sizeof path, &error);
  is_text (error.message, text, "words of a failed look-up");
  ok (r < 0 && error.kind == kind && strcmp (path, "untouched") == 0, "its class");
}

static void
test_programs (void)
{
  ok (chdir (directory) == 0 && mkdir ("one", 0755) == 0 && mkdir ("two", 0755) == 0
          && mkdir ("one/dir", 0755) == 0 && mkfifo ("one/fifo", 0755) == 0,
      "directories");
  make_file ("one/both", 0644);
  make_file ("two/both", 0755);
  make_file ("two/only", 0755);
  make_file ("one/text", 0644);
  make_file ("here", 0755);
  finds ("both", "one:two", "two/both");
  finds ("only", "one:two", "two/only");
  finds ("only", "/no/such:two:one", "two/only");
  finds ("here", "one::two", "./here");
  finds ("here", "one:", "./here");
  finds ("here", "", "./here");
  finds ("./here", NULL, "./here");
  finds ("two/only", "one", "two/only");
  finds ("sh", NULL, "/bin/sh");
  misses ("none", "one:two", TARE_ERROR_PROGRAM_NOT_FOUND,
          "exec: `none`: executable file not found in $PATH: no such file or directory");
  misses ("text", "one:two", TARE_ERROR_PROGRAM_NOT_EXECUTABLE, "exec: `text`: permission denied");
  misses ("dir", "two:one", TARE_ERROR_PROGRAM_NOT_EXECUTABLE,
          "exec: `dir`: is a directory: permission denied");
  misses ("one/fifo", "", TARE_ERROR_PROGRAM_NOT_EXECUTABLE,
          "exec: `one/fifo`: not a regular file: permission denied");
  misses ("one/none", "one", TARE_ERROR_PROGRAM_NOT_FOUND,
          "exec: `one/none`: no such file or directory");
  misses ("", "one", TARE_ERROR_PROGRAM_NOT_FOUND, "exec: ``: no such file or directory");
}

static bool
exists (const char *path, mode_t type)
{
  struct stat st;
  return lstat (below (path), &st) == 0 && (st.st_mode & S_IFMT) == type;
}

static int
makes (int root, const char *path, uint64_t flags, enum resolve_make last)
{
  int fd = resolve_or_make (root, path, flags, last);
  int r = fd < 0 ? fd : 0;
  close_fd (&fd);
  return r;
}

static void
test_resolver (void)
{
  ok (mkdir (below ("root"), 0755) == 0 && mkdir (below ("outside"), 0755) == 0, "directories");
  autoclose int root = open (below ("root"), O_PATH | O_DIRECTORY | O_CLOEXEC);
  is_number (makes (root, "/a/b//c/", 0, RESOLVE_DIRECTORY), 0, "directories are made");
  ok (exists ("root/a/b/c", S_IFDIR), "where they belong");
  is_number (makes (root, "/a/f", 0, RESOLVE_FILE), 0, "a file is made");
  ok (exists ("root/a/f", S_IFREG), "where it belongs");
  is_number (makes (root, "/a/f", 0, RESOLVE_DIRECTORY), 0, "what exists is taken as it is");
  is_number (makes (root, "/a/f/x", 0, RESOLVE_FILE), -ENOTDIR, "below a file");
  is_number (makes (root, "/", 0, RESOLVE_DIRECTORY), 0, "the root itself");
  is_number (makes (root, "/m/../../../outside/x", 0, RESOLVE_DIRECTORY), 0, "climbing");
  ok (exists ("root/outside/x", S_IFDIR) && !exists ("outside/x", S_IFDIR), "stays inside");
  ok (symlink ("../../outside", below ("root/out")) == 0
          && symlink ("/outside/new", below ("root/dangling")) == 0
          && symlink ("self", below ("root/self")) == 0,
      "links");
  is_number (makes (root, "/out/y", 0, RESOLVE_FILE), 0, "by a link that climbs");
  ok (exists ("root/outside/y", S_IFREG) && !exists ("outside/y", S_IFREG), "stays inside");
  is_number (makes (root, "/dangling", 0, RESOLVE_FILE), 0, "a dangling link");
  ok (exists ("root/outside/new", S_IFREG) && exists ("root/dangling", S_IFLNK), "is followed");
  is_number (makes (root, "/self/x", 0, RESOLVE_FILE), -ELOOP, "a loop ends");
  is_number (makes (root, "/out/z", RESOLVE_NO_SYMLINKS, RESOLVE_FILE), -ELOOP, "no links");
  ok (!exists ("root/outside/z", S_IFREG), "nothing was made");

  char name[300], deep[PATH_MAX + 10];
  memset (name, 'n', sizeof name - 1);
  name[0] = '/';
  name[sizeof name - 1] = '\0';
  is_number (makes (root, name, 0, RESOLVE_FILE), -ENAMETOOLONG, "a name too long");
  memset (deep, '/', sizeof deep - 1);
  deep[sizeof deep - 2] = 'x';
  deep[sizeof deep - 1] = '\0';
  is_number (makes (root, deep, 0, RESOLVE_FILE), -ENAMETOOLONG, "a path too long");

  const char *last = NULL;
  int fd = resolve_parent (root, "/p/q/name", 0, &last);
  ok (fd >= 0 && exists ("root/p/q", S_IFDIR), "the directory of a path");
  is_text (last, "name", "and the name");
  close_fd (&fd);
  is_number (resolve_parent (root, "/p/..", 0, &last), -EINVAL, "no name: ..");
  is_number (resolve_parent (root, "/p/", 0, &last), -EINVAL, "no name: slash");
  is_number ((long long) resolve_flags_of ("/dev/x"), RESOLVE_NO_SYMLINKS, "/dev has no links");
  is_number ((long long) resolve_flags_of ("/devices"), 0, "others may");
}

int
main (void)
{
  if (mkdtemp (directory) == NULL)
    return 99;
  test_table ();
  test_options ();
  test_environment ();
  test_passwd ();
  test_programs ();
  test_resolver ();
  (void) chdir ("/");
  (void) nftw (directory, remove_one, 16, FTW_DEPTH | FTW_PHYS);
  return tap_done ();
}
