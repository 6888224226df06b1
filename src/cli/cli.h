/* The command line: a client of the library like any other. One file a command, one table of
 * commands in main.c, one table of options a command. Includes tare.h and nothing of src/.
 *
 * Functions return an exit status (0 or more), or a negative errno with *error filled: main.c
 * alone turns that into one line and an exit status.
 */
#ifndef TARE_CLI_H
#define TARE_CLI_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <termios.h>

#include "tare.h"

#define COUNT_OF(array) (sizeof (array) / sizeof *(array))

/* ---- options --------------------------------------------------------------------------------- */

enum cli_kind
{
  CLI_FLAG,   /* bool; "--name", "--name=false" */
  CLI_TEXT,   /* const char *; an empty text counts as not given, as with the other runtimes */
  CLI_NUMBER, /* uint32_t */
  CLI_CHOICE, /* uint32_t, enum tare_choice; as a flag is given */
  CLI_TEXTS,  /* struct cli_texts: every one that is given, in order */
};

struct cli_texts
{
  const char **items; /* cli_free_texts */
  size_t count;
};

struct cli_option
{
  const char *name; /* long */
  char letter;      /* short, or 0 */
  enum cli_kind kind;
  const char *argument; /* its name in the help; completions know FILE, PATH, DIR and "a|b|c" */
  size_t offset;        /* in the command's struct of options */
  const char *help;     /* one line; NULL: accepted, but not shown */
};

struct cli_options
{
  const struct cli_option *rows; /* ended by a NULL name */
  const char *whose;             /* for messages: "create"; NULL: the global ones */
};

/* Takes the options out of the count arguments: what is left is moved to the front and counted in
 * *ret_count. stop: everything after the first other argument is left as it is. "--help" is
 * understood everywhere. TARE_ERROR_USAGE. */
int cli_parse (const struct cli_options *options, void *values, char **arguments, size_t count,
               bool stop, size_t *ret_count, bool *ret_help, struct tare_error *error);
/* Frees what cli_parse allocated in values. */
void cli_free_texts (const struct cli_option *rows, void *values);
/* The whole of text as a decimal number. -EINVAL, -ERANGE. */
int cli_number (const char *text, uint32_t max, uint32_t *ret_value);
/* Of count names (those of NULL are skipped) the one most like text, or NULL if none is. */
const char *cli_nearest (const char *text, const char *const *names, size_t count);

/* ---- the log --------------------------------------------------------------------------------- */

enum cli_destination
{
  CLI_LOG_STDERR,
  CLI_LOG_FILE,
  CLI_LOG_JOURNALD,
  CLI_LOG_SYSLOG,
};

struct cli_log
{
  enum cli_destination destination;
  int fd;
  bool json;
  enum tare_log_level level;
  bool errors_only;       /* where it is not stderr */
  const char *identifier; /* of journald and syslog */
};

/* destination: NULL, PATH, file:PATH, journald:ID, syslog:ID. format, level: NULL, or a name. */
int cli_log_open (struct cli_log *log, const char *destination, const char *format,
                  const char *level, bool debug, struct tare_error *error);
/* One record. An error goes to stderr as well, wherever else it goes. */
void cli_log_write (const struct cli_log *log, enum tare_log_level level, const char *message);

/* ---- commands -------------------------------------------------------------------------------- */

struct cli_command;

/* What there is; see table.c. Everybody is handed it, so that a command's file needs no other's. */
struct cli_table
{
  const struct cli_command *const *commands; /* ended by NULL */
  const struct cli_option *options;          /* those before a command: struct cli_global_options */
};

struct cli
{
  const struct cli_table *table;
  struct cli_log log;
  struct tare_context *context; /* NULL for commands that need none */
  int failure_status;           /* of a failed command; 0: 1 */
  bool stdout_closed;           /* it was, when we were started */
};

/* A command is one of these, in a file of its own, and a line in the table of table.c. Its help,
 * its manual page and what shells complete are made of it: "tare help --man NAME" shows the page.
 */
struct cli_command
{
  const char *name;
  const char *synopsis; /* "ID [SIGNAL]"; completions know ID, COMMAND and "a|b|c" */
  const char *summary;
  const char *description; /* for the manual: sentences, each paragraph ended by a newline */
  const struct cli_option *options;
  size_t options_size; /* of the struct they fill, which starts zeroed */
  size_t min, max;     /* arguments */
  bool stop;           /* as of cli_parse */
  bool no_context;
  const char *refusal; /* known, and not built: why; nothing else is needed then */
  int (*run) (struct cli *cli, const void *options, char **arguments, size_t count,
              struct tare_error *error);
};

