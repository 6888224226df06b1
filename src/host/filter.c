/* The seccomp filter: compiled here, while init is at work, and sent to it. A filter that asks also
 * needs the connection to the agent, and what the agent is to be told. Serves config-linux.md
 * "Seccomp", "The Container Process State".
 */
#include "host/internal.h"

#include <sys/socket.h>

bool
row_has_filter (const struct container *container)
{
  return container_plan_flag (container, PLAN_SECCOMP);
}

static void
queue (struct container *container, int fd)
{
  container->outgoing[container->n_outgoing++] = fd;
}

/* The container's status at the time when the filter is loaded. */
static enum oci_status
status_then (const struct container *container)
{
  if (container->exec != NULL)
    return state_now (&container->state) == STATE_CREATED ? OCI_STATUS_CREATED : OCI_STATUS_RUNNING;
  return container_plan_flag (container, PLAN_NO_NEW_PRIVILEGES) ? OCI_STATUS_CREATED
                                                                 : OCI_STATUS_CREATING;
}

static int
make_agent_state (struct container *container, struct tare_error *error)
{
  auto_ (buf)
  struct buf state = { 0 };
  spec_process_state_json (container->spec, container->id, status_then (container), container->pid,
                           &state);
  int r = state.failed ? -ENOMEM : sys_memfd ("tare-seccomp-state", false);
  if (r >= 0)
    r = sys_write_full (container->agent_state = r, state.bytes, state.length);
  if (r >= 0)
    r = sys_seal (container->agent_state);
  return r < 0 ? fail (error, r, "linux.seccomp: the state for the seccomp agent") : 0;
}

static int
prepare_agent (struct container *container, struct tare_error *error)
{
  const char *path = container->spec->seccomp_agent;
  if (path == NULL)
    return 0;
  container->agent = sys_socket_connect (AT_FDCWD, path, SOCK_STREAM);
  if (container->agent < 0)
    return fail (error, container->agent, "linux.seccomp: connect to the seccomp agent at '%s'",
                 path);
  int r = make_agent_state (container, error);
  if (r < 0)
    return r;
  queue (container, container->agent_state);
  queue (container, container->agent);
  return 0;
}

/* Who wants to see every detail sees the compiler's too. */
static int
compile (struct container *container, struct tare_error *error)
{
  const struct host *host = container->host;
  bool talkative = host->log != NULL && host->log->level >= TARE_LOG_DEBUG;
  auto_ (buf)
  struct buf key = { 0 };
  bool has_key = spec_seccomp_key (container->spec, &key) && !talkative;
  if (has_key && filter_cache_find (host->root, &key, container->filter))
    return 0;
  int r = spec_compile_seccomp (container->spec, host->log, container->filter, error);
  if (r >= 0 && has_key)
    filter_cache_keep (host->root, &key, container->filter);
  return r;
}

int
row_compile_filter (struct container *container, struct received *received,
                    struct tare_error *error)
{
  (void) received;
  container->filter = sys_memfd ("tare-seccomp", false);
  if (container->filter < 0)
    return fail (error, container->filter, "make a memfd for the filter");
  int r = compile (container, error);
  if (r < 0)
    return r;
  r = sys_seal (container->filter);
  return r < 0 ? fail (error, r, "seal the filter") : 0;
}

int
row_send_filter (struct container *container, struct received *received, struct tare_error *error)
{
  (void) received;
  if (!row_has_filter (container))
    return 0;
  queue (container, container->filter);
  return prepare_agent (container, error);
}
