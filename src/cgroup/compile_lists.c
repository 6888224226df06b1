/* The arrays and maps of linux.resources, as compile.c does for single properties: block devices,
 * huge pages, network priorities, rdma, and the raw keys of unified, which come last. Pure.
 */
#define _GNU_SOURCE
#include "cgroup/compile.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>

/* ---- block devices --------------------------------------------------------------------------- */

static int
device_weight (const struct compiler *c, const struct oci_weight_device *d, enum version version)
{
  char raw[96], linear[96];
  bool v2 = version == VERSION_2;
  (void) snprintf (raw, sizeof raw, "%" PRId64 ":%" PRId64 " %u", d->major, d->minor, d->weight);
  (void) snprintf (linear, sizeof linear, "%" PRId64 ":%" PRId64 " %" PRIu64, d->major, d->minor,
                   v2 ? io_weight_v2 (d->weight) : d->weight);
  struct cgroup_setting first = {
    .controller = v2 ? "io" : "blkio",
    .file = v2 ? "io.bfq.weight" : "blkio.weight_device",
    .value = raw,
    .property = "blockIO.weightDevice",
    .flags = SETTING_ELSE,
    .v2 = v2,
  };
  struct cgroup_setting second = first;
  second.file = v2 ? "io.weight" : "blkio.bfq.weight_device";
  second.value = linear;
  second.flags = 0;
  int r = add_setting (c, first);
  return r < 0 ? r : add_setting (c, second);
}

static int
device_leaf_weight (const struct compiler *c, const struct oci_weight_device *d,
                    enum version version)
{
  char value[96];
  (void) snprintf (value, sizeof value, "%" PRId64 ":%" PRId64 " %u", d->major, d->minor,
                   d->leaf_weight);
  if (version == VERSION_2)
    return miss_controller (c, "blockIO.weightDevice.leafWeight", "blkio", NULL, WARN);
  return add_setting (c, (struct cgroup_setting){
                             .controller = "blkio",
                             .file = "blkio.leaf_weight_device",
                             .value = value,
                             .property = "blockIO.weightDevice.leafWeight",
                             .flags = SETTING_OPTIONAL,
                         });
}

static int
compile_weight_devices (const struct compiler *c, const struct oci_block_io *io)
{
  enum version version = find_version (c, "blkio", "io");
  int r = 0;
  for (size_t i = 0; r >= 0 && i < io->n_weight_device; i++)
    {
      const struct oci_weight_device *d = &io->weight_device[i];
      if (version == VERSION_NONE && (d->weight != 0 || d->leaf_weight != 0))
        return miss_controller (c, "blockIO.weightDevice", "blkio", "io", REFUSE);
      if (d->weight != 0)
        r = device_weight (c, d, version);
      if (r >= 0 && d->leaf_weight != 0)
        r = device_leaf_weight (c, d, version);
    }
  return r;
}

struct throttle
{
  const char *property, *file, *key;
  const struct oci_throttle_device *devices;
  size_t count;
};

/* Rate 0 takes the limit away. */
static int
compile_throttle (const struct compiler *c, const struct throttle *t)
{
  enum version version = find_version (c, "blkio", "io");
  int r = 0;
  for (size_t i = 0; r >= 0 && i < t->count; i++)
    {
      const struct oci_throttle_device *d = &t->devices[i];
      char value[128];
      if (version == VERSION_NONE && d->rate == 0)
        continue;
      if (version == VERSION_NONE)
        return miss_controller (c, t->property, "blkio", "io", REFUSE);
      int n = snprintf (value, sizeof value, "%" PRId64 ":%" PRId64 " %s%s", d->major, d->minor,
                        version == VERSION_2 ? t->key : "",
                        version == VERSION_2 && d->rate == 0 ? "max" : "");
      if (version == VERSION_1 || d->rate != 0)
        (void) snprintf (value + n, sizeof value - (size_t) n, "%" PRIu64, d->rate);
      r = add_setting (c, (struct cgroup_setting){
                              .controller = version == VERSION_2 ? "io" : "blkio",
                              .file = version == VERSION_2 ? "io.max" : t->file,
                              .value = value,
                              .property = t->property,
                              .v2 = version == VERSION_2,
                          });
    }
  return r;
}

