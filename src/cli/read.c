/* JSON files that are named on the command line: the whole of one, or of standard input. */
#define _GNU_SOURCE
#include "cli.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum
{
  MOST_BYTES = 32 << 20, /* the library reads no more */
};

static int
read_all (int fd, char **ret_bytes, size_t *ret_length)
{
  size_t length = 0, size = 64 << 10;
  char *bytes = NULL;
  for (;;)
    {
      char *more = bytes == NULL || length == size ? realloc (bytes, size *= 2) : bytes;
      ssize_t n = more != NULL ? read (fd, more + length, size - length) : -1;
      bytes = more != NULL ? more : bytes;
      if (n < 0 && errno == EINTR)
        continue;
      if (n <= 0 || length + (size_t) n > MOST_BYTES)
        {
          *ret_bytes = bytes;
          *ret_length = length;
          return n == 0 ? 0 : n > 0 ? -EFBIG : -errno;
        }
      length += (size_t) n;
    }
}

int
cli_read_file (const char *what, const char *name, struct cli_file *ret_file,
               struct tare_error *error)
{
  bool standard = strcmp (name, "-") == 0;
  int fd = standard ? STDIN_FILENO : open (name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
  int r = fd < 0 ? -errno : read_all (fd, &ret_file->bytes, &ret_file->length);
  if (fd >= 0 && !standard)
    (void) close (fd);
  ret_file->name = standard ? "standard input" : name;
  if (r < 0)
    return tare_error_set (error, TARE_ERROR_SYSTEM, r, "read %s '%s': %s", what, name,
                           strerror (-r));
  return 0;
}
