/* The two documents that are the same for every container. */
#ifndef TARE_SPEC_TEXTS_H
#define TARE_SPEC_TEXTS_H

#include <stdint.h>

#include "base/error.h"

enum
{
  /* Beside TARE_SPEC_...: what the caller found out about the host. */
  SPEC_DEFAULT_CGROUP_NAMESPACE = 1 << 16, /* cgroups are v2: a namespace of them is of use */
};

/* The default config.json. The caller frees the text. */
int spec_default_json (uint32_t flags, char **ret_json, struct tare_error *error);
/* The features document (features.md). The caller frees the text. */
int spec_features_json (char **ret_json, struct tare_error *error);

#endif
