/* linux.seccomp, compiled to BPF by libseccomp on the host side, so that init knows no libseccomp
 * and the work overlaps with its mounts. Serves config-linux.md "Seccomp". */
#include "spec/internal.h"
#include "spec/texts.h"

#ifdef HAVE_SECCOMP
#include <linux/seccomp.h>
#include <seccomp.h>
#include <sys/syscall.h>
#include <unistd.h>

enum
{
  MOST_ARGUMENTS = 6, /* of a system call */
};

static const enum scmp_compare operators[] = {
  [OCI_CMP_NE] = SCMP_CMP_NE,
  [OCI_CMP_LT] = SCMP_CMP_LT,
  [OCI_CMP_LE] = SCMP_CMP_LE,
  [OCI_CMP_EQ] = SCMP_CMP_EQ,
  [OCI_CMP_GE] = SCMP_CMP_GE,
  [OCI_CMP_GT] = SCMP_CMP_GT,
  [OCI_CMP_MASKED_EQ] = SCMP_CMP_MASKED_EQ,
};

static const uint32_t flags[] = {
  [OCI_FILTER_FLAG_TSYNC] = SECCOMP_FILTER_FLAG_TSYNC,
  [OCI_FILTER_FLAG_LOG] = SECCOMP_FILTER_FLAG_LOG,
  [OCI_FILTER_FLAG_SPEC_ALLOW] = SECCOMP_FILTER_FLAG_SPEC_ALLOW,
  [OCI_FILTER_FLAG_WAIT_KILLABLE_RECV] = 1 << 5, /* since Linux 5.19 */
};

static void
release_filter (scmp_filter_ctx *filter)
{
  if (*filter != NULL)
    seccomp_release (*filter);
}

/* errno_ret of ERRNO and TRACE; without one it is EPERM. */
static uint32_t
action_of (int action, uint32_t errno_ret)
{
  switch (action)
    {
    case OCI_ACT_KILL:
    case OCI_ACT_KILL_THREAD:
      return SCMP_ACT_KILL_THREAD;
    case OCI_ACT_KILL_PROCESS:
      return SCMP_ACT_KILL_PROCESS;
    case OCI_ACT_TRAP:
      return SCMP_ACT_TRAP;
    case OCI_ACT_ERRNO:
      return SCMP_ACT_ERRNO (errno_ret & 0xffff);
    case OCI_ACT_TRACE:
      return SCMP_ACT_TRACE (errno_ret & 0xffff);
    case OCI_ACT_LOG:
      return SCMP_ACT_LOG;
    default:
      return SCMP_ACT_ALLOW;
    }
}

static bool
takes_errno (int action)
{
  return action == OCI_ACT_ERRNO || action == OCI_ACT_TRACE;
}

/* libseccomp's number of an architecture, or 0: it names them as we do, but in lower case. */
static uint32_t
arch_of (int arch)
{
  const char *name = enum_name (oci_seccomp_arch_map, arch);
  char lower[32];
  size_t length = 0;
  for (const char *c = str_after (name, "SCMP_ARCH_"); *c != '\0'; c++)
    lower[length++] = (char) (*c >= 'A' && *c <= 'Z' ? *c - 'A' + 'a' : *c);
  lower[length] = '\0';
  return seccomp_arch_resolve_name (lower);
}

static int
add_architectures (scmp_filter_ctx filter, const struct oci_seccomp *seccomp,
                   struct tare_error *error)
{
  for (size_t i = 0; i < seccomp->n_architectures; i++)
    {
      const char *name = enum_name (oci_seccomp_arch_map, seccomp->architectures[i]);
      uint32_t arch = arch_of (seccomp->architectures[i]);
      if (arch == 0)
        return fail_kind (error, TARE_ERROR_UNSUPPORTED, EOPNOTSUPP,
                          "linux.seccomp.architectures[%zu]: libseccomp does not know %s", i, name);
      int r = seccomp_arch_add (filter, arch);
      if (r < 0 && r != -EEXIST)
        return fail (error, r, "linux.seccomp.architectures[%zu]: %s", i, name);
    }
  return 0;
}

