/* tare create: makes a container that waits for start. What it shares with run is here. */
#define _GNU_SOURCE
#include "cli.h"

#include <unistd.h>

static int
create (struct cli *cli, const struct cli_create_options *options, enum cli_create_mode mode,
        int cancel, const char *id, struct tare_process *ret_process, struct tare_error *error)
{
  struct tare_create_options create = {
    .size = sizeof create,
    .bundle = options->bundle,
    .config = options->config,
    .pid_file = options->pid_file,
    .console_socket = options->console_socket,
    .stdio = { -1, -1, -1 },
    .preserve_fds = options->preserve_fds,
    .no_pivot = options->no_pivot,
    .no_new_keyring = options->no_new_keyring,
    .want_terminal = mode == CLI_RUN_ATTACHED,
    .start = mode != CLI_CREATE,
    .notify = cli_notify_path () != NULL,
    .listen_fds = cli_listen_fds (),
    .cancel = cancel,
  };
  if (create.want_terminal)
    cli_terminal_size (&create.terminal_rows, &create.terminal_columns);
  return tare_create (cli->context, id, &create, ret_process, error);
}

int
cli_create_container (struct cli *cli, const struct cli_create_options *options,
                      enum cli_create_mode mode, int cancel, const char *id,
                      struct tare_process *ret_process, struct tare_error *error)
{
  struct tare_process process = TARE_PROCESS_INIT;
  int socket = -1;
  int r = cli_notify_check (error);
  if (r >= 0 && options->pidfd_socket != NULL)
    r = socket = cli_connect_pidfd_socket (options->pidfd_socket, error);
  if (r >= 0)
    r = create (cli, options, mode, cancel, id, &process, error);
  if (r >= 0 && socket >= 0)
    {
      r = cli_send_descriptor (socket, process.pidfd, error);
      if (r < 0)
        {
          (void) tare_delete (cli->context, id, TARE_DELETE_FORCE, NULL);
          cli_close_process (&process);
          if (process.terminal >= 0)
            (void) close (process.terminal);
        }
    }
  if (socket >= 0)
    (void) close (socket);
  if (r >= 0)
    *ret_process = process;
  return r < 0 ? r : 0;
}

static int
run_create (struct cli *cli, const void *values, char **arguments, size_t count,
            struct tare_error *error)
{
  struct tare_process process;
  (void) count;
  int r = cli_create_container (cli, values, CLI_CREATE, -1, arguments[0], &process, error);
  if (r >= 0)
    cli_close_process (&process);
  return r;
}

static const struct cli_option options[] = {
  CLI_CREATE_OPTIONS,
  /* go-runc passes it to create as well, where it changes nothing */
  CLI_CREATE_OPTION ("detach", 'd', CLI_FLAG, NULL, detach, NULL),
  { 0 },
};

const struct cli_command cli_create = {
  .name = "create",
  .synopsis = "ID",
  .summary = "create a container, which then waits for start",
  .description = "Reads config.json of the bundle, makes the container and returns once "
                 "its first process waits for start. Everything that can be wrong with the "
                 "config, the program included, is told now.\n"
                 "Standard input, output and error of the container are those of this "
                 "command. Where process.terminal is true, the terminal goes to --console- "
                 "socket.\n"
                 "A create that fails leaves nothing behind.\n",
  .options = options,
  .options_size = sizeof (struct cli_create_options),
  .min = 1,
  .max = 1,
  .run = run_create,
};
