/* process.args[0]: looked up when the container is made, with the user's rights, and executed when
 * it is started. Serves config.md "Process" (args: the file semantics of execvp(3)).
 *
 * The words matter: managers choose an exit status by matching them. Docker looks, in this case,
 * for "executable file not found" or "no such file or directory" (127) and "permission denied" or
 * "is a directory" (126); podman, in any case, first for "permission denied" or "operation not
 * permitted" (126), then for "executable file not found in" or "no such file or directory" (127).
 *
 *   not found in $PATH            exec: `X`: executable file not found in $PATH: no such file ...
 * 127 no such path                  exec: `X`: no such file or directory 127 a part is not a
 * directory     exec: `X`: no such file or directory (not a directory)           127 a directory
 * exec: `X`: is a directory: permission denied                     126 no regular file exec: `X`:
 * not a regular file: permission denied                 126 no right to execute           exec:
 * `X`: permission denied                                     126 interpreter missing exec: `X`: no
 * such file or directory (missing dynamic ...)       127 not a program                 exec: `X`:
 * exec format error                                     126
 */
#include "init/init.h"

#include <linux/close_range.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#ifndef SYS_faccessat2
#define SYS_faccessat2 439
#endif

static const char default_search_path[] = "/bin:/usr/bin";

static int
not_found (const char *name, int r, const char *words, struct tare_error *error)
{
  return fail_kind (error, TARE_ERROR_PROGRAM_NOT_FOUND, r, "exec: `%s`: %s", name, words);
}

static int
not_executable (const char *name, int r, const char *words, struct tare_error *error)
{
  return fail_kind (error, TARE_ERROR_PROGRAM_NOT_EXECUTABLE, r, "exec: `%s`: %s", name, words);
}

static const char *
refusal_of (uint32_t mode)
{
  return S_ISDIR (mode)    ? "is a directory: permission denied"
         : !S_ISREG (mode) ? "not a regular file: permission denied"
                           : "permission denied";
}

/* 0, or -errno: -EACCES with the reason's words in *ret_words. Nothing is opened for reading. */
static int
check_program (const char *path, const char **ret_words)
{
  struct sys_stat st;
  *ret_words = refusal_of (S_IFREG);
  int r = sys_stat_path (path, &st);
  if (r < 0)
    return r;
  *ret_words = refusal_of (st.mode);
  if (!S_ISREG (st.mode))
    return -EACCES;
  r = (int) syscall (SYS_faccessat2, AT_FDCWD, path, X_OK, AT_EACCESS);
  return r < 0 ? -errno : 0;
}

static int
explain (const char *name, int r, const char *words, struct tare_error *error)
{
  switch (r)
    {
    case -EACCES:
      return not_executable (name, r, words, error);
    case -ENOENT:
      return not_found (name, r, "no such file or directory", error);
    case -ENOTDIR:
      return not_found (name, r, "no such file or directory (not a directory)", error);
    default:
      return fail (error, r, "exec: `%s`", name);
    }
}

static int
copy_found (const char *path, char *ret_path, size_t size)
{
  int n = snprintf (ret_path, size, "%s", path);
  return n < 0 || (size_t) n >= size ? -ENAMETOOLONG : 0;
}

/* An empty element is the working directory. What may not be executed is remembered, and the search
 * goes on, as execvp does it. */
static int
search (const char *name, const char *search_path, char *ret_path, size_t size,
        struct tare_error *error)
{
  const char *words = "", *found_words = NULL;
  char path[PATH_MAX];
  for (const char *element = search_path; element != NULL;)
    {
      const char *colon = strchr (element, ':');
      size_t length = colon != NULL ? (size_t) (colon - element) : strlen (element);
      int n = snprintf (path, sizeof path, "%.*s%s%s", (int) length, element,
                        length > 0 ? "/" : "./", name);
      int r = n < 0 || (size_t) n >= sizeof path ? -ENAMETOOLONG : check_program (path, &words);
      if (r == 0)
        return copy_found (path, ret_path, size);
      if (r == -EACCES && found_words == NULL)
        found_words = words;
      element = colon != NULL ? colon + 1 : NULL;
    }
  if (found_words != NULL)
    return not_executable (name, EACCES, found_words, error);
  return not_found (name, ENOENT, "executable file not found in $PATH: no such file or directory",
                    error);
}

int
program_find (const char *name, const char *search_path, char *ret_path, size_t size,
              struct tare_error *error)
{
  const char *words;
  if (*name != '\0' && strchr (name, '/') == NULL)
    return search (name, search_path != NULL ? search_path : default_search_path, ret_path, size,
                   error);
  int r = check_program (name, &words);
  if (r >= 0)
    r = copy_found (name, ret_path, size);
  return r < 0 ? explain (name, r, words, error) : 0;
}

int
step_program (struct init *init, struct tare_error *error)
{
  return program_find (init->args[0], environment_value (init->env, "PATH"), init->program,
                       sizeof init->program, error);
}

/* ---- exec ---------------------------------------------------------------------------------- */

static int
explain_exec (const char *name, int r, struct tare_error *error)
{
  switch (r)
    {
    case -ENOENT:
      return not_found (
          name, r, "no such file or directory (missing dynamic library or interpreter?)", error);
    case -ENOEXEC:
      return not_executable (name, r, "exec format error", error);
    case -ETXTBSY:
      return not_executable (name, r, "permission denied: the file is being written", error);
    default:
      return explain (name, r, "permission denied", error);
    }
}

/* Everything of ours closes by itself at exec: the end of the connection without an ERROR is how
 * the other side knows that it worked. Said before a late filter is loaded, which may forbid saying
 * it. */
int
step_executing (struct init *init, struct tare_error *error)
{
  if (init->plan->args.count == 0) /* optional until start */
    return fail_kind (error, TARE_ERROR_CONFIG, EINVAL, "process: there is no program to start");
  int r = init->program[0] == '\0' ? step_program (init, error) : 0;
  if (r < 0)
    return r;
  r = sys_close_range (3 + init->plan->preserve_fds, ~0u, CLOSE_RANGE_CLOEXEC);
  if (r < 0)
    return fail (error, r, "close descriptors at exec");
  return channel_send (init_channel (init), MESSAGE_EXECUTING, 0, NULL, 0, error);
}

int
step_execute (struct init *init, struct tare_error *error)
{
  int r = sys_execveat (AT_FDCWD, init->program, (char *const *) init->args,
                        (char *const *) init->env, 0);
  return explain_exec (init->args[0], r, error);
}
