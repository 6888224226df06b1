/* stuck DIRECTORY: mounts a FUSE file system there that answers nothing but its first message, says
 * "ready" and waits to be killed. A process that looks into DIRECTORY then waits for an answer:
 * with a signal in an uninterruptible sleep (state D) that even SIGKILL does not end, as with a
 * dead network file system. The end of this program lets it go.
 *
 * Only the kernel's header is needed: linux/fuse.h.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/fuse.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

static int
fail (const char *what)
{
  perror (what);
  return 1;
}

/* FUSE_INIT alone is answered: from then on the file system works, for all that anybody knows. */
static int
answer_init (int fd, const char *request)
{
  struct fuse_in_header in;
  struct fuse_init_in init;
  struct
  {
    struct fuse_out_header header;
    struct fuse_init_out init;
  } out = { 0 };
  memcpy (&in, request, sizeof in);
  memcpy (&init, request + sizeof in, sizeof init);
  out.header.len = sizeof out;
  out.header.unique = in.unique;
  out.init.major = FUSE_KERNEL_VERSION;
  out.init.minor = init.minor < FUSE_KERNEL_MINOR_VERSION ? init.minor : FUSE_KERNEL_MINOR_VERSION;
  out.init.max_write = 4096;
  return write (fd, &out, sizeof out) == sizeof out ? 0 : fail ("answer");
}

int
main (int argc, char **argv)
{
  static char request[1 << 17];
  char options[128];
  int fd = open ("/dev/fuse", O_RDWR | O_CLOEXEC);
  if (argc != 2 || fd < 0)
    return fail ("/dev/fuse");
  (void) snprintf (options, sizeof options, "fd=%d,rootmode=40755,user_id=0,group_id=0,allow_other",
                   fd);
  if (mount ("stuck", argv[1], "fuse", MS_NOSUID | MS_NODEV, options) < 0)
    return fail ("mount");
  if (read (fd, request, sizeof request) < (ssize_t) sizeof (struct fuse_in_header)
      || answer_init (fd, request) != 0)
    return fail ("init");
  (void) printf ("ready\n");
  (void) fflush (stdout);
  while (read (fd, request, sizeof request) > 0)
    continue;
  return 0;
}
