/* The mount options of config.md ("Linux mount options") as data. Knows names and bits, not
 * mounts. */
#include "spec/mount_options.h"

#include <linux/mount.h>
#include <stddef.h>

#include "base/base.h"
#include "plan/plan.h"

const struct mount_option mount_options[] = {
  { "async", OPTION_SUPERBLOCK, 0 },
  { "atime", OPTION_CLEAR, MOUNT_ATTR_NOATIME },
  { "bind", OPTION_BIND, 0 },
  { "defaults", OPTION_NOTHING, 0 },
  { "dev", OPTION_CLEAR, MOUNT_ATTR_NODEV },
  { "diratime", OPTION_CLEAR, MOUNT_ATTR_NODIRATIME },
  { "dirsync", OPTION_SUPERBLOCK, 0 },
  { "exec", OPTION_CLEAR, MOUNT_ATTR_NOEXEC },
  { "idmap", OPTION_IDMAP, PLAN_MOUNT_IDMAP },
  { "iversion", OPTION_NOTHING, 0 }, /* who counts changes of an inode does so unasked */
  { "lazytime", OPTION_SUPERBLOCK, 0 },
  { "loud", OPTION_NOTHING, 0 },
  { "mand", OPTION_NOTHING, 0 }, /* gone since Linux 5.15, which ignores it too */
  { "noatime", OPTION_SET, MOUNT_ATTR_NOATIME },
  { "nodev", OPTION_SET, MOUNT_ATTR_NODEV },
  { "nodiratime", OPTION_SET, MOUNT_ATTR_NODIRATIME },
  { "noexec", OPTION_SET, MOUNT_ATTR_NOEXEC },
  { "noiversion", OPTION_NOTHING, 0 },
  { "nolazytime", OPTION_SUPERBLOCK, 0 },
  { "nomand", OPTION_NOTHING, 0 },
  { "norelatime", OPTION_NOTHING, 0 }, /* relatime is the kernel's default, not a flag */
  { "nostrictatime", OPTION_CLEAR, MOUNT_ATTR_STRICTATIME },
  { "nosuid", OPTION_SET, MOUNT_ATTR_NOSUID },
  { "nosymfollow", OPTION_SET, MOUNT_ATTR_NOSYMFOLLOW },
  { "private", OPTION_PROPAGATION, MS_PRIVATE },
  { "ratime", OPTION_RECURSIVE_CLEAR, MOUNT_ATTR_NOATIME },
  { "rbind", OPTION_RECURSIVE_BIND, 0 },
  { "rdev", OPTION_RECURSIVE_CLEAR, MOUNT_ATTR_NODEV },
  { "rdiratime", OPTION_RECURSIVE_CLEAR, MOUNT_ATTR_NODIRATIME },
  { "relatime", OPTION_SET, MOUNT_ATTR_RELATIME },
  { "remount", OPTION_REMOUNT, 0 },
  { "rexec", OPTION_RECURSIVE_CLEAR, MOUNT_ATTR_NOEXEC },
  { "ridmap", OPTION_IDMAP, PLAN_MOUNT_IDMAP | PLAN_MOUNT_IDMAP_RECURSIVE },
  { "rnoatime", OPTION_RECURSIVE_SET, MOUNT_ATTR_NOATIME },
  { "rnodev", OPTION_RECURSIVE_SET, MOUNT_ATTR_NODEV },
  { "rnodiratime", OPTION_RECURSIVE_SET, MOUNT_ATTR_NODIRATIME },
  { "rnoexec", OPTION_RECURSIVE_SET, MOUNT_ATTR_NOEXEC },
  { "rnorelatime", OPTION_NOTHING, 0 },
  { "rnostrictatime", OPTION_RECURSIVE_CLEAR, MOUNT_ATTR_STRICTATIME },
  { "rnosuid", OPTION_RECURSIVE_SET, MOUNT_ATTR_NOSUID },
  { "rnosymfollow", OPTION_RECURSIVE_SET, MOUNT_ATTR_NOSYMFOLLOW },
  { "ro", OPTION_SET, MOUNT_ATTR_RDONLY },
  { "rprivate", OPTION_RECURSIVE_PROPAGATION, MS_PRIVATE },
  { "rrelatime", OPTION_RECURSIVE_SET, MOUNT_ATTR_RELATIME },
  { "rro", OPTION_RECURSIVE_SET, MOUNT_ATTR_RDONLY },
  { "rrw", OPTION_RECURSIVE_CLEAR, MOUNT_ATTR_RDONLY },
  { "rshared", OPTION_RECURSIVE_PROPAGATION, MS_SHARED },
  { "rslave", OPTION_RECURSIVE_PROPAGATION, MS_SLAVE },
  { "rstrictatime", OPTION_RECURSIVE_SET, MOUNT_ATTR_STRICTATIME },
  { "rsuid", OPTION_RECURSIVE_CLEAR, MOUNT_ATTR_NOSUID },
  { "rsymfollow", OPTION_RECURSIVE_CLEAR, MOUNT_ATTR_NOSYMFOLLOW },
  { "runbindable", OPTION_RECURSIVE_PROPAGATION, MS_UNBINDABLE },
  { "rw", OPTION_CLEAR, MOUNT_ATTR_RDONLY },
  { "shared", OPTION_PROPAGATION, MS_SHARED },
  { "silent", OPTION_NOTHING, 0 },
  { "slave", OPTION_PROPAGATION, MS_SLAVE },
  { "strictatime", OPTION_SET, MOUNT_ATTR_STRICTATIME },
  { "suid", OPTION_CLEAR, MOUNT_ATTR_NOSUID },
  { "symfollow", OPTION_CLEAR, MOUNT_ATTR_NOSYMFOLLOW },
  { "sync", OPTION_SUPERBLOCK, 0 },
  { "tmpcopyup", OPTION_COPY_UP, 0 },
  { "unbindable", OPTION_PROPAGATION, MS_UNBINDABLE },
  /* crun's own, known so that they are not handed to a file system as data */
  { "copy-symlink", OPTION_BIND_FLAG, PLAN_MOUNT_COPY_SYMLINK },
  { "dest-nofollow", OPTION_BIND_FLAG, PLAN_MOUNT_TARGET_NOFOLLOW },
  { "src-nofollow", OPTION_BIND_FLAG, PLAN_MOUNT_SOURCE_NOFOLLOW },
  { NULL, OPTION_NOTHING, 0 },
};

const struct mount_option *
mount_option_find (const char *name)
{
  for (const struct mount_option *option = mount_options; option->name != NULL; option++)
    {
      const char *rest = str_after (name, option->name);
      if (rest != NULL && (*rest == '\0' || (*rest == '=' && option->kind == OPTION_IDMAP)))
        return option;
    }
  return NULL;
}
