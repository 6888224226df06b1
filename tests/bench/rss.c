/* rss COMMAND [ARG...]: runs it and prints the peak resident memory, in KiB, of its largest process
 * (ru_maxrss of all that were waited for). Static and small: a child's peak begins with what it has
 * from its parent. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

int
main (int argc, char **argv)
{
  struct rusage usage;
  int status = 1;
  if (argc < 2)
    return 2;
  pid_t pid = fork ();
  if (pid == 0)
    {
      int null = open ("/dev/null", O_RDWR | O_CLOEXEC);
      (void) dup2 (null, 1);
      execvp (argv[1], argv + 1);
      _exit (127);
    }
  if (pid < 0 || waitpid (pid, &status, 0) < 0 || getrusage (RUSAGE_CHILDREN, &usage) < 0)
    return 1;
  printf ("%ld\n", usage.ru_maxrss);
  return status != 0;
}
