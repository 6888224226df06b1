/* Annotations (config.md): what a config says to a runtime beyond the specification. */
#include "spec/internal.h"

const char *
spec_annotation (const struct spec *spec, const char *key)
{
  for (size_t i = 0; i < spec->config->n_annotations; i++)
    if (str_equal (spec->config->annotations[i].key, key))
      return spec->config->annotations[i].value;
  return NULL;
}
