/* How the process is scheduled and where its memory is: what the specification allows, and its part
 * of the plan. Serves config.md "Linux Process" (scheduler, ioPriority, execCPUAffinity),
 * config-linux.md "Memory Policy", "Personality". Rights are the kernel's to judge. */
#include <sched.h>

#include "spec/internal.h"
#include "sys/schedule.h"

enum
{
  IO_CLASS_SHIFT = 13,
  MOST_IO_PRIORITY = 7,
  PERSONALITY_LINUX32 = 8,
  HIGHEST_PRIORITY = 99,
};

static const uint32_t policies[] = {
  [OCI_SCHED_OTHER] = 0, [OCI_SCHED_FIFO] = 1, [OCI_SCHED_RR] = 2,       [OCI_SCHED_BATCH] = 3,
  [OCI_SCHED_ISO] = 4,   [OCI_SCHED_IDLE] = 5, [OCI_SCHED_DEADLINE] = 6,
};

static const uint64_t scheduler_flags[] = {
  [OCI_SCHED_FLAG_RESET_ON_FORK] = 0x01,  [OCI_SCHED_FLAG_RECLAIM] = 0x02,
  [OCI_SCHED_FLAG_DL_OVERRUN] = 0x04,     [OCI_SCHED_FLAG_KEEP_POLICY] = 0x08,
  [OCI_SCHED_FLAG_KEEP_PARAMS] = 0x10,    [OCI_SCHED_FLAG_UTIL_CLAMP_MIN] = 0x20,
  [OCI_SCHED_FLAG_UTIL_CLAMP_MAX] = 0x40,
};

static const uint32_t io_classes[] = {
  [OCI_IOPRIO_CLASS_RT] = 1,
  [OCI_IOPRIO_CLASS_BE] = 2,
  [OCI_IOPRIO_CLASS_IDLE] = 3,
};

static const uint32_t memory_modes[] = {
  [OCI_MPOL_DEFAULT] = 0,
  [OCI_MPOL_PREFERRED] = 1,
  [OCI_MPOL_BIND] = 2,
  [OCI_MPOL_INTERLEAVE] = 3,
  [OCI_MPOL_LOCAL] = 4,
  [OCI_MPOL_PREFERRED_MANY] = 5,
  [OCI_MPOL_WEIGHTED_INTERLEAVE] = 6,
};

static const uint64_t memory_flags[] = {
  [OCI_MPOL_F_NUMA_BALANCING] = 1 << 13,
  [OCI_MPOL_F_RELATIVE_NODES] = 1 << 14,
  [OCI_MPOL_F_STATIC_NODES] = 1 << 15,
};

static uint64_t
flags_of (const int *flags, size_t count, const uint64_t *values)
{
  uint64_t all = 0;
  for (size_t i = 0; i < count; i++)
    all |= values[flags[i]];
  return all;
}

/* ---- rules ----------------------------------------------------------------------------------- */

static int
check_deadline (const struct oci_scheduler *scheduler, struct tare_error *error)
{
  uint64_t period = scheduler->period != 0 ? scheduler->period : scheduler->deadline;
  bool any = scheduler->runtime != 0 || scheduler->deadline != 0 || scheduler->period != 0;
  if (scheduler->policy != OCI_SCHED_DEADLINE)
    return any ? config_error (error,
                               "process.scheduler: runtime, deadline and period are only "
                               "for SCHED_DEADLINE, this is %s",
                               enum_name (oci_scheduler_policy_map, scheduler->policy))
               : 0;
  if (scheduler->runtime == 0 || scheduler->runtime > scheduler->deadline
      || scheduler->deadline > period)
    return config_error (error,
                         "process.scheduler: 0 < runtime <= deadline <= period is not so: %llu, "
                         "%llu, %llu",
                         (unsigned long long) scheduler->runtime,
                         (unsigned long long) scheduler->deadline, (unsigned long long) period);
  return 0;
}

