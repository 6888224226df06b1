/* Private to host: what a verb works on, and its steps. */
#ifndef TARE_HOST_INTERNAL_H
#define TARE_HOST_INTERNAL_H

#include "cgroup/cgroup.h"
#include "host/host.h"
#include "net/net.h"
#include "plan/protocol.h"
#include "plan/steps.h"
#include "spec/spec.h"
#include "state/record.h"
#include "state/state.h"
#include "sys/sys.h"

/* A container in the hands of a verb. create fills it step by step; delete fills it from the state
 * file; the undo column of the table works on either. */
struct container
{
  const struct host *host;
  const char *id;
  const struct tare_create_options *options; /* create only */
  const struct tare_exec_options *exec;      /* exec only */
  /* of the process to be made, from the options of create or exec */
  const int *stdio;
  int cancel; /* the caller's, or negative */
  uint32_t preserve_fds;
  const char *pid_file;
  const char *console_socket; /* who gets the terminal */
  bool want_terminal;         /* without a socket: the caller does */
  bool pid_file_is_ours;      /* written by us: taken back if the rest fails */

  char *bundle;           /* absolute */
  char *notify_directory; /* absolute; NULL: there is none */
  int hook_output[2];     /* of the files that their annotations name */
  int notify;             /* the socket in it, in a run */
  void *config_bytes;
  size_t config_length;
  struct spec *spec;
  struct spec *container_spec; /* exec: spec is that of the process, and borrows from this */
  int container_init;          /* exec: a pidfd */

  struct state state;
  bool reserved;
  bool undo_failed; /* something of the container is still there */
  bool hooks_began; /* so that poststop has something to take back */

  struct cgroup cgroup;
  struct cgroup_mounts cgroup_mounts;
  bool has_cgroup;
  bool without_limits; /* --rootless=true, and they cannot be set: that was said once */
  bool in_v2;          /* clone3 put init there */

  struct net_move *net_move; /* what a failed create gives back */

  struct plan_builder builder;
  int plan_fd, progress_fd, start_socket, image, filter, terminal;
  int agent_state, agent; /* for a filter that asks */
  int console;            /* connected to console_socket */
  int network;            /* the namespace, on its way to init */
  int network_socket;     /* of it */
  int source;             /* of a bind mount, on its way to init */
  struct plan_progress *progress;
  int joins[PLAN_MAX_NAMESPACES];
  size_t n_joins;

  struct channel channel;
  int peer;  /* init's end, until it has it */
  int stage; /* pidfd of the process that clone3 made, when it is not init itself */
  pid_t pid;
  int pidfd;

  int outgoing[PLAN_FD_COUNT + PLAN_MAX_NAMESPACES]; /* what goes with the next message */
  size_t n_outgoing;
};

#define CONTAINER_INIT(host_, id_)                                                                 \
  {                                                                                                \
    .host = (host_), .id = (id_), .state = { .directory = -EBADF, .lock = -EBADF },                \
    .plan_fd = -EBADF, .progress_fd = -EBADF, .start_socket = -EBADF, .image = -EBADF,             \
    .filter = -EBADF, .agent_state = -EBADF, .agent = -EBADF, .terminal = -EBADF,                  \
    .console = -EBADF, .notify = -EBADF, .hook_output = { -EBADF, -EBADF }, .source = -EBADF,      \
    .network = -EBADF, .network_socket = -EBADF, .peer = -EBADF, .stage = -EBADF, .pidfd = -EBADF, \
    .container_init = -EBADF, .cancel = -EBADF,                                                    \
    .channel = { .fd = -EBADF, .side = MESSAGE_TO_INIT },                                          \
  }
/* Closes and frees; no effect on what the container is. */
void container_done (struct container *container);
/* Closes what undoing does not need: it may itself be short of descriptors. */
void container_release (struct container *container);

