/* SOCK_SEQPACKET: datagrams with descriptors. Every send is MSG_NOSIGNAL, every receive
 * MSG_CMSG_CLOEXEC. */
#ifndef TARE_SYS_SOCKET_H
#define TARE_SYS_SOCKET_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define SYS_MAX_FDS 64 /* descriptors in one datagram */

int sys_socketpair (int ret_fds[2]);
/* One datagram from two pieces. 0 or -errno. */
int sys_send (int fd, const void *head, size_t head_length, const void *body, size_t body_length,
              const int *fds, size_t n_fds);
/* The length of the datagram, 0 at end of file, or -errno. Descriptors beyond max_fds, or a
 * truncated datagram, are -EMSGSIZE and closed. */
ssize_t sys_receive (int fd, void *buffer, size_t size, int *ret_fds, size_t max_fds,
                     size_t *ret_n_fds);

/* A socket bound to name in the directory dirfd, not listening yet. type: SOCK_SEQPACKET or
 * SOCK_DGRAM. */
int sys_socket_bind (int dirfd, const char *name, int type);
int sys_socket_listen (int fd, int backlog);
int sys_socket_accept (int fd);
/* Connects to name in dirfd, or to the path name when dirfd is AT_FDCWD. Paths over 107 bytes go
 * through /proc/thread-self/fd. type: SOCK_STREAM or SOCK_SEQPACKET. */
int sys_socket_connect (int dirfd, const char *name, int type);
/* SO_PEERCRED's pid; for a listening peer the one that called listen(2). */
int sys_socket_peer_pid (int fd, pid_t *ret_pid);

#endif
