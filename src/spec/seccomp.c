/* linux.seccomp, compiled to BPF by libseccomp on the host side, so that init knows no libseccomp
 * and the work overlaps with its mounts. Serves config-linux.md "Seccomp". */
#include "spec/internal.h"
#include "spec/texts.h"
#include "sys/file.h"

static int
write_given (const struct spec *spec, int fd, struct tare_error *error)
{
  int r = sys_write_full (fd, spec->seccomp_program, spec->seccomp_length);
  return r < 0 ? fail (error, r, "annotations.run.oci.seccomp_bpf_data") : 0;
}

#ifdef HAVE_SECCOMP
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "spec/seccomp_stub.h"

static const enum scmp_compare operators[] = {
  [OCI_CMP_NE] = SCMP_CMP_NE,
  [OCI_CMP_LT] = SCMP_CMP_LT,
  [OCI_CMP_LE] = SCMP_CMP_LE,
  [OCI_CMP_EQ] = SCMP_CMP_EQ,
  [OCI_CMP_GE] = SCMP_CMP_GE,
  [OCI_CMP_GT] = SCMP_CMP_GT,
  [OCI_CMP_MASKED_EQ] = SCMP_CMP_MASKED_EQ,
};

struct compilation
{
  const struct spec *spec;
  const struct oci_seccomp *seccomp;
  const struct log *log;
  scmp_filter_ctx filter;
  bool names_must_be_known;
  struct seccomp_last last[SECCOMP_STUB_ARCHES]; /* of every architecture in the filter */
  size_t n_last;
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
    case OCI_ACT_NOTIFY:
      return SCMP_ACT_NOTIFY;
    default:
      return SCMP_ACT_ALLOW;
    }
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

/* What libseccomp does not know, or what has another order of bytes than this machine, no kernel
 * that we run on has: no system call can come by it. */
