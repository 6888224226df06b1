/* Device rules as data, and the program of type BPF_PROG_TYPE_CGROUP_DEVICE that they become. */
#ifndef TARE_CGROUP_DEVICE_FILTER_H
#define TARE_CGROUP_DEVICE_FILTER_H

#include <linux/bpf.h>

#include "base/base.h"
#include "libocispec/ocispec.h"

enum
{
  DEVICE_ANY = -1,
  DEVICE_ACCESS_ALL = BPF_DEVCG_ACC_MKNOD | BPF_DEVCG_ACC_READ | BPF_DEVCG_ACC_WRITE,
};

struct device_rule
{
  bool allow;
  char type;            /* 'a', 'b', 'c' */
  int64_t major, minor; /* DEVICE_ANY: all */
  uint8_t access;       /* BPF_DEVCG_ACC_* */
};

/* linux.resources.devices in order, then the default devices (config-linux.md). The caller
 * frees. */
int device_rules_lower (const struct oci_resources *resources, struct device_rule **ret_rules,
                        size_t *ret_count, struct tare_error *error);
/* Every device, every access. */
bool device_rule_is_all (const struct device_rule *rule);
/* "c 1:3 rwm", as the v1 files take it. */
void device_rule_print (const struct device_rule *rule, char *buffer, size_t size);

/* The program. Of each access bit the last rule that matches decides; what no rule matches is
 * denied. 0 or -ENOMEM. */
struct device_filter
{
  struct bpf_insn *instructions;
  size_t count, capacity;
  bool failed;
};
int device_filter_compile (const struct device_rule *rules, size_t count,
                           struct device_filter *ret_filter);
void device_filter_done (struct device_filter *filter);

/* Loads it and puts it on the group, in place of one that we put there before. */
int device_filter_attach (int group, const struct device_filter *filter, struct tare_error *error);

#endif
