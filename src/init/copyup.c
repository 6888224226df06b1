/* tmpcopyup: a new tmpfs begins as a copy of the directory that it is about to cover.
 *
 * The copy is made while the tmpfs is detached: nobody else can reach it, so its side needs no
 * distrust. The other side is the image's, or a volume's that somebody changes at this moment:
 * every entry is opened once, by its name alone, below its directory's descriptor and never through
 * a link; what is copied is what that descriptor stands for. What is mounted further down stays
 * out.
 */
#include "init/init.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>

enum
{
  MOST_DEPTH = 128, /* directories in one another: descriptors and stack are not the image's */
  ATTRIBUTES_SIZE = 128 << 10,
  MOST_LINKED = 1024, /* files with several names that are remembered */
  NAMES_SIZE = 256 << 10,
};

struct linked
{
  uint64_t inode;
  const char *path; /* of its first copy, below the new root */
};

struct copy
{
  int root;     /* of the new tmpfs */
  char *xattrs; /* ATTRIBUTES_SIZE */
  char *names;  /* NAMES_SIZE: the paths of linked */
  size_t n_names;
  struct linked *linked; /* MOST_LINKED */
  size_t n_linked, depth;
  char path[PATH_MAX]; /* of the entry at hand, below both roots */
};

static int copy_entries (struct copy *copy, int from, int to, struct tare_error *error);

/* ---- what an inode is besides its contents --------------------------------------------------- */

/* chown takes set-id bits and capabilities away, and an ACL is the mode's other half: hence the
 * order. An owner that this user namespace does not know cannot be kept; then nobody may become the
 * new one by running the file. */
static int
copy_owner_and_mode (int to, const struct sys_stat *st)
{
  uint32_t mode = st->mode & 07777;
  int r = sys_fchownat (to, "", st->uid, st->gid, AT_EMPTY_PATH);
  if (r == -EINVAL)
    {
      mode &= ~(uint32_t) (S_ISUID | S_ISGID);
      r = 0;
    }
  return r < 0 || S_ISLNK (st->mode) ? r : sys_chmod (to, mode);
}

static int
copy_attributes (struct copy *copy, int from, int to, const struct sys_stat *st)
{
  int r = copy_owner_and_mode (to, st);
  if (r >= 0)
    r = sys_copy_xattrs (from, to, copy->xattrs, ATTRIBUTES_SIZE);
  return r < 0 ? r : sys_copy_times (from, to);
}

/* ---- hard links ------------------------------------------------------------------------------ */

static void
remember (struct copy *copy, const struct sys_stat *st)
{
  size_t size = strlen (copy->path) + 1;
  if (copy->n_linked == MOST_LINKED || size > NAMES_SIZE - copy->n_names)
    return; /* the next name becomes a file of its own */
  char *path = copy->names + copy->n_names;
  memcpy (path, copy->path, size);
  copy->n_names += size;
  copy->linked[copy->n_linked++] = (struct linked){ .inode = st->inode, .path = path };
}

/* The copy of another name of the same file. One file system only is copied, so the inode tells. */
static const char *
earlier_copy (const struct copy *copy, const struct sys_stat *st)
{
  for (size_t i = 0; i < copy->n_linked; i++)
    if (copy->linked[i].inode == st->inode)
      return copy->linked[i].path;
  return NULL;
}

/* ---- the kinds of entries -------------------------------------------------------------------- */

static int
copy_file (int from, int directory, const char *name)
{
  autoclose int source = sys_reopen (from, O_RDONLY);
  if (source < 0)
    return source;
  autoclose int file = sys_openat2 (directory, name, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW, 0600,
                                    RESOLVE_BENEATH);
  return file < 0 ? file : sys_copy_data (source, file);
}

static int
copy_symlink (int from, int directory, const char *name)
{
  char text[PATH_MAX];
  ssize_t length = sys_readlinkat (from, "", text, sizeof text);
  return length < 0 ? (int) length : sys_symlinkat (text, directory, name);
}

static int
make_same (int from, int directory, const char *name, const struct sys_stat *st)
{
  if (S_ISREG (st->mode))
    return copy_file (from, directory, name);
  if (S_ISLNK (st->mode))
    return copy_symlink (from, directory, name);
  if (S_ISDIR (st->mode))
    return sys_mkdirat (directory, name, 0700);
  return sys_mknodat (directory, name, (st->mode & S_IFMT) | 0600,
                      makedev (st->rdev_major, st->rdev_minor));
}

