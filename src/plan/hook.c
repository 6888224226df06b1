/* Running one hook: its input, its output, its deadline, its end. Serves config.md "POSIX-platform
 * Hooks". Runs in both programs, in an embedder's thread and in process 1 of a container: so it
 * takes no signal, no global state and no child of anybody else, and the child makes raw system
 * calls only until exec.
 *
 * The state is a sealed memfd on standard input: a hook that does not read it, or closes it, is
 * nobody's problem. A process that outlives the hook may keep the output open: the hook's own end
 * is what counts.
 */
#include "plan/hook.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>

#include "base/base.h"
#include "sys/sys.h"

enum
{
  FIRST_OUTPUT = 200, /* of what it printed, for the error's text */
  CHUNK = 4096,
  MOST_CHUNKS = 512, /* more than a pipe holds: what is read after the hook's end */
  LOWEST_FD = 3,
  STATUS_EXEC_FAILED = 127,
};

struct run
{
  const struct hook *hook;
  int state;
  int output[2];  /* pipe: its standard output and error */
  int failure[2]; /* pipe: why it could not be executed, as an errno */
  int pidfd;
  pid_t pid;
  uint64_t deadline;              /* milliseconds; 0: none */
  char printed[FIRST_OUTPUT + 2]; /* one byte more, to see where a character ends; and a NUL */
  size_t n_printed;
};

static void
run_done (struct run *run)
{
  int *const fds[] = { &run->state,      &run->output[0],  &run->output[1],
                       &run->failure[0], &run->failure[1], &run->pidfd };
  for (size_t i = 0; i < COUNT_OF (fds); i++)
    close_fd (fds[i]);
}

static uint64_t
now_milliseconds (void)
{
  struct timespec now = { 0 };
  (void) clock_gettime (CLOCK_MONOTONIC, &now);
  return (uint64_t) now.tv_sec * 1000 + (uint64_t) now.tv_nsec / 1000000;
}

/* ---- the child ----------------------------------------------------------------------------- */

/* Nothing of ours that exec would hand on: neither signals nor capabilities. */
static int
forget_privileges (void)
{
  struct sys_capabilities capabilities;
  sigset_t none;
  sys_default_signals (UINT64_MAX);
  (void) sigemptyset (&none);
  int r = sys_set_signal_mask (&none);
  if (r >= 0)
    r = sys_ambient_clear ();
  if (r >= 0)
    r = sys_capget (&capabilities);
  if (r < 0)
    return r;
  capabilities.inheritable = 0;
  return sys_capset (&capabilities);
}

static int
become_hook (const struct run *run)
{
  const struct hook *hook = run->hook;
  int r = sys_setsid (); /* also a group of its own, to be killed as one */
  if (r >= 0 && hook->directory >= 0)
    r = sys_fchdir (hook->directory);
  if (r >= 0)
    r = sys_dup3 (run->state, STDIN_FILENO, 0);
  for (int i = 0; r >= 0 && i < 2; i++)
    {
      bool given = hook->output != NULL && hook->output[i] >= 0;
      r = sys_dup3 (given ? hook->output[i] : run->output[1], STDOUT_FILENO + i, 0);
    }
  if (r >= 0)
    r = sys_close_range (LOWEST_FD, ~0U, CLOSE_RANGE_CLOEXEC);
  if (r >= 0)
    r = forget_privileges ();
  if (r < 0)
    return r;
  return sys_execveat (
      AT_FDCWD, hook->path, (char *const *) (uintptr_t) hook->argv,
      (char *const *) (uintptr_t) (hook->envp != NULL ? hook->envp : (const char *const *) environ),
      0);
}

static _Noreturn void
run_child (const struct run *run)
{
  int r = become_hook (run);
  ssize_t written = write (run->failure[1], &r, sizeof r);
  (void) written;
  sys_exit (STATUS_EXEC_FAILED);
}

/* ---- starting ------------------------------------------------------------------------------ */

/* A caller that runs with 0, 1 or 2 closed: ours must not have such a number. */
static int
move_up (int *fd)
{
  if (*fd >= LOWEST_FD)
    return 0;
  int higher = sys_dup_above (*fd, LOWEST_FD);
  if (higher < 0)
    return higher;
  close_fd (fd);
  *fd = higher;
  return 0;
}

static int
open_pipe (int fds[2])
{
  int r = sys_pipe (fds);
  if (r >= 0)
    r = move_up (&fds[0]);
  return r < 0 ? r : move_up (&fds[1]);
}

static int
open_state (struct run *run)
{
  run->state = sys_memfd ("tare-hook-state", false);
  int r = run->state < 0 ? run->state : move_up (&run->state);
  if (r >= 0)
    r = sys_write_full (run->state, run->hook->state, run->hook->state_length);
  if (r >= 0)
    r = sys_rewind (run->state);
  return r < 0 ? r : sys_seal (run->state);
}

static int
start (struct run *run)
{
  sigset_t mask;
  int r = open_state (run);
  if (r >= 0)
    r = open_pipe (run->output);
  if (r >= 0)
    r = open_pipe (run->failure);
  if (r < 0)
    return r;
  if (run->hook->timeout > 0)
    run->deadline = now_milliseconds () + (uint64_t) run->hook->timeout * 1000;
  /* No handler of the caller's may run in the child. */
  (void) sys_block_signals (&mask);
  run->pid = sys_fork (&run->pidfd);
  if (run->pid == 0)
    run_child (run);
  (void) sys_set_signal_mask (&mask);
  close_fd (&run->output[1]);
  close_fd (&run->failure[1]);
  return run->pid < 0 ? run->pid : 0;
}

