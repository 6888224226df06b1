/* tare: an OCI runtime as a library.
 *
 * C99 and nothing but C99. Handles are opaque. Option structs begin with their own size, so a
 * newer library takes an older caller's. No globals: a context may be used from one thread at a
 * time, different contexts from different threads. The library never exits, never prints (but to
 * the log it is given) and leaves the caller's rlimits, umask, keyring, signal mask, working
 * directory, subreaper flag and namespaces alone. (tare_create visits a new network namespace, in
 * the calling thread alone, and comes back before it returns.)
 *
 * Functions return 0 or more on success, a negative errno on failure, and then fill *error (which
 * may be NULL). ret_... outputs are untouched on failure.
 */
#ifndef TARE_H
#define TARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C"
{
#endif

  /* What went wrong, as a class: enough for a caller to choose an exit status. */
  enum tare_error_kind
  {
    TARE_ERROR_NONE = 0,
    TARE_ERROR_SYSTEM,                 /* the kernel refused; code is its errno */
    TARE_ERROR_USAGE,                  /* a wrong argument of the caller */
    TARE_ERROR_CONFIG,                 /* config.json, or another JSON input, is wrong */
    TARE_ERROR_UNSUPPORTED,            /* valid, but not offered here */
    TARE_ERROR_NOT_FOUND,              /* no container of that id */
    TARE_ERROR_EXISTS,                 /* the id is taken */
    TARE_ERROR_STATUS,                 /* the container's status forbids it */
    TARE_ERROR_PROGRAM_NOT_FOUND,      /* process.args[0]: exit status 127 */
    TARE_ERROR_PROGRAM_NOT_EXECUTABLE, /* process.args[0]: exit status 126 */
    TARE_ERROR_PROTOCOL,               /* the two programs disagree, or one died */
    TARE_ERROR_CORRUPT,                /* a file of the state directory is not what was written */
    TARE_ERROR_HOOK,                   /* a hook failed, or ran past its timeout */
    TARE_ERROR_CANCELLED,              /* the caller has called it off; code is -ECANCELED */
  };

  /* One error, 512 bytes, no heap: it works when memory is gone and crosses a socket as it is. */
  struct tare_error
  {
    int32_t code;      /* negative errno, or 0 */
    uint32_t kind;     /* enum tare_error_kind */
    uint16_t step;     /* 1 + index of the step that failed in its table, or 0 */
    char message[502]; /* one line, no newline, always terminated */
  };

  /* "0.1.0" */
  const char *tare_version (void);
  /* "2.5.4"; NULL: built without */
  const char *tare_libseccomp_version (void);
/* The version of the OCI runtime specification that this follows. */
#define TARE_OCI_VERSION "1.3.0"

  /* text as one line of valid UTF-8: control characters and invalid bytes become \xNN. Cut to size,
   * always terminated. Messages of errors and of the log have been through it. */
  void tare_escape (const char *text, char *out, size_t size);
  /* Fills *error (which may be NULL) with a message of the caller's own, escaped and cut to fit.
   * Returns code, which is a negative errno. */
  int tare_error_set (struct tare_error *error, enum tare_error_kind kind, int code,
                      const char *format, ...)
#if defined(__GNUC__)
      __attribute__ ((__format__ (__printf__, 4, 5)))
#endif
      ;

  /* ---- context ------------------------------------------------------------------------------- */

  enum tare_log_level
  {
    TARE_LOG_ERROR,
    TARE_LOG_WARNING,
    TARE_LOG_INFO,
    TARE_LOG_DEBUG,
  };

  enum tare_cgroup_manager
  {
    TARE_CGROUP_CGROUPFS,
    TARE_CGROUP_SYSTEMD,
    TARE_CGROUP_DISABLED,
  };

  /* What to do where the user may not make a container's control group. */
  enum tare_rootless
  {
    TARE_ROOTLESS_AUTO,  /* for all but root: go on, unless a limit was asked for */
    TARE_ROOTLESS_TRUE,  /* go on; that a limit is not in force is a warning */
    TARE_ROOTLESS_FALSE, /* an error */
  };

  struct tare_context_options
  {
    size_t size;      /* sizeof (struct tare_context_options) */
    const char *root; /* state root; NULL: /run/tare, or $XDG_RUNTIME_DIR/tare when rootless */
    uint32_t cgroup_manager; /* enum tare_cgroup_manager */
    /* Called for every message up to log_level; message is one line. NULL: silence. */
    void (*log) (enum tare_log_level level, const char *message, void *argument);
    void *log_argument;
    uint32_t log_level; /* enum tare_log_level */
    uint32_t rootless;  /* enum tare_rootless */
  };

  struct tare_context;

  int tare_context_new (const struct tare_context_options *options,
                        struct tare_context **ret_context, struct tare_error *error);
  void tare_context_free (struct tare_context *context);

  /* ---- life cycle ---------------------------------------------------------------------------- */

  struct tare_create_options
  {
    size_t size;
    const char *bundle;         /* NULL: "." */
    const char *config;         /* file name, absolute or below the bundle; NULL: config.json */
    const char *pid_file;       /* written atomically when the container is created, or NULL */
    const char *console_socket; /* unix socket that receives the terminal, or NULL */
    int stdio[3];          /* for the container's 0, 1, 2; -1: the caller's own, or /dev/null */
    uint32_t preserve_fds; /* the caller's 3 .. 3+N-1, none close-on-exec, are kept */
    bool no_pivot;
    bool no_new_keyring;
    bool want_terminal; /* without console_socket: ret_process->terminal is for the caller */
    bool start;         /* the program runs on return; where it cannot, nothing is left */
    /* of the terminal, in characters, from the first instant; 0: as the config has it */
    uint16_t terminal_rows, terminal_columns;
    bool notify; /* the process gets a NOTIFY_SOCKET, unless it has one: see tare_notify_socket;
                  * with `start`, ret_process->notify is there */
    uint32_t listen_fds; /* so many from 3 on are for LISTEN_FDS; those to preserve come after */
    int cancel; /* once it is readable (poll), what has been made is taken back; -1: none */
  };

  struct tare_process
  {
    pid_t pid;
    int pidfd;    /* the caller's to close; -1 if unset */
    int terminal; /* the master of its terminal, the caller's to close; -1 if there is none */
    int notify;   /* the socket to which it speaks (sd_notify(3)), as terminal */
  };

#define TARE_CREATE_OPTIONS_INIT                                                                   \
  {                                                                                                \
    sizeof (struct tare_create_options), NULL, NULL, NULL, NULL, { -1, -1, -1 }, 0, false, false,  \
        false, false, 0, 0, false, 0, -1                                                           \
  }

#define TARE_PROCESS_INIT                                                                          \
  {                                                                                                \
    0, -1, -1, -1                                                                                  \
  }

  /* Creates a container and returns once its init waits for tare_start; with options->start, once
   * its program runs (runtime.md "Lifecycle", to step 9). EEXIST: the id is taken. */
  int tare_create (struct tare_context *context, const char *id,
                   const struct tare_create_options *options, struct tare_process *ret_process,
                   struct tare_error *error);
  /* Starts a created container; returns after execve succeeded. */
  int tare_start (struct tare_context *context, const char *id, struct tare_error *error);

  /* Opens ret_process->notify (AF_UNIX, SOCK_DGRAM) of a container that was created with `notify`;
   * call it before tare_start, or the process may speak to nobody. ENOENT: it has no such socket.
   */
  int tare_notify_socket (struct tare_context *context, const char *id,
                          struct tare_process *ret_process, struct tare_error *error);

  enum tare_choice
  {
    TARE_UNSET, /* as the container, or the given process object, has it */
    TARE_NO,
    TARE_YES,
  };

  /* A further process of a container. It begins as the given process object, completed from the
   * container's own (user, capabilities, labels, rlimits, noNewPrivileges, oomScoreAdj where they
   * are absent); without one, as the container's process with cwd "/" and no terminal. Then the
   * other members are applied. */
  struct tare_exec_options
  {
    size_t size;
    const char *process; /* JSON text of a process object (config.md "Process"), or NULL */
    size_t process_length;
    const char *process_name; /* for messages: its file; NULL: "process" */
    const char *const *args;  /* required without a process object, refused with one */
    size_t n_args;
    const char *const *env; /* "NAME=value": replaces that name's, or is added */
    size_t n_env;
    const char *cwd;
    bool set_uid, set_gid;
    uint32_t uid, gid;
    const uint32_t *additional_gids; /* added */
    size_t n_additional_gids;
    const char *const *capabilities; /* added to the bounding, effective and permitted sets, and to
                                      * the ambient one if there is an inheritable one */
    size_t n_capabilities;
    const char *selinux_label;
    const char *apparmor_profile;
    uint32_t no_new_privileges; /* enum tare_choice */
    uint32_t terminal;          /* enum tare_choice */
    const char *console_socket;
    bool want_terminal; /* without console_socket: ret_process->terminal is for the caller */
    bool ignore_paused; /* then it waits until the container is resumed */
    const char *const *cgroups; /* "[CONTROLLER,...:]PATH": existing groups below the container's */
    size_t n_cgroups;
    const char *pid_file;
    int stdio[3];          /* descriptors for 0, 1, 2; -1: the caller's own, or /dev/null */
    uint32_t preserve_fds; /* the caller's descriptors 3 .. 3+N-1, none close-on-exec, are kept */
    /* of the terminal, in characters, from the first instant; 0: as a terminal comes */
    uint16_t terminal_rows, terminal_columns;
    uint32_t listen_fds; /* so many from 3 on are for LISTEN_FDS; those to preserve come after */
    int cancel;          /* once it is readable (poll), the process is killed; -1: none */
  };

#define TARE_EXEC_OPTIONS_INIT                                                                     \
  {                                                                                                \
    sizeof (struct tare_exec_options), NULL, 0, NULL, NULL, 0, NULL, 0, NULL, false, false, 0, 0,  \
        NULL, 0, NULL, 0, NULL, NULL, TARE_UNSET, TARE_UNSET, NULL, false, false, NULL, 0, NULL,   \
        { -1, -1, -1 }, 0, 0, 0, 0, -1                                                             \
  }

  /* Runs a process in a container that is created or running; returns after its execve succeeded.
   */
  int tare_exec (struct tare_context *context, const char *id,
                 const struct tare_exec_options *options, struct tare_process *ret_process,
                 struct tare_error *error);

  struct tare_update_options
  {
    size_t size;
    const char *resources; /* JSON text of a linux.resources object (config-linux.md) */
    size_t resources_length;
    const char *resources_name; /* for messages: its file; NULL: "resources" */
  };

#define TARE_UPDATE_OPTIONS_INIT                                                                   \
  {                                                                                                \
    sizeof (struct tare_update_options), NULL, 0, NULL                                             \
  }

  /* Gives a container that is created or running other limits. What the resources leave out, or
   * have as zero where zero means nothing, stays as it is; device rules stay unless they are named.
   * All of it takes effect, or nothing. */
  int tare_update (struct tare_context *context, const char *id,
                   const struct tare_update_options *options, struct tare_error *error);

  /* Stops every process of a container, and lets them go on. */
  int tare_pause (struct tare_context *context, const char *id, struct tare_error *error);
  int tare_resume (struct tare_context *context, const char *id, struct tare_error *error);

  enum
  {
    TARE_KILL_ALL = 1 << 0, /* every process of the container's cgroup */
  };
  /* ESRCH: the container is not running ("container not running"). */
  int tare_kill (struct tare_context *context, const char *id, int signal, uint32_t flags,
                 struct tare_error *error);

  enum
  {
    TARE_DELETE_FORCE = 1 << 0, /* kill it first; an unknown id is no error */
  };
  int tare_delete (struct tare_context *context, const char *id, uint32_t flags,
                   struct tare_error *error);

  /* The container's state (runtime.md "State") as JSON text; the caller frees it. */
  int tare_state (struct tare_context *context, const char *id, char **ret_json,
                  struct tare_error *error);

  struct tare_container
  {
    char *id;
    char *status;
    char *bundle;
    char *rootfs;
    char *created; /* RFC 3339 */
    char *owner;   /* user name, or a number */
    char *json;    /* its state, as tare_state gives it, on one line */
    pid_t pid;     /* 0 when stopped */
  };
  /* All containers below the root, sorted by id. Those that cannot be read are logged and left out.
   */
  int tare_list (struct tare_context *context, struct tare_container **ret_containers,
                 size_t *ret_count, struct tare_error *error);
  void tare_list_free (struct tare_container *containers, size_t count);

  /* The pids of the container's cgroup, ascending; the caller frees the array. */
  int tare_processes (struct tare_context *context, const char *id, pid_t **ret_pids,
                      size_t *ret_count, struct tare_error *error);

  /* What the container uses, as a line of JSON: the object that runc's `events --stats` prints. The
   * caller frees it. */
  int tare_stats (struct tare_context *context, const char *id, char **ret_json,
                  struct tare_error *error);

  /* 1 if the container's memory limit has killed one of its processes, else 0. */
  int tare_is_oom_killed (struct tare_context *context, const char *id, struct tare_error *error);

  enum
  {
    TARE_EVENT_OOM = 1 << 0, /* its memory limit could not be kept without a kill */
    TARE_EVENT_END = 1 << 1, /* its init has ended */
  };
  /* A watch on a container that is created or running. */
  struct tare_events;
  int tare_events_open (struct tare_context *context, const char *id,
                        struct tare_events **ret_events, struct tare_error *error);
  /* Becomes readable (poll) when there may be something to take. */
  int tare_events_fd (const struct tare_events *events);
  /* What happened since the last call, a mask of TARE_EVENT_*; does not wait. */
  int tare_events_take (struct tare_events *events);
  void tare_events_free (struct tare_events *events);

  /* ---- texts --------------------------------------------------------------------------------- */

  enum
  {
    TARE_SPEC_ROOTLESS = 1 << 0,
  };
  /* The default config.json; the caller frees it. */
  int tare_spec (uint32_t flags, char **ret_json, struct tare_error *error);
  /* The features document (features.md); the caller frees it. */
  int tare_features (char **ret_json, struct tare_error *error);

#ifdef __cplusplus
}
#endif

#endif
