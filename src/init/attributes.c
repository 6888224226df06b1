/* What execve passes on to the program: personality, memory policy, and scheduling where the host
 * side has no more rights than we. Serves config-linux.md "Personality", "Memory Policy", config.md
 * "Linux Process" (scheduler, ioPriority). Before the filter, which may forbid all of it. */
#include "init/init.h"
#include "plan/schedule.h"

static int
set_personality (const struct init *init, struct tare_error *error)
{
  uint32_t personality = init->plan->personality;
  int r = personality > 0 ? sys_set_personality (personality - 1) : 0;
  return r < 0 ? fail (error, r, "linux.personality: set %u", personality - 1) : 0;
}

static int
set_memory_policy (const struct init *init, struct tare_error *error)
{
  const struct plan_memory_policy *policy = plan_elements (init->plan, init->plan->memory_policy);
  if (policy == NULL)
    return 0;
  int r = sys_set_memory_policy (policy->mode | (uint32_t) policy->flags,
                                 plan_elements (init->plan, policy->nodes), policy->nodes.count);
  return r < 0 ? fail (error, r, "linux.memoryPolicy: set %s%s",
                       enum_name (plan_memory_policy_map, policy->mode),
                       r == -EINVAL ? " (a mode or a flag that this kernel does not have, or no "
                                      "node that this process may use)"
                                    : "")
               : 0;
}

int
step_attributes (struct init *init, struct tare_error *error)
{
  int r = set_personality (init, error);
  if (r >= 0)
    r = set_memory_policy (init, error);
  if (r >= 0 && !init_flag (init, PLAN_HOST_SCHEDULES))
    r = plan_apply_schedule (init->plan, 0, error);
  return r;
}