static bool
repeats_an_index (const struct oci_syscall *syscall)
{
  unsigned seen = 0;
  for (size_t i = 0; i < syscall->n_args; i++)
    {
      unsigned bit = 1U << syscall->args[i].index;
      if ((seen & bit) != 0)
        return true;
      seen |= bit;
    }
  return false;
}

static struct scmp_arg_cmp
comparison (const struct oci_syscall_arg *arg)
{
  return (struct scmp_arg_cmp){
    .arg = arg->index,
    .op = operators[arg->op],
    .datum_a = arg->value,
    .datum_b = arg->value_two,
  };
}

/* All comparisons of one rule must hold; where an index comes twice, each is a rule of its own. */
static int
add_rule (scmp_filter_ctx filter, uint32_t action, int number, const struct oci_syscall *syscall)
{
  struct scmp_arg_cmp all[MOST_ARGUMENTS];
  int r = 0;
  if (!repeats_an_index (syscall))
    {
      for (size_t i = 0; i < syscall->n_args; i++)
        all[i] = comparison (&syscall->args[i]);
      return seccomp_rule_add_array (filter, action, number, (unsigned) syscall->n_args, all);
    }
  for (size_t i = 0; i < syscall->n_args && r >= 0; i++)
    {
      all[0] = comparison (&syscall->args[i]);
      r = seccomp_rule_add_array (filter, action, number, 1, all);
    }
  return r;
}

static int
add_syscall (scmp_filter_ctx filter, const struct oci_seccomp *seccomp, size_t i,
             const struct log *log, struct tare_error *error)
{
  const struct oci_syscall *syscall = &seccomp->syscalls[i];
  uint32_t fallback = action_of (
      seccomp->default_action, seccomp->has_default_errno_ret ? seccomp->default_errno_ret : EPERM);
  uint32_t action =
      action_of (syscall->action, syscall->has_errno_ret ? syscall->errno_ret : EPERM);
  if (action == fallback) /* libseccomp refuses what changes nothing */
    return 0;
  for (size_t k = 0; k < syscall->n_names; k++)
    {
      int number = seccomp_syscall_resolve_name (syscall->names[k]);
      if (number == __NR_SCMP_ERROR)
        {
          log_debug (log, "linux.seccomp.syscalls[%zu]: '%s' is not known, ignoring it", i,
                     syscall->names[k]);
          continue;
        }
      int r = add_rule (filter, action, number, syscall);
      if (r < 0)
        return fail (error, r, "linux.seccomp.syscalls[%zu]: '%s'", i, syscall->names[k]);
    }
  return 0;
}

uint64_t
spec_seccomp_flags (const struct oci_seccomp *seccomp)
{
  uint64_t wanted = 0;
  /* Absent is not empty: without the property the mitigation of speculative store bypass, which
   * costs every container dear, is not asked for. */
  if (seccomp->flags == NULL)
    return SECCOMP_FILTER_FLAG_SPEC_ALLOW;
  for (size_t i = 0; i < seccomp->n_flags; i++)
    wanted |= flags[seccomp->flags[i]];
  return wanted;
}

int
spec_check_seccomp (const struct spec *spec, struct tare_error *error)
{
  const struct oci_linux *linux = spec->config->linux;
  const struct oci_seccomp *seccomp = linux != NULL ? linux->seccomp : NULL;
  if (seccomp == NULL)
    return 0;
  bool notify = seccomp->default_action == OCI_ACT_NOTIFY || seccomp->listener_path != NULL;
  if (seccomp->has_default_errno_ret && !takes_errno (seccomp->default_action))
    return config_error (error, "linux.seccomp.defaultErrnoRet: is only for SCMP_ACT_ERRNO and "
                                "SCMP_ACT_TRACE");
  for (size_t i = 0; i < seccomp->n_syscalls; i++)
    {
      const struct oci_syscall *syscall = &seccomp->syscalls[i];
      notify = notify || syscall->action == OCI_ACT_NOTIFY;
      if (syscall->has_errno_ret && !takes_errno (syscall->action))
        return config_error (error,
                             "linux.seccomp.syscalls[%zu].errnoRet: is only for "
                             "SCMP_ACT_ERRNO and SCMP_ACT_TRACE",
                             i);
      if (!repeats_an_index (syscall) && syscall->n_args > MOST_ARGUMENTS)
        return config_error (error, "linux.seccomp.syscalls[%zu].args: more than six", i);
      for (size_t k = 0; k < syscall->n_args; k++)
        if (syscall->args[k].index >= MOST_ARGUMENTS)
          return config_error (error,
                               "linux.seccomp.syscalls[%zu].args[%zu].index: %u is not 0 "
                               "to 5",
                               i, k, syscall->args[k].index);
    }
  if (notify)
    return fail_kind (error, TARE_ERROR_UNSUPPORTED, EOPNOTSUPP,
                      "linux.seccomp: SCMP_ACT_NOTIFY is not offered by this version");
  return 0;
}

