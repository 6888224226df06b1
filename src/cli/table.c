/* The table of the command line: every command, and the options that come before one. The parser,
 * the help, the manual pages and the completions go by it and by the rows that each command has.
 *
 * To add a command: its file with a struct cli_command and its rows, its name in cli.h and here. To
 * add an option: a row in its command's file. There is nothing else to write or to update.
 */
#include "cli.h"

/* Commands that other runtimes have and managers call. That they are known makes the difference
 * between "not here" and a mistyped name; a manager that probes with --help gets the refusal too.
 */
static const struct cli_command checkpoint = {
  .name = "checkpoint",
  .synopsis = "ID",
  .summary = "save the processes of a container",
  .refusal = "it has no checkpoint and restore",
};

static const struct cli_command restore = {
  .name = "restore",
  .synopsis = "ID",
  .summary = "bring a saved container back",
  .refusal = "it has no checkpoint and restore",
};

static const struct cli_command mounts = {
  .name = "mounts",
  .synopsis = "add|remove ID FILE",
  .summary = "change the mounts of a container that runs",
  .refusal = "the mounts of a container are those it was created with",
};

static const struct cli_command *const commands[] = {
  &cli_create,     &cli_delete, &cli_events,  &cli_exec,   &cli_features, &cli_kill,
  &cli_list,       &cli_pause,  &cli_ps,      &cli_resume, &cli_run,      &cli_spec,
  &cli_start,      &cli_state,  &cli_update,  &checkpoint, &restore,      &mounts,
  &cli_completion, &cli_help,   &cli_version, NULL,
};

#define GLOBAL(name, letter, kind, argument, member, help)                                         \
  {                                                                                                \
    name, letter, kind, argument, offsetof (struct cli_global_options, member), help               \
  }

static const struct cli_option global_options[] = {
  GLOBAL ("root", 'r', CLI_TEXT, "DIR", root,
          "where the state of containers is kept (default: /run/tare, or $XDG_RUNTIME_DIR/tare)"),
  GLOBAL ("log", 'l', CLI_TEXT, "DEST", log, "PATH, file:PATH, journald:ID or syslog:ID"),
  GLOBAL ("log-format", 0, CLI_TEXT, "text|json", log_format, "how messages look (default: text)"),
  GLOBAL ("log-level", 0, CLI_TEXT, "error|warning|info|debug", log_level,
          "what is told (default: warning; in a log that is a file or a service, error)"),
  GLOBAL ("debug", 0, CLI_FLAG, NULL, debug, "the same as --log-level=debug"),
  GLOBAL ("systemd-log", 0, CLI_FLAG, NULL, systemd_log, "the same as --log=journald:tare"),
  GLOBAL ("cgroup-manager", 0, CLI_TEXT, "cgroupfs|systemd|disabled", cgroup_manager,
          "who makes control groups (default: cgroupfs)"),
  GLOBAL ("systemd-cgroup", 's', CLI_FLAG, NULL, systemd_cgroup,
          "the same as --cgroup-manager=systemd"),
  GLOBAL ("rootless", 0, CLI_TEXT, "true|false|auto", rootless,
          "go on where a control group cannot be made; true: even without limits (default: auto)"),
  GLOBAL ("criu", 0, CLI_TEXT, "PATH", criu, NULL),
  GLOBAL ("version", 'v', CLI_FLAG, NULL, version, "print the version"),
  GLOBAL ("version", 'V', CLI_FLAG, NULL, version, NULL),
  { 0 },
};

const struct cli_table cli_table = { .commands = commands, .options = global_options };
