/* Processes: clone3, pidfd, wait, prctl, exec, and what /proc says of one. */
#ifndef TARE_SYS_PROCESS_H
#define TARE_SYS_PROCESS_H

#include <linux/sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct sys_clone
{
  uint64_t flags;  /* CLONE_*; CLONE_PIDFD and CLONE_INTO_CGROUP are added as needed */
  int *pidfd;      /* where to put a pidfd, or NULL */
  int cgroup;      /* a cgroup2 directory, or negative */
  int exit_signal; /* SIGCHLD, or 0 */
};
/* fork-like: the child gets 0 and may make raw system calls only (the caller may have threads).
 * Returns the pid, or -errno. */
pid_t sys_clone3 (const struct sys_clone *clone);

/* As sys_clone3 without flags and without exit signal, by the older call: a container's seccomp
 * filter may let a process fork, but not by clone3(2), whose arguments it cannot see. */
pid_t sys_fork (int *ret_pidfd);

/* A thread of this process, with all that a process has, libc's own state too: so it may do little.
 * stack is its upper end. *id is its id, and 0 once it has ended. */
int sys_thread (int (*run) (void *argument), void *argument, void *stack, _Atomic int *id);
void sys_yield (void);

int sys_pidfd_open (pid_t pid);
int sys_pidfd_send_signal (int pidfd, int signal);
/* Waits for the child behind pidfd. ret_status is as of waitpid(2). EINTR is retried. */
int sys_pidfd_wait (int pidfd, int *ret_status);
int sys_wait_pid (pid_t pid, int *ret_status);

/* The start time of pid in clock ticks since boot (field 22 of /proc/pid/stat) and its state
 * letter. -ESRCH if there is none. */
int sys_process_start_time (pid_t pid, uint64_t *ret_start_time, char *ret_state);

int sys_prctl (int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d);
int sys_execveat (int fd, const char *path, char *const argv[], char *const envp[], int flags);
int sys_setns (int fd, int type);
int sys_unshare (int flags);
/* CLONE_NEW* of a namespace file, or -errno (-ENOTTY: not a namespace). */
int sys_namespace_type (int fd);
/* Ends the process, under a filter that allows no exit too: libc's would try for ever. */
_Noreturn void sys_exit (int status);
/* 1 or 0, or -errno. */
int sys_in_initial_user_namespace (void);
/* Not root, or root of another user namespace. Where that cannot be told, root is root. */
bool sys_is_unprivileged (void);
int sys_setsid (void);
/* An empty session keyring instead of the inherited one. -ENOSYS: the kernel has no keys. */
int sys_new_session_keyring (void);
int sys_sethostname (const char *name, size_t length);
int sys_setdomainname (const char *name, size_t length);
/* Only the kernel's answer will do: a path outside the root comes back as "(unreachable)...".
 * Length without NUL, or -errno. */
int sys_getcwd (char *buffer, size_t size);
uint32_t sys_umask (uint32_t mask);
/* All signals blocked in this thread; the old mask to *ret_old. */
int sys_block_signals (sigset_t *ret_old);
int sys_set_signal_mask (const sigset_t *mask);
/* Those signals back to their defaults (signal N: bit N - 1), also what libc keeps for itself. */
void sys_default_signals (uint64_t signals);

#endif
