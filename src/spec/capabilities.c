/* Names of capabilities, linux/capability.h. libcap has them too, but asks the kernel six questions
 * whenever a program that it is linked into starts. */
#include <stdio.h>

#include "spec/spec.h"

static const char *const names[] = {
  "CHOWN",
  "DAC_OVERRIDE",
  "DAC_READ_SEARCH",
  "FOWNER",
  "FSETID",
  "KILL",
  "SETGID",
  "SETUID",
  "SETPCAP",
  "LINUX_IMMUTABLE",
  "NET_BIND_SERVICE",
  "NET_BROADCAST",
  "NET_ADMIN",
  "NET_RAW",
  "IPC_LOCK",
  "IPC_OWNER",
  "SYS_MODULE",
  "SYS_RAWIO",
  "SYS_CHROOT",
  "SYS_PTRACE",
  "SYS_PACCT",
  "SYS_ADMIN",
  "SYS_BOOT",
  "SYS_NICE",
  "SYS_RESOURCE",
  "SYS_TIME",
  "SYS_TTY_CONFIG",
  "MKNOD",
  "LEASE",
  "AUDIT_WRITE",
  "AUDIT_CONTROL",
  "SETFCAP",
  "MAC_OVERRIDE",
  "MAC_ADMIN",
  "SYSLOG",
  "WAKE_ALARM",
  "BLOCK_SUSPEND",
  "AUDIT_READ",
  "PERFMON",
  "BPF",
  "CHECKPOINT_RESTORE",
};

int
capability_number (const char *name)
{
  const char *rest = str_after (name, "CAP_");
  for (size_t i = 0; rest != NULL && i < COUNT_OF (names); i++)
    if (str_equal (names[i], rest))
      return (int) i;
  return -EINVAL;
}

const char *
capability_name (unsigned number, char *buffer, size_t size)
{
  if (number >= COUNT_OF (names))
    return NULL;
  (void) snprintf (buffer, size, "CAP_%s", names[number]);
  return buffer;
}
