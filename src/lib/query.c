/* state, list, ps: what is known of containers. Reads the records and looks at the processes and
 * the freezer; no lock, no effect, no config. */
#define _GNU_SOURCE
#include "lib/lib.h"

#include <stdlib.h>
#include <string.h>

#include "cgroup/cgroup.h"
#include "lib/output.h"
#include "state/record.h"
#include "state/state.h"

OCI_DEFINE (lib_state, LIB_STATE)

static int
open_cgroup (const struct host *host, const struct state *state, enum cgroup_use use,
             struct cgroup *ret_cgroup, struct tare_error *error)
{
  const struct state_record *record = state->record;
  return cgroup_open (ret_cgroup, (enum tare_cgroup_manager) record->cgroup_manager, use,
                      record->cgroups, record->n_cgroups, host->log, error);
}

/* The freezer makes paused out of running. Where it cannot be asked, the process is there all the
 * same: running. */
static enum state_status
status_of (const struct host *host, const struct state *state)
{
  enum state_status status = state_now (state);
  if ((status != STATE_RUNNING && status != STATE_CREATED) || state->record->n_cgroups == 0)
    return status;
  auto_ (cgroup)
  struct cgroup cgroup = { 0 };
  struct tare_error error = { 0 };
  int r = open_cgroup (host, state, CGROUP_TO_FREEZE, &cgroup, &error);
  if (r >= 0)
    r = cgroup_is_frozen (&cgroup, &error);
  if (r < 0)
    log_debug (host->log, "container `%s`: freezer: %s", state->id, error.message);
  return r > 0 ? STATE_PAUSED : status;
}

/* Borrows from state. */
static struct lib_state
describe (const struct state *state, enum state_status status, const char *owner)
{
  const struct state_record *record = state->record;
  return (struct lib_state){
    .oci_version = TARE_OCI_VERSION,
    .id = state->id,
    .pid = status == STATE_STOPPED ? 0 : record->pid,
    .has_pid = true,
    .status = enum_name (state_status_map, status),
    .bundle = record->bundle != NULL ? record->bundle : "",
    .rootfs = record->rootfs != NULL ? record->rootfs : "",
    .created = record->created,
    .owner = owner,
    .annotations = record->annotations,
    .n_annotations = record->n_annotations,
  };
}

int
tare_state (struct tare_context *context, const char *id, char **ret_json, struct tare_error *error)
{
  auto_ (host)
  struct host host = { .root = -EBADF };
  auto_ (state)
  struct state state = { .directory = -EBADF, .lock = -EBADF };
  auto_ (buf)
  struct buf text = { 0 };
  char owner[64];
  int r = lib_open_host_of (context, id, &host, error);
  if (r >= 0)
    r = state_open (host.root, id, false, &state, error);
  if (r < 0)
    return r;
  lib_owner_name (state.record->owner, owner, sizeof owner);
  struct lib_state object = describe (&state, status_of (&host, &state), owner);
  oci_write (&text, &lib_state_table, &object, 2);
  buf_text (&text, "\n");
  char *json = buf_take (&text);
  if (json == NULL)
    return fail (error, ENOMEM, "state");
  *ret_json = json;
  return 0;
}

/* ---- list ------------------------------------------------------------------------------------ */

struct list
{
  struct tare_container *containers;
  size_t count;
};

static void
list_done (struct list *list)
{
  tare_list_free (list->containers, list->count);
}

void
tare_list_free (struct tare_container *containers, size_t count)
{
  for (size_t i = 0; i < count; i++)
    {
      free (containers[i].id);
      free (containers[i].status);
      free (containers[i].bundle);
      free (containers[i].rootfs);
      free (containers[i].created);
      free (containers[i].owner);
      free (containers[i].json);
    }
  free (containers);
}

