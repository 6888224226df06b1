/* Hooks: what the specification demands of them, the state that they are told, and the part of the
 * plan for those that init runs. Serves config.md "POSIX-platform Hooks", runtime.md "State". Pure.
 */
#include <stdio.h>

#include "spec/internal.h"

/* ---- checks ---------------------------------------------------------------------------------- */

static int
check_kind (const char *kind, const struct oci_hook *hooks, size_t count, struct tare_error *error)
{
  for (size_t i = 0; i < count; i++)
    if (*hooks[i].path != '/')
      return config_error (error, "hooks.%s[%zu].path: '%s' is not absolute", kind, i,
                           hooks[i].path);
  return 0;
}

int
spec_check_hooks (const struct spec *spec, struct tare_error *error)
{
  const struct oci_hooks *hooks = spec->config->hooks;
  if (hooks == NULL)
    return 0;
  int r = check_kind ("prestart", hooks->prestart, hooks->n_prestart, error);
  if (r >= 0)
    r = check_kind ("createRuntime", hooks->create_runtime, hooks->n_create_runtime, error);
  if (r >= 0)
    r = check_kind ("createContainer", hooks->create_container, hooks->n_create_container, error);
  if (r >= 0)
    r = check_kind ("startContainer", hooks->start_container, hooks->n_start_container, error);
  if (r >= 0)
    r = check_kind ("poststart", hooks->poststart, hooks->n_poststart, error);
  return r < 0 ? r : check_kind ("poststop", hooks->poststop, hooks->n_poststop, error);
}

/* ---- the state ------------------------------------------------------------------------------- */

static struct oci_state
state_of (const struct spec *spec, const char *id, enum oci_status status, pid_t pid)
{
  return (struct oci_state){
    .oci_version = TARE_OCI_VERSION,
    .id = id,
    .status = (int) status,
    .has_status = true,
    .pid = (int32_t) pid,
    .has_pid = pid > 0,
    .bundle = spec->bundle,
    .annotations = spec->config->annotations,
    .n_annotations = spec->config->n_annotations,
  };
}

void
spec_state_json (const struct spec *spec, const char *id, enum oci_status status, pid_t pid,
                 struct buf *buf)
{
  const struct oci_state state = state_of (spec, id, status, pid);
  oci_write (buf, &oci_state_table, &state, 0);
}

void
spec_process_state_json (const struct spec *spec, const char *id, enum oci_status status, pid_t pid,
                         struct buf *buf)
{
  const struct oci_linux *linux = spec->config->linux;
  const char *fds[] = { "seccompFd" };
  struct oci_state state = state_of (spec, id, status, pid);
  const struct oci_container_process_state process = {
    .oci_version = TARE_OCI_VERSION,
    .fds = fds,
    .n_fds = COUNT_OF (fds),
    .pid = (int32_t) pid,
    .has_pid = true,
    .metadata = linux != NULL && linux->seccomp != NULL ? linux->seccomp->listener_metadata : NULL,
    .state = &state,
  };
  oci_write (buf, &oci_container_process_state_table, &process, 0);
}

/* ---- the plan -------------------------------------------------------------------------------- */

struct state_pieces
{
  plan_text before_pid, after_pid;
};

/* init alone knows its pid as its hooks see it. Nothing in front of the pid can hold a quote: not
 * the version, not the id, not the status. */
static int
put_state (const struct spec *spec, const char *id, enum oci_status status,
           struct plan_builder *builder, struct state_pieces *ret_pieces)
{
  static const char key[] = "\"pid\":";
  auto_ (buf)
  struct buf json = { 0 };
  spec_state_json (spec, id, status, 1, &json);
  char *pid = json.failed ? NULL : strstr (json.bytes, key);
  if (pid == NULL)
    return -ENOMEM;
  pid += sizeof key - 1;
  ret_pieces->after_pid = plan_put_text (builder, pid + strlen ("1"));
  *pid = '\0';
  ret_pieces->before_pid = plan_put_text (builder, json.bytes);
  return 0;
}

struct hook_kind
{
  const char *name;
  const struct oci_hook *hooks;
  size_t count;
  struct state_pieces state;
  plan_texts environment; /* of a hook that has none of its own */
};

static int
put_hooks (const struct hook_kind *kind, struct plan_builder *builder, plan_array *ret_hooks)
{
  autofree struct plan_hook *hooks = calloc (kind->count + 1, sizeof *hooks);
  if (hooks == NULL)
    return -ENOMEM;
  for (size_t i = 0; i < kind->count; i++)
    {
      const struct oci_hook *from = &kind->hooks[i];
      char label[64];
      (void) snprintf (label, sizeof label, "hooks.%s[%zu]", kind->name, i);
      hooks[i] = (struct plan_hook){
        .label = plan_put_text (builder, label),
        .path = plan_put_text (builder, from->path),
        .args = plan_put_texts (builder, from->args, from->n_args),
        .env = from->env != NULL ? plan_put_texts (builder, from->env, from->n_env)
                                 : kind->environment,
        .timeout = spec_hook_timeout (from),
        .state_before_pid = kind->state.before_pid,
        .state_after_pid = kind->state.after_pid,
      };
    }
  *ret_hooks = plan_put_array (builder, hooks, kind->count, sizeof *hooks);
  return 0;
}

static plan_texts
put_environment (const char *const *environment, struct plan_builder *builder)
{
  size_t count = 0;
  while (environment != NULL && environment[count] != NULL)
    count++;
  return plan_put_texts (builder, environment, count);
}

static int
plan_create_hooks (const struct spec *spec, const struct spec_facts *facts,
                   struct plan_builder *builder, struct plan *root)
{
  const struct oci_hooks *hooks = spec->config->hooks;
  struct hook_kind kind = {
    .name = "createContainer",
    .hooks = hooks->create_container,
    .count = hooks->n_create_container,
  };
  if (kind.count == 0)
    return 0;
  root->hook_directory = plan_put_text (builder, spec->bundle);
  kind.environment = put_environment (facts->environment, builder);
  int r = put_state (spec, facts->id, OCI_STATUS_CREATING, builder, &kind.state);
  return r < 0 ? r : put_hooks (&kind, builder, &root->create_hooks);
}

static int
plan_start_hooks (const struct spec *spec, const struct spec_facts *facts,
                  struct plan_builder *builder, struct plan *root)
{
  const struct oci_hooks *hooks = spec->config->hooks;
  struct hook_kind kind = {
    .name = "startContainer",
    .hooks = hooks->start_container,
    .count = hooks->n_start_container,
    .environment = root->env,
  };
  if (kind.count == 0)
    return 0;
  int r = put_state (spec, facts->id, OCI_STATUS_CREATED, builder, &kind.state);
  return r < 0 ? r : put_hooks (&kind, builder, &root->start_hooks);
}

int
spec_plan_hooks (const struct spec *spec, const struct spec_facts *facts,
                 struct plan_builder *builder, struct plan *root)
{
  if (spec->config->hooks == NULL)
    return 0;
  int r = plan_create_hooks (spec, facts, builder, root);
  if (r >= 0)
    r = plan_start_hooks (spec, facts, builder, root);
  if (r < 0 || root->create_hooks.count + root->start_hooks.count == 0)
    return r;
  root->flags |= spec_annotation (spec, SPEC_HOOKS_STDOUT) != NULL ? PLAN_HOOK_STDOUT : 0;
  root->flags |= spec_annotation (spec, SPEC_HOOKS_STDERR) != NULL ? PLAN_HOOK_STDERR : 0;
  return 0;
}