/* ---- watching ------------------------------------------------------------------------------ */

/* 1: there may be more; 0: not now, or never. */
static int
read_output (struct run *run)
{
  char chunk[CHUNK];
  ssize_t n = read (run->output[0], chunk, sizeof chunk);
  if (n < 0 && errno == EINTR)
    return 1;
  if (n == 0 || (n < 0 && errno != EAGAIN))
    close_fd (&run->output[0]);
  if (n <= 0)
    return 0;
  size_t room = FIRST_OUTPUT + 1 - run->n_printed;
  size_t kept = (size_t) n < room ? (size_t) n : room;
  memcpy (run->printed + run->n_printed, chunk, kept);
  run->n_printed += kept;
  return 1;
}

static int
milliseconds_left (const struct run *run)
{
  if (run->deadline == 0)
    return -1;
  uint64_t now = now_milliseconds ();
  uint64_t left = run->deadline > now ? run->deadline - now : 0;
  return left > INT32_MAX ? INT32_MAX : (int) left;
}

/* Until the hook's own end; its output is read all the while, or it would wait for us. -ETIME,
 * -ECANCELED. */
static int
watch (struct run *run)
{
  const int *cancel = run->hook->cancel;
  for (;;)
    {
      struct pollfd fds[] = { { run->pidfd, POLLIN, 0 },
                              { run->output[0], POLLIN, 0 },
                              { cancel != NULL ? *cancel : -1, POLLIN, 0 } };
      int left = milliseconds_left (run);
      int r = poll (fds, COUNT_OF (fds), left);
      if (r < 0 && errno != EINTR)
        return -errno;
      if (r == 0 && milliseconds_left (run) == 0)
        return -ETIME;
      if (r > 0 && fds[1].revents != 0)
        (void) read_output (run);
      if (r > 0 && fds[0].revents != 0)
        break;
      if (r > 0 && fds[2].revents != 0)
        return -ECANCELED;
    }
  for (int i = 0; i < MOST_CHUNKS && run->output[0] >= 0 && read_output (run) > 0; i++)
    ;
  return 0;
}

/* All that it started, as far as it stayed in the hook's group: before it is waited for, so that
 * the group's number is still its own. */
static void
kill_all (const struct run *run)
{
  (void) kill (-run->pid, SIGKILL);
  (void) sys_pidfd_send_signal (run->pidfd, SIGKILL); /* it may not have its group yet */
}

/* ---- the result ---------------------------------------------------------------------------- */

/* Its first words, without the space around them; a cut character goes. */
static const char *
printed (struct run *run)
{
  char *text = run->printed;
  size_t length = utf8_cut (text, run->n_printed < FIRST_OUTPUT ? run->n_printed : FIRST_OUTPUT);
  while (length > 0 && strchr (" \t\r\n", text[length - 1]) != NULL)
    length--;
  text[length] = '\0';
  return text + strspn (text, " \t\r\n");
}

static int
judge (struct run *run, int status, struct tare_error *error)
{
  const struct hook *hook = run->hook;
  int failure = 0;
  if (hook->answer_size > 0)
    (void) snprintf (hook->answer, hook->answer_size, "%s", printed (run));
  if (WIFEXITED (status) && WEXITSTATUS (status) == 0)
    return 0;
  if (read (run->failure[0], &failure, sizeof failure) == (ssize_t) sizeof failure)
    return fail (error, failure, "%s '%s'", hook->label, hook->path);
  const char *words = printed (run);
  const char *colon = *words != '\0' ? ": " : "";
  if (WIFSIGNALED (status))
    return fail_kind (error, TARE_ERROR_HOOK, ECANCELED, "%s '%s': killed by signal %d%s%s",
                      hook->label, hook->path, WTERMSIG (status), colon, words);
  return fail_kind (error, TARE_ERROR_HOOK, ECANCELED, "%s '%s': exit status %d%s%s", hook->label,
                    hook->path, WEXITSTATUS (status), colon, words);
}

static int
run_and_wait (struct run *run, struct tare_error *error)
{
  const struct hook *hook = run->hook;
  int status = 0;
  int r = start (run);
  if (r < 0)
    return fail (error, r, "%s '%s': start it", hook->label, hook->path);
  int watched = watch (run);
  if (watched < 0)
    kill_all (run);
  r = sys_pidfd_wait (run->pidfd, &status);
  if (watched == -ETIME)
    return fail_kind (error, TARE_ERROR_HOOK, ETIME, "%s '%s': hook ran past its timeout of %u s",
                      hook->label, hook->path, hook->timeout);
  if (watched == -ECANCELED)
    return fail_kind (error, TARE_ERROR_CANCELLED, ECANCELED, "%s '%s': cancelled", hook->label,
                      hook->path);
  if (watched < 0 || r < 0)
    return fail (error, watched < 0 ? watched : r, "%s '%s': wait for it", hook->label, hook->path);
  return judge (run, status, error);
}

int
hook_run (const struct hook *hook, struct tare_error *error)
{
  __attribute__ ((cleanup (run_done))) struct run run = {
    .hook = hook,
    .state = -EBADF,
    .output = { -EBADF, -EBADF },
    .failure = { -EBADF, -EBADF },
    .pidfd = -EBADF,
  };
  int r = run_and_wait (&run, error);
  if (r < 0 && error != NULL && error->kind == TARE_ERROR_CANCELLED)
    return r;
  return r < 0 ? classify (error, r, TARE_ERROR_HOOK) : 0;
}
