/* The plan: everything init is to do, decided by the host side, as one flat buffer.
 *
 * Offsets instead of pointers; offset 0 is the root (struct plan), so 0 also means "none". The
 * buffer comes in a message, or in a memfd sealed against writing and resizing. init checks it once
 * (plan_check) and trusts it from then on. Every object is one X-macro list of fields: the same
 * lines make the C struct, the checker's table and the printer's. What plan_print shows is what
 * runs.
 *
 * Kinds of fields: text (offset of a terminated string), word (32 bits), number (signed), mask (64
 * bits, printed in hexadecimal), wide (64 bits), name (32 bits with an enum_map), texts, words
 * (arrays of those), array (of another object).
 */
#ifndef TARE_PLAN_H
#define TARE_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"

enum
{
  PLAN_MAGIC = 0x65726174, /* "tare" */
  PLAN_VERSION = 1,
  PLAN_MAX_SIZE = 64 << 20,
  PLAN_MAX_NAMESPACES = 8,
};

typedef uint32_t plan_text, plan_word, plan_name;
typedef int32_t plan_number;
typedef uint64_t plan_mask, plan_wide;
struct plan_span
{
  uint32_t offset, count;
};
typedef struct plan_span plan_texts, plan_words, plan_array;

/* A namespace joined by descriptor. fd: index into the descriptors that came with PLAN. */
#define PLAN_JOIN(F)                                                                               \
  F (name, type, plan_namespace_type_map)                                                          \
  F (word, fd, 0)                                                                                  \
  F (text, path, 0)

enum plan_mount_action
{
  PLAN_MOUNT_FILESYSTEM, /* fsopen (type), options by fsconfig, fsmount */
  PLAN_MOUNT_BIND,       /* open_tree (source, OPEN_TREE_CLONE) */
  PLAN_MOUNT_SYMLINK,    /* a symbolic link at target, saying source */
  PLAN_MOUNT_REMOUNT,    /* attributes and options of the mount that is at target already */
};
enum plan_mount_flags
{
  PLAN_MOUNT_RECURSIVE = 1 << 0,       /* rbind */
  PLAN_MOUNT_LATE = 1 << 1,            /* something is made below: `set` waits for "read_only" */
  PLAN_MOUNT_NO_SYMLINKS = 1 << 2,     /* the target must be a real directory at its path */
  PLAN_MOUNT_IN_PROC_ALLOWED = 1 << 3, /* target below /proc, on the list of allowed ones */
  PLAN_MOUNT_MODE_OF_TARGET = 1 << 4,  /* tmpfs without mode=: takes the mode of the directory */
  PLAN_MOUNT_COPY_UP = 1 << 5,         /* tmpcopyup */
  PLAN_MOUNT_OWNER_OF_TARGET = 1 << 6, /* with it, without uid= and gid=: the directory's too */
  PLAN_MOUNT_SOURCE_NOFOLLOW = 1 << 7, /* a link as source is bound itself */
  PLAN_MOUNT_TARGET_NOFOLLOW = 1 << 8, /* a link as target is mounted over itself */
  PLAN_MOUNT_COPY_SYMLINK = 1 << 9,    /* a link as source is made anew at the target */
  PLAN_MOUNT_SOURCE_BY_HOST = 1 << 10, /* the host side opens it: ids of ours may not get there */
  PLAN_MOUNT_IDMAP = 1 << 11,          /* by uid_map, gid_map; none: the container's namespace */
  PLAN_MOUNT_IDMAP_RECURSIVE = 1 << 12,
  PLAN_MOUNT_ROOT = 1 << 13, /* on "/": takes the place of the rootfs */
};
#define PLAN_MOUNT(F)                                                                              \
  F (text, label, 0) /* for errors: "mounts[3]" */                                                 \
  F (name, action, plan_mount_action_map)                                                          \
  F (text, type, 0)     /* file system */                                                          \
  F (text, source, 0)   /* absolute on the host for a bind */                                      \
  F (text, target, 0)   /* absolute inside */                                                      \
  F (texts, options, 0) /* "key=value" or "key", for fsconfig */                                   \
  F (mask, set, 0)      /* MOUNT_ATTR_* */                                                         \
  F (mask, clear, 0)                                                                               \
  F (mask, recursive_set, 0) /* MOUNT_ATTR_*, with AT_RECURSIVE */                                 \
  F (mask, recursive_clear, 0)                                                                     \
  F (mask, propagation, 0) /* MS_SLAVE | MS_SHARED ..., one call each */                           \
  F (mask, recursive_propagation, 0)                                                               \
  F (text, uid_map, 0) /* as /proc/PID/uid_map wants it */                                         \
  F (text, gid_map, 0)                                                                             \
  F (text, instead, 0)    /* host's tree that is bound where the kernel refuses the file system */ \
  F (text, root_label, 0) /* SELinux', for its root */                                             \
  F (mask, flags, 0)      /* enum plan_mount_flags */

