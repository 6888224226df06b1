/* The protocol's one way to send and one way to receive; both programs use it. Owns the framing,
 * not the order of messages: that is in the two step tables. */
#include "plan/protocol.h"

#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "sys/sys.h"

struct header
{
  uint32_t type;     /* enum message */
  uint32_t sequence; /* of this sender, from 1 */
  uint32_t length;   /* of the payload */
  uint32_t reserved; /* 0 */
  uint64_t value;
};

static const struct
{
  const char *name;
  enum message_direction direction;
} messages[] = {
#define PROTOCOL_ROW(name, direction) [MESSAGE_##name] = { #name, MESSAGE_##direction },
  PROTOCOL_MESSAGES (PROTOCOL_ROW)
};

const char *
message_name (uint32_t type)
{
  return type < MESSAGE_COUNT ? messages[type].name : "unknown";
}

enum message_direction
message_direction (uint32_t type)
{
  return type < MESSAGE_COUNT ? messages[type].direction : MESSAGE_NEITHER;
}

_Static_assert(sizeof (struct header) % _Alignof(uint64_t) == 0, "a plan comes after it");
_Static_assert(sizeof (struct header) + PLAN_IN_MESSAGE == PLAN_MESSAGE_SIZE, "a plan fits");

static int
send_message (struct channel *channel, enum message type, uint64_t value, const void *payload,
              size_t length, const int *fds, size_t n_fds)
{
  struct header header = {
    .type = type,
    .sequence = ++channel->sent,
    .length = (uint32_t) length,
    .value = value,
  };
  return sys_send (channel->fd, &header, sizeof header, payload, header.length, fds, n_fds);
}

int
channel_send (struct channel *channel, enum message type, uint64_t value, const int *fds,
              size_t n_fds, struct tare_error *error)
{
  if (message_direction (type) != channel->side)
    return fail_kind (error, TARE_ERROR_PROTOCOL, EPROTO, "%s does not go this way",
                      message_name (type));
  int r = send_message (channel, type, value, NULL, 0, fds, n_fds);
  return r < 0 ? fail (error, r, "send %s", message_name (type)) : 0;
}

int
channel_send_plan (struct channel *channel, const void *plan, size_t size, const int *fds,
                   size_t n_fds, struct tare_error *error)
{
  int r = send_message (channel, MESSAGE_PLAN, 0, plan, size, fds, n_fds);
  return r < 0 ? fail (error, r, "send PLAN") : 0;
}

int
channel_send_error (struct channel *channel, const struct tare_error *failure)
{
  return send_message (channel, MESSAGE_ERROR, 0, failure, sizeof *failure, NULL, 0);
}

struct datagram
{
  struct header header;
  struct tare_error failure;
};

/* An error that crossed the boundary: its text must end, and its code must be an error. */
static int
adopt (const struct tare_error *failure, struct tare_error *error)
{
  struct tare_error copy = *failure;
  copy.message[sizeof copy.message - 1] = '\0';
  if (copy.code >= 0)
    copy.code = -EPROTO;
  if (error != NULL)
    *error = copy;
  return copy.code;
}

static int
check_header (struct channel *channel, const struct header *header, size_t length,
              enum message expected, struct tare_error *error)
{
  if (length < sizeof *header || length != sizeof *header + header->length)
    return fail_kind (error, TARE_ERROR_PROTOCOL, EPROTO,
                      "a datagram of %zu bytes where %s was expected", length,
                      message_name (expected));
  /* Whatever its number: what the stage forked may fail before the stage has said FORKED. */
  if (header->type == MESSAGE_ERROR && channel->side == MESSAGE_TO_INIT
      && header->length == sizeof (struct tare_error))
    return adopt (&((const struct datagram *) header)->failure, error);
  if (header->sequence != ++channel->received)
    return fail_kind (error, TARE_ERROR_PROTOCOL, EPROTO, "%s has number %u, expected %u",
                      message_name (header->type), header->sequence, channel->received);
  if (header->type != (uint32_t) expected || (header->length != 0 && expected != MESSAGE_PLAN))
    return fail_kind (error, TARE_ERROR_PROTOCOL, EPROTO, "received %s where %s was expected",
                      message_name (header->type), message_name (expected));
  return 0;
}

static int
receive (struct channel *channel, enum message expected, struct header *buffer, size_t size,
         struct received *ret_received, struct tare_error *error)
{
  struct received received = { 0 };
  size_t max = ret_received != NULL ? COUNT_OF (received.fds) : 0;
  ssize_t length = sys_receive (channel->fd, buffer, size, received.fds, max, &received.n_fds);
  /* It went with messages of ours unread: the kernel tells that first, once; what it had said
   * before, an ERROR perhaps, comes then. */
  if (length == -ECONNRESET)
    length = sys_receive (channel->fd, buffer, size, received.fds, max, &received.n_fds);
  if (length == 0 || length == -ECONNRESET)
    return fail_kind (error, TARE_ERROR_PROTOCOL, ECONNRESET,
                      "the other side went away where %s was expected", message_name (expected));
  if (length < 0)
    return fail (error, (int) length, "receive %s", message_name (expected));
  int r = check_header (channel, buffer, (size_t) length, expected, error);
  if (r < 0)
    {
      for (size_t i = 0; i < received.n_fds; i++)
        close_fd (&received.fds[i]);
      return r;
    }
  received.value = buffer->value;
  if (ret_received != NULL)
    *ret_received = received;
  return 0;
}

int
channel_receive (struct channel *channel, enum message expected, struct received *ret_received,
                 struct tare_error *error)
{
  struct datagram datagram = { 0 };
  return receive (channel, expected, &datagram.header, sizeof datagram, ret_received, error);
}

int
channel_receive_plan (struct channel *channel, void *buffer, const void **ret_plan,
                      size_t *ret_size, struct received *ret_received, struct tare_error *error)
{
  struct header *header = buffer;
  int r = receive (channel, MESSAGE_PLAN, header, PLAN_MESSAGE_SIZE, ret_received, error);
  if (r < 0)
    return r;
  *ret_plan = header + 1;
  *ret_size = header->length;
  return 0;
}
