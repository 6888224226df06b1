/* A filter that asks: its listener goes to the seccomp agent, with the container process state that
 * the host side has made ready. Serves config-linux.md "Seccomp" (listenerPath),
 * seccomp_unotify(2).
 *
 * Once the filter is loaded, whatever we do may wait for the agent's answer, and the agent cannot
 * answer before it has the listener. So a thread from before, which is not filtered, sends it on;
 * until that is done this one makes no system call at all, but looks at words that the other, or
 * the kernel at the other's end, changes.
 */
#include "init/init.h"

#include <linux/seccomp.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/syscall.h>

enum
{
  STACK = 64 << 10,
  LOADING = INT32_MIN, /* no descriptor, and no errno */
};

struct transfer
{
  struct init *init;
  const char *state;
  size_t length;
  _Atomic int listener; /* what seccomp(2) returned; LOADING: not yet */
  _Atomic int thread;   /* its id; the kernel makes it 0 when it has ended */
};

/* The other thread must not go on without having sent it: this ends both. */
static _Noreturn void
give_up (const struct transfer *transfer, int r)
{
  struct tare_error failure = { 0 };
  (void) fail (&failure, r, "linux.seccomp: send the listener to the seccomp agent");
  failure.step = (uint16_t) transfer->init->progress->step;
  (void) channel_send_error (init_channel (transfer->init), &failure);
  sys_exit (1);
}

/* errno belongs to both threads: here it is touched only while the other one makes no call. */
static int
hand_on (void *argument)
{
  struct transfer *transfer = argument;
  int listener;
  while ((listener = atomic_load (&transfer->listener)) == LOADING)
    sys_yield ();
  if (listener < 0)
    return 0;
  int r =
      sys_send (transfer->init->agent, transfer->state, transfer->length, NULL, 0, &listener, 1);
  if (r < 0)
    give_up (transfer, r);
  close_fd (&listener);
  close_fd (&transfer->init->agent);
  return 0;
}

static int
map_state (struct transfer *transfer, struct tare_error *error)
{
  struct sys_stat st;
  int r = sys_stat (transfer->init->agent_state, NULL, &st);
  if (r >= 0 && st.size == 0)
    r = -EBADMSG;
  if (r >= 0)
    transfer->state = sys_map (transfer->init->agent_state, st.size, false, &r);
  if (transfer->state == NULL)
    return fail (error, r, "linux.seccomp: the state for the seccomp agent");
  transfer->length = st.size;
  close_fd (&transfer->init->agent_state);
  return 0;
}

int
load_with_listener (struct init *init, const struct sock_fprog *program, struct tare_error *error)
{
  struct transfer transfer = { .init = init, .listener = LOADING };
  char *stack = init_memory (STACK);
  int r = stack == NULL ? fail (error, ENOMEM, "linux.seccomp") : map_state (&transfer, error);
  if (r < 0)
    return r;
  r = sys_thread (hand_on, &transfer, stack + STACK, &transfer.thread);
  if (r < 0)
    return fail (error, r, "linux.seccomp: a thread that hands on the listener");
  long listener =
      syscall (SYS_seccomp, SECCOMP_SET_MODE_FILTER, init->plan->seccomp_flags, program);
  int code = listener < 0 ? errno : 0;
  atomic_store (&transfer.listener, listener < 0 ? -code : (int) listener);
  while (atomic_load (&transfer.thread) != 0)
    ;
  return code != 0 ? fail (error, code, "linux.seccomp: load the filter") : 0;
}
