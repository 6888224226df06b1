/* setgroups(2), setresuid(2), setresgid(2), capset(2), prctl(2) for capabilities, prlimit(2).
 * Raw system calls act on the calling thread alone, which is what a runtime wants. */
#include "sys/credentials.h"

#include <errno.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static int
result (long r)
{
  return r < 0 ? -errno : (int) r;
}

int
sys_setgroups (size_t count, const gid_t *groups)
{
  return result (syscall (SYS_setgroups, count, groups));
}

int
sys_getgroups (size_t size, gid_t *ret_groups)
{
  return result (syscall (SYS_getgroups, size, ret_groups));
}

int
sys_setresuid (uid_t uid)
{
  return result (syscall (SYS_setresuid, uid, uid, uid));
}

int
sys_setresgid (gid_t gid)
{
  return result (syscall (SYS_setresgid, gid, gid, gid));
}

int
sys_getresuid (uid_t ret_uids[3])
{
  return result (syscall (SYS_getresuid, &ret_uids[0], &ret_uids[1], &ret_uids[2]));
}

int
sys_getresgid (gid_t ret_gids[3])
{
  return result (syscall (SYS_getresgid, &ret_gids[0], &ret_gids[1], &ret_gids[2]));
}

static uint64_t
join (uint32_t low, uint32_t high)
{
  return low | (uint64_t) high << 32;
}

int
sys_capget (struct sys_capabilities *ret_capabilities)
{
  struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
  struct __user_cap_data_struct data[2];
  if (syscall (SYS_capget, &header, data) < 0)
    return -errno;
  *ret_capabilities = (struct sys_capabilities){
    .effective = join (data[0].effective, data[1].effective),
    .permitted = join (data[0].permitted, data[1].permitted),
    .inheritable = join (data[0].inheritable, data[1].inheritable),
  };
  return 0;
}

int
sys_capset (const struct sys_capabilities *capabilities)
{
  struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
  struct __user_cap_data_struct data[2];
  for (int i = 0; i < 2; i++)
    data[i] = (struct __user_cap_data_struct){
      .effective = (uint32_t) (capabilities->effective >> (32 * i)),
      .permitted = (uint32_t) (capabilities->permitted >> (32 * i)),
      .inheritable = (uint32_t) (capabilities->inheritable >> (32 * i)),
    };
  return result (syscall (SYS_capset, &header, data));
}

int
sys_bounding_drop (unsigned capability)
{
  return result (prctl (PR_CAPBSET_DROP, capability, 0, 0, 0));
}

int
sys_ambient_raise (unsigned capability)
{
  return result (prctl (PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0));
}

int
sys_ambient_clear (void)
{
  return result (prctl (PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0));
}

/* The kernel's struct rlimit64: libc's rlim_t differs between libcs. */
struct limit
{
  uint64_t soft, hard;
};

int
sys_set_rlimit (pid_t pid, unsigned resource, uint64_t soft, uint64_t hard)
{
  struct limit limit = { soft, hard };
  return result (syscall (SYS_prlimit64, pid, resource, &limit, NULL));
}

int
sys_get_rlimit (pid_t pid, unsigned resource, uint64_t *ret_soft, uint64_t *ret_hard)
{
  struct limit limit;
  if (syscall (SYS_prlimit64, pid, resource, NULL, &limit) < 0)
    return -errno;
  *ret_soft = limit.soft;
  *ret_hard = limit.hard;
  return 0;
}
