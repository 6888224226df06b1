/* linux.seccomp and its annotations: checked, and what a filter needs to be loaded worked out: its
 * flags, who is asked, a program that comes ready-made. Serves config-linux.md "Seccomp",
 * seccomp(2). Knows no libseccomp; pure.
 *
 *   run.oci.seccomp_bpf_data=BASE64   the program itself, where there is no linux.seccomp
 *   run.oci.seccomp.receiver=PATH     the agent's socket, where there is no listenerPath
 */
#include <linux/filter.h>
#include <linux/seccomp.h>

#include "spec/internal.h"
#include "spec/texts.h"

#ifdef HAVE_SECCOMP
enum
{
  SECCOMP_IS_BUILT = 1,
};
#else
enum
{
  SECCOMP_IS_BUILT = 0,
};
#endif

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5) /* since Linux 5.19 */
#endif

static const char program_key[] = "run.oci.seccomp_bpf_data";
static const char receiver_key[] = "run.oci.seccomp.receiver";

static const uint64_t filter_flags[] = {
  [OCI_FILTER_FLAG_TSYNC] = SECCOMP_FILTER_FLAG_TSYNC,
  [OCI_FILTER_FLAG_LOG] = SECCOMP_FILTER_FLAG_LOG,
  [OCI_FILTER_FLAG_SPEC_ALLOW] = SECCOMP_FILTER_FLAG_SPEC_ALLOW,
  [OCI_FILTER_FLAG_WAIT_KILLABLE_RECV] = SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV,
};

uint64_t
spec_seccomp_flag (int flag)
{
  return filter_flags[flag];
}

static const struct oci_seccomp *
seccomp_of (const struct spec *spec)
{
  const struct oci_linux *linux = spec->config->linux;
  return linux != NULL ? linux->seccomp : NULL;
}

/* ---- a program given ready-made -------------------------------------------------------------- */

/* Six bits, or -1. */
static int
base64_value (char c)
{
  static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const char *found = c != '\0' ? strchr (digits, c) : NULL;
  return found != NULL ? (int) (found - digits) : -1;
}

/* RFC 4648, section 4, with its padding. The length, or -EINVAL. */
static ssize_t
decode_base64 (const char *text, unsigned char *bytes)
{
  size_t length = strlen (text), n = 0;
  size_t padding = length > 0 && text[length - 1] == '=' ? 1 : 0;
  if (padding > 0 && length > 1 && text[length - 2] == '=')
    padding = 2;
  if (length % 4 != 0)
    return -EINVAL;
  uint32_t group = 0;
  for (size_t i = 0; i < length; i++)
    {
      int value = i >= length - padding ? 0 : base64_value (text[i]);
      if (value < 0)
        return -EINVAL;
      group = group << 6 | (uint32_t) value;
      if (i % 4 != 3)
        continue;
      for (int shift = 16; shift >= 0; shift -= 8)
        bytes[n++] = (unsigned char) (group >> shift);
    }
  return (ssize_t) (n - padding);
}

static int
take_program (struct spec *spec, const char *text, struct tare_error *error)
{
  unsigned char *bytes = arena_allocate (&spec->arena, strlen (text) + 4);
  if (bytes == NULL)
    return fail (error, ENOMEM, "annotations.%s", program_key);
  ssize_t length = decode_base64 (text, bytes);
  if (length <= 0)
    return config_error (error, "annotations.%s: is not base64", program_key);
  if ((size_t) length % sizeof (struct sock_filter) != 0)
    return config_error (error, "annotations.%s: %zd bytes are no whole number of instructions",
                         program_key, length);
  spec->seccomp_program = bytes;
  spec->seccomp_length = (size_t) length;
  spec->has_seccomp = true;
  return 0;
}

/* ---- who is asked ---------------------------------------------------------------------------- */

