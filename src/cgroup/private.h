/* Inside src/cgroup: the two axes, and the helpers their implementations share. */
#ifndef TARE_CGROUP_PRIVATE_H
#define TARE_CGROUP_PRIVATE_H

#include "cgroup/cgroup.h"
#include "cgroup/compile.h"
#include "cgroup/device_filter.h"
#include "cgroup/settings.h"

/* A container that is there, from its state file; a NULL pointer: one that is to be made. */
struct cgroup_known
{
  const char *const *directories;
  size_t count;
  enum cgroup_use use;
};

/* ---- who makes the group ----------------------------------------------------------------------
 */
struct cgroup_driver
{
  const char *name;
  /* Finds the hierarchies, and with known a container's groups in them; no effect. */
  int (*probe) (struct cgroup *cgroup, const struct cgroup_known *known, struct tare_error *error);
  /* Where the container's group will be, in every hierarchy; NULL: by linux.cgroupsPath as a path.
   */
  int (*place) (struct cgroup *cgroup, const struct cgroup_wish *wish, struct tare_error *error);
  int (*check_free) (const struct cgroup *cgroup, struct tare_error *error);
  int (*prepare) (struct cgroup *cgroup, struct tare_error *error);
  int (*attach) (struct cgroup *cgroup, pid_t pid, bool in_v2, struct tare_error *error);
  int (*update) (const struct cgroup *cgroup, struct cgroup_settings *settings,
                 struct tare_error *error);
  /* Tells whom update told what there was before, when the files have it again; or NULL. */
  void (*restore) (const struct cgroup *cgroup, const struct cgroup_settings *saved);
  /* Tells whom it concerns of device rules, before the layout sets them; or NULL. */
  int (*devices) (const struct cgroup *cgroup, const struct device_rule *rules, size_t count,
                  struct tare_error *error);
  int (*destroy) (struct cgroup *cgroup, struct tare_error *error);
};
extern const struct cgroup_driver cgroup_driver_cgroupfs;
extern const struct cgroup_driver cgroup_driver_systemd;
extern const struct cgroup_driver cgroup_driver_none;

/* Of the cgroupfs driver, for the systemd driver: what systemd has no hand in is done the same. */
int cgroupfs_probe (struct cgroup *cgroup, const struct cgroup_known *known,
                    struct tare_error *error);
int cgroupfs_check_free (const struct cgroup *cgroup, struct tare_error *error);
/* enable: v2 controllers, on the way down. */
int cgroupfs_make (struct cgroup_hierarchy *h, bool enable, struct tare_error *error);
int cgroupfs_attach (struct cgroup *cgroup, pid_t pid, bool in_v2, struct tare_error *error);
/* 1: it is another container's by now, and stays. */
int cgroupfs_destroy (struct cgroup *cgroup, struct tare_error *error);

/* ---- how it is steered ------------------------------------------------------------------------
 * v1 stands for hybrid too: what its controllers lack is looked for in the v2 tree, if there is
 * one. Limits need no row here: their table (compile.c) has a column for each version. */
struct cgroup_layout
{
  const char *name;
  int (*devices) (const struct cgroup *cgroup, const struct device_rule *rules, size_t count,
                  struct tare_error *error);
  int (*freeze) (const struct cgroup *cgroup, bool frozen, struct tare_error *error);
  int (*is_frozen) (const struct cgroup *cgroup, struct tare_error *error);
  int (*is_frozen_above) (const struct cgroup *cgroup, struct tare_error *error);
  int (*kill) (const struct cgroup *cgroup, struct tare_error *error);
};
extern const struct cgroup_layout cgroup_layout_v1;
extern const struct cgroup_layout cgroup_layout_v2;

/* v2.c, for v1.c where the tree is hybrid. */
int v2_devices (const struct cgroup *cgroup, const struct device_rule *rules, size_t count,
                struct tare_error *error);
int v2_freeze (const struct cgroup *cgroup, bool frozen, struct tare_error *error);
int v2_is_frozen (const struct cgroup *cgroup, struct tare_error *error);
int v2_is_frozen_above (const struct cgroup *cgroup, struct tare_error *error);
int v2_kill (const struct cgroup *cgroup, struct tare_error *error);
/* Waits for "key value" in cgroup.events. 0, -ETIMEDOUT or -errno. */
int v2_wait (int group, const char *key, int value, int64_t deadline);

/* ---- hierarchies (discover.c) -----------------------------------------------------------------
 */
