/* What a copy of a file tree needs: directory entries, data, times, extended attributes. */
#ifndef TARE_SYS_COPY_H
#define TARE_SYS_COPY_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* The file that an O_PATH descriptor stands for, opened; by /proc, so no name is walked again. */
int sys_reopen (int fd, int flags);

/* The mode of what fd stands for, which may be O_PATH, but not a symbolic link. */
int sys_chmod (int fd, uint32_t mode);
/* Entries of an open directory, "." and ".." too, as getdents64(2) packs them. Returns the length,
 * 0 at the end, or -errno. */
ssize_t sys_read_directory (int fd, void *buffer, size_t size);
/* The name of the entry at *offset of such a buffer; *offset moves to the next. */
const char *sys_entry_name (const void *buffer, size_t *offset);

int sys_linkat (int dirfd, const char *from, int to_dirfd, const char *to);
/* All of from, an open file, into to, a new one; holes stay holes. */
int sys_copy_data (int from, int to);
/* Times of last access and change. Either may be O_PATH, and a symbolic link. */
int sys_copy_times (int from, int to);
/* Extended attributes, but for those that to's file system, or our rights, do not allow. Either may
 * be O_PATH. buffer: for lists and values, 64 KiB each is enough for all that Linux allows. */
int sys_copy_xattrs (int from, int to, char *buffer, size_t size);
/* The SELinux label of what fd stands for, which may be O_PATH. */
int sys_set_selinux_label (int fd, const char *label);

#endif
