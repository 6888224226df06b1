/* A container's control group. Two independent axes: the driver (who makes the group: cgroupfs,
 * systemd, none) and the layout (how limits are written: v1, v2; hybrid is v1's controllers plus
 * the v2 tree). Nobody outside this folder tests for either.
 *
 * Everything is by descriptor of the group's directories once it exists; no mountinfo is parsed.
 */
#ifndef TARE_CGROUP_H
#define TARE_CGROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/base.h"
#include "libocispec/ocispec.h"
#include "spec/cgroup_mounts.h"

/* One hierarchy and the container's group in it. */
struct cgroup_hierarchy
{
  char *controllers; /* "cpu,cpuacct", "name=systemd", or "" for v2 */
  char *mount;       /* "/sys/fs/cgroup/cpu,cpuacct" */
  char *path;        /* of the group, from the mount: "/a/b"; never "/" for a container */
  bool v2;
  int root;       /* the mount's directory: every path is resolved beneath it */
  int fd;         /* the group's directory; -EBADF until made or opened */
  int tasks;      /* v1: by which a new process enters by itself; else -EBADF */
  size_t existed; /* how many bytes of path were there before cgroup_create */
};

struct cgroup_unit;

struct cgroup
{
  const struct cgroup_driver *driver;
  const struct cgroup_layout *layout;
  struct cgroup_hierarchy hierarchies[CGROUP_MAX_HIERARCHIES];
  size_t n_hierarchies;
  const char *owner;        /* the caller's: a name that no other container ever had, or NULL */
  struct cgroup_unit *unit; /* of the systemd driver: what create will start; else NULL */
  const struct log *log;
  bool unprivileged;
  bool groupless;     /* opened from a record without a group */
  char left_out[256]; /* which hierarchy, and why; "": none */
};

/* What a container wishes its group to be. */
struct cgroup_wish
{
  const char *id;
  const char *cgroups_path;           /* linux.cgroupsPath, or NULL */
  const struct oci_pair *annotations; /* org.systemd.property.*, run.oci.systemd.* */
  size_t n_annotations;
  /* What systemd is told with the start, or NULL. Not copied: it lives as long as the group. */
  const struct oci_resources *resources;
};

/* Names only, no effect: which hierarchies there are and where the group of container id will be.
 * cgroups_path (linux.cgroupsPath) absolute: from each hierarchy's mount; relative or NULL: below
 * the runtime's own group (v2: beside it), "/<id>" when NULL. ".." is refused. With systemd it is
 * "slice:prefix:name", and TARE_ERROR_UNSUPPORTED where there is no systemd or no tare-systemd. */
int cgroup_plan (struct cgroup *ret_cgroup, enum tare_cgroup_manager manager,
                 const struct cgroup_wish *wish, const struct log *log, struct tare_error *error);
/* For a runtime without rights over the machine's groups, after cgroup_plan: leaves out the
 * hierarchies in which it may not make the group. A limit that needs one is an error that says so.
 */
void cgroup_leave_out_forbidden (struct cgroup *cgroup);
/* The absolute directories of the group, for the state file; and back from it. The strings of
 * cgroup_directory are the caller's to free. */
size_t cgroup_count (const struct cgroup *cgroup);
char *cgroup_directory (const struct cgroup *cgroup, size_t i);
/* The scope that create will start, or NULL. */
const char *cgroup_unit_name (const struct cgroup *cgroup);
/* What an opened cgroup is good for. */
enum cgroup_use
{
  CGROUP_TO_FREEZE, /* and to tell whether it is frozen */
  CGROUP_TO_SIGNAL, /* that, to kill and to list its processes */
  CGROUP_TO_CHANGE, /* everything */
};
/* From recorded directories; those that are gone, and those that are of no use, are left out
 * silently. Every directory must lie below the cgroup mount and not be a hierarchy's root. */
int cgroup_open (struct cgroup *ret_cgroup, enum tare_cgroup_manager manager, enum cgroup_use use,
                 const char *const *directories, size_t count, const struct log *log,
                 struct tare_error *error);

/* Of a container that ended long ago, say, whose group was given to the next one. To be opened
 * CGROUP_TO_CHANGE. */
bool cgroup_is_of_another (const struct cgroup *cgroup);
/* Is the group somebody else's? EBUSY where there are processes in it. No effect: asked before the
 * group is recorded as ours, which is leave to kill what is in it. */
int cgroup_check_free (const struct cgroup *cgroup, struct tare_error *error);
/* Makes the group in every hierarchy, parents too (v1: cpuset parents filled; v2: controllers
 * enabled down the path) and holds it. A group that exists with processes in it, or frozen, is
 * refused (EBUSY), and so is one that another container is just being made in. What this call made
 * is removed again if it fails. */
int cgroup_create (struct cgroup *cgroup, struct tare_error *error);
/* The v2 directory for CLONE_INTO_CGROUP, or -EBADF. Owned by cgroup. */
int cgroup_clone_fd (const struct cgroup *cgroup);
/* Before clone3: opens what the new process enters the v1 groups by. A process of one thread that
 * moves itself ("0" to tasks) needs no lock against forks of the whole machine, for which whoever
 * moves another waits an RCU grace period. Where a group cannot be had so, cgroup_attach moves it.
 */
void cgroup_open_entries (struct cgroup *cgroup);
/* The new process, before anything else: raw system calls only. The group of cgroup_late_entry is
 * left out. */
int cgroup_enter (const struct cgroup *cgroup);
/* Of v1's memory, or -EBADF; owned by cgroup. tare-init enters it itself (the same way) when it
 * begins with the container: what it needs for itself, until execve, is not the container's then.
 */
