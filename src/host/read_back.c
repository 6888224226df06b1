/* What init says that it has set, compared with what the kernel says of it, before anything of the
 * container's choice runs. init cannot do that itself: under a filter of system calls that is meant
 * to deceive, each of its calls may seem to succeed, those too that would find out. */
#include "host/internal.h"

#include <linux/seccomp.h>
#include <stdio.h>

static const char set_error[] = "the %s capabilities of the process are %#llx, not %#llx";

/* One set: no more than planned, and in force just as init has it. */
static int
check_set (const char *name, uint64_t planned, uint64_t said, uint64_t have,
           struct tare_error *error)
{
  uint64_t wanted = said & planned;
  if (said == wanted && have == wanted)
    return 0;
  return fail (error, EPERM, set_error, name, (unsigned long long) have,
               (unsigned long long) wanted);
}

static int
check_capabilities (const struct plan *plan, const struct plan_capabilities *said,
                    const struct sys_status *have, struct tare_error *error)
{
  const struct
  {
    const char *name;
    uint64_t planned, said, have;
  } sets[] = {
    { "bounding", plan->bounding, said->bounding, have->bounding },
    { "effective", plan->effective, said->effective, have->effective },
    { "permitted", plan->permitted, said->permitted, have->permitted },
    { "inheritable", plan->inheritable, said->inheritable, have->inheritable },
    { "ambient", plan->ambient, said->ambient, have->ambient },
  };
  int r = 0;
  for (size_t i = 0; i < COUNT_OF (sets) && r >= 0; i++)
    r = check_set (sets[i].name, sets[i].planned, sets[i].said, sets[i].have, error);
  return r;
}

int
process_read_back (const struct container *container, struct tare_error *error)
{
  const struct plan *plan = (const struct plan *) container->builder.buf.bytes;
  const struct plan_capabilities said = container->progress->capabilities;
  struct sys_status have;
  int r = sys_read_status (container->pid, &have);
  if (r < 0)
    return fail (error, r, "read /proc/%d/status", (int) container->pid);
  r = check_capabilities (plan, &said, &have, error);
  if (r < 0)
    return r;
  bool no_new_privileges = (plan->flags & PLAN_NO_NEW_PRIVILEGES) != 0;
  if (no_new_privileges && have.no_new_privileges != 1)
    return fail (error, EPERM, "no_new_privs is not in force");
  if ((plan->flags & PLAN_SECCOMP) != 0 && !no_new_privileges
      && have.seccomp != SECCOMP_MODE_FILTER)
    return fail (error, EPERM, "the seccomp filter is not in force");
  if (have.ignored != 0)
    return fail (error, EPERM, "the process ignores signals: %#llx",
                 (unsigned long long) have.ignored);
  return 0;
}
