/* The network namespace of the container, made by the host side: nothing else takes the kernel so
 * long, and init has enough to do meanwhile. Serves config-linux.md "Namespaces". */
#include "host/internal.h"

bool
row_makes_network (const struct container *container)
{
  return container_plan_flag (container, PLAN_HOST_NETWORK);
}

/* In the new namespace. */
static int
take_network (struct container *container, struct tare_error *error)
{
  autoclose int socket = sys_network_socket ();
  int r = socket < 0 ? socket : sys_loopback_up (socket);
  if (r < 0)
    return fail (error, r, "bring 'lo' up");
  r = container->network = sys_netlink_namespace (socket);
  return r < 0 ? fail (error, r, "open the new network namespace") : 0;
}

/* This thread alone goes there, and comes back: who was allowed to go is. */
int
row_network (struct container *container, struct received *received, struct tare_error *error)
{
  (void) received;
  autoclose int own = sys_open ("/proc/thread-self/ns/net", O_RDONLY, 0);
  int r = own < 0 ? own : sys_unshare (CLONE_NEWNET);
  if (r < 0)
    return fail (error, r, "new network namespace");
  r = take_network (container, error);
  int back = sys_setns (own, CLONE_NEWNET);
  if (back < 0)
    return fail (error, back, "come back from the new network namespace");
  container->outgoing[0] = container->network;
  container->n_outgoing = 1;
  return r;
}
