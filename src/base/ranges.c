/* The list format of cpuset(7), "List format". Allocates nothing. */
#include "base/ranges.h"

#include <errno.h>

static const char *
skip_blanks (const char *text)
{
  while (*text == ' ')
    text++;
  return text;
}

/* The number in front, and what comes after it and its blanks. */
static int
take_number (const char **text, size_t *ret_number)
{
  const char *at = skip_blanks (*text);
  size_t number = 0;
  if (*at < '0' || *at > '9')
    return -EINVAL;
  for (; *at >= '0' && *at <= '9'; at++)
    {
      number = number * 10 + (size_t) (*at - '0');
      if (number >= RANGES_MOST)
        return -ERANGE;
    }
  *text = skip_blanks (at);
  *ret_number = number;
  return 0;
}

static int
take_range (const char **text, struct ranges *ranges)
{
  size_t first, last;
  int r = take_number (text, &first);
  last = first;
  if (r >= 0 && **text == '-')
    {
      (*text)++;
      r = take_number (text, &last);
    }
  if (r < 0)
    return r;
  if (last < first)
    return -ERANGE;
  for (size_t i = first; i <= last; i++)
    {
      ranges->count += !ranges_has (ranges, i);
      ranges->bits[i / 64] |= UINT64_C (1) << i % 64;
    }
  return 0;
}

int
ranges_parse (const char *text, struct ranges *ret_ranges)
{
  struct ranges ranges = { 0 };
  for (;;)
    {
      text = skip_blanks (text);
      int r = *text == ',' || *text == '\0' ? 0 : take_range (&text, &ranges);
      if (r < 0)
        return r;
      if (*text == '\0')
        break;
      if (*text++ != ',')
        return -EINVAL;
    }
  *ret_ranges = ranges;
  return 0;
}
