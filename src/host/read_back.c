/* What init says that it has set, compared with what the kernel says of it, before anything of the
 * container's choice runs. init cannot do that itself: under a filter of system calls that is meant
 * to deceive, each of its calls may seem to succeed, those too that would find out. */
#include "host/internal.h"

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

/* Without no_new_privs the filter is loaded by now. Counted: the mode alone says nothing where we
 * run under a filter ourselves, which init has from us. */
static int
check_filter (const struct plan *plan, const struct sys_status *have, struct tare_error *error)
{
  struct sys_status own;
  if ((plan->flags & (PLAN_SECCOMP | PLAN_NO_NEW_PRIVILEGES)) != PLAN_SECCOMP)
    return 0;
  int r = sys_read_status (0, &own);
  if (r < 0)
    return fail (error, r, "read /proc/thread-self/status");
  return have->seccomp_filters > own.seccomp_filters
             ? 0
             : fail (error, EPERM, "the seccomp filter is not in force");
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
  if ((plan->flags & PLAN_NO_NEW_PRIVILEGES) != 0 && have.no_new_privileges != 1)
    return fail (error, EPERM, "no_new_privs is not in force");
  r = check_filter (plan, &have, error);
  if (r < 0)
    return r;
  if (have.ignored != 0)
    return fail (error, EPERM, "the process ignores signals: %#llx",
                 (unsigned long long) have.ignored);
  return 0;
}
