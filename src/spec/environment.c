/* The environment of a process: that of its process object, and what goes with things that are
 * passed in. LISTEN_PID is left to init, which alone knows its pid as the program will see it
 * (sd_listen_fds(3)). Pure.
 */
#include <stdio.h>

#include "spec/internal.h"

static bool
is_variable (const char *text, const char *name)
{
  const char *rest = str_after (text, name);
  return rest != NULL && *rest == '=';
}

bool
spec_has_variable (const struct spec *spec, const char *name)
{
  const struct oci_process *process = spec->config->process;
  for (size_t i = 0; process != NULL && i < process->n_env; i++)
    if (is_variable (process->env[i], name))
      return true;
  return false;
}

/* Of ours, too: two of a name would leave it to chance which one counts. */
static bool
is_replaced (const char *text, const struct spec_facts *facts)
{
  return facts->listen_fds > 0
         && (is_variable (text, "LISTEN_FDS") || is_variable (text, "LISTEN_PID"));
}

int
spec_plan_environment (const struct spec *spec, const struct spec_facts *facts,
                       struct plan_builder *builder, struct plan *root)
{
  const struct oci_process *process = spec->config->process;
  char listen_fds[32];
  autofree const char **env = calloc (process->n_env + 2, sizeof *env);
  size_t count = 0;
  if (env == NULL)
    return -ENOMEM;
  for (size_t i = 0; i < process->n_env; i++)
    if (!is_replaced (process->env[i], facts))
      env[count++] = process->env[i];
  if (facts->notify_directory != NULL)
    env[count++] = "NOTIFY_SOCKET=" SPEC_NOTIFY_DIRECTORY "/" SPEC_NOTIFY_SOCKET;
  if (facts->listen_fds > 0)
    {
      (void) snprintf (listen_fds, sizeof listen_fds, "LISTEN_FDS=%u", facts->listen_fds);
      env[count++] = listen_fds;
      root->flags |= PLAN_LISTEN_PID;
    }
  root->env = plan_put_texts (builder, env, count);
  return 0;
}
