/* A container's config: read, lowered to typed C, checked, frozen; and the plan made from it.
 * Nothing after spec_load compares strings of the config or edits it. Both halves are pure: no
 * system call, no effect.
 */
#ifndef TARE_SPEC_H
#define TARE_SPEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/base.h"
#include "libocispec/ocispec.h"
#include "plan/plan.h"
#include "spec/cgroup_mounts.h"

enum spec_capability_set
{
  CAPABILITIES_BOUNDING,
  CAPABILITIES_EFFECTIVE,
  CAPABILITIES_PERMITTED,
  CAPABILITIES_INHERITABLE,
  CAPABILITIES_AMBIENT,
  CAPABILITIES_SETS,
};

struct spec_namespace
{
  uint32_t type;    /* CLONE_NEW* */
  const char *path; /* joined; NULL: new */
};

enum spec_mount_kind
{
  SPEC_MOUNT_FILESYSTEM,
  SPEC_MOUNT_BIND,
  SPEC_MOUNT_CGROUP, /* becomes one or several mounts: struct cgroup_mounts */
  SPEC_MOUNT_REMOUNT,
};
struct spec_mount
{
  const char *label; /* "mounts[3]" */
  const char *type, *source, *target;
  enum spec_mount_kind kind;
  bool recursive, copy_up;
  uint64_t set, clear, recursive_set, recursive_clear; /* MOUNT_ATTR_* */
  uint64_t propagation, recursive_propagation;         /* MS_* */
  const char **data;                                   /* for fsconfig, in order */
  size_t n_data;
  const char *root_label;        /* SELinux', for its root */
  const char *idmap;             /* what follows "idmap=" */
  const char *uid_map, *gid_map; /* for an idmapped mount, as the kernel's files want them */
  uint64_t flags;                /* PLAN_MOUNT_* that options ask for */
};

struct spec_rlimit
{
  uint32_t resource;
  uint64_t soft, hard;
};

struct spec
{
  struct arena arena;
  const struct oci_config *config;
  const char *bundle; /* absolute */
  const char *rootfs; /* absolute */
  struct spec_namespace namespaces[PLAN_MAX_NAMESPACES];
  size_t n_namespaces;
  uint64_t new_namespaces, joined_namespaces; /* CLONE_NEW* */
  struct spec_mount *mounts;
  size_t n_mounts;
  struct spec_rlimit *rlimits;
  size_t n_rlimits;
  uint64_t capabilities[CAPABILITIES_SETS];
  uint64_t root_propagation; /* MS_* | MS_REC */
  bool has_seccomp;
  const void *seccomp_program; /* struct sock_filter, given ready-made; NULL: from linux.seccomp */
  size_t seccomp_length;
  const char *seccomp_agent; /* the socket of who is asked; NULL: the filter asks nobody */
};

struct spec_input
{
  const char *name; /* for errors: "config.json" */
  const void *bytes;
  size_t length;
  const char *bundle; /* absolute */
};

/* Reads, lowers, checks and freezes. Warnings go to log. The caller frees with spec_free. */
int spec_load (const struct spec_input *input, const struct log *log, struct spec **ret_spec,
               struct tare_error *error);
void spec_free (struct spec *spec);

/* The namespaces (CLONE_NEW*) that hostname, domainname, sysctls or netDevices of the config
 * change: to join the host's own, by a path, would change the host. */
uint64_t spec_changed_namespaces (const struct spec *spec);

/* Is the container's control group to be its user's (config-linux.md "Cgroup ownership")? In a new
 * cgroup namespace, with a cgroup file system that can be written. */
bool spec_delegates_cgroup (const struct spec *spec);
/* The id outside of an id that linux.uidMappings or gidMappings maps; false: it is in none. */
bool spec_map_id (const struct oci_id_mapping *mappings, size_t count, uint32_t id,
                  uint32_t *ret_id);

/* A further process of a container: container's config with another process, as options says,
 * lowered and checked as any. It borrows from container and options, which must outlive it. */
int spec_load_exec (const struct spec *container, const struct tare_exec_options *options,
                    const struct log *log, struct spec **ret_spec, struct tare_error *error);

/* process.execCPUAffinity: empty where it is not set. */
enum spec_affinity
{
  SPEC_AFFINITY_INITIAL,
  SPEC_AFFINITY_FINAL,
};
int spec_exec_affinity (const struct spec *spec, enum spec_affinity which,
                        struct ranges *ret_ranges, struct tare_error *error);