enum plan_device_flags
{
  PLAN_DEVICE_DEFAULT = 1 << 0, /* one of the six that config-linux.md demands */
};
#define PLAN_DEVICE(F)                                                                             \
  F (text, label, 0)                                                                               \
  F (text, path, 0)                                                                                \
  F (word, mode, 0) /* with S_IFMT */                                                              \
  F (word, major, 0)                                                                               \
  F (word, minor, 0)                                                                               \
  F (word, uid, 0)                                                                                 \
  F (word, gid, 0)                                                                                 \
  F (mask, flags, 0)

/* /dev/fd and the like: made where `requires` exists inside (0: always) and `path` does not. */
#define PLAN_LINK(F)                                                                               \
  F (text, path, 0)                                                                                \
  F (text, target, 0)                                                                              \
  F (text, requires, 0)

enum plan_path_action
{
  PLAN_PATH_MASK,
  PLAN_PATH_READ_ONLY,
};
#define PLAN_PATH(F)                                                                               \
  F (text, label, 0)                                                                               \
  F (name, action, plan_path_action_map)                                                           \
  F (text, path, 0)

#define PLAN_RLIMIT(F)                                                                             \
  F (name, resource, plan_rlimit_map) /* RLIMIT_* */                                               \
  F (wide, soft, 0)                                                                                \
  F (wide, hard, 0)

#define PLAN_SYSCTL(F)                                                                             \
  F (text, path, 0) /* below /proc/sys, with slashes */                                            \
  F (text, value, 0)

#define PLAN_SCHEDULER(F)                                                                          \
  F (name, policy, plan_scheduler_policy_map) /* SCHED_* */                                        \
  F (number, nice, 0)                                                                              \
  F (word, priority, 0)                                                                            \
  F (mask, flags, 0)   /* SCHED_FLAG_* */                                                          \
  F (wide, runtime, 0) /* nanoseconds, here and below */                                           \
  F (wide, deadline, 0)                                                                            \
  F (wide, period, 0)

#define PLAN_MEMORY_POLICY(F)                                                                      \
  F (name, mode, plan_memory_policy_map) /* MPOL_* */                                              \
  F (mask, flags, 0)                     /* MPOL_F_* */                                            \
  F (words, nodes, 0)

/* A hook that init runs. `state` is the container's state as JSON in two pieces; init's own pid, as
 * the hook will see it, goes between them. */
#define PLAN_HOOK(F)                                                                               \
  F (text, label, 0) /* "hooks.createContainer[0]" */                                              \
  F (text, path, 0)                                                                                \
  F (texts, args, 0)   /* none: just the path */                                                   \
  F (texts, env, 0)    /* the plan's own: what the process gets */                                 \
  F (word, timeout, 0) /* seconds; 0: none */                                                      \
  F (text, state_before_pid, 0)                                                                    \
  F (text, state_after_pid, 0)

enum plan_kind
{
  PLAN_CREATE,
  PLAN_EXEC,
};

