/* The compiled filter does what the profile says: for every number of a system call, on x86_64, on
 * i386 and on x32, with the arguments that the profile compares and others, the program is run in a
 * simulator (bpf.h) and its answer compared with that of a model, which reads the profile by
 * itself. Profiles: small ones of our own, and the default one that podman uses.
 */
#include <errno.h>
#include <unistd.h>

#include "config.h"
#include "spec/internal.h"
#include "sys/sys.h"
#include "tests/unit/bpf.h"
#include "tests/unit/tap.h"

#if defined(HAVE_SECCOMP) && defined(__x86_64__)
#include <linux/audit.h>
#include <seccomp.h>

enum
{
  NUMBERS = 700, /* above every one that there is */
  X32_BIT = 0x40000000,
  SOCKETCALL = 102, /* i386: which one is in its first argument */
  IPC = 117,
  MOST_NAMES = 4096,
  MOST_CANDIDATES = 512,
  COMBINATIONS = 64,
  MOST_TEXT = 1 << 20,
};

struct abi
{
  const char *name, *oci;
  uint32_t token, audit, bit;
};

static const struct abi abis[] = {
  { "x86_64", "SCMP_ARCH_X86_64", SCMP_ARCH_X86_64, AUDIT_ARCH_X86_64, 0 },
  { "i386", "SCMP_ARCH_X86", SCMP_ARCH_X86, AUDIT_ARCH_I386, 0 },
  { "x32", "SCMP_ARCH_X32", SCMP_ARCH_X32, AUDIT_ARCH_X86_64, X32_BIT },
};

struct subject
{
  const struct oci_seccomp *seccomp;
  const struct sock_filter *program;
  size_t length;
};

/* ---- the model ------------------------------------------------------------------------------- */

static uint32_t
returns (int action, bool has_errno, uint32_t errno_ret)
{
  uint32_t data = has_errno ? errno_ret : EPERM;
  switch (action)
    {
    case OCI_ACT_KILL_PROCESS:
      return SECCOMP_RET_KILL_PROCESS;
    case OCI_ACT_TRAP:
      return SECCOMP_RET_TRAP;
    case OCI_ACT_ERRNO:
      return SECCOMP_RET_ERRNO | data;
    case OCI_ACT_TRACE:
      return SECCOMP_RET_TRACE | data;
    case OCI_ACT_ALLOW:
      return SECCOMP_RET_ALLOW;
    case OCI_ACT_LOG:
      return SECCOMP_RET_LOG;
    case OCI_ACT_NOTIFY:
      return SECCOMP_RET_USER_NOTIF;
    default:
      return SECCOMP_RET_KILL_THREAD;
    }
}

/* Only x86_64 has arguments of 64 bits. */
static uint64_t
narrow (const struct abi *abi, uint64_t value)
{
  return abi->token == SCMP_ARCH_X86_64 ? value : (uint32_t) value;
}

static bool
holds (const struct abi *abi, const struct oci_syscall_arg *arg, const __u64 *args)
{
  uint64_t a = args[arg->index], b = narrow (abi, arg->value), c = narrow (abi, arg->value_two);
  switch (arg->op)
    {
    case OCI_CMP_NE:
      return a != b;
    case OCI_CMP_LT:
      return a < b;
    case OCI_CMP_LE:
      return a <= b;
    case OCI_CMP_EQ:
      return a == b;
    case OCI_CMP_GE:
      return a >= b;
    case OCI_CMP_GT:
      return a > b;
    default:
      return (a & b) == c;
    }
}

/* All must hold; or, where an index is there twice, any. */
static bool
matches (const struct abi *abi, const struct oci_syscall *syscall, const __u64 *args)
{
  size_t held = 0;
  bool twice = false;
  for (size_t i = 0; i < syscall->n_args; i++)
    {
      held += holds (abi, &syscall->args[i], args);
      for (size_t k = 0; k < i; k++)
        twice = twice || syscall->args[k].index == syscall->args[i].index;
    }
  return twice ? held > 0 : held == syscall->n_args;
}

static bool
has_name (const struct oci_syscall *syscall, const char *name)
{
  for (size_t i = 0; i < syscall->n_names; i++)
    if (strcmp (syscall->names[i], name) == 0)
      return true;
  return false;
}

static bool
is_named (const struct oci_seccomp *seccomp, const char *name)
{
  for (size_t i = 0; i < seccomp->n_syscalls; i++)
    if (has_name (&seccomp->syscalls[i], name))
      return true;
  return false;
}

