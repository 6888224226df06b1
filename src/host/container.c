/* A container in the hands of a verb: described for the state file, opened from it, closed. */
#include "host/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static const char *
now_text (struct arena *arena)
{
  struct timespec now;
  struct tm tm;
  char date[32];
  (void) clock_gettime (CLOCK_REALTIME, &now);
  if (gmtime_r (&now.tv_sec, &tm) == NULL
      || strftime (date, sizeof date, "%Y-%m-%dT%H:%M:%S", &tm) == 0)
    return NULL;
  return arena_format (arena, "%s.%09ldZ", date, now.tv_nsec);
}

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
      record->cgroups[i]
        = directory == NULL ? NULL : arena_copy (arena, directory, strlen (directory));
      if (record->cgroups[i] == NULL)
        return -ENOMEM;
    }
  record->n_cgroups = count;
  return 0;
}

/* Strings of the spec outlive the record: both go in container_done. */
int
container_describe (struct container *container, struct tare_error *error)
{
  const struct oci_config *config = container->spec->config;
  struct state_record *record = container->state.record;
  record->status = STATE_CREATING;
  record->bundle = container->bundle;
  record->rootfs = container->spec->rootfs;
  record->created = now_text (&container->state.arena);
  record->owner = (uint32_t) geteuid ();
  record->has_owner = true;
  record->annotations = config->annotations;
  record->n_annotations = config->n_annotations;
  record->cgroup_manager = (int) container->host->manager;
  record->new_pid_namespace = spec_is_new (container->spec, CLONE_NEWPID);
  record->has_new_pid_namespace = true;
  int r = describe_cgroups (container, record);
  return r < 0 || record->created == NULL ? fail (error, ENOMEM, "describe container") : 0;
}

int
container_open (struct container *container, bool lock, struct tare_error *error)
{
  int r = state_check_id (container->id, error);
  if (r >= 0)
    r = state_open (container->host->root, container->id, lock, &container->state, error);
  if (r < 0)
    return r;
  const struct state_record *record = container->state.record;
  r = cgroup_open (&container->cgroup, (enum tare_cgroup_manager) record->cgroup_manager,
                   (const char *const *) record->cgroups, record->n_cgroups,
                   container->host->log, error);
  container->has_cgroup = r >= 0;
  return r;
}

void
container_done (struct container *container)
{
  if (container->has_cgroup)
    cgroup_done (&container->cgroup);
  cgroup_mounts_done (&container->cgroup_mounts);
  plan_builder_done (&container->builder);
  sys_unmap (container->progress, sizeof *container->progress);
  int *const fds[] = { &container->plan_fd,  &container->progress_fd, &container->start_socket,
                       &container->image,    &container->filter,      &container->channel.fd,  &container->peer,
                       &container->stage,    &container->pidfd,       &container->terminal };
  for (size_t i = 0; i < COUNT_OF (fds); i++)
    close_fd (fds[i]);
  for (size_t i = 0; i < container->n_joins; i++)
    close_fd (&container->joins[i]);
  state_done (&container->state);
  spec_free (container->spec);
  free (container->config_bytes);
  free (container->bundle);
}
