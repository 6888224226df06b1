/* getdents64(2), sendfile(2), SEEK_DATA, utimensat(2), xattr(7): what a copy of a file tree needs.
 * Decides nothing about what is copied. The paths are /proc/self/fd/N of descriptors held here. */
#include "sys/copy.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "sys/file.h"

enum
{
  CHUNK = 1 << 30, /* sendfile(2) takes at most 2 GiB */
};

static int
result (long r)
{
  return r < 0 ? -errno : (int) r;
}

struct magic_link
{
  char path[32];
};

static struct magic_link
magic_link (int fd)
{
  struct magic_link link;
  (void) snprintf (link.path, sizeof link.path, "/proc/self/fd/%d", fd);
  return link;
}

int
sys_reopen (int fd, int flags)
{
  return sys_open (magic_link (fd).path, flags, 0);
}

int
sys_chmod (int fd, uint32_t mode)
{
  return result (fchmodat (AT_FDCWD, magic_link (fd).path, mode, 0));
}

ssize_t
sys_read_directory (int fd, void *buffer, size_t size)
{
  return result (syscall (SYS_getdents64, fd, buffer, size));
}

/* struct linux_dirent64, which no header has: inode, offset, length of the entry, type, name. */
enum
{
  ENTRY_LENGTH = 16,
  ENTRY_NAME = 19,
};

const char *
sys_entry_name (const void *buffer, size_t *offset)
{
  const char *entry = (const char *) buffer + *offset;
  uint16_t length;
  memcpy (&length, entry + ENTRY_LENGTH, sizeof length);
  *offset += length;
  return entry + ENTRY_NAME;
}

int
sys_linkat (int dirfd, const char *from, int to_dirfd, const char *to)
{
  return result (linkat (dirfd, from, to_dirfd, to, 0));
}

/* The bytes of from until end, to the same place of to. A file that got shorter meanwhile ends
 * where it ends. */
static int
copy_extent (int from, int to, off_t begin, off_t end)
{
  if (lseek (to, begin, SEEK_SET) < 0)
    return -errno;
  while (begin < end)
    {
      off_t rest = end - begin;
      ssize_t n = sendfile (to, from, &begin, rest < CHUNK ? (size_t) rest : CHUNK);
      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        return -errno;
      if (n == 0)
        break;
    }
  return 0;
}

int
sys_copy_data (int from, int to)
{
  off_t size = lseek (from, 0, SEEK_END);
  if (size < 0 || ftruncate (to, size) < 0)
    return -errno;
  for (off_t data = 0, hole; data < size; data = hole)
    {
      data = lseek (from, data, SEEK_DATA);
      if (data < 0)
        return errno == ENXIO ? 0 : -errno; /* the rest is a hole */
      hole = lseek (from, data, SEEK_HOLE);
      int r = hole < 0 ? -errno : copy_extent (from, to, data, hole);
      if (r < 0)
        return r;
    }
  return 0;
}

int
sys_copy_times (int from, int to)
{
  struct stat st;
  if (fstatat (from, "", &st, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW) < 0)
    return -errno;
  const struct timespec times[] = { st.st_atim, st.st_mtim };
  return result (utimensat (to, "", times, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW));
}

int
sys_copy_xattrs (int from, int to, char *buffer, size_t size)
{
  const struct magic_link source = magic_link (from), target = magic_link (to);
  char *value = buffer + size / 2;
  ssize_t length = listxattr (source.path, buffer, size / 2);
  if (length < 0)
    return errno == EOPNOTSUPP ? 0 : -errno;
  for (const char *name = buffer; name < buffer + length; name += strlen (name) + 1)
    {
      ssize_t n = getxattr (source.path, name, value, size / 2);
      int r = n < 0 ? -errno : result (setxattr (target.path, name, value, (size_t) n, 0));
      if (r < 0 && r != -EOPNOTSUPP && r != -EPERM && r != -ENODATA)
        return r;
    }
  return 0;
}

int
sys_set_selinux_label (int fd, const char *label)
{
  return result (setxattr (magic_link (fd).path, "security.selinux", label, strlen (label) + 1, 0));
}
