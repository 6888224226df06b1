/* Namespaces: joined by descriptor, unshared, entered by a fork; the ids and capabilities of a user
 * namespace; sysctls and names that belong to one. Serves config-linux.md "Namespaces", "Sysctl",
 * config.md "Hostname". Which of them, and when, is the plan's; the order of joins is here.
 */
#include "init/init.h"

#include <linux/capability.h>
#include <linux/magic.h>
#include <sys/prctl.h>

int
init_undump (struct tare_error *error)
{
  int r = sys_prctl (PR_SET_DUMPABLE, 0, 0, 0, 0);
  return r < 0 ? fail (error, r, "become undumpable") : 0;
}

int
step_hygiene (struct init *init, struct tare_error *error)
{
  (void) init;
  return init_undump (error);
}

/* An unprivileged host side must still open files of our /proc/PID; until GO they stay its own. */
static int
undump_if_host_allows (const struct init *init, struct tare_error *error)
{
  bool host_writes = init_flag (init, PLAN_UNSHARE_USER | PLAN_TIME_OFFSETS);
  return init_flag (init, PLAN_HOST_PRIVILEGED) || !host_writes ? init_undump (error) : 0;
}

/* ---- joins --------------------------------------------------------------------------------- */

static int
join_fail (const struct init *init, const struct plan_join *join, int r, struct tare_error *error)
{
  return fail (error, r, "join %s namespace '%s'", enum_name (plan_namespace_type_map, join->type),
               join->path != 0 ? plan_string (init->plan, join->path) : "");
}

/* The type is asked of the same descriptor that setns gets: no path, no exchange in between. */
static int
join_one (struct init *init, size_t i, struct tare_error *error)
{
  const struct plan_join *join = plan_elements (init->plan, init->plan->joins);
  join += i;
  const char *type = enum_name (plan_namespace_type_map, join->type);
  int r = sys_namespace_type (init->joins[i]);
  if (r < 0 || (uint32_t) r != join->type)
    return fail_kind (error, TARE_ERROR_CONFIG, EINVAL,
                      "join %s namespace '%s': it is not a %s namespace", type,
                      join->path != 0 ? plan_string (init->plan, join->path) : "", type);
  r = sys_setns (init->joins[i], (int) join->type);
  if (r < 0)
    return join_fail (init, join, r, error);
  close_fd (&init->joins[i]);
  return 0;
}

static size_t
find_join (const struct init *init, uint32_t type)
{
  const struct plan_join *join = plan_elements (init->plan, init->plan->joins);
  size_t i = 0;
  while (i < init->plan->joins.count && join[i].type != type)
    i++;
  return i;
}

/* setns of pid acts on children only: it comes last, so that nothing we do ourselves is looked at
 * from inside before it must be. */
static int
join_rest (struct init *init, uint32_t left_out, bool may_wait, struct tare_error *error)
{
  const struct plan_join *join = plan_elements (init->plan, init->plan->joins);
  for (int pass = 0; pass < 2; pass++)
    for (size_t i = 0; i < init->plan->joins.count; i++)
      {
        bool is_pid = join[i].type == CLONE_NEWPID;
        if (init->joins[i] < 0 || (join[i].type & left_out) != 0 || is_pid != (pass == 1))
          continue;
        int r = join_one (init, i, error);
        if (r == -EPERM && may_wait)
          *error = (struct tare_error){ 0 }; /* the joined user namespace may own it */
        else if (r < 0)
          return r;
      }
  return 0;
}

int
step_join_outer (struct init *init, struct tare_error *error)
{
  bool joins_user = find_join (init, CLONE_NEWUSER) < init->plan->joins.count;
  int r = undump_if_host_allows (init, error);
  if (r < 0)
    return r;
  return join_rest (init, joins_user ? CLONE_NEWUSER | CLONE_NEWNS : 0, joins_user, error);
}

/* setns refuses the namespace one is in already, although nothing is left to do then. */
static bool
is_own_user_namespace (int fd)
{
  struct sys_stat own, other;
  autoclose int self = sys_open ("/proc/self/ns/user", O_RDONLY, 0);
  return self >= 0 && sys_stat (self, NULL, &own) == 0 && sys_stat (fd, NULL, &other) == 0
         && own.inode == other.inode && own.device_minor == other.device_minor;
}

