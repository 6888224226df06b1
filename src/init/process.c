/* The process before it gets its ids: session, working directory, umask, HOME. Serves config.md
 * "Process" (cwd, env, user.umask). No NSS, no locale: the container's files are data, read by the
 * few lines below, and only for HOME.
 */
#include "init/init.h"

#include <stdio.h>
#include <sys/stat.h>

enum
{
  MOST_PASSWD = 1 << 20, /* an image must not make us read for ever */
};

/* The session keyring comes with fork and exec, whatever the namespaces: with the caller's, a
 * container could read the keys of the host, and change them. */
int
step_session (struct init *init, struct tare_error *error)
{
  int r = sys_setsid ();
  if (r < 0 && r != -EPERM) /* EPERM: it leads one */
    return fail (error, r, "new session");
  r = init_flag (init, PLAN_KEEP_KEYRING) ? 0 : sys_new_session_keyring ();
  return r < 0 && r != -ENOSYS ? fail (error, r, "new session keyring (see --no-new-keyring)") : 0;
}

/* ---- cwd ----------------------------------------------------------------------------------- */

/* The root is ours by now. Magic links (/proc/self/fd/N) are refused by the resolver, and the
 * kernel's own answer must be a path below our root (CVE-2024-21626). */
int
enter_cwd (const struct init *init)
{
  char text[PATH_MAX];
  const char *cwd = plan_string (init->plan, init->plan->cwd);
  autoclose int fd = resolve (init->root, cwd, 0);
  int r = fd < 0 ? fd : sys_fchdir (fd);
  if (r >= 0)
    r = sys_getcwd (text, sizeof text);
  if (r < 0)
    return r;
  return text[0] == '/' ? 0 : -EXDEV;
}

/* ---- environment --------------------------------------------------------------------------- */

const char *
environment_value (const char *const *env, const char *name)
{
  for (; *env != NULL; env++)
    {
      const char *rest = str_after (*env, name);
      if (rest != NULL && *rest == '=')
        return rest + 1;
    }
  return NULL;
}

/* Field i of a line of /etc/passwd, from 0; *ret_length is its length. */
static const char *
passwd_field (const char *line, size_t length, int i, size_t *ret_length)
{
  const char *end = line + length;
  for (; i > 0; i--)
    {
      line = memchr (line, ':', (size_t) (end - line));
      if (line == NULL)
        return NULL;
      line++;
    }
  const char *colon = memchr (line, ':', (size_t) (end - line));
  *ret_length = (size_t) ((colon != NULL ? colon : end) - line);
  return line;
}

static int
home_of_line (const char *line, size_t length, uint32_t uid, char *ret_home, size_t size)
{
  char number[16];
  uint64_t id;
  size_t n;
  const char *field = passwd_field (line, length, 2, &n);
  if (field == NULL || n >= sizeof number)
    return -ENOENT;
  memcpy (number, field, n);
  number[n] = '\0';
  if (parse_u64 (number, UINT32_MAX, &id) < 0 || id != uid)
    return -ENOENT;
  field = passwd_field (line, length, 5, &n);
  if (field == NULL || n == 0 || n >= size || field[0] != '/' || memchr (field, '\0', n) != NULL)
    return -ENOENT;
  memcpy (ret_home, field, n);
  ret_home[n] = '\0';
  return 0;
}

int
passwd_home (const char *text, size_t length, uint32_t uid, char *ret_home, size_t size)
{
  const char *end = text + length;
  while (text < end)
    {
      const char *newline = memchr (text, '\n', (size_t) (end - text));
      size_t n = (size_t) ((newline != NULL ? newline : end) - text);
      if (home_of_line (text, n, uid, ret_home, size) == 0)
        return 0;
      text += n + 1;
    }
  return -ENOENT;
}

/* What the image calls /etc/passwd may be a FIFO or a device: looked at before it is opened, and
 * never waited for. What has no size is made up by the kernel while it is read: a link to
 * /proc/kmsg would have us take the host's messages away. Only what was looked at is read, whatever
 * has the name by then. */
static int
open_regular (int root, const char *path)
{
  struct sys_stat seen, st;
  autoclose int found = resolve (root, path, 0);
  int r = found < 0 ? found : sys_stat (found, NULL, &seen);
  if (r < 0)
    return r;
  if (!S_ISREG (seen.mode) || seen.size == 0)
    return -EINVAL;
  autoclose int fd = sys_openat2 (root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0,
                                  RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
  r = fd < 0 ? fd : sys_stat (fd, NULL, &st);
  if (r < 0)
    return r;
  return st.inode == seen.inode && st.mount_id == seen.mount_id ? take_fd (&fd) : -EINVAL;
}

static int
read_home (const struct init *init, char *ret_home, size_t size)
{
  autoclose int fd = open_regular (init->root, "/etc/passwd");
  char *text = fd < 0 ? NULL : init_memory (MOST_PASSWD);
  if (text == NULL)
    return -ENOENT;
  ssize_t length = sys_read_full (fd, text, MOST_PASSWD);
  int r = length < 0 ? (int) length
                     : passwd_home (text, (size_t) length, init->plan->uid, ret_home, size);
  sys_unmap (text, MOST_PASSWD);
  return r;
}

static void
put_home (struct init *init)
{
  char home[PATH_MAX - sizeof "HOME="];
  bool found = read_home (init, home, sizeof home) >= 0;
  (void) snprintf (init->home, sizeof init->home, "HOME=%s", found ? home : "/");
}

static void
add_variables (struct init *init)
{
  size_t count = init->plan->env.count;
  if (environment_value (init->env, "HOME") == NULL)
    {
      put_home (init);
      init->env[count++] = init->home;
    }
  if (init_flag (init, PLAN_LISTEN_PID))
    {
      (void) snprintf (init->listen_pid, sizeof init->listen_pid, "LISTEN_PID=%d", (int) getpid ());
      init->env[count++] = init->listen_pid;
    }
}

int
step_environment (struct init *init, struct tare_error *error)
{
  int r = init->plan->cwd != 0 ? enter_cwd (init) : 0;
  init->cwd_pending = r == -EACCES; /* the user may have the right that root has not */
  if (r < 0 && !init->cwd_pending)
    return fail (error, r, "process.cwd: chdir '%s'", plan_string (init->plan, init->plan->cwd));
  init->args = init_vector (init->plan, init->plan->args);
  init->env = init_vector (init->plan, init->plan->env);
  if (init->args == NULL || init->env == NULL)
    return fail (error, ENOMEM, "arguments and environment");
  add_variables (init);
  sys_umask (init_flag (init, PLAN_SET_UMASK) ? init->plan->umask : init->inherited_umask);
  return 0;
}
