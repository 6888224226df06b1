/* The host side of create, as a table. Rows that wait for a message or answer one mirror rows of
 * init's table; the undo column is also `delete`'s. Serves runtime.md "Lifecycle", steps 1 to 5. */
#include "host/internal.h"

#include <stdlib.h>
#include <sys/socket.h>

/* ---- before there is a process --------------------------------------------------------------- */

static int
load (struct container *container, struct received *received, struct tare_error *error)
{
  (void) received;
  const struct tare_create_options *options = container->options;
  const char *name = options->config != NULL ? options->config : STATE_CONFIG;
  autoclose int bundle = bundle_open (options->bundle, &container->bundle, error);
  if (bundle < 0)
    return bundle;
  int r = file_read (bundle, name, OCI_SIZE_MAX, &container->config_bytes,
                     &container->config_length, error);
  if (r < 0)
    return wrap (error, r, "bundle '%s'", container->bundle);
  struct spec_input input = {
    .name = name,
    .bytes = container->config_bytes,
    .length = container->config_length,
    .bundle = container->bundle,
  };
  r = spec_load (&input, container->host->log, &container->spec, error);
  if (r < 0)
    return r;
  /* The root is tested before anything is made, so that the commonest mistake costs nothing. */
  autoclose int root = sys_openat2 (bundle, container->spec->rootfs, O_PATH | O_DIRECTORY, 0, 0);
  return root < 0 ? fail (error, root, "root.path: the rootfs path '%s'", container->spec->rootfs)
                  : 0;
}

static int
reserve (struct container *container, struct received *received, struct tare_error *error)
{
  (void) received;
  int r = state_reserve (container->host->root, container->id, &container->state, error);
  if (r < 0)
    return r;
  container->reserved = true;
  return notify_make (container, error);
}

/* Last of all, and only if all else is gone: the record is what a later delete goes by. */
static int
unreserve (struct container *container, struct tare_error *error)
{
  if (!container->reserved || container->undo_failed)
    return 0;
  int r = state_remove (container->host->root, &container->state, error);
  container->reserved = r < 0;
  return r;
}

/* runtime.md, step 13: at the end of every container whose hooks were reached. */
static int
poststop (struct container *container, struct tare_error *error)
{
  (void) error;
  if (container->hooks_began && !container->undo_failed)
    hooks_poststop (container);
  return 0;
}

/* create alone: a run goes on by itself. */
static bool
waits_for_start (const struct container *container)
{
  return !container->options->start;
}

static int
bind_start_socket (struct container *container, struct received *received, struct tare_error *error)
{
  (void) received;
  container->start_socket =
      sys_socket_bind (container->state.directory, STATE_START_SOCKET, SOCK_SEQPACKET);
  return container->start_socket < 0
             ? fail (error, container->start_socket, "bind the start socket")
             : 0;
}

static const struct oci_resources *
resources_of (const struct container *container)
{
  const struct oci_linux *linux = container->spec->config->linux;
  return linux != NULL && !container->without_limits ? linux->resources : NULL;
}

/* The caller has said that it knows. */
static int
forgive_limits (struct container *container, int r, struct tare_error *error)
{
  if (r >= 0 || container->host->rootless != TARE_ROOTLESS_TRUE
      || *container->cgroup.left_out == '\0')
    return r;
  container->without_limits = true;
  if (error == NULL)
    return 0;
  log_warning (container->host->log, "no limits are in force: %s", error->message);
  *error = (struct tare_error){ 0 };
  return 0;
}

static int
plan_cgroup (struct container *container, struct tare_error *error)
{
  const struct spec *spec = container->spec;
  const struct oci_linux *linux = spec->config->linux;
  const struct cgroup_wish wish = {
    .id = container->id,
    .cgroups_path = linux != NULL ? linux->cgroups_path : NULL,
    .annotations = spec->config->annotations,
    .n_annotations = spec->config->n_annotations,
    .resources = linux != NULL ? linux->resources : NULL,
  };
  int r = cgroup_plan (&container->cgroup, container->host->manager, &wish, container->host->log,
                       error);
  if (r < 0)
    return r;
  container->has_cgroup = true;
  if (container->host->rootless != TARE_ROOTLESS_FALSE && sys_is_unprivileged ())
    cgroup_leave_out_forbidden (&container->cgroup);
  r = rdt_check (container, error);
  if (r >= 0)
    r = cgroup_owner_check (container, error);
  if (r >= 0)
    r = cgroup_check_free (&container->cgroup, error);
  if (r >= 0)
    r = forgive_limits (container,
                        cgroup_check (&container->cgroup, resources_of (container), error), error);
  if (r >= 0 && cgroup_is_shown (&container->cgroup))
    r = cgroup_plan_mounts (&container->cgroup, process_has_cgroup_namespace (spec),
                            &container->cgroup_mounts, error);
  return r;
}

