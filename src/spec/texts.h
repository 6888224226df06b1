/* The two documents that are the same for every container. */
#ifndef TARE_SPEC_TEXTS_H
#define TARE_SPEC_TEXTS_H

#include <stdbool.h>
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

/* Private to spec: which of the spec's names seccomp.c can serve. version: of libseccomp, or NULL
 * in a build without it. */
const char *spec_seccomp_version (void);
bool spec_seccomp_has_action (int action);
bool spec_seccomp_has_operator (int op);
bool spec_seccomp_has_arch (int arch);
bool spec_seccomp_knows_flag (int flag);
bool spec_seccomp_has_flag (int flag); /* asks the kernel */

#endif
