/* sched_setattr(2) and ioprio_set(2) for a process, and what a refusal means. Serves config.md
 * "Linux Process" (scheduler, ioPriority). The kernel asks for rights over the whole machine, which
 * nobody has in a user namespace: so it is the host side that does it, where it has them. */
#include "plan/schedule.h"

#include "sys/sys.h"

static const char *
why (const struct plan_scheduler *scheduler, int r)
{
  bool deadline =
      str_equal (enum_name (plan_scheduler_policy_map, scheduler->policy), "SCHED_DEADLINE");
  switch (r)
    {
    case -EPERM:
      return deadline ? " (it needs CAP_SYS_NICE on the host, and every processor that the "
                        "process' cpuset is among)"
                      : " (it needs CAP_SYS_NICE on the host or a fitting rlimit, and a real-time "
                        "policy also cpu.realtimeRuntime where the groups have that)";
    case -EBUSY:
      return " (the processors have not so much time left)";
    case -EINVAL:
      return " (a policy or a flag that this kernel does not have, or values out of its range)";
    default:
      return "";
    }
}

static int
set_scheduler (const struct plan *plan, pid_t pid, struct tare_error *error)
{
  const struct plan_scheduler *from = plan_elements (plan, plan->scheduler);
  if (from == NULL)
    return 0;
  const struct sys_scheduler scheduler = {
    .policy = from->policy,
    .nice = from->nice,
    .priority = from->priority,
    .flags = from->flags,
    .runtime = from->runtime,
    .deadline = from->deadline,
    .period = from->period,
  };
  int r = sys_set_scheduler (pid, &scheduler);
  return r < 0 ? fail (error, r, "process.scheduler: set %s%s",
                       enum_name (plan_scheduler_policy_map, from->policy), why (from, r))
               : 0;
}

int
plan_apply_schedule (const struct plan *plan, pid_t pid, struct tare_error *error)
{
  int r = set_scheduler (plan, pid, error);
  if (r < 0 || plan->io_priority == 0)
    return r;
  r = sys_set_io_priority (pid, plan->io_priority);
  return r < 0 ? fail (error, r, "process.ioPriority: set class %u, priority %u%s",
                       plan->io_priority >> 13, plan->io_priority & 7,
                       r == -EPERM ? " (IOPRIO_CLASS_RT needs CAP_SYS_NICE on the host)" : "")
               : 0;
}
