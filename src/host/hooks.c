/* The hooks that run in the runtime's namespaces: prestart and createRuntime once the container's
 * root is ready, poststart once its program runs, poststop once all else is gone. Serves config.md
 * "POSIX-platform Hooks", runtime.md "Lifecycle". Running one is plan/hook's business.
 */
#include "plan/hook.h"
#include "host/internal.h"

#include <stdio.h>
#include <stdlib.h>

struct hook_kind
{
  const char *name;
  enum oci_status status;
  const struct oci_hook *hooks;
  size_t count;
};

/* texts, ended by NULL as exec wants it; first, unless there are some. The caller frees. */
static const char **
make_vector (const char *const *texts, size_t count, const char *first)
{
  const char **vector = calloc (count + 2, sizeof *vector);
  if (vector != NULL && count > 0)
    memcpy (vector, texts, count * sizeof *vector);
  else if (vector != NULL)
    vector[0] = first;
  return vector;
}

/* Relative names are below the bundle. */
static int
open_output (struct container *container, int bundle, struct tare_error *error)
{
  static const char *const keys[] = { SPEC_HOOKS_STDOUT, SPEC_HOOKS_STDERR };
  for (size_t i = 0; i < COUNT_OF (keys); i++)
    {
      const char *path = spec_annotation (container->spec, keys[i]);
      if (path == NULL || container->hook_output[i] >= 0)
        continue;
      int fd = sys_openat2 (bundle, path, O_WRONLY | O_APPEND | O_CREAT | O_NOCTTY, 0600, 0);
      if (fd < 0)
        return fail (error, fd, "annotations.%s: open '%s'", keys[i], path);
      container->hook_output[i] = fd;
    }
  return 0;
}

/* For those hooks that init runs. */
static int
queue_output (struct container *container, struct tare_error *error)
{
  static const uint64_t flags[] = { PLAN_HOOK_STDOUT, PLAN_HOOK_STDERR };
  if (!container_plan_flag (container, PLAN_HOOK_STDOUT | PLAN_HOOK_STDERR))
    return 0;
  autoclose int bundle = sys_open (container->spec->bundle, O_PATH | O_DIRECTORY, 0);
  int r = bundle < 0 ? fail (error, bundle, "hooks: enter '%s'", container->spec->bundle)
                     : open_output (container, bundle, error);
  for (size_t i = 0; r >= 0 && i < COUNT_OF (flags); i++)
    if (container_plan_flag (container, flags[i]))
      container->outgoing[container->n_outgoing++] = container->hook_output[i];
  return r;
}

static int
run_hook (const struct container *container, const struct hook_kind *kind, size_t i,
          const struct buf *state, int directory, struct tare_error *error)
{
  const struct oci_hook *from = &kind->hooks[i];
  char label[64];
  (void) snprintf (label, sizeof label, "hooks.%s[%zu]", kind->name, i);
  autofree const char **argv = make_vector (from->args, from->n_args, from->path);
  autofree const char **envp =
      from->env != NULL ? make_vector (from->env, from->n_env, NULL) : NULL;
  if (argv == NULL || (from->env != NULL && envp == NULL))
    return fail (error, ENOMEM, "%s", label);
  const struct hook hook = {
    .label = label,
    .path = from->path,
    .argv = argv,
    .envp = envp,
    .timeout = spec_hook_timeout (from),
    .state = state->bytes,
    .state_length = state->length,
    .directory = directory,
    .output = container->hook_output,
    .cancel = kind->status == OCI_STATUS_STOPPED ? NULL : &container->cancel,
  };
  return hook_run (&hook, error);
}

/* A hook that fails ends the list; after the container's end (poststop) there is nothing left to
 * protect: there it is a warning, and the others have their turn. */
static int
run_kind (struct container *container, const struct hook_kind *kind, pid_t pid,
          struct tare_error *error)
{
  bool stopped = kind->status == OCI_STATUS_STOPPED;
  if (kind->count == 0)
    return 0;
  auto_ (buf)
  struct buf state = { 0 };
  spec_state_json (container->spec, container->id, kind->status, pid, &state);
  if (state.failed)
    return fail (error, ENOMEM, "hooks.%s", kind->name);
  autoclose int bundle = sys_open (container->spec->bundle, O_PATH | O_DIRECTORY, 0);
  if (bundle < 0 && stopped) /* somebody has cleared up already */
    bundle = sys_open ("/", O_PATH | O_DIRECTORY, 0);
  if (bundle < 0)
    return fail (error, bundle, "hooks.%s: enter '%s'", kind->name, container->spec->bundle);
  struct tare_error closed = { 0 };
  int opened = open_output (container, bundle, stopped ? &closed : error);
  if (opened < 0 && !stopped)
    return opened;
  if (opened < 0)
    log_warning (container->host->log, "%s", closed.message);
  for (size_t i = 0; i < kind->count; i++)
    {
      struct tare_error failure = { 0 };
      int r = run_hook (container, kind, i, &state, bundle, &failure);
      if (r < 0 && stopped)
        log_warning (container->host->log, "%s", failure.message);
      else if (r < 0)
        {
          if (error != NULL)
            *error = failure;
          return r;
        }
    }
  return 0;
}

int
hooks_create (struct container *container, struct tare_error *error)
{
  const struct oci_hooks *hooks = container->spec->config->hooks;
  if (hooks == NULL)
    return 0;
  const struct hook_kind prestart = { "prestart", OCI_STATUS_CREATING, hooks->prestart,
                                      hooks->n_prestart };
  const struct hook_kind create_runtime = { "createRuntime", OCI_STATUS_CREATING,
                                            hooks->create_runtime, hooks->n_create_runtime };
  int r = run_kind (container, &prestart, container->pid, error);
  if (r >= 0)
    r = run_kind (container, &create_runtime, container->pid, error);
  return r < 0 ? r : queue_output (container, error);
}

int
hooks_poststart (struct container *container, struct tare_error *error)
{
  if (container->spec == NULL || container->spec->config->hooks == NULL)
    return 0;
  const struct oci_hooks *hooks = container->spec->config->hooks;
  const struct hook_kind poststart = { "poststart", OCI_STATUS_RUNNING, hooks->poststart,
                                       hooks->n_poststart };
  return run_kind (container, &poststart, container->state.record->pid, error);
}

void
hooks_poststop (struct container *container)
{
  struct tare_error failure = { 0 };
  if (container->spec == NULL || container->spec->config->hooks == NULL)
    return;
  const struct oci_hooks *hooks = container->spec->config->hooks;
  const struct hook_kind poststop = { "poststop", OCI_STATUS_STOPPED, hooks->poststop,
                                      hooks->n_poststop };
  if (run_kind (container, &poststop, 0, &failure) < 0)
    log_warning (container->host->log, "%s", failure.message);
}

int
hooks_load (struct container *container, struct tare_error *error)
{
  const struct state_record *record = container->state.record;
  if (record == NULL || !record->later_hooks || container->spec != NULL)
    return 0;
  return container_load (container, error);
}
