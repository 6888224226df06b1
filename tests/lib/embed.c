/* embed ROOT [close N]... [stdio N FD]... VERB ID [BUNDLE [PRESERVE_FDS]]: a program that uses the
 * library and lives on. It runs the verb (create, start, kill, delete, exec) three times; "close N"
 * closes that descriptor first, "stdio N FD" makes FD the process's descriptor N. Prints each
 * result, then what the library left in this process that is not the caller's: descriptors,
 * children, another umask, signal mask, directory or network namespace.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tare.h"

enum
{
  TIMES = 3,
};

static int
count_descriptors (void)
{
  DIR *directory = opendir ("/proc/self/fd");
  int count = 0;
  while (directory != NULL && readdir (directory) != NULL)
    count++;
  if (directory != NULL)
    (void) closedir (directory);
  return count;
}

static int stdio[3] = { -1, -1, -1 };

static int
run (struct tare_context *context, char **argv, struct tare_error *error)
{
  static const char *const program[] = { "true" };
  struct tare_create_options create = TARE_CREATE_OPTIONS_INIT;
  struct tare_exec_options exec = TARE_EXEC_OPTIONS_INIT;
  struct tare_process process = TARE_PROCESS_INIT;
  const char *verb = argv[0], *id = argv[1];
  int r = -EINVAL;
  memcpy (create.stdio, stdio, sizeof stdio);
  memcpy (exec.stdio, stdio, sizeof stdio);
  if (strcmp (verb, "create") == 0)
    {
      create.bundle = argv[2];
      create.preserve_fds = argv[3] != NULL ? (uint32_t) strtoul (argv[3], NULL, 10) : 0;
      r = tare_create (context, id, &create, &process, error);
    }
  else if (strcmp (verb, "exec") == 0)
    {
      exec.args = program;
      exec.n_args = 1;
      r = tare_exec (context, id, &exec, &process, error);
    }
  else if (strcmp (verb, "start") == 0)
    r = tare_start (context, id, error);
  else if (strcmp (verb, "kill") == 0)
    r = tare_kill (context, id, SIGKILL, 0, error);
  else if (strcmp (verb, "delete") == 0)
    r = tare_delete (context, id, 0, error);
  if (process.pidfd >= 0)
    (void) close (process.pidfd);
  if (r >= 0 && process.terminal != -1)
    fprintf (stderr, "terminal %d\n", process.terminal);
  return r;
}

/* Those that are left although no verb gave them to us. */
static int
count_children (int given)
{
  siginfo_t info;
  int count = 0;
  (void) usleep (200000); /* they may be about to end */
  while (waitid (P_ALL, 0, &info, WEXITED | WNOHANG | __WALL) == 0 && info.si_pid != 0)
    count++;
  return count > given ? count - given : 0;
}

static unsigned long
network_namespace (void)
{
  struct stat st;
  return stat ("/proc/thread-self/ns/net", &st) == 0 ? st.st_ino : 0;
}

int
main (int argc, char **argv)
{
  struct tare_context *context = NULL;
  struct tare_context_options options = { .size = sizeof options };
  struct tare_error error = { 0 };
  sigset_t before, after;
  char cwd[4096], *now;
  int given = 0;
  if (argc < 4)
    return 2;
  options.root = argv[1];
  argv += 2;
  for (; strcmp (argv[0], "close") == 0; argv += 2)
    (void) close ((int) strtoul (argv[1], NULL, 10));
  for (; strcmp (argv[0], "stdio") == 0; argv += 3)
    stdio[strtoul (argv[1], NULL, 10) % 3] = (int) strtol (argv[2], NULL, 10);
  if (tare_context_new (&options, &context, &error) < 0 || getcwd (cwd, sizeof cwd) == NULL)
    return 2;
  (void) umask (0027);
  (void) sigprocmask (SIG_BLOCK, NULL, &before);
  unsigned long network = network_namespace ();
  int descriptors = count_descriptors ();
  for (int i = 0; i < TIMES; i++)
    {
      int r = run (context, argv, &error);
      given += r >= 0;
      fprintf (stderr, "%d%s%s\n", r, r < 0 ? " " : "", r < 0 ? error.message : "");
    }
  fprintf (stderr, "descriptors %d\n", count_descriptors () - descriptors);
  fprintf (stderr, "children %d\n", count_children (given));
  (void) sigprocmask (SIG_BLOCK, NULL, &after);
  now = getcwd (NULL, 0);
  fprintf (stderr, "changed %d\n",
           umask (0) != 0027 || memcmp (&before, &after, sizeof (long)) != 0 || now == NULL
               || strcmp (now, cwd) != 0 || network_namespace () != network);
  free (now);
  tare_context_free (context);
  return 0;
}
