/* Ids, groups, capabilities, no_new_privs; set by raw system calls and read back. Serves config.md
 * "User", "Linux Process" (capabilities, noNewPrivileges).
 *
 * The plan's sets are already what can be granted here, and the host side has warned of the rest;
 * what this process does not have is left out once more. Anything else that differs afterwards is
 * an error: no program may start with rights nobody asked for. securebits are left alone.
 */
#include "init/init.h"

#include <linux/capability.h>
#include <sys/prctl.h>

enum
{
  CAPABILITIES = 64, /* bits of a set; the kernel says where its own end */
};

struct sets
{
  uint64_t bounding, ambient;
  struct sys_capabilities process;
};

static uint64_t
bit (unsigned capability)
{
  return UINT64_C (1) << capability;
}

static int
read_sets (struct sets *ret_sets, struct tare_error *error)
{
  struct sets sets = { 0 };
  int r = sys_capget (&sets.process);
  if (r < 0)
    return fail (error, r, "read capabilities");
  unsigned i = 0;
  for (; i < CAPABILITIES && (r = sys_bounding_read (i)) >= 0; i++)
    {
      int ambient = sys_ambient_read (i);
      if (ambient < 0)
        return fail (error, ambient, "read ambient capability %u", i);
      sets.bounding |= r > 0 ? bit (i) : 0;
      sets.ambient |= ambient > 0 ? bit (i) : 0;
    }
  /* EINVAL is the end of those that the kernel knows. Anything else is a filter's, loaded early: a
   * set that cannot be read would look empty, and nothing be dropped from it. */
  if (r < 0 && (r != -EINVAL || i == 0))
    return fail (error, r, "read the bounding set");
  *ret_sets = sets;
  return 0;
}

/* The plan's sets, less what this process lacks. */
static struct sets
wanted_sets (const struct plan *plan, const struct sets *have)
{
  struct sets want = { .bounding = plan->bounding & have->bounding };
  want.process.permitted = plan->permitted & have->process.permitted;
  want.process.effective = plan->effective & want.process.permitted;
  want.process.inheritable =
      plan->inheritable & want.bounding & (have->process.permitted | have->process.inheritable);
  want.ambient = plan->ambient & want.process.permitted & want.process.inheritable;
  return want;
}

static int
drop_bounding (const struct sets *have, const struct sets *want, struct tare_error *error)
{
  for (unsigned i = 0; i < CAPABILITIES; i++)
    if ((have->bounding & ~want->bounding & bit (i)) != 0)
      {
        int r = sys_bounding_drop (i);
        if (r < 0)
          return fail (error, r, "drop capability %u from the bounding set", i);
      }
  return 0;
}

static int
raise_ambient (const struct sets *want, struct tare_error *error)
{
  for (unsigned i = 0; i < CAPABILITIES; i++)
    if ((want->ambient & bit (i)) != 0)
      {
        int r = sys_ambient_raise (i);
        if (r < 0)
          return fail (error, r, "raise ambient capability %u", i);
      }
  return 0;
}

/* ---- ids ----------------------------------------------------------------------------------- */

static bool
sets_groups (const struct init *init)
{
  return !init_flag (init, PLAN_KEEP_GROUPS | PLAN_SETGROUPS_DENIED);
}

static bool
all_are (const uint32_t ids[3], uint32_t id)
{
  return ids[0] == id && ids[1] == id && ids[2] == id;
}

/* The kernel sorts the groups: compare as sets. */
static int
check_groups (const struct init *init, struct tare_error *error)
{
  const plan_words *groups = &init->plan->groups;
  const gid_t *want = plan_elements (init->plan, *groups);
  int count = sys_getgroups (0, NULL);
  size_t size = count > 0 ? (size_t) count : 1;
  gid_t *have = init_memory (size * sizeof *have);
  if (have == NULL)
    return fail (error, ENOMEM, "groups");
  int r = count < 0 ? count : sys_getgroups (size, have);
  bool same = r == (int) groups->count;
  for (size_t i = 0; same && i < groups->count; i++)
    {
      size_t j = 0;
      while (j < groups->count && have[j] != want[i])
        j++;
      same = j < groups->count;
    }
  sys_unmap (have, size * sizeof *have);
  return same ? 0 : fail (error, r < 0 ? r : EPERM, "the groups are not what was asked for");
}