/* The kernel forbids such a process to fork. */
static int
check_hooks (const struct oci_config *config, struct tare_error *error)
{
  const struct oci_scheduler *scheduler = config->process->scheduler;
  uint64_t flags = flags_of (scheduler->flags, scheduler->n_flags, scheduler_flags);
  if (scheduler->policy != OCI_SCHED_DEADLINE || config->hooks == NULL
      || config->hooks->n_start_container == 0
      || (flags & scheduler_flags[OCI_SCHED_FLAG_RESET_ON_FORK]) != 0)
    return 0;
  return config_error (error, "process.scheduler: SCHED_DEADLINE needs SCHED_FLAG_RESET_ON_FORK "
                              "where there are hooks.startContainer");
}

static int
check_scheduler (const struct oci_config *config, struct tare_error *error)
{
  const struct oci_scheduler *scheduler = config->process->scheduler;
  if (scheduler == NULL)
    return 0;
  bool real_time = scheduler->policy == OCI_SCHED_FIFO || scheduler->policy == OCI_SCHED_RR;
  const char *policy = enum_name (oci_scheduler_policy_map, scheduler->policy);
  if (scheduler->nice < -20 || scheduler->nice > 19)
    return config_error (error, "process.scheduler.nice: %d is not -20 to 19", scheduler->nice);
  if (real_time && (scheduler->priority < 1 || scheduler->priority > HIGHEST_PRIORITY))
    return config_error (error, "process.scheduler.priority: %d is not 1 to %d, as %s needs",
                         scheduler->priority, HIGHEST_PRIORITY, policy);
  if (!real_time && scheduler->priority != 0)
    return config_error (error,
                         "process.scheduler.priority: %d: is only for SCHED_FIFO and SCHED_RR, "
                         "this is %s",
                         scheduler->priority, policy);
  int r = check_deadline (scheduler, error);
  return r < 0 ? r : check_hooks (config, error);
}

static int
check_io_priority (const struct oci_io_priority *priority, struct tare_error *error)
{
  if (priority == NULL || (priority->priority >= 0 && priority->priority <= MOST_IO_PRIORITY))
    return 0;
  return config_error (error, "process.ioPriority.priority: %d is not 0 to %d", priority->priority,
                       MOST_IO_PRIORITY);
}

/* *ret_ranges is empty where there is no text, or nothing in it. */
static int
parse_list (const char *place, const char *text, size_t most, struct ranges *ret_ranges,
            struct tare_error *error)
{
  *ret_ranges = (struct ranges){ 0 };
  int r = text != NULL ? ranges_parse (text, ret_ranges) : 0;
  for (size_t i = most; r >= 0 && i < RANGES_MOST; i++)
    r = ranges_has (ret_ranges, i) ? -ERANGE : 0;
  if (r >= 0)
    return 0;
  return config_error (error, "%s: '%s' is not a list like 0-3,7 of numbers below %zu", place, text,
                       most);
}

int
spec_exec_affinity (const struct spec *spec, enum spec_affinity which, struct ranges *ret_ranges,
                    struct tare_error *error)
{
  const struct oci_cpu_affinity *affinity = spec->config->process->exec_cpu_affinity;
  bool initial = which == SPEC_AFFINITY_INITIAL;
  const char *text = affinity == NULL ? NULL : initial ? affinity->initial : affinity->final;
  return parse_list (initial ? "process.execCPUAffinity.initial" : "process.execCPUAffinity.final",
                     text, RANGES_MOST, ret_ranges, error);
}

static int
check_memory_nodes (const struct oci_memory_policy *policy, struct tare_error *error)
{
  struct ranges nodes;
  bool without = policy->mode == OCI_MPOL_DEFAULT || policy->mode == OCI_MPOL_LOCAL;
  const char *mode = enum_name (oci_memory_policy_mode_map, policy->mode);
  int r = parse_list ("linux.memoryPolicy.nodes", policy->nodes, SYS_MEMORY_NODES, &nodes, error);
  if (r < 0)
    return r;
  if (without && nodes.count > 0)
    return config_error (error, "linux.memoryPolicy.nodes: '%s': %s takes none", policy->nodes,
                         mode);
  if (!without && policy->mode != OCI_MPOL_PREFERRED && nodes.count == 0)
    return config_error (error, "linux.memoryPolicy.nodes: %s needs at least one", mode);
  return 0;
}

