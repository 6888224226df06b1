/* tare exec: runs a further process in a container. Attached, it stands for the process: forwards
 * signals to it, relays its terminal, ends with its status.
 */
#define _GNU_SOURCE
#include "cli.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum
{
  FAILED = 255,             /* the status when it is ours that failed, as runc has it */
  MOST_ID = UINT32_MAX - 1, /* the last is "no change" to the kernel */
};

struct exec_options
{
  const char *process, *cwd, *user, *process_label, *apparmor;
  const char *console_socket, *pidfd_socket, *pid_file;
  struct cli_texts env, gids, capabilities, cgroups;
  uint32_t preserve_fds, terminal, no_new_privileges;
  bool detach, ignore_paused, no_subreaper;
};

/* What is made from them for the library, and freed at the end. */
struct request
{
  struct tare_exec_options options;
  struct cli_file process;
  uint32_t *gids;
};

static int
number_error (struct tare_error *error, const char *option, const char *text, const char *form)
{
  return tare_error_set (error, TARE_ERROR_USAGE, -EINVAL,
                         "option '--%s': '%s' is not %s, of numbers from 0 to %u", option, text,
                         form, (uint32_t) MOST_ID);
}

/* "UID" or "UID:GID". A name would have to be looked up in files of the container. */
static int
parse_user (const char *text, struct tare_exec_options *options, struct tare_error *error)
{
  char uid[16] = "";
  size_t length = strcspn (text, ":");
  bool valid = length < sizeof uid;
  if (valid)
    memcpy (uid, text, length);
  valid = valid && cli_number (uid, (uint32_t) MOST_ID, &options->uid) >= 0;
  options->set_uid = true;
  options->set_gid = text[length] == ':';
  if (valid && options->set_gid)
    valid = cli_number (text + length + 1, (uint32_t) MOST_ID, &options->gid) >= 0;
  return valid ? 0 : number_error (error, "user", text, "UID or UID:GID");
}

static int
parse_gids (const struct cli_texts *texts, struct request *request, struct tare_error *error)
{
  if (texts->count == 0)
    return 0;
  request->gids = calloc (texts->count, sizeof *request->gids);
  if (request->gids == NULL)
    return tare_error_set (error, TARE_ERROR_SYSTEM, -ENOMEM, "out of memory");
  for (size_t i = 0; i < texts->count; i++)
    if (cli_number (texts->items[i], (uint32_t) MOST_ID, &request->gids[i]) < 0)
      return number_error (error, "additional-gids", texts->items[i], "a group");
  request->options.additional_gids = request->gids;
  request->options.n_additional_gids = texts->count;
  return 0;
}

/* ---- the process object ---------------------------------------------------------------------- */

static int
read_process (const char *name, struct request *request, struct tare_error *error)
{
  int r = cli_read_file ("process object", name, &request->process, error);
  request->options.process = request->process.bytes;
  request->options.process_length = request->process.length;
  request->options.process_name = request->process.name;
  return r;
}

static int
prepare (const struct exec_options *given, char **arguments, size_t count, struct request *request,
         struct tare_error *error)
{
  struct tare_exec_options *options = &request->options;
  options->args = (const char *const *) arguments;
  options->n_args = count;
  options->env = given->env.items;
  options->n_env = given->env.count;
  options->cwd = given->cwd;
  options->capabilities = given->capabilities.items;
  options->n_capabilities = given->capabilities.count;
  options->selinux_label = given->process_label;
  options->apparmor_profile = given->apparmor;
  options->no_new_privileges = given->no_new_privileges;
  options->terminal = given->terminal;
  options->console_socket = given->console_socket;
  options->want_terminal = !given->detach && given->console_socket == NULL;
  options->ignore_paused = given->ignore_paused;
  if (options->want_terminal)
    cli_terminal_size (&options->terminal_rows, &options->terminal_columns);
  options->cgroups = given->cgroups.items;
  options->n_cgroups = given->cgroups.count;
  options->pid_file = given->pid_file;
  options->preserve_fds = given->preserve_fds;
  options->listen_fds = cli_listen_fds ();
  int r = given->user != NULL ? parse_user (given->user, options, error) : 0;
  if (r >= 0)
    r = parse_gids (&given->gids, request, error);
  if (r >= 0 && given->process != NULL)
    r = read_process (given->process, request, error);
  return r;
}

/* ---- execution ------------------------------------------------------------------------------- */

/* Somebody who waits for the pidfd and does not get it must not be left with a process. */
static int
execute (struct cli *cli, const struct exec_options *given, const char *id,
         const struct request *request, struct tare_process *process, struct tare_error *error)
{
  int r = 0, socket = -1;
  if (given->pidfd_socket != NULL)
    r = socket = cli_connect_pidfd_socket (given->pidfd_socket, error);
  if (r >= 0)
    r = tare_exec (cli->context, id, &request->options, process, error);
  if (r >= 0 && socket >= 0)
    {
      r = cli_send_descriptor (socket, process->pidfd, error);
      if (r < 0)
        (void) syscall (SYS_pidfd_send_signal, process->pidfd, SIGKILL, NULL, 0);
    }
  if (socket >= 0)
    (void) close (socket);
  return r;
}

