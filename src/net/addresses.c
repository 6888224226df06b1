/* The addresses of a device, read before it is moved, for it loses them, and written afterwards.
 * What is kept is what config-linux.md "Network Devices" demands: permanent (IFA_F_PERMANENT), of
 * global scope (RT_SCOPE_UNIVERSE), of any family. */
#include "net/private.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

enum
{
  /* What a user may say; the kernel works out the others. */
  GIVEN_FLAGS = IFA_F_NODAD | IFA_F_OPTIMISTIC | IFA_F_HOMEADDRESS | IFA_F_MANAGETEMPADDR
                | IFA_F_NOPREFIXROUTE | IFA_F_MCAUTOJOIN,
};

static const uint16_t value_types[] = { IFA_LOCAL, IFA_ADDRESS, IFA_BROADCAST };

struct reading
{
  int index;
  struct net_addresses *addresses;
};

static struct net_address *
add (struct net_addresses *addresses)
{
  if (addresses->count == addresses->capacity)
    {
      size_t capacity = addresses->capacity * 2 + 4;
      void *grown = reallocarray (addresses->items, capacity, sizeof *addresses->items);
      if (grown == NULL)
        return NULL;
      addresses->items = grown;
      addresses->capacity = capacity;
    }
  struct net_address *address = &addresses->items[addresses->count++];
  *address = (struct net_address){ 0 };
  return address;
}

static uint32_t
read_number (const struct nlmsghdr *message, uint16_t type, uint32_t otherwise)
{
  uint32_t number = otherwise;
  const struct nlattr *found = sys_netlink_find (message, sizeof (struct ifaddrmsg), type);
  if (found != NULL && sys_netlink_length (found) == sizeof number)
    memcpy (&number, sys_netlink_value (found), sizeof number);
  return number;
}

static int
take_address (const struct nlmsghdr *message, void *argument)
{
  const struct reading *reading = argument;
  struct ifaddrmsg header;
  if (message->nlmsg_type != RTM_NEWADDR || message->nlmsg_len < NLMSG_LENGTH (sizeof header))
    return 0;
  memcpy (&header, NLMSG_DATA (message), sizeof header);
  uint32_t flags = read_number (message, IFA_FLAGS, header.ifa_flags);
  if ((int) header.ifa_index != reading->index || (flags & IFA_F_PERMANENT) == 0
      || header.ifa_scope != RT_SCOPE_UNIVERSE)
    return 0;
  struct net_address *address = add (reading->addresses);
  if (address == NULL)
    return -ENOMEM;
  address->family = header.ifa_family;
  address->prefix = header.ifa_prefixlen;
  address->flags = flags & GIVEN_FLAGS;
  address->priority = read_number (message, IFA_RT_PRIORITY, 0);
  for (size_t i = 0; i < COUNT_OF (value_types); i++)
    {
      const struct nlattr *value = sys_netlink_find (message, sizeof header, value_types[i]);
      size_t length = value != NULL ? sys_netlink_length (value) : 0;
      if (length == 0 || length > sizeof address->values[i])
        continue;
      memcpy (address->values[i], sys_netlink_value (value), length);
      address->lengths[i] = (uint8_t) length;
    }
  return 0;
}

int
net_addresses_read (struct sys_netlink *netlink, int index, struct net_addresses *ret_addresses)
{
  struct sys_netlink_request request;
  const struct ifaddrmsg header = { .ifa_index = (unsigned) index };
  struct reading reading = { index, ret_addresses };
  sys_netlink_begin (&request, RTM_GETADDR, NLM_F_DUMP, &header, sizeof header);
  return sys_netlink_call (netlink, &request, take_address, &reading);
}

static int
write_address (struct sys_netlink *netlink, int index, const struct net_address *address)
{
  struct sys_netlink_request request;
  const struct ifaddrmsg header = {
    .ifa_family = address->family,
    .ifa_prefixlen = address->prefix,
    .ifa_scope = RT_SCOPE_UNIVERSE,
    .ifa_index = (unsigned) index,
  };
  sys_netlink_begin (&request, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, &header, sizeof header);
  for (size_t i = 0; i < COUNT_OF (value_types); i++)
    if (address->lengths[i] > 0)
      sys_netlink_put (&request, value_types[i], address->values[i], address->lengths[i]);
  if (address->flags != 0)
    sys_netlink_put (&request, IFA_FLAGS, &address->flags, sizeof address->flags);
  if (address->priority != 0)
    sys_netlink_put (&request, IFA_RT_PRIORITY, &address->priority, sizeof address->priority);
  return sys_netlink_call (netlink, &request, NULL, NULL);
}

int
net_addresses_write (struct sys_netlink *netlink, int index, const struct net_addresses *addresses)
{
  int r = 0;
  for (size_t i = 0; r >= 0 && i < addresses->count; i++)
    r = write_address (netlink, index, &addresses->items[i]);
  return r;
}
