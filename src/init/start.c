/* From created to started: listen, tell the host side, wait for the one who calls start. Serves
 * runtime.md "Lifecycle".
 *
 * init itself calls listen(2), so that SO_PEERCRED names it to who connects. Until RUN the end of
 * the protocol socket means that the host side died: then init ends too. After RUN nobody needs to
 * live.
 */
#include "init/init.h"

#include <signal.h>

enum
{
  START_BACKLOG = 8,
};

/* What the caller blocked or ignored is not the container's: it starts as every program expects.
 * Not before now, so that a stray signal could not end a half-made container without a word. */
static int
reset_signals (const struct plan *plan)
{
  sigset_t none;
  sys_default_signals (plan->ignored_signals);
  (void) sigemptyset (&none);
  return sys_set_signal_mask (&none);
}

struct channel *
init_channel (struct init *init)
{
  return init->start.fd >= 0 ? &init->start : &init->channel;
}

/* An exec and a run are waited for by the one who began it, a container by whoever calls start. */
bool
waits_for_start (const struct init *init)
{
  return init->plan->kind == PLAN_CREATE && !init_flag (init, PLAN_RUNS);
}

int
step_ready (struct init *init, struct tare_error *error)
{
  int r = waits_for_start (init) ? sys_socket_listen (init->start_socket, START_BACKLOG) : 0;
  if (r < 0)
    return fail (error, r, "listen for start");
  r = reset_signals (init->plan);
  return r < 0 ? fail (error, r, "unblock signals") : 0;
}

/* Somebody who connects and leaves again has started nothing. */
int
step_wait (struct init *init, struct tare_error *error)
{
  close_fd (&init->channel.fd);
  for (;;)
    {
      struct channel channel = { .fd = -EBADF, .side = MESSAGE_TO_HOST };
      struct tare_error ignored = { 0 };
      channel.fd = sys_socket_accept (init->start_socket);
      if (channel.fd < 0)
        return fail (error, channel.fd, "accept start");
      if (channel_receive (&channel, MESSAGE_START, NULL, &ignored) >= 0)
        {
          init->start = channel;
          close_fd (&init->start_socket);
          return 0;
        }
      close_fd (&channel.fd);
    }
}

/* As the last thing but exec: lower limits could break what init itself still has to do. */
int
step_rlimits (struct init *init, struct tare_error *error)
{
  const struct plan_rlimit *limit = plan_elements (init->plan, init->plan->rlimits);
  for (size_t i = 0; i < init->plan->rlimits.count; i++)
    {
      int r = sys_set_rlimit (0, limit[i].resource, limit[i].soft, limit[i].hard);
      if (r < 0)
        return fail (error, r, "process.rlimits: %s: soft %llu, hard %llu",
                     enum_name (plan_rlimit_map, limit[i].resource),
                     (unsigned long long) limit[i].soft, (unsigned long long) limit[i].hard);
    }
  return 0;
}