extern const struct cli_command cli_create, cli_run, cli_start, cli_state, cli_kill, cli_delete,
    cli_list, cli_ps, cli_exec, cli_pause, cli_resume, cli_spec, cli_features, cli_version,
    cli_update, cli_events, cli_completion, cli_help;

struct cli_global_options
{
  const char *root, *log, *log_format, *log_level, *cgroup_manager, *rootless, *criu;
  bool debug, systemd_cgroup, systemd_log, version;
};

extern const struct cli_table cli_table;

/* The rows of a command; those of one that has none are none, not NULL. */
const struct cli_option *cli_rows (const struct cli_command *command);
/* NULL, and an error that names the nearest. */
const struct cli_command *cli_find_command (const struct cli_table *table, const char *name,
                                            struct tare_error *error);
/* The same text as a manual page, of one command or (NULL) of all. */
void cli_put_manual (FILE *stream, const struct cli_table *table,
                     const struct cli_command *command);
/* What --help shows of one command, of all; returns an exit status. */
int cli_show_help (const struct cli *cli, const struct cli_command *command,
                   struct tare_error *error);
int cli_show_usage (const struct cli *cli, struct tare_error *error);

/* Prints to standard output. That nobody could read it is an error. */
int cli_print (const struct cli *cli, const char *text, size_t length, struct tare_error *error);
/* A file that was read; bytes are to be freed, whatever came of it. */
struct cli_file
{
  const char *name; /* for messages */
  char *bytes;
  size_t length;
};
/* name "-" is standard input. what: "process object". */
int cli_read_file (const char *what, const char *name, struct cli_file *ret_file,
                   struct tare_error *error);
/* The same from a stream in memory: opened with its text and length, printed, closed and freed.
 * Opening it gives NULL for an error. */
FILE *cli_open_text (char **text, size_t *length, struct tare_error *error);
int cli_print_text (const struct cli *cli, FILE *stream, char **text, size_t *length,
                    struct tare_error *error);
/* Is text one of the names? Its index, or -EINVAL with a message that lists them. */
int cli_choose (const char *option, const char *text, const char *const *names, size_t count,
                struct tare_error *error);

typedef int cli_each_t (struct cli *cli, const char *id, const void *argument,
                        struct tare_error *error);
/* Calls it for the container id, or if regex is set for all whose ids match id; the first error
 * counts, and does not keep the others from being called. */
int cli_for_each (struct cli *cli, const char *id, bool regex, cli_each_t *call,
                  const void *argument, struct tare_error *error);

/* ---- create and run -------------------------------------------------------------------------- */

struct cli_create_options
{
  const char *bundle, *config, *console_socket, *pid_file, *pidfd_socket;
  uint32_t preserve_fds;
  bool no_pivot, no_new_keyring, no_subreaper, detach, keep;
};

#define CLI_CREATE_OPTION(name, letter, kind, argument, member, help)                              \
  {                                                                                                \
    name, letter, kind, argument, offsetof (struct cli_create_options, member), help               \
  }

/* The rows that both have. */
#define CLI_CREATE_OPTIONS                                                                         \
  CLI_CREATE_OPTION ("bundle", 'b', CLI_TEXT, "DIR", bundle, "the bundle (default: \".\")"),       \
      CLI_CREATE_OPTION ("config", 'f', CLI_TEXT, "FILE", config,                                  \
                         "the configuration (default: config.json of the bundle)"),                \
      CLI_CREATE_OPTION ("console-socket", 'c', CLI_TEXT, "PATH", console_socket,                  \
                         "unix socket that receives the terminal"),                                \
      CLI_CREATE_OPTION ("pidfd-socket", 0, CLI_TEXT, "PATH", pidfd_socket,                        \
                         "unix socket that receives a pidfd of the container's init"),             \
      CLI_CREATE_OPTION ("pid-file", 'p', CLI_TEXT, "FILE", pid_file,                              \
                         "where to write the pid of the container's init"),                        \
      CLI_CREATE_OPTION ("no-pivot", 0, CLI_FLAG, NULL, no_pivot,                                  \
                         "do not use pivot_root (for a root on a ramdisk)"),                       \
      CLI_CREATE_OPTION ("no-new-keyring", 0, CLI_FLAG, NULL, no_new_keyring,                      \
                         "keep the caller's session keyring"),                                     \
      CLI_CREATE_OPTION ("preserve-fds", 0, CLI_NUMBER, "N", preserve_fds,                         \
                         "pass descriptors 3 to 3+N-1 to the container"),                          \
      CLI_CREATE_OPTION ("no-subreaper", 0, CLI_FLAG, NULL, no_subreaper,                          \
                         "do not adopt the container's orphans")

