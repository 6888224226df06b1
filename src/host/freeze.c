/* pause and resume: the container's group is frozen and thawed. What its status then is follows
 * from the group alone, nothing is written down. */
#include "host/internal.h"

static int
pause_container (struct container *container, struct tare_error *error)
{
  enum state_status status = state_now (&container->state);
  if (status != STATE_RUNNING && status != STATE_CREATED)
    return fail_kind (error, TARE_ERROR_STATUS, EBUSY,
                      "container not running: cannot pause container `%s`, which is %s",
                      container->id, enum_name (state_status_map, status));
  int frozen = cgroup_is_frozen (&container->cgroup, error);
  if (frozen > 0)
    return fail_kind (error, TARE_ERROR_STATUS, EBUSY, "container `%s` is already paused",
                      container->id);
  return frozen < 0 ? frozen : cgroup_freeze (&container->cgroup, true, error);
}

static int
resume_container (struct container *container, struct tare_error *error)
{
  enum state_status status = state_now (&container->state);
  int frozen = status == STATE_STOPPED ? 0 : cgroup_is_frozen (&container->cgroup, error);
  if (frozen == 0)
    return fail_kind (error, TARE_ERROR_STATUS, EINVAL, "container not paused: `%s` is %s",
                      container->id, enum_name (state_status_map, status));
  int r = frozen < 0 ? frozen : cgroup_freeze (&container->cgroup, false, error);
  int above = r < 0 ? r : cgroup_is_frozen_above (&container->cgroup, error);
  if (above > 0)
    return fail_kind (error, TARE_ERROR_STATUS, EBUSY,
                      "container `%s` stays frozen: a cgroup above its own is", container->id);
  return above;
}

int
host_freeze (const struct host *host, const char *id, bool frozen, struct tare_error *error)
{
  struct container container = CONTAINER_INIT (host, id);
  int r = container_open (&container, true, CGROUP_TO_FREEZE, error);
  if (r >= 0)
    r = frozen ? pause_container (&container, error) : resume_container (&container, error);
  container_done (&container);
  return r;
}
