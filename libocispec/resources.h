/* linux.resources of config.json (config-linux.md "Control groups"), which is also a document of
 * its own for update. */
#ifndef TARE_LIBOCISPEC_RESOURCES_H
#define TARE_LIBOCISPEC_RESOURCES_H

#include "libocispec/table.h"

/* clang-format off */
#define OCI_DEVICE_RULE(F, T)                          \
  F (T, BOOL, "allow", allow, .required = true)        \
  F (T, STRING, "type", type)                          \
  F (T, I64, "major", major)                           \
  F (T, I64, "minor", minor)                           \
  F (T, STRING, "access", access)

#define OCI_MEMORY(F, T)                                       \
  F (T, I64, "limit", limit)                                   \
  F (T, I64, "reservation", reservation)                       \
  F (T, I64, "swap", swap)                                     \
  F (T, I64, "kernel", kernel)                                 \
  F (T, I64, "kernelTCP", kernel_tcp)                          \
  F (T, U64, "swappiness", swappiness)                         \
  F (T, BOOL, "disableOOMKiller", disable_oom_killer)          \
  F (T, BOOL, "useHierarchy", use_hierarchy)                   \
  F (T, BOOL, "checkBeforeUpdate", check_before_update)

#define OCI_CPU(F, T)                                  \
  F (T, U64, "shares", shares)                         \
  F (T, I64, "quota", quota)                           \
  F (T, U64, "burst", burst)                           \
  F (T, U64, "period", period)                         \
  F (T, I64, "realtimeRuntime", realtime_runtime)      \
  F (T, U64, "realtimePeriod", realtime_period)        \
  F (T, STRING, "cpus", cpus)                          \
  F (T, STRING, "mems", mems)                          \
  F (T, I64, "idle", idle)

#define OCI_PIDS(F, T) \
  F (T, I64, "limit", limit, .required = true)

#define OCI_WEIGHT_DEVICE(F, T)                        \
  F (T, I64, "major", major, .required = true)         \
  F (T, I64, "minor", minor, .required = true)         \
  F (T, U16, "weight", weight)                         \
  F (T, U16, "leafWeight", leaf_weight)

#define OCI_THROTTLE_DEVICE(F, T)                      \
  F (T, I64, "major", major, .required = true)         \
  F (T, I64, "minor", minor, .required = true)         \
  F (T, U64, "rate", rate)

#define OCI_BLOCK_IO(F, T)                                                                      \
  F (T, U16, "weight", weight)                                                                  \
  F (T, U16, "leafWeight", leaf_weight)                                                         \
  F (T, OBJECTS, "weightDevice", weight_device, oci_weight_device)                              \
  F (T, OBJECTS, "throttleReadBpsDevice", throttle_read_bps_device, oci_throttle_device)        \
  F (T, OBJECTS, "throttleWriteBpsDevice", throttle_write_bps_device, oci_throttle_device)      \
  F (T, OBJECTS, "throttleReadIOPSDevice", throttle_read_iops_device, oci_throttle_device)      \
  F (T, OBJECTS, "throttleWriteIOPSDevice", throttle_write_iops_device, oci_throttle_device)

#define OCI_HUGEPAGE_LIMIT(F, T)                                                                \
  F (T, STRING, "pageSize", page_size, .required = true, .pattern = "^[1-9][0-9]*[KMG]B$")      \
  F (T, U64, "limit", limit, .required = true)

#define OCI_INTERFACE_PRIORITY(F, T)                   \
  F (T, STRING, "name", name, .required = true)        \
  F (T, U32, "priority", priority, .required = true)

#define OCI_NETWORK(F, T)                                              \
  F (T, U32, "classID", class_id)                                      \
  F (T, OBJECTS, "priorities", priorities, oci_interface_priority)

#define OCI_RDMA(F, T)                                 \
  F (T, U32, "hcaHandles", hca_handles)                \
  F (T, U32, "hcaObjects", hca_objects)

#define OCI_RESOURCES(F, T)                                                    \
  F (T, STRING_MAP, "unified", unified)                                        \
  F (T, OBJECTS, "devices", devices, oci_device_rule)                          \
  F (T, OBJECT, "memory", memory, oci_memory)                                  \
  F (T, OBJECT, "cpu", cpu, oci_cpu)                                           \
  F (T, OBJECT, "pids", pids, oci_pids)                                        \
  F (T, OBJECT, "blockIO", block_io, oci_block_io)                             \
  F (T, OBJECTS, "hugepageLimits", hugepage_limits, oci_hugepage_limit)        \
  F (T, OBJECT, "network", network, oci_network)                               \
  F (T, OBJECT_MAP, "rdma", rdma, oci_rdma)

OCI_DECLARE (oci_device_rule, OCI_DEVICE_RULE)
OCI_DECLARE (oci_memory, OCI_MEMORY)
OCI_DECLARE (oci_cpu, OCI_CPU)
OCI_DECLARE (oci_pids, OCI_PIDS)
OCI_DECLARE (oci_weight_device, OCI_WEIGHT_DEVICE)
OCI_DECLARE (oci_throttle_device, OCI_THROTTLE_DEVICE)
OCI_DECLARE (oci_block_io, OCI_BLOCK_IO)
OCI_DECLARE (oci_hugepage_limit, OCI_HUGEPAGE_LIMIT)
OCI_DECLARE (oci_interface_priority, OCI_INTERFACE_PRIORITY)
OCI_DECLARE (oci_network, OCI_NETWORK)
OCI_DECLARE_KEYED (oci_rdma, OCI_RDMA)
OCI_DECLARE (oci_resources, OCI_RESOURCES)
/* clang-format on */

#endif
