/* Makes the plan: everything that has meaning is decided here, init only does it. Pure. */
#include <linux/mount.h>
#include <linux/sched.h>

#include "spec/internal.h"

static const char *const set_names[] = {
  [CAPABILITIES_BOUNDING] = "bounding",   [CAPABILITIES_EFFECTIVE] = "effective",
  [CAPABILITIES_PERMITTED] = "permitted", [CAPABILITIES_INHERITABLE] = "inheritable",
  [CAPABILITIES_AMBIENT] = "ambient",
};

/* config.md: a capability that cannot be granted is a warning, not an error. */
static uint64_t
grant (const struct spec *spec, const struct spec_facts *facts, enum spec_capability_set set)
{
  uint64_t wanted = spec->capabilities[set], refused = wanted & ~facts->grantable;
  for (unsigned i = 0; i < 64; i++)
    if ((refused & 1ULL << i) != 0)
      {
        char buffer[64];
        const char *name = capability_name (i, buffer, sizeof buffer);
        log_warning (facts->log, "process.capabilities.%s: %s cannot be granted here, ignoring it",
                     set_names[set], name != NULL ? name : "a capability");
      }
  return wanted & facts->grantable;
}

static void
plan_capabilities (const struct spec *spec, const struct spec_facts *facts, struct plan *root)
{
  root->bounding = grant (spec, facts, CAPABILITIES_BOUNDING);
  root->permitted = grant (spec, facts, CAPABILITIES_PERMITTED);
  root->effective = grant (spec, facts, CAPABILITIES_EFFECTIVE) & root->permitted;
  root->inheritable = grant (spec, facts, CAPABILITIES_INHERITABLE);
  /* capabilities(7): the kernel keeps ambient within permitted and inheritable. */
  root->ambient = grant (spec, facts, CAPABILITIES_AMBIENT) & root->permitted & root->inheritable;
}

static int
plan_rlimits (const struct spec *spec, struct plan_builder *builder, struct plan *root)
{
  autofree struct plan_rlimit *limits = calloc (spec->n_rlimits + 1, sizeof *limits);
  if (limits == NULL)
    return -ENOMEM;
  for (size_t i = 0; i < spec->n_rlimits; i++)
    limits[i] = (struct plan_rlimit){
      .resource = spec->rlimits[i].resource,
      .soft = spec->rlimits[i].soft,
      .hard = spec->rlimits[i].hard,
    };
  root->rlimits = plan_put_array (builder, limits, spec->n_rlimits, sizeof *limits);
  return 0;
}

/* A profile of "unconfined" is no wish that a host without AppArmor could not fulfil. */
static int
plan_labels (const struct spec *spec, const struct spec_facts *facts, struct plan_builder *builder,
             struct plan *root, struct tare_error *error)
{
  const char *profile = spec->config->process->apparmor_profile;
  const char *label = spec->config->process->selinux_label;
  bool has_profile = profile != NULL && *profile != '\0';
  bool has_label = label != NULL && *label != '\0';
  if (has_profile && !facts->has_apparmor && !str_equal (profile, "unconfined"))
    return fail_kind (error, TARE_ERROR_UNSUPPORTED, EOPNOTSUPP,
                      "process.apparmorProfile: '%s': AppArmor is not enabled on this host",
                      profile);
  if (has_label && !facts->has_selinux)
    return fail_kind (error, TARE_ERROR_UNSUPPORTED, EOPNOTSUPP,
                      "process.selinuxLabel: '%s': SELinux is not enabled on this host", label);
  if (has_profile && facts->has_apparmor)
    root->apparmor_profile = plan_put_text (builder, profile);
  if (has_label)
    root->selinux_label = plan_put_text (builder, label);
  return 0;
}

/* run.oci.keep_original_groups: whose files a group opens, and who may not hand it on. */
static bool
keeps_groups (const struct spec *spec)
{
  const char *value = spec_annotation (spec, "run.oci.keep_original_groups");
  return value != NULL && !str_equal (value, "0");
}

