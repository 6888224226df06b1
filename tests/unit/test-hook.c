/* hook_run: what a hook gets, what becomes of what it gives, how long it may take. */
#include "plan/hook.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sys/sys.h"
#include "tests/unit/tap.h"

static const char state[] = "{\"id\":\"c1\"}";

static double
seconds (void)
{
  struct timespec now;
  clock_gettime (CLOCK_MONOTONIC, &now);
  return (double) now.tv_sec + (double) now.tv_nsec / 1e9;
}

static int
run_script (const char *script, uint32_t timeout, struct tare_error *error)
{
  const char *argv[] = { "a name", "-c", script, NULL };
  const struct hook hook = {
    .label = "hooks.prestart[0]",
    .path = "/bin/sh",
    .argv = argv,
    .timeout = timeout,
    .state = state,
    .state_length = strlen (state),
    .directory = -EBADF,
  };
  *error = (struct tare_error){ 0 };
  return hook_run (&hook, error);
}

static void
passes (const char *script, const char *name)
{
  struct tare_error error;
  if (!ok (run_script (script, 0, &error) == 0, "%s", name))
    tap_note ("%s", error.message);
}

static void
fails (const char *script, const char *message, const char *name)
{
  struct tare_error error;
  ok (run_script (script, 0, &error) < 0, "%s", name);
  is_text (error.message, message, name);
  is_number (error.kind, TARE_ERROR_HOOK, "its class");
}

static void
test_input (void)
{
  passes ("test \"$(cat)\" = '{\"id\":\"c1\"}'", "the state is on standard input");
  passes ("test \"$(cat /dev/stdin)\" = '{\"id\":\"c1\"}'", "and by name");
  passes ("exec <&-; exit 0", "one that closes its input");
  passes ("exit 0", "one that reads nothing");
  passes ("! echo x >&0", "nobody writes in it");
  passes (
      "test \"$0\" = 'a name' || test \"$(tr '\\0' ' ' </proc/$$/cmdline | cut -c1-6)\" = 'a name'",
      "args[0] is what was asked for");
}

static void
test_surroundings (void)
{
  passes ("test \"$(ls /proc/self/fd | tr '\\n' ' ')\" = '0 1 2 3 '",
          "descriptors 0 to 2, and ls's");
  passes ("test $(cut -d' ' -f5,6 /proc/self/stat | tr -s ' ' | cut -d' ' -f1) = $$",
          "a process group of its own");
  signal (SIGUSR1, SIG_IGN);
  sigset_t set, old;
  sigfillset (&set);
  sigprocmask (SIG_BLOCK, &set, &old);
  passes ("test $(grep SigBlk /proc/self/status | cut -f2) = 0000000000000000",
          "no signal blocked");
  passes ("test $(grep SigIgn /proc/self/status | cut -f2) = 0000000000000000", "nor ignored");
  sigprocmask (SIG_SETMASK, &old, NULL);
  passes (
      "test $(grep CapInh /proc/self/status | cut -f2) = 0000000000000000 && test $(grep CapAmb "
      "/proc/self/status | cut -f2) = 0000000000000000",
      "nothing inheritable or ambient");
}

static void
test_environment (void)
{
  const char *argv[] = { "sh", "-c",
                         "test \"$A\" = b && test -z \"$PATH_OF_OURS\" && test $PWD = /usr", NULL };
  const char *envp[] = { "A=b", NULL };
  int directory = open ("/usr", O_PATH | O_DIRECTORY);
  struct hook hook = {
    .label = "hooks.prestart[0]",
    .path = "/bin/sh",
    .argv = argv,
    .envp = envp,
    .state = state,
    .state_length = strlen (state),
    .directory = directory,
  };
  struct tare_error error = { 0 };
  setenv ("PATH_OF_OURS", "x", 1);
  ok (hook_run (&hook, &error) == 0, "its environment and directory are what was given");
  argv[2] = "test \"$PATH_OF_OURS\" = x";
  hook.envp = NULL;
  ok (hook_run (&hook, &error) == 0, "without one, it is ours");
  close (directory);
}

