/* Files by descriptor: openat2(2), statx(2), memfd_create(2), close_range(2). Owns nothing; says
 * -errno and nothing else. The one file besides process.c that may take paths: its callers answer
 * for them. */
#include "sys/file.h"

#include <errno.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <linux/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif
#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U
#endif
#ifndef STATX_MNT_ID
#define STATX_MNT_ID 0x1000U
#endif
#ifndef STATX_ATTR_MOUNT_ROOT
#define STATX_ATTR_MOUNT_ROOT 0x2000
#endif
#ifndef ST_RDONLY
#define ST_RDONLY 1
#endif
#ifndef F_SEAL_EXEC
#define F_SEAL_EXEC 0x0020
#endif

enum
{
  OPENAT2_TRIES = 64, /* a rename storm must not hold us for ever */
};

static int
result (long r)
{
  return r < 0 ? -errno : (int) r;
}

int
sys_openat2 (int dirfd, const char *path, uint64_t flags, uint32_t mode, uint64_t resolve)
{
  struct open_how how = { .flags = flags | O_CLOEXEC, .mode = mode, .resolve = resolve };
  long fd = -1;
  for (int i = 0; i < OPENAT2_TRIES; i++)
    {
      fd = syscall (SYS_openat2, dirfd, path, &how, sizeof how);
      if (fd >= 0 || (errno != EAGAIN && errno != EINTR))
        break;
    }
  return result (fd);
}

int
sys_open (const char *path, int flags, uint32_t mode)
{
  /* musl's open sets O_CLOEXEC once more, by fcntl. */
  return result (syscall (SYS_openat, AT_FDCWD, path, flags | O_CLOEXEC, mode));
}

int
sys_mkdirat (int dirfd, const char *name, uint32_t mode)
{
  return result (mkdirat (dirfd, name, mode));
}

int
sys_mknodat (int dirfd, const char *name, uint32_t mode, uint64_t device)
{
  return result (mknodat (dirfd, name, mode, device));
}

int
sys_symlinkat (const char *target, int dirfd, const char *name)
{
  return result (symlinkat (target, dirfd, name));
}

int
sys_unlinkat (int dirfd, const char *name, int flags)
{
  return result (unlinkat (dirfd, name, flags));
}

int
sys_renameat (int dirfd, const char *from, const char *to)
{
  return result (renameat (dirfd, from, dirfd, to));
}

ssize_t
sys_readlinkat (int dirfd, const char *name, char *buffer, size_t size)
{
  ssize_t length = readlinkat (dirfd, name, buffer, size - 1);
  if (length < 0)
    return -errno;
  buffer[length] = '\0';
  return length;
}

int
sys_fchmod (int fd, uint32_t mode)
{
  return result (fchmod (fd, mode));
}

int
sys_fchmodat (int dirfd, const char *name, uint32_t mode)
{
  return result (fchmodat (dirfd, name, mode, 0));
}

int
sys_fchownat (int dirfd, const char *name, uint32_t uid, uint32_t gid, int flags)
{
  return result (fchownat (dirfd, name, uid, gid, flags));
}

int
sys_chdir (const char *path)
{
  return result (chdir (path));
}

int
sys_fchdir (int fd)
{
  return result (fchdir (fd));
}

int
sys_chroot (const char *path)
{
  return result (chroot (path));
}

