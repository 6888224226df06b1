/* Names of capabilities. libcap knows those of the kernel it was built for; without it a table of
 * our own serves. */
#include <stdio.h>

#include "spec/spec.h"

#ifdef HAVE_CAP
#include <sys/capability.h>

int
capability_number (const char *name)
{
  cap_value_t value;
  /* libcap takes any case and plain numbers, the spec only the constant's own name. */
  if (str_after (name, "CAP_") == NULL || cap_from_name (name, &value) != 0)
    return -EINVAL;
  for (const char *c = name; *c != '\0'; c++)
    if (*c >= 'a' && *c <= 'z')
      return -EINVAL;
  return value;
}
#else
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
#endif

const char *
capability_name (unsigned number, char *buffer, size_t size)
{
#ifdef HAVE_CAP
  /* Upper case, as the spec has it; libcap prints lower case. */
  char *name = cap_to_name ((cap_value_t) number);
  if (name == NULL)
    return NULL;
  (void) snprintf (buffer, size, "%s", name);
  (void) cap_free (name);
  for (char *c = buffer; *c != '\0'; c++)
    if (*c >= 'a' && *c <= 'z')
      *c = (char) (*c - 'a' + 'A');
  return buffer;
#else
  if (number >= COUNT_OF (names))
    return NULL;
  (void) snprintf (buffer, size, "CAP_%s", names[number]);
  return buffer;
#endif
}