static int
check_memory_policy (const struct oci_memory_policy *policy, struct tare_error *error)
{
  const uint64_t exclusive =
      memory_flags[OCI_MPOL_F_STATIC_NODES] | memory_flags[OCI_MPOL_F_RELATIVE_NODES];
  if (policy == NULL)
    return 0;
  if (!policy->has_mode)
    return config_error (error, "linux.memoryPolicy.mode: required, but missing");
  if ((flags_of (policy->flags, policy->n_flags, memory_flags) & exclusive) == exclusive)
    return config_error (error, "linux.memoryPolicy.flags: MPOL_F_STATIC_NODES and "
                                "MPOL_F_RELATIVE_NODES exclude each other");
  return check_memory_nodes (policy, error);
}

static int
check_personality (const struct oci_personality *personality, struct tare_error *error)
{
  if (personality == NULL)
    return 0;
  if (!personality->has_domain)
    return config_error (error, "linux.personality.domain: required, but missing");
  if (personality->n_flags > 0)
    return config_error (error, "linux.personality.flags: '%s': there is none in the specification",
                         personality->flags[0]);
  return 0;
}

int
spec_check_schedule (const struct spec *spec, struct tare_error *error)
{
  const struct oci_linux *linux = spec->config->linux;
  struct ranges ignored;
  int r = linux != NULL ? check_memory_policy (linux->memory_policy, error) : 0;
  if (r >= 0 && linux != NULL)
    r = check_personality (linux->personality, error);
  if (r < 0 || spec->config->process == NULL)
    return r;
  r = check_scheduler (spec->config, error);
  if (r >= 0)
    r = check_io_priority (spec->config->process->io_priority, error);
  if (r >= 0)
    r = spec_exec_affinity (spec, SPEC_AFFINITY_INITIAL, &ignored, error);
  return r < 0 ? r : spec_exec_affinity (spec, SPEC_AFFINITY_FINAL, &ignored, error);
}

/* ---- the plan -------------------------------------------------------------------------------- */

static void
plan_memory_policy (const struct oci_memory_policy *policy, struct plan_builder *builder,
                    struct plan *root)
{
  struct ranges nodes = { 0 };
  uint32_t numbers[SYS_MEMORY_NODES];
  size_t count = 0;
  if (policy->nodes != NULL)
    (void) ranges_parse (policy->nodes, &nodes); /* it was checked */
  for (uint32_t i = 0; i < SYS_MEMORY_NODES; i++)
    if (ranges_has (&nodes, i))
      numbers[count++] = i;
  const struct plan_memory_policy made = {
    .mode = memory_modes[policy->mode],
    .flags = flags_of (policy->flags, policy->n_flags, memory_flags),
    .nodes = plan_put_array (builder, numbers, count, sizeof *numbers),
  };
  root->memory_policy = plan_put_array (builder, &made, 1, sizeof made);
}

static void
plan_scheduler (const struct oci_scheduler *scheduler, struct plan_builder *builder,
                struct plan *root)
{
  const struct plan_scheduler made = {
    .policy = policies[scheduler->policy],
    .nice = scheduler->nice,
    .priority = (uint32_t) scheduler->priority,
    .flags = flags_of (scheduler->flags, scheduler->n_flags, scheduler_flags),
    .runtime = scheduler->runtime,
    .deadline = scheduler->deadline,
    .period = scheduler->period,
  };
  root->scheduler = plan_put_array (builder, &made, 1, sizeof made);
}

void
spec_plan_schedule (const struct spec *spec, const struct spec_facts *facts,
                    struct plan_builder *builder, struct plan *root)
{
  const struct oci_linux *linux = spec->config->linux;
  const struct oci_process *process = spec->config->process;
  if (linux != NULL && linux->personality != NULL)
    root->personality =
        1 + (linux->personality->domain == OCI_PERSONALITY_LINUX32 ? PERSONALITY_LINUX32 : 0);
  if (linux != NULL && linux->memory_policy != NULL)
    plan_memory_policy (linux->memory_policy, builder, root);
  if (process->scheduler != NULL)
    plan_scheduler (process->scheduler, builder, root);
  if (process->io_priority != NULL)
    root->io_priority = io_classes[process->io_priority->class] << IO_CLASS_SHIFT
                        | (uint32_t) process->io_priority->priority;
  if (facts->host_schedules && (process->scheduler != NULL || process->io_priority != NULL))
    root->flags |= PLAN_HOST_SCHEDULES;
}