/* One row of a table: receive what the row waits for, run, send what the row answers. undo takes
 * back the lasting effect of run; it is also what `delete` and a failed create run, so it must
 * stand being called on what was made in part, or already undone. */
struct step
{
  const char *name;
  bool (*needed) (const struct container *container);
  enum message receive;
  int (*run) (struct container *container, struct received *received, struct tare_error *error);
  enum message send;
  int (*undo) (struct container *container, struct tare_error *error);
};

/* Runs the rows in order; if one fails, undoes it and those before it in reverse. */
int steps_run (const struct step *steps, size_t count, struct container *container,
               struct tare_error *error);
/* The undo column alone, in reverse. Goes on after a failure; the first one is returned. */
int steps_undo (const struct step *steps, size_t count, struct container *container,
                struct tare_error *error);

extern const struct step create_steps[], exec_steps[];
extern const size_t n_create_steps, n_exec_steps;

/* network.c: the network namespace, where the plan leaves it to us. */
bool row_makes_network (const struct container *container);
int row_network (struct container *container, struct received *received, struct tare_error *error);
int row_loopback (struct container *container, struct received *received, struct tare_error *error);

/* image.c: a sealed memfd of tare-init, or a descriptor of its installed file. */
int image_open (const struct log *log, struct tare_error *error);

/* spawn.c */
int spawn_init (struct container *container, const struct plan *plan, struct tare_error *error);
/* The plan of container->builder, made ready; and sent, with container->outgoing. */
int spawn_seal_plan (struct container *container, struct tare_error *error);
int spawn_send_plan (struct container *container, struct tare_error *error);
/* Kills what is left of init and its stage, and waits for them. */
int spawn_kill (struct container *container, struct tare_error *error);
/* Puts into words that init went away without a message. */
int spawn_explain_death (struct container *container, struct tare_error *error);

/* rows.c: what the tables of create and exec have in common. */
bool container_plan_flag (const struct container *container, uint64_t flag);
bool row_is_forked (const struct container *container);
int row_spawn (struct container *container, struct received *received, struct tare_error *error);
int row_attach (struct container *container, struct received *received, struct tare_error *error);
int row_limits (struct container *container, struct received *received, struct tare_error *error);
int row_forked (struct container *container, struct received *received, struct tare_error *error);
/* Of a stage, if there was one: once init has done something it has ended, and nothing waits. */
void row_reap_stage (struct container *container);
int row_write_pid_file (struct container *container, struct tare_error *error);
int row_remove_pid_file (struct container *container, struct tare_error *error);
void row_log_progress (const struct container *container);
/* After EXECUTING: end of file is success, for execve closes the connection. */
int await_execve (struct channel *channel, struct tare_error *error);
int row_executing (struct container *container, struct received *received,
                   struct tare_error *error);

/* For the caller: the process that was made, whose descriptors become its own. */
void container_take_process (struct container *container, struct tare_process *ret_process);

/* filter.c: the seccomp filter, and who is asked by it. */
bool row_has_filter (const struct container *container);
int row_compile_filter (struct container *container, struct received *received,
                        struct tare_error *error);
/* With the message that the row sends; does nothing where there is none. */
int row_send_filter (struct container *container, struct received *received,
                     struct tare_error *error);

/* notify.c: the directory of NOTIFY_SOCKET in the state directory, where it is wanted. */
int notify_make (struct container *container, struct tare_error *error);

/* terminal.c. A stream socket; the number is that of the container's /dev/pts. */
int terminal_connect (const char *path, struct tare_error *error);
int terminal_send (int socket, int master, uint64_t number, struct tare_error *error);
int pidfd_send (struct container *container, struct tare_error *error);
int row_console (struct container *container, struct received *received, struct tare_error *error);
bool row_has_terminal (const struct container *container);
int row_take_terminal (struct container *container, struct received *received,
                       struct tare_error *error);