static int
fill (struct tare_container *container, const struct lib_state *object)
{
  auto_ (buf)
  struct buf text = { 0 };
  oci_write (&text, &lib_state_table, object, 0);
  container->id = strdup (object->id);
  container->status = strdup (object->status);
  container->bundle = strdup (object->bundle);
  container->rootfs = strdup (object->rootfs);
  container->created = strdup (object->created);
  container->owner = strdup (object->owner);
  container->json = buf_take (&text);
  container->pid = object->pid;
  return container->id != NULL && container->status != NULL && container->bundle != NULL
                 && container->rootfs != NULL && container->created != NULL
                 && container->owner != NULL && container->json != NULL
             ? 0
             : -ENOMEM;
}

/* One that cannot be read is told and left out: it must not hide the others. */
static int
add (struct list *list, const struct host *host, const char *id)
{
  auto_ (state)
  struct state state = { .directory = -EBADF, .lock = -EBADF };
  struct tare_error error = { 0 };
  char owner[64];
  int r = state_open (host->root, id, false, &state, &error);
  if (r < 0)
    {
      if (error.kind != TARE_ERROR_NOT_FOUND)
        log_warning (host->log, "%s", error.message);
      return 0;
    }
  lib_owner_name (state.record->owner, owner, sizeof owner);
  struct lib_state object = describe (&state, status_of (host, &state), owner);
  return fill (&list->containers[list->count++], &object);
}

int
tare_list (struct tare_context *context, struct tare_container **ret_containers, size_t *ret_count,
           struct tare_error *error)
{
  auto_ (host)
  struct host host = { .root = -EBADF };
  auto_ (list)
  struct list list = { 0 };
  char **ids = NULL;
  size_t count = 0;
  int r = lib_open_host (context, false, &host, error);
  if (r == -ENOENT && !context->root_given)
    {
      *ret_containers = NULL;
      *ret_count = 0;
      return 0;
    }
  if (r >= 0)
    r = state_list (host.root, &ids, &count, error);
  if (r < 0)
    return r;
  list.containers = calloc (count + 1, sizeof *list.containers);
  r = list.containers != NULL ? 0 : -ENOMEM;
  for (size_t i = 0; r >= 0 && i < count; i++)
    r = add (&list, &host, ids[i]);
  state_list_free (ids, count);
  if (r < 0)
    return fail (error, r, "list");
  *ret_containers = take_ptr (&list.containers);
  *ret_count = list.count;
  list.count = 0;
  return 0;
}

/* ---- one container --------------------------------------------------------------------------- */

void
lib_container_done (struct lib_container *container)
{
  cgroup_done (&container->cgroup);
  state_done (&container->state);
  host_done (&container->host);
}

int
lib_container_open (const struct tare_context *context, const char *id, enum cgroup_use use,
                    struct lib_container *ret_container, struct tare_error *error)
{
  auto_ (lib_container)
  struct lib_container container = LIB_CONTAINER_INIT;
  int r = lib_open_host_of (context, id, &container.host, error);
  if (r >= 0)
    r = state_open (container.host.root, id, false, &container.state, error);
  if (r >= 0)
    r = open_cgroup (&container.host, &container.state, use, &container.cgroup, error);
  if (r < 0)
    return r;
  *ret_container = container;
  container = (struct lib_container) LIB_CONTAINER_INIT;
  return 0;
}

int
tare_processes (struct tare_context *context, const char *id, pid_t **ret_pids, size_t *ret_count,
                struct tare_error *error)
{
  auto_ (lib_container)
  struct lib_container container = LIB_CONTAINER_INIT;
  int r = lib_container_open (context, id, CGROUP_TO_CHANGE, &container, error);
  if (r < 0)
    return r;
  container.cgroup.owner = state_owner_mark (&container.state);
  if (state_now (&container.state) != STATE_STOPPED || !cgroup_is_of_another (&container.cgroup))
    return cgroup_processes (&container.cgroup, ret_pids, ret_count, error);
  *ret_pids = NULL;
  *ret_count = 0;
  return 0;
}
