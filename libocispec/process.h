/* process of config.json (config.md "Process"), which is also a document of its own for exec. */
#ifndef TARE_LIBOCISPEC_PROCESS_H
#define TARE_LIBOCISPEC_PROCESS_H

#include "libocispec/table.h"

/* (uid_t) -1 means "no change" to the kernel, so no user or group has that number. */
#define OCI_ID_MAX (UINT32_MAX - 1)

/* clang-format off */
#define OCI_SCHEDULER_POLICIES(V)             \
  V (OCI_SCHED_OTHER, "SCHED_OTHER")          \
  V (OCI_SCHED_FIFO, "SCHED_FIFO")            \
  V (OCI_SCHED_RR, "SCHED_RR")                \
  V (OCI_SCHED_BATCH, "SCHED_BATCH")          \
  V (OCI_SCHED_ISO, "SCHED_ISO")              \
  V (OCI_SCHED_IDLE, "SCHED_IDLE")            \
  V (OCI_SCHED_DEADLINE, "SCHED_DEADLINE")

#define OCI_SCHEDULER_FLAGS(V)                                         \
  V (OCI_SCHED_FLAG_RESET_ON_FORK, "SCHED_FLAG_RESET_ON_FORK")         \
  V (OCI_SCHED_FLAG_RECLAIM, "SCHED_FLAG_RECLAIM")                     \
  V (OCI_SCHED_FLAG_DL_OVERRUN, "SCHED_FLAG_DL_OVERRUN")               \
  V (OCI_SCHED_FLAG_KEEP_POLICY, "SCHED_FLAG_KEEP_POLICY")             \
  V (OCI_SCHED_FLAG_KEEP_PARAMS, "SCHED_FLAG_KEEP_PARAMS")             \
  V (OCI_SCHED_FLAG_UTIL_CLAMP_MIN, "SCHED_FLAG_UTIL_CLAMP_MIN")       \
  V (OCI_SCHED_FLAG_UTIL_CLAMP_MAX, "SCHED_FLAG_UTIL_CLAMP_MAX")

#define OCI_IO_PRIORITY_CLASSES(V)             \
  V (OCI_IOPRIO_CLASS_RT, "IOPRIO_CLASS_RT")   \
  V (OCI_IOPRIO_CLASS_BE, "IOPRIO_CLASS_BE")   \
  V (OCI_IOPRIO_CLASS_IDLE, "IOPRIO_CLASS_IDLE")

OCI_DECLARE_ENUM (oci_scheduler_policy, OCI_SCHEDULER_POLICIES)
OCI_DECLARE_ENUM (oci_scheduler_flag, OCI_SCHEDULER_FLAGS)
OCI_DECLARE_ENUM (oci_io_priority_class, OCI_IO_PRIORITY_CLASSES)

#define OCI_BOX(F, T)                                  \
  F (T, U64, "height", height, .required = true)       \
  F (T, U64, "width", width, .required = true)

#define OCI_USER(F, T)                                            \
  F (T, U32, "uid", uid, .max = OCI_ID_MAX)                       \
  F (T, U32, "gid", gid, .max = OCI_ID_MAX)                       \
  F (T, U32, "umask", umask)                                      \
  F (T, U32S, "additionalGids", additional_gids, .max = OCI_ID_MAX) \
  F (T, STRING, "username", username)

#define OCI_CAPABILITIES(F, T)                   \
  F (T, STRINGS, "bounding", bounding)           \
  F (T, STRINGS, "effective", effective)         \
  F (T, STRINGS, "inheritable", inheritable)     \
  F (T, STRINGS, "permitted", permitted)         \
  F (T, STRINGS, "ambient", ambient)

#define OCI_RLIMIT(F, T)                                                              \
  F (T, STRING, "type", type, .required = true, .pattern = "^RLIMIT_[A-Z]+$")         \
  F (T, U64, "hard", hard, .required = true)                                          \
  F (T, U64, "soft", soft, .required = true)

#define OCI_SCHEDULER(F, T)                                                \
  F (T, ENUM, "policy", policy, oci_scheduler_policy, .required = true)    \
  F (T, I32, "nice", nice)                                                 \
  F (T, I32, "priority", priority)                                         \
  F (T, ENUMS, "flags", flags, oci_scheduler_flag)                         \
  F (T, U64, "runtime", runtime)                                           \
  F (T, U64, "deadline", deadline)                                         \
  F (T, U64, "period", period)

#define OCI_IO_PRIORITY(F, T)                                              \
  F (T, ENUM, "class", class, oci_io_priority_class, .required = true)     \
  F (T, I32, "priority", priority)

#define OCI_CPU_AFFINITY(F, T)                                      \
  F (T, STRING, "initial", initial, .pattern = "^[0-9, -]*$")       \
  F (T, STRING, "final", final, .pattern = "^[0-9, -]*$")

#define OCI_PROCESS(F, T)                                                    \
  F (T, BOOL, "terminal", terminal)                                          \
  F (T, OBJECT, "consoleSize", console_size, oci_box)                        \
  F (T, OBJECT, "user", user, oci_user)                                      \
  F (T, STRINGS, "args", args)                                               \
  F (T, STRING, "commandLine", command_line)                                 \
  F (T, STRINGS, "env", env)                                                 \
  F (T, STRING, "cwd", cwd, .required = true)                                \
  F (T, OBJECT, "capabilities", capabilities, oci_capabilities)              \
  F (T, OBJECTS, "rlimits", rlimits, oci_rlimit)                             \
  F (T, BOOL, "noNewPrivileges", no_new_privileges)                          \
  F (T, STRING, "apparmorProfile", apparmor_profile)                         \
  F (T, I32, "oomScoreAdj", oom_score_adj)                                   \
  F (T, OBJECT, "scheduler", scheduler, oci_scheduler)                       \
  F (T, STRING, "selinuxLabel", selinux_label)                               \
  F (T, OBJECT, "ioPriority", io_priority, oci_io_priority)                  \
  F (T, OBJECT, "execCPUAffinity", exec_cpu_affinity, oci_cpu_affinity)

OCI_DECLARE (oci_box, OCI_BOX)
OCI_DECLARE (oci_user, OCI_USER)
OCI_DECLARE (oci_capabilities, OCI_CAPABILITIES)
OCI_DECLARE (oci_rlimit, OCI_RLIMIT)
OCI_DECLARE (oci_scheduler, OCI_SCHEDULER)
OCI_DECLARE (oci_io_priority, OCI_IO_PRIORITY)
OCI_DECLARE (oci_cpu_affinity, OCI_CPU_AFFINITY)
OCI_DECLARE (oci_process, OCI_PROCESS)
/* clang-format on */

#endif