/* Connects the pidfd socket, creates, sends the pidfd. What
 * fails after the container is there deletes it again. attached: a terminal is ours, unless there
 * is a console socket. */
enum cli_create_mode
{
  CLI_CREATE, /* it waits for start */
  CLI_RUN_DETACHED,
  CLI_RUN_ATTACHED,
};
int cli_create_container (struct cli *cli, const struct cli_create_options *options,
                          enum cli_create_mode mode, int cancel, const char *id,
                          struct tare_process *ret_process, struct tare_error *error);

/* ---- an attached terminal (run, exec)
 * ------------------------------------------------------------ */

enum
{
  CLI_RELAY_SIZE = 16384,
};

struct cli_relay
{
  char *bytes; /* CLI_RELAY_SIZE of them, while there is a terminal */
  size_t begin, end;
};

struct cli_terminal
{
  int master; /* of the container's; -1: there is none */
  int output_fd;
  bool output_is_socket, output_ended, input_ended;
  bool hung_up; /* no process has the other end open */
  bool raw;     /* ours is, and has to be restored */
  struct termios original;
  char last_byte; /* of the input */
  size_t left;    /* read since the process ended */
  struct cli_relay input, output;
};

enum
{
  CLI_TERMINAL_FDS = 3,
};

#define CLI_TERMINAL_INIT                                                                          \
  {                                                                                                \
    .master = -1, .output_fd = 1                                                                   \
  }

/* Takes master over, which may be -1, and our own terminal with it. Whoever has opened one has to
 * close it on every way out. */
int cli_terminal_open (struct cli_terminal *terminal, int master, struct tare_error *error);
void cli_terminal_close (struct cli_terminal *terminal);
void cli_terminal_make_raw (struct cli_terminal *terminal);
void cli_terminal_restore (struct cli_terminal *terminal);
/* The size of ours; left alone where there is none. */
void cli_terminal_size (uint16_t *ret_rows, uint16_t *ret_columns);
void cli_terminal_resize (const struct cli_terminal *terminal);
/* What to poll for; returns for how many milliseconds at most, or -1. */
int cli_terminal_watch (struct cli_terminal *terminal, struct pollfd fds[CLI_TERMINAL_FDS]);
void cli_terminal_relay (struct cli_terminal *terminal, const struct pollfd fds[CLI_TERMINAL_FDS]);
/* After the process's end: is there nothing left of what it wrote? */
bool cli_terminal_is_drained (struct cli_terminal *terminal);

/* ---- descriptors and waiting (run, exec) --------------------------------------------------------
 */

int cli_connect_pidfd_socket (const char *path, struct tare_error *error);
int cli_send_descriptor (int socket, int fd, struct tare_error *error);

/* ---- what a supervisor passes (notify.c) ----------------------------------------------------- */

/* NOTIFY_SOCKET of our environment, or NULL. */
const char *cli_notify_path (void);
/* LISTEN_FDS of our environment, if it is meant for us. */
uint32_t cli_listen_fds (void);
/* Does somebody listen there, if it is set? */
int cli_notify_check (struct tare_error *error);
/* Hands on what has come. For one who stays. */
int cli_notify_relay (struct tare_process *process, struct tare_error *error);
/* Waits until the container's program is ready, or has ended, and tells the supervisor that it is
 * the process to watch from then on. For one who leaves. */
int cli_notify_wait (struct tare_process *process, struct tare_error *error);
/* All but its terminal. */
void cli_close_process (struct tare_process *process);

/* errno as an error: "WHAT: its text". */
int cli_system_error (struct tare_error *error, const char *what);
/* Blocks what is to be forwarded, and SIGCHLD; they come by the descriptor that is returned. */
int cli_open_signals (struct tare_error *error);
/* After that: readable once one has come that asks for an end. It is left to be forwarded. */
int cli_open_cancel (struct tare_error *error);
/* Forwards them, and relays terminal's bytes, until the process ends. Returns its exit status, or
 * 128+n. */
int cli_wait (struct tare_process *process, int signals, struct cli_terminal *terminal,
              struct tare_error *error);

/* "KILL", "SIGKILL", "sigkill", "9", "RTMIN+3": the number, or -EINVAL. */
int cli_signal (const char *text);

#endif
