/* Inside src/cgroup: the systemd driver's own words, all pure. */
#ifndef TARE_CGROUP_SYSTEMD_H
#define TARE_CGROUP_SYSTEMD_H

#include "cgroup/device_filter.h"
#include "cgroup/settings.h"

/* What is asked of systemd for one container. */
struct cgroup_unit
{
  char *name;     /* "tare-c1.scope" */
  char *slice;    /* "system.slice" */
  char *path;     /* from the manager's root: "/system.slice/tare-c1.scope", and the subgroup */
  char *subgroup; /* of the scope, in which the container is; NULL: none */
  char *id;
  struct buf wishes;                     /* properties from annotations, as words */
  const struct oci_resources *resources; /* from the wish */
  bool has_limits;                       /* systemd was told of them when the unit was started */
};

struct cgroup_wish; /* cgroup.h */
/* From linux.cgroupsPath, "slice:prefix:name", and the annotations. */
int unit_plan (const struct cgroup_wish *wish, bool user, struct cgroup_unit **ret_unit,
               struct tare_error *error);
void unit_free (struct cgroup_unit *unit);

/* The first component of path that ends with ".scope" goes to name; false if there is none. What
 * follows it is *ret_rest, "" or "/container". */
bool unit_of_path (const char *path, char *name, size_t size, const char **ret_rest);

/* Properties for tare-systemd (src/systemd/manager.h): words in buf. */
void put_property (struct buf *buf, const char *name, const char *signature, size_t count,
                   const char *const *values);
/* Those that systemd must know of the limits, or it would take them back when it next applies what
 * it knows. What it has no property for is only in the group's files, which it leaves alone. */
int put_settings (struct buf *buf, const struct cgroup_settings *settings);
/* Rules that deny all first and then only allow, as far as systemd can say them; nothing for
 * others. */
int put_devices (struct buf *buf, const struct device_rule *rules, size_t count);
/* annotations["org.systemd.property.NAME"], from a list of what cannot start, stop or run anything
 * nor move the container. */
int put_annotations (struct buf *buf, const struct oci_pair *annotations, size_t count,
                     struct tare_error *error);

#endif
