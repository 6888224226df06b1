/* The hooks that run in the container's namespaces: createContainer, found where the runtime lives,
 * before pivot_root; startContainer, found in the container, as its user. Serves config.md
 * "POSIX-platform Hooks". Running one is plan/hook's business.
 */
#include "plan/hook.h"
#include "init/init.h"

#include <stdio.h>
#include <sys/wait.h>

enum
{
  MOST_REMAINS = 4096, /* what forks for ever must not hold up the start */
};

/* The two pieces of the state with our pid, as the hook sees it, between them. */
static char *
make_state (const struct init *init, const struct plan_hook *from, size_t *ret_length)
{
  const char *before = plan_string (init->plan, from->state_before_pid);
  const char *after = plan_string (init->plan, from->state_after_pid);
  if (before == NULL || after == NULL)
    return NULL;
  size_t size = strlen (before) + strlen (after) + 16;
  char *state = init_memory (size);
  int length =
      state == NULL ? -1 : snprintf (state, size, "%s%d%s", before, (int) getpid (), after);
  if (length < 0)
    return NULL;
  *ret_length = (size_t) length;
  return state;
}

/* A hook without an environment of its own gets the process's: with the HOME that was found. */
static const char **
environment_of (const struct init *init, const struct plan_hook *from)
{
  if (init->env != NULL && from->env.count > 0 && from->env.offset == init->plan->env.offset)
    return init->env;
  return init_vector (init->plan, from->env);
}

static int
run_hook (const struct init *init, const struct plan_hook *from, int directory,
          struct tare_error *error)
{
  struct hook hook = {
    .label = plan_string (init->plan, from->label),
    .path = plan_string (init->plan, from->path),
    .timeout = from->timeout,
    .directory = directory,
    .output = init->hook_output,
  };
  const char **argv = init_vector (init->plan, from->args);
  const char **envp = environment_of (init, from);
  hook.state = make_state (init, from, &hook.state_length);
  if (argv == NULL || envp == NULL || hook.state == NULL || hook.path == NULL)
    return fail (error, ENOMEM, "%s", hook.label);
  if (argv[0] == NULL)
    argv[0] = hook.path;
  hook.argv = argv;
  hook.envp = envp;
  return hook_run (&hook, error);
}

/* What the hooks left running has us for its parent, and the program would inherit its remains. */
static void
reap (void)
{
  siginfo_t info = { .si_pid = 1 };
  for (int i = 0; i < MOST_REMAINS && info.si_pid != 0; i++)
    {
      info.si_pid = 0;
      if (waitid (P_ALL, 0, &info, WEXITED | WNOHANG | __WALL) < 0)
        return;
    }
}

static int
run_hooks (const struct init *init, plan_array hooks, int directory, struct tare_error *error)
{
  const struct plan_hook *hook = plan_elements (init->plan, hooks);
  int r = 0;
  for (size_t i = 0; r >= 0 && i < hooks.count; i++)
    r = run_hook (init, &hook[i], directory, error);
  reap ();
  return r;
}

int
step_create_hooks (struct init *init, struct tare_error *error)
{
  const char *path = plan_string (init->plan, init->plan->hook_directory);
  autoclose int directory = sys_open (path != NULL ? path : "/", O_PATH | O_DIRECTORY, 0);
  if (directory < 0)
    return fail (error, directory, "hooks.createContainer: enter '%s'", path);
  sys_umask (init->inherited_umask);
  int r = run_hooks (init, init->plan->create_hooks, directory, error);
  sys_umask (0);
  return r;
}

int
step_start_hooks (struct init *init, struct tare_error *error)
{
  int r = run_hooks (init, init->plan->start_hooks, -EBADF, error);
  close_fd (&init->hook_output[0]);
  close_fd (&init->hook_output[1]);
  return r;
}
