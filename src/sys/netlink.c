/* rtnetlink(7). Says -errno and nothing else; what a message means is the business of net. */
#define _GNU_SOURCE
#include "sys/netlink.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "sys/file.h"
#include "sys/process.h"

enum
{
  ANSWER_SIZE = 32768, /* the kernel fills no more at a time */
};

/* ---- the socket ------------------------------------------------------------------------------ */

static int
open_here (void)
{
  const int on = 1;
  autoclose int fd = socket (AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  if (fd < 0)
    return -errno;
  /* So that a dump of one device's addresses is that device's alone. */
  if (setsockopt (fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof on) < 0)
    return -errno;
  return take_fd (&fd);
}

/* In the child: raw system calls only. Its descriptors are ours. */
static int
open_there (int namespace_fd, int place)
{
  int r = sys_setns (namespace_fd, CLONE_NEWNET);
  if (r < 0)
    return r;
  autoclose int fd = open_here ();
  return fd < 0 ? fd : sys_dup3 (fd, place, O_CLOEXEC);
}

/* A thread that went there itself could not be sure to come back. A child that shares our
 * descriptors puts the socket into a place that is held for it. */
static int
open_by_child (int namespace_fd)
{
  autoclose int place = sys_dup_above (namespace_fd, 3);
  autoclose int pidfd = -EBADF;
  sigset_t mask;
  int status;
  if (place < 0)
    return place;
  (void) sys_block_signals (&mask);
  struct sys_clone clone = { .flags = CLONE_FILES, .pidfd = &pidfd, .cgroup = -EBADF };
  pid_t pid = sys_clone3 (&clone);
  if (pid == 0)
    {
      int r = open_there (namespace_fd, place);
      _exit (r < 0 ? -r : 0);
    }
  (void) sys_set_signal_mask (&mask);
  if (pid < 0)
    return pid;
  int r = sys_pidfd_wait (pidfd, &status);
  if (r < 0)
    return r;
  if (!WIFEXITED (status) || WEXITSTATUS (status) != 0)
    return WIFEXITED (status) ? -WEXITSTATUS (status) : -ECHILD;
  return take_fd (&place);
}

int
sys_netlink_open (int namespace_fd, struct sys_netlink *ret_netlink)
{
  int fd = namespace_fd < 0 ? open_here () : open_by_child (namespace_fd);
  if (fd < 0)
    return fd;
  *ret_netlink = (struct sys_netlink){ .fd = fd };
  return 0;
}

int
sys_network_socket (void)
{
  int fd = socket (AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  return fd < 0 ? -errno : fd;
}

int
sys_loopback_up (int socket_fd)
{
  /* IFF_LOOPBACK stays, whatever we say. */
  struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP };
  return ioctl (socket_fd, SIOCSIFFLAGS, &request) < 0 ? -errno : 0;
}

int
sys_netlink_namespace (int socket_fd)
{
  int fd = ioctl (socket_fd, SIOCGSKNS);
  return fd < 0 ? -errno : fd;
}

/* ---- requests -------------------------------------------------------------------------------- */

static void *
grow (struct sys_netlink_request *request, size_t length)
{
  size_t used = NLMSG_ALIGN (request->header.nlmsg_len);
  if (length > sizeof request->bytes - used)
    {
      request->failed = true;
      return NULL;
    }
  request->header.nlmsg_len = (uint32_t) (used + length);
  return request->bytes + used;
}

void
sys_netlink_begin (struct sys_netlink_request *request, uint16_t type, uint16_t flags,
                   const void *body, size_t length)
{
  memset (request, 0, sizeof *request);
  request->header = (struct nlmsghdr){
    .nlmsg_len = NLMSG_HDRLEN,
    .nlmsg_type = type,
    .nlmsg_flags = (uint16_t) (NLM_F_REQUEST | NLM_F_ACK | flags),
  };
  void *at = grow (request, length);
  if (at != NULL)
    memcpy (at, body, length);
}

void
sys_netlink_put (struct sys_netlink_request *request, uint16_t type, const void *value,
                 size_t length)
{
  struct nlattr *at = grow (request, NLA_HDRLEN + length);
  if (at == NULL)
    return;
  at->nla_type = type;
  at->nla_len = (uint16_t) (NLA_HDRLEN + length);
  if (length > 0)
    memcpy ((char *) at + NLA_HDRLEN, value, length);
}

const struct nlattr *
sys_netlink_find (const struct nlmsghdr *message, size_t fixed, uint16_t type)
{
  size_t at = NLMSG_HDRLEN + NLMSG_ALIGN (fixed);
  while (at + NLA_HDRLEN <= message->nlmsg_len)
    {
      const struct nlattr *attribute = (const void *) ((const char *) message + at);
      if (attribute->nla_len < NLA_HDRLEN || attribute->nla_len > message->nlmsg_len - at)
        return NULL;
      if ((attribute->nla_type & NLA_TYPE_MASK) == type)
        return attribute;
      at += NLA_ALIGN (attribute->nla_len);
    }
  return NULL;
}

/* ---- answers --------------------------------------------------------------------------------- */

struct answers
{
  int (*answer) (const struct nlmsghdr *message, void *argument);
  void *argument;
  uint32_t sequence;
  int result;
  bool ended;
};

static void
take_message (struct answers *answers, const struct nlmsghdr *message)
{
  if (message->nlmsg_seq != answers->sequence || answers->ended)
    return;
  if (message->nlmsg_type == NLMSG_ERROR || message->nlmsg_type == NLMSG_DONE)
    {
      int code = 0;
      if (message->nlmsg_len >= NLMSG_HDRLEN + sizeof code)
        memcpy (&code, (const char *) message + NLMSG_HDRLEN, sizeof code);
      answers->ended = true;
      if (answers->result >= 0)
        answers->result = code;
    }
  else if (answers->answer != NULL && answers->result >= 0)
    answers->result = answers->answer (message, answers->argument);
}

/* One datagram; the kernel's own, or it is let pass. */
static ssize_t
receive (int fd, void *buffer, size_t size)
{
  for (;;)
    {
      struct sockaddr_nl from = { 0 };
      socklen_t length = sizeof from;
      ssize_t n = recvfrom (fd, buffer, size, MSG_TRUNC, (struct sockaddr *) &from, &length);
      if (n < 0 && errno != EINTR)
        return -errno;
      if (n > (ssize_t) size)
        return -EMSGSIZE;
      if (n >= 0 && from.nl_pid == 0)
        return n;
    }
}

static void
take_datagram (struct answers *answers, const char *bytes, size_t length)
{
  while (length >= NLMSG_HDRLEN)
    {
      const struct nlmsghdr *message = (const void *) bytes;
      if (message->nlmsg_len < NLMSG_HDRLEN || message->nlmsg_len > length)
        return;
      take_message (answers, message);
      size_t step = NLMSG_ALIGN (message->nlmsg_len);
      step = step < length ? step : length;
      bytes += step;
      length -= step;
    }
}

static int
send_request (int fd, const struct sys_netlink_request *request)
{
  const struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
  ssize_t n;
  do
    n = sendto (fd, request->bytes, request->header.nlmsg_len, MSG_NOSIGNAL,
                (const struct sockaddr *) &kernel, sizeof kernel);
  while (n < 0 && errno == EINTR);
  return n < 0 ? -errno : 0;
}

int
sys_netlink_call (struct sys_netlink *netlink, struct sys_netlink_request *request,
                  int (*answer) (const struct nlmsghdr *message, void *argument), void *argument)
{
  _Alignas(struct nlmsghdr) char buffer[ANSWER_SIZE];
  struct answers answers = { answer, argument, ++netlink->sequence, 0, false };
  if (request->failed)
    return -EMSGSIZE;
  request->header.nlmsg_seq = answers.sequence;
  int r = send_request (netlink->fd, request);
  while (r >= 0 && !answers.ended)
    {
      ssize_t n = receive (netlink->fd, buffer, sizeof buffer);
      if (n < 0)
        r = (int) n;
      else
        take_datagram (&answers, buffer, (size_t) n);
    }
  return r < 0 ? r : answers.result;
}