static int
stat_any (int fd, const char *path, int flags, struct sys_stat *ret_stat)
{
  struct statx st;
  if (syscall (SYS_statx, fd, path, flags | AT_NO_AUTOMOUNT, STATX_BASIC_STATS | STATX_MNT_ID, &st)
      < 0)
    return -errno;
  *ret_stat = (struct sys_stat){
    .mount_id = st.stx_mnt_id,
    .inode = st.stx_ino,
    .mode = st.stx_mode,
    .uid = st.stx_uid,
    .gid = st.stx_gid,
    .nlink = st.stx_nlink,
    .device_major = st.stx_dev_major,
    .device_minor = st.stx_dev_minor,
    .rdev_major = st.stx_rdev_major,
    .rdev_minor = st.stx_rdev_minor,
    .size = st.stx_size,
    .mount_root = (st.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0,
  };
  return 0;
}

int
sys_stat (int fd, const char *path, struct sys_stat *ret_stat)
{
  bool itself = path == NULL || *path == '\0';
  return stat_any (fd, itself ? "" : path, AT_SYMLINK_NOFOLLOW | (itself ? AT_EMPTY_PATH : 0),
                   ret_stat);
}

int
sys_stat_path (const char *path, struct sys_stat *ret_stat)
{
  return stat_any (AT_FDCWD, path, 0, ret_stat);
}

int
sys_is_read_only (const char *path)
{
  struct statfs fs;
  if (statfs (path, &fs) < 0)
    return -errno;
  return (fs.f_flags & ST_RDONLY) != 0;
}

int
sys_fs_magic (int fd, uint64_t *ret_magic)
{
  struct statfs fs;
  if (fstatfs (fd, &fs) < 0)
    return -errno;
  *ret_magic = (uint32_t) fs.f_type;
  return 0;
}

ssize_t
sys_read_full (int fd, void *buffer, size_t size)
{
  size_t done = 0;
  while (done < size)
    {
      ssize_t n = read (fd, (char *) buffer + done, size - done);
      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        return -errno;
      if (n == 0)
        break;
      done += (size_t) n;
    }
  return (ssize_t) done;
}

ssize_t
sys_read_once (int fd, void *buffer, size_t size)
{
  ssize_t n;
  do
    n = read (fd, buffer, size);
  while (n < 0 && errno == EINTR);
  return n < 0 ? -errno : n;
}

int
sys_write_full (int fd, const void *bytes, size_t length)
{
  size_t done = 0;
  while (done < length)
    {
      ssize_t n = write (fd, (const char *) bytes + done, length - done);
      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        return -errno;
      done += (size_t) n;
    }
  return 0;
}

int
sys_write_once (int fd, const char *text)
{
  size_t length = 0;
  while (text[length] != '\0')
    length++;
  ssize_t n;
  do
    n = write (fd, text, length);
  while (n < 0 && errno == EINTR);
  if (n < 0)
    return -errno;
  return (size_t) n == length ? 0 : -EIO;
}

int
sys_memfd (const char *name, bool executable)
{
  unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
  long fd = syscall (SYS_memfd_create, name, flags | (executable ? MFD_EXEC : MFD_NOEXEC_SEAL));
  if (fd < 0 && errno == EINVAL) /* before Linux 6.3 */
    fd = syscall (SYS_memfd_create, name, flags);
  return result (fd);
}

int
sys_seal (int fd)
{
  return result (fcntl (fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE));
}

int
sys_truncate (int fd, uint64_t size)
{
  return result (ftruncate (fd, (off_t) size));
}

int
sys_rewind (int fd)
{
  return lseek (fd, 0, SEEK_SET) < 0 ? -errno : 0;
}

int
sys_pipe (int ret_fds[2])
{
  int fds[2];
  if (pipe2 (fds, O_CLOEXEC) < 0)
    return -errno;
  /* Of this end alone: who writes expects to wait. */
  if (fcntl (fds[0], F_SETFL, O_NONBLOCK) < 0)
    {
      int r = -errno;
      (void) close (fds[0]);
      (void) close (fds[1]);
      return r;
    }
  ret_fds[0] = fds[0];
  ret_fds[1] = fds[1];
  return 0;
}

void *
sys_map (int fd, size_t size, bool writable, int *ret_error)
{
  void *address =
      mmap (NULL, size, writable ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED, fd, 0);
  if (address != MAP_FAILED)
    return address;
  *ret_error = -errno;
  return NULL;
}

void
sys_unmap (void *address, size_t size)
{
  if (address != NULL)
    (void) munmap (address, size);
}

int
sys_close_range (unsigned first, unsigned last, unsigned flags)
{
  return result (syscall (SYS_close_range, first, last, flags));
}

int
sys_set_cloexec (int fd, bool on)
{
  return result (fcntl (fd, F_SETFD, on ? FD_CLOEXEC : 0));
}

int
sys_dup_above (int fd, int minimum)
{
  return result (fcntl (fd, F_DUPFD_CLOEXEC, minimum));
}

int
sys_dup3 (int from, int to, int flags)
{
  return result (dup3 (from, to, flags));
}

int
sys_flock (int fd, int operation)
{
  int r;
  do
    r = result (flock (fd, operation));
  while (r == -EINTR);
  return r;
}
