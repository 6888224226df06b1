/* tare-init's own header: the state of one container's init, and the bodies of its steps.
 *
 * init is handed a plan (plan/plan.h) and carries it out. It decides nothing that the plan could
 * have decided, knows no JSON, allocates nothing that the plan does not bound, and keeps all its
 * state in one struct init. Each step is a function `int step_NAME (init, error)`; the order is
 * the table in steps.c.
 */
#ifndef TARE_INIT_H
#define TARE_INIT_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "plan/plan.h"
#include "plan/protocol.h"
#include "plan/steps.h"
#include "sys/sys.h"

/* What an exec joins has these places in init.joins. */
enum exec_join
{
  EXEC_JOIN_PIDFD, /* of the container's init: all namespaces at once */
  EXEC_JOIN_ROOT,  /* PLAN_CHROOT: its root directory */
};

struct init
{
  const struct plan *plan;
  struct plan_progress *progress;
  struct channel channel; /* to the host side, until RUN */
  struct channel start;   /* to who called start; fd is negative until then */
  int start_socket;
  int entry;                         /* tasks of a cgroup that is entered with GO; or negative */
  int joins[PLAN_MAX_NAMESPACES];    /* of plan.joins, or enum exec_join; negative once joined */
  int root;                          /* the container's root directory */
  uint64_t root_mount, root_inode;   /* its numbers: it is never mounted over */
  uint32_t plain_major, plain_minor; /* of a file system that was seen to be no procfs */
  uint32_t mask_major, mask_minor;   /* of the tmpfs that masks directories */
  int *held;                         /* of plan.mounts: those that turn read-only later */
  int seccomp;                       /* sealed memfd with the program */
  int hook_output[2];                /* files for standard output and error, or negative */
  int agent_state, agent;            /* for whom the filter asks: a sealed memfd, a socket */
  uint32_t inherited_umask;
  bool in_network;  /* the namespace that the host side has made */
  bool groups_stay; /* setgroups is denied in the user namespace that was joined */
  bool cwd_pending; /* root may not enter it; the user may */
  const char **env, **args;
  char home[PATH_MAX];    /* "HOME=..." if env has none */
  char listen_pid[32];    /* "LISTEN_PID=..." if it is wanted */
  char program[PATH_MAX]; /* args[0] as it was found */
#ifdef TARE_FAULTS
  const char *fault; /* "STEP:fail", "STEP:kill", "STEP:stop" */
#endif
};

struct init_step_row
{
  const char *name;
  bool (*needed) (const struct init *init); /* NULL: always */
  int (*run) (struct init *init, struct tare_error *error);
  enum message sends, receives; /* the row's part of the protocol, in this order after run */
  bool inside;                  /* run itself sends and receives: not at its end, or not always */
};

extern const struct init_step_row init_steps[INIT_STEP_COUNT];

/* The rows that a create or an exec runs, in order. Returns how many. */
size_t init_sequence (enum plan_kind kind, enum init_step ret_steps[INIT_STEP_COUNT]);
/* Runs the table from its first row. Returns only on failure, with the step in error. */
int init_run (struct init *init, struct tare_error *error);

/* ---- what the steps share ------------------------------------------------------------------ */

/* Zeroed memory for as long as init lives. NULL: ENOMEM. */
void *init_memory (size_t size);
/* The plan's strings, with a NULL at the end and room for two more. NULL: ENOMEM. */
const char **init_vector (const struct plan *plan, plan_texts texts);
static inline bool
init_flag (const struct init *init, uint64_t flag)
{
  return (init->plan->flags & flag) != 0;
}
/* Is the mount namespace this container's own, so that nothing mounted here is seen outside? */
bool init_owns_mounts (const struct init *init);
/* Enters the network namespace that the host side makes, where it does: before anything that is
 * done in it or could name it. The first bind mount is such a thing, so the host side, whose other
 * answers come after it, is not asked before. */
int init_enter_network (struct init *init, struct tare_error *error);
/* Unmounts every whole procfs and sysfs that is not the container's from our mount namespace, which
 * must not be the host's. Changes the working directory. */
int old_root_drop (const struct init *init, struct tare_error *error);
/* From now on that is the container's root; takes the descriptor over, whatever is returned. */
int init_hold_root (struct init *init, int root, struct tare_error *error);
/* Not dumpable: nobody in there may trace us, or look into our /proc/PID. */
int init_undump (struct tare_error *error);

/* resolve.c: paths of the container, always below its root. Each returns a descriptor (O_PATH) or
 * -errno. flags: RESOLVE_NO_SYMLINKS, or 0. */
enum resolve_make
{
  RESOLVE_DIRECTORY,
  RESOLVE_FILE,
};
int resolve (int root, const char *path, uint64_t flags);
/* A link at the end is not followed. */
int resolve_nofollow (int root, const char *path);
/* Makes what is missing: directories, and at the end a directory or an empty file. */
int resolve_or_make (int root, const char *path, uint64_t flags, enum resolve_make last);
/* The same of a path that was just seen to be missing. */
int resolve_missing (int root, const char *path, uint64_t flags, enum resolve_make last);
/* The directory of path, made where missing, and the name in it. */
int resolve_parent (int root, const char *path, uint64_t flags, const char **ret_name);
/* RESOLVE_NO_SYMLINKS for what the runtime itself makes in /dev, else 0. */
uint64_t resolve_flags_of (const char *path);

