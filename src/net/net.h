/* The network devices of a container: moved into its network namespace, and back when its creation
 * fails. Serves config-linux.md "Network Devices". By rtnetlink(7), from outside: nobody enters the
 * namespace. */
#ifndef TARE_NET_H
#define TARE_NET_H

#include <stddef.h>

#include "base/base.h"
#include "libocispec/ocispec.h"

/* A move in progress, and what is needed to take it back. */
struct net_move;

/* Moves devices into the namespace behind the descriptor, gives them their names there, their
 * addresses, and brings them up. Each is looked for before the first one is moved. Where this
 * fails, and always later, net_move_back undoes what was done. *ret_move is set in any case, and
 * is the caller's, for net_move_free; NULL when there was no memory. */
int net_move_devices (const struct oci_net_device *devices, size_t count, int namespace_fd,
                      struct net_move **ret_move, struct tare_error *error);
/* As they were: names, addresses, up or down. NULL: nothing to do. Goes on after a failure. */
int net_move_back (struct net_move *move, struct tare_error *error);
void net_move_free (struct net_move *move);

#endif
