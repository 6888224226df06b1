/* The sequence of the container side, as a table, and the loop that runs it.
 *
 * One row for each name of INIT_STEPS, in that order (a unit test compares). Rows that send or
 * receive are also in the host side's table: together they are the protocol of plan/protocol.h.
 * This file owns the order and the reporting; it may not do any step's work.
 */
#include "init/init.h"

#include <signal.h>
#include <time.h>

static bool
joins (const struct init *init)
{
  return init->plan->joins.count > 0;
}

static bool
joins_user (const struct init *init)
{
  const struct plan_join *join = plan_elements (init->plan, init->plan->joins);
  for (size_t i = 0; i < init->plan->joins.count; i++)
    if (join[i].type == CLONE_NEWUSER)
      return true;
  return false;
}

static bool
unshares_user (const struct init *init)
{
  return init_flag (init, PLAN_UNSHARE_USER);
}

static bool
has_new_user_namespace (const struct init *init)
{
  return unshares_user (init) || (init->plan->clone_flags & CLONE_NEWUSER) != 0;
}

static bool
has_user_namespace (const struct init *init)
{
  return has_new_user_namespace (init) || joins_user (init)
         || (init->plan->container_namespaces & CLONE_NEWUSER) != 0;
}

static bool
host_is_privileged (const struct init *init)
{
  return init_flag (init, PLAN_HOST_PRIVILEGED);
}

static bool
unshares (const struct init *init)
{
  return init->plan->unshare_flags != 0;
}

static bool
has_time_offsets (const struct init *init)
{
  return init_flag (init, PLAN_TIME_OFFSETS);
}

static bool
forks (const struct init *init)
{
  return init_flag (init, PLAN_FORK);
}

static bool
has_net_devices (const struct init *init)
{
  return init_flag (init, PLAN_NET_DEVICES);
}

static bool
has_new_cgroup_namespace (const struct init *init)
{
  return init_flag (init, PLAN_NEW_CGROUP_NAMESPACE);
}

static bool
host_makes_network (const struct init *init)
{
  return init_flag (init, PLAN_HOST_NETWORK);
}

static bool
has_new_network (const struct init *init)
{
  return host_makes_network (init) || init_flag (init, PLAN_LOOPBACK_UP);
}

static bool
has_sysctls (const struct init *init)
{
  return init->plan->sysctls.count > 0;
}

static bool
has_hostname (const struct init *init)
{
  return init->plan->hostname != 0 || init->plan->domainname != 0;
}

static bool
has_mounts (const struct init *init)
{
  return init->plan->mounts.count > 0;
}

static bool
has_devices (const struct init *init)
{
  return init->plan->devices.count > 0;
}

static bool
has_links (const struct init *init)
{
  return init->plan->links.count > 0;
}

static bool
has_paths (const struct init *init)
{
  return init->plan->paths.count > 0;
}

/* A startContainer hook may yet bring the program: then it is looked up after that. */
static bool
has_program (const struct init *init)
{
  return init->plan->args.count > 0 && init->plan->start_hooks.count == 0;
}

static bool
has_rlimits (const struct init *init)
{
  return init->plan->rlimits.count > 0;
}

static bool
host_comes_first (const struct init *init)
{
  return init_flag (init, PLAN_HOST_FIRST);
}

static bool
has_create_hooks (const struct init *init)
{
  return init->plan->create_hooks.count > 0;
}

static bool
has_start_hooks (const struct init *init)
{
  return init->plan->start_hooks.count > 0;
}

static bool
has_attributes (const struct init *init)
{
  const struct plan *plan = init->plan;
  return plan->personality != 0 || plan->memory_policy.count > 0 || plan->io_priority != 0
         || plan->scheduler.count > 0;
}

static bool
has_labels (const struct init *init)
{
  return init->plan->apparmor_profile != 0 || init->plan->selinux_label != 0;
}

static bool
has_terminal (const struct init *init)
{
  return init_flag (init, PLAN_TERMINAL);
}

static bool
has_console (const struct init *init)
{
  return init_flag (init, PLAN_CONSOLE);
}

