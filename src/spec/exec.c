/* A further process of a container: the container's own config with another process in it. Nothing
 * of the container is changed; what comes out is lowered and checked by the very code that did so
 * for the first process. Serves reference implementations' exec: a process object (config.md
 * "Process") completed from the container's, or the container's with changes.
 */
#include "spec/internal.h"

enum
{
  MOST_MEMORY = 512 << 20,
};

struct overlay
{
  struct arena *arena;
  const struct tare_exec_options *options;
  struct oci_process *process; /* being made */
};

static int
out_of_memory (struct tare_error *error)
{
  return fail (error, ENOMEM, "process");
}

/* ---- where it begins ---------------------------------------------------------------------------
 */

/* What a process object leaves out, the container's own process has decided. */
static void
complete (struct oci_process *process, const struct oci_process *from)
{
  if (process->user == NULL)
    process->user = from->user;
  if (process->capabilities == NULL)
    process->capabilities = from->capabilities;
  if (process->apparmor_profile == NULL)
    process->apparmor_profile = from->apparmor_profile;
  if (process->selinux_label == NULL)
    process->selinux_label = from->selinux_label;
  if (process->rlimits == NULL)
    {
      process->rlimits = from->rlimits;
      process->n_rlimits = from->n_rlimits;
    }
  if (!process->has_no_new_privileges)
    process->no_new_privileges = from->no_new_privileges;
  if (process->scheduler == NULL)
    process->scheduler = from->scheduler;
  if (process->io_priority == NULL)
    process->io_priority = from->io_priority;
  if (process->exec_cpu_affinity == NULL)
    process->exec_cpu_affinity = from->exec_cpu_affinity;
  if (!process->has_oom_score_adj)
    {
      process->has_oom_score_adj = from->has_oom_score_adj;
      process->oom_score_adj = from->oom_score_adj;
    }
}

static int
read_process (struct overlay *overlay, const struct oci_process *from, struct tare_error *error)
{
  const struct tare_exec_options *options = overlay->options;
  size_t unknown = 0;
  const struct oci_source source = {
    options->process_name != NULL ? options->process_name : "process",
    options->process,
    options->process_length,
    &unknown,
  };
  if (options->n_args > 0)
    return fail_kind (error, TARE_ERROR_USAGE, EINVAL,
                      "exec: '%s': arguments were given beside a process object", options->args[0]);
  int r = oci_read_process (overlay->arena, &source, &overlay->process, error);
  if (r >= 0 && from != NULL)
    complete (overlay->process, from);
  return r;
}

static int
derive_process (struct overlay *overlay, const struct oci_process *from, struct tare_error *error)
{
  struct oci_process *process = arena_allocate (overlay->arena, sizeof *process);
  if (process == NULL)
    return out_of_memory (error);
  if (overlay->options->n_args == 0)
    return fail_kind (error, TARE_ERROR_USAGE, EINVAL, "exec: no program is given");
  if (from != NULL)
    *process = *from;
  process->args = (const char **) overlay->options->args;
  process->n_args = overlay->options->n_args;
  process->cwd = "/";
  process->terminal = false;
  process->console_size = NULL;
  overlay->process = process;
  return 0;
}

/* ---- what is changed
 * ----------------------------------------------------------------------------- */

static uint32_t
hash_name (const char *variable, size_t length)
{
  uint32_t hash = 2166136261u; /* FNV-1a */
  for (size_t i = 0; i < length; i++)
    hash = (hash ^ (unsigned char) variable[i]) * 16777619u;
  return hash;
}

/* The place of variable's name in a table of 1 + indexes into env, which has a free one. */
static uint32_t *
find_slot (uint32_t *table, size_t mask, const char *const *env, const char *variable)
{
  size_t length = strcspn (variable, "=");
  size_t slot = hash_name (variable, length) & mask;
  for (; table[slot] != 0; slot = (slot + 1) & mask)
    {
      const char *other = env[table[slot] - 1];
      if (strncmp (other, variable, length) == 0 && (other[length] == '=' || other[length] == '\0'))
        break;
    }
  return &table[slot];
}

/* In linear time, managers pass tens of thousands. A name comes once: the last value counts, as
 * programs differ in which of two they see. */
static int
merge_env (struct overlay *overlay, struct tare_error *error)
{
  struct oci_process *process = overlay->process;
  size_t total = process->n_env + overlay->options->n_env, size = 16, count = 0;
  if (overlay->options->n_env == 0)
    return 0;
  while (size < 2 * total)
    size *= 2;
  const char **env = arena_allocate (overlay->arena, total * sizeof *env);
  autofree uint32_t *table = calloc (size, sizeof *table);
  if (env == NULL || table == NULL || total > UINT32_MAX / 4)
    return out_of_memory (error);
  for (size_t i = 0; i < total; i++)
    {
      const char *variable =
          i < process->n_env ? process->env[i] : overlay->options->env[i - process->n_env];
      uint32_t *slot = find_slot (table, size - 1, env, variable);
      if (*slot == 0)
        *slot = (uint32_t) ++count;
      env[*slot - 1] = variable;
    }
  process->env = env;
  process->n_env = count;
  return 0;
}

static int
check_id (const char *what, uint32_t id, struct tare_error *error)
{
  return id <= OCI_ID_MAX
             ? 0
             : fail_kind (error, TARE_ERROR_USAGE, EINVAL,
                          "exec: %s %u: is \"no change\" to the kernel, and nobody's", what, id);
}

