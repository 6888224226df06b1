/* Lists of small numbers as the kernel writes sets of processors and memory nodes: "0-3,7". */
#ifndef TARE_BASE_RANGES_H
#define TARE_BASE_RANGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum
{
  RANGES_MOST = 8192, /* numbers from 0; what the kernel is built for at most */
};

struct ranges
{
  uint64_t bits[RANGES_MOST / 64];
  size_t count; /* of the numbers in it */
};

/* Blanks around numbers and empty elements are allowed. -EINVAL: not such a list; -ERANGE: a number
 * too large, or a range that ends before it begins. */
int ranges_parse (const char *text, struct ranges *ret_ranges);

static inline bool
ranges_has (const struct ranges *ranges, size_t number)
{
  return (ranges->bits[number / 64] >> number % 64 & 1) != 0;
}

#endif
