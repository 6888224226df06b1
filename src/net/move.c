/* Network devices from the runtime's network namespace to a container's, and back.
 *
 * One request moves a device, names it and says which index it gets there, so that it is found
 * again whatever the kernel makes of a name that ends with "%d". Nothing is linear in the number
 * of devices of either namespace: every question is about one.
 */
#include "net/private.h"

#include <errno.h>
#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "sys/file.h"

enum
{
  MOST_TRIES = 4096,
};

struct link
{
  const char *name;   /* here; of the config, which outlives the move */
  const char *wanted; /* there */
  int index, index_there;
  bool was_up, moved;
  struct net_addresses addresses;
};

struct net_move
{
  int namespaces[2]; /* here, there */
  struct sys_netlink here, there;
  int next_index; /* to try where a device's own is taken */
  size_t n_links;
  struct link links[];
};

/* ---- one device ------------------------------------------------------------------------------ */

struct found
{
  int index;
  bool up;
};

static int
take_link (const struct nlmsghdr *message, void *argument)
{
  struct found *found = argument;
  struct ifinfomsg header;
  if (message->nlmsg_type != RTM_NEWLINK || message->nlmsg_len < NLMSG_LENGTH (sizeof header))
    return 0;
  memcpy (&header, NLMSG_DATA (message), sizeof header);
  *found = (struct found){ header.ifi_index, (header.ifi_flags & IFF_UP) != 0 };
  return 0;
}

/* By name, or by index where that is NULL. -ENODEV. */
static int
find_link (struct sys_netlink *netlink, const char *name, int index, struct found *ret_found)
{
  struct sys_netlink_request request;
  const struct ifinfomsg header = { .ifi_family = AF_UNSPEC, .ifi_index = index };
  const uint32_t mask = RTEXT_FILTER_SKIP_STATS;
  sys_netlink_begin (&request, RTM_GETLINK, 0, &header, sizeof header);
  if (name != NULL)
    sys_netlink_put (&request, IFLA_IFNAME, name, strlen (name) + 1);
  sys_netlink_put (&request, IFLA_EXT_MASK, &mask, sizeof mask);
  *ret_found = (struct found){ 0 };
  int r = sys_netlink_call (netlink, &request, take_link, ret_found);
  return r >= 0 && ret_found->index == 0 ? -ENODEV : r;
}

static int
bring_up (struct sys_netlink *netlink, int index)
{
  struct sys_netlink_request request;
  const struct ifinfomsg header = {
    .ifi_family = AF_UNSPEC, .ifi_index = index, .ifi_flags = IFF_UP, .ifi_change = IFF_UP
  };
  sys_netlink_begin (&request, RTM_NEWLINK, 0, &header, sizeof header);
  return sys_netlink_call (netlink, &request, NULL, NULL);
}

/* -EBUSY: new_index is taken there; nothing has happened then. */
static int
send_link (struct sys_netlink *netlink, int index, int namespace_fd, const char *name,
           int new_index)
{
  struct sys_netlink_request request;
  const struct ifinfomsg header = { .ifi_family = AF_UNSPEC, .ifi_index = index };
  sys_netlink_begin (&request, RTM_NEWLINK, 0, &header, sizeof header);
  sys_netlink_put (&request, IFLA_NET_NS_FD, &namespace_fd, sizeof namespace_fd);
  sys_netlink_put (&request, IFLA_IFNAME, name, strlen (name) + 1);
  sys_netlink_put (&request, IFLA_NEW_IFINDEX, &new_index, sizeof new_index);
  return sys_netlink_call (netlink, &request, NULL, NULL);
}

/* ---- there ----------------------------------------------------------------------------------- */

static int
link_error (const struct link *link, int r, const char *what, struct tare_error *error)
{
  return fail (error, r, "linux.netDevices.%s: %s", link->name, what);
}

/* Whatever can be known to go wrong is known before anything has been done. */
static int
look_for (struct net_move *move, struct link *link, struct tare_error *error)
{
  struct found found;
  int r = find_link (&move->here, link->name, 0, &found);
  if (r < 0)
    return link_error (link, r, "look for the network device", error);
  link->index = found.index;
  link->was_up = found.up;
  r = net_addresses_read (&move->here, link->index, &link->addresses);
  if (r < 0)
    return link_error (link, r, "read its addresses", error);
  if (strchr (link->wanted, '%') != NULL) /* the kernel finds one that is free */
    return 0;
  r = find_link (&move->there, link->wanted, 0, &found);
  if (r >= 0)
    return fail_kind (error, TARE_ERROR_CONFIG, EEXIST,
                      "linux.netDevices.%s: the container's network namespace has a device '%s' "
                      "already",
                      link->name, link->wanted);
  return r == -ENODEV ? 0 : link_error (link, r, "look for its name in the container", error);
}

