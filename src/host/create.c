/* The host side of create, as a table. Rows that wait for a message or answer one mirror rows of
 * init's table; the undo column is also `delete`'s. Serves runtime.md "Lifecycle", steps 1 to 5. */
#include "host/internal.h"

#include <stdlib.h>
#include <sys/wait.h>

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
  autoclose int root
    = sys_openat2 (bundle, container->spec->rootfs, O_PATH | O_DIRECTORY, 0, 0);
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
  return state_write_config (&container->state, container->config_bytes,
                             container->config_length, error);
}

static int
unreserve (struct container *container, struct tare_error *error)
{
  if (!container->reserved)
    return 0;
  int r = state_remove (container->host->root, &container->state, error);
  container->reserved = r < 0;
  return r;
}

static int
bind_start_socket (struct container *container, struct received *received,
                   struct tare_error *error)
{
  (void) received;
  container->start_socket = sys_socket_bind (container->state.directory, STATE_START_SOCKET);
  return container->start_socket < 0 ? fail (error, container->start_socket, "bind the start socket")
                                     : 0;
}

static int
make_plan (struct container *container, struct received *received, struct tare_error *error)
{
  (void) received;
  const struct spec *spec = container->spec;
  const struct oci_linux *linux = spec->config->linux;
  int r = cgroup_plan (&container->cgroup, container->host->manager,
                       linux != NULL ? linux->cgroups_path : NULL, container->id,
                       container->host->log, error);
  if (r < 0)
    return r;
  container->has_cgroup = true;
  bool has_mounts = cgroup_count (&container->cgroup) > 0;
  r = cgroup_check (&container->cgroup, linux != NULL ? linux->resources : NULL, error);
  if (r >= 0 && has_mounts)
    r = cgroup_plan_mounts (&container->cgroup, spec_is_new (spec, CLONE_NEWCGROUP),
                            &container->cgroup_mounts, error);
  if (r < 0)
    return r;
  struct spec_facts facts = {
    .id = container->id,
    .grantable = process_grantable (spec),
    .privileged = true,
    .cgroup_mounts = has_mounts ? &container->cgroup_mounts : NULL,
    .preserve_fds = container->options->preserve_fds,
    .no_pivot = container->options->no_pivot,
    .timings = container->host->log != NULL && container->host->log->level >= TARE_LOG_DEBUG,
    .log = container->host->log,
  };
  r = spec_plan (spec, &facts, &container->builder, error);
  if (r < 0)
    return r;
  container->plan_fd = plan_seal (&container->builder, error);
  return container->plan_fd < 0 ? container->plan_fd : 0;
}

/* What is about to be made is recorded before it is made: whoever finds us dead can undo it. */
static int
record (struct container *container, struct received *received, struct tare_error *error)
{
  (void) received;
  int r = container_describe (container, error);
  return r < 0 ? r : state_write (&container->state, error);
}

static int
make_cgroup (struct container *container, struct received *received, struct tare_error *error)
{
  (void) received;
  return cgroup_create (&container->cgroup, error);
}

static int
destroy_cgroup (struct container *container, struct tare_error *error)
{
  return container->has_cgroup ? cgroup_destroy (&container->cgroup, error) : 0;
}

/* ---- init lives ------------------------------------------------------------------------------ */

static int
open_progress (struct container *container, struct tare_error *error)
{
  int r = 0;
  container->progress_fd = sys_memfd ("tare-progress", false);
  if (container->progress_fd < 0)
    r = container->progress_fd;
  else
    r = sys_truncate (container->progress_fd, sizeof *container->progress);
  if (r >= 0)
    container->progress = sys_map (container->progress_fd, sizeof *container->progress, true, &r);
  return r < 0 ? fail (error, r, "make the progress page") : 0;
}

static int
spawn (struct container *container, struct received *received, struct tare_error *error)
{
  (void) received;
  int r = process_open_namespaces (container, error);
  if (r >= 0)
    r = open_progress (container, error);
  if (r >= 0)
    r = container->image = image_open (container->host->log, error);
  if (r < 0)
    return r;
  return spawn_init (container, (const struct plan *) container->builder.buf.bytes, error);
}

static int
attach_cgroup (struct container *container, struct received *received, struct tare_error *error)
{
  (void) received;
  return cgroup_attach (&container->cgroup, container->pid, container->in_v2, error);
}

static int
limits (struct container *container, struct received *received, struct tare_error *error)
{
  (void) received;
  return process_set_limits (container, error);
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
  return process_write_id_maps (container, error);
}

static bool
plan_flag (const struct container *container, uint64_t flag)
{
  return (((const struct plan *) container->builder.buf.bytes)->flags & flag) != 0;
}

static bool
has_time_offsets (const struct container *container)
{
  return plan_flag (container, PLAN_TIME_OFFSETS);
}

static int
offset_time (struct container *container, struct received *received, struct tare_error *error)
{
  (void) received;
  return process_write_time_offsets (container, error);
}

static bool
is_forked (const struct container *container)
{
  return plan_flag (container, PLAN_FORK);
}