static int
make_plan (struct container *container, struct received *received, struct tare_error *error)
{
  (void) received;
  const struct spec *spec = container->spec;
  int r = plan_cgroup (container, error);
  if (r < 0)
    return r;
  bool is_shown = cgroup_is_shown (&container->cgroup);
  struct spec_facts facts = {
    .id = container->id,
    .cgroup_mounts = is_shown ? &container->cgroup_mounts : NULL,
    .preserve_fds = container->preserve_fds,
    .listen_fds = container->options->listen_fds,
    .notify_directory = container->notify_directory,
    .no_pivot = container->options->no_pivot,
    .keep_keyring = container->options->no_new_keyring,
    .environment = (const char *const *) environ,
    .runs = container->options->start,
    .changes_cgroup = row_delegates_cgroup (container),
    .terminal_rows = container->options->terminal_rows,
    .terminal_columns = container->options->terminal_columns,
    .timings = container->host->log != NULL && container->host->log->level >= TARE_LOG_DEBUG,
    .log = container->host->log,
  };
  r = process_facts (spec, &facts, error);
  if (r >= 0)
    r = spec_plan (spec, &facts, &container->builder, error);
  if (r < 0)
    return r;
  return spawn_seal_plan (container, error);
}

/* What is about to be made is recorded before it is made: whoever finds us dead can undo it. */
static int
record (struct container *container, struct received *received, struct tare_error *error)
{
  (void) received;
  int r = container_describe (container, error);
  return r < 0 ? r : state_write (&container->state, error);
}

/* For start's and delete's hooks, exec and update; while init comes up, so that nothing waits. */
static int
keep_config (struct container *container, struct received *received, struct tare_error *error)
{
  (void) received;
  return state_write_config (&container->state, container->config_bytes, container->config_length,
                             error);
}

static int
make_cgroup (struct container *container, struct received *received, struct tare_error *error)
{
  (void) received;
  int r = container_own_cgroup (container, error);
  return r < 0 ? r : cgroup_create (&container->cgroup, error);
}

static int
destroy_cgroup (struct container *container, struct tare_error *error)
{
  return container->has_cgroup ? cgroup_destroy (&container->cgroup, error) : 0;
}

/* ---- init lives ------------------------------------------------------------------------------ */

static int
spawn (struct container *container, struct received *received, struct tare_error *error)
{
  int r = process_open_namespaces (container, error);
  return r < 0 ? r : row_spawn (container, received, error);
}

static bool
has_new_user_namespace (const struct container *container)
{
  return spec_is_new (container->spec, CLONE_NEWUSER);
}

static int
map_user (struct container *container, struct received *received, struct tare_error *error)
{
  (void) received;
  return id_maps_write (container, error);
}

static bool
has_time_offsets (const struct container *container)
{
  return container_plan_flag (container, PLAN_TIME_OFFSETS);
}

static int
offset_time (struct container *container, struct received *received, struct tare_error *error)
{
  (void) received;
  return process_write_time_offsets (container, error);
}

static bool
has_net_devices (const struct container *container)
{
  return container_plan_flag (container, PLAN_NET_DEVICES);
}

static int
move_net_devices (struct container *container, struct received *received, struct tare_error *error)
{
  const struct oci_linux *linux = container->spec->config->linux;
  if (received->n_fds != 1)
    return fail_kind (error, TARE_ERROR_PROTOCOL, EPROTO, "NETWORK_NAMESPACE without a socket");
  autoclose int network = sys_netlink_namespace (received->fds[0]);
  if (network < 0)
    return fail (error, network, "linux.netDevices: open the container's network namespace");
  return net_move_devices (linux->net_devices, linux->n_net_devices, network, &container->net_move,
                           error);
}

/* Of a create that failed: a device of a container that was made stays with its namespace. */
static int
return_net_devices (struct container *container, struct tare_error *error)
{
  return net_move_back (container->net_move, error);
}

static int
apply_resources (struct container *container, struct received *received, struct tare_error *error)
{
  (void) received;
  int r = cgroup_apply (&container->cgroup, resources_of (container), error);
  return forgive_limits (container, r, error);
}

/* Device rules wait until init has made its nodes: between "deny all" and the rules that allow
 * them again, mknod would fail. */
static int
apply_device_rules (struct container *container, struct received *received,
                    struct tare_error *error)
{
  (void) received;
  row_reap_stage (container); /* before hooks of init's: it counts against the limit of processes */
  return cgroup_apply_devices (&container->cgroup, resources_of (container), error);
}

static bool
init_waits (const struct container *container)
{
  return container_plan_flag (container, PLAN_HOST_FIRST);
}

static int
runtime_hooks (struct container *container, struct received *received, struct tare_error *error)
{
  (void) received;
  container->hooks_began = true;
  return hooks_create (container, error);
}

/* Between created and running there is nothing but execve: one record says both. */
static bool
runs_at_once (const struct container *container)
{
  const struct plan *plan = (const struct plan *) container->builder.buf.bytes;
  return container->options->start && plan->start_hooks.count == 0;
}

/* The record as it is to be when init is ready, written before: then one call puts it in place. */
static int
prepare (struct container *container, struct received *received, struct tare_error *error)
{
  (void) received;
  int r = state_note_process (&container->state, container->pid, error);
  return r < 0 ? r
               : state_prepare (&container->state,
                                runs_at_once (container) ? STATE_RUNNING : STATE_CREATED, error);
}

