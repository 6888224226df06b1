/* launch [OPTION...] PROGRAM [ARG...]: a program with a start that no shell can give it.
 *
 *   --no-arguments     argc is 0: not even the program's own name
 *   --block-signals    every signal is blocked
 *   --ignore-signals   every signal is ignored
 *   --close N          descriptor N is closed
 *   --limit NAME N     a limit (nofile, nproc, fsize, as), soft and hard
 *   --empty            no environment
 *   --filter           under a seccomp filter, which allows everything
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

static void
ignore_signals (void)
{
  for (int number = 1; number < NSIG; number++)
    (void) signal (number, SIG_IGN); /* KILL and STOP refuse */
}

static void
block_signals (void)
{
  sigset_t all;
  (void) sigfillset (&all);
  (void) sigprocmask (SIG_SETMASK, &all, NULL);
}

/* Needs CAP_SYS_ADMIN, as no_new_privs would be inherited too. */
static int
load_filter (void)
{
  struct sock_filter allow = BPF_STMT (BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
  struct sock_fprog program = { 1, &allow };
  return prctl (PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

static int
set_limit (const char *name, const char *value)
{
  static const struct
  {
    const char *name;
    int resource;
  } limits[] = { { "nofile", RLIMIT_NOFILE },
                 { "nproc", RLIMIT_NPROC },
                 { "fsize", RLIMIT_FSIZE },
                 { "as", RLIMIT_AS } };
  rlim_t number = strtoul (value, NULL, 10);
  struct rlimit limit = { number, number };
  for (size_t i = 0; i < sizeof limits / sizeof *limits; i++)
    if (strcmp (limits[i].name, name) == 0)
      return setrlimit (limits[i].resource, &limit);
  errno = EINVAL;
  return -1;
}

int
main (int argc, char **argv)
{
  static char *nothing[] = { NULL };
  extern char **environ;
  char **arguments = NULL;
  int i = 1, failed = 0;
  for (; i < argc && strncmp (argv[i], "--", 2) == 0; i++)
    {
      if (strcmp (argv[i], "--no-arguments") == 0)
        arguments = nothing;
      else if (strcmp (argv[i], "--block-signals") == 0)
        block_signals ();
      else if (strcmp (argv[i], "--ignore-signals") == 0)
        ignore_signals ();
      else if (strcmp (argv[i], "--empty") == 0)
        environ = nothing;
      else if (strcmp (argv[i], "--filter") == 0)
        failed |= load_filter () < 0;
      else if (strcmp (argv[i], "--close") == 0 && i + 1 < argc)
        failed |= close (atoi (argv[++i])) < 0;
      else if (strcmp (argv[i], "--limit") == 0 && i + 2 < argc)
        {
          failed |= set_limit (argv[i + 1], argv[i + 2]) < 0;
          i += 2;
        }
      else
        failed = 1;
    }
  if (failed || i == argc)
    {
      fprintf (stderr, "launch: %s: %s\n", argv[i < argc ? i : argc - 1], strerror (errno));
      return 99;
    }
  (void) execve (argv[i], arguments != NULL ? arguments : argv + i, environ);
  fprintf (stderr, "launch: %s: %s\n", argv[i], strerror (errno));
  return 99;
}
