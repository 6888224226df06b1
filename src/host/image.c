/* tare-init, ready to be executed: from a sealed memfd, so that nothing of the runtime's own file
 * is ever visible from a container (CVE-2019-5736), and the copy cannot be changed either. */
#include "host/internal.h"

#include <fcntl.h>

extern const unsigned char tare_init_image[], tare_init_image_end[]; /* init-image.S */

/* Where the kernel or a security module forbids executable memfds, the installed file serves:
 * by a read-only mount that is nobody's but ours, and dissolved when the last descriptor closes. */
static int
open_installed (struct tare_error *error)
{
  struct mount_attr read_only = { .attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID };
  autoclose int tree = sys_open_tree (AT_FDCWD, TARE_LIBEXECDIR "/tare-init", OPEN_TREE_CLONE);
  int r = tree;
  if (tree >= 0)
    r = sys_mount_setattr (tree, 0, &read_only);
  if (r < 0)
    return fail (error, r, "open '%s'", TARE_LIBEXECDIR "/tare-init");
  return take_fd (&tree);
}

int
image_open (const struct log *log, struct tare_error *error)
{
  size_t length = (size_t) (tare_init_image_end - tare_init_image);
  autoclose int fd = sys_memfd ("tare-init", true);
  if (fd == -EACCES || fd == -EPERM) /* vm.memfd_noexec=2 */
    {
      log_debug (log, "executable memfds are forbidden here, taking tare-init from its file");
      return open_installed (error);
    }
  if (fd < 0)
    return fail (error, fd, "make a memfd for tare-init");
  int r = sys_write_full (fd, tare_init_image, length);
  if (r == 0)
    r = sys_seal (fd);
  if (r < 0)
    return fail (error, r, "write tare-init to its memfd");
  return take_fd (&fd);
}