static void
test_failures (void)
{
  struct tare_error error = { 0 };
  fails ("exit 3", "hooks.prestart[0] '/bin/sh': exit status 3", "an exit status");
  fails ("echo; echo why; echo more >&2; exit 4",
         "hooks.prestart[0] '/bin/sh': exit status 4: why\\x0amore", "with what it printed");
  fails ("kill -9 $$", "hooks.prestart[0] '/bin/sh': killed by signal 9", "a signal");
  fails (
      "i=0; while [ $i -lt 100 ]; do printf 'x\xc3\xa9\xc3\xa9y'; i=$((i+1)); done; exit 1",
      "hooks.prestart[0] '/bin/sh': exit status 1: "
      "x\xc3\xa9\xc3\xa9yx\xc3\xa9\xc3\xa9yx\xc3\xa9\xc3\xa9yx\xc3\xa9\xc3\xa9yx\xc3\xa9\xc3\xa9y"
      "x\xc3\xa9\xc3\xa9yx\xc3\xa9\xc3\xa9yx\xc3\xa9\xc3\xa9yx\xc3\xa9\xc3\xa9yx\xc3\xa9\xc3\xa9y"
      "x\xc3\xa9\xc3\xa9yx\xc3\xa9\xc3\xa9yx\xc3\xa9\xc3\xa9yx\xc3\xa9\xc3\xa9yx\xc3\xa9\xc3\xa9y"
      "x\xc3\xa9\xc3\xa9yx\xc3\xa9\xc3\xa9yx\xc3\xa9\xc3\xa9yx\xc3\xa9\xc3\xa9yx\xc3\xa9\xc3\xa9y"
      "x\xc3\xa9\xc3\xa9yx\xc3\xa9\xc3\xa9yx\xc3\xa9\xc3\xa9yx\xc3\xa9\xc3\xa9yx\xc3\xa9\xc3\xa9y"
      "x\xc3\xa9\xc3\xa9yx\xc3\xa9\xc3\xa9yx\xc3\xa9\xc3\xa9yx\xc3\xa9\xc3\xa9yx\xc3\xa9\xc3\xa9y"
      "x\xc3\xa9\xc3\xa9yx\xc3\xa9\xc3\xa9yx\xc3\xa9\xc3\xa9yx",
      "its first 200 bytes, no character cut");
  const char *argv[] = { "x", NULL };
  const struct hook hook = { .label = "hooks.poststop[2]",
                             .path = "/no/such",
                             .argv = argv,
                             .state = state,
                             .state_length = 2,
                             .directory = -EBADF };
  is_number (hook_run (&hook, &error), -ENOENT, "a program that is not there");
  is_text (error.message, "hooks.poststop[2] '/no/such': No such file or directory", "its words");
  is_number (error.kind, TARE_ERROR_HOOK, "its class");
}

static void
test_timeout (void)
{
  struct tare_error error;
  char path[] = "/tmp/tare-hook-XXXXXX";
  close (mkstemp (path));
  char script[256];
  snprintf (script, sizeof script,
            "exec >/dev/null; (sh -c 'trap \"\" TERM; while :; do date +%%N >%s; sleep 0.05; "
            "done') & wait",
            path);
  double began = seconds ();
  is_number (run_script (script, 1, &error), -ETIME, "a hook that hangs");
  double took = seconds () - began;
  ok (took > 0.9 && took < 3, "ends at its timeout: %.2f s", took);
  is_text (error.message, "hooks.prestart[0] '/bin/sh': hook ran past its timeout of 1 s",
           "in words");
  char first[64] = "", second[64] = "";
  int fd = open (path, O_RDONLY);
  usleep (300000);
  (void) !pread (fd, first, sizeof first - 1, 0);
  usleep (300000);
  (void) !pread (fd, second, sizeof second - 1, 0);
  is_text (second, first, "its children have ended with it");
  close (fd);
  unlink (path);
  ok (run_script ("exit 0", 4000000000u, &error) == 0, "a timeout of a century does not overflow");
}

static void
test_output (void)
{
  struct tare_error error;
  double began = seconds ();
  passes ("head -c 10485760 /dev/zero; head -c 10485760 /dev/zero >&2",
          "20 MiB of output do not block");
  is_number (run_script ("sleep 2 & exit 0", 0, &error), 0, "a daemon that holds the output");
  ok (seconds () - began < 1.9, "does not hold us");
  fails ("sleep 2 & echo gone; exit 7", "hooks.prestart[0] '/bin/sh': exit status 7: gone",
         "nor what was printed before");
  passes ("yes >/dev/stdout & exit 0", "nor one that never stops printing");
}

/* As a library's caller may be: no 0, 1 and 2, and children of its own. */
static void
test_closed_descriptors (void)
{
  pid_t pid = fork ();
  if (pid == 0)
    {
      struct tare_error error;
      close (0);
      close (1);
      close (2);
      _exit (run_script ("test \"$(cat)\" = '{\"id\":\"c1\"}' && echo x && echo y >&2", 0, &error)
             < 0);
    }
  int status = 0;
  waitpid (pid, &status, 0);
  ok (WIFEXITED (status) && WEXITSTATUS (status) == 0, "with descriptors 0 to 2 closed");
}

static void
test_no_traces (void)
{
  struct tare_error error;
  int before = dup (0);
  close (before);
  run_script ("exit 1", 1, &error);
  run_script ("sleep 5", 1, &error);
  int after = dup (0);
  close (after);
  is_number (after, before, "no descriptor is left open");
  ok (waitpid (-1, NULL, WNOHANG | __WALL) < 0 && errno == ECHILD, "no child is left");
}

int
main (void)
{
  test_input ();
  test_surroundings ();
  test_environment ();
  test_failures ();
  test_timeout ();
  test_output ();
  test_closed_descriptors ();
  test_no_traces ();
  return tap_done ();
}
