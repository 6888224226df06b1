/* For the inside of a container: makes system calls by number and says what came of each.
 * call [native|i386|x32] NUMBER[,ARGUMENT...]...: a line "NUMBER RESULT" each, RESULT being
 * negative as the kernel has it. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum
{
  ARGUMENTS = 6,
  X32_BIT = 0x40000000,
};

static long
call (const char *abi, long number, const long *a)
{
#ifdef __x86_64__
  if (strcmp (abi, "i386") == 0)
    {
      long r;
      __asm__ volatile("int $0x80"
                       : "=a"(r)
                       : "a"(number), "b"(a[0]), "c"(a[1]), "d"(a[2]), "S"(a[3]), "D"(a[4])
                       : "memory", "r8", "r9", "r10", "r11");
      return (int) r;
    }
  if (strcmp (abi, "x32") == 0)
    number |= X32_BIT;
#endif
  long r = syscall (number, a[0], a[1], a[2], a[3], a[4], a[5]);
  return r < 0 ? -errno : r;
}

int
main (int argc, char **argv)
{
  for (int i = 2; i < argc; i++)
    {
      long arguments[ARGUMENTS] = { 0 };
      char *end;
      long number = strtol (argv[i], &end, 0);
      for (int k = 0; *end == ',' && k < ARGUMENTS; k++)
        arguments[k] = (long) strtoull (end + 1, &end, 0);
      printf ("%ld %ld\n", number, call (argv[1], number, arguments));
      fflush (stdout);
    }
  return 0;
}
