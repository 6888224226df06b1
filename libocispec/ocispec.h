/* libocispec: the objects of the OCI runtime specification 1.3.0 as C structs, read from JSON and
 * printed as JSON by their tables. table.h says how a struct follows from its JSON. */
#ifndef TARE_LIBOCISPEC_OCISPEC_H
#define TARE_LIBOCISPEC_OCISPEC_H

#include "libocispec/config.h"
#include "libocispec/features.h"
#include "libocispec/linux.h"
#include "libocispec/process.h"
#include "libocispec/resources.h"
#include "libocispec/seccomp.h"
#include "libocispec/state.h"
#include "libocispec/table.h"

/* int oci_read_config (struct arena *arena, const struct oci_source *source,
 *                      struct oci_config **ret_object, struct tare_error *error);
 * and so on: oci_read for one table each. */
#define OCI_READER(name)                                                                           \
  static inline int oci_read_##name (struct arena *arena, const struct oci_source *source,         \
                                     struct oci_##name **ret_object, struct tare_error *error)     \
  {                                                                                                \
    void *object;                                                                                  \
    int r = oci_read (arena, source, &oci_##name##_table, &object, error);                         \
    if (r >= 0)                                                                                    \
      *ret_object = object;                                                                        \
    return r;                                                                                      \
  }
OCI_READER (config)
OCI_READER (process)
OCI_READER (resources)
OCI_READER (state)
OCI_READER (features)
OCI_READER (container_process_state)
#undef OCI_READER

#endif
