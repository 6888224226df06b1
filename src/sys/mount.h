/* The mount API by file descriptor (fsopen(2) and friends, mount_setattr(2)), pivot_root(2).
 * <linux/mount.h> and glibc's <sys/mount.h> do not go together: nothing here includes the latter.
 */
#ifndef TARE_SYS_MOUNT_H
#define TARE_SYS_MOUNT_H

#include <linux/mount.h>
#include <stddef.h>
#include <stdint.h>

#ifndef MNT_DETACH
#define MNT_DETACH 2
#endif
#ifndef UMOUNT_NOFOLLOW
#define UMOUNT_NOFOLLOW 8
#endif
#ifndef OPEN_TREE_CLONE
#define OPEN_TREE_CLONE 1
#endif

int sys_fsopen (const char *type);
int sys_fsconfig_string (int fs, const char *key, const char *value);
int sys_fsconfig_flag (int fs, const char *key);
int sys_fsconfig_create (int fs);
/* The file system of a mount, to change its options; then: apply them. */
int sys_fspick (int mount);
int sys_fsconfig_reconfigure (int fs);
int sys_fsmount (int fs, uint64_t attributes);
/* The kernel's own words on the last failure of fs ("e tmpfs: Bad value for 'mode'"), one line,
 * without the level prefix; an empty string if there are none. */
void sys_fs_message (int fs, char *buffer, size_t size);

/* flags: OPEN_TREE_CLONE, AT_RECURSIVE, AT_EMPTY_PATH, AT_SYMLINK_NOFOLLOW; O_CLOEXEC is added. */
int sys_open_tree (int dirfd, const char *path, unsigned flags);
/* Attaches the detached tree onto the object that target stands for. */
int sys_move_mount (int tree, int target);
/* flags: AT_RECURSIVE. */
int sys_mount_setattr (int mount, unsigned flags, const struct mount_attr *attributes);
int sys_umount (const char *path, int flags);
int sys_pivot_root (const char *new_root, const char *put_old);

#endif
