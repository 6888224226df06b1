/* The steps of tare-init by name, and the page on which it says where it is.
 *
 * The order here is that of the table in init/steps.c, which must have one row for each. A create
 * runs all of them but join_container; an exec runs a list of the same rows. The host side knows
 * the names so that an early end of file can be told as "init died in step mounts".
 */
#ifndef TARE_PLAN_STEPS_H
#define TARE_PLAN_STEPS_H

#include <stdint.h>

#define INIT_STEPS(S)                                                                              \
  S (hygiene)        /* dumpable 0, wait for nothing */                                            \
  S (join_container) /* exec: all namespaces of a container, by its pidfd */                       \
  S (join_outer)     /* namespaces owned by our own user namespace */                              \
  S (join_user)      /* the user namespace, then what it owns */                                   \
  S (new_user)       /* unshared here because of joins before it */                                \
  S (map_user)       /* <-> the host writes the maps */                                            \
  S (become_root)    /* ids 0 of the user namespace, capabilities */                               \
  S (unshare)        /* the other new namespaces, where clone3 could not */                        \
  S (time_offsets)   /* <-> the host writes timens_offsets */                                      \
  S (net_devices)    /* <-> a socket of the network namespace: the host moves some there */        \
  S (fork)           /* <-> the stage makes init in its pid namespace and ends */                  \
  S (go)             /* <-> the host has limits and devices ready */                               \
  S (cgroup_namespace)                                                                             \
  S (network) /* lo up, or (<->) the host brings the namespace */                                  \
  S (sysctl)                                                                                       \
  S (hostname)                                                                                     \
  S (rootfs) /* propagation; the root attached over its path */                                    \
  S (mounts)                                                                                       \
  S (enter_network) /* at the latest */                                                            \
  S (devices)                                                                                      \
  S (links)                                                                                        \
  S (console)      /* the file that the terminal is bound to, while the root can be written */     \
  S (rootfs_ready) /* <-> said, not waited for */                                                  \
  S (host_hooks)   /* <-> the host side runs its hooks */                                          \
  S (create_hooks) /* createContainer */                                                           \
  S (paths)        /* masked and read-only paths */                                                \
  S (read_only)    /* late read-only attributes on the held mounts and the root */                 \
  S (pivot_root)                                                                                   \
  S (paths_in_force) /* read back */                                                               \
  S (session)        /* setsid, a session keyring of its own */                                    \
  S (rules)          /* <-> device rules are in force; the filter comes */                         \
  S (terminal)       /* <-> a pty of the container's own, its master sent to the host side */      \
  S (environment)    /* cwd, umask, HOME */                                                        \
  S (attributes)     /* personality, memory policy, scheduling */                                  \
  S (labels)         /* AppArmor's profile and SELinux' label of what execve makes */              \
  S (seccomp_early)  /* without no_new_privs: while we may */                                      \
  S (credentials)    /* groups, ids, capabilities, no_new_privs; read back */                      \
  S (program)        /* args[0] looked up with the user's rights */                                \
  S (ready)          /* <-> created */                                                             \
  S (wait)           /* for start */                                                               \
  S (start_hooks)    /* startContainer */                                                          \
  S (rlimits)                                                                                      \
  S (executing)    /* <-> the last word: from here on silence means success */                     \
  S (seccomp_late) /* with no_new_privs: nothing of ours comes after it but exec */                \
  S (execute)

#define INIT_STEP_ENUM(name) INIT_STEP_##name,
enum init_step
{
  INIT_STEPS (INIT_STEP_ENUM) INIT_STEP_COUNT
};

/* Sets of capabilities, a bit each. */
struct plan_capabilities
{
  uint64_t bounding, effective, permitted, inheritable, ambient;
};

/* Shared with the host side through a memfd: where init is, without a message for each step. */
struct plan_progress
{
  _Atomic uint32_t step; /* 1 + enum init_step; 0: not begun */
  uint32_t reserved;
  struct plan_capabilities capabilities; /* what init has set; the host side reads it back */
  uint64_t
      began[INIT_STEP_COUNT]; /* CLOCK_MONOTONIC nanoseconds, where the plan asks for timings */
};

/* "mounts"; "start-up" for 0; never NULL. step is 1 + enum init_step. */
const char *init_step_name (uint32_t step);

#endif
