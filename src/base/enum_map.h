/* A list of names and the numbers they stand for, ended by a NULL name. Serves the JSON reader
 * and writer, error texts ("is not one of ..."), features, the plan's printer. */
#ifndef TARE_BASE_ENUM_MAP_H
#define TARE_BASE_ENUM_MAP_H

#include <stdint.h>

struct buf;

struct enum_map
{
  const char *name;
  int64_t value;
};

/* Returns 0, or -EINVAL and leaves *ret_value alone. */
int enum_value (const struct enum_map *map, const char *name, int64_t *ret_value);
/* The first name of value, or NULL. */
const char *enum_name (const struct enum_map *map, int64_t value);
/* "a, b, c" */
void enum_list (const struct enum_map *map, struct buf *buf);

#endif