static int
created (struct container *container, struct received *received, struct tare_error *error)
{
  (void) received;
  int r = process_read_back (container, error);
  if (r >= 0)
    r = process_schedule (container, error);
  if (r >= 0)
    r = state_commit (&container->state, error);
  if (r >= 0)
    r = row_write_pid_file (container, error);
  if (r >= 0)
    r = pidfd_send (container, error);
  row_log_progress (container);
  return r;
}

/* ---- what is start's, in a run ----------------------------------------------------------------
 */

static bool
runs (const struct container *container)
{
  return container->options->start;
}

static int
running (struct container *container, struct received *received, struct tare_error *error)
{
  (void) received;
  int r = 0;
  container->state.record->status = STATE_RUNNING;
  if (!runs_at_once (container))
    r = state_write (&container->state, error);
  return r < 0 ? r : hooks_poststart (container, error);
}

const struct step create_steps[] = {
  { .name = "load", .run = load },
  { .name = "console", .run = row_console },
  { .name = "reserve", .run = reserve, .undo = unreserve },
  { .name = "poststop", .undo = poststop }, /* after the undo of what follows */
  { .name = "start_socket", .needed = waits_for_start, .run = bind_start_socket },
  { .name = "plan", .run = make_plan },
  { .name = "record", .run = record },
  { .name = "cgroup", .run = make_cgroup, .undo = destroy_cgroup },
  { .name = "rdt", .needed = rdt_needed, .run = row_make_rdt, .undo = undo_rdt },
  /* PLAN waits for attach and limits: what init forks must have both. */
  { .name = "spawn", .run = spawn, .undo = spawn_kill },
  { .name = "attach", .run = row_attach },
  { .name = "limits", .run = row_limits, .send = MESSAGE_PLAN },
  { .name = "map_user",
    .needed = has_new_user_namespace,
    .receive = MESSAGE_USER_NAMESPACE,
    .run = map_user,
    .send = MESSAGE_MAPPED },
  { .name = "time_offsets",
    .needed = has_time_offsets,
    .receive = MESSAGE_TIME_NAMESPACE,
    .run = offset_time,
    .send = MESSAGE_OFFSETS },
  { .name = "net_devices",
    .needed = has_net_devices,
    .receive = MESSAGE_NETWORK_NAMESPACE,
    .run = move_net_devices,
    .undo = return_net_devices },
  { .name = "forked", .needed = row_is_forked, .receive = MESSAGE_FORKED, .run = row_forked },
  { .name = "enter_rdt", .needed = row_enters_rdt, .run = row_enter_rdt },
  { .name = "resources", .run = apply_resources, .send = MESSAGE_GO },
  { .name = "network", .needed = row_makes_network, .run = row_network, .send = MESSAGE_NETWORK },
  { .name = "loopback", .needed = row_makes_network, .run = row_loopback },
  { .name = "keep_config", .run = keep_config },
  { .name = "prepare", .run = prepare },
  { .name = "mounts",
    .needed = row_has_mounts,
    .receive = MESSAGE_MOUNT,
    .run = row_mounts,
    .send = MESSAGE_MOUNTED },
  { .name = "filter", .needed = row_has_filter, .run = row_compile_filter },
  { .name = "rootfs_ready", .receive = MESSAGE_ROOTFS_READY, .run = apply_device_rules },
  { .name = "delegate", .needed = row_delegates_cgroup, .run = row_delegate_cgroup },
  { .name = "runtime_hooks",
    .needed = init_waits,
    .run = runtime_hooks,
    .send = MESSAGE_HOOKS_DONE },
  { .name = "rules", .run = row_send_filter, .send = MESSAGE_RULES },
  { .name = "terminal",
    .needed = row_has_terminal,
    .receive = MESSAGE_TERMINAL,
    .run = row_take_terminal },
  { .name = "created",
    .receive = MESSAGE_READY,
    .run = created,
    .send = MESSAGE_RUN,
    .undo = row_remove_pid_file },
  { .name = "executing", .needed = runs, .receive = MESSAGE_EXECUTING, .run = row_executing },
  { .name = "running", .needed = runs, .run = running },
};
const size_t n_create_steps = COUNT_OF (create_steps);

int
host_create (const struct host *host, const char *id, const struct tare_create_options *options,
             struct tare_process *ret_process, struct tare_error *error)
{
  struct container container = CONTAINER_INIT (host, id);
  int r = state_check_id (id, error);
  if (r < 0)
    return r;
  container.options = options;
  container.stdio = options->stdio;
  container.cancel = options->cancel;
  container.preserve_fds = options->listen_fds + options->preserve_fds;
  container.pid_file = options->pid_file;
  container.console_socket = options->console_socket;
  container.want_terminal = options->want_terminal;
  r = steps_run (create_steps, n_create_steps, &container, error);
  if (r >= 0)
    container_take_process (&container, ret_process);
  container_done (&container);
  return r;
}
