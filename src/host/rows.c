/* Rows that the tables of create and exec have in common: the making of init, what is done to it
 * from outside, what it is given and what it gives back. */
#include "host/internal.h"

#include <stdlib.h>
#include <sys/wait.h>

bool
container_plan_flag (const struct container *container, uint64_t flag)
{
  return (((const struct plan *) container->builder.buf.bytes)->flags & flag) != 0;
}

static int
open_progress (struct container *container, struct tare_error *error)
{
  int r = 0;
  container->progress_fd = sys_memfd ("tare-progress", false);
  if (container->progress_fd < 0)
    r = container->progress_fd;
  else
    r = sys_truncate (container->progress_fd, sizeof *container->progress);
  if (r >= 0)
    container->progress = sys_map (container->progress_fd, sizeof *container->progress, true, &r);
  return r < 0 ? fail (error, r, "make the progress page") : 0;
}

int
row_spawn (struct container *container, struct received *received, struct tare_error *error)
{
  (void) received;
  int r = open_progress (container, error);
  if (r >= 0)
    r = container->image = image_open (container->host->log, error);
  if (r < 0)
    return r;
  r = spawn_init (container, (const struct plan *) container->builder.buf.bytes, error);
  return r < 0 ? r : process_set_affinity (container, SPEC_AFFINITY_INITIAL, error);
}

int
row_attach (struct container *container, struct received *received, struct tare_error *error)
{
  (void) received;
  return cgroup_attach (&container->cgroup, container->pid, container->in_v2, error);
}

int
row_limits (struct container *container, struct received *received, struct tare_error *error)
{
  (void) received;
  int r = process_set_affinity (container, SPEC_AFFINITY_FINAL, error);
  return r < 0 ? r : process_set_limits (container, error);
}

bool
row_is_forked (const struct container *container)
{
  return container_plan_flag (container, PLAN_FORK);
}

/* The stage has made init and is about to end, which nobody waits for yet; from now on init is the
 * process that everything is about. */
int
row_forked (struct container *container, struct received *received, struct tare_error *error)
{
  if (received->n_fds != 1 || received->value == 0 || received->value > INT32_MAX)
    return fail_kind (error, TARE_ERROR_PROTOCOL, EPROTO, "FORKED without a process");
  container->stage = container->pidfd;
  container->pidfd = take_fd (&received->fds[0]);
  container->pid = (pid_t) received->value;
  return 0;
}

void
row_reap_stage (struct container *container)
{
  int status;
  if (container->stage >= 0)
    (void) sys_pidfd_wait (container->stage, &status);
  close_fd (&container->stage);
}

void
row_log_progress (const struct container *container)
{
  const struct plan_progress *progress = container->progress;
  uint64_t last = 0;
  for (uint32_t i = 0; i < INIT_STEP_COUNT; i++)
    if (progress->began[i] != 0)
      {
        if (last != 0)
          log_debug (container->host->log, "init: step %s began %llu us later",
                     init_step_name (i + 1),
                     (unsigned long long) (progress->began[i] - last) / 1000);
        last = progress->began[i];
      }
}

int
row_write_pid_file (struct container *container, struct tare_error *error)
{
  if (container->pid_file == NULL)
    return 0;
  int r = pid_file_write (container->pid_file, container->pid, error);
  container->pid_file_is_ours = r >= 0;
  return r;
}

/* A pid file whose process came to nothing would name a stranger one day. */
int
row_remove_pid_file (struct container *container, struct tare_error *error)
{
  (void) error;
  if (container->pid_file_is_ours)
    (void) sys_unlinkat (AT_FDCWD, container->pid_file, 0);
  container->pid_file_is_ours = false;
  return 0;
}

int
await_execve (struct channel *channel, struct tare_error *error)
{
  struct tare_error end = { 0 };
  int r = channel_receive (channel, MESSAGE_EXECUTING, NULL, &end);
  if (r == -ECONNRESET)
    return 0;
  if (error != NULL)
    *error = end;
  return r;
}

int
row_executing (struct container *container, struct received *received, struct tare_error *error)
{
  (void) received;
  return await_execve (&container->channel, error);
}

void
container_take_process (struct container *container, struct tare_process *ret_process)
{
  *ret_process = (struct tare_process){
    .pid = container->pid,
    .pidfd = take_fd (&container->pidfd),
    .terminal = container->terminal >= 0 ? take_fd (&container->terminal) : -1,
    .notify = container->notify >= 0 ? take_fd (&container->notify) : -1,
  };
}