enum plan_flags
{
  PLAN_NO_NEW_PRIVILEGES = 1 << 0,
  PLAN_ROOT_READ_ONLY = 1 << 1,
  PLAN_USER_NAMESPACE = 1 << 2, /* init is not in the host's: devices by bind, maps by the host */
  PLAN_SETGROUPS_DENIED = 1 << 3,
  PLAN_CHROOT = 1 << 4,  /* no pivot_root: --no-pivot, or a joined mount namespace */
  PLAN_TIMINGS = 1 << 5, /* note the time of every step in the progress page */
  PLAN_TERMINAL = 1 << 6,
  PLAN_NEW_PID_NAMESPACE = 1 << 7,
  PLAN_LOOPBACK_UP = 1 << 8,          /* a new network namespace: lo is brought up */
  PLAN_NEW_CGROUP_NAMESPACE = 1 << 9, /* unshared by init once it is in its group */
  PLAN_SET_UMASK = 1 << 10,
  PLAN_FORK = 1 << 11,         /* a stage is needed: join or unshare, then fork init */
  PLAN_UNSHARE_USER = 1 << 12, /* after the joins, before unshare_flags */
  PLAN_TIME_OFFSETS = 1 << 13, /* the host writes timens_offsets between unshare and fork */
  PLAN_KEEP_GROUPS = 1 << 14,
  PLAN_SECCOMP = 1 << 16,        /* early or late by PLAN_NO_NEW_PRIVILEGES */
  PLAN_CONSOLE = 1 << 17,        /* the terminal is bound to /dev/console */
  PLAN_KEEP_KEYRING = 1 << 18,   /* the caller's session keyring; else a new one */
  PLAN_HOST_SCHEDULES = 1 << 24, /* scheduler, io_priority: it has rights that init may lack */
  PLAN_NET_DEVICES = 1 << 19,    /* the host moves some once init is in its namespace */
  PLAN_RUNS = 1 << 26,           /* no waiting for start: from RUN on to the program */
  PLAN_HOST_NETWORK = 1 << 27,   /* the host makes the network namespace while init comes up */
  PLAN_LISTEN_PID = 1 << 20,     /* LISTEN_PID is added to the environment */
  PLAN_HOOK_STDOUT = 1 << 21,    /* HOOKS_DONE brings it, for the hooks that init runs */
  PLAN_HOOK_STDERR = 1 << 22,
  PLAN_HOST_FIRST = 1 << 23,      /* init waits for HOOKS_DONE before it hides anything */
  PLAN_HOST_PRIVILEGED = 1 << 15, /* over init's user namespace: dumpable 0 is the first call */
};

#define PLAN_ROOT(F)                                                                               \
  F (word, magic, 0)                                                                               \
  F (word, version, 0)                                                                             \
  F (word, size, 0)                                                                                \
  F (word, preserve_fds, 0)                                                                        \
  F (name, kind, plan_kind_map)                                                                    \
  F (mask, flags, 0)                                                                               \
  /* namespaces: first joined, then (user) joined or made, then the rest */                        \
  F (mask, clone_flags, 0)   /* of the host's clone3 */                                            \
  F (mask, unshare_flags, 0) /* by init, after the joins */                                        \
  F (array, joins, join)                                                                           \
  F (mask, container_namespaces, 0) /* exec: joined by the pidfd of the container's init */        \
  F (text, hostname, 0)                                                                            \
  F (text, domainname, 0)                                                                          \
  F (array, sysctls, sysctl)                                                                       \
  /* the file system */                                                                            \
  F (text, rootfs, 0)           /* absolute on the host */                                         \
  F (mask, root_propagation, 0) /* MS_* | MS_REC of "/", before anything is mounted */             \
  F (array, mounts, mount)                                                                         \
  F (array, devices, device)                                                                       \
  F (array, links, link)                                                                           \
  F (array, paths, path)                                                                           \
  F (array, create_hooks, hook)                                                                    \
  F (text, hook_directory, 0) /* on the host, where create_hooks start */                          \
  F (array, start_hooks, hook)                                                                     \
  /* the process */                                                                                \
  F (text, cwd, 0)                                                                                 \
  F (texts, args, 0)                                                                               \
  F (texts, env, 0)                                                                                \
  F (word, umask, 0)                                                                               \
  F (word, personality, 0)                /* 1 + PER_*; 0: as it is */                             \
  F (array, memory_policy, memory_policy) /* one or none; so are schedulers */                     \
  F (array, scheduler, scheduler)                                                                  \
  F (word, io_priority, 0) /* class << 13 | level; 0: as it is */                                  \
  F (text, apparmor_profile, 0)                                                                    \
  F (text, selinux_label, 0)                                                                       \
  F (word, terminal_rows, 0) /* 0: as the terminal comes */                                        \
  F (word, terminal_columns, 0)                                                                    \
  F (mask, seccomp_flags, 0) /* SECCOMP_FILTER_FLAG_* */                                           \
  F (word, uid, 0)                                                                                 \
  F (word, gid, 0)                                                                                 \
  F (words, groups, 0)                                                                             \
  F (mask, ignored_signals, 0) /* of the caller, which exec does not reset: signal N is bit N-1 */ \
  F (mask, bounding_before, 0) /* what init's bounding set is, to begin with */                    \
  F (mask, bounding, 0)                                                                            \
  F (mask, effective, 0)                                                                           \
  F (mask, permitted, 0)                                                                           \
  F (mask, inheritable, 0)                                                                         \
  F (mask, ambient, 0)                                                                             \
  F (array, rlimits, rlimit)