/* The stage has made init and ends; from now on init is the process that everything is about. */
static int
forked (struct container *container, struct received *received, struct tare_error *error)
{
  int status;
  if (received->n_fds != 1 || received->value == 0 || received->value > INT32_MAX)
    return fail_kind (error, TARE_ERROR_PROTOCOL, EPROTO, "FORKED without a process");
  container->stage = container->pidfd;
  container->pidfd = take_fd (&received->fds[0]);
  container->pid = (pid_t) received->value;
  (void) sys_pidfd_wait (container->stage, &status);
  close_fd (&container->stage);
  return 0;
}

static int
apply_resources (struct container *container, struct received *received, struct tare_error *error)
{
  (void) received;
  const struct oci_linux *linux = container->spec->config->linux;
  return cgroup_apply (&container->cgroup, linux != NULL ? linux->resources : NULL, error);
}

/* Compiled here, while init mounts. */
static bool
has_filter (const struct container *container)
{
  return plan_flag (container, PLAN_SECCOMP);
}

static int
compile_filter (struct container *container, struct received *received, struct tare_error *error)
{
  (void) received;
  container->filter = sys_memfd ("tare-seccomp", false);
  if (container->filter < 0)
    return fail (error, container->filter, "make a memfd for the filter");
  int r = spec_compile_seccomp (container->spec, container->host->log, container->filter, error);
  if (r < 0)
    return r;
  r = sys_seal (container->filter);
  container->outgoing[container->n_outgoing++] = container->filter; /* with HOOKS_DONE */
  return r < 0 ? fail (error, r, "seal the filter") : 0;
}

/* Device rules wait until init has made its nodes: between "deny all" and the rules that allow
 * them again, mknod would fail. */
static int
apply_device_rules (struct container *container, struct received *received,
                    struct tare_error *error)
{
  (void) received;
  const struct oci_linux *linux = container->spec->config->linux;
  return cgroup_apply_devices (&container->cgroup, linux != NULL ? linux->resources : NULL, error);
}

static bool
has_terminal (const struct container *container)
{
  return plan_flag (container, PLAN_TERMINAL);
}

static int
take_terminal (struct container *container, struct received *received, struct tare_error *error)
{
  if (received->n_fds != 1)
    return fail_kind (error, TARE_ERROR_PROTOCOL, EPROTO, "TERMINAL without a terminal");
  container->terminal = take_fd (&received->fds[0]);
  return 0;
}

static void
log_progress (const struct container *container)
{
  const struct plan_progress *progress = container->progress;
  uint64_t last = 0;
  for (uint32_t i = 0; i < INIT_STEP_COUNT; i++)
    if (progress->began[i] != 0)
      {
        if (last != 0)
          log_debug (container->host->log, "init: step %s began %llu us later",
                     init_step_name (i + 1),
                     (unsigned long long) (progress->began[i] - last) / 1000);
        last = progress->began[i];
      }
}

static int
created (struct container *container, struct received *received, struct tare_error *error)
{
  (void) received;
  struct state_record *record = container->state.record;
  autoclose int procfs = sys_open ("/proc", O_PATH | O_DIRECTORY, 0);
  char letter;
  int r = procfs < 0 ? procfs
                     : sys_process_start_time (procfs, container->pid, &record->start_time, &letter);
  if (r < 0)
    return fail (error, r, "read the start time of process %d", (int) container->pid);
  record->has_start_time = true;
  record->pid = container->pid;
  record->has_pid = true;
  record->status = STATE_CREATED;
  r = state_write (&container->state, error);
  if (r >= 0 && container->options->pid_file != NULL)
    r = pid_file_write (container->options->pid_file, container->pid, error);
  log_progress (container);
  return r;
}

/* A pid file whose container came to nothing would name a stranger one day. */
static int
remove_pid_file (struct container *container, struct tare_error *error)
{
  (void) error;
  if (container->options != NULL && container->options->pid_file != NULL
      && container->state.record != NULL && container->state.record->status == STATE_CREATED)
    (void) sys_unlinkat (AT_FDCWD, container->options->pid_file, 0);
  return 0;
}

const struct step create_steps[] = {
  { .name = "load", .run = load },
  { .name = "reserve", .run = reserve, .undo = unreserve },
  { .name = "start_socket", .run = bind_start_socket },
  { .name = "plan", .run = make_plan },
  { .name = "record", .run = record },
  { .name = "cgroup", .run = make_cgroup, .undo = destroy_cgroup },
  { .name = "spawn", .run = spawn, .send = MESSAGE_PLAN, .undo = spawn_kill },
  { .name = "attach", .run = attach_cgroup },
  { .name = "limits", .run = limits },
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
  { .name = "forked", .needed = is_forked, .receive = MESSAGE_FORKED, .run = forked },
  { .name = "resources", .run = apply_resources, .send = MESSAGE_GO },
  { .name = "filter", .needed = has_filter, .run = compile_filter },
  { .name = "rootfs_ready",
    .receive = MESSAGE_ROOTFS_READY,
    .run = apply_device_rules,
    .send = MESSAGE_HOOKS_DONE },
  { .name = "terminal", .needed = has_terminal, .receive = MESSAGE_TERMINAL, .run = take_terminal },
  { .name = "created",
    .receive = MESSAGE_READY,
    .run = created,
    .send = MESSAGE_RUN,
    .undo = remove_pid_file },
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
  r = steps_run (create_steps, n_create_steps, &container, error);
  if (r >= 0 && ret_process != NULL)
    *ret_process = (struct tare_process) { container.pid, take_fd (&container.pidfd) };
  container_done (&container);
  return r;
}
