/* The name of a container's owner, from the host's /etc/passwd: read by us, a bounded part of it,
 * because a name service could load code and wait for a network. */
#define _GNU_SOURCE
#include "lib/lib.h"

#include <stdio.h>
#include <string.h>

#include "sys/file.h"

enum
{
  MOST_BYTES = 256 * 1024,
};

/* Is line "name:password:uid:..." that of uid? */
static bool
is_of (const char *line, uint32_t uid)
{
  char number[16];
  uint64_t value;
  const char *field = strchr (line, ':');
  field = field != NULL ? strchr (field + 1, ':') : NULL;
  if (field == NULL)
    return false;
  size_t length = strcspn (++field, ":\n");
  if (length >= sizeof number)
    return false;
  memcpy (number, field, length);
  number[length] = '\0';
  return parse_u64 (number, UINT32_MAX, &value) >= 0 && value == uid;
}

static bool
find_name (char *passwd, uint32_t uid, char *name, size_t size)
{
  char *rest = passwd, *line;
  while ((line = strsep (&rest, "\n")) != NULL)
    {
      size_t length = strcspn (line, ":");
      if (length == 0 || length >= size || !is_of (line, uid))
        continue;
      memcpy (name, line, length);
      name[length] = '\0';
      return true;
    }
  return false;
}

void
lib_owner_name (uint32_t uid, char *name, size_t size)
{
  (void) snprintf (name, size, "%u", uid);
  autofree char *bytes = malloc (MOST_BYTES + 1);
  autoclose int fd = sys_open ("/etc/passwd", O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
  ssize_t length = bytes != NULL && fd >= 0 ? sys_read_full (fd, bytes, MOST_BYTES) : -ENOENT;
  if (length < 0)
    return;
  bytes[length] = '\0';
  (void) find_name (bytes, uid, name, size);
}