/* What the plan needs to know of the host and of the caller's wishes. */
struct spec_facts
{
  const char *id;
  uint64_t grantable;       /* capabilities that can be given: the runtime's own */
  uint64_t bounding;        /* what init begins with; in a user namespace all that there are */
  uint64_t ignored_signals; /* by the runtime, and so by init: signal N is bit N - 1 */
  bool privileged;          /* capable over a new user namespace from outside */
  bool comes_back;          /* has the rights to enter its own network namespace */
  bool setgroups_denied;    /* in the new user namespace: no groups can be set */
  bool host_schedules;      /* may the host side schedule others' processes? */
  bool has_apparmor, has_selinux;            /* in force on this host */
  const struct cgroup_mounts *cgroup_mounts; /* NULL: none to be had (--cgroup-manager disabled) */
  uint32_t preserve_fds;
  uint32_t listen_fds;          /* the first of them, for LISTEN_FDS */
  const char *notify_directory; /* on the host, absolute: where NOTIFY_SOCKET is; NULL: none */
  bool no_pivot;
  bool keep_keyring; /* the caller's session keyring is the container's too */
  bool timings;
  bool changes_cgroup; /* once the rootfs is ready, the host side changes what is in the group */
  bool runs;           /* the program follows without a start */
  uint16_t terminal_rows, terminal_columns; /* where the config has no consoleSize; or 0 */
  /* of an exec: the container's namespaces that are not ours, and how its root was entered */
  uint64_t container_namespaces;
  bool chrooted;
  const char *const *environment; /* the runtime's own, for hooks without one; NULL: none */
  const struct log *log;          /* ungrantable capabilities warn */
};

/* The namespaces of a plan, worked out from which are new, joined or absent. Pure; the truth table
 * of its test is the specification. */
struct spec_namespace_plan
{
  uint64_t clone_flags;   /* of the host's clone3 */
  uint64_t unshare_flags; /* of init, after the joins */
  uint64_t flags;         /* PLAN_FORK, PLAN_UNSHARE_USER, PLAN_USER_NAMESPACE, ... */
};
struct spec_namespace_plan spec_plan_namespaces (uint64_t new_namespaces,
                                                 uint64_t joined_namespaces, bool time_offsets);

/* Appends the whole plan and finishes it. */
int spec_plan (const struct spec *spec, const struct spec_facts *facts,
               struct plan_builder *builder, struct tare_error *error);
/* The same for a further process in a container that is there. */
int spec_plan_exec (const struct spec *spec, const struct spec_facts *facts,
                    struct plan_builder *builder, struct tare_error *error);

/* Seconds, 0 for none; more than fit are as many as fit. */
static inline uint32_t
spec_hook_timeout (const struct oci_hook *hook)
{
  return hook->timeout > UINT32_MAX ? UINT32_MAX : (uint32_t) hook->timeout;
}

/* The container's state (runtime.md "State") as JSON on one line, as hooks get it. pid 0: absent.
 */
void spec_state_json (const struct spec *spec, const char *id, enum oci_status status, pid_t pid,
                      struct buf *buf);

/* What a seccomp agent gets with the listener (config-linux.md "The Container Process State"). */
void spec_process_state_json (const struct spec *spec, const char *id, enum oci_status status,
                              pid_t pid, struct buf *buf);

/* Writes the program of linux.seccomp to fd, as seccomp(2) takes it; and its flags. */
int spec_compile_seccomp (const struct spec *spec, const struct log *log, int fd,
                          struct tare_error *error);
/* All that the program depends on, as bytes to compare. false: it need not be compiled. */
bool spec_seccomp_key (const struct spec *spec, struct buf *buf);
uint64_t spec_seccomp_flags (const struct spec *spec);

/* Where a container sees the directory of its NOTIFY_SOCKET, and the socket's name in it. */
#define SPEC_NOTIFY_DIRECTORY "/run/notify"
#define SPEC_NOTIFY_SOCKET    "notify.sock"
/* Does the process's environment have it? */
bool spec_has_variable (const struct spec *spec, const char *name);

/* Files that the output of all hooks is appended to. */
#define SPEC_HOOKS_STDOUT "run.oci.hooks.stdout"
#define SPEC_HOOKS_STDERR "run.oci.hooks.stderr"
/* The value of an annotation, or NULL. */
const char *spec_annotation (const struct spec *spec, const char *key);

/* The lines for the file `schemata` of a class of service; none if the config has none. */
void spec_rdt_schemata (const struct oci_intel_rdt *rdt, struct buf *buf);
/* Does existing, the contents of such a file, say all that wanted says? */
bool spec_rdt_matches (const char *wanted, const char *existing);

/* Does the config ask for a new namespace of this type? */
static inline bool
spec_is_new (const struct spec *spec, uint64_t type)
{
  return (spec->new_namespaces & type) != 0;
}

/* ... or joins one? */
static inline bool
spec_has (const struct spec *spec, uint64_t type)
{
  return ((spec->new_namespaces | spec->joined_namespaces) & type) != 0;
}

/* Number of a capability by its spec name "CAP_KILL", or -EINVAL; and back (NULL). */
int capability_number (const char *name);
const char *capability_name (unsigned number, char *buffer, size_t size);

#endif
