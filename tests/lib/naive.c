/* What a runtime must not do, for the tests to show that their attacks are real: it looks whether a
 * path stays below a root, and then uses the path.
 *
 *   naive ROOT PATH     makes the directory PATH below ROOT, where missing, and a file "made" in it
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int
main (int argc, char **argv)
{
  char path[PATH_MAX], resolved[PATH_MAX], made[2 * PATH_MAX];
  if (argc != 3)
    return 2;
  snprintf (path, sizeof path, "%s%s", argv[1], argv[2]);
  if (realpath (path, resolved) == NULL && errno != ENOENT)
    return perror (path), 1;
  if (strncmp (resolved, argv[1], strlen (argv[1])) != 0)
    return fprintf (stderr, "%s is outside\n", resolved), 1;
  if (mkdir (path, 0755) < 0 && errno != EEXIST)
    return perror (path), 1;
  snprintf (made, sizeof made, "%s/made", path);
  int fd = open (made, O_CREAT | O_WRONLY, 0644);
  return fd < 0 ? perror (made), 1 : 0;
}