static int
check_ids (const struct tare_exec_options *options, struct tare_error *error)
{
  int r = options->set_uid ? check_id ("user", options->uid, error) : 0;
  if (r >= 0 && options->set_gid)
    r = check_id ("group", options->gid, error);
  for (size_t i = 0; r >= 0 && i < options->n_additional_gids; i++)
    r = check_id ("additional group", options->additional_gids[i], error);
  return r;
}

static int
change_user (struct overlay *overlay, struct tare_error *error)
{
  const struct tare_exec_options *options = overlay->options;
  if (!options->set_uid && !options->set_gid && options->n_additional_gids == 0)
    return 0;
  int r = check_ids (options, error);
  if (r < 0)
    return r;
  struct oci_user *user = arena_allocate (overlay->arena, sizeof *user);
  if (user == NULL)
    return out_of_memory (error);
  if (overlay->process->user != NULL)
    *user = *overlay->process->user;
  overlay->process->user = user;
  if (options->set_uid)
    user->uid = options->uid;
  if (options->set_gid)
    user->gid = options->gid;
  size_t had = user->n_additional_gids, count = had + options->n_additional_gids;
  uint32_t *gids = arena_allocate (overlay->arena, count * sizeof *gids);
  if (gids == NULL)
    return out_of_memory (error);
  for (size_t i = 0; i < count; i++)
    gids[i] = i < had ? user->additional_gids[i] : options->additional_gids[i - had];
  user->additional_gids = gids;
  user->n_additional_gids = count;
  return 0;
}

/* Puts more behind the names of a set. */
static bool
add_names (struct overlay *overlay, const char ***names, size_t *count)
{
  const struct tare_exec_options *options = overlay->options;
  size_t total = *count + options->n_capabilities;
  const char **all = arena_allocate (overlay->arena, total * sizeof *all);
  if (all == NULL)
    return false;
  for (size_t i = 0; i < total; i++)
    all[i] = i < *count ? (*names)[i] : options->capabilities[i - *count];
  *names = all;
  *count = total;
  return true;
}

/* The inheritable set is never added to: no file may give what nobody asked for. */
static int
add_capabilities (struct overlay *overlay, struct tare_error *error)
{
  if (overlay->options->n_capabilities == 0)
    return 0;
  struct oci_capabilities *sets = arena_allocate (overlay->arena, sizeof *sets);
  if (sets == NULL)
    return out_of_memory (error);
  if (overlay->process->capabilities != NULL)
    *sets = *overlay->process->capabilities;
  overlay->process->capabilities = sets;
  bool added = add_names (overlay, &sets->bounding, &sets->n_bounding)
               && add_names (overlay, &sets->effective, &sets->n_effective)
               && add_names (overlay, &sets->permitted, &sets->n_permitted);
  if (added && sets->n_inheritable > 0)
    added = add_names (overlay, &sets->ambient, &sets->n_ambient);
  return added ? 0 : out_of_memory (error);
}

static int
change (struct overlay *overlay, struct tare_error *error)
{
  const struct tare_exec_options *options = overlay->options;
  struct oci_process *process = overlay->process;
  if (options->cwd != NULL)
    process->cwd = options->cwd;
  if (options->selinux_label != NULL)
    process->selinux_label = options->selinux_label;
  if (options->apparmor_profile != NULL)
    process->apparmor_profile = options->apparmor_profile;
  if (options->no_new_privileges != TARE_UNSET)
    process->no_new_privileges = options->no_new_privileges == TARE_YES;
  if (options->terminal != TARE_UNSET)
    process->terminal = options->terminal == TARE_YES;
  if (options->terminal_rows > 0 && process->console_size == NULL)
    {
      process->console_size = arena_allocate (overlay->arena, sizeof *process->console_size);
      if (process->console_size == NULL)
        return out_of_memory (error);
      process->console_size->height = options->terminal_rows;
      process->console_size->width = options->terminal_columns;
    }
  int r = merge_env (overlay, error);
  if (r >= 0)
    r = change_user (overlay, error);
  return r < 0 ? r : add_capabilities (overlay, error);
}

/* ---- the whole
 * ----------------------------------------------------------------------------------- */

static int
make (struct spec *spec, const struct spec *container, const struct tare_exec_options *options,
      struct tare_error *error)
{
  struct overlay overlay = { .arena = &spec->arena, .options = options };
  const struct oci_process *from = container->config->process;
  int r = options->process != NULL ? read_process (&overlay, from, error)
                                   : derive_process (&overlay, from, error);
  if (r >= 0)
    r = change (&overlay, error);
  if (r < 0)
    return r;
  struct oci_config *config = arena_allocate (&spec->arena, sizeof *config);
  if (config == NULL)
    return out_of_memory (error);
  *config = *container->config;
  config->process = overlay.process;
  spec->config = config;
  return 0;
}

int
spec_load_exec (const struct spec *container, const struct tare_exec_options *options,
                const struct log *log, struct spec **ret_spec, struct tare_error *error)
{
  struct arena arena = { .limit = MOST_MEMORY };
  struct spec *spec = arena_allocate (&arena, sizeof *spec);
  if (spec == NULL)
    return out_of_memory (error);
  *spec = *container;
  spec->arena = arena;
  spec->rlimits = NULL;
  spec->n_rlimits = 0;
  memset (spec->capabilities, 0, sizeof spec->capabilities);
  int r = make (spec, container, options, error);
  if (r >= 0)
    r = spec_lower_process (spec, log, error);
  if (r >= 0)
    r = spec_check (spec, error);
  if (r >= 0 && arena_freeze (&spec->arena) < 0)
    r = out_of_memory (error);
  if (r < 0)
    {
      spec_free (spec);
      return r;
    }
  *ret_spec = spec;
  return 0;
}