static int
compile_block_io (const struct compiler *c)
{
  const struct oci_block_io *io = c->resources->block_io;
  if (io == NULL)
    return 0;
  const struct throttle throttles[] = {
    { "blockIO.throttleReadBpsDevice", "blkio.throttle.read_bps_device",
      "rbps=", io->throttle_read_bps_device, io->n_throttle_read_bps_device },
    { "blockIO.throttleWriteBpsDevice", "blkio.throttle.write_bps_device",
      "wbps=", io->throttle_write_bps_device, io->n_throttle_write_bps_device },
    { "blockIO.throttleReadIOPSDevice", "blkio.throttle.read_iops_device",
      "riops=", io->throttle_read_iops_device, io->n_throttle_read_iops_device },
    { "blockIO.throttleWriteIOPSDevice", "blkio.throttle.write_iops_device",
      "wiops=", io->throttle_write_iops_device, io->n_throttle_write_iops_device },
  };
  int r = compile_weight_devices (c, io);
  for (size_t i = 0; r >= 0 && i < COUNT_OF (throttles); i++)
    r = compile_throttle (c, &throttles[i]);
  return r;
}

/* ---- huge pages ------------------------------------------------------------------------------ */

/* Both the pages that are used and those reserved by mmap: without the second a container could
 * reserve all of them. Kernels before 5.7 count only the first. */
static int
hugepage_limit (const struct compiler *c, const struct oci_hugepage_limit *limit, bool v2)
{
  static const char *const parts[] = { ".rsvd", "" };
  char file[96], value[32];
  int r = 0;
  (void) snprintf (value, sizeof value, "%" PRIu64, limit->limit);
  for (size_t i = 0; r >= 0 && i < COUNT_OF (parts); i++)
    {
      (void) snprintf (file, sizeof file, "hugetlb.%s%s.%s", limit->page_size, parts[i],
                       v2 ? "max" : "limit_in_bytes");
      r = add_setting (c, (struct cgroup_setting){
                              .controller = "hugetlb",
                              .file = file,
                              .value = value,
                              .property = "hugepageLimits",
                              .flags = *parts[i] != '\0' ? SETTING_OPTIONAL | SETTING_QUIET : 0,
                              .v2 = v2,
                          });
    }
  return r;
}

static int
compile_hugepages (const struct compiler *c)
{
  enum version version = find_version (c, "hugetlb", "hugetlb");
  int r = 0;
  for (size_t i = 0; r >= 0 && i < c->resources->n_hugepage_limits; i++)
    {
      const struct oci_hugepage_limit *limit = &c->resources->hugepage_limits[i];
      if (strlen (limit->page_size) > 32)
        r = fail_kind (c->error, TARE_ERROR_CONFIG, -EINVAL,
                       "linux.resources.hugepageLimits[%zu].pageSize: '%s' is no page size", i,
                       limit->page_size);
      else if (version != VERSION_NONE)
        r = hugepage_limit (c, limit, version == VERSION_2);
      else if (limit->limit != 0) /* Kubernetes sends a zero for each size */
        r = miss_controller (c, "hugepageLimits", "hugetlb", "hugetlb", REFUSE);
    }
  return r;
}

/* ---- network priorities, rdma ---------------------------------------------------------------- */

static int
compile_network (const struct compiler *c)
{
  const struct oci_network *network = c->resources->network;
  int r = 0;
  for (size_t i = 0; network != NULL && r >= 0 && i < network->n_priorities; i++)
    {
      const struct oci_interface_priority *p = &network->priorities[i];
      char value[64];
      int n = snprintf (value, sizeof value, "%s %" PRIu32, p->name, p->priority);
      if (n < 0 || (size_t) n >= sizeof value)
        return fail_kind (c->error, TARE_ERROR_CONFIG, -EINVAL,
                          "linux.resources.network.priorities[%zu].name: too long", i);
      if (find_version (c, "net_prio", NULL) == VERSION_NONE)
        return miss_controller (c, "network.priorities", "net_prio", NULL, REFUSE);
      r = add_setting (c, (struct cgroup_setting){
                              .controller = "net_prio",
                              .file = "net_prio.ifpriomap",
                              .value = value,
                              .property = "network.priorities",
                          });
    }
  return r;
}