/* hooks.c. The first failure ends a list, but for poststop, where each is a warning. */
int hooks_create (struct container *container, struct tare_error *error);
int hooks_poststart (struct container *container, struct tare_error *error);
void hooks_poststop (struct container *container);
/* For start and delete: the config, if they have a hook to run. */
int hooks_load (struct container *container, struct tare_error *error);

/* kill.c. Kills what lives of it and takes back everything that create made. */
int container_destroy (struct container *container, struct tare_error *error);

/* resctrl.c: linux.intelRdt. rdt_check is before anything is made. */
int rdt_check (const struct container *container, struct tare_error *error);
int rdt_describe (struct container *container, struct state_record *record);
bool rdt_needed (const struct container *container);
int row_make_rdt (struct container *container, struct received *received, struct tare_error *error);
int undo_rdt (struct container *container, struct tare_error *error);
bool row_enters_rdt (const struct container *container);
int row_enter_rdt (struct container *container, struct received *received,
                   struct tare_error *error);

/* mounts.c */
bool row_has_mounts (const struct container *container);
int row_mounts (struct container *container, struct received *received, struct tare_error *error);

/* cgroup_owner.c */
/* Before anything is made. */
int cgroup_owner_check (const struct container *container, struct tare_error *error);
bool row_delegates_cgroup (const struct container *container);
int row_delegate_cgroup (struct container *container, struct received *received,
                         struct tare_error *error);

/* process.c: what the host side does to init from outside. */
/* Writes one file of /proc/PID. */
int process_write_file (pid_t pid, const char *name, const char *text, struct tare_error *error);
/* Is the container in a cgroup namespace other than our own? */
bool process_has_cgroup_namespace (const struct spec *spec);
/* Is a user namespace joined, and not our own? After process_open_namespaces. */
bool process_joins_user_namespace (const struct container *container);
int process_set_limits (struct container *container, struct tare_error *error);
int process_write_time_offsets (struct container *container, struct tare_error *error);
int process_open_namespaces (struct container *container, struct tare_error *error);
/* Of an exec, which is started outside the container's groups where there is an initial one. */
int process_set_affinity (struct container *container, enum spec_affinity which,
                          struct tare_error *error);
int process_schedule (struct container *container, struct tare_error *error);

/* facts.c. Fills the facts that are those of this process and of the host. */
int process_facts (const struct spec *spec, struct spec_facts *facts, struct tare_error *error);

/* filter_cache.c: the program of that key, written to fd; or false. */
bool filter_cache_find (int root, const struct buf *key, int fd);
void filter_cache_keep (int root, const struct buf *key, int fd);

/* read_back.c: -EPERM where init is not what it was to become. */
int process_read_back (const struct container *container, struct tare_error *error);

/* id_maps.c: who we are to a new user namespace, and its maps. */
int id_maps_facts (const struct spec *spec, const struct sys_status *own, struct spec_facts *facts,
                   struct tare_error *error);
int id_maps_write (struct container *container, struct tare_error *error);

/* files.c */
int bundle_open (const char *path, char **ret_path, struct tare_error *error);
int file_read (int directory, const char *name, size_t max, void **ret_bytes, size_t *ret_length,
               struct tare_error *error);
int pid_file_write (const char *path, pid_t pid, struct tare_error *error);

/* container.c. open: one of the state directory; lock: exclusively, for a verb that changes it. */
int container_open (struct container *container, bool lock, enum cgroup_use use,
                    struct tare_error *error);
/* For more use than it was opened for. */
int container_open_cgroup (struct container *container, enum cgroup_use use,
                           struct tare_error *error);
/* spec, from the bytes that create stored: never from the bundle again. */
int container_load (struct container *container, struct tare_error *error);
/* Names the owner of its group. */
int container_own_cgroup (struct container *container, struct tare_error *error);
/* Fills the record of a container that is about to be made. */
int container_describe (struct container *container, struct tare_error *error);

#endif
