/* What state prints: runtime.md "State", with the members that runc adds and its readers use, in
 * its order. */
#ifndef TARE_LIB_OUTPUT_H
#define TARE_LIB_OUTPUT_H

#include "libocispec/table.h"

/* clang-format off */
#define LIB_STATE(F, T)                                   \
  F (T, STRING, "ociVersion", oci_version)                \
  F (T, STRING, "id", id)                                 \
  F (T, I32, "pid", pid)                                  \
  F (T, STRING, "status", status)                         \
  F (T, STRING, "bundle", bundle)                         \
  F (T, STRING, "rootfs", rootfs)                         \
  F (T, STRING, "created", created)                       \
  F (T, STRING_MAP, "annotations", annotations)           \
  F (T, STRING, "owner", owner)

OCI_DECLARE (lib_state, LIB_STATE)
/* clang-format on */

#endif