static bool
is_multiplexed (const char *name)
{
  int number = seccomp_syscall_resolve_name_arch (SCMP_ARCH_X86, name);
  return number <= -100 && number > -300;
}

/* The largest number that the profile names; what is behind socketcall and ipc may come by numbers
 * up to 402. */
static uint32_t
largest (const struct oci_seccomp *seccomp, const struct abi *abi)
{
  uint32_t last = 0;
  for (uint32_t number = 0; number < NUMBERS; number++)
    {
      char *name = seccomp_syscall_resolve_num_arch (abi->token, (int) (number | abi->bit));
      if (name != NULL && is_named (seccomp, name))
        last = abi->token == SCMP_ARCH_X86 && is_multiplexed (name) && number < 402 ? 402 : number;
      free (name);
    }
  return last;
}

static bool
denies_new_calls (const struct oci_seccomp *seccomp)
{
  int action = seccomp->default_action;
  return action != OCI_ACT_ALLOW && action != OCI_ACT_LOG && action != OCI_ACT_TRACE;
}

/* ---- the comparison -------------------------------------------------------------------------- */

struct pool
{
  uint64_t values[MOST_CANDIDATES];
  size_t count;
};

static void
add_candidates (const struct abi *abi, const struct oci_syscall *syscall, struct pool *pool)
{
  for (size_t i = 0; i < syscall->n_args && pool->count + 8 < MOST_CANDIDATES; i++)
    {
      const struct oci_syscall_arg *arg = &syscall->args[i];
      const uint64_t near[] = { arg->value,
                                arg->value - 1,
                                arg->value + 1,
                                arg->value_two,
                                arg->value_two | ~arg->value,
                                arg->value ^ UINT64_C (1) << 40 };
      for (size_t k = 0; k < COUNT_OF (near); k++)
        pool->values[pool->count++] = narrow (abi, near[k]);
    }
}

static uint32_t
random_number (uint32_t *state)
{
  *state = *state * 1664525u + 1013904223u;
  return *state >> 8;
}

/* Is the answer that of a rule that matches, or of the default where none does? */
static bool
agrees (const struct subject *subject, const struct abi *abi, const char *name, bool is_new,
        const struct seccomp_data *data)
{
  const struct oci_seccomp *seccomp = subject->seccomp;
  int64_t got = bpf_run (subject->program, subject->length, data);
  bool any = false;
  if (is_new)
    return got == (SECCOMP_RET_ERRNO | ENOSYS);
  for (size_t i = 0; name != NULL && i < seccomp->n_syscalls; i++)
    {
      const struct oci_syscall *syscall = &seccomp->syscalls[i];
      if (!has_name (syscall, name) || !matches (abi, syscall, data->args))
        continue;
      any = true;
      if (got == returns (syscall->action, syscall->has_errno_ret, syscall->errno_ret))
        return true;
    }
  return !any
         && got
                == returns (seccomp->default_action, seccomp->has_default_errno_ret,
                            seccomp->default_errno_ret);
}

static int
compare_number (const struct subject *subject, const struct abi *abi, uint32_t number, bool is_new,
                uint32_t *random, bool tell)
{
  char *name = seccomp_syscall_resolve_num_arch (abi->token, (int) (number | abi->bit));
  struct pool pool = { .values = { 0, narrow (abi, UINT64_MAX) }, .count = 2 };
  int wrong = 0;
  for (size_t i = 0; name != NULL && i < subject->seccomp->n_syscalls; i++)
    if (has_name (&subject->seccomp->syscalls[i], name))
      add_candidates (abi, &subject->seccomp->syscalls[i], &pool);
  for (int i = 0; i < (pool.count > 2 ? COMBINATIONS : 4); i++)
    {
      struct seccomp_data data = { .nr = (int) (number | abi->bit), .arch = abi->audit };
      for (size_t k = 0; k < COUNT_OF (data.args); k++)
        data.args[k] = pool.values[random_number (random) % pool.count];
      if (agrees (subject, abi, name, is_new, &data))
        continue;
      if (wrong++ == 0 && tell)
        tap_note ("%s %u (%s), %#llx...: %#llx", abi->name, number, name != NULL ? name : "?",
                  (unsigned long long) data.args[0],
                  (unsigned long long) bpf_run (subject->program, subject->length, &data));
    }
  free (name);
  return wrong;
}