static int
add_architectures (struct compilation *compilation, struct tare_error *error)
{
  const struct oci_seccomp *seccomp = compilation->seccomp;
  compilation->last[compilation->n_last++].arch = seccomp_arch_native ();
  for (size_t i = 0; i < seccomp->n_architectures; i++)
    {
      const char *name = enum_name (oci_seccomp_arch_map, seccomp->architectures[i]);
      uint32_t arch = arch_of (seccomp->architectures[i]);
      int r = arch != 0 ? seccomp_arch_add (compilation->filter, arch) : -EDOM;
      if (r == -EEXIST)
        continue;
      if (r == -EDOM || r == -EINVAL)
        log_debug (compilation->log, "linux.seccomp.architectures[%zu]: no %s here, ignoring it", i,
                   name);
      else if (r < 0)
        return fail (error, r, "linux.seccomp.architectures[%zu]: %s", i, name);
      else if (compilation->n_last < COUNT_OF (compilation->last))
        compilation->last[compilation->n_last++].arch = arch;
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
  struct scmp_arg_cmp all[SPEC_SYSCALL_ARGUMENTS];
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

/* Behind socketcall(2) and ipc(2) there are calls that also have numbers of their own. What
 * libseccomp gives for their names is neither: from -100 on. */
static uint32_t
number_on (uint32_t arch, const char *name)
{
  enum
  {
    FIRST_MULTIPLEXED = -100,
    LAST_MULTIPLEXED = -299,
    LARGEST_DIRECT = 402, /* msgctl, wherever these have numbers of their own */
  };
  int number = seccomp_syscall_resolve_name_arch (arch, name);
  if (number <= FIRST_MULTIPLEXED && number >= LAST_MULTIPLEXED)
    return LARGEST_DIRECT;
  return number > 0 ? (uint32_t) number : 0;
}

static void
note_last (struct compilation *compilation, const char *name)
{
  for (size_t i = 0; i < compilation->n_last; i++)
    {
      uint32_t number = number_on (compilation->last[i].arch, name);
      if (number > compilation->last[i].number)
        compilation->last[i].number = number;
    }
}

static uint32_t
default_action (const struct oci_seccomp *seccomp)
{
  return action_of (seccomp->default_action,
                    seccomp->has_default_errno_ret ? seccomp->default_errno_ret : EPERM);
}

static int
add_syscall (struct compilation *compilation, size_t i, struct tare_error *error)
{
  const struct oci_syscall *syscall = &compilation->seccomp->syscalls[i];
  uint32_t action =
      action_of (syscall->action, syscall->has_errno_ret ? syscall->errno_ret : EPERM);
  for (size_t k = 0; k < syscall->n_names; k++)
    {
      const char *name = syscall->names[k];
      int number = seccomp_syscall_resolve_name (name);
      if (number == __NR_SCMP_ERROR && compilation->names_must_be_known)
        return config_error (error, "linux.seccomp.syscalls[%zu]: '%s' is not known", i, name);
      if (number == __NR_SCMP_ERROR)
        {
          log_debug (compilation->log,
                     "linux.seccomp.syscalls[%zu]: '%s' is not known, ignoring it", i, name);
          continue;
        }
      note_last (compilation, name);
      if (action == default_action (compilation->seccomp)) /* libseccomp refuses it: no change */
        continue;
      int r = add_rule (compilation->filter, action, number, syscall);
      if (r < 0)
        return fail (error, r, "linux.seccomp.syscalls[%zu]: '%s'", i, name);
    }
  return 0;
}

/* What would be let through anyhow is not made to fail, nor is what a tracer is to see. */
static bool
wants_stub (const struct oci_seccomp *seccomp)
{
  switch (seccomp->default_action)
    {
    case OCI_ACT_ALLOW:
    case OCI_ACT_LOG:
    case OCI_ACT_TRACE:
      return false;
    case OCI_ACT_ERRNO:
      return !seccomp->has_default_errno_ret || seccomp->default_errno_ret != ENOSYS;
    default:
      return true;
    }
}

static int
fill (struct compilation *compilation, struct tare_error *error)
{
  /* no_new_privs is a property of its own: the filter must not set it. */
  int r = seccomp_attr_set (compilation->filter, SCMP_FLTATR_CTL_NNP, 0);
  if (r < 0)
    return fail (error, r, "linux.seccomp");
  r = add_architectures (compilation, error);
  for (size_t i = 0; i < compilation->seccomp->n_syscalls && r >= 0; i++)
    r = add_syscall (compilation, i, error);
  return r;
}

static int
write_filter (const struct compilation *compilation, int fd, struct tare_error *error)
{
  struct sock_filter stub[SECCOMP_STUB_MOST];
  size_t length = wants_stub (compilation->seccomp)
                      ? seccomp_stub (compilation->last, compilation->n_last, stub)
                      : 0;
  int r = sys_write_full (fd, stub, length * sizeof *stub);
  if (r >= 0)
    r = seccomp_export_bpf (compilation->filter, fd);
  return r < 0 ? fail (error, r, "linux.seccomp: compile") : 0;
}

static bool
names_must_be_known (const struct spec *spec)
{
  const char *strict = spec_annotation (spec, "run.oci.seccomp_fail_unknown_syscall");
  return strict != NULL && !str_equal (strict, "0");
}

/* Raised with every change in what is made of the same profile. */
enum
{
  FORMAT = 1,
};

bool
spec_seccomp_key (const struct spec *spec, struct buf *buf)
{
  if (spec->seccomp_program != NULL)
    return false;
  const struct scmp_version *version = seccomp_version ();
  buf_format (buf, "%d %s libseccomp %u.%u.%u %x %d\n", FORMAT, PACKAGE_VERSION, version->major,
              version->minor, version->micro, seccomp_arch_native (), names_must_be_known (spec));
  oci_write (buf, &oci_seccomp_table, spec->config->linux->seccomp, 0);
  return !buf->failed;
}

int
spec_compile_seccomp (const struct spec *spec, const struct log *log, int fd,
                      struct tare_error *error)
{
  if (spec->seccomp_program != NULL)
    return write_given (spec, fd, error);
  const struct oci_seccomp *seccomp = spec->config->linux->seccomp;
  __attribute__ ((cleanup (release_filter))) scmp_filter_ctx filter =
      seccomp_init (default_action (seccomp));
  if (filter == NULL)
    return fail (error, ENOMEM, "linux.seccomp");
  struct compilation compilation = {
    .spec = spec,
    .seccomp = seccomp,
    .log = log,
    .filter = filter,
    .names_must_be_known = names_must_be_known (spec),
  };
  int r = fill (&compilation, error);
  return r < 0 ? r : write_filter (&compilation, fd, error);
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
  (void) action;
  return true;
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
  return spec_seccomp_flag (flag) != 0;
}

/* A kernel that has the flag goes on to look for the program, which is not there. */
bool
spec_seccomp_has_flag (int flag)
{
  uint64_t wanted = spec_seccomp_flag (flag);
  if (flag == OCI_FILTER_FLAG_WAIT_KILLABLE_RECV) /* there is no other use for it */
    wanted |= SECCOMP_FILTER_FLAG_NEW_LISTENER;
  return syscall (SYS_seccomp, SECCOMP_SET_MODE_FILTER, wanted, NULL) < 0 && errno == EFAULT;
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

bool
spec_seccomp_key (const struct spec *spec, struct buf *buf)
{
  (void) spec;
  (void) buf;
  return false;
}

int
spec_compile_seccomp (const struct spec *spec, const struct log *log, int fd,
                      struct tare_error *error)
{
  (void) log;
  return write_given (spec, fd, error);
}
#endif
