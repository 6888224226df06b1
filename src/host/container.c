/* A container in the hands of a verb: described for the state file, opened from it, closed. */
#include "host/internal.h"

#include <stdlib.h>

static int
describe_cgroups (struct container *container, struct state_record *record)
{
  struct arena *arena = &container->state.arena;
  size_t count = cgroup_count (&container->cgroup);
  record->cgroups = arena_allocate (arena, count * sizeof *record->cgroups);
  if (record->cgroups == NULL)
    return -ENOMEM;
  for (size_t i = 0; i < count; i++)
    {
      autofree char *directory = cgroup_directory (&container->cgroup, i);
      record->cgroups[i] =
          directory == NULL ? NULL : arena_copy (arena, directory, strlen (directory));
      if (record->cgroups[i] == NULL)
        return -ENOMEM;
    }
  record->n_cgroups = count;
  return 0;
}

static bool
has_later_hooks (const struct oci_config *config)
{
  return config->hooks != NULL && config->hooks->n_poststart + config->hooks->n_poststop > 0;
}

/* Strings of the spec outlive the record: both go in container_done. */
int
container_describe (struct container *container, struct tare_error *error)
{
  const struct oci_config *config = container->spec->config;
  struct state_record *record = container->state.record;
  record->bundle = container->bundle;
  record->rootfs = container->spec->rootfs;
  record->annotations = config->annotations;
  record->n_annotations = config->n_annotations;
  record->cgroup_manager = (int) container->host->manager;
  record->systemd_unit = cgroup_unit_name (&container->cgroup);
  record->new_pid_namespace = spec_is_new (container->spec, CLONE_NEWPID);
  record->later_hooks = has_later_hooks (config);
  record->chrooted = container_plan_flag (container, PLAN_CHROOT);
  record->keep_keyring = container_plan_flag (container, PLAN_KEEP_KEYRING);
  int r = describe_cgroups (container, record);
  if (r >= 0)
    r = rdt_describe (container, record);
  return r < 0 ? fail (error, ENOMEM, "describe container") : 0;
}

int
container_own_cgroup (struct container *container, struct tare_error *error)
{
  container->cgroup.owner = state_owner_mark (&container->state);
  return container->cgroup.owner != NULL ? 0
                                         : fail (error, ENOMEM, "container `%s`", container->id);
}

int
container_open_cgroup (struct container *container, enum cgroup_use use, struct tare_error *error)
{
  const struct state_record *record = container->state.record;
  if (container->has_cgroup)
    cgroup_done (&container->cgroup);
  int r = cgroup_open (&container->cgroup, (enum tare_cgroup_manager) record->cgroup_manager, use,
                       (const char *const *) record->cgroups, record->n_cgroups,
                       container->host->log, error);
  container->has_cgroup = r >= 0;
  return r < 0 ? r : container_own_cgroup (container, error);
}

int
container_open (struct container *container, bool lock, enum cgroup_use use,
                struct tare_error *error)
{
  int r = state_check_id (container->id, error);
  if (r >= 0)
    r = state_open (container->host->root, container->id, lock, &container->state, error);
  return r < 0 ? r : container_open_cgroup (container, use, error);
}

int
container_load (struct container *container, struct tare_error *error)
{
  const struct state_record *record = container->state.record;
  int r = file_read (container->state.directory, STATE_CONFIG, OCI_SIZE_MAX,
                     &container->config_bytes, &container->config_length, error);
  struct spec_input input = {
    .name = STATE_CONFIG,
    .bytes = container->config_bytes,
    .length = container->config_length,
    .bundle = record->bundle != NULL ? record->bundle : "/",
  };
  /* create has warned already. */
  if (r >= 0)
    r = spec_load (&input, NULL, &container->spec, error);
  return r < 0 ? wrap (error, r, "container `%s`", container->id) : 0;
}

void
container_release (struct container *container)
{
  int *const fds[] = {
    &container->plan_fd,        &container->progress_fd,    &container->start_socket,
    &container->image,          &container->filter,         &container->peer,
    &container->agent_state,    &container->agent,          &container->notify,
    &container->hook_output[0], &container->hook_output[1], &container->console,
    &container->terminal,       &container->source,         &container->container_init,
    &container->network,        &container->network_socket
  };
  for (size_t i = 0; i < COUNT_OF (fds); i++)
    close_fd (fds[i]);
  for (size_t i = 0; i < container->n_joins; i++)
    close_fd (&container->joins[i]);
}

void
container_done (struct container *container)
{
  container_release (container);
  if (container->has_cgroup)
    cgroup_done (&container->cgroup);
  cgroup_mounts_done (&container->cgroup_mounts);
  plan_builder_done (&container->builder);
  net_move_free (container->net_move);
  sys_unmap (container->progress, sizeof *container->progress);
  close_fd (&container->channel.fd);
  close_fd (&container->stage);
  close_fd (&container->pidfd);
  state_done (&container->state);
  spec_free (container->spec);
  spec_free (container->container_spec);
  free (container->config_bytes);
  free (container->bundle);
  free (container->notify_directory);
}
