/* Names and numbers. No stdio: init links this. Lists are short, so they are searched from the
 * front. */
#include "base/enum_map.h"
#include "base/buf.h"
#include "base/str.h"

#include <errno.h>

int
enum_value (const struct enum_map *map, const char *name, int64_t *ret_value)
{
  for (; map->name != NULL; map++)
    if (str_equal (map->name, name))
      {
        *ret_value = map->value;
        return 0;
      }
  return -EINVAL;
}

const char *
enum_name (const struct enum_map *map, int64_t value)
{
  for (; map->name != NULL; map++)
    if (map->value == value)
      return map->name;
  return NULL;
}

void
enum_list (const struct enum_map *map, struct buf *buf)
{
  for (const struct enum_map *at = map; at->name != NULL; at++)
    {
      if (at != map)
        buf_text (buf, ", ");
      buf_text (buf, at->name);
    }
}
