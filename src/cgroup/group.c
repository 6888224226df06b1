/* One cgroup directory: made, opened, read, written, removed.
 *
 * Owns every path operation of this folder: each is by descriptor beneath the hierarchy's mount,
 * through no symbolic link and into no other mount. May not know what a file means, nor word an
 * error: -errno only. Serves cgroupfs of both versions (admin-guide/cgroup-v1, cgroup-v2).
 *
 * A container with a writable cgroup tree chooses what is below its group, so the walks there
 * hold a bounded number of descriptors and end at a deadline.
 */
#define _GNU_SOURCE
#include "cgroup/private.h"

#include <dirent.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>

#include "sys/file.h"

enum
{
  BENEATH = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV,
  GROUP_MODE = 0755,
  MAX_DEPTH = 128, /* of groups below a container's whose processes are listed */
};

int64_t
now_ms (void)
{
  struct timespec now;
  (void) clock_gettime (CLOCK_MONOTONIC, &now);
  return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

bool
back_off (unsigned *round, int64_t deadline)
{
  int64_t left = deadline - now_ms ();
  int64_t wait = *round < 6 ? (int64_t) 1 << *round : 50;
  if (left <= 0)
    return false;
  wait = wait < left ? wait : left;
  *round += 1;
  const struct timespec duration = { .tv_sec = 0, .tv_nsec = wait * 1000000 };
  (void) nanosleep (&duration, NULL);
  return true;
}

int
group_open (int root, const char *path, int flags)
{
  path += strspn (path, "/");
  return sys_openat2 (root, *path != '\0' ? path : ".", (uint64_t) (flags | O_DIRECTORY), 0,
                      BENEATH);
}

/* The directory above path's last component, which *ret_name gets. */
static int
open_parent (int root, const char *path, int flags, const char **ret_name)
{
  char parent[PATH_MAX];
  const char *slash = strrchr (path, '/');
  size_t length = slash != NULL ? (size_t) (slash - path) : 0;
  if (length >= sizeof parent)
    return -ENAMETOOLONG;
  memcpy (parent, path, length);
  parent[length] = '\0';
  *ret_name = path + length + (slash != NULL ? 1 : 0);
  return group_open (root, parent, flags);
}

int
group_open_nearest (int root, const char *path)
{
  char above[PATH_MAX];
  size_t length = strlen (path);
  if (length >= sizeof above)
    return -ENAMETOOLONG;
  memcpy (above, path, length + 1);
  for (;;)
    {
      int fd = group_open (root, above, O_RDONLY);
      if (fd != -ENOENT || *above == '\0')
        return fd;
      char *slash = strrchr (above, '/');
      *(slash != NULL ? slash : above) = '\0';
    }
}

/* One level of group_make. 1 if it was made, 0 if it was there. */
static int
make_level (int parent, const char *name, uint32_t mode, int (*enter) (int parent, int child),
            int *ret_child)
{
  int made = sys_mkdirat (parent, name, mode);
  if (made < 0 && made != -EEXIST)
    return made;
  autoclose int child = group_open (parent, name, O_RDONLY);
  int r = child;
  if (r >= 0 && enter != NULL)
    r = enter (parent, child);
  if (r < 0)
    {
      if (made >= 0)
        (void) sys_unlinkat (parent, name, AT_REMOVEDIR);
      return r;
    }
  *ret_child = take_fd (&child);
  return made >= 0;
}

/* Takes back what group_make made of path beyond its first existed bytes. */
static void
unmake (int root, const char *path, size_t made, size_t existed)
{
  char rest[PATH_MAX];
  memcpy (rest, path, made);
  rest[made] = '\0';
  while (made > existed && group_remove (root, rest) >= 0)
    {
      made = (size_t) (strrchr (rest, '/') - rest);
      rest[made] = '\0';
    }
}

int
group_make (int root, const char *path, uint32_t mode, int (*enter) (int parent, int child),
            size_t *ret_existed)
{
  size_t total = strlen (path), done = 0, existed = 0;
  bool made = false;
  if (total >= PATH_MAX)
    return -ENAMETOOLONG;
  autoclose int fd = group_open (root, "", O_RDONLY);
  int r = fd;
  while (r >= 0 && done < total)
    {
      char name[NAME_MAX + 1];
      size_t length = strcspn (path + done + 1, "/");
      int child = -EBADF;
      if (length > NAME_MAX)
        r = -ENAMETOOLONG;
      if (r < 0)
        break;
      memcpy (name, path + done + 1, length);
      name[length] = '\0';
      bool last = done + 1 + length == total;
      r = make_level (fd, name, last ? mode : GROUP_MODE, enter, &child);
      if (r < 0)
        break;
      close_fd (&fd);
      fd = child;
      done += 1 + length;
      made |= r > 0;
      if (!made)
        existed = done;
    }
  if (r < 0)
    {
      unmake (root, path, done, existed);
      return r;
    }
  *ret_existed = existed;
  return take_fd (&fd);
}

int
group_remove (int root, const char *path)
{
  const char *name = path + strspn (path, "/");
  if (strchr (name, '/') == NULL) /* most groups are below the root */
    return sys_unlinkat (root, name, AT_REMOVEDIR);
  autoclose int parent = open_parent (root, path, O_PATH, &name);
  return parent < 0 ? parent : sys_unlinkat (parent, name, AT_REMOVEDIR);
}

int
group_open_file (int group, const char *file, int flags)
{
  return sys_openat2 (group, file, (uint64_t) flags, 0, BENEATH);
}

int
group_read (int group, const char *file, char *buffer, size_t size)
{
  autoclose int fd = group_open_file (group, file, O_RDONLY);
  if (fd < 0)
    return fd;
  ssize_t length =
      size <= 4096 ? sys_read_once (fd, buffer, size) : sys_read_full (fd, buffer, size);
  if (length < 0)
    return (int) length;
  if ((size_t) length == size)
    return -EFBIG;
  if (length > 0 && buffer[length - 1] == '\n')
    length--;
  buffer[length] = '\0';
  return 0;
}

int
group_write (int group, const char *file, const char *text)
{
  autoclose int fd = group_open_file (group, file, O_WRONLY);
  return fd < 0 ? fd : sys_write_once (fd, text);
}

bool
group_is_writable (int group, const char *file)
{
  autoclose int fd = group_open_file (group, file, O_WRONLY);
  return fd >= 0;
}

/* Every controller that parent has is enabled for its children. One that cannot be (threaded
 * groups; processes in parent, which may have none where it has children with controllers) is no
 * error here: a limit that needs it will say so. */
int
group_enable_controllers (int parent, int child)
{
  char available[1024], enabled[1024], word[64];
  (void) child;
  if (group_read (parent, "cgroup.controllers", available, sizeof available) < 0
      || group_read (parent, "cgroup.subtree_control", enabled, sizeof enabled) < 0
      || str_equal (available, enabled))
    return 0;
  char *rest = available, *name;
  while ((name = strsep (&rest, " ")) != NULL)
    if (*name != '\0' && !list_has (enabled, name))
      {
        (void) snprintf (word, sizeof word, "+%s", name);
        (void) group_write (parent, "cgroup.subtree_control", word);
      }
  return 0;
}

/* ---- processes ------------------------------------------------------------------------------- */

void
pid_list_done (struct pid_list *list)
{
  free_pointer (&list->pids);
  *list = (struct pid_list){ 0 };
}

static int
pid_list_add (struct pid_list *list, uint64_t pid)
{
  if (pid == 0 || pid > INT_MAX)
    return 0;
  if (list->count == list->capacity)
    {
      size_t capacity = list->capacity * 2 + 16;
      pid_t *pids = reallocarray (list->pids, capacity, sizeof *pids);
      if (pids == NULL)
        return -ENOMEM;
      list->pids = pids;
      list->capacity = capacity;
    }
  list->pids[list->count++] = (pid_t) pid;
  return 0;
}

/* The file is of any length, and its numbers may straddle two reads. */
static int
read_pids (int fd, struct pid_list *list)
{
  char buffer[4096];
  uint64_t pid = 0;
  for (;;)
    {
      ssize_t n = sys_read_full (fd, buffer, sizeof buffer);
      if (n <= 0)
        return (int) n;
      for (ssize_t i = 0; i < n; i++)
        {
          if (buffer[i] >= '0' && buffer[i] <= '9')
            {
              pid = pid * 10 + (uint64_t) (buffer[i] - '0');
              continue;
            }
          int r = pid_list_add (list, pid);
          if (r < 0)
            return r;
          pid = 0;
        }
    }
}

static int
group_own_pids (int group, struct pid_list *list)
{
  autoclose int fd = group_open_file (group, "cgroup.procs", O_RDONLY);
  int r = fd < 0 ? fd : read_pids (fd, list);
  /* ENODEV, ENOENT: removed meanwhile. EOPNOTSUPP: a threaded group; the domain lists its
   * processes. */
  return r == -ENODEV || r == -ENOENT || r == -EOPNOTSUPP ? 0 : r;
}

static bool
has_children (int group)
{
  struct sys_stat st;
  return sys_stat (group, NULL, &st) < 0 || st.nlink != 2; /* kernfs counts subdirectories */
}

static void
close_directory (DIR **directory)
{
  if (*directory != NULL)
    (void) closedir (*directory);
}

/* Only to walk through: a group that was removed meanwhile is empty. */
static int
open_directory (int group, DIR **ret_directory)
{
  autoclose int fd = group_open (group, "", O_RDONLY);
  if (fd < 0)
    return fd == -ENOENT || fd == -ENODEV ? 0 : fd;
  *ret_directory = fdopendir (fd);
  if (*ret_directory == NULL)
    return -errno;
  (void) take_fd (&fd);
  return 0;
}

/* The next subdirectory's name, or NULL. */
static const char *
next_child (DIR *directory)
{
  struct dirent *entry;
  while (directory != NULL && (entry = readdir (directory)) != NULL)
    if (entry->d_type == DT_DIR && !str_equal (entry->d_name, ".")
        && !str_equal (entry->d_name, ".."))
      return entry->d_name;
  return NULL;
}

static int
pids_below (int group, struct pid_list *list, unsigned depth)
{
  int r = group_own_pids (group, list);
  if (r < 0 || !has_children (group))
    return r;
  if (depth == MAX_DEPTH)
    return -ELOOP;
  __attribute__ ((cleanup (close_directory))) DIR *directory = NULL;
  const char *name;
  r = open_directory (group, &directory);
  while (r >= 0 && (name = next_child (directory)) != NULL)
    {
      autoclose int child = group_open (group, name, O_RDONLY);
      r = child == -ENOENT || child == -ENODEV ? 0 : child;
      if (child >= 0)
        r = pids_below (child, list, depth + 1);
    }
  return r;
}

int
group_pids (int group, bool below, struct pid_list *list)
{
  return below ? pids_below (group, list, 0) : group_own_pids (group, list);
}

int
pid_list_signal (const struct pid_list *list, int signal)
{
  int result = 0;
  pid_t self = getpid ();
  for (size_t i = 0; i < list->count; i++)
    if (list->pids[i] != self && kill (list->pids[i], signal) < 0 && errno != ESRCH)
      result = -errno;
  return result;
}

/* ---- removal --------------------------------------------------------------------------------- */

/* Opens the first child of group, or gives -ENOENT. */
static int
first_child (int group, char name[static NAME_MAX + 1])
{
  if (!has_children (group))
    return -ENOENT;
  __attribute__ ((cleanup (close_directory))) DIR *directory = NULL;
  int r = open_directory (group, &directory);
  const char *child = r >= 0 ? next_child (directory) : NULL;
  if (child == NULL)
    return r < 0 ? r : -ENOENT;
  memcpy (name, child, strlen (child) + 1);
  return group_open (group, name, O_RDONLY);
}

static void
kill_own (int group)
{
  struct pid_list list = { 0 };
  if (group_own_pids (group, &list) >= 0)
    (void) pid_list_signal (&list, SIGKILL);
  pid_list_done (&list);
}

/* Goes down to a deepest group and removes it. 1: there may be more, 0: nothing is below. Two
 * descriptors at any depth. */
static int
remove_one_below (int group)
{
  char name[NAME_MAX + 1];
  autoclose int parent = -EBADF;
  autoclose int child = first_child (group, name);
  if (child < 0)
    return child == -ENOENT ? 0 : child;
  for (;;)
    {
      char next[NAME_MAX + 1];
      int grandchild = first_child (child, next);
      if (grandchild == -ENOENT)
        break;
      if (grandchild < 0)
        return grandchild;
      close_fd (&parent);
      parent = take_fd (&child);
      child = grandchild;
      memcpy (name, next, sizeof name);
    }
  int r = sys_unlinkat (parent >= 0 ? parent : group, name, AT_REMOVEDIR);
  if (r == -EBUSY)
    kill_own (child);
  return r < 0 && r != -ENOENT ? r : 1;
}

int
group_remove_below (int group, int64_t deadline)
{
  int r = 1;
  while (r > 0)
    r = now_ms () < deadline ? remove_one_below (group) : -ETIMEDOUT;
  return r;
}
