/* The network namespace of the container, made by the host side: nothing else takes the kernel so
 * long, and init has enough to do meanwhile. Serves config-linux.md "Namespaces". */
#include "host/internal.h"

bool
row_makes_network (const struct container *container)
{
  return container_plan_flag (container, PLAN_HOST_NETWORK);
}

/* A socket belongs to the network namespace that it was made in, and leads back to it: this thread
 * alone goes there, and comes back at once, which spec_facts.comes_back says it can. */
static int
make_network (int *ret_socket, struct tare_error *error)
{
  autoclose int own = sys_open ("/proc/thread-self/ns/net", O_RDONLY, 0);
  int r = own < 0 ? own : sys_unshare (CLONE_NEWNET);
  if (r < 0)
    return fail (error, r, "new network namespace");
  *ret_socket = sys_network_socket ();
  r = sys_setns (own, CLONE_NEWNET);
  if (r < 0)
    return fail (error, r, "come back from the new network namespace");
  return *ret_socket < 0 ? fail (error, *ret_socket, "socket in the new network namespace") : 0;
}

int
row_network (struct container *container, struct received *received, struct tare_error *error)
{
  (void) received;
  int r = make_network (&container->network_socket, error);
  if (r < 0)
    return r;
  container->network = sys_netlink_namespace (container->network_socket);
  if (container->network < 0)
    return fail (error, container->network, "open the new network namespace");
  container->outgoing[0] = container->network;
  container->n_outgoing = 1;
  return 0;
}

/* Init does not wait for it, but the program does. */
int
row_loopback (struct container *container, struct received *received, struct tare_error *error)
{
  (void) received;
  int r = sys_loopback_up (container->network_socket);
  close_fd (&container->network_socket);
  close_fd (&container->network);
  return r < 0 ? fail (error, r, "bring 'lo' up") : 0;
}