static void
compare (const struct subject *subject, const struct abi *abi, const char *title)
{
  uint32_t last = largest (subject->seccomp, abi), random = 1;
  int wrong = 0;
  for (uint32_t number = 0; number < NUMBERS; number++)
    if (abi->token != SCMP_ARCH_X86 || (number != SOCKETCALL && number != IPC))
      wrong += compare_number (subject, abi, number,
                               last > 0 && number > last && denies_new_calls (subject->seccomp),
                               &random, wrong == 0);
  ok (wrong == 0, "%s: every number on %s", title, abi->name);
}

/* What belongs to no architecture of the profile is no way around it. */
static void
compare_foreign (const struct subject *subject, const char *title)
{
  const struct seccomp_data arm = { .nr = 1, .arch = AUDIT_ARCH_ARM };
  int64_t got = bpf_run (subject->program, subject->length, &arm);
  ok (got == SECCOMP_RET_KILL_THREAD || got == SECCOMP_RET_KILL_PROCESS,
      "%s: another architecture is killed", title);
}

/* ---- profiles -------------------------------------------------------------------------------- */

static bool
compile (const char *text, struct spec **ret_spec, struct sock_filter *program, size_t *ret_length)
{
  struct spec_input input = { "config.json", text, strlen (text), "/bundle" };
  struct tare_error error = { 0 };
  int r = spec_load (&input, NULL, ret_spec, &error);
  autoclose int fd = r >= 0 ? sys_memfd ("program", false) : r;
  if (fd >= 0)
    r = spec_compile_seccomp (*ret_spec, NULL, fd, &error);
  ssize_t length = r >= 0 && sys_rewind (fd) >= 0
                       ? sys_read_full (fd, program, BPF_MAXINSNS * sizeof *program)
                       : -1;
  *ret_length = length > 0 ? (size_t) length / sizeof *program : 0;
  return ok (*ret_length > 0, "compiles: %s", error.message);
}

static void
test_profile (const char *title, const char *seccomp, bool has_abi[COUNT_OF (abis)])
{
  static char text[MOST_TEXT];
  static struct sock_filter program[BPF_MAXINSNS];
  struct spec *spec = NULL;
  size_t length = 0;
  (void) snprintf (text, sizeof text,
                   "{\"ociVersion\": \"1.2.0\", \"root\": {\"path\": \"rootfs\"}, \"linux\": "
                   "{\"namespaces\": [{\"type\": \"mount\"}], \"seccomp\": %s}}",
                   seccomp);
  if (!compile (text, &spec, program, &length))
    return;
  const struct subject subject = { spec->config->linux->seccomp, program, length };
  tap_note ("%s: %zu instructions", title, length);
  for (size_t i = 0; i < COUNT_OF (abis); i++)
    if (has_abi[i])
      compare (&subject, &abis[i], title);
  compare_foreign (&subject, title);
  spec_free (spec);
}

#define THREE "\"architectures\": [\"SCMP_ARCH_X86_64\", \"SCMP_ARCH_X86\", \"SCMP_ARCH_X32\"]"

