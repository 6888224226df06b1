/* linux of config.json (config-linux.md), but for resources and seccomp. */
#ifndef TARE_LIBOCISPEC_LINUX_H
#define TARE_LIBOCISPEC_LINUX_H

#include "libocispec/process.h"
#include "libocispec/resources.h"
#include "libocispec/seccomp.h"

/* clang-format off */
#define OCI_NAMESPACE_TYPES(V)             \
  V (OCI_NAMESPACE_PID, "pid")             \
  V (OCI_NAMESPACE_NETWORK, "network")     \
  V (OCI_NAMESPACE_MOUNT, "mount")         \
  V (OCI_NAMESPACE_IPC, "ipc")             \
  V (OCI_NAMESPACE_UTS, "uts")             \
  V (OCI_NAMESPACE_USER, "user")           \
  V (OCI_NAMESPACE_CGROUP, "cgroup")       \
  V (OCI_NAMESPACE_TIME, "time")

/* The r... names are in no spec, but every runtime takes them and Docker sends rslave. */
#define OCI_PROPAGATIONS(V)                        \
  V (OCI_PROPAGATION_PRIVATE, "private")           \
  V (OCI_PROPAGATION_SHARED, "shared")             \
  V (OCI_PROPAGATION_SLAVE, "slave")               \
  V (OCI_PROPAGATION_UNBINDABLE, "unbindable")     \
  V (OCI_PROPAGATION_RPRIVATE, "rprivate")         \
  V (OCI_PROPAGATION_RSHARED, "rshared")           \
  V (OCI_PROPAGATION_RSLAVE, "rslave")             \
  V (OCI_PROPAGATION_RUNBINDABLE, "runbindable")

#define OCI_MEMORY_POLICY_MODES(V)                                   \
  V (OCI_MPOL_DEFAULT, "MPOL_DEFAULT")                               \
  V (OCI_MPOL_BIND, "MPOL_BIND")                                     \
  V (OCI_MPOL_INTERLEAVE, "MPOL_INTERLEAVE")                         \
  V (OCI_MPOL_WEIGHTED_INTERLEAVE, "MPOL_WEIGHTED_INTERLEAVE")       \
  V (OCI_MPOL_PREFERRED, "MPOL_PREFERRED")                           \
  V (OCI_MPOL_PREFERRED_MANY, "MPOL_PREFERRED_MANY")                 \
  V (OCI_MPOL_LOCAL, "MPOL_LOCAL")

#define OCI_MEMORY_POLICY_FLAGS(V)                           \
  V (OCI_MPOL_F_NUMA_BALANCING, "MPOL_F_NUMA_BALANCING")     \
  V (OCI_MPOL_F_RELATIVE_NODES, "MPOL_F_RELATIVE_NODES")     \
  V (OCI_MPOL_F_STATIC_NODES, "MPOL_F_STATIC_NODES")

#define OCI_PERSONALITY_DOMAINS(V)                           \
  V (OCI_PERSONALITY_LINUX, "LINUX")                         \
  V (OCI_PERSONALITY_LINUX32, "LINUX32")

OCI_DECLARE_ENUM (oci_namespace_type, OCI_NAMESPACE_TYPES)
OCI_DECLARE_ENUM (oci_propagation, OCI_PROPAGATIONS)
OCI_DECLARE_ENUM (oci_memory_policy_mode, OCI_MEMORY_POLICY_MODES)
OCI_DECLARE_ENUM (oci_memory_policy_flag, OCI_MEMORY_POLICY_FLAGS)
OCI_DECLARE_ENUM (oci_personality_domain, OCI_PERSONALITY_DOMAINS)

#define OCI_NAMESPACE(F, T)                                                \
  F (T, ENUM, "type", type, oci_namespace_type, .required = true)          \
  F (T, STRING, "path", path)

#define OCI_ID_MAPPING(F, T)                                               \
  F (T, U32, "containerID", container_id, .required = true)                \
  F (T, U32, "hostID", host_id, .required = true)                          \
  F (T, U32, "size", size, .required = true)

/* fileMode: the schema ends at 0777, but managers send st_mode as stat gave it (containerd before
 * 1.5: 0020666). So the file type may be there: use file_mode & 07777. */
