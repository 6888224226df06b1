/* The container's process: is it still the one of the record, and what does it execute?
 *
 * A pid alone proves nothing, it may have another owner by now: with the start time it does, and a
 * pidfd holds on to it. /proc is the host's. Of a process that we may not look into (another user
 * namespace, not dumpable) the link exe cannot be read: then it is still tare-init, which is not
 * dumpable, while a program is again.
 */
#define _GNU_SOURCE
#include "state/state.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "state/record.h"
#include "sys/file.h"
#include "sys/process.h"

#ifndef LOCK_SH
#define LOCK_SH 1
#define LOCK_NB 4
#endif

static const char init_exe[] = "/memfd:tare-init (deleted)";
/* Where memfds may not be executed: the installed file is the root of a mount of its own. */
static const char detached_exe[] = "/";

/* 0 if the process is there, is the one of the record, and has not ended. -ESRCH. */
static int
check_process (const struct state_record *record)
{
  uint64_t start_time;
  char letter;
  if (record->pid <= 0)
    return -ESRCH;
  int r = sys_process_start_time (record->pid, &start_time, &letter);
  if (r < 0)
    return r;
  return start_time != record->start_time || letter == 'Z' || letter == 'X' ? -ESRCH : 0;
}

/* -ESRCH: it executes nothing any more, it is about to be a zombie. */
static int
executes_init (pid_t pid)
{
  char path[32], target[sizeof init_exe + 1];
  (void) snprintf (path, sizeof path, "/proc/%d/exe", (int) pid);
  ssize_t length = sys_readlinkat (AT_FDCWD, path, target, sizeof target);
  if (length == -ENOENT || length == -ESRCH)
    return -ESRCH;
  return length == -EACCES || length == -EPERM
         || (length > 0 && (str_equal (target, init_exe) || str_equal (target, detached_exe)));
}

/* Who creates holds the lock: if nobody does, or we do, the creator is gone. */
static bool
is_being_created (const struct state *state)
{
  if (state->lock >= 0)
    return false;
  autoclose int lock = sys_openat2 (state->directory, "lock", O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0,
                                    RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
  return lock >= 0 && sys_flock (lock, LOCK_SH | LOCK_NB) == -EAGAIN;
}

enum state_status
state_now (const struct state *state)
{
  const struct state_record *record = state->record;
  if (record->status == STATE_CREATING)
    return is_being_created (state) ? STATE_CREATING : STATE_STOPPED;
  if (record->status == STATE_STOPPED)
    return STATE_STOPPED;
  if (check_process (record) < 0)
    return STATE_STOPPED;
  if (record->status != STATE_CREATED)
    return STATE_RUNNING;
  int is_init = executes_init (record->pid);
  if (is_init != 0)
    return is_init > 0 ? STATE_CREATED : STATE_STOPPED;
  /* It may have ended just before we asked what it executes. */
  return check_process (record) < 0 ? STATE_STOPPED : STATE_RUNNING;
}

bool
state_is_suspended (const struct state *state)
{
  uint64_t start_time;
  char letter = 0;
  if (state->record->pid <= 0)
    return false;
  int r = sys_process_start_time (state->record->pid, &start_time, &letter);
  return r >= 0 && start_time == state->record->start_time && (letter == 'T' || letter == 't');
}

static int
not_running (struct tare_error *error)
{
  /* Managers look for either half, some in this case only. */
  return fail_kind (error, TARE_ERROR_STATUS, -ESRCH, "container not running: no such process");
}

int
state_pidfd (const struct state *state, struct tare_error *error)
{
  if (state->record->pid <= 0)
    return not_running (error);
  autoclose int pidfd = sys_pidfd_open (state->record->pid);
  /* EINVAL: the number is that of a thread by now. */
  if (pidfd == -ESRCH || pidfd == -EINVAL)
    return not_running (error);
  if (pidfd < 0)
    return fail (error, pidfd, "open a pidfd of process %d", state->record->pid);
  int r = check_process (state->record);
  if (r == -ESRCH)
    return not_running (error);
  return r < 0 ? fail (error, r, "process %d", state->record->pid) : take_fd (&pidfd);
}

int
state_note_process (struct state *state, pid_t pid, struct tare_error *error)
{
  uint64_t start_time;
  char letter;
  int r = sys_process_start_time (pid, &start_time, &letter);
  if (r < 0)
    return fail (error, r, "start time of process %d", (int) pid);
  state->record->pid = pid;
  state->record->start_time = start_time;
  return 0;
}