/* Moved, although its new name was refused? */
static bool
has_left (struct net_move *move, const struct link *link)
{
  struct found found;
  return find_link (&move->here, NULL, link->index, &found) == -ENODEV;
}

/* The index that a device had here may be taken there. Moved once, it is never asked for again. */
static int
send_to_free_index (struct net_move *move, struct sys_netlink *from, int index, int namespace_fd,
                    const char *name, int *index_there)
{
  int r = send_link (from, index, namespace_fd, name, *index_there);
  for (int tries = 0; r == -EBUSY && tries < MOST_TRIES && move->next_index < INT32_MAX; tries++)
    {
      *index_there = ++move->next_index;
      r = send_link (from, index, namespace_fd, name, *index_there);
    }
  return r;
}

static int
explain_move (const struct link *link, int r, struct tare_error *error)
{
  if (r == -EINVAL)
    return link_error (link, r, "the kernel does not let it leave its network namespace", error);
  if (r == -EPERM)
    return link_error (link, r, "moving it needs CAP_NET_ADMIN over both network namespaces",
                       error);
  return fail (error, r, "linux.netDevices.%s: move it into the container as '%s'", link->name,
               link->wanted);
}

static int
move_link (struct net_move *move, struct link *link, struct tare_error *error)
{
  link->index_there = link->index;
  int r = send_to_free_index (move, &move->here, link->index, move->namespaces[1], link->wanted,
                              &link->index_there);
  link->moved = r >= 0 || (r != -EBUSY && has_left (move, link));
  if (r < 0)
    return explain_move (link, r, error);
  r = net_addresses_write (&move->there, link->index_there, &link->addresses);
  if (r < 0)
    return link_error (link, r, "give it its addresses in the container", error);
  r = bring_up (&move->there, link->index_there);
  return r < 0 ? link_error (link, r, "bring it up in the container", error) : 0;
}

static int
open_both (struct net_move *move, int namespace_fd, struct tare_error *error)
{
  move->namespaces[0] = sys_open ("/proc/thread-self/ns/net", O_RDONLY, 0);
  int r = move->namespaces[0];
  if (r >= 0)
    r = move->namespaces[1] = sys_dup_above (namespace_fd, 3);
  if (r >= 0)
    r = sys_netlink_open (-EBADF, &move->here);
  if (r >= 0)
    r = sys_netlink_open (namespace_fd, &move->there);
  return r < 0 ? fail (error, r, "linux.netDevices: open the network namespaces") : 0;
}

int
net_move_devices (const struct oci_net_device *devices, size_t count, int namespace_fd,
                  struct net_move **ret_move, struct tare_error *error)
{
  struct net_move *move = calloc (1, sizeof *move + count * sizeof move->links[0]);
  *ret_move = move;
  if (move == NULL)
    return fail (error, ENOMEM, "linux.netDevices");
  move->namespaces[0] = move->namespaces[1] = move->here.fd = move->there.fd = -EBADF;
  move->n_links = count;
  for (size_t i = 0; i < count; i++)
    {
      const char *wanted = devices[i].name;
      move->links[i].name = devices[i].key;
      move->links[i].wanted = wanted != NULL && *wanted != '\0' ? wanted : devices[i].key;
    }
  int r = open_both (move, namespace_fd, error);
  for (size_t i = 0; r >= 0 && i < count; i++)
    r = look_for (move, &move->links[i], error);
  for (size_t i = 0; r >= 0 && i < count; i++)
    r = move_link (move, &move->links[i], error);
  return r;
}

/* ---- back ------------------------------------------------------------------------------------ */

static int
return_link (struct net_move *move, struct link *link)
{
  int index = link->index;
  int r = send_to_free_index (move, &move->there, link->index_there, move->namespaces[0],
                              link->name, &index);
  link->moved = r < 0;
  if (r >= 0)
    r = net_addresses_write (&move->here, index, &link->addresses);
  if (r >= 0 && link->was_up)
    r = bring_up (&move->here, index);
  return r;
}

int
net_move_back (struct net_move *move, struct tare_error *error)
{
  int result = 0;
  for (size_t i = move != NULL ? move->n_links : 0; i-- > 0;)
    {
      int r = move->links[i].moved ? return_link (move, &move->links[i]) : 0;
      if (r < 0 && result >= 0)
        result = link_error (&move->links[i], r, "give it back", error);
    }
  return result;
}

void
net_move_free (struct net_move *move)
{
  if (move == NULL)
    return;
  close_fd (&move->namespaces[0]);
  close_fd (&move->namespaces[1]);
  close_fd (&move->here.fd);
  close_fd (&move->there.fd);
  for (size_t i = 0; i < move->n_links; i++)
    free (move->links[i].addresses.items);
  free (move);
}
