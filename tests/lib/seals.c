/* seals PID: what the program of a process is, and whether it can be changed.
 *
 *   link /memfd:tare-init (deleted)
 *   seals seal shrink grow write        (F_GET_SEALS; "none" where it is no memfd)
 *   write EPERM                         (opened for writing and written to: the first refusal)
 *   truncate EPERM
 *
 * The names of errors are errno's; "done" is what must never be seen. The byte that is written is
 * the one that was there.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void
print_seals (int fd)
{
  static const struct
  {
    int bit;
    const char *name;
  } names[] = { { F_SEAL_SEAL, "seal" },
                { F_SEAL_SHRINK, "shrink" },
                { F_SEAL_GROW, "grow" },
                { F_SEAL_WRITE, "write" } };
  int seals = fcntl (fd, F_GET_SEALS);
  printf ("seals");
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (seals > 0 && (seals & names[i].bit) != 0)
      printf (" %s", names[i].name);
  printf ("%s\n", seals > 0 ? "" : " none");
}

static void
print_result (const char *what, int failed)
{
  printf ("%s %s\n", what, failed ? strerrorname_np (errno) : "done");
}

static int
try_write (const char *path)
{
  char byte;
  int fd = open (path, O_RDWR | O_CLOEXEC);
  if (fd < 0)
    return -1;
  int r = pread (fd, &byte, 1, 0) == 1 && pwrite (fd, &byte, 1, 0) == 1 ? 0 : -1;
  int saved = errno;
  (void) close (fd);
  errno = saved;
  return r;
}

int
main (int argc, char **argv)
{
  char path[64], link[256];
  if (argc != 2)
    {
      fprintf (stderr, "usage: seals PID\n");
      return 2;
    }
  (void) snprintf (path, sizeof path, "/proc/%s/exe", argv[1]);
  ssize_t length = readlink (path, link, sizeof link);
  int fd = open (path, O_RDONLY | O_CLOEXEC);
  if (length < 0 || fd < 0)
    {
      fprintf (stderr, "%s: %s\n", path, strerror (errno));
      return 1;
    }
  printf ("link %.*s\n", (int) length, link);
  print_seals (fd);
  print_result ("write", try_write (path) < 0);
  print_result ("truncate", truncate (path, 0) < 0);
  return 0;
}