static int
copy_new (struct copy *copy, int from, int directory, const char *name, const struct sys_stat *st,
          struct tare_error *error)
{
  int r = make_same (from, directory, name, st);
  if (r < 0)
    return fail (error, r, "copy '%s'", copy->path);
  autoclose int to =
      sys_openat2 (directory, name, O_PATH | O_NOFOLLOW, 0, RESOLVE_BENEATH | RESOLVE_NO_XDEV);
  if (to < 0)
    return fail (error, to, "open the copy of '%s'", copy->path);
  r = S_ISDIR (st->mode) ? copy_entries (copy, from, to, error) : 0;
  if (r < 0)
    return r;
  r = copy_attributes (copy, from, to, st);
  return r < 0 ? fail (error, r, "owner, mode and attributes of '%s'", copy->path) : 0;
}

static int
copy_entry (struct copy *copy, int from_directory, int directory, const char *name,
            struct tare_error *error)
{
  struct sys_stat st;
  autoclose int from =
      sys_openat2 (from_directory, name, O_PATH | O_NOFOLLOW, 0, RESOLVE_BENEATH | RESOLVE_NO_XDEV);
  if (from == -EXDEV || from == -ENOENT)
    return 0; /* a mount of its own; gone meanwhile */
  int r = from < 0 ? from : sys_stat (from, NULL, &st);
  if (r < 0)
    return fail (error, r, "open '%s'", copy->path);
  if (S_ISDIR (st.mode) || st.nlink < 2)
    return copy_new (copy, from, directory, name, &st, error);
  const char *earlier = earlier_copy (copy, &st);
  if (earlier != NULL)
    {
      r = sys_linkat (copy->root, earlier, directory, name);
      return r < 0 ? fail (error, r, "link '%s' to '%s'", copy->path, earlier) : 0;
    }
  r = copy_new (copy, from, directory, name, &st, error);
  if (r >= 0)
    remember (copy, &st);
  return r;
}

/* copy_entry, with its name added to the path while that lasts. */
static int
copy_named (struct copy *copy, int from, int to, const char *name, struct tare_error *error)
{
  size_t length = strlen (copy->path), added = strlen (name);
  if (str_equal (name, ".") || str_equal (name, ".."))
    return 0;
  if (length + added + 2 > sizeof copy->path)
    return fail (error, ENAMETOOLONG, "copy what is in '%s'", copy->path);
  if (length > 0)
    copy->path[length] = '/';
  memcpy (copy->path + length + (length > 0), name, added + 1);
  int r = copy_entry (copy, from, to, name, error);
  copy->path[length] = '\0';
  return r;
}

static int
copy_entries (struct copy *copy, int from, int to, struct tare_error *error)
{
  _Alignas(uint64_t) char entries[4096];
  if (copy->depth == MOST_DEPTH)
    return fail (error, ELOOP, "'%s': more than %d directories in one another", copy->path,
                 MOST_DEPTH);
  autoclose int directory = sys_reopen (from, O_RDONLY | O_DIRECTORY);
  ssize_t length = directory < 0 ? directory : 0;
  copy->depth++;
  while (length >= 0 && (length = sys_read_directory (directory, entries, sizeof entries)) > 0)
    for (size_t offset = 0; offset < (size_t) length;)
      {
        int r = copy_named (copy, directory, to, sys_entry_name (entries, &offset), error);
        if (r < 0)
          return r;
      }
  copy->depth--;
  return length < 0 ? fail (error, (int) length, "read '%s'", copy->path) : 0;
}

int
copy_up (const struct plan_mount *mount, int from, int to, struct tare_error *error)
{
  struct sys_stat st;
  int r = sys_stat (from, NULL, &st);
  if (r < 0)
    return fail (error, r, "tmpcopyup: stat");
  if (!S_ISDIR (st.mode))
    return 0; /* attaching it will fail, and say why */
  struct copy copy = { .root = to, .xattrs = init_memory (ATTRIBUTES_SIZE) };
  copy.names = init_memory (NAMES_SIZE);
  copy.linked = init_memory (MOST_LINKED * sizeof *copy.linked);
  if (copy.xattrs == NULL || copy.names == NULL || copy.linked == NULL)
    return fail (error, ENOMEM, "tmpcopyup");
  r = copy_entries (&copy, from, to, error);
  if (r < 0)
    return wrap (error, r, "tmpcopyup");
  if ((mount->flags & PLAN_MOUNT_OWNER_OF_TARGET) != 0)
    r = sys_fchownat (to, "", st.uid, st.gid, AT_EMPTY_PATH);
  return r < 0 && r != -EINVAL ? fail (error, r, "tmpcopyup: owner") : 0;
}