static bool
program_notifies (const struct spec *spec)
{
  const struct sock_filter *filter = spec->seccomp_program;
  for (size_t i = 0; i < spec->seccomp_length / sizeof *filter; i++)
    if (BPF_CLASS (filter[i].code) == BPF_RET
        && (BPF_RVAL (filter[i].code) == BPF_A
            || (filter[i].k & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_USER_NOTIF))
      return true;
  return false;
}

static bool
profile_notifies (const struct oci_seccomp *seccomp)
{
  for (size_t i = 0; i < seccomp->n_syscalls; i++)
    if (seccomp->syscalls[i].action == OCI_ACT_NOTIFY)
      return true;
  return false;
}

/* Where the filter asks nobody, listenerPath is ignored. */
static int
find_agent (struct spec *spec, struct tare_error *error)
{
  const struct oci_seccomp *seccomp = seccomp_of (spec);
  const char *path = seccomp != NULL ? seccomp->listener_path : NULL;
  const char *place = "linux.seccomp.listenerPath";
  bool notifies =
      spec->seccomp_program != NULL ? program_notifies (spec) : profile_notifies (seccomp);
  if (!notifies)
    return 0;
  if (path == NULL || *path == '\0')
    {
      path = spec_annotation (spec, receiver_key);
      place = "annotations.run.oci.seccomp.receiver";
    }
  if (path == NULL || *path == '\0')
    return spec->seccomp_program != NULL
               ? 0 /* it may never return what was found in it */
               : config_error (error,
                               "linux.seccomp.listenerPath: required with SCMP_ACT_NOTIFY, but "
                               "missing");
  if (*path != '/')
    return config_error (error, "%s: '%s' is not absolute", place, path);
  spec->seccomp_agent = path;
  return 0;
}

int
spec_lower_seccomp (struct spec *spec, struct tare_error *error)
{
  const char *program = spec_annotation (spec, program_key);
  spec->has_seccomp = seccomp_of (spec) != NULL;
  /* Podman hands on the annotations of an image, which may not replace what it is confined by. */
  if (program != NULL && spec->has_seccomp)
    return config_error (
        error, "annotations.%s: not beside linux.seccomp, whose place it would take", program_key);
  int r = program != NULL ? take_program (spec, program, error) : 0;
  return r >= 0 && spec->has_seccomp ? find_agent (spec, error) : r;
}

/* init has one thread that is to be filtered, and one that must not be: it hands on the listener.
 * Without a listener nothing waits to be received. */
uint64_t
spec_seccomp_flags (const struct spec *spec)
{
  const struct oci_seccomp *seccomp = seccomp_of (spec);
  uint64_t wanted = 0;
  for (size_t i = 0; seccomp != NULL && i < seccomp->n_flags; i++)
    wanted |= filter_flags[seccomp->flags[i]];
  /* Absent is not empty: without the property the mitigation of speculative store bypass, which
   * costs every container dear, is not asked for. */
  if (seccomp == NULL || seccomp->flags == NULL)
    wanted = SECCOMP_FILTER_FLAG_SPEC_ALLOW;
  if (spec->seccomp_agent == NULL)
    return wanted & ~(uint64_t) SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
  return (wanted & ~(uint64_t) SECCOMP_FILTER_FLAG_TSYNC) | SECCOMP_FILTER_FLAG_NEW_LISTENER;
}

/* ---- checks ---------------------------------------------------------------------------------- */

static bool
takes_errno (int action)
{
  return action == OCI_ACT_ERRNO || action == OCI_ACT_TRACE;
}

static int
check_syscall (const struct oci_syscall *syscall, size_t i, struct tare_error *error)
{
  if (syscall->has_errno_ret && !takes_errno (syscall->action))
    return config_error (error,
                         "linux.seccomp.syscalls[%zu].errnoRet: is only for SCMP_ACT_ERRNO and "
                         "SCMP_ACT_TRACE",
                         i);
  for (size_t k = 0; k < syscall->n_args; k++)
    if (syscall->args[k].index >= SPEC_SYSCALL_ARGUMENTS)
      return config_error (error, "linux.seccomp.syscalls[%zu].args[%zu].index: %u is not 0 to 5",
                           i, k, syscall->args[k].index);
  return 0;
}

int
spec_check_seccomp (const struct spec *spec, struct tare_error *error)
{
  const struct oci_seccomp *seccomp = seccomp_of (spec);
  if (seccomp == NULL)
    return 0;
  if (!SECCOMP_IS_BUILT)
    return fail_kind (error, TARE_ERROR_UNSUPPORTED, EOPNOTSUPP,
                      "linux.seccomp: this tare was built without it");
  if (seccomp->has_default_errno_ret && !takes_errno (seccomp->default_action))
    return config_error (error, "linux.seccomp.defaultErrnoRet: is only for SCMP_ACT_ERRNO and "
                                "SCMP_ACT_TRACE");
  /* Not even our own last words would come through. */
  if (seccomp->default_action == OCI_ACT_NOTIFY)
    return config_error (error, "linux.seccomp.defaultAction: SCMP_ACT_NOTIFY is only for "
                                "syscalls[].action");
  if (seccomp->listener_metadata != NULL && seccomp->listener_path == NULL)
    return config_error (error, "linux.seccomp.listenerMetadata: without listenerPath there is "
                                "nobody to receive it");
  int r = 0;
  for (size_t i = 0; r >= 0 && i < seccomp->n_syscalls; i++)
    r = check_syscall (&seccomp->syscalls[i], i, error);
  return r;
}
