/* Which namespaces are made by clone3, which are joined or unshared by init, and whether a stage
 * must fork it. Pure; pid_namespaces(7), user_namespaces(7), time_namespaces(7) give the rules. */
#include <linux/sched.h>

#include "spec/spec.h"

static bool
is_writable_cgroup (const struct oci_mount *mount)
{
  if (mount->source == NULL || !str_equal (mount->source, "cgroup")
      || !str_equal (mount->destination, "/sys/fs/cgroup"))
    return false;
  for (size_t i = 0; i < mount->n_options; i++)
    if (str_equal (mount->options[i], "ro") || str_equal (mount->options[i], "rro"))
      return false;
  return true;
}

bool
spec_delegates_cgroup (const struct spec *spec)
{
  const struct oci_config *config = spec->config;
  bool writable = false;
  for (size_t i = 0; i < config->n_mounts; i++)
    writable |= is_writable_cgroup (&config->mounts[i]);
  return writable && spec_is_new (spec, CLONE_NEWCGROUP);
}

struct spec_namespace_plan
spec_plan_namespaces (uint64_t new_namespaces, uint64_t joined_namespaces, bool time_offsets)
{
  struct spec_namespace_plan plan = { 0 };
  bool user_is_new = (new_namespaces & CLONE_NEWUSER) != 0;
  bool user_is_joined = (joined_namespaces & CLONE_NEWUSER) != 0;
  /* The cgroup namespace's root is the group of the moment: made when init has its final one. */
  uint64_t made = new_namespaces & ~(uint64_t) CLONE_NEWCGROUP;
  if ((new_namespaces & CLONE_NEWCGROUP) != 0)
    plan.flags |= PLAN_NEW_CGROUP_NAMESPACE;
  /* Namespaces of the host cannot be joined from inside a new user namespace, and new ones must
   * belong to a joined one: then init makes them itself, after the joins. */
  if (user_is_joined || (user_is_new && joined_namespaces != 0))
    plan.unshare_flags = made & ~(uint64_t) CLONE_NEWUSER;
  else
    plan.clone_flags = made;
  if (user_is_new && (plan.clone_flags & CLONE_NEWUSER) == 0)
    plan.flags |= PLAN_UNSHARE_USER;
  /* Offsets can be written only while nobody is in the namespace yet. */
  if (time_offsets && (plan.clone_flags & CLONE_NEWTIME) != 0)
    {
      plan.clone_flags &= ~(uint64_t) CLONE_NEWTIME;
      plan.unshare_flags |= CLONE_NEWTIME;
    }
  if (time_offsets)
    plan.flags |= PLAN_TIME_OFFSETS;
  /* These two hold for children only. */
  if (((plan.unshare_flags & (CLONE_NEWPID | CLONE_NEWTIME)) | (joined_namespaces & CLONE_NEWPID))
      != 0)
    plan.flags |= PLAN_FORK;
  /* The stage must not be the first process of the namespace: that would end with it. */
  if ((plan.flags & PLAN_FORK) != 0 && (plan.clone_flags & CLONE_NEWPID) != 0)
    {
      plan.clone_flags &= ~(uint64_t) CLONE_NEWPID;
      plan.unshare_flags |= CLONE_NEWPID;
    }
  if (user_is_new || user_is_joined)
    plan.flags |= PLAN_USER_NAMESPACE;
  if ((new_namespaces & CLONE_NEWPID) != 0)
    plan.flags |= PLAN_NEW_PID_NAMESPACE;
  if ((new_namespaces & CLONE_NEWNET) != 0)
    plan.flags |= PLAN_LOOPBACK_UP;
  return plan;
}
