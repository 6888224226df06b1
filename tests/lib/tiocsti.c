/* What a program that wants to type into its caller's terminal does: TIOCSTI on every descriptor
 * and on /dev/tty. Says how often it was let. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>

int
main (void)
{
  int done = 0;
  int tty = open ("/dev/tty", O_RDWR);
  for (int fd = 0; fd < 64; fd++)
    for (const char *c = "echo typed\n"; *c != '\0'; c++)
      done += ioctl (fd, TIOCSTI, c) == 0;
  dprintf (1, "typed %d, tty %d\n", done, tty >= 0);
  return 0;
}