static const struct
{
  const char *title, *seccomp;
  bool abis[COUNT_OF (abis)];
} profiles[] = {
  { "deny a few",
    "{\"defaultAction\": \"SCMP_ACT_ALLOW\", " THREE ", \"syscalls\": ["
    "{\"names\": [\"mkdir\", \"no_such_call\"], \"action\": \"SCMP_ACT_ERRNO\", \"errnoRet\": 28},"
    "{\"names\": [\"chmod\"], \"action\": \"SCMP_ACT_KILL_PROCESS\"},"
    "{\"names\": [\"chown\"], \"action\": \"SCMP_ACT_KILL\"},"
    "{\"names\": [\"fchown\"], \"action\": \"SCMP_ACT_KILL_THREAD\"},"
    "{\"names\": [\"getcwd\"], \"action\": \"SCMP_ACT_TRAP\"},"
    "{\"names\": [\"uname\"], \"action\": \"SCMP_ACT_LOG\"},"
    "{\"names\": [\"sync\"], \"action\": \"SCMP_ACT_TRACE\", \"errnoRet\": 7},"
    "{\"names\": [\"swapon\"], \"action\": \"SCMP_ACT_TRACE\"},"
    "{\"names\": [\"reboot\"], \"action\": \"SCMP_ACT_ERRNO\"}]}",
    { true, true, true } },
  { "allow a few",
    "{\"defaultAction\": \"SCMP_ACT_ERRNO\", \"defaultErrnoRet\": 13, " THREE ", \"syscalls\": ["
    "{\"names\": [\"read\", \"write\", \"openat2\", \"exit_group\"], \"action\": "
    "\"SCMP_ACT_ALLOW\"}]}",
    { true, true, true } },
  { "allow a few, on one architecture",
    "{\"defaultAction\": \"SCMP_ACT_KILL_PROCESS\", \"architectures\": [\"SCMP_ARCH_X86_64\"], "
    "\"syscalls\": [{\"names\": [\"read\", \"write\"], \"action\": \"SCMP_ACT_ALLOW\"}]}",
    { true, false, false } },
  { "nothing is new where the default says so already",
    "{\"defaultAction\": \"SCMP_ACT_ERRNO\", \"defaultErrnoRet\": 38, \"syscalls\": ["
    "{\"names\": [\"read\"], \"action\": \"SCMP_ACT_ALLOW\"}]}",
    { true, false, false } },
  { "sockets have two ways on i386",
    "{\"defaultAction\": \"SCMP_ACT_ERRNO\", " THREE ", \"syscalls\": ["
    "{\"names\": [\"socket\", \"connect\", \"read\"], \"action\": \"SCMP_ACT_ALLOW\"}]}",
    { true, true, true } },
  { "every comparison",
    "{\"defaultAction\": \"SCMP_ACT_ERRNO\", " THREE ", \"syscalls\": ["
#define COMPARES(name, op, more)                                                                   \
  "{\"names\": [\"" name "\"], \"action\": \"SCMP_ACT_ALLOW\", \"args\": [{\"index\": 1, "         \
  "\"value\": 4294967300, \"op\": \"SCMP_CMP_" op "\"" more "}]},"
    COMPARES ("fchmod", "NE", "") COMPARES ("fchown", "LT", "") COMPARES (
        "read", "LE", "") COMPARES ("write", "EQ", "") COMPARES ("dup2", "GE", "")
        COMPARES ("fsync", "GT", "") COMPARES (
            "prctl", "MASKED_EQ",
            ", \"valueTwo\": 4") "{\"names\": [\"mprotect\"], \"action\": \"SCMP_ACT_ALLOW\", "
                                 "\"args\": ["
                                 "{\"index\": 0, \"value\": 5, \"op\": \"SCMP_CMP_EQ\"},"
                                 "{\"index\": 5, \"value\": 18446744073709551615, \"op\": "
                                 "\"SCMP_CMP_NE\"}]},"
                                 "{\"names\": [\"personality\"], \"action\": \"SCMP_ACT_ALLOW\", "
                                 "\"args\": ["
                                 "{\"index\": 0, \"value\": 0, \"op\": \"SCMP_CMP_EQ\"},"
                                 "{\"index\": 0, \"value\": 8, \"op\": \"SCMP_CMP_EQ\"},"
                                 "{\"index\": 0, \"value\": 131072, \"op\": \"SCMP_CMP_EQ\"}]}]}",
    { true, true, true } },
};

/* For a container without capabilities of its own, on x86_64, as the engine resolves it. */
static void
test_podman (void)
{
  static const char path[] = "/usr/share/containers/seccomp.json";
  static char text[MOST_TEXT / 2];
  static const char command[] =
      "jq -c '{defaultAction, defaultErrnoRet, "
      "architectures: [\"SCMP_ARCH_X86_64\", \"SCMP_ARCH_X86\", \"SCMP_ARCH_X32\"], "
      "syscalls: [.syscalls[] | select ((.includes.caps // [] | length) == 0 and "
      "(.includes.arches // [\"amd64\"] | index (\"amd64\")) != null) "
      "| {names, action, errnoRet, args} | with_entries (select (.value != null))]} "
      "| with_entries (select (.value != null))' /usr/share/containers/seccomp.json";
  if (access (path, R_OK) < 0)
    {
      skip ("podman's profile", "golang-github-containers-common is not installed");
      return;
    }
  FILE *pipe = popen (command, "re");
  size_t length = pipe != NULL ? fread (text, 1, sizeof text - 1, pipe) : 0;
  text[length] = '\0';
  if (ok (pipe != NULL && pclose (pipe) == 0 && length > 0, "podman's profile is read"))
    test_profile ("podman", text, (bool[]){ true, true, true });
}

int
main (void)
{
  for (size_t i = 0; i < COUNT_OF (profiles); i++)
    test_profile (profiles[i].title, profiles[i].seccomp, (bool *) (uintptr_t) profiles[i].abis);
  test_podman ();
  return tap_done ();
}

#else

int
main (void)
{
  skip ("compiled filters", "only with libseccomp, on x86_64");
  return tap_done ();
}
#endif
