/* Files by descriptor: openat2, memfd, statx. Paths are resolved below a held directory. */
#ifndef TARE_SYS_FILE_H
#define TARE_SYS_FILE_H

#include <fcntl.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* openat2(2) with O_CLOEXEC added; EAGAIN (a rename raced with the walk) is retried a bounded
 * number of times. Returns a descriptor or -errno. */
int sys_openat2 (int dirfd, const char *path, uint64_t flags, uint32_t mode, uint64_t resolve);
/* Trusted paths only: the host side's own arguments, /proc, /dev of the host. */
int sys_open (const char *path, int flags, uint32_t mode);
int sys_mkdirat (int dirfd, const char *name, uint32_t mode);
int sys_mknodat (int dirfd, const char *name, uint32_t mode, uint64_t device);
int sys_symlinkat (const char *target, int dirfd, const char *name);
int sys_unlinkat (int dirfd, const char *name, int flags);
int sys_renameat (int dirfd, const char *from, const char *to);
/* Length of the target (not terminated by the kernel; we terminate), or -errno. */
ssize_t sys_readlinkat (int dirfd, const char *name, char *buffer, size_t size);
int sys_fchmod (int fd, uint32_t mode);
/* Follows a link: for names that are our own. */
int sys_fchmodat (int dirfd, const char *name, uint32_t mode);
int sys_fchownat (int dirfd, const char *name, uint32_t uid, uint32_t gid, int flags);
int sys_chdir (const char *path);
int sys_fchdir (int fd);
int sys_chroot (const char *path);

struct sys_stat
{
  uint64_t mount_id, inode;
  uint32_t mode, uid, gid, nlink;
  uint32_t device_major, device_minor; /* of the file system */
  uint32_t rdev_major, rdev_minor;     /* of a device node */
  uint64_t size;
  bool mount_root;
};
/* statx(2) of fd itself (path NULL or ""), or of path below it; AT_SYMLINK_NOFOLLOW always. */
int sys_stat (int fd, const char *path, struct sys_stat *ret_stat);
/* The same of a path that is looked up as the process itself would, links and all: what it finds is
 * only ever compared. */
int sys_stat_path (const char *path, struct sys_stat *ret_stat);
/* 1 or 0 of the mount, and its file system, to which such a path leads; -errno. */
int sys_is_read_only (const char *path);
/* The file system's magic number (statfs f_type) of an open file. */
int sys_fs_magic (int fd, uint64_t *ret_magic);

/* Reads until EOF or size; returns the length or -errno. */
ssize_t sys_read_full (int fd, void *buffer, size_t size);
/* One read(2): enough for a file of /proc or /sys that is shorter than size and than a page, which
 * the kernel gives in one piece. The length or -errno. */
ssize_t sys_read_once (int fd, void *buffer, size_t size);
/* Writes all of it; 0 or -errno. */
int sys_write_full (int fd, const void *bytes, size_t length);
/* One write(2), as kernel files want it; -EIO when short. */
int sys_write_once (int fd, const char *text);

/* memfd_create(2); executable says whether MFD_EXEC or MFD_NOEXEC_SEAL is asked for (old kernels
 * know neither: then without). */
int sys_memfd (const char *name, bool executable);
/* Forbids every further change, and further seals. */
int sys_seal (int fd);
int sys_truncate (int fd, uint64_t size);
/* The next read begins at the front. */
int sys_rewind (int fd);
/* A pipe: [0] is read, without waiting, [1] is written. */
int sys_pipe (int ret_fds[2]);
/* Maps size bytes of fd shared; writable or not. NULL and *ret_error on failure. */
void *sys_map (int fd, size_t size, bool writable, int *ret_error);
void sys_unmap (void *address, size_t size);

int sys_close_range (unsigned first, unsigned last, unsigned flags);
int sys_set_cloexec (int fd, bool on);
/* A duplicate numbered at least minimum, O_CLOEXEC. */
int sys_dup_above (int fd, int minimum);
int sys_dup3 (int from, int to, int flags);
int sys_flock (int fd, int operation);

#endif
