/* state.json: what later verbs need to know of a container without reading its config. */
#ifndef TARE_STATE_RECORD_H
#define TARE_STATE_RECORD_H

#include "libocispec/table.h"
#include "state/state.h"

enum
{
  STATE_RECORD_VERSION = 1,
};

/* Of enum tare_cgroup_manager. */
extern const struct enum_map state_cgroup_manager_map[];

/* clang-format off */
#define STATE_RECORD_FIELDS(F, T)                                                           \
  F (T, U32, "version", version, .required = true, .min = 1, .max = STATE_RECORD_VERSION)   \
  F (T, STRING, "id", id, .required = true)                                                 \
  F (T, ENUM, "status", status, state_status, .required = true)                             \
  /* of init, as the host counts; 0 while there is none. startTime: clock ticks since boot */ \
  F (T, I32, "pid", pid, .max = INT32_MAX)                                                  \
  F (T, U64, "startTime", start_time)                                                       \
  F (T, STRING, "bundle", bundle)                                                           \
  F (T, STRING, "rootfs", rootfs)                                                           \
  F (T, STRING, "created", created, .required = true)                                       \
  F (T, U32, "owner", owner, .required = true)                                              \
  F (T, STRING_MAP, "annotations", annotations)                                             \
  F (T, ENUM, "cgroupManager", cgroup_manager, state_cgroup_manager)                        \
  /* absolute directories, entered before they are made */                                  \
  F (T, STRINGS, "cgroups", cgroups)                                                        \
  /* directories below resctrl's root: where each process goes, in order; those to be removed */ \
  F (T, STRINGS, "rdtGroups", rdt_groups)                                                   \
  F (T, STRINGS, "rdtMade", rdt_made)                                                       \
  F (T, STRING, "systemdUnit", systemd_unit)                                                \
  F (T, BOOL, "newPidNamespace", new_pid_namespace)                                         \
  /* start or delete has to read config.json: there are poststart or poststop hooks */       \
  F (T, BOOL, "laterHooks", later_hooks)                                         \
  /* its root was entered by chroot, and is not that of its mount namespace */              \
  F (T, BOOL, "chrooted", chrooted)                                                        \
  F (T, BOOL, "keepKeyring", keep_keyring)

OCI_DECLARE (state_record, STATE_RECORD_FIELDS)
/* clang-format on */

/* Private to state. */
/* The name under which a file is written, before it takes its place. */
#define STATE_TEMPORARY(name) "." name ".new"
/* Reads state.json into state. TARE_ERROR_CORRUPT; -ENOENT if there is none. */
int state_read_record (struct state *state, struct tare_error *error);
/* A new record in state's arena, status creating. -ENOMEM. */
int state_new_record (struct state *state, struct tare_error *error);
struct sys_stat;
/* Owner and mode are ours: nobody else can have written in it. */
int state_check_owner (const struct sys_stat *st, const char *what, struct tare_error *error);

#endif