/* mount_make.c: detached mounts. */
struct mount_source
{
  int fd; /* negative: there is only the path */
  const char *path;
};
/* Of a bind. The caller closes source->fd, whatever is returned. */
int mount_open_source (struct init *init, const struct plan_mount *mount,
                       struct mount_source *source, struct tare_error *error);
/* A file system or (source is not NULL) a bind, with its attributes. target: what it is to cover,
 * or negative. */
int mount_make (struct init *init, const struct plan_mount *mount,
                const struct mount_source *source, int target, struct tare_error *error);
int mount_set_attributes (const struct plan_mount *mount, int tree, struct tare_error *error);
int mount_change_attributes (int tree, unsigned flags, uint64_t set, uint64_t clear);
/* remount: the options of the file system at target. */
int mount_reconfigure (const struct init *init, const struct plan_mount *mount, int target,
                       struct tare_error *error);
/* "key=value" or "key": *ret_value is NULL for the latter. -ENAMETOOLONG. */
int option_split (const char *option, char *ret_key, size_t size, const char **ret_value);
/* copyup.c: what is in the directory from, and its owner, to the root of a detached tmpfs. */
int copy_up (const struct plan_mount *mount, int from, int to, struct tare_error *error);
/* paths.c: the host's /dev/null, checked to be 1:3. */
int open_host_null (struct tare_error *error);
/* namespaces.c: a procfs nobody else can reach, or the checked existing one. */
int open_procfs (struct tare_error *error);

/* process.c */
/* HOME of uid in the text of an /etc/passwd; only the number decides. -ENOENT. */
int passwd_home (const char *text, size_t length, uint32_t uid, char *ret_home, size_t size);
/* The value of name in an array of "NAME=value", or NULL. */
const char *environment_value (const char *const *env, const char *name);
int enter_cwd (const struct init *init);

/* program.c: args[0] by the rules of execvp(3), with the rights of the caller. */
int program_find (const char *name, const char *search_path, char *ret_path, size_t size,
                  struct tare_error *error);

/* The connection to whoever waits for us: the host side's, or that of start. */
bool waits_for_start (const struct init *init);
struct channel *init_channel (struct init *init);
/* listener.c: loads a filter that asks, and sends its listener to init.agent. */
struct sock_fprog;
int load_with_listener (struct init *init, const struct sock_fprog *program,
                        struct tare_error *error);
/* Receives HOOKS_DONE, or a message that brings the compiled filter where the plan has one (enum
 * filter_fd): RULES, GO. */
int init_receive_descriptors (struct init *init, enum message message, struct tare_error *error);

/* ---- the steps ----------------------------------------------------------------------------- */

int step_hygiene (struct init *init, struct tare_error *error);
int step_join_container (struct init *init, struct tare_error *error);
int step_create_hooks (struct init *init, struct tare_error *error);
int step_start_hooks (struct init *init, struct tare_error *error);
int step_console (struct init *init, struct tare_error *error);
int step_terminal (struct init *init, struct tare_error *error);
int step_seccomp (struct init *init, struct tare_error *error);
int step_join_outer (struct init *init, struct tare_error *error);
int step_join_user (struct init *init, struct tare_error *error);
int step_new_user (struct init *init, struct tare_error *error);
int step_become_root (struct init *init, struct tare_error *error);
int step_unshare (struct init *init, struct tare_error *error);
int step_net_devices (struct init *init, struct tare_error *error);
int step_fork (struct init *init, struct tare_error *error);
int step_go (struct init *init, struct tare_error *error);
int step_cgroup_namespace (struct init *init, struct tare_error *error);
int step_network (struct init *init, struct tare_error *error);
int step_sysctl (struct init *init, struct tare_error *error);
int step_hostname (struct init *init, struct tare_error *error);
int step_rootfs (struct init *init, struct tare_error *error);
int step_mounts (struct init *init, struct tare_error *error);
int step_devices (struct init *init, struct tare_error *error);
int step_links (struct init *init, struct tare_error *error);
int step_host_hooks (struct init *init, struct tare_error *error);
int step_rules (struct init *init, struct tare_error *error);
int step_paths (struct init *init, struct tare_error *error);
int step_read_only (struct init *init, struct tare_error *error);
int step_paths_in_force (struct init *init, struct tare_error *error);
int step_pivot_root (struct init *init, struct tare_error *error);
int step_session (struct init *init, struct tare_error *error);
int step_environment (struct init *init, struct tare_error *error);
int step_attributes (struct init *init, struct tare_error *error);
int step_labels (struct init *init, struct tare_error *error);
int step_credentials (struct init *init, struct tare_error *error);
int step_program (struct init *init, struct tare_error *error);
int step_ready (struct init *init, struct tare_error *error);
int step_wait (struct init *init, struct tare_error *error);
int step_rlimits (struct init *init, struct tare_error *error);
int step_executing (struct init *init, struct tare_error *error);
int step_execute (struct init *init, struct tare_error *error);

#endif
