/* The one resolver: every path of the container is walked here, by openat2(2) below its root.
 *
 * RESOLVE_IN_ROOT keeps links and ".." inside, RESOLVE_NO_MAGICLINKS refuses /proc's doors to other
 * places. What comes back is the descriptor that is used: no path is looked up twice to be trusted
 * once. Missing parts are made one by one, each from the held descriptor of its directory, and the
 * whole is walked again from the root after each: somebody who swaps a part for a link only gets
 * the walk to end elsewhere *inside*.
 */
#include "init/init.h"

#include <stdio.h>

enum
{
  MOST_LINKS = 40,    /* dangling ones, which we follow ourselves; as the kernel's own limit */
  MOST_ROUNDS = 4096, /* more components than PATH_MAX holds; ends a race that never settles */
  DIRECTORY_MODE = 0755,
  FILE_MODE = 0644,
};

struct walk
{
  int root;
  uint64_t flags;
  enum resolve_make last;
  int links;
  char path[PATH_MAX];
};

int
resolve (int root, const char *path, uint64_t flags)
{
  return sys_openat2 (root, path, O_PATH, 0, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | flags);
}

int
resolve_nofollow (int root, const char *path)
{
  return sys_openat2 (root, path, O_PATH | O_NOFOLLOW, 0, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
}

static int
copy_path (char *to, const char *path)
{
  size_t length = strlen (path);
  while (length > 1 && path[length - 1] == '/')
    length--;
  if (length >= PATH_MAX)
    return -ENAMETOOLONG;
  memcpy (to, path, length);
  to[length] = '\0';
  return 0;
}

/* The component of path that ends at *end: where it begins; *end loses trailing slashes. */
static size_t
component_begin (const char *path, size_t *end)
{
  while (*end > 0 && path[*end - 1] == '/')
    (*end)--;
  size_t begin = *end;
  while (begin > 0 && path[begin - 1] != '/')
    begin--;
  return begin;
}

static int
open_prefix (const struct walk *walk, size_t length)
{
  char prefix[PATH_MAX];
  if (length == 0)
    return resolve (walk->root, "/", walk->flags);
  memcpy (prefix, walk->path, length);
  prefix[length] = '\0';
  return sys_openat2 (walk->root, prefix, O_PATH | O_DIRECTORY, 0,
                      RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | walk->flags);
}

static int
make_component (int directory, const char *name, enum resolve_make what)
{
  if (what == RESOLVE_DIRECTORY)
    return sys_mkdirat (directory, name, DIRECTORY_MODE);
  /* O_EXCL follows no link and opens nothing that exists, so no FIFO either. */
  int fd = sys_openat2 (directory, name, O_CREAT | O_EXCL | O_NOFOLLOW | O_WRONLY, FILE_MODE,
                        RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
  if (fd < 0)
    return fd;
  close_fd (&fd);
  return 0;
}

/* The name exists although the path does not: a dangling link. Its text takes the name's place. */
static int
expand_link (struct walk *walk, int directory, const char *name, size_t begin, size_t end)
{
  char link[PATH_MAX], path[PATH_MAX];
  ssize_t length = sys_readlinkat (directory, name, link, sizeof link);
  if (length == -EINVAL || length == -ENOENT)
    return 0; /* it changed meanwhile: walk again */
  if (length < 0)
    return (int) length;
  if (++walk->links > MOST_LINKS || (walk->flags & RESOLVE_NO_SYMLINKS) != 0)
    return -ELOOP;
  int n = snprintf (path, sizeof path, "%.*s%s%s", link[0] == '/' ? 0 : (int) begin, walk->path,
                    link, walk->path + end);
  if (n < 0 || (size_t) n >= sizeof path)
    return -ENAMETOOLONG;
  return copy_path (walk->path, path);
}

/* Makes the first missing component. */
static int
make_next (struct walk *walk)
{
  char name[NAME_MAX + 1];
  size_t end = strlen (walk->path), begin = component_begin (walk->path, &end);
  bool is_last = true;
  autoclose int directory = open_prefix (walk, begin);
  while (directory == -ENOENT && begin > 0)
    {
      is_last = false;
      end = begin;
      begin = component_begin (walk->path, &end);
      directory = open_prefix (walk, begin);
    }
  if (directory < 0)
    return directory;
  if (end - begin >= sizeof name)
    return -ENAMETOOLONG;
  memcpy (name, walk->path + begin, end - begin);
  name[end - begin] = '\0';
  int r = make_component (directory, name, is_last ? walk->last : RESOLVE_DIRECTORY);
  return r == -EEXIST ? expand_link (walk, directory, name, begin, end) : r;
}

int
resolve_missing (int root, const char *path, uint64_t flags, enum resolve_make last)
{
  struct walk walk = { .root = root, .flags = flags, .last = last };
  int r = copy_path (walk.path, path);
  for (int round = 0; r >= 0 && round < MOST_ROUNDS; round++)
    {
      r = make_next (&walk);
      int fd = r < 0 ? r : resolve (root, walk.path, flags);
      if (fd != -ENOENT)
        return fd;
    }
  return r < 0 ? r : -ELOOP;
}

int
resolve_or_make (int root, const char *path, uint64_t flags, enum resolve_make last)
{
  int fd = resolve (root, path, flags);
  return fd == -ENOENT ? resolve_missing (root, path, flags, last) : fd;
}

int
resolve_parent (int root, const char *path, uint64_t flags, const char **ret_name)
{
  char directory[PATH_MAX];
  const char *slash = strrchr (path, '/');
  const char *name = slash != NULL ? slash + 1 : path;
  if (*name == '\0' || str_equal (name, ".") || str_equal (name, ".."))
    return -EINVAL;
  size_t length = (size_t) (name - path);
  if (length >= sizeof directory)
    return -ENAMETOOLONG;
  memcpy (directory, path, length);
  directory[length] = '\0';
  int fd = resolve_or_make (root, length == 0 ? "/" : directory, flags, RESOLVE_DIRECTORY);
  if (fd >= 0)
    *ret_name = name;
  return fd;
}

uint64_t
resolve_flags_of (const char *path)
{
  return path_is_below (path, "/dev") ? RESOLVE_NO_SYMLINKS : 0;
}
