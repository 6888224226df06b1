/* clone3(2), pidfd_open(2), waitid(2), prctl(2), execveat(2), setns(2), unshare(2), and the one
 * line of /proc that tells a process from its pid's next owner. Says -errno and nothing else. */
#include "sys/process.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "sys/file.h"

#ifndef P_PIDFD
#define P_PIDFD 3
#endif
#ifndef PROC_USER_INIT_INO
#define PROC_USER_INIT_INO 0xEFFFFFFDU /* the kernel's <linux/proc_ns.h>, since Linux 3.8 */
#endif

static int
result (long r)
{
  return r < 0 ? -errno : (int) r;
}

pid_t
sys_clone3 (const struct sys_clone *clone)
{
  struct clone_args args = { .flags = clone->flags, .exit_signal = (unsigned) clone->exit_signal };
  if (clone->pidfd != NULL)
    {
      args.flags |= CLONE_PIDFD;
      args.pidfd = (uintptr_t) clone->pidfd;
    }
  if (clone->cgroup >= 0)
    {
      args.flags |= CLONE_INTO_CGROUP;
      args.cgroup = (unsigned) clone->cgroup;
    }
  return result (syscall (SYS_clone3, &args, sizeof args));
}

pid_t
sys_fork (int *ret_pidfd)
{
#if defined(__s390__) || defined(__CRIS__)
  return result (syscall (SYS_clone, NULL, CLONE_PIDFD, ret_pidfd, NULL, NULL));
#else
  return result (syscall (SYS_clone, CLONE_PIDFD, NULL, ret_pidfd, NULL, NULL));
#endif
}

int
sys_thread (int (*run) (void *argument), void *argument, void *stack, _Atomic int *id)
{
  const int flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM
                    | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID;
  return clone (run, stack, flags, argument, id, NULL, id) < 0 ? -errno : 0;
}

void
sys_yield (void)
{
  (void) sched_yield ();
}

int
sys_pidfd_open (pid_t pid)
{
  return result (syscall (SYS_pidfd_open, pid, 0));
}

int
sys_pidfd_send_signal (int pidfd, int signal)
{
  return result (syscall (SYS_pidfd_send_signal, pidfd, signal, NULL, 0));
}

static int
wait_for (int type, id_t id, int *ret_status)
{
  siginfo_t info = { 0 };
  /* __WALL: our children may have no exit signal. */
  while (waitid ((idtype_t) type, id, &info, WEXITED | __WALL) < 0)
    if (errno != EINTR)
      return -errno;
  *ret_status = info.si_code == CLD_EXITED
                    ? (info.si_status & 0xff) << 8
                    : info.si_status | (info.si_code == CLD_DUMPED ? 0x80 : 0);
  return 0;
}

int
sys_pidfd_wait (int pidfd, int *ret_status)
{
  return wait_for (P_PIDFD, (id_t) pidfd, ret_status);
}

int
sys_wait_pid (pid_t pid, int *ret_status)
{
  return wait_for (P_PID, (id_t) pid, ret_status);
}

int
sys_process_start_time (pid_t pid, uint64_t *ret_start_time, char *ret_state)
{
  char path[32], text[1024];
  (void) snprintf (path, sizeof path, "/proc/%d/stat", (int) pid);
  autoclose int fd = sys_open (path, O_RDONLY, 0);
  if (fd < 0)
    return fd == -ENOENT ? -ESRCH : fd;
  ssize_t length = sys_read_once (fd, text, sizeof text - 1);
  if (length < 0)
    return (int) length;
  text[length] = '\0';
  /* The name, in parentheses, may hold anything: count fields from the last one. */
  const char *at = strrchr (text, ')');
  if (at == NULL || at[1] != ' ')
    return -EBADMSG;
  char state = at[2];
  at += 2;
  for (int field = 3; field < 22; field++)
    {
      at = strchr (at, ' ');
      if (at == NULL)
        return -EBADMSG;
      at++;
    }
  char number[24];
  size_t digits = strspn (at, "0123456789");
  if (digits >= sizeof number)
    return -EBADMSG;
  memcpy (number, at, digits);
  number[digits] = '\0';
  int r = parse_u64 (number, UINT64_MAX, ret_start_time);
  if (r < 0)
    return r;
  *ret_state = state;
  return 0;
}

int
sys_prctl (int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d)
{
  return result (prctl (option, a, b, c, d));
}

int
sys_execveat (int fd, const char *path, char *const argv[], char *const envp[], int flags)
{
  return result (syscall (SYS_execveat, fd, path, argv, envp, flags));
}

int
sys_setns (int fd, int type)
{
  return result (syscall (SYS_setns, fd, type));
}

int
sys_unshare (int flags)
{
  return result (syscall (SYS_unshare, flags));
}

int
sys_namespace_type (int fd)
{
  return result (ioctl (fd, NS_GET_NSTYPE));
}

_Noreturn void
sys_exit (int status)
{
  (void) syscall (SYS_exit_group, status);
  (void) syscall (SYS_exit, status);
  __builtin_trap (); /* process 1 of a pid namespace dies of that as well */
}

int
sys_in_initial_user_namespace (void)
{
  struct sys_stat st;
  int r = sys_stat_path ("/proc/self/ns/user", &st);
  if (r == -ENOENT) /* a kernel without user namespaces */
    return 1;
  return r < 0 ? r : st.inode == PROC_USER_INIT_INO;
}

bool
sys_is_unprivileged (void)
{
  return geteuid () != 0 || sys_in_initial_user_namespace () == 0;
}

int
sys_setsid (void)
{
  return result (setsid ());
}

int
sys_new_session_keyring (void)
{
  return result (syscall (SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL));
}

int
sys_sethostname (const char *name, size_t length)
{
  return result (sethostname (name, length));
}

int
sys_setdomainname (const char *name, size_t length)
{
  return result (setdomainname (name, length));
}

int
sys_getcwd (char *buffer, size_t size)
{
  long length = syscall (SYS_getcwd, buffer, size);
  return length < 0 ? -errno : (int) length - 1;
}

uint32_t
sys_umask (uint32_t mask)
{
  return umask (mask);
}

int
sys_block_signals (sigset_t *ret_old)
{
  /* The raw call, with every bit set: libc would leave out the signals it uses itself. */
  uint64_t all = ~UINT64_C (0), old = 0;
  if (syscall (SYS_rt_sigprocmask, SIG_SETMASK, &all, &old, sizeof all) < 0)
    return -errno;
  if (ret_old != NULL)
    {
      memset (ret_old, 0, sizeof *ret_old);
      memcpy (ret_old, &old, sizeof old);
    }
  return 0;
}

int
sys_set_signal_mask (const sigset_t *mask)
{
  return result (syscall (SYS_rt_sigprocmask, SIG_SETMASK, mask, NULL, sizeof (uint64_t)));
}

/* The kernel's structure, not libc's: all zero is SIG_DFL without flags and without a mask. */
void
sys_default_signals (uint64_t signals)
{
  static const uint64_t action[4];
  for (int number = 1; number <= 64; number++)
    if ((signals & 1ULL << (number - 1)) != 0)
      (void) syscall (SYS_rt_sigaction, number, action, NULL, sizeof (uint64_t));
}
