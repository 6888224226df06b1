/* What is the same for every container: the version, the default config, the features; and the
 * helpers for a caller's own messages. */
#define _GNU_SOURCE
#include "config.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/base.h"
#include "spec/texts.h"
#include "sys/file.h"
#include "tare.h"

#ifndef CGROUP2_SUPER_MAGIC
#define CGROUP2_SUPER_MAGIC 0x63677270
#endif

const char *
tare_version (void)
{
  return PACKAGE_VERSION;
}

const char *
tare_libseccomp_version (void)
{
  return spec_seccomp_version ();
}

static bool
cgroups_are_v2 (void)
{
  uint64_t magic;
  autoclose int fd = sys_open ("/sys/fs/cgroup", O_PATH | O_DIRECTORY, 0);
  return fd >= 0 && sys_fs_magic (fd, &magic) >= 0 && magic == CGROUP2_SUPER_MAGIC;
}

int
tare_spec (uint32_t flags, char **ret_json, struct tare_error *error)
{
  if ((flags & ~(uint32_t) TARE_SPEC_ROOTLESS) != 0)
    return fail_kind (error, TARE_ERROR_USAGE, -EINVAL, "spec: unknown flags %#x", flags);
  if (cgroups_are_v2 ())
    flags |= SPEC_DEFAULT_CGROUP_NAMESPACE;
  return spec_default_json (flags, ret_json, error);
}

int
tare_features (char **ret_json, struct tare_error *error)
{
  return spec_features_json (ret_json, error);
}

void
tare_escape (const char *text, char *out, size_t size)
{
  escape_line (text, out, size);
}

int
tare_error_set (struct tare_error *error, enum tare_error_kind kind, int code, const char *format,
                ...)
{
  char message[2048];
  va_list arguments;
  va_start (arguments, format);
  int length = vsnprintf (message, sizeof message, format, arguments);
  va_end (arguments);
  return fail_kind (error, kind, code, "%s", length < 0 ? format : message);
}
