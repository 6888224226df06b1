/* From the bytes of config.json to a frozen struct spec: read, lower, check, freeze. Makes no
 * effect outside its arena. */
#include "spec/internal.h"

enum
{
  MOST_MEMORY = 512 << 20,
};

int
spec_load (const struct spec_input *input, const struct log *log, struct spec **ret_spec,
           struct tare_error *error)
{
  /* Elements are larger than their text: a file of nothing but tiny ones must not take all memory.
   */
  struct arena arena = { .limit = MOST_MEMORY };
  struct spec *spec = arena_allocate (&arena, sizeof *spec);
  if (spec == NULL)
    return fail (error, ENOMEM, "read '%s'", input->name);
  size_t unknown = 0;
  struct oci_source source = { input->name, input->bytes, input->length, &unknown };
  struct oci_config *config = NULL;
  int r = oci_read_config (&arena, &source, &config, error);
  /* The arena lives inside what it holds from here on: spec_free takes it out again. */
  spec->arena = arena;
  spec->config = config;
  if (r >= 0 && unknown > 0)
    log_debug (log, "%s: %zu unknown properties were ignored", input->name, unknown);
  if (r >= 0)
    {
      spec->bundle = arena_copy (&spec->arena, input->bundle, strlen (input->bundle));
      r = spec->bundle == NULL ? fail (error, ENOMEM, "read '%s'", input->name) : 0;
    }
  if (r >= 0)
    r = spec_lower (spec, log, error);
  if (r >= 0)
    r = spec_check (spec, error);
  if (r >= 0 && arena_freeze (&spec->arena) < 0)
    r = fail (error, ENOMEM, "freeze '%s'", input->name);
  if (r < 0)
    {
      spec_free (spec);
      return error != NULL && str_after (error->message, input->name) == NULL
                 ? wrap (error, r, "%s", input->name)
                 : r;
    }
  *ret_spec = spec;
  return 0;
}

void
spec_free (struct spec *spec)
{
  if (spec == NULL)
    return;
  struct arena arena = spec->arena;
  arena_done (&arena);
}
