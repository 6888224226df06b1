/* fsopen(2), fsconfig(2), fsmount(2), open_tree(2), move_mount(2), mount_setattr(2),
 * pivot_root(2), umount2(2). Says -errno and nothing else; what is mounted where is decided
 * elsewhere. */
#include "sys/mount.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

static int
result (long r)
{
  return r < 0 ? -errno : (int) r;
}

int
sys_fsopen (const char *type)
{
  return result (syscall (SYS_fsopen, type, FSOPEN_CLOEXEC));
}

int
sys_fsconfig_string (int fs, const char *key, const char *value)
{
  return result (syscall (SYS_fsconfig, fs, FSCONFIG_SET_STRING, key, value, 0));
}

int
sys_fsconfig_flag (int fs, const char *key)
{
  return result (syscall (SYS_fsconfig, fs, FSCONFIG_SET_FLAG, key, NULL, 0));
}

int
sys_fsconfig_create (int fs)
{
  return result (syscall (SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0));
}

int
sys_fsconfig_reconfigure (int fs)
{
  return result (syscall (SYS_fsconfig, fs, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0));
}

int
sys_fspick (int mount)
{
  return result (syscall (SYS_fspick, mount, "", FSPICK_CLOEXEC | FSPICK_EMPTY_PATH));
}

int
sys_fsmount (int fs, uint64_t attributes)
{
  return result (syscall (SYS_fsmount, fs, FSMOUNT_CLOEXEC, (unsigned) attributes));
}

void
sys_fs_message (int fs, char *buffer, size_t size)
{
  ssize_t length;
  char last[256];
  buffer[0] = '\0';
  /* The newest message is read last; one read gives one message. */
  while ((length = read (fs, last, sizeof last - 1)) > 0)
    {
      size_t from = length > 2 && last[1] == ' ' ? 2 : 0, to = 0;
      for (size_t i = from; i < (size_t) length && last[i] != '\n' && to < size - 1; i++)
        buffer[to++] = last[i];
      buffer[to] = '\0';
    }
}

int
sys_open_tree (int dirfd, const char *path, unsigned flags)
{
  return result (syscall (SYS_open_tree, dirfd, path, flags | O_CLOEXEC));
}

int
sys_move_mount (int tree, int target)
{
  return result (syscall (SYS_move_mount, tree, "", target, "",
                          MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH));
}

int
sys_mount_setattr (int mount, unsigned flags, const struct mount_attr *attributes)
{
  return result (syscall (SYS_mount_setattr, mount, "", flags | AT_EMPTY_PATH, attributes,
                          sizeof *attributes));
}

int
sys_umount (const char *path, int flags)
{
  return result (syscall (SYS_umount2, path, flags));
}

int
sys_pivot_root (const char *new_root, const char *put_old)
{
  return result (syscall (SYS_pivot_root, new_root, put_old));
}
