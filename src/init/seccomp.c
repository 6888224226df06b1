/* Loading the filter that the host side compiled: an array of struct sock_filter in a sealed memfd.
 * Serves config-linux.md "Seccomp", seccomp(2). Knows no libseccomp. */
#include "init/init.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>

static bool
has_listener (const struct init *init)
{
  return (init->plan->seccomp_flags & SECCOMP_FILTER_FLAG_NEW_LISTENER) != 0;
}

/* The places of what the message brings, in order. Returns how many. */
static size_t
find_places (struct init *init, enum message message, int **places)
{
  bool hooks = message == MESSAGE_HOOKS_DONE;
  const struct
  {
    bool comes;
    int *place;
  } all[] = {
    { hooks && init_flag (init, PLAN_HOOK_STDOUT), &init->hook_output[0] },
    { hooks && init_flag (init, PLAN_HOOK_STDERR), &init->hook_output[1] },
    { !hooks && init_flag (init, PLAN_SECCOMP), &init->seccomp },
    { !hooks && has_listener (init), &init->agent_state },
    { !hooks && has_listener (init), &init->agent },
  };
  size_t count = 0;
  for (size_t i = 0; i < COUNT_OF (all); i++)
    if (all[i].comes)
      places[count++] = all[i].place;
  return count;
}

int
init_receive_descriptors (struct init *init, enum message message, struct tare_error *error)
{
  struct received received = { 0 };
  int *places[FILTER_FD_COUNT];
  size_t wanted = find_places (init, message, places);
  int r = channel_receive (&init->channel, message, &received, error);
  if (r < 0)
    return r;
  if (received.n_fds != wanted)
    return fail_kind (error, TARE_ERROR_PROTOCOL, EPROTO, "%s came with %zu descriptors, not %zu",
                      message_name (message), received.n_fds, wanted);
  for (size_t i = 0; i < wanted; i++)
    *places[i] = received.fds[i];
  return 0;
}

/* They may enter our namespaces, and find the root as it was mounted. */
int
step_host_hooks (struct init *init, struct tare_error *error)
{
  return init_receive_descriptors (init, MESSAGE_HOOKS_DONE, error);
}

/* The host side has had time since ROOTFS_READY; the filter it has compiled while we mounted. */
int
step_rules (struct init *init, struct tare_error *error)
{
  return init_receive_descriptors (init, MESSAGE_RULES, error);
}

/* A filter around the runtime can make the call succeed without an effect. What is loaded early the
 * host side counts; after a late one nobody can look before the program runs. So the kernel is
 * asked for what it must refuse: a program that is nowhere. */
static int
check_kernel_answers (struct tare_error *error)
{
  return syscall (SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, NULL) < 0
             ? 0
             : fail (error, EPERM, "linux.seccomp: seccomp(2) has no effect here");
}

int
step_seccomp (struct init *init, struct tare_error *error)
{
  struct sys_stat st;
  int r = sys_stat (init->seccomp, NULL, &st);
  if (r < 0)
    return fail (error, r, "linux.seccomp: the compiled filter");
  if (st.size == 0 || st.size % sizeof (struct sock_filter) != 0
      || st.size / sizeof (struct sock_filter) > BPF_MAXINSNS)
    return fail_kind (error, TARE_ERROR_CONFIG, EINVAL,
                      "linux.seccomp: the filter has %llu instructions, at most %d can be loaded",
                      (unsigned long long) (st.size / sizeof (struct sock_filter)), BPF_MAXINSNS);
  struct sock_filter *filter = sys_map (init->seccomp, st.size, false, &r);
  if (filter == NULL)
    return fail (error, r, "linux.seccomp: map the compiled filter");
  struct sock_fprog program = { .len = (unsigned short) (st.size / sizeof *filter),
                                .filter = filter };
  close_fd (&init->seccomp);
  r = check_kernel_answers (error);
  if (r < 0)
    return r;
  if (has_listener (init))
    return load_with_listener (init, &program, error);
  long loaded = syscall (SYS_seccomp, SECCOMP_SET_MODE_FILTER, init->plan->seccomp_flags, &program);
  return loaded < 0 ? fail (error, errno, "linux.seccomp: load the filter") : 0;
}