int
step_join_user (struct init *init, struct tare_error *error)
{
  size_t user = find_join (init, CLONE_NEWUSER);
  int r = 0;
  if (is_own_user_namespace (init->joins[user]))
    close_fd (&init->joins[user]);
  else
    r = join_one (init, user, error);
  if (r >= 0)
    r = undump_if_host_allows (init, error); /* new credentials made us dumpable again */
  return r < 0 ? r : join_rest (init, 0, false, error);
}

/* ---- new ones ------------------------------------------------------------------------------ */

int
step_new_user (struct init *init, struct tare_error *error)
{
  (void) init;
  int r = sys_unshare (CLONE_NEWUSER);
  return r < 0 ? fail (error, r, "new user namespace") : 0;
}

int
step_unshare (struct init *init, struct tare_error *error)
{
  int r = sys_unshare ((int) init->plan->unshare_flags);
  return r < 0 ? fail (error, r, "new namespaces (flags 0x%llx)",
                       (unsigned long long) init->plan->unshare_flags)
               : 0;
}

/* The first id that has a mapping at all; 0 as a rule. */
static int
first_mapped_id (const char *map)
{
  char text[64];
  uint64_t id;
  autoclose int fd = sys_open (map, O_RDONLY, 0);
  ssize_t length = fd < 0 ? fd : sys_read_full (fd, text, sizeof text - 1);
  if (length < 0)
    return (int) length;
  text[length] = '\0';
  char *begin = text + strspn (text, " ");
  begin[strcspn (begin, " ")] = '\0';
  int r = parse_u64 (begin, INT_MAX, &id);
  return r < 0 ? r : (int) id;
}

static int
set_first_id (int (*set) (uid_t), const char *map)
{
  int r = set (0);
  if (r != -EINVAL)
    return r;
  r = first_mapped_id (map);
  return r < 0 ? r : set ((uid_t) r);
}

/* A namespace that was there may have been mapped by an ordinary user: there nobody can leave a
 * group. Who has CAP_SETGID is refused for no other reason. */
static int
drop_groups (struct init *init)
{
  struct sys_capabilities capabilities;
  if (init_flag (init, PLAN_SETGROUPS_DENIED | PLAN_KEEP_GROUPS))
    return 0;
  int r = sys_setgroups (0, NULL);
  if (r != -EPERM || sys_capget (&capabilities) < 0
      || (capabilities.effective & UINT64_C (1) << CAP_SETGID) == 0)
    return r;
  init->groups_stay = true;
  return 0;
}

int
step_become_root (struct init *init, struct tare_error *error)
{
  struct sys_capabilities capabilities;
  int r = drop_groups (init);
  if (r < 0)
    return fail (error, r, "drop groups in the user namespace");
  r = set_first_id (sys_setresgid, "/proc/self/gid_map");
  if (r >= 0)
    r = set_first_id (sys_setresuid, "/proc/self/uid_map");
  if (r < 0)
    return fail (error, r, "become root of the user namespace");
  r = sys_capget (&capabilities);
  if (r >= 0 && (capabilities.effective & UINT64_C (1) << CAP_SYS_ADMIN) == 0)
    r = -EPERM;
  if (r < 0)
    return fail (error, r, "no capabilities in the user namespace");
  return undump_if_host_allows (init, error);
}

/* The kernel has no other word for a pid namespace that ended with its first process. */
static int
fork_fail (const struct init *init, int r, struct tare_error *error)
{
  const struct plan_join *join = plan_elements (init->plan, init->plan->joins);
  size_t pid = find_join (init, CLONE_NEWPID);
  if (r != -ENOMEM || pid == init->plan->joins.count || join[pid].path == 0)
    return fail (error, r, "fork into the namespaces");
  return fail (error, r, "join pid namespace '%s': its process 1 has ended, so nobody can enter it",
               plan_string (init->plan, join[pid].path));
}

/* pid and time namespaces are entered by children only. The child's parent must be the host side,
 * or its exit status is lost: CLONE_PARENT. Our clone3 gives its pid as the host side sees it. */
int
step_fork (struct init *init, struct tare_error *error)
{
  autoclose int pidfd = -EBADF;
  struct sys_clone clone = { .flags = CLONE_PARENT, .pidfd = &pidfd, .cgroup = -EBADF };
  pid_t pid = sys_clone3 (&clone);
  if (pid < 0)
    return fork_fail (init, pid, error);
  if (pid > 0)
    {
      int r = channel_send (&init->channel, MESSAGE_FORKED, (uint64_t) pid, &pidfd, 1, error);
      if (r < 0)
        (void) sys_pidfd_send_signal (pidfd, SIGKILL);
      _exit (r < 0 ? 1 : 0);
    }
  init->channel.sent++; /* FORKED, in the same sequence */
  return 0;
}

