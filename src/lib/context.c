/* The context: where state is kept, who makes control groups, where messages go. Says nothing of
 * containers. Looks at the environment ($XDG_RUNTIME_DIR) once, when it is made. */
#define _GNU_SOURCE
#include "lib/lib.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "state/state.h"
#include "sys/file.h"
#include "sys/process.h"

static const char default_root[] = "/run/tare";

int
lib_copy_options (void *known, size_t known_size, size_t oldest, const void *given,
                  struct tare_error *error)
{
  size_t size;
  if (given == NULL)
    return 0;
  memcpy (&size, given, sizeof size);
  if (size < oldest)
    return fail_kind (error, TARE_ERROR_USAGE, -EINVAL, "options: their size is not set");
  for (size_t i = known_size; i < size; i++)
    if (((const char *) given)[i] != 0)
      return fail_kind (error, TARE_ERROR_UNSUPPORTED, -E2BIG,
                        "options: one that this version of libtare does not have");
  memcpy (known, given, size < known_size ? size : known_size);
  return 0;
}

/* uid 0 alone does not tell: rootless podman runs us as 0 inside a user namespace. */
static int
choose_root (char **ret_root, struct tare_error *error)
{
  int initial = sys_in_initial_user_namespace ();
  if (initial < 0)
    return fail (error, initial, "look at '/proc/self/ns/user'");
  const char *runtime = getenv ("XDG_RUNTIME_DIR");
  bool has_runtime = runtime != NULL && runtime[0] == '/';
  if (geteuid () != 0 && !has_runtime)
    return fail_kind (error, TARE_ERROR_USAGE, -ENOENT,
                      "state root: give one, XDG_RUNTIME_DIR is not set to an absolute path");
  bool private = has_runtime && (geteuid () != 0 || !initial);
  int n =
      private ? asprintf (ret_root, "%s/tare", runtime) : asprintf (ret_root, "%s", default_root);
  return n < 0 ? fail (error, ENOMEM, "state root") : 0;
}

/* Absolute, by the caller's working directory. */
static int
absolute_path (const char *path, char **ret_path, struct tare_error *error)
{
  char directory[PATH_MAX] = "", whole[2 * PATH_MAX], normal[PATH_MAX];
  int r = path[0] == '/' ? 0 : sys_getcwd (directory, sizeof directory);
  if (r < 0)
    return fail (error, r, "working directory");
  r = snprintf (whole, sizeof whole, "%s/%s", directory, path);
  r = (size_t) r < sizeof whole ? path_normalize (whole, normal, sizeof normal) : -ENAMETOOLONG;
  if (r < 0)
    return fail (error, r, "state root '%s'", path);
  *ret_path = strdup (normal);
  return *ret_path != NULL ? 0 : fail (error, ENOMEM, "state root");
}

static int
set_root (struct tare_context *context, const char *given, struct tare_error *error)
{
  autofree char *chosen = NULL;
  if (given == NULL)
    {
      int r = choose_root (&chosen, error);
      if (r < 0)
        return r;
    }
  context->root_given = given != NULL;
  int r = absolute_path (given != NULL ? given : chosen, &context->root, error);
  if (r < 0)
    return r;
  if (str_equal (context->root, "/"))
    return fail_kind (error, TARE_ERROR_USAGE, -EINVAL, "state root '/': it must not be /");
  return 0;
}

int
tare_context_new (const struct tare_context_options *options, struct tare_context **ret_context,
                  struct tare_error *error)
{
  struct tare_context_options o = { .size = sizeof o };
  int r = lib_copy_options (&o, sizeof o, offsetof (struct tare_context_options, rootless), options,
                            error);
  if (r < 0)
    return r;
  if (o.cgroup_manager > TARE_CGROUP_DISABLED)
    return fail_kind (error, TARE_ERROR_USAGE, -EINVAL, "cgroup manager: %u is none",
                      o.cgroup_manager);
  if (o.rootless > TARE_ROOTLESS_FALSE)
    return fail_kind (error, TARE_ERROR_USAGE, -EINVAL,
                      "rootless: %u is neither auto, true nor false", o.rootless);
  struct tare_context *context = calloc (1, sizeof *context);
  if (context == NULL)
    return fail (error, ENOMEM, "context");
  context->manager = o.cgroup_manager;
  context->rootless = o.rootless;
  context->log = (struct log){ o.log, o.log_argument, o.log_level };
  r = set_root (context, o.root, error);
  if (r < 0)
    {
      tare_context_free (context);
      return r;
    }
  *ret_context = context;
  return 0;
}

void
tare_context_free (struct tare_context *context)
{
  if (context == NULL)
    return;
  free (context->root);
  free (context);
}

int
lib_open_host (const struct tare_context *context, bool create, struct host *ret_host,
               struct tare_error *error)
{
  int root = state_open_root (context->root, create, error);
  if (root < 0)
    return root;
  *ret_host =
      (struct host){ root, context->root, context->manager, context->rootless, &context->log };
  return 0;
}

int
lib_open_host_of (const struct tare_context *context, const char *id, struct host *ret_host,
                  struct tare_error *error)
{
  int r = state_check_id (id, error);
  if (r >= 0)
    r = lib_open_host (context, false, ret_host, error);
  if (r == -ENOENT)
    return fail_kind (error, TARE_ERROR_NOT_FOUND, r, "container `%s` does not exist", id);
  return r;
}