static int
plan_user (const struct spec *spec, const struct spec_facts *facts, struct plan_builder *builder,
           struct plan *root, struct tare_error *error)
{
  const struct oci_user *user = spec->config->process->user;
  bool keeps = keeps_groups (spec);
  if (keeps)
    root->flags |= PLAN_KEEP_GROUPS;
  if (facts->setgroups_denied)
    root->flags |= PLAN_SETGROUPS_DENIED;
  if (user == NULL)
    return 0;
  if (user->n_additional_gids > 0 && facts->setgroups_denied && !keeps)
    return fail_kind (error, TARE_ERROR_UNSUPPORTED, EPERM,
                      "process.user.additionalGids: cannot be set: in the container's user "
                      "namespace setgroups is denied, for an ordinary user maps it without "
                      "newgidmap");
  root->uid = user->uid;
  root->gid = user->gid;
  root->groups =
      plan_put_array (builder, user->additional_gids, keeps ? 0 : user->n_additional_gids,
                      sizeof *user->additional_gids);
  root->umask = user->umask;
  if (user->has_umask)
    root->flags |= PLAN_SET_UMASK;
  return 0;
}

static int
plan_process (const struct spec *spec, const struct spec_facts *facts, struct plan_builder *builder,
              struct plan *root, struct tare_error *error)
{
  const struct oci_process *process = spec->config->process;
  if (process == NULL)
    return 0;
  root->cwd = plan_put_text (builder, process->cwd);
  root->args = plan_put_texts (builder, process->args, process->n_args);
  int r = spec_plan_environment (spec, facts, builder, root);
  if (r < 0)
    return fail (error, r, "make the plan");
  if (process->no_new_privileges)
    root->flags |= PLAN_NO_NEW_PRIVILEGES;
  if (process->terminal)
    {
      root->flags |= PLAN_TERMINAL;
      if (process->console_size != NULL)
        {
          root->terminal_rows = (uint32_t) process->console_size->height;
          root->terminal_columns = (uint32_t) process->console_size->width;
        }
      else
        {
          root->terminal_rows = facts->terminal_rows;
          root->terminal_columns = facts->terminal_columns;
        }
    }
  r = plan_user (spec, facts, builder, root, error);
  if (r < 0)
    return r;
  plan_capabilities (spec, facts, root);
  spec_plan_schedule (spec, facts, builder, root);
  r = plan_rlimits (spec, builder, root);
  return r < 0 ? fail (error, r, "make the plan") : plan_labels (spec, facts, builder, root, error);
}

static int
plan_sysctls (const struct spec *spec, struct plan_builder *builder, struct plan *root)
{
  const struct oci_linux *linux = spec->config->linux;
  size_t count = linux != NULL ? linux->n_sysctl : 0;
  autofree struct plan_sysctl *sysctls = calloc (count + 1, sizeof *sysctls);
  if (sysctls == NULL)
    return -ENOMEM;
  for (size_t i = 0; i < count; i++)
    {
      autofree char *path = strdup (linux->sysctl[i].key);
      if (path == NULL)
        return -ENOMEM;
      spec_sysctl_path (path);
      sysctls[i] = (struct plan_sysctl){
        .path = plan_put_text (builder, path),
        .value = plan_put_text (builder, linux->sysctl[i].value),
      };
    }
  root->sysctls = plan_put_array (builder, sysctls, count, sizeof *sysctls);
  return 0;
}

/* The host's mounts stay below the root: they must be slaves at least, or the host could not get
 * rid of what it unmounts. */
static int
check_no_pivot (const struct spec *spec, const struct spec_facts *facts, struct tare_error *error)
{
  if (!facts->no_pivot || (spec->root_propagation & (MS_PRIVATE | MS_UNBINDABLE)) == 0)
    return 0;
  return config_error (error, "linux.rootfsPropagation: private and unbindable are not safe with "
                              "--no-pivot: what the host unmounts would stay in the container");
}

/* A network namespace takes the kernel longer than all others together, half a millisecond: the
 * host side makes it while init comes up. Not one that must be the container's user namespace's,
 * nor one that devices go to before init is forked; not for an init among the processes of others,
 * who could see the host's network by its /proc/PID/net until it has left that; and not where the
 * host side could not come back, as in a user namespace whose network is still the host's. */
static void
let_host_make_network (const struct spec_facts *facts, struct plan *root)
{
  if ((root->clone_flags & CLONE_NEWNET) == 0 || !facts->comes_back
      || (root->flags & (PLAN_USER_NAMESPACE | PLAN_NET_DEVICES | PLAN_FORK)) != 0)
    return;
  root->clone_flags &= ~(uint64_t) CLONE_NEWNET;
  root->flags = (root->flags | PLAN_HOST_NETWORK) & ~(uint64_t) PLAN_LOOPBACK_UP;
}

