/* Ids, groups, capabilities, no_new_privs, set by raw system calls. Serves config.md "User", "Linux
 * Process" (capabilities, noNewPrivileges).
 *
 * The plan's sets are already what can be granted here, and the host side has warned of the rest;
 * what this process does not have is left out once more. Ids are read back here, where they have
 * their meaning; the capabilities by the host side, whom no filter of this process deceives. No
 * program may start with rights nobody asked for. securebits are left alone.
 */
#include "init/init.h"

#include <linux/capability.h>
#include <sys/prctl.h>

enum
{
  CAPABILITIES = 64, /* bits of a set */
};

static uint64_t
bit (unsigned capability)
{
  return UINT64_C (1) << capability;
}

/* The plan's sets, less what this process lacks. */
static int
wanted_sets (const struct plan *plan, struct plan_capabilities *ret_sets, struct tare_error *error)
{
  struct sys_capabilities have;
  int r = sys_capget (&have);
  if (r < 0)
    return fail (error, r, "read capabilities");
  struct plan_capabilities want = {
    .bounding = plan->bounding & plan->bounding_before,
    .permitted = plan->permitted & have.permitted,
  };
  want.effective = plan->effective & want.permitted;
  want.inheritable = plan->inheritable & want.bounding & (have.permitted | have.inheritable);
  want.ambient = plan->ambient & want.permitted & want.inheritable;
  *ret_sets = want;
  return 0;
}

static int
drop_bounding (uint64_t unwanted, struct tare_error *error)
{
  for (unsigned i = 0; i < CAPABILITIES; i++)
    if ((unwanted & bit (i)) != 0)
      {
        int r = sys_bounding_drop (i);
        if (r < 0)
          return fail (error, r, "drop capability %u from the bounding set", i);
      }
  return 0;
}

static int
raise_ambient (uint64_t wanted, struct tare_error *error)
{
  for (unsigned i = 0; i < CAPABILITIES; i++)
    if ((wanted & bit (i)) != 0)
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
  return !init->groups_stay && !init_flag (init, PLAN_KEEP_GROUPS | PLAN_SETGROUPS_DENIED);
}

static bool
all_are (const uint32_t ids[3], uint32_t id)
{
  return ids[0] == id && ids[1] == id && ids[2] == id;
}

/* The kernel sorts the groups: compare as sets. More of them than were asked for do not fit, and
 * that is an error too. */
static int
check_groups (const struct init *init, struct tare_error *error)
{
  const plan_words *groups = &init->plan->groups;
  const gid_t *want = plan_elements (init->plan, *groups);
  gid_t *have = init_memory (((size_t) groups->count + 1) * sizeof *have);
  if (have == NULL)
    return fail (error, ENOMEM, "groups");
  int r = sys_getgroups ((size_t) groups->count + 1, have);
  bool same = r == (int) groups->count;
  for (size_t i = 0; same && i < groups->count; i++)
    {
      size_t j = 0;
      while (j < groups->count && have[j] != want[i])
        j++;
      same = j < groups->count;
    }
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
  if (init->groups_stay && plan->groups.count > 0)
    return fail (error, EPERM, "process.user: setgroups is denied in the user namespace");
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
set_capabilities (const struct plan_capabilities *want, struct tare_error *error)
{
  const struct sys_capabilities sets = {
    .effective = want->effective,
    .permitted = want->permitted,
    .inheritable = want->inheritable,
  };
  int r = sys_capset (&sets);
  return r < 0 ? fail (error, r, "process.capabilities: capset")
               : raise_ambient (want->ambient, error);
}

/* In an order that needs no right which is already gone: the bounding set while CAP_SETPCAP is
 * there, groups before ids, capabilities last. */
static int
set_credentials (struct init *init, struct tare_error *error)
{
  const struct plan *plan = init->plan;
  struct plan_capabilities *want = &init->progress->capabilities;
  int r = wanted_sets (plan, want, error);
  if (r < 0)
    return r;
  r = sys_ambient_clear (); /* raised by the host side to survive exec in a user namespace */
  if (r < 0)
    return fail (error, r, "clear ambient capabilities");
  r = drop_bounding (plan->bounding_before & ~want->bounding, error);
  bool leaves_root = plan->uid != 0; /* and would leave its capabilities too, until capset */
  if (r >= 0 && leaves_root)
    r = prctl_or_fail (PR_SET_KEEPCAPS, 1, "keepcaps", error);
  if (r >= 0)
    r = set_ids (init, error);
  if (r >= 0 && leaves_root)
    r = prctl_or_fail (PR_SET_KEEPCAPS, 0, "drop keepcaps", error);
  if (r >= 0)
    r = set_capabilities (want, error);
  if (r >= 0 && init_flag (init, PLAN_NO_NEW_PRIVILEGES))
    r = prctl_or_fail (PR_SET_NO_NEW_PRIVS, 1, "set no_new_privs", error);
  return r < 0 ? r : init_undump (error); /* other ids made us dumpable again */
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
