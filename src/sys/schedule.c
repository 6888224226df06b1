/* sched_setattr(2), sched_setaffinity(2), ioprio_set(2), set_mempolicy(2), personality(2), by their
 * numbers: not every libc has them, and those that have change more than the one thread. */
#include "sys/schedule.h"

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

enum
{
  IOPRIO_OF_GROUP = 2,  /* IOPRIO_WHO_PGRP */
  CLAMP_NOTHING = 1024, /* the most that sched_util_max can be */
  WORD_BITS = 8 * sizeof (unsigned long),
};

/* The kernel's struct sched_attr, as of Linux 5.3. */
struct attributes
{
  uint32_t size, policy;
  uint64_t flags;
  int32_t nice;
  uint32_t priority;
  uint64_t runtime, deadline, period;
  uint32_t util_min, util_max;
};

static int
result (long r)
{
  return r < 0 ? -errno : (int) r;
}

/* The specification has the flags for utilization clamps but no place for their values: what they
 * clamp then is nothing. */
int
sys_set_scheduler (pid_t pid, const struct sys_scheduler *scheduler)
{
  struct attributes attributes = {
    .size = sizeof attributes,
    .policy = scheduler->policy,
    .flags = scheduler->flags,
    .nice = scheduler->nice,
    .priority = scheduler->priority,
    .runtime = scheduler->runtime,
    .deadline = scheduler->deadline,
    .period = scheduler->period,
    .util_max = CLAMP_NOTHING,
  };
  return result (syscall (SYS_sched_setattr, pid, &attributes, 0));
}

int
sys_set_affinity (pid_t pid, const uint64_t *bits, size_t words)
{
  unsigned long mask[SYS_AFFINITY_WORDS * 64 / WORD_BITS] = { 0 };
  if (words > SYS_AFFINITY_WORDS)
    return -E2BIG;
  for (size_t i = 0; i < words * 64; i++)
    if ((bits[i / 64] >> i % 64 & 1) != 0)
      mask[i / WORD_BITS] |= 1UL << i % WORD_BITS;
  return result (syscall (SYS_sched_setaffinity, pid, sizeof mask, mask));
}

int
sys_set_io_priority (pid_t group, uint32_t priority)
{
  return result (syscall (SYS_ioprio_set, IOPRIO_OF_GROUP, group, priority));
}

/* The kernel reads one bit less than it is told. */
int
sys_set_memory_policy (uint32_t mode, const uint32_t *nodes, size_t count)
{
  unsigned long mask[SYS_MEMORY_NODES / WORD_BITS] = { 0 };
  for (size_t i = 0; i < count; i++)
    {
      if (nodes[i] >= SYS_MEMORY_NODES)
        return -EINVAL;
      mask[nodes[i] / WORD_BITS] |= 1UL << nodes[i] % WORD_BITS;
    }
  return result (syscall (SYS_set_mempolicy, mode, count > 0 ? mask : NULL,
                          count > 0 ? SYS_MEMORY_NODES + 1 : 0));
}

int
sys_set_personality (uint32_t value)
{
  return result (syscall (SYS_personality, value));
}
