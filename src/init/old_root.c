/* What a container whose root is moved, not pivoted to, must not keep: a whole procfs or sysfs of
 * the host's. They stay in its mount namespace, below its root. Nobody sees them there, but the
 * kernel grants a new procfs without any mask, in a user namespace, to whoever has a whole one
 * mounted somewhere.
 */
#include "init/init.h"

#include <linux/magic.h>
#include <unistd.h>

enum
{
  MOST_DROPPED = 4096,
};

/* A line of mountinfo; the texts are in the reader's buffer. */
struct entry
{
  uint64_t id;
  char *root, *point, *type;
};

struct reader
{
  int fd;
  size_t at, length;
  char text[32768]; /* an overlay's line has all its layers */
};

static int
next_line (struct reader *reader, char **ret_line)
{
  while (true)
    {
      char *start = reader->text + reader->at;
      char *end = memchr (start, '\n', reader->length - reader->at);
      if (end != NULL)
        {
          *end = '\0';
          reader->at = (size_t) (end + 1 - reader->text);
          *ret_line = start;
          return 1;
        }
      reader->length -= reader->at;
      memmove (reader->text, start, reader->length);
      reader->at = 0;
      ssize_t n =
          read (reader->fd, reader->text + reader->length, sizeof reader->text - reader->length);
      if (n <= 0) /* the whole buffer without an end of line reads 0 too */
        return n < 0 ? -errno : reader->length > 0 ? -EBADMSG : 0;
      reader->length += (size_t) n;
    }
}

/* The kernel writes blanks and the like as \ooo. */
static void
unescape (char *text)
{
  char *to = text;
  for (const char *from = text; *from != '\0'; to++)
    if (from[0] == '\\' && from[1] >= '0' && from[1] <= '3' && from[2] >= '0' && from[2] <= '7'
        && from[3] >= '0' && from[3] <= '7')
      {
        *to = (char) ((from[1] - '0') << 6 | (from[2] - '0') << 3 | (from[3] - '0'));
        from += 4;
      }
    else
      *to = *from++;
  *to = '\0';
}

static int
parse_entry (char *line, struct entry *ret_entry)
{
  char *words[6];
  for (size_t i = 0; i < COUNT_OF (words); i++)
    words[i] = strsep (&line, " ");
  char *type = line != NULL ? strstr (line, "- ") : NULL;
  if (type == NULL || parse_u64 (words[0], UINT64_MAX, &ret_entry->id) < 0)
    return -EBADMSG;
  type += 2;
  ret_entry->root = words[3];
  ret_entry->point = words[4];
  ret_entry->type = strsep (&type, " ");
  unescape (ret_entry->point);
  return 0;
}

/* 1 and the next entry, or 0 at the end. */
static int
next_entry (struct reader *reader, struct entry *ret_entry)
{
  char *line = NULL;
  int r = next_line (reader, &line);
  if (r > 0 && parse_entry (line, ret_entry) < 0)
    return -EBADMSG;
  return r;
}

static int
rewind_reader (struct reader *reader)
{
  reader->at = 0;
  reader->length = 0;
  return lseek (reader->fd, 0, SEEK_SET) < 0 ? -errno : 0;
}

/* Where the kernel says that the container's root is: root.path may lead there by links. */
static int
find_root (struct reader *reader, uint64_t id, char *ret_point, size_t size)
{
  struct entry entry;
  int r;
  while ((r = next_entry (reader, &entry)) > 0)
    if (entry.id == id)
      {
        size_t length = strlen (entry.point);
        if (length >= size)
          return -ENAMETOOLONG;
        memcpy (ret_point, entry.point, length + 1);
        return 0;
      }
  return r < 0 ? r : -ENOENT;
}

/* In a user namespace the host's mounts are locked. What is covered counts as not seen. */
static int
cover (int mount)
{
  autoclose int fs = sys_fsopen ("tmpfs");
  int r = fs < 0 ? fs : sys_fsconfig_create (fs);
  autoclose int tree = r < 0 ? r : sys_fsmount (fs, MOUNT_ATTR_RDONLY);
  return tree < 0 ? tree : sys_move_mount (tree, mount);
}

/* 1: it is gone; 0: another mount covers it there. */
static int
drop (const struct entry *entry)
{
  struct sys_stat st;
  autoclose int mount = sys_open (entry->point, O_PATH | O_NOFOLLOW | O_DIRECTORY, 0);
  int r = mount < 0 ? mount : sys_stat (mount, NULL, &st);
  if (r < 0)
    return r;
  if (st.mount_id != entry->id)
    return st.mount_root ? 0 : -EBUSY;
  /* The host keeps it. */
  struct mount_attr slave = { .propagation = MS_SLAVE };
  r = sys_mount_setattr (mount, AT_RECURSIVE, &slave);
  if (r >= 0)
    r = sys_fchdir (mount);
  if (r < 0)
    return r;
  r = sys_umount (".", MNT_DETACH);
  if (r == -EINVAL || r == -EPERM)
    r = cover (mount);
  return r < 0 ? r : 1;
}

static bool
is_hosts (const struct entry *entry, const char *root)
{
  return (str_equal (entry->type, "proc") || str_equal (entry->type, "sysfs"))
         && str_equal (entry->root, "/") && !str_equal (entry->point, root)
         && !path_is_below (entry->point, root);
}

/* The first that can be dropped; 0: there is none. */
static int
drop_next (struct reader *reader, const char *root, struct tare_error *error)
{
  struct entry entry;
  int r = rewind_reader (reader);
  while (r >= 0 && (r = next_entry (reader, &entry)) > 0)
    if (is_hosts (&entry, root))
      {
        r = drop (&entry);
        if (r < 0)
          return fail (error, r, "--no-pivot: unmount the host's %s '%s'", entry.type, entry.point);
        if (r > 0)
          return r;
      }
  return r < 0 ? fail (error, r, "--no-pivot: read mountinfo") : 0;
}

int
old_root_drop (const struct init *init, struct tare_error *error)
{
  char root[PATH_MAX];
  struct sys_stat st;
  uint64_t magic;
  autoclose int fd = sys_open ("/proc/self/mountinfo", O_RDONLY, 0);
  struct reader reader = { .fd = fd };
  int r = fd < 0 ? fd : sys_fs_magic (fd, &magic);
  if (r >= 0 && magic != PROC_SUPER_MAGIC)
    r = -EBADF;
  if (r >= 0)
    r = sys_stat (init->root, NULL, &st);
  if (r >= 0)
    r = find_root (&reader, st.mount_id, root, sizeof root);
  if (r < 0)
    return fail (error, r, "--no-pivot: find the host's procfs in mountinfo");
  for (int i = 0; i < MOST_DROPPED && r >= 0; i++)
    {
      r = drop_next (&reader, root, error);
      if (r == 0)
        return 0;
    }
  return r < 0 ? r : fail (error, E2BIG, "--no-pivot: too many procfs on the host");
}
