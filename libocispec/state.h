/* The state of a container (runtime.md "State"), and what goes to a seccomp agent with it
 * (config-linux.md "The Container Process State"). */
#ifndef TARE_LIBOCISPEC_STATE_H
#define TARE_LIBOCISPEC_STATE_H

#include "libocispec/table.h"

/* clang-format off */
#define OCI_STATUSES(V)                    \
  V (OCI_STATUS_CREATING, "creating")      \
  V (OCI_STATUS_CREATED, "created")        \
  V (OCI_STATUS_RUNNING, "running")        \
  V (OCI_STATUS_STOPPED, "stopped")

OCI_DECLARE_ENUM (oci_status, OCI_STATUSES)

#define OCI_STATE(F, T)                                            \
  F (T, STRING, "ociVersion", oci_version, .required = true)       \
  F (T, STRING, "id", id, .required = true)                        \
  F (T, ENUM, "status", status, oci_status, .required = true)      \
  F (T, I32, "pid", pid, .max = INT32_MAX)                         \
  F (T, STRING, "bundle", bundle, .required = true)                \
  F (T, STRING_MAP, "annotations", annotations)

#define OCI_CONTAINER_PROCESS_STATE(F, T)                          \
  F (T, STRING, "ociVersion", oci_version, .required = true)       \
  F (T, STRINGS, "fds", fds)                                       \
  F (T, I32, "pid", pid, .required = true, .max = INT32_MAX)       \
  F (T, STRING, "metadata", metadata)                              \
  F (T, OBJECT, "state", state, oci_state, .required = true)

OCI_DECLARE (oci_state, OCI_STATE)
OCI_DECLARE (oci_container_process_state, OCI_CONTAINER_PROCESS_STATE)
/* clang-format on */

#endif