#define CGROUP_ROOT    "/sys/fs/cgroup"
#define CGROUP_UNIFIED "unified" /* the v2 tree of the hybrid layout */
int cgroup_discover (struct cgroup *cgroup, struct tare_error *error);
/* recorded.c */
int cgroup_find_recorded (struct cgroup *cgroup, const struct cgroup_known *known,
                          struct tare_error *error);
bool is_cgroup_mount (int fd, bool v2);
/* -ENOENT where there is no such mount. */
int hierarchy_open_root (const char *mount, bool v2);
/* A line of /proc/PID/cgroup, cut in place: "4:memory:/a". */
struct group_line
{
  const char *controllers; /* "" for v2 */
  const char *path;
};
/* The whole file; pid 0: our own. The caller frees. */
int group_lines_read (pid_t pid, char **ret_text, struct tare_error *error);
/* Cuts the next line of *text; false at the end, or at a line that is none of the kernel's. */
bool group_line_next (char **text, struct group_line *ret_line);
void hierarchy_done (struct cgroup_hierarchy *h);
/* The v1 hierarchy with that controller, or the v2 one for NULL; NULL if there is none. */
const struct cgroup_hierarchy *hierarchy_of (const struct cgroup *cgroup, const char *controller);
/* The same, if the group is there and open. */
const struct cgroup_hierarchy *hierarchy_held (const struct cgroup *cgroup, const char *controller);
/* The open one whose cgroup.procs is believed where one has to be. */
const struct cgroup_hierarchy *hierarchy_primary (const struct cgroup *cgroup);

/* ---- limits (write.c) -------------------------------------------------------------------------
 */
/* What resources become here. */
int compile_for (const struct cgroup *cgroup, const struct oci_resources *resources,
                 struct cgroup_settings *ret_settings, struct tare_error *error);
int settings_write (const struct cgroup *cgroup, struct cgroup_settings *settings,
                    struct tare_error *error);
/* What the files that settings_write would write hold now; and that back into them. */
int settings_save (const struct cgroup *cgroup, const struct cgroup_settings *settings,
                   struct cgroup_settings *ret_saved, struct tare_error *error);
void settings_restore (const struct cgroup *cgroup, const struct cgroup_settings *saved);

void cgroup_drop_hierarchy (struct cgroup *cgroup, size_t i);
/* r as it is; where it is an error, and hierarchies were left out, why is added. */
int explain_left_out (const struct cgroup *cgroup, int r, struct tare_error *error);

/* ---- one group's directory (group.c) ----------------------------------------------------------
 * All -errno only. path is from the hierarchy's mount: "/a/b". */
int group_open (int root, const char *path, int flags);
/* The group, or the nearest directory above it that exists. */
int group_open_nearest (int root, const char *path);
/* Makes path and its parents, calling enter (if not NULL) for each directory after the first with
 * the one above it; mode is that of the last one, if it is made. *ret_existed: how many bytes of
 * path were there before. Returns the group's descriptor. */
int group_make (int root, const char *path, uint32_t mode, int (*enter) (int parent, int child),
                size_t *ret_existed);
/* claim.c. made: the directory is ours, with mode 0700 until it is claimed. -EBUSY: another is just
 * making a container in it. */
int group_claim (int group, bool made);
void group_mark (int group, const char *owner);
bool group_is_of_another (int group, const char *owner);
/* Removes the last directory of path. */
int group_remove (int root, const char *path);
/* Removes the groups below an open one, deepest first; -EBUSY when processes (which were sent
 * SIGKILL) are still there. */
int group_remove_below (int group, int64_t deadline);
int group_open_file (int group, const char *file, int flags);
/* The text of a small file, terminated, without the last newline. -EFBIG if it is too long. */
int group_read (int group, const char *file, char *buffer, size_t size);
int group_write (int group, const char *file, const char *text);
bool group_is_writable (int group, const char *file);
/* Of v2; for group_make. */
int group_enable_controllers (int parent, int child);

struct pid_list
{
  pid_t *pids;
  size_t count, capacity;
};
/* Appends the pids in group, and below it. Those outside our pid namespace (0) are left out. */
int group_pids (int group, bool below, struct pid_list *list);
void pid_list_done (struct pid_list *list);
/* Signals all; one that is gone is fine. */
int pid_list_signal (const struct pid_list *list, int signal);

/* CLOCK_MONOTONIC in milliseconds. */
int64_t now_ms (void);
/* Sleeps a little longer each time, to 50 ms, never past deadline; false when that is reached. */
bool back_off (unsigned *round, int64_t deadline);

#endif