/* Without no_new_privs only CAP_SYS_ADMIN may load a filter: while we still have it. With it
 * anybody may, and the later it is loaded, the less of what we do must the filter allow. */
static bool
filters_early (const struct init *init)
{
  return init_flag (init, PLAN_SECCOMP) && !init_flag (init, PLAN_NO_NEW_PRIVILEGES);
}

static bool
filters_late (const struct init *init)
{
  return init_flag (init, PLAN_SECCOMP) && init_flag (init, PLAN_NO_NEW_PRIVILEGES);
}

/* A step; one that ends by sending and receiving; one that does so itself. */
#define STEP(step, needed, run) [INIT_STEP_##step] = { #step, needed, run, 0, 0, false }
#define SYNC(step, needed, run, sends, receives)                                                   \
  [INIT_STEP_##step] = { #step, needed, run, MESSAGE_##sends, MESSAGE_##receives, false }
#define SELF(step, needed, run, sends, receives)                                                   \
  [INIT_STEP_##step] = { #step, needed, run, MESSAGE_##sends, MESSAGE_##receives, true }

/* clang-format off */
const struct init_step_row init_steps[INIT_STEP_COUNT] = {
  STEP (hygiene,          host_is_privileged,       step_hygiene),
  STEP (join_container,   NULL,                     step_join_container),
  STEP (join_outer,       joins,                    step_join_outer),
  STEP (join_user,        joins_user,               step_join_user),
  STEP (new_user,         unshares_user,            step_new_user),
  SYNC (map_user,         has_new_user_namespace,   NULL,               USER_NAMESPACE, MAPPED),
  STEP (become_root,      has_user_namespace,       step_become_root),
  STEP (unshare,          unshares,                 step_unshare),
  SYNC (time_offsets,     has_time_offsets,         NULL,               TIME_NAMESPACE, OFFSETS),
  SELF (net_devices,      has_net_devices,          step_net_devices,   NETWORK_NAMESPACE, NONE),
  SELF (fork,             forks,                    step_fork,          FORKED, NONE),
  SELF (go,               NULL,                     step_go,            NONE, GO),
  STEP (cgroup_namespace, has_new_cgroup_namespace, step_cgroup_namespace),
  SELF (network,          has_new_network,          step_network,       NONE, NETWORK),
  STEP (sysctl,           has_sysctls,              step_sysctl),
  STEP (hostname,         has_hostname,             step_hostname),
  STEP (rootfs,           NULL,                     step_rootfs),
  SELF (mounts,           has_mounts,               step_mounts,        MOUNT, MOUNTED),
  STEP (enter_network,    host_makes_network,       init_enter_network),
  STEP (devices,          has_devices,              step_devices),
  STEP (links,            has_links,                step_links),
  STEP (console,          has_console,              step_console),
  SYNC (rootfs_ready,     NULL,                     NULL,               ROOTFS_READY, NONE),
  SELF (host_hooks,       host_comes_first,         step_host_hooks,    NONE, HOOKS_DONE),
  STEP (create_hooks,     has_create_hooks,         step_create_hooks),
  STEP (paths,            has_paths,                step_paths),
  STEP (read_only,        NULL,                     step_read_only),
  STEP (pivot_root,       NULL,                     step_pivot_root),
  STEP (paths_in_force,   has_paths,                step_paths_in_force),
  STEP (session,          NULL,                     step_session),
  SELF (rules,            NULL,                     step_rules,         NONE, RULES),
  SELF (terminal,         has_terminal,             step_terminal,      TERMINAL, NONE),
  STEP (environment,      NULL,                     step_environment),
  STEP (attributes,       has_attributes,           step_attributes),
  STEP (labels,           has_labels,               step_labels),
  STEP (seccomp_early,    filters_early,            step_seccomp),
  STEP (credentials,      NULL,                     step_credentials),
  STEP (program,          has_program,              step_program),
  SYNC (ready,            NULL,                     step_ready,         READY, RUN),
  SELF (wait,             waits_for_start,          step_wait,          NONE, START),
  STEP (start_hooks,      has_start_hooks,          step_start_hooks),
  STEP (rlimits,          has_rlimits,              step_rlimits),
  SELF (executing,        NULL,                     step_executing,     EXECUTING, NONE),
  STEP (seccomp_late,     filters_late,             step_seccomp),
  STEP (execute,          NULL,                     step_execute),
};
/* clang-format on */

/* exec: the same rows, fewer of them. The container is there; only the process is new. */
static const enum init_step exec_sequence[] = {
  INIT_STEP_hygiene,      INIT_STEP_join_container, INIT_STEP_become_root,   INIT_STEP_fork,
  INIT_STEP_go,           INIT_STEP_session,        INIT_STEP_terminal,      INIT_STEP_environment,
  INIT_STEP_attributes,   INIT_STEP_labels,         INIT_STEP_seccomp_early, INIT_STEP_credentials,
  INIT_STEP_program,      INIT_STEP_ready,          INIT_STEP_rlimits,       INIT_STEP_executing,
  INIT_STEP_seccomp_late, INIT_STEP_execute,
};

size_t
init_sequence (enum plan_kind kind, enum init_step ret_steps[INIT_STEP_COUNT])
{
  size_t count = 0;
  if (kind == PLAN_EXEC)
    for (; count < COUNT_OF (exec_sequence); count++)
      ret_steps[count] = exec_sequence[count];
  else
    for (int i = 0; i < INIT_STEP_COUNT; i++)
      if (i != INIT_STEP_join_container)
        ret_steps[count++] = (enum init_step) i;
  return count;
}

/* The host side reads this page when the socket ends without a word. */
static void
note_progress (struct init *init, size_t i)
{
  if (init_flag (init, PLAN_TIMINGS))
    {
      struct timespec now = { 0 };
      (void) clock_gettime (CLOCK_MONOTONIC, &now);
      init->progress->began[i] = (uint64_t) now.tv_sec * 1000000000u + (uint64_t) now.tv_nsec;
    }
  init->progress->step = (uint32_t) i + 1;
}

/* Test builds only: TARE_FAULT=init:STEP:fail|kill|stop. Process 1 of a pid namespace is immune to
 * its own signals: there a bare exit and a sleep do as well. */
static int
inject_fault (const struct init *init, const char *name)
{
#ifdef TARE_FAULTS
  const char *action = init->fault != NULL ? str_after (init->fault, name) : NULL;
  if (action == NULL || *action != ':')
    return 0;
  if (str_equal (action, ":kill"))
    {
      (void) raise (SIGKILL);
      _exit (128 + SIGKILL);
    }
  while (str_equal (action, ":stop"))
    (void) pause ();
  return str_equal (action, ":fail") ? -EIO : 0;
#else
  (void) init;
  (void) name;
  return 0;
#endif
}

static int
run_step (struct init *init, const struct init_step_row *step, struct tare_error *error)
{
  int r = inject_fault (init, step->name);
  if (r < 0)
    return fail (error, r, "injected fault in step %s", step->name);
  if (step->run != NULL)
    r = step->run (init, error);
  if (r >= 0 && !step->inside && step->sends != MESSAGE_NONE)
    r = channel_send (&init->channel, step->sends, 0, NULL, 0, error);
  if (r >= 0 && !step->inside && step->receives != MESSAGE_NONE)
    r = channel_receive (&init->channel, step->receives, NULL, error);
  return r;
}

int
init_run (struct init *init, struct tare_error *error)
{
  enum init_step sequence[INIT_STEP_COUNT];
  size_t count = init_sequence ((enum plan_kind) init->plan->kind, sequence);
  for (size_t k = 0; k < count; k++)
    {
      size_t i = sequence[k];
      const struct init_step_row *step = &init_steps[i];
      if (step->needed != NULL && !step->needed (init))
        continue;
      note_progress (init, i);
      int r = run_step (init, step, error);
      if (r < 0)
        {
          if (error->message[0] == '\0')
            (void) fail (error, r, "%s", step->name);
          error->step = (uint16_t) (i + 1);
          return r;
        }
    }
  return fail_kind (error, TARE_ERROR_PROTOCOL, EPROTO, "the last step came back");
}
