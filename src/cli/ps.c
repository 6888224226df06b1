/* tare ps: a container's processes, as the host counts them: as JSON, or as the lines of ps(1) that
 * are about them. */
#define _GNU_SOURCE
#include "cli.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct ps_options
{
  const char *format;
};

struct pids
{
  pid_t *items; /* ascending */
  size_t count;
};

static int
out_of_memory (struct tare_error *error)
{
  return tare_error_set (error, TARE_ERROR_SYSTEM, -ENOMEM, "out of memory");
}

static void
print_pids (FILE *stream, bool json, const struct pids *pids)
{
  fputs (json ? "[" : "PID\n", stream);
  for (size_t i = 0; i < pids->count; i++)
    fprintf (stream, json ? "%s%d" : "%s%d\n", json && i > 0 ? "," : "", (int) pids->items[i]);
  fputs (json ? "]\n" : "", stream);
}

/* ---- ps(1) ----------------------------------------------------------------------------------- */

static int
compare_pids (const void *a, const void *b)
{
  pid_t x = *(const pid_t *) a, y = *(const pid_t *) b;
  return (x > y) - (x < y);
}

static bool
is_ours (const struct pids *pids, const char *text)
{
  uint32_t number;
  if (cli_number (text, INT32_MAX, &number) < 0)
    return false;
  pid_t pid = (pid_t) number;
  return pids->count > 0
         && bsearch (&pid, pids->items, pids->count, sizeof pid, compare_pids) != NULL;
}

/* The index-th word of line, counted from 0, to word; false if there are fewer. */
static bool
find_word (const char *line, size_t index, char word[static 32])
{
  for (;; index--)
    {
      line += strspn (line, " \t");
      size_t length = strcspn (line, " \t\n");
      if (length == 0)
        return false;
      if (index == 0)
        {
          length = length < 31 ? length : 31;
          memcpy (word, line, length);
          word[length] = '\0';
          return true;
        }
      line += length;
    }
}

/* The lines of ps whose PID is ours, and its header. */
static int
filter (FILE *input, FILE *output, const struct pids *pids, struct tare_error *error)
{
  char *line = NULL, word[32];
  size_t size = 0, column = 0;
  int r = 0;
  if (getline (&line, &size, input) > 0)
    {
      fputs (line, output);
      while (r == 0 && (!find_word (line, column, word) || strcmp (word, "PID") != 0))
        r = find_word (line, column++, word) ? 0 : -EINVAL;
    }
  else
    r = -EINVAL;
  while (r == 0 && getline (&line, &size, input) > 0)
    if (find_word (line, column, word) && is_ours (pids, word))
      fputs (line, output);
  free (line);
  if (r < 0)
    return tare_error_set (error, TARE_ERROR_USAGE, r, "couldn't find PID field in ps output");
  return 0;
}

/* Its standard output comes by the descriptor that is returned. */
static int
spawn_ps (char **arguments, pid_t *ret_pid)
{
  int fds[2];
  posix_spawn_file_actions_t actions;
  if (pipe2 (fds, O_CLOEXEC) < 0)
    return -errno;
  int code = posix_spawn_file_actions_init (&actions);
  if (code == 0)
    {
      code = posix_spawn_file_actions_adddup2 (&actions, fds[1], STDOUT_FILENO);
      if (code == 0) /* a failed command says one line, and that is ours */
        code = posix_spawn_file_actions_addopen (&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
      if (code == 0)
        code = posix_spawnp (ret_pid, "ps", &actions, NULL, arguments, environ);
      (void) posix_spawn_file_actions_destroy (&actions);
    }
  (void) close (fds[1]);
  if (code == 0)
    return fds[0];
  (void) close (fds[0]);
  return -code;
}

/* What ps itself found wrong comes before what its output lacks. */
static int
wait_for_ps (pid_t pid, int r, struct tare_error *error)
{
  int status = 0;
  while (waitpid (pid, &status, 0) < 0 && errno == EINTR)
    continue;
  if (WIFEXITED (status) && WEXITSTATUS (status) == 0)
    return r;
  return tare_error_set (error, TARE_ERROR_USAGE, -EINVAL,
                         "ps does not take these options: its status is %d",
                         WIFEXITED (status) ? WEXITSTATUS (status) : 128 + WTERMSIG (status));
}

/* Without a ps on this machine, and nothing asked of it, the pids have to do. */
static int
print_table (FILE *output, const struct pids *pids, char **options, size_t count,
             struct tare_error *error)
{
  char name[] = "ps", all[] = "-ef";
  pid_t pid;
  char **arguments = calloc (count + 3, sizeof *arguments);
  if (arguments == NULL)
    return out_of_memory (error);
  arguments[0] = name;
  arguments[1] = all;
  for (size_t i = 0; i < count; i++)
    arguments[i + 1] = options[i];
  int fd = spawn_ps (arguments, &pid);
  free (arguments);
  if (fd == -ENOENT && count == 0)
    {
      print_pids (output, false, pids);
      return 0;
    }
  if (fd < 0)
    return tare_error_set (error, TARE_ERROR_SYSTEM, fd, "execute ps: %s", strerror (-fd));
  FILE *input = fdopen (fd, "r");
  int r = input != NULL ? filter (input, output, pids, error) : out_of_memory (error);
  if (input != NULL)
    (void) fclose (input);
  else
    (void) close (fd);
  return wait_for_ps (pid, r, error);
}

/* ---- the command ----------------------------------------------------------------------------- */

static int
run_ps (struct cli *cli, const void *values, char **arguments, size_t count,
        struct tare_error *error)
{
  static const char *const formats[] = { "table", "json" };
  const struct ps_options *options = values;
  struct pids pids = { NULL, 0 };
  char *text = NULL;
  size_t length = 0;
  int format = 0;
  if (options->format != NULL)
    format = cli_choose ("--format", options->format, formats, COUNT_OF (formats), error);
  if (format < 0)
    return format;
  int r = tare_processes (cli->context, arguments[0], &pids.items, &pids.count, error);
  FILE *stream = r < 0 ? NULL : open_memstream (&text, &length);
  if (r >= 0 && stream == NULL)
    r = out_of_memory (error);
  if (r >= 0 && format == 1)
    print_pids (stream, true, &pids);
  else if (r >= 0)
    r = print_table (stream, &pids, arguments + 1, count - 1, error);
  if (stream != NULL && fclose (stream) != 0 && r >= 0)
    r = out_of_memory (error);
  if (r >= 0)
    r = cli_print (cli, text, length, error);
  free (text);
  free (pids.items);
  return r;
}

static const struct cli_option options[] = {
  { "format", 'f', CLI_TEXT, "FORMAT", offsetof (struct ps_options, format),
    "table (default) or json" },
  { 0 },
};

/* stop: what follows the id is for ps(1). */
const struct cli_command cli_ps = {
  .name = "ps",
  .synopsis = "ID [PS-OPTION...]",
  .summary = "list the processes of a container",
  .options = options,
  .options_size = sizeof (struct ps_options),
  .min = 1,
  .max = SIZE_MAX,
  .stop = true,
  .run = run_ps,
};
