/* For the inside of a container: looks for processes that are not of it, as somebody hostile would.
 *
 *   attack        tries every other process but process 1, once: a line for each try,
 *                 "exe RESULT", "fd N RESULT", ...; RESULT is the error, or what was got
 *   attack swap A B   exchanges two names for ever
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static void
say (const char *what, const char *result)
{
  printf ("%s %s\n", what, result);
}

/* What a link of /proc/PID leads to: opened, not only read. */
static void
try_link (int process, const char *what, int flags)
{
  char text[512];
  struct stat st;
  int fd = openat (process, what, flags | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0)
    {
      say (what, strerror (errno));
      return;
    }
  char self[64];
  snprintf (self, sizeof self, "/proc/self/fd/%d", fd);
  ssize_t length = readlink (self, text, sizeof text - 1);
  text[length > 0 ? length : 0] = '\0';
  printf ("%s opened %s %s\n", what,
          fstat (fd, &st) == 0 && S_ISDIR (st.st_mode) ? "directory" : "file", text);
  close (fd);
}

static void
try_text (int process, const char *what)
{
  char text[4096];
  int fd = openat (process, what, O_RDONLY | O_CLOEXEC);
  ssize_t length = fd < 0 ? -1 : read (fd, text, sizeof text - 1);
  if (length < 0)
    say (what, strerror (errno));
  else
    printf ("%s read %zd %.*s\n", what, length, (int) length, text);
  if (fd >= 0)
    close (fd);
}

static void
try_seize (pid_t pid)
{
  if (ptrace (PTRACE_SEIZE, pid, NULL, NULL) < 0)
    say ("ptrace", strerror (errno));
  else
    {
      say ("ptrace", "seized");
      (void) ptrace (PTRACE_DETACH, pid, NULL, NULL);
    }
}

/* Writing to a running program's file: ETXTBSY, and to a sealed memfd EPERM. */
static void
try_write (int process)
{
  int fd = openat (process, "exe", O_RDWR | O_CLOEXEC);
  if (fd < 0)
    say ("exe-write", strerror (errno));
  else
    say ("exe-write", pwrite (fd, "x", 1, 0) < 0 ? strerror (errno) : "written");
  if (fd >= 0)
    close (fd);
}

static void
try_descriptors (int process)
{
  int fd = openat (process, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *directory = fd < 0 ? NULL : fdopendir (fd);
  struct dirent *entry;
  if (directory == NULL)
    {
      say ("fd", strerror (errno));
      return;
    }
  while ((entry = readdir (directory)) != NULL)
    if (entry->d_name[0] != '.')
      {
        char name[300];
        snprintf (name, sizeof name, "fd/%s", entry->d_name);
        try_link (process, name, O_RDONLY);
      }
  closedir (directory);
}

static void
attack (pid_t pid)
{
  char path[64];
  snprintf (path, sizeof path, "/proc/%d", (int) pid);
  int process = open (path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (process < 0)
    return;
  printf ("process %d\n", (int) pid);
  try_link (process, "exe", O_RDONLY);
  try_write (process);
  try_link (process, "mem", O_RDWR);
  try_link (process, "cwd", O_RDONLY);
  try_link (process, "root", O_RDONLY);
  try_text (process, "environ");
  try_text (process, "maps");
  try_descriptors (process);
  try_seize (pid);
  close (process);
}

static int
attack_all (void)
{
  DIR *directory = opendir ("/proc");
  struct dirent *entry;
  while (directory != NULL && (entry = readdir (directory)) != NULL)
    {
      pid_t pid = (pid_t) strtol (entry->d_name, NULL, 10);
      if (pid > 1 && pid != getpid () && pid != getppid ())
        attack (pid);
    }
  if (directory != NULL)
    closedir (directory);
  return directory == NULL;
}

int
main (int argc, char **argv)
{
  if (argc == 1)
    return attack_all ();
  if (argc != 4 || strcmp (argv[1], "swap") != 0)
    return 2;
  for (;;)
    if (syscall (SYS_renameat2, AT_FDCWD, argv[2], AT_FDCWD, argv[3], 2 /* RENAME_EXCHANGE */) < 0)
      return 1;
}
