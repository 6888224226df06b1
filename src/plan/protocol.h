/* The protocol between the two programs: one SOCK_SEQPACKET pair, one datagram a message:
 * {type, sequence, length, value}, a payload, descriptors. Every message is declared here once.
 * A message that is not the expected one is an error that names both; ERROR is always expected.
 *
 *   create:  H                         I
 *            PLAN  ------------------>            plan, progress, start socket, namespaces
 *                  <------------------  USER_NAMESPACE   (only when the host writes maps)
 *            MAPPED  ---------------->
 *                  <------------------  TIME_NAMESPACE   (only with offsets)
 *            OFFSETS  --------------->
 *                  <------------------  NETWORK_NAMESPACE (only with devices for it: a socket)
 *                  <------------------  FORKED           (only with a stage: its child's pid,
 *                                                         pidfd)
 *            GO  -------------------->
 *            NETWORK  --------------->            (only where the host makes the network namespace:
 *                                                  that, for init to enter when it needs it)
 *                  <------------------  MOUNT            (its number, a descriptor; only those
 *            MOUNTED  --------------->                     that need the host side)
 *                  <------------------  ROOTFS_READY     (init goes on)
 *            HOOKS_DONE  ------------>            (only with hooks or a delegated group: init
 *                                                  waits before it hides anything)
 *            RULES  ----------------->            device rules are in force; the filter
 *                  <------------------  TERMINAL         (only with a terminal: the master)
 *                  <------------------  READY
 *            RUN  ------------------->
 *   start:   (connects)                 (accepts)
 *            START  ----------------->
 *                  <------------------  EXECUTING, then end of file: execve succeeded
 *   run:     as create, but EXECUTING and the end of file come on the first connection
 */
#ifndef TARE_PLAN_PROTOCOL_H
#define TARE_PLAN_PROTOCOL_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define PROTOCOL_MESSAGES(M)                                                                       \
  M (NONE, NEITHER)                                                                                \
  M (PLAN, TO_INIT)                                                                                \
  M (USER_NAMESPACE, TO_HOST)                                                                      \
  M (MAPPED, TO_INIT)                                                                              \
  M (TIME_NAMESPACE, TO_HOST)                                                                      \
  M (OFFSETS, TO_INIT)                                                                             \
  M (NETWORK_NAMESPACE, TO_HOST)                                                                   \
  M (FORKED, TO_HOST)                                                                              \
  M (GO, TO_INIT)                                                                                  \
  M (MOUNT, TO_HOST)                                                                               \
  M (MOUNTED, TO_INIT)                                                                             \
  M (ROOTFS_READY, TO_HOST)                                                                        \
  M (HOOKS_DONE, TO_INIT)                                                                          \
  M (TERMINAL, TO_HOST)                                                                            \
  M (READY, TO_HOST)                                                                               \
  M (RUN, TO_INIT)                                                                                 \
  M (START, TO_INIT)                                                                               \
  M (EXECUTING, TO_HOST)                                                                           \
  M (ERROR, TO_HOST)                                                                               \
  M (RULES, TO_INIT) /* here: START and EXECUTING stay what they are to containers that wait */    \
  M (NETWORK, TO_INIT)

#define PROTOCOL_ENUM(name, direction) MESSAGE_##name,
enum message
{
  PROTOCOL_MESSAGES (PROTOCOL_ENUM) MESSAGE_COUNT
};
enum message_direction
{
  MESSAGE_NEITHER,
  MESSAGE_TO_INIT,
  MESSAGE_TO_HOST,
};

const char *message_name (uint32_t type);
enum message_direction message_direction (uint32_t type);

/* exec is the same, from PLAN over FORKED, GO, TERMINAL to READY and RUN; then EXECUTING and the
 * end of file come on this connection, since nobody else starts it.
 *
 * The descriptors of PLAN, in this order, then those of plan.joins; or, for an exec into a
 * container that was made with chroot, its root directory. */
enum plan_fd
{
  PLAN_FD_PLAN,                      /* sealed memfd; left out where the plan is in the message */
  PLAN_FD_PROGRESS,                  /* struct plan_progress */
  PLAN_FD_START,                     /* bound socket on which init listens; not with PLAN_RUNS */
  PLAN_FD_CONTAINER = PLAN_FD_START, /* exec: the pidfd of the container's init */
  PLAN_FD_COUNT,
};
/* Where the plan has seccomp, RULES (exec: GO) brings the first of these; where its flags ask
 * for a listener, all of them. */
enum filter_fd
{
  FILTER_FD_PROGRAM, /* sealed memfd: an array of struct sock_filter */
  FILTER_FD_STATE,   /* sealed memfd: the container process state, as JSON */
  FILTER_FD_AGENT,   /* connected to the seccomp agent, who gets the listener with the state */
  FILTER_FD_COUNT,
};
/* HOOKS_DONE brings the standard output and error of hooks, as PLAN_HOOK_STDOUT, PLAN_HOOK_STDERR
 * say. */

enum
{
  PLAN_IN_MESSAGE = 16 << 10, /* bytes, at most: most plans are a third of that */
  PLAN_MESSAGE_SIZE = PLAN_IN_MESSAGE + 24,
};

struct channel
{
  int fd;
  uint32_t sent, received;     /* messages so far: the sequence numbers */
  enum message_direction side; /* the direction in which this end sends */
};

/* One message. value is the message's one number (a pid, ...). */
int channel_send (struct channel *channel, enum message type, uint64_t value, const int *fds,
                  size_t n_fds, struct tare_error *error);
/* PLAN with a plan of at most PLAN_IN_MESSAGE bytes. */
int channel_send_plan (struct channel *channel, const void *plan, size_t size, const int *fds,
                       size_t n_fds, struct tare_error *error);
/* init's only way to say what went wrong; its step is in error. */
int channel_send_error (struct channel *channel, const struct tare_error *failure);

struct received
{
  uint64_t value;
  int fds[16];
  size_t n_fds;
};
/* Waits for `expected`. An ERROR message is returned as that error (its code, its text);
 * another message, a wrong sequence number or length is -EPROTO; end of file is -ECONNRESET with
 * kind TARE_ERROR_PROTOCOL, and the caller words it. ret_received may be NULL: then descriptors are
 * refused. */
int channel_receive (struct channel *channel, enum message expected, struct received *ret_received,
                     struct tare_error *error);

/* The same of PLAN. buffer: PLAN_MESSAGE_SIZE bytes, aligned as for a plan; *ret_plan is in it, and
 * *ret_size is 0 where the plan comes by PLAN_FD_PLAN. */
int channel_receive_plan (struct channel *channel, void *buffer, const void **ret_plan,
                          size_t *ret_size, struct received *ret_received,
                          struct tare_error *error);

#endif
