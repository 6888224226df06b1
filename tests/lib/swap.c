/* A race made certain: runs a command, and exchanges files at the very moment when it, or a process
 * that it makes, is about to use a path.
 *
 *   swap KEY N COUNT-FILE PAIR... -- COMMAND [ARG...]
 *
 * Counted are the system calls that take a path with KEY in it, and each move_mount(2). At the Nth
 * the first PAIR is exchanged, before the kernel sees the call, at the next one the second, and so
 * on. A PAIR is A:B, two paths: exchanged, or where one is missing, renamed. COUNT-FILE gets the
 * number that were counted; the exit status is the command's.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

/* Which argument is the path. */
static const struct
{
  long number;
  int argument;
} calls[] = {
  { SYS_openat, 1 },     { SYS_openat2, 1 },    { SYS_mkdirat, 1 },    { SYS_mknodat, 1 },
  { SYS_symlinkat, 2 },  { SYS_linkat, 3 },     { SYS_fchownat, 1 },   { SYS_fchmodat, 1 },
  { SYS_newfstatat, 1 }, { SYS_statx, 1 },      { SYS_readlinkat, 1 }, { SYS_unlinkat, 1 },
  { SYS_open_tree, 1 },  { SYS_move_mount, 1 }, { SYS_mount, 1 },      { SYS_chdir, 0 },
#ifdef SYS_open
  { SYS_open, 0 },       { SYS_mkdir, 0 },      { SYS_stat, 0 },       { SYS_lstat, 0 },
  { SYS_readlink, 0 },   { SYS_mknod, 0 },
#endif
};

static bool
path_has (pid_t pid, uint64_t address, const char *key)
{
  char text[PATH_MAX];
  size_t length = 0;
  /* By pages: what follows the string may not be mapped. */
  while (length < sizeof text - 1)
    {
      size_t part = 4096 - (address + length) % 4096;
      if (part > sizeof text - 1 - length)
        part = sizeof text - 1 - length;
      struct iovec here = { text + length, part };
      struct iovec there = { (void *) (uintptr_t) (address + length), part };
      if (process_vm_readv (pid, &here, 1, &there, 1, 0) != (ssize_t) part)
        break;
      length += part;
      if (memchr (text + length - part, '\0', part) != NULL)
        break;
    }
  text[length] = '\0';
  return strstr (text, key) != NULL;
}

static bool
is_counted (pid_t pid, const char *key)
{
  struct __ptrace_syscall_info info;
  if (ptrace (PTRACE_GET_SYSCALL_INFO, pid, sizeof info, &info) < 0
      || info.op != PTRACE_SYSCALL_INFO_ENTRY)
    return false;
  for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
    if ((uint64_t) calls[i].number == info.entry.nr)
      return info.entry.nr == SYS_move_mount
             || path_has (pid, info.entry.args[calls[i].argument], key);
  return false;
}

static void
exchange (const char *pair)
{
  char a[PATH_MAX], *b;
  snprintf (a, sizeof a, "%s", pair);
  b = strchr (a, ':');
  if (b == NULL)
    exit (125);
  *b++ = '\0';
  if (renameat2 (AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE) == 0)
    return;
  if (errno != ENOENT || (rename (a, b) < 0 && rename (b, a) < 0))
    perror (pair);
}

static pid_t
spawn (char **command)
{
  pid_t pid = fork ();
  if (pid != 0)
    return pid;
  raise (SIGSTOP);
  execv (*command, command);
  perror (*command);
  _exit (126);
}

int
main (int argc, char **argv)
{
  int end = 4, status, result = 125;
  while (end < argc && strcmp (argv[end], "--") != 0)
    end++;
  if (end + 1 >= argc)
    return 125;
  long at = atol (argv[2]), count = 0;
  pid_t child = spawn (argv + end + 1);
  if (child < 0 || waitpid (child, &status, WUNTRACED) != child
      || ptrace (PTRACE_SEIZE, child, 0,
                 PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK
                     | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL)
             < 0)
    return perror ("ptrace"), 125;
  kill (child, SIGCONT);
  pid_t pid;
  while ((pid = waitpid (-1, &status, __WALL)) > 0)
    {
      if (WIFEXITED (status) || WIFSIGNALED (status))
        {
          if (pid != child)
            continue;
          result = WIFEXITED (status) ? WEXITSTATUS (status) : 128 + WTERMSIG (status);
          break;
        }
      int signal = WSTOPSIG (status);
      bool by_event = status >> 16 != 0;
      if (signal == (SIGTRAP | 0x80) && is_counted (pid, argv[1]))
        {
          long pair = ++count - at;
          if (pair >= 0 && pair < end - 4)
            exchange (argv[4 + pair]);
        }
      /* the first stop of a new process, and its kin, bring no signal */
      if (signal == (SIGTRAP | 0x80) || by_event)
        signal = 0;
      ptrace (PTRACE_SYSCALL, pid, 0, signal);
    }
  FILE *file = fopen (argv[3], "w");
  if (file == NULL || fprintf (file, "%ld\n", count) < 0 || fclose (file) != 0)
    return perror (argv[3]), 125;
  return result;
}
