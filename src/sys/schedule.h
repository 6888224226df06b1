/* How a process is scheduled and where its memory is: sched_setattr(2), sched_setaffinity(2),
 * ioprio_set(2), set_mempolicy(2), personality(2). */
#ifndef TARE_SYS_SCHEDULE_H
#define TARE_SYS_SCHEDULE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct sys_scheduler
{
  uint32_t policy; /* SCHED_* */
  int32_t nice;
  uint32_t priority;
  uint64_t flags; /* SCHED_FLAG_* */
  uint64_t runtime, deadline, period;
};
/* pid 0: the caller's own thread; here and below. */
int sys_set_scheduler (pid_t pid, const struct sys_scheduler *scheduler);
enum
{
  SYS_AFFINITY_WORDS = 8192 / 64,
};
/* bits: processor n is bit n % 64 of bits[n / 64]; words of them. */
int sys_set_affinity (pid_t pid, const uint64_t *bits, size_t words);
/* Of a whole process group (0: the caller's). priority: class << 13 | level. */
int sys_set_io_priority (pid_t group, uint32_t priority);
/* MPOL_* and MPOL_F_*; nodes: numbers below SYS_MEMORY_NODES. */
enum
{
  SYS_MEMORY_NODES = 1024,
};
int sys_set_memory_policy (uint32_t mode, const uint32_t *nodes, size_t count);
int sys_set_personality (uint32_t personality);

#endif