static int
set_ids (const struct init *init, struct tare_error *error)
{
  const struct plan *plan = init->plan;
  uid_t uids[3];
  gid_t gids[3];
  int r = sets_groups (init)
              ? sys_setgroups (plan->groups.count, plan_elements (plan, plan->groups))
              : 0;
  if (r < 0)
    return fail (error, r, "process.user: set %u additional groups", plan->groups.count);
  r = sys_setresgid (plan->gid);
  if (r < 0)
    return fail (error, r, "process.user: set gid %u", plan->gid);
  r = sys_setresuid (plan->uid);
  if (r < 0)
    return fail (error, r, "process.user: set uid %u", plan->uid);
  if (sys_getresuid (uids) < 0 || !all_are (uids, plan->uid) || sys_getresgid (gids) < 0
      || !all_are (gids, plan->gid))
    return fail (error, EPERM, "the ids are not %u:%u", plan->uid, plan->gid);
  return sets_groups (init) ? check_groups (init, error) : 0;
}

/* ---- the step ------------------------------------------------------------------------------ */

static int
prctl_or_fail (int option, unsigned long value, const char *what, struct tare_error *error)
{
  int r = sys_prctl (option, value, 0, 0, 0);
  return r < 0 ? fail (error, r, "%s", what) : 0;
}

static int
set_capabilities (const struct sets *want, struct tare_error *error)
{
  int r = prctl_or_fail (PR_SET_KEEPCAPS, 0, "drop keepcaps", error);
  if (r < 0)
    return r;
  r = sys_capset (&want->process);
  return r < 0 ? fail (error, r, "process.capabilities: capset") : raise_ambient (want, error);
}

static int
check_all (const struct init *init, const struct sets *want, struct tare_error *error)
{
  struct sets have = { 0 };
  int r = read_sets (&have, error);
  if (r < 0)
    return r;
  if (have.bounding != want->bounding || have.ambient != want->ambient
      || have.process.effective != want->process.effective
      || have.process.permitted != want->process.permitted
      || have.process.inheritable != want->process.inheritable)
    return fail (error, EPERM, "the capabilities are not what was asked for");
  if (init_flag (init, PLAN_NO_NEW_PRIVILEGES) && sys_prctl (PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
    return fail (error, EPERM, "no_new_privs is not in force");
  return 0;
}

/* In an order that needs no right which is already gone: the bounding set while CAP_SETPCAP is
 * there, groups before ids, capabilities last. */
static int
set_credentials (const struct init *init, struct tare_error *error)
{
  struct sets have, want;
  int r = read_sets (&have, error);
  if (r < 0)
    return r;
  want = wanted_sets (init->plan, &have);
  r = sys_ambient_clear (); /* raised by the host side to survive exec in a user namespace */
  if (r < 0)
    return fail (error, r, "clear ambient capabilities");
  r = drop_bounding (&have, &want, error);
  if (r >= 0)
    r = prctl_or_fail (PR_SET_KEEPCAPS, 1, "keepcaps", error);
  if (r >= 0)
    r = set_ids (init, error);
  if (r >= 0)
    r = set_capabilities (&want, error);
  if (r >= 0 && init_flag (init, PLAN_NO_NEW_PRIVILEGES))
    r = prctl_or_fail (PR_SET_NO_NEW_PRIVS, 1, "set no_new_privs", error);
  if (r >= 0)
    r = init_undump (error); /* other ids made us dumpable again */
  return r < 0 ? r : check_all (init, &want, error);
}

int
step_credentials (struct init *init, struct tare_error *error)
{
  int r = set_credentials (init, error);
  if (r < 0)
    return r;
  r = init->cwd_pending ? enter_cwd (init) : 0;
  close_fd (&init->root); /* or args[0] could be /proc/self/fd/N/... of it */
  return r < 0
             ? fail (error, r, "process.cwd: chdir '%s'", plan_string (init->plan, init->plan->cwd))
             : 0;
}
