/* count [-i] COMMAND [ARG...]: runs it, and prints how many system calls it and all that it starts
 * have made; with -i how many instructions they have executed in user space, one PTRACE_SINGLESTEP
 * after the other: exact and repeatable for static programs, and blind to nothing, unlike valgrind,
 * which knows neither clone3 (2) nor the mount calls. The output of COMMAND goes to /dev/null.
 *
 * What is still there when COMMAND itself ends (a container that waits for its start) is let go.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

enum
{
  MOST_TRACED = 4096,
  SYSCALL_STOP = SIGTRAP | 0x80,
};

static const long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK
                            | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC;

struct traced
{
  pid_t pid;
  bool inside; /* a system call: its second stop is no further call */
};
static struct traced traced[MOST_TRACED];
static size_t n_traced;

static struct traced *
find (pid_t pid)
{
  for (size_t i = 0; i < n_traced; i++)
    if (traced[i].pid == pid)
      return &traced[i];
  if (n_traced == MOST_TRACED)
    _exit (3);
  traced[n_traced] = (struct traced){ .pid = pid };
  return &traced[n_traced++];
}

static void
forget (pid_t pid)
{
  struct traced *gone = find (pid);
  *gone = traced[--n_traced];
}

static pid_t
launch (char **argv)
{
  pid_t pid = fork ();
  if (pid != 0)
    return pid;
  int null = open ("/dev/null", O_RDWR | O_CLOEXEC);
  (void) dup2 (null, STDIN_FILENO);
  (void) dup2 (null, STDOUT_FILENO);
  (void) dup2 (null, STDERR_FILENO);
  (void) ptrace (PTRACE_TRACEME, 0, NULL, NULL);
  (void) raise (SIGSTOP);
  execvp (argv[0], argv);
  _exit (127);
}

/* One stop of one process. Returns the signal that it goes on with. */
static int
take_stop (struct traced *process, int status, bool instructions, unsigned long long *count)
{
  int signal = WSTOPSIG (status);
  if (signal == SYSCALL_STOP)
    {
      process->inside = !process->inside;
      *count += process->inside && !instructions;
      return 0;
    }
  if (signal == SIGSTOP || status >> 16 != 0)
    return 0; /* its first stop; or an event */
  if (signal == SIGTRAP)
    {
      *count += instructions;
      return 0;
    }
  return signal;
}

int
main (int argc, char **argv)
{
  bool instructions = argc > 1 && strcmp (argv[1], "-i") == 0;
  argv += instructions ? 2 : 1;
  if (*argv == NULL)
    return 2;
  pid_t first = launch (argv), pid;
  unsigned long long count = 0;
  int status, result = 1;
  if (first < 0 || waitpid (first, &status, 0) != first
      || ptrace (PTRACE_SETOPTIONS, first, NULL, options) < 0)
    return 1;
  int how = instructions ? PTRACE_SINGLESTEP : PTRACE_SYSCALL;
  (void) find (first);
  (void) ptrace (how, first, NULL, NULL);
  while ((pid = waitpid (-1, &status, __WALL)) > 0 || errno == EINTR)
    {
      if (pid < 0)
        continue;
      if (WIFSTOPPED (status))
        {
          int signal = take_stop (find (pid), status, instructions, &count);
          (void) ptrace (how, pid, NULL, (long) signal);
          continue;
        }
      forget (pid);
      if (pid != first)
        continue;
      result = WIFEXITED (status) ? WEXITSTATUS (status) : 1;
      break;
    }
  printf ("%llu\n", count);
  return result;
}