#define PLAN_OBJECTS(O)                                                                            \
  O (join, PLAN_JOIN)                                                                              \
  O (mount, PLAN_MOUNT)                                                                            \
  O (device, PLAN_DEVICE)                                                                          \
  O (link, PLAN_LINK)                                                                              \
  O (path, PLAN_PATH)                                                                              \
  O (rlimit, PLAN_RLIMIT)                                                                          \
  O (sysctl, PLAN_SYSCTL)                                                                          \
  O (scheduler, PLAN_SCHEDULER)                                                                    \
  O (memory_policy, PLAN_MEMORY_POLICY)                                                            \
  O (hook, PLAN_HOOK)

#define PLAN_MEMBER(kind, member, extra) plan_##kind member;
#define PLAN_STRUCT(name, FIELDS)                                                                  \
  struct plan_##name                                                                               \
  {                                                                                                \
    FIELDS (PLAN_MEMBER)                                                                           \
  };
PLAN_OBJECTS (PLAN_STRUCT)
struct plan
{
  PLAN_ROOT (PLAN_MEMBER)
};

extern const struct enum_map plan_kind_map[], plan_namespace_type_map[], plan_mount_action_map[],
    plan_path_action_map[], plan_rlimit_map[], plan_scheduler_policy_map[],
    plan_memory_policy_map[];

/* ---- reading ------------------------------------------------------------------------------- */

/* Every offset, count and string of the size bytes at bytes is within bounds; the buffer is a plan
 * of this version. -EBADMSG. */
int plan_check (const void *bytes, size_t size, struct tare_error *error);
/* Maps the sealed memfd read-only and checks seals and contents. Valid until the process ends. */
int plan_open (int memfd, const struct plan **ret_plan, struct tare_error *error);

/* The string; NULL where there is none. */
const char *plan_string (const struct plan *plan, plan_text text);
/* The first element of an array; NULL if it is empty. */
const void *plan_elements (const struct plan *plan, struct plan_span span);
/* Element i of an array of strings. */
const char *plan_string_at (const struct plan *plan, plan_texts texts, size_t i);

/* ---- building (the host side) -------------------------------------------------------------- */

struct plan_builder
{
  struct buf buf; /* buf.failed says that memory ran out */
};

void plan_begin (struct plan_builder *builder);
/* 0 for NULL. */
plan_text plan_put_text (struct plan_builder *builder, const char *text);
plan_texts plan_put_texts (struct plan_builder *builder, const char *const *texts, size_t count);
struct plan_span plan_put_array (struct plan_builder *builder, const void *elements, size_t count,
                                 size_t element_size);
/* Writes the root, whose magic, version and size are filled in here. -ENOMEM, -E2BIG. */
int plan_finish (struct plan_builder *builder, const struct plan *root, struct tare_error *error);
/* A sealed memfd with the finished plan. */
int plan_seal (const struct plan_builder *builder, struct tare_error *error);
void plan_builder_done (struct plan_builder *builder);

/* ---- printing ------------------------------------------------------------------------------ */

/* The plan as text, one line an object; a field that is zero is left out. */
void plan_print (const struct plan *plan, struct buf *buf);

#endif
