/* Identity of the calling thread, by raw system calls: libc would signal every thread. */
#ifndef TARE_SYS_CREDENTIALS_H
#define TARE_SYS_CREDENTIALS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

int sys_setgroups (size_t count, const gid_t *groups);
int sys_getgroups (size_t size, gid_t *ret_groups);
int sys_setresuid (uid_t uid);
int sys_setresgid (gid_t gid);
int sys_getresuid (uid_t ret_uids[3]);
int sys_getresgid (gid_t ret_gids[3]);

struct sys_capabilities
{
  uint64_t effective, permitted, inheritable;
};
int sys_capget (struct sys_capabilities *ret_capabilities);
int sys_capset (const struct sys_capabilities *capabilities);
int sys_bounding_drop (unsigned capability);
int sys_ambient_raise (unsigned capability);
int sys_ambient_clear (void);

/* prlimit(2); pid 0: the caller. */
int sys_set_rlimit (pid_t pid, unsigned resource, uint64_t soft, uint64_t hard);
int sys_get_rlimit (pid_t pid, unsigned resource, uint64_t *ret_soft, uint64_t *ret_hard);

#endif