/* "0" is the writer itself, which is all of us: there is one thread. */
static int
enter_late_cgroup (struct init *init, struct tare_error *error)
{
  if (init->entry < 0)
    return 0;
  int r = sys_write_once (init->entry, "0");
  close_fd (&init->entry);
  return r < 0 ? fail (error, r, "enter the container's memory cgroup") : 0;
}

int
step_go (struct init *init, struct tare_error *error)
{
  int r = init->plan->kind == PLAN_EXEC ? init_receive_descriptors (init, MESSAGE_GO, error)
                                        : channel_receive (&init->channel, MESSAGE_GO, NULL, error);
  if (r >= 0)
    r = enter_late_cgroup (init, error);
  bool stayed = init_flag (init, PLAN_HOST_PRIVILEGED) && !init_flag (init, PLAN_USER_NAMESPACE);
  return r < 0 || stayed ? r : init_undump (error);
}

int
step_cgroup_namespace (struct init *init, struct tare_error *error)
{
  (void) init;
  int r = sys_unshare (CLONE_NEWCGROUP);
  return r < 0 ? fail (error, r, "new cgroup namespace") : 0;
}

/* ---- what lives in them -------------------------------------------------------------------- */

static int
mount_private_procfs (void)
{
  autoclose int fs = sys_fsopen ("proc");
  if (fs < 0)
    return fs;
  int r = sys_fsconfig_create (fs);
  return r < 0 ? r : sys_fsmount (fs, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
}

int
open_procfs (struct tare_error *error)
{
  struct sys_stat st;
  uint64_t magic;
  autoclose int fd = mount_private_procfs ();
  /* Refused to ordinary users, and where /proc is masked. */
  if (fd < 0)
    {
      close_fd (&fd);
      fd = sys_open ("/proc", O_PATH | O_DIRECTORY | O_NOFOLLOW, 0);
    }
  int r = fd < 0 ? fd : sys_fs_magic (fd, &magic);
  if (r >= 0)
    r = sys_stat (fd, NULL, &st);
  if (r < 0)
    return fail (error, r, "open a procfs");
  if (magic != PROC_SUPER_MAGIC || st.inode != 1)
    return fail (error, ENOTSUP, "/proc is not a procfs");
  return take_fd (&fd);
}

enum
{
  /* No way out, by links, "..", or what somebody mounted inside. */
  SYSCTL_RESOLVE = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV,
};

static int
set_sysctl (int directory, const char *path, const char *value, struct tare_error *error)
{
  autoclose int fd = sys_openat2 (directory, path, O_WRONLY | O_NOFOLLOW, 0, SYSCTL_RESOLVE);
  int r = fd < 0 ? fd : sys_write_once (fd, value);
  return r < 0 ? fail (error, r, "sysctl '%s': write '%s'", path, value) : 0;
}

int
step_sysctl (struct init *init, struct tare_error *error)
{
  const struct plan_sysctl *sysctl = plan_elements (init->plan, init->plan->sysctls);
  int r = init_enter_network (init, error);
  if (r < 0)
    return r;
  autoclose int procfs = open_procfs (error);
  if (procfs < 0)
    return procfs;
  autoclose int directory = sys_openat2 (procfs, "sys", O_PATH | O_DIRECTORY, 0, SYSCTL_RESOLVE);
  r = directory < 0 ? fail (error, directory, "open /proc/sys") : 0;
  for (size_t i = 0; r >= 0 && i < init->plan->sysctls.count; i++)
    r = set_sysctl (directory, plan_string (init->plan, sysctl[i].path),
                    plan_string (init->plan, sysctl[i].value), error);
  return r;
}

int
step_hostname (struct init *init, struct tare_error *error)
{
  const char *hostname = plan_string (init->plan, init->plan->hostname);
  const char *domainname = plan_string (init->plan, init->plan->domainname);
  int r = hostname != NULL ? sys_sethostname (hostname, strlen (hostname)) : 0;
  if (r < 0)
    return fail (error, r, "hostname '%s'", hostname);
  r = domainname != NULL ? sys_setdomainname (domainname, strlen (domainname)) : 0;
  return r < 0 ? fail (error, r, "domainname '%s'", domainname) : 0;
}