static void
plan_namespaces (const struct spec *spec, const struct spec_facts *facts,
                 struct plan_builder *builder, struct plan *root)
{
  struct plan_join joins[PLAN_MAX_NAMESPACES];
  uint32_t n = 0;
  const struct oci_linux *linux = spec->config->linux;
  struct spec_namespace_plan namespaces = spec_plan_namespaces (
      spec->new_namespaces, spec->joined_namespaces, linux != NULL && linux->time_offsets != NULL);
  if (linux != NULL && linux->n_net_devices > 0)
    root->flags |= PLAN_NET_DEVICES;
  root->clone_flags = namespaces.clone_flags;
  root->unshare_flags = namespaces.unshare_flags;
  root->flags |= namespaces.flags;
  let_host_make_network (facts, root);
  if ((namespaces.flags & PLAN_USER_NAMESPACE) == 0 || facts->privileged)
    root->flags |= PLAN_HOST_PRIVILEGED;
  /* A joined mount namespace is somebody else's too: its root is not ours to turn. */
  if (facts->no_pivot || (spec->joined_namespaces & CLONE_NEWNS) != 0)
    root->flags |= PLAN_CHROOT;
  for (size_t i = 0; i < spec->n_namespaces; i++)
    if (spec->namespaces[i].path != NULL)
      {
        joins[n] = (struct plan_join){
          .type = spec->namespaces[i].type,
          .fd = n,
          .path = plan_put_text (builder, spec->namespaces[i].path),
        };
        n++;
      }
  root->joins = plan_put_array (builder, joins, n, sizeof *joins);
}

static struct plan
begin (const struct spec *spec, const struct spec_facts *facts, struct plan_builder *builder)
{
  struct plan root = { .preserve_fds = facts->preserve_fds };
  plan_begin (builder);
  root.ignored_signals = facts->ignored_signals;
  root.bounding_before = facts->bounding;
  if (facts->timings)
    root.flags |= PLAN_TIMINGS;
  if (facts->keep_keyring)
    root.flags |= PLAN_KEEP_KEYRING;
  if (spec->has_seccomp)
    {
      root.flags |= PLAN_SECCOMP;
      root.seccomp_flags = spec_seccomp_flags (spec);
    }
  return root;
}

int
spec_plan (const struct spec *spec, const struct spec_facts *facts, struct plan_builder *builder,
           struct tare_error *error)
{
  struct plan root = begin (spec, facts, builder);
  root.hostname = plan_put_text (builder, spec->config->hostname);
  root.domainname = plan_put_text (builder, spec->config->domainname);
  plan_namespaces (spec, facts, builder, &root);
  if (facts->runs)
    root.flags |= PLAN_RUNS;
  if (facts->changes_cgroup || spec->config->hooks != NULL)
    root.flags |= PLAN_HOST_FIRST;
  int r = check_no_pivot (spec, facts, error);
  if (r < 0)
    return r;
  r = spec_plan_filesystem (spec, facts, builder, &root, error);
  if (r < 0)
    return r;
  r = plan_process (spec, facts, builder, &root, error);
  if (r < 0)
    return r;
  r = plan_sysctls (spec, builder, &root);
  if (r >= 0)
    r = spec_plan_hooks (spec, facts, builder, &root);
  if (r < 0)
    return fail (error, r, "make the plan");
  return plan_finish (builder, &root, error);
}

int
spec_plan_exec (const struct spec *spec, const struct spec_facts *facts,
                struct plan_builder *builder, struct tare_error *error)
{
  struct plan root = begin (spec, facts, builder);
  root.kind = PLAN_EXEC;
  root.container_namespaces = facts->container_namespaces;
  if ((facts->container_namespaces & CLONE_NEWUSER) != 0)
    root.flags |= PLAN_USER_NAMESPACE;
  if ((facts->container_namespaces & CLONE_NEWUSER) == 0 || facts->privileged)
    root.flags |= PLAN_HOST_PRIVILEGED;
  if ((facts->container_namespaces & CLONE_NEWPID) != 0)
    root.flags |= PLAN_FORK;
  if (facts->chrooted)
    root.flags |= PLAN_CHROOT;
  int r = plan_process (spec, facts, builder, &root, error);
  return r < 0 ? r : plan_finish (builder, &root, error);
}
