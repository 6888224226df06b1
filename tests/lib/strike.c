/* strike COMMAND...: runs it, and sends SIGKILL to the first tare-init below it that is about to
 * send a message. What else happens is left alone. The exit status is the command's; 77 where no
 * tare-init was hit.
 */
#define _GNU_SOURCE
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum
{
  NOTHING_HIT = 77,
  AT_CALL = SIGTRAP | 0x80, /* PTRACE_O_TRACESYSGOOD */
};

static bool
is_init (pid_t pid)
{
  char path[64], exe[PATH_MAX] = "";
  (void) snprintf (path, sizeof path, "/proc/%d/exe", (int) pid);
  return readlink (path, exe, sizeof exe - 1) > 0 && strstr (exe, "tare-init") != NULL;
}

static bool
is_sending (pid_t pid)
{
  struct __ptrace_syscall_info call = { 0 };
  return ptrace (PTRACE_GET_SYSCALL_INFO, pid, (void *) sizeof call, &call) > 0
         && call.op == PTRACE_SYSCALL_INFO_ENTRY && call.entry.nr == SYS_sendmsg;
}

/* A signal of its own is handed on; a new tracee's first stop, and those of ptrace, are not. */
static void
go_on (pid_t pid, int status)
{
  int signal = WSTOPSIG (status);
  bool ours = status >> 16 != 0 || signal == AT_CALL || signal == SIGSTOP;
  (void) ptrace (PTRACE_SYSCALL, pid, NULL, (void *) (long) (ours ? 0 : signal));
}

static int
follow (pid_t command)
{
  bool hit = false;
  int status, result = 1;
  for (pid_t pid; (pid = waitpid (-1, &status, __WALL)) > 0;)
    if (!WIFSTOPPED (status))
      {
        if (pid == command)
          result = WIFEXITED (status) ? WEXITSTATUS (status) : 128 + WTERMSIG (status);
      }
    else if (!hit && WSTOPSIG (status) == AT_CALL && is_sending (pid) && is_init (pid))
      hit = kill (pid, SIGKILL) == 0;
    else
      go_on (pid, status);
  return hit ? result : NOTHING_HIT;
}

int
main (int argc, char **argv)
{
  const long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK
                       | PTRACE_O_TRACEVFORK | PTRACE_O_TRACEEXEC;
  int status;
  pid_t pid = argc > 1 ? fork () : -1;
  if (pid == 0)
    {
      (void) ptrace (PTRACE_TRACEME, 0, NULL, NULL);
      (void) raise (SIGSTOP);
      (void) execvp (argv[1], argv + 1);
      _exit (127);
    }
  if (pid < 0 || waitpid (pid, &status, 0) < 0
      || ptrace (PTRACE_SETOPTIONS, pid, NULL, (void *) options) < 0
      || ptrace (PTRACE_SYSCALL, pid, NULL, NULL) < 0)
    return 2;
  return follow (pid);
}