int cgroup_late_entry (const struct cgroup *cgroup);
/* Puts pid into the hierarchies that it does not enter by itself (nor is in already: v2 when
 * in_v2). */
int cgroup_attach (struct cgroup *cgroup, pid_t pid, bool in_v2, struct tare_error *error);

/* From now on cgroup stands for the groups that a further process of the container is to enter:
 * those that its init is in now, if they are the recorded ones or below (an init that manages
 * groups of its own has moved down, and a v2 group with children may hold no process); or, as subs
 * say, groups below the recorded ones, which must be there. A sub: "[CONTROLLER,...:]PATH". */
int cgroup_join (struct cgroup *cgroup, pid_t init, const char *const *subs, size_t n_subs,
                 struct tare_error *error);

/* Of a container that never had a group: nobody knows its processes but init. */
bool cgroup_is_none (const struct cgroup *cgroup);
/* An error there. */
int cgroup_refuse_none (const struct cgroup *cgroup, struct tare_error *error);
/* Checks that resources can be expressed here; no effect. NULL resources: fine. */
int cgroup_check (const struct cgroup *cgroup, const struct oci_resources *resources,
                  struct tare_error *error);
/* Writes the limits: everything but device rules. NULL: nothing. */
int cgroup_apply (const struct cgroup *cgroup, const struct oci_resources *resources,
                  struct tare_error *error);
/* A container that has stored (or NULL) is given what update names. Either all of it takes effect,
 * or what was written is set back. commit is called when everything is written, with all that the
 * container has then, and can refuse. Device rules stay as they are unless they change. */
typedef int cgroup_commit (const struct oci_resources *merged, void *argument,
                           struct tare_error *error);
int cgroup_update (const struct cgroup *cgroup, const struct oci_resources *stored,
                   const struct oci_resources *update, cgroup_commit *commit, void *argument,
                   struct tare_error *error);
/* Device rules: the config's in order, then the default devices. NULL, or none: nothing. */
int cgroup_apply_devices (const struct cgroup *cgroup, const struct oci_resources *resources,
                          struct tare_error *error);

/* Gives the group to uid (of our own user namespace), which may then make groups in it: v2 alone,
 * and only the files that the kernel lists. Where an unprivileged runtime may not, it stays ours.
 * below: so is that one, if it is not NULL. */
int cgroup_delegate (const struct cgroup *cgroup, const char *below, uint32_t uid,
                     struct tare_error *error);
#define CGROUP_BELOW "run.oci.delegate-cgroup"
/* Can the process be in a group of that name, below the container's? No effect. */
int cgroup_check_below (const struct cgroup *cgroup, const char *below, struct tare_error *error);
/* Puts pid there, once it has the cgroup namespace that it is to have. */
int cgroup_enter_below (const struct cgroup *cgroup, const char *below, pid_t pid,
                        struct tare_error *error);

/* All pids, ascending, of the group and the groups below it. The caller frees. */
int cgroup_processes (const struct cgroup *cgroup, pid_t **ret_pids, size_t *ret_count,
                      struct tare_error *error);
int cgroup_signal_all (const struct cgroup *cgroup, int signal, struct tare_error *error);
/* SIGKILL to every process: cgroup.kill, else freeze, kill, thaw. A group that is gone, or that
 * there never was (the driver none), has none. */
int cgroup_kill (const struct cgroup *cgroup, struct tare_error *error);
/* v1: takes a process that is to die out of a frozen group, where it could not. */
void cgroup_release (const struct cgroup *cgroup, pid_t pid);
int cgroup_freeze (const struct cgroup *cgroup, bool frozen, struct tare_error *error);
/* 1 frozen, 0 not. */
int cgroup_is_frozen (const struct cgroup *cgroup, struct tare_error *error);

/* Adds "data" to the object that json is in: what the group uses, as runc's events have it. */
int cgroup_stats (const struct cgroup *cgroup, struct json *json, struct tare_error *error);

/* A watch on the memory limit. fd: polled for POLLPRI and POLLIN; -EBADF where there is no such
 * limit. */
struct cgroup_oom
{
  int fd, control;
  uint64_t count;
};
int cgroup_oom_open (const struct cgroup *cgroup, struct cgroup_oom *ret_oom,
                     struct tare_error *error);
/* Since the last call. */
bool cgroup_oom_happened (struct cgroup_oom *oom);
void cgroup_oom_done (struct cgroup_oom *oom);
/* How many processes the limit has killed since the group was made. */
uint64_t cgroup_oom_kills (const struct cgroup *cgroup);

/* 1: a group above it is frozen, so that whatever enters it stops at once. */
int cgroup_is_frozen_above (const struct cgroup *cgroup, struct tare_error *error);

/* Removes the group and the groups below it, bounded (about 10 s at worst). Kills stragglers.
 * What is gone already is fine, and so is a group that has become another owner's: that stays.
 * Parents that were made on the way stay (others may use them). */
int cgroup_destroy (struct cgroup *cgroup, struct tare_error *error);
/* Closes and frees; no effect on the groups. */
void cgroup_done (struct cgroup *cgroup);

/* Whether a mount of type cgroup becomes anything: not where cgroups are switched off, nor where
 * there is v2 alone and no group in it. */
bool cgroup_is_shown (const struct cgroup *cgroup);
/* new_namespace: the container is in a cgroup namespace other than our own. */
int cgroup_plan_mounts (const struct cgroup *cgroup, bool new_namespace,
                        struct cgroup_mounts *ret_mounts, struct tare_error *error);
void cgroup_mounts_done (struct cgroup_mounts *mounts);

#endif
