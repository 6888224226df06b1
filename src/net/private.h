/* Private to net. */
#ifndef TARE_NET_PRIVATE_H
#define TARE_NET_PRIVATE_H

#include <stdbool.h>
#include <stdint.h>

#include "net/net.h"
#include "sys/netlink.h"

/* One address of a device, as it is given to it once more. */
struct net_address
{
  uint8_t family, prefix;
  uint8_t lengths[3];    /* of those below; 0: has none */
  uint8_t values[3][16]; /* the device's own, the (peer's) address, broadcast */
  uint32_t flags, priority;
};

struct net_addresses
{
  struct net_address *items;
  size_t count, capacity;
};

/* The addresses of device index that are to be kept: permanent ones of global scope. */
int net_addresses_read (struct sys_netlink *netlink, int index,
                        struct net_addresses *ret_addresses);
int net_addresses_write (struct sys_netlink *netlink, int index,
                         const struct net_addresses *addresses);

#endif
