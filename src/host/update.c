/* update: other limits for a container that lives. What it has then is stored beside its config:
 * the next update goes on from there. */
#include "host/internal.h"

struct request
{
  struct container *container;
  struct arena arena;
  struct oci_resources *update, *stored;
};

static int
check_alive (const struct container *container, struct tare_error *error)
{
  enum state_status status = state_now (&container->state);
  if (status == STATE_CREATED || status == STATE_RUNNING)
    return 0;
  return fail_kind (error, TARE_ERROR_STATUS, EBUSY,
                    "container not running: cannot update container `%s`, which is %s",
                    container->id, enum_name (state_status_map, status));
}

static int
read_update (struct request *request, const struct tare_update_options *options,
             struct tare_error *error)
{
  size_t unknown = 0;
  const struct oci_source source = {
    options->resources_name != NULL ? options->resources_name : "resources",
    options->resources,
    options->resources_length,
    &unknown,
  };
  int r = oci_read_resources (&request->arena, &source, &request->update, error);
  if (r >= 0 && unknown > 0)
    log_warning (request->container->host->log, "%s: %zu properties are not known, and left out",
                 source.name, unknown);
  return r;
}

/* Of the last update, or else of the config. */
static int
read_stored (struct request *request, struct tare_error *error)
{
  struct container *container = request->container;
  autofree void *bytes = NULL;
  size_t length = 0;
  struct tare_error missing = { 0 };
  int r = file_read (container->state.directory, STATE_RESOURCES, OCI_SIZE_MAX, &bytes, &length,
                     &missing);
  if (r >= 0)
    {
      const struct oci_source source = { STATE_RESOURCES, bytes, length, NULL };
      r = oci_read_resources (&request->arena, &source, &request->stored, error);
      return classify (error, r, TARE_ERROR_CORRUPT);
    }
  if (r == -ENOENT)
    r = container_load (container, error);
  else if (error != NULL)
    *error = missing;
  if (r >= 0 && container->spec->config->linux != NULL)
    request->stored = container->spec->config->linux->resources;
  return r;
}

static int
commit (const struct oci_resources *merged, void *argument, struct tare_error *error)
{
  struct request *request = argument;
  auto_ (buf)
  struct buf text = { 0 };
  oci_write (&text, &oci_resources_table, merged, 2);
  buf_text (&text, "\n");
  if (text.failed)
    return fail (error, ENOMEM, STATE_RESOURCES);
  return state_write_resources (&request->container->state, text.bytes, text.length, error);
}

int
host_update (const struct host *host, const char *id, const struct tare_update_options *options,
             struct tare_error *error)
{
  struct container container = CONTAINER_INIT (host, id);
  struct request request = { .container = &container };
  int r = container_open (&container, true, CGROUP_TO_CHANGE, error);
  if (r >= 0)
    r = check_alive (&container, error);
  if (r >= 0)
    r = read_update (&request, options, error);
  if (r >= 0)
    r = read_stored (&request, error);
  if (r >= 0)
    r = cgroup_update (&container.cgroup, request.stored, request.update, commit, &request, error);
  container_done (&container);
  arena_done (&request.arena);
  return r;
}
