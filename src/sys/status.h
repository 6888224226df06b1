/* /proc/PID/status: what the kernel says of a process, which that process cannot forge. */
#ifndef TARE_SYS_STATUS_H
#define TARE_SYS_STATUS_H

#include <stdint.h>
#include <sys/types.h>

struct sys_status
{
  uint64_t inheritable, permitted, effective, bounding, ambient; /* capabilities, a bit each */
  uint64_t ignored;                                              /* signal N: bit N - 1 */
  uint64_t no_new_privileges;
  uint64_t seccomp_filters; /* how many are loaded */
};

/* pid 0: the calling thread. -ESRCH: there is no such process; -EBADMSG: a line is missing. */
int sys_read_status (pid_t pid, struct sys_status *ret_status);

#endif