int
spec_compile_seccomp (const struct spec *spec, const struct log *log, int fd,
                      struct tare_error *error)
{
  const struct oci_seccomp *seccomp = spec->config->linux->seccomp;
  uint32_t fallback = action_of (
      seccomp->default_action, seccomp->has_default_errno_ret ? seccomp->default_errno_ret : EPERM);
  __attribute__ ((cleanup (release_filter))) scmp_filter_ctx filter = seccomp_init (fallback);
  if (filter == NULL)
    return fail (error, ENOMEM, "linux.seccomp");
  /* no_new_privs is a property of its own: the filter must not set it. */
  int r = seccomp_attr_set (filter, SCMP_FLTATR_CTL_NNP, 0);
  if (r < 0)
    return fail (error, r, "linux.seccomp");
  r = add_architectures (filter, seccomp, error);
  for (size_t i = 0; i < seccomp->n_syscalls && r >= 0; i++)
    r = add_syscall (filter, seccomp, i, log, error);
  if (r < 0)
    return r;
  r = seccomp_export_bpf (filter, fd);
  return r < 0 ? fail (error, r, "linux.seccomp: compile") : 0;
}

/* ---- for the features document --------------------------------------------------------------- */

#define TEXT_OF(x)            #x
#define VERSION_TEXT(a, b, c) TEXT_OF (a) "." TEXT_OF (b) "." TEXT_OF (c)

const char *
spec_seccomp_version (void)
{
  return VERSION_TEXT (SCMP_VER_MAJOR, SCMP_VER_MINOR, SCMP_VER_MICRO);
}

bool
spec_seccomp_has_action (int action)
{
  return action != OCI_ACT_NOTIFY;
}

bool
spec_seccomp_has_operator (int op)
{
  return operators[op] != 0;
}

bool
spec_seccomp_has_arch (int arch)
{
  return arch_of (arch) != 0;
}

bool
spec_seccomp_knows_flag (int flag)
{
  return flags[flag] != 0;
}

/* A kernel that has the flag goes on to look for the program, which is not there. */
bool
spec_seccomp_has_flag (int flag)
{
  return syscall (SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags[flag], NULL) < 0 && errno == EFAULT;
}

#else

const char *
spec_seccomp_version (void)
{
  return NULL;
}

bool
spec_seccomp_has_action (int action)
{
  (void) action;
  return false;
}

bool
spec_seccomp_has_operator (int op)
{
  (void) op;
  return false;
}

bool
spec_seccomp_has_arch (int arch)
{
  (void) arch;
  return false;
}

bool
spec_seccomp_knows_flag (int flag)
{
  (void) flag;
  return false;
}

bool
spec_seccomp_has_flag (int flag)
{
  (void) flag;
  return false;
}

uint64_t
spec_seccomp_flags (const struct oci_seccomp *seccomp)
{
  (void) seccomp;
  return 0;
}

int
spec_check_seccomp (const struct spec *spec, struct tare_error *error)
{
  const struct oci_linux *linux = spec->config->linux;
  if (linux == NULL || linux->seccomp == NULL)
    return 0;
  return fail_kind (error, TARE_ERROR_UNSUPPORTED, EOPNOTSUPP,
                    "linux.seccomp: this tare was built without it");
}

int
spec_compile_seccomp (const struct spec *spec, const struct log *log, int fd,
                      struct tare_error *error)
{
  (void) log;
  (void) fd;
  return spec_check_seccomp (spec, error);
}
#endif
