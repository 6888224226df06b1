/* Limits as data: what linux.resources becomes before anything is written. Pure. */
#ifndef TARE_CGROUP_SETTINGS_H
#define TARE_CGROUP_SETTINGS_H

#include "base/base.h"
#include "libocispec/ocispec.h"

enum
{
  SETTING_OPTIONAL = 1 << 0, /* that the kernel has no such file, or no longer, is a warning */
  SETTING_QUIET = 1 << 1,    /* ... and not even that */
  SETTING_RETRY = 1 << 2,    /* may need what follows it first: tried again after the rest */
  SETTING_ELSE = 1 << 3,     /* where the file is missing the next setting counts, else not */
  SETTING_CHECK = 1 << 4,    /* not written: the number in the file must be below value */
};

struct cgroup_setting
{
  const char *controller; /* "" for the files that every v2 group has */
  const char *file, *value;
  const char *property; /* below linux.resources */
  uint16_t flags;
  bool v2;
  bool pending; /* while they are written: refused, to be tried again */
};

struct cgroup_settings
{
  struct arena arena;
  struct cgroup_setting *items;
  size_t count, capacity;
  const char *warnings[16]; /* what was left out because this layout cannot express it */
  size_t n_warnings;
};

/* What compiling depends on: the controllers of v1 ("cpu,cpuacct,memory") and those of the v2 tree
 * ("io pids"). A property goes to where its controller is. */
struct cgroup_facts
{
  const char *v1, *v2;
};

int cgroup_compile (const struct cgroup_facts *facts, const struct oci_resources *resources,
                    struct cgroup_settings *ret_settings, struct tare_error *error);
void cgroup_settings_done (struct cgroup_settings *settings);
/* One line for each setting: for tests and for `tare plan`. */
void cgroup_settings_print (const struct cgroup_settings *settings, struct buf *buf);

/* stored (or NULL) with what update names in its place: a new object that shares what it can with
 * both, in arena. 0 or -ENOMEM. */
int cgroup_merge (struct arena *arena, const struct oci_resources *stored,
                  const struct oci_resources *update, struct oci_resources **ret_merged);
/* update, and those properties of merged that have to be written with it. */
int cgroup_complete (struct arena *arena, const struct oci_resources *merged,
                     const struct oci_resources *update, struct oci_resources **ret_complete);

/* Conversions between the versions (config-linux.md speaks v1). */
uint64_t cpu_shares_to_weight (uint64_t shares);
uint64_t io_weight_v2 (uint64_t weight);

#endif