static int
compile_rdma (const struct compiler *c)
{
  enum version version = find_version (c, "rdma", "rdma");
  int r = 0;
  for (size_t i = 0; r >= 0 && i < c->resources->n_rdma; i++)
    {
      const struct oci_rdma *rdma = &c->resources->rdma[i];
      auto_ (buf)
      struct buf value = { 0 };
      if (!rdma->has_hca_handles && !rdma->has_hca_objects)
        return fail_kind (c->error, TARE_ERROR_CONFIG, -EINVAL,
                          "linux.resources.rdma.%s: neither hcaHandles nor hcaObjects", rdma->key);
      if (version == VERSION_NONE)
        return miss_controller (c, "rdma", "rdma", "rdma", REFUSE);
      buf_text (&value, rdma->key);
      if (rdma->has_hca_handles)
        buf_format (&value, " hca_handle=%" PRIu32, rdma->hca_handles);
      if (rdma->has_hca_objects)
        buf_format (&value, " hca_object=%" PRIu32, rdma->hca_objects);
      if (value.failed)
        return fail (c->error, ENOMEM, "linux.resources.rdma");
      r = add_setting (c, (struct cgroup_setting){
                              .controller = "rdma",
                              .file = "rdma.max",
                              .value = value.bytes,
                              .property = "rdma",
                              .v2 = version == VERSION_2,
                          });
    }
  return r;
}

/* ---- unified --------------------------------------------------------------------------------- */

/* A key is a file of the group. Unknown ones must be written (config-linux.md), but none that
 * moves or kills processes, or is not in the group at all. */
static int
check_key (const struct compiler *c, const char *key)
{
  static const char *const refused[] = { "cgroup.procs", "cgroup.threads", "cgroup.kill",
                                         "cgroup.subtree_control" };
  bool bad = strchr (key, '/') != NULL || strchr (key, '.') == NULL || *key == '.';
  for (size_t i = 0; i < COUNT_OF (refused); i++)
    bad |= str_equal (key, refused[i]);
  if (bad)
    return fail_kind (c->error, TARE_ERROR_CONFIG, -EINVAL,
                      "linux.resources.unified: '%s' is not the name of a setting", key);
  return 0;
}

static int
unified_controller (const struct compiler *c, const char *key, char *ret_name, size_t size)
{
  (void) snprintf (ret_name, size, "%.*s", (int) strcspn (key, "."), key);
  if (str_equal (ret_name, "cgroup"))
    {
      *ret_name = '\0';
      return 0;
    }
  if (list_has (c->facts->v2, ret_name))
    return 0;
  return fail_kind (c->error, TARE_ERROR_UNSUPPORTED, -EOPNOTSUPP,
                    "linux.resources.unified: '%s': the %s controller is not available in a "
                    "cgroup v2 tree",
                    key, ret_name);
}

/* The kernel takes one line a write. */
static int
compile_pair (const struct compiler *c, const struct oci_pair *pair)
{
  char controller[NAME_MAX + 1];
  int r = check_key (c, pair->key);
  if (r >= 0)
    r = unified_controller (c, pair->key, controller, sizeof controller);
  if (r < 0)
    return r;
  autofree char *copy = strdup (pair->value);
  char *rest = copy, *line;
  if (copy == NULL)
    return fail (c->error, ENOMEM, "linux.resources.unified");
  while (r >= 0 && (line = strsep (&rest, "\n")) != NULL)
    if (*line != '\0')
      r = add_setting (c, (struct cgroup_setting){
                              .controller = controller,
                              .file = pair->key,
                              .value = line,
                              .property = "unified",
                              .v2 = true,
                          });
  return r;
}

int
compile_lists (const struct compiler *c)
{
  int r = compile_block_io (c);
  if (r >= 0)
    r = compile_hugepages (c);
  if (r >= 0)
    r = compile_network (c);
  if (r >= 0)
    r = compile_rdma (c);
  for (size_t i = 0; r >= 0 && i < c->resources->n_unified; i++)
    r = compile_pair (c, &c->resources->unified[i]);
  return r;
}
