/* The tables of the plan's objects. Serves plan_check and plan_print; knows nothing of either. */
#include "plan/layout.h"

#include <linux/sched.h>
#include <sys/resource.h>

/* What F's third argument means depends on its kind: only names and arrays have one. */
#define EXTRA_text(extra)   NULL
#define EXTRA_word(extra)   NULL
#define EXTRA_number(extra) NULL
#define EXTRA_mask(extra)   NULL
#define EXTRA_wide(extra)   NULL
#define EXTRA_texts(extra)  NULL
#define EXTRA_words(extra)  NULL
#define EXTRA_name(map)     map
#define EXTRA_array(type)   &object_##type

#define ROW(kind, member, extra)                                                                   \
  { #member, FIELD_##kind, offsetof (struct CURRENT, member), EXTRA_##kind (extra) },
#define TABLE(type)                                                                                \
  static const struct object object_##type = {                                                     \
    .name = #type,                                                                                 \
    .fields = fields_##type,                                                                       \
    .n_fields = COUNT_OF (fields_##type),                                                          \
    .size = sizeof (struct plan_##type),                                                           \
  }

#define CURRENT plan_join
static const struct field fields_join[] = { PLAN_JOIN (ROW) };
TABLE (join);
#undef CURRENT
#define CURRENT plan_mount
static const struct field fields_mount[] = { PLAN_MOUNT (ROW) };
TABLE (mount);
#undef CURRENT
#define CURRENT plan_device
static const struct field fields_device[] = { PLAN_DEVICE (ROW) };
TABLE (device);
#undef CURRENT
#define CURRENT plan_link
static const struct field fields_link[] = { PLAN_LINK (ROW) };
TABLE (link);
#undef CURRENT
#define CURRENT plan_path
static const struct field fields_path[] = { PLAN_PATH (ROW) };
TABLE (path);
#undef CURRENT
#define CURRENT plan_rlimit
static const struct field fields_rlimit[] = { PLAN_RLIMIT (ROW) };
TABLE (rlimit);
#undef CURRENT
#define CURRENT plan_sysctl
static const struct field fields_sysctl[] = { PLAN_SYSCTL (ROW) };
TABLE (sysctl);
#undef CURRENT

#define CURRENT plan_scheduler
static const struct field fields_scheduler[] = { PLAN_SCHEDULER (ROW) };
TABLE (scheduler);
#undef CURRENT
#define CURRENT plan_memory_policy
static const struct field fields_memory_policy[] = { PLAN_MEMORY_POLICY (ROW) };
TABLE (memory_policy);
#undef CURRENT

#define CURRENT plan_hook
static const struct field fields_hook[] = { PLAN_HOOK (ROW) };
TABLE (hook);
#undef CURRENT

#define CURRENT plan
static const struct field fields_root[] = { PLAN_ROOT (ROW) };
#undef CURRENT
const struct object plan_root_object = {
  .name = "plan",
  .fields = fields_root,
  .n_fields = COUNT_OF (fields_root),
  .size = sizeof (struct plan),
};

const struct enum_map plan_kind_map[] = {
  { "create", PLAN_CREATE },
  { "exec", PLAN_EXEC },
  { NULL, 0 },
};

const struct enum_map plan_namespace_type_map[] = {
  { "user", CLONE_NEWUSER }, { "pid", CLONE_NEWPID },       { "network", CLONE_NEWNET },
  { "mount", CLONE_NEWNS },  { "uts", CLONE_NEWUTS },       { "ipc", CLONE_NEWIPC },
  { "time", CLONE_NEWTIME }, { "cgroup", CLONE_NEWCGROUP }, { NULL, 0 },
};

const struct enum_map plan_mount_action_map[] = {
  { "filesystem", PLAN_MOUNT_FILESYSTEM },
  { "bind", PLAN_MOUNT_BIND },
  { "symlink", PLAN_MOUNT_SYMLINK },
  { "remount", PLAN_MOUNT_REMOUNT },
  { NULL, 0 },
};

const struct enum_map plan_path_action_map[] = {
  { "mask", PLAN_PATH_MASK },
  { "read-only", PLAN_PATH_READ_ONLY },
  { NULL, 0 },
};

const struct enum_map plan_rlimit_map[] = {
  { "RLIMIT_AS", RLIMIT_AS },
  { "RLIMIT_CORE", RLIMIT_CORE },
  { "RLIMIT_CPU", RLIMIT_CPU },
  { "RLIMIT_DATA", RLIMIT_DATA },
  { "RLIMIT_FSIZE", RLIMIT_FSIZE },
  { "RLIMIT_LOCKS", 10 }, /* RLIMIT_LOCKS: the libcs do not agree on its name */
  { "RLIMIT_MEMLOCK", RLIMIT_MEMLOCK },
  { "RLIMIT_MSGQUEUE", RLIMIT_MSGQUEUE },
  { "RLIMIT_NICE", RLIMIT_NICE },
  { "RLIMIT_NOFILE", RLIMIT_NOFILE },
  { "RLIMIT_NPROC", RLIMIT_NPROC },
  { "RLIMIT_RSS", RLIMIT_RSS },
  { "RLIMIT_RTPRIO", RLIMIT_RTPRIO },
  { "RLIMIT_RTTIME", RLIMIT_RTTIME },
  { "RLIMIT_SIGPENDING", RLIMIT_SIGPENDING },
  { "RLIMIT_STACK", RLIMIT_STACK },
  { NULL, 0 },
};

/* linux/sched.h and linux/mempolicy.h: older headers, and those of musl, lack some. */
const struct enum_map plan_scheduler_policy_map[] = {
  { "SCHED_OTHER", 0 }, { "SCHED_FIFO", 1 }, { "SCHED_RR", 2 },       { "SCHED_BATCH", 3 },
  { "SCHED_ISO", 4 },   { "SCHED_IDLE", 5 }, { "SCHED_DEADLINE", 6 }, { NULL, 0 },
};

const struct enum_map plan_memory_policy_map[] = {
  { "MPOL_DEFAULT", 0 },
  { "MPOL_PREFERRED", 1 },
  { "MPOL_BIND", 2 },
  { "MPOL_INTERLEAVE", 3 },
  { "MPOL_LOCAL", 4 },
  { "MPOL_PREFERRED_MANY", 5 },
  { "MPOL_WEIGHTED_INTERLEAVE", 6 },
  { NULL, 0 },
};