static int
exec_attached (struct cli *cli, const struct exec_options *given, const char *id,
               struct request *request, struct tare_error *error)
{
  struct tare_process process = TARE_PROCESS_INIT;
  struct cli_terminal terminal = CLI_TERMINAL_INIT;
  int signals = cli_open_signals (error);
  if (signals < 0)
    return signals;
  int r = request->options.cancel = cli_open_cancel (error);
  if (r >= 0)
    r = execute (cli, given, id, request, &process, error);
  if (r >= 0)
    {
      r = cli_terminal_open (&terminal, process.terminal, error);
      if (r >= 0)
        r = cli_wait (&process, signals, &terminal, error);
      else
        (void) syscall (SYS_pidfd_send_signal, process.pidfd, SIGKILL, NULL, 0);
    }
  cli_terminal_close (&terminal);
  if (process.pidfd >= 0)
    (void) close (process.pidfd);
  if (request->options.cancel >= 0)
    (void) close (request->options.cancel);
  (void) close (signals);
  return r;
}

static int
exec_detached (struct cli *cli, const struct exec_options *given, const char *id,
               const struct request *request, struct tare_error *error)
{
  struct tare_process process = TARE_PROCESS_INIT;
  int r = execute (cli, given, id, request, &process, error);
  if (process.pidfd >= 0)
    (void) close (process.pidfd);
  return r < 0 ? r : 0;
}

static int
run_exec (struct cli *cli, const void *values, char **arguments, size_t count,
          struct tare_error *error)
{
  const struct exec_options *given = values;
  struct request request = { .options = TARE_EXEC_OPTIONS_INIT };
  cli->failure_status = FAILED;
  int r = prepare (given, arguments + 1, count - 1, &request, error);
  if (r >= 0)
    r = given->detach ? exec_detached (cli, given, arguments[0], &request, error)
                      : exec_attached (cli, given, arguments[0], &request, error);
  free (request.process.bytes);
  free (request.gids);
  return r;
}

#define EXEC_OPTION(name, letter, kind, argument, member, help)                                    \
  {                                                                                                \
    name, letter, kind, argument, offsetof (struct exec_options, member), help                     \
  }

static const struct cli_option options[] = {
  EXEC_OPTION ("process", 'p', CLI_TEXT, "FILE", process,
               "a process object as JSON, \"-\": standard input"),
  EXEC_OPTION ("cwd", 0, CLI_TEXT, "DIR", cwd, "working directory in the container (default: /)"),
  EXEC_OPTION ("env", 'e', CLI_TEXTS, "NAME=VALUE", env, "set an environment variable; repeatable"),
  EXEC_OPTION ("tty", 't', CLI_CHOICE, NULL, terminal, "give the process a terminal"),
  EXEC_OPTION ("user", 'u', CLI_TEXT, "UID[:GID]", user, "numbers of the user and the group"),
  EXEC_OPTION ("additional-gids", 'g', CLI_TEXTS, "GID", gids, "a further group; repeatable"),
  EXEC_OPTION ("cap", 'c', CLI_TEXTS, "CAP", capabilities, "add a capability; repeatable"),
  EXEC_OPTION ("no-new-privs", 0, CLI_CHOICE, NULL, no_new_privileges, "set no_new_privs"),
  EXEC_OPTION ("process-label", 0, CLI_TEXT, "LABEL", process_label, "SELinux label"),
  EXEC_OPTION ("apparmor", 0, CLI_TEXT, "PROFILE", apparmor, "AppArmor profile"),
  EXEC_OPTION ("detach", 'd', CLI_FLAG, NULL, detach, "return once the program runs"),
  EXEC_OPTION ("console-socket", 0, CLI_TEXT, "PATH", console_socket,
               "unix socket that receives the terminal"),
  EXEC_OPTION ("pid-file", 0, CLI_TEXT, "FILE", pid_file, "where to write the pid"),
  EXEC_OPTION ("pidfd-socket", 0, CLI_TEXT, "PATH", pidfd_socket,
               "unix socket that receives a pidfd of the process"),
  EXEC_OPTION ("preserve-fds", 0, CLI_NUMBER, "N", preserve_fds,
               "pass descriptors 3 to 3+N-1 to the process"),
  EXEC_OPTION ("cgroup", 0, CLI_TEXTS, "[CTRL,...:]PATH", cgroups,
               "enter an existing group below the container's; repeatable"),
  EXEC_OPTION ("ignore-paused", 0, CLI_FLAG, NULL, ignore_paused,
               "in a paused container too: wait until it is resumed"),
  EXEC_OPTION ("no-subreaper", 0, CLI_FLAG, NULL, no_subreaper, NULL), /* we never are one here */
  { 0 },
};

const struct cli_command cli_exec = {
  .name = "exec",
  .synopsis = "ID PROGRAM [ARGUMENT...]",
  .summary = "run a further process in a container",
  .description = "Runs a program in a container that is created or running, as the "
                 "container's own process would run, but for what the options change. A "
                 "process object replaces the program and its arguments.\n"
                 "Ends with the exit status of the program, or 128 plus the number of the "
                 "signal that killed it; 127 where it is not found, 126 where it cannot be "
                 "executed, 255 for any other failure.\n",
  .options = options,
  .options_size = sizeof (struct exec_options),
  .min = 1,
  .max = SIZE_MAX,
  .stop = true,
  .run = run_exec,
};