#define OCI_DEVICE(F, T)                                                   \
  F (T, STRING, "path", path, .required = true)                            \
  F (T, STRING, "type", type, .required = true, .pattern = "^[cbup]$")     \
  F (T, I64, "major", major)                                               \
  F (T, I64, "minor", minor)                                               \
  F (T, U32, "fileMode", file_mode, .max = 0177777)                        \
  F (T, U32, "uid", uid, .max = OCI_ID_MAX)                                \
  F (T, U32, "gid", gid, .max = OCI_ID_MAX)

#define OCI_NET_DEVICE(F, T) \
  F (T, STRING, "name", name)

#define OCI_INTEL_RDT(F, T)                                                \
  F (T, STRING, "closID", clos_id)                                         \
  F (T, STRINGS, "schemata", schemata)                                     \
  F (T, STRING, "l3CacheSchema", l3_cache_schema)                          \
  F (T, STRING, "memBwSchema", mem_bw_schema, .pattern = "^MB:[^\\n]*$")    \
  F (T, BOOL, "enableMonitoring", enable_monitoring)

#define OCI_MEMORY_POLICY(F, T)                                            \
  F (T, ENUM, "mode", mode, oci_memory_policy_mode)                        \
  F (T, STRING, "nodes", nodes)                                            \
  F (T, ENUMS, "flags", flags, oci_memory_policy_flag)

#define OCI_PERSONALITY(F, T)                                              \
  F (T, ENUM, "domain", domain, oci_personality_domain)                    \
  F (T, STRINGS, "flags", flags)

#define OCI_TIME_OFFSET(F, T)                                              \
  F (T, I64, "secs", secs)                                                 \
  F (T, U32, "nanosecs", nanosecs)

#define OCI_TIME_OFFSETS(F, T)                                             \
  F (T, OBJECT, "monotonic", monotonic, oci_time_offset)                   \
  F (T, OBJECT, "boottime", boottime, oci_time_offset)

#define OCI_LINUX(F, T)                                                    \
  F (T, OBJECTS, "namespaces", namespaces, oci_namespace)                  \
  F (T, OBJECTS, "uidMappings", uid_mappings, oci_id_mapping)              \
  F (T, OBJECTS, "gidMappings", gid_mappings, oci_id_mapping)              \
  F (T, OBJECT, "timeOffsets", time_offsets, oci_time_offsets)             \
  F (T, OBJECTS, "devices", devices, oci_device)                           \
  F (T, OBJECT_MAP, "netDevices", net_devices, oci_net_device)             \
  F (T, STRING, "cgroupsPath", cgroups_path)                               \
  F (T, OBJECT, "resources", resources, oci_resources)                     \
  F (T, OBJECT, "intelRdt", intel_rdt, oci_intel_rdt)                      \
  F (T, OBJECT, "memoryPolicy", memory_policy, oci_memory_policy)          \
  F (T, STRING_MAP, "sysctl", sysctl)                                      \
  F (T, OBJECT, "seccomp", seccomp, oci_seccomp)                           \
  F (T, ENUM, "rootfsPropagation", rootfs_propagation, oci_propagation)    \
  F (T, STRINGS, "maskedPaths", masked_paths)                              \
  F (T, STRINGS, "readonlyPaths", readonly_paths)                          \
  F (T, STRING, "mountLabel", mount_label)                                 \
  F (T, OBJECT, "personality", personality, oci_personality)

OCI_DECLARE (oci_namespace, OCI_NAMESPACE)
OCI_DECLARE (oci_id_mapping, OCI_ID_MAPPING)
OCI_DECLARE (oci_device, OCI_DEVICE)
OCI_DECLARE_KEYED (oci_net_device, OCI_NET_DEVICE)
OCI_DECLARE (oci_intel_rdt, OCI_INTEL_RDT)
OCI_DECLARE (oci_memory_policy, OCI_MEMORY_POLICY)
OCI_DECLARE (oci_personality, OCI_PERSONALITY)
OCI_DECLARE (oci_time_offset, OCI_TIME_OFFSET)
OCI_DECLARE (oci_time_offsets, OCI_TIME_OFFSETS)
OCI_DECLARE (oci_linux, OCI_LINUX)
/* clang-format on */

#endif
