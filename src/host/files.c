/* Files that the caller names: the bundle, its config.json, the pid file. These are the manager's,
 * so paths are taken as they come. */
#include "host/internal.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int
bundle_open (const char *path, char **ret_path, struct tare_error *error)
{
  char link[64], absolute[4096];
  const char *name = path != NULL ? path : ".";
  autoclose int fd = sys_open (name, O_PATH | O_DIRECTORY, 0);
  if (fd < 0)
    return fail (error, fd, "open bundle '%s'", name);
  (void) snprintf (link, sizeof link, "/proc/thread-self/fd/%d", fd);
  ssize_t length = sys_readlinkat (AT_FDCWD, link, absolute, sizeof absolute);
  if (length < 0)
    return fail (error, (int) length, "name of bundle '%s'", name);
  char *copy = strdup (absolute);
  if (copy == NULL)
    return fail (error, ENOMEM, "open bundle '%s'", name);
  *ret_path = copy;
  return take_fd (&fd);
}

int
file_read (int directory, const char *name, size_t max, void **ret_bytes, size_t *ret_length,
           struct tare_error *error)
{
  struct sys_stat st;
  autoclose int fd = sys_openat2 (directory, name, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0, 0);
  int r = fd < 0 ? fd : sys_stat (fd, NULL, &st);
  if (r < 0)
    return fail (error, r, "open '%s'", name);
  if (!S_ISREG (st.mode))
    return fail_kind (error, TARE_ERROR_CONFIG, EINVAL, "'%s' is not a regular file", name);
  if (st.size > max)
    return fail_kind (error, TARE_ERROR_CONFIG, EFBIG, "'%s' has %llu bytes, at most %zu are read",
                      name, (unsigned long long) st.size, max);
  autofree char *bytes = malloc (st.size + 1);
  if (bytes == NULL)
    return fail (error, ENOMEM, "read '%s'", name);
  ssize_t length = sys_read_full (fd, bytes, st.size);
  if (length < 0)
    return fail (error, (int) length, "read '%s'", name);
  bytes[length] = '\0';
  *ret_bytes = take_ptr (&bytes);
  *ret_length = (size_t) length;
  return 0;
}

/* By rename: whoever waits for the file never reads half a number. */
int
pid_file_write (const char *path, pid_t pid, struct tare_error *error)
{
  char text[16];
  const char *slash = strrchr (path, '/');
  autofree char *directory_name =
      slash == NULL ? strdup (".") : strndup (path, (size_t) (slash - path) + 1);
  autofree char *temporary = NULL;
  if (directory_name == NULL
      || asprintf (&temporary, ".%s.%d", slash == NULL ? path : slash + 1, (int) pid) < 0)
    return fail (error, ENOMEM, "write pid file '%s'", path);
  autoclose int directory = sys_open (directory_name, O_PATH | O_DIRECTORY, 0);
  if (directory < 0)
    return fail (error, directory, "write pid file '%s'", path);
  autoclose int fd = sys_openat2 (directory, temporary, O_WRONLY | O_CREAT | O_EXCL, 0644, 0);
  int r = fd;
  (void) snprintf (text, sizeof text, "%d", (int) pid);
  if (r >= 0)
    r = sys_write_full (fd, text, strlen (text));
  if (r >= 0)
    r = sys_renameat (directory, temporary, slash == NULL ? path : slash + 1);
  if (r < 0)
    {
      (void) sys_unlinkat (directory, temporary, 0);
      return fail (error, r, "write pid file '%s'", path);
    }
  return 0;
}
