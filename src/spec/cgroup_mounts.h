/* What a mount of type "cgroup" must become inside a container. Filled by cgroup, which knows the
 * hierarchies; turned into mounts of the plan by spec. */
#ifndef TARE_SPEC_CGROUP_MOUNTS_H
#define TARE_SPEC_CGROUP_MOUNTS_H

#include <stdbool.h>
#include <stddef.h>

enum
{
  CGROUP_MAX_HIERARCHIES = 24,
  CGROUP_MAX_OPTIONS = 12,
};

struct cgroup_mount
{
  const char *name; /* directory below the destination: "cpu,cpuacct"; "" for the destination */
  const char *type; /* "cgroup" or "cgroup2" for a mount of its own; NULL: bind of `source` */
  char *source; /* the group's directory on the host: for a bind, also in place of one refused */
  /* for fsconfig: "cpu", "cpuacct"; "none", "name=systemd"; NULL-ended, in words */
  const char *options[CGROUP_MAX_OPTIONS];
  char *words;
};

struct cgroup_mounts
{
  struct cgroup_mount mounts[CGROUP_MAX_HIERARCHIES];
  size_t n_mounts;
  bool tmpfs; /* v1 and hybrid: the destination is a tmpfs that holds them */
  struct
  {
    char name[64], target[64]; /* "cpu" -> "cpu,cpuacct" */
  } links[CGROUP_MAX_HIERARCHIES];
  size_t n_links;
};

#endif
