/* Which mounts have something made below them later, for thousands of mounts as well: all paths are
 * sorted, so that what is below a path follows it, and each tells those above it how late it comes.
 */
#include <stdlib.h>

#include "spec/internal.h"

struct place
{
  const char *path;
  size_t when;   /* the mount's number; things that come after all mounts: their count */
  size_t latest; /* of itself and what is below */
};

/* "/" sorts before everything, so that "/a/b" comes before "/a-b". */
static int
compare_paths (const char *a, const char *b)
{
  while (*a == *b && *a != '\0')
    a++, b++;
  int left = *a == '/' ? 1 : (unsigned char) *a + (*a != '\0'),
      right = *b == '/' ? 1 : (unsigned char) *b + (*b != '\0');
  return left - right;
}

static int
compare_places (const void *a, const void *b)
{
  const struct place *left = a, *right = b;
  int r = compare_paths (left->path, right->path);
  return r != 0 ? r : (left->when > right->when) - (left->when < right->when);
}

/* Devices, links and the working directory are made after all mounts. */
static size_t
list_places (const struct spec *spec, struct place *places)
{
  const struct oci_linux *linux = spec->config->linux;
  size_t n = 0;
  for (size_t i = 0; i < spec->n_mounts; i++)
    places[n++] = (struct place){ spec->mounts[i].target, i, i };
  for (size_t i = 0; linux != NULL && i < linux->n_devices; i++)
    places[n++] = (struct place){ linux->devices[i].path, spec->n_mounts, spec->n_mounts };
  if (spec->config->process != NULL)
    places[n++] = (struct place){ spec->config->process->cwd, spec->n_mounts, spec->n_mounts };
  places[n++] = (struct place){ "/dev", spec->n_mounts, spec->n_mounts };
  return n;
}

static size_t
later (size_t a, size_t b)
{
  return a > b ? a : b;
}

/* above: a stack of places, each below the one under it. */
static size_t
pop (struct place **above, size_t depth)
{
  if (depth > 1)
    above[depth - 2]->latest = later (above[depth - 2]->latest, above[depth - 1]->latest);
  return depth - 1;
}

static void
tell_those_above (struct place *places, size_t count, struct place **above)
{
  size_t depth = 0;
  for (size_t i = 0; i < count; i++)
    {
      while (depth > 0 && !path_is_below (places[i].path, above[depth - 1]->path))
        depth = pop (above, depth);
      above[depth++] = &places[i];
    }
  while (depth > 0)
    depth = pop (above, depth);
}

bool *
spec_find_below (const struct spec *spec)
{
  size_t most = spec->n_mounts + 2;
  if (spec->config->linux != NULL)
    most += spec->config->linux->n_devices;
  autofree bool *below = calloc (spec->n_mounts + 1, sizeof *below);
  autofree struct place *places = calloc (most, sizeof *places);
  autofree struct place **above = calloc (most, sizeof *above);
  if (below == NULL || places == NULL || above == NULL)
    return NULL;
  size_t count = list_places (spec, places);
  qsort (places, count, sizeof *places, compare_places);
  tell_those_above (places, count, above);
  for (size_t i = 0; i < count; i++)
    if (places[i].when < spec->n_mounts)
      below[places[i].when] = places[i].latest > places[i].when;
  return take_ptr (&below);
}
