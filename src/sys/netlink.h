/* rtnetlink(7): one request, its answers, its end; and a socket in another network namespace. */
#ifndef TARE_SYS_NETLINK_H
#define TARE_SYS_NETLINK_H

#include <linux/netlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum
{
  SYS_NETLINK_SIZE = 512,
};

/* A request in the making: begin, put its attributes, call. */
struct sys_netlink_request
{
  union
  {
    struct nlmsghdr header;
    char bytes[SYS_NETLINK_SIZE];
  };
  bool failed; /* it did not fit */
};

struct sys_netlink
{
  int fd;
  uint32_t sequence; /* of the last request */
};

/* A socket of NETLINK_ROUTE in the network namespace behind the descriptor, or in our own if that
 * is negative. We stay where we are. */
int sys_netlink_open (int namespace_fd, struct sys_netlink *ret_netlink);
/* A socket of our own network namespace, for what follows. */
int sys_network_socket (void);
/* Its device lo, by SIOCSIFFLAGS. */
int sys_loopback_up (int socket_fd);
/* The network namespace that a socket of any kind belongs to, as a descriptor. */
int sys_netlink_namespace (int socket_fd);

/* body: the fixed part, struct ifinfomsg or its like. */
void sys_netlink_begin (struct sys_netlink_request *request, uint16_t type, uint16_t flags,
                        const void *body, size_t length);
void sys_netlink_put (struct sys_netlink_request *request, uint16_t type, const void *value,
                      size_t length);
/* Sends it and waits for its end; answer, unless NULL, is called for each message that comes
 * before. 0, or -errno: the kernel's, or the first that answer returns. */
int sys_netlink_call (struct sys_netlink *netlink, struct sys_netlink_request *request,
                      int (*answer) (const struct nlmsghdr *message, void *argument),
                      void *argument);

/* The attribute of that type after a fixed part of that length, or NULL. */
const struct nlattr *sys_netlink_find (const struct nlmsghdr *message, size_t fixed, uint16_t type);
static inline const void *
sys_netlink_value (const struct nlattr *attribute)
{
  return (const char *) attribute + NLA_HDRLEN;
}
static inline size_t
sys_netlink_length (const struct nlattr *attribute)
{
  return attribute->nla_len - NLA_HDRLEN;
}

#endif
