/* What a runtime can do (features.md, features-linux.md). */
#ifndef TARE_LIBOCISPEC_FEATURES_H
#define TARE_LIBOCISPEC_FEATURES_H

#include "libocispec/linux.h"

/* clang-format off */
#define OCI_FEATURES_CGROUP(F, T)                      \
  F (T, BOOL, "v1", v1)                                \
  F (T, BOOL, "v2", v2)                                \
  F (T, BOOL, "systemd", systemd)                      \
  F (T, BOOL, "systemdUser", systemd_user)             \
  F (T, BOOL, "rdma", rdma)

#define OCI_FEATURES_SECCOMP(F, T)                                         \
  F (T, BOOL, "enabled", enabled)                                          \
  F (T, ENUMS, "actions", actions, oci_seccomp_action)                     \
  F (T, ENUMS, "operators", operators, oci_seccomp_operator)               \
  F (T, ENUMS, "archs", archs, oci_seccomp_arch)                           \
  F (T, ENUMS, "knownFlags", known_flags, oci_seccomp_flag)                \
  F (T, ENUMS, "supportedFlags", supported_flags, oci_seccomp_flag)

/* apparmor, selinux, netDevices, mountExtensions.idmap */
#define OCI_FEATURES_ENABLED(F, T) \
  F (T, BOOL, "enabled", enabled)

#define OCI_FEATURES_INTEL_RDT(F, T)                   \
  F (T, BOOL, "enabled", enabled)                      \
  F (T, BOOL, "schemata", schemata)                    \
  F (T, BOOL, "monitoring", monitoring)

#define OCI_FEATURES_MEMORY_POLICY(F, T)                                   \
  F (T, ENUMS, "modes", modes, oci_memory_policy_mode)                     \
  F (T, ENUMS, "flags", flags, oci_memory_policy_flag)

#define OCI_FEATURES_MOUNT_EXTENSIONS(F, T) \
  F (T, OBJECT, "idmap", idmap, oci_features_enabled)

#define OCI_FEATURES_LINUX(F, T)                                                           \
  F (T, ENUMS, "namespaces", namespaces, oci_namespace_type)                               \
  F (T, STRINGS, "capabilities", capabilities, .pattern = "^CAP_[A-Z_]+$")                 \
  F (T, OBJECT, "cgroup", cgroup, oci_features_cgroup)                                     \
  F (T, OBJECT, "seccomp", seccomp, oci_features_seccomp)                                  \
  F (T, OBJECT, "apparmor", apparmor, oci_features_enabled)                                \
  F (T, OBJECT, "selinux", selinux, oci_features_enabled)                                  \
  F (T, OBJECT, "intelRdt", intel_rdt, oci_features_intel_rdt)                             \
  F (T, OBJECT, "memoryPolicy", memory_policy, oci_features_memory_policy)                 \
  F (T, OBJECT, "mountExtensions", mount_extensions, oci_features_mount_extensions)        \
  F (T, OBJECT, "netDevices", net_devices, oci_features_enabled)

#define OCI_FEATURES(F, T)                                                                 \
  F (T, STRING, "ociVersionMin", oci_version_min, .required = true)                        \
  F (T, STRING, "ociVersionMax", oci_version_max, .required = true)                        \
  F (T, STRINGS, "hooks", hooks)                                                           \
  F (T, STRINGS, "mountOptions", mount_options)                                            \
  F (T, OBJECT, "linux", linux, oci_features_linux)                                        \
  F (T, STRING_MAP, "annotations", annotations)                                            \
  F (T, STRINGS, "potentiallyUnsafeConfigAnnotations", potentially_unsafe_config_annotations)

OCI_DECLARE (oci_features_cgroup, OCI_FEATURES_CGROUP)
OCI_DECLARE (oci_features_seccomp, OCI_FEATURES_SECCOMP)
OCI_DECLARE (oci_features_enabled, OCI_FEATURES_ENABLED)
OCI_DECLARE (oci_features_intel_rdt, OCI_FEATURES_INTEL_RDT)
OCI_DECLARE (oci_features_memory_policy, OCI_FEATURES_MEMORY_POLICY)
OCI_DECLARE (oci_features_mount_extensions, OCI_FEATURES_MOUNT_EXTENSIONS)
OCI_DECLARE (oci_features_linux, OCI_FEATURES_LINUX)
OCI_DECLARE (oci_features, OCI_FEATURES)
/* clang-format on */

#endif
