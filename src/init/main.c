/* tare-init: start-up. Takes the number of the protocol socket as its first argument, and maybe
 * that of a file by which a cgroup is entered as its second; receives the plan with its
 * descriptors, and runs the table of steps.c. The environment is empty and all signals are blocked;
 * both are the host side's doing.
 *
 * Owns struct init. May not touch anything of the container: that is what steps are for.
 */
#include "init/init.h"

static void
close_fds (int *fds, size_t count)
{
  for (size_t i = 0; i < count; i++)
    close_fd (&fds[i]);
}

/* Without a memfd the others move up, so that each has its place. */
static void
leave_out_plan (struct received *received)
{
  size_t most = COUNT_OF (received->fds) - 1;
  size_t n = received->n_fds < most ? received->n_fds : most;
  memmove (received->fds + 1, received->fds, n * sizeof received->fds[0]);
  received->fds[PLAN_FD_PLAN] = -EBADF;
  received->n_fds = n + 1;
}

static int
map_all (struct init *init, const struct received *received, const void *plan, size_t size,
         struct tare_error *error)
{
  int r = size == 0 ? plan_open (received->fds[PLAN_FD_PLAN], &init->plan, error)
                    : plan_check (plan, size, error);
  if (r < 0)
    return r;
  if (size > 0)
    init->plan = plan;
  init->progress = sys_map (received->fds[PLAN_FD_PROGRESS], sizeof *init->progress, true, &r);
  return init->progress == NULL ? fail (error, r, "map the progress page") : 0;
}

/* Every join has its descriptor, and none is left over. */
static int
take_joins (struct init *init, const struct received *received, size_t first,
            struct tare_error *error)
{
  const struct plan_join *join = plan_elements (init->plan, init->plan->joins);
  size_t count = received->n_fds - first;
  if (init->plan->joins.count > PLAN_MAX_NAMESPACES || count != init->plan->joins.count)
    return fail_kind (error, TARE_ERROR_PROTOCOL, EPROTO,
                      "%zu descriptors came for %u namespaces to join", count,
                      init->plan->joins.count);
  for (size_t i = 0; i < count; i++)
    {
      if (join[i].fd >= count)
        return fail_kind (error, TARE_ERROR_PROTOCOL, EPROTO, "descriptor %u of %zu", join[i].fd,
                          count);
      init->joins[i] = received->fds[first + join[i].fd];
    }
  return 0;
}

/* An exec has all of its container's namespaces behind one descriptor. */
static int
take_container (struct init *init, const struct received *received, struct tare_error *error)
{
  size_t wanted = PLAN_FD_COUNT + (init_flag (init, PLAN_CHROOT) ? 1 : 0);
  if (received->n_fds != wanted || init->plan->joins.count != 0)
    return fail_kind (error, TARE_ERROR_PROTOCOL, EPROTO,
                      "exec: PLAN came with %zu descriptors, not %zu", received->n_fds, wanted);
  init->joins[EXEC_JOIN_PIDFD] = received->fds[PLAN_FD_CONTAINER];
  if (wanted > PLAN_FD_COUNT)
    init->joins[EXEC_JOIN_ROOT] = received->fds[PLAN_FD_COUNT];
  return 0;
}

static int
take_descriptors (struct init *init, const struct received *received, struct tare_error *error)
{
  if (init->plan->kind == PLAN_EXEC)
    return take_container (init, received, error);
  if (init_flag (init, PLAN_RUNS))
    return take_joins (init, received, PLAN_FD_START, error);
  if (received->n_fds <= PLAN_FD_START)
    return fail_kind (error, TARE_ERROR_PROTOCOL, EPROTO, "PLAN came without a start socket");
  init->start_socket = received->fds[PLAN_FD_START];
  return take_joins (init, received, PLAN_FD_COUNT, error);
}

static int
next_own_fd (const struct init *init, int from)
{
  int next = INT_MAX;
  const int own[] = { init->channel.fd, init->start_socket, init->entry };
  for (size_t i = 0; i < COUNT_OF (own); i++)
    if (own[i] >= from && own[i] < next)
      next = own[i];
  for (size_t i = 0; i < COUNT_OF (init->joins); i++)
    if (init->joins[i] >= from && init->joins[i] < next)
      next = init->joins[i];
  return next;
}

/* What the caller of the runtime left open, beyond what it asked to keep, must not be found in
 * /proc/PID/fd of a container that waits for its start. */
static int
close_foreign (const struct init *init, struct tare_error *error)
{
  int64_t from = 3 + (int64_t) init->plan->preserve_fds;
  while (from < INT_MAX)
    {
      int own = next_own_fd (init, (int) from);
      int r = own > from ? sys_close_range ((unsigned) from, (unsigned) own - 1, 0) : 0;
      if (r < 0)
        return fail (error, r, "close inherited descriptors");
      from = (int64_t) own + 1;
    }
  return 0;
}

static int
receive_plan (struct init *init, struct tare_error *error)
{
  static _Alignas(uint64_t) char message[PLAN_MESSAGE_SIZE];
  struct received received;
  const void *plan;
  size_t size;
  int r = channel_receive_plan (&init->channel, message, &plan, &size, &received, error);
  if (r < 0)
    return r;
  if (size > 0)
    leave_out_plan (&received);
  if (received.n_fds < PLAN_FD_START)
    {
      close_fds (received.fds, received.n_fds);
      return fail_kind (error, TARE_ERROR_PROTOCOL, EPROTO, "PLAN came with %zu descriptors",
                        received.n_fds);
    }
  r = map_all (init, &received, plan, size, error);
  if (r >= 0)
    r = take_descriptors (init, &received, error);
  close_fds (received.fds, PLAN_FD_START);
  return r < 0 ? r : close_foreign (init, error);
}

#ifdef TARE_FAULTS
static const char *
find_fault (char *const *envp)
{
  const char *fault = NULL;
  for (; *envp != NULL && fault == NULL; envp++)
    fault = str_after (*envp, "TARE_FAULT=init:");
  return fault;
}
#endif

static int
run (struct init *init, struct tare_error *error)
{
  /* The modes of what is made in the container are exact; the old mask comes back later. */
  init->inherited_umask = sys_umask (0);
  int r = receive_plan (init, error);
  return r < 0 ? r : init_run (init, error);
}

int
main (int argc, char **argv, char **envp)
{
  struct init init = {
    .channel = { .fd = -EBADF, .side = MESSAGE_TO_HOST },
    .start = { .fd = -EBADF, .side = MESSAGE_TO_HOST },
    .start_socket = -EBADF,
    .entry = -EBADF,
    .seccomp = -EBADF,
    .agent_state = -EBADF,
    .agent = -EBADF,
    .hook_output = { -EBADF, -EBADF },
    .root = -EBADF,
  };
  struct tare_error error = { 0 };
  uint64_t number, entry;

  for (size_t i = 0; i < COUNT_OF (init.joins); i++)
    init.joins[i] = -EBADF;
#ifdef TARE_FAULTS
  init.fault = find_fault (envp);
#else
  (void) envp;
#endif
  if (argc < 2 || argc > 3 || parse_u64 (argv[1], INT_MAX, &number) < 0
      || (argc == 3 && parse_u64 (argv[2], INT_MAX, &entry) < 0))
    {
      (void) sys_write_once (STDERR_FILENO, "tare-init is run by tare, not by hand\n");
      return 2;
    }
  init.channel.fd = (int) number;
  init.entry = argc == 3 ? (int) entry : -EBADF;
  (void) run (&init, &error);
  (void) channel_send_error (init_channel (&init), &error);
  sys_exit (1);
}
