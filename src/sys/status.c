/* proc_pid_status(5), the lines that say what a process may do. One read of it stands for a hundred
 * prctl(2) calls, and no filter of system calls can make it lie. */
#include "sys/status.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "sys/file.h"

static const struct
{
  const char *name;
  size_t offset;
  unsigned base;
} lines[] = {
  { "SigIgn:", offsetof (struct sys_status, ignored), 16 },
  { "CapInh:", offsetof (struct sys_status, inheritable), 16 },
  { "CapPrm:", offsetof (struct sys_status, permitted), 16 },
  { "CapEff:", offsetof (struct sys_status, effective), 16 },
  { "CapBnd:", offsetof (struct sys_status, bounding), 16 },
  { "CapAmb:", offsetof (struct sys_status, ambient), 16 },
  { "NoNewPrivs:", offsetof (struct sys_status, no_new_privileges), 10 },
  { "Seccomp_filters:", offsetof (struct sys_status, seccomp_filters), 10 },
};

static uint64_t
number_of (const char *text, unsigned base)
{
  uint64_t number = 0;
  text += strspn (text, "\t ");
  for (;; text++)
    {
      int digit = *text >= '0' && *text <= '9'   ? *text - '0'
                  : *text >= 'a' && *text <= 'f' ? *text - 'a' + 10
                                                 : -1;
      if (digit < 0)
        return number;
      number = number * base + (uint64_t) digit;
    }
}

/* Bit i of the result: line i was there. */
static unsigned
take_line (const char *line, struct sys_status *status)
{
  for (size_t i = 0; i < COUNT_OF (lines); i++)
    {
      const char *value = str_after (line, lines[i].name);
      if (value == NULL)
        continue;
      uint64_t number = number_of (value, lines[i].base);
      memcpy ((char *) status + lines[i].offset, &number, sizeof number);
      return 1U << i;
    }
  return 0;
}

/* Line by line through a buffer of one page: the list of groups, the one line that can be longer,
 * is none of ours, so a piece of it does no harm. */
static int
read_lines (int fd, struct sys_status *status)
{
  char buffer[4096];
  size_t used = 0;
  unsigned found = 0;
  for (;;)
    {
      ssize_t length = read (fd, buffer + used, sizeof buffer - 1 - used);
      if (length < 0)
        return -errno;
      if (length == 0)
        return -EBADMSG;
      used += (size_t) length;
      buffer[used] = '\0';
      char *line = buffer, *end;
      for (; (end = strchr (line, '\n')) != NULL; line = end + 1)
        {
          *end = '\0';
          found |= take_line (line, status);
        }
      if (found == (1U << COUNT_OF (lines)) - 1)
        return 0;
      used -= (size_t) (line - buffer);
      if (used == sizeof buffer - 1)
        used = 0;
      memmove (buffer, line, used);
    }
}

int
sys_read_status (pid_t pid, struct sys_status *ret_status)
{
  struct sys_status status = { 0 };
  char path[48] = "/proc/thread-self/status";
  if (pid != 0)
    (void) snprintf (path, sizeof path, "/proc/%d/status", (int) pid);
  autoclose int fd = sys_open (path, O_RDONLY, 0);
  if (fd < 0)
    return fd == -ENOENT ? -ESRCH : fd;
  int r = read_lines (fd, &status);
  if (r >= 0)
    *ret_status = status;
  return r;
}
