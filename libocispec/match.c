/* The patterns of the schema, without a regular expression library: ^...$ around characters and
 * [classes] (with ranges, ^ and \n), each alone or with * or + behind it. What the schema uses
 * never needs to back up: a repeated class has no character in common with what follows it. */
#include "libocispec/table.h"
#include "base/str.h"

/* The length of the item at pattern: one character, or a class with its brackets. */
static size_t
item_length (const char *pattern)
{
  return *pattern == '[' ? strcspn (pattern, "]") + 1 : 1;
}

static bool
item_has (const char *item, size_t length, char c)
{
  if (*item != '[')
    return *item == c;
  bool negated = item[1] == '^';
  for (size_t i = 1 + negated; i + 1 < length; i++)
    {
      bool is_newline = item[i] == '\\' && item[i + 1] == 'n';
      bool is_range = item[i + 1] == '-' && i + 3 < length;
      char first = is_newline ? '\n' : item[i], last = is_range ? item[i + 2] : first;
      if (c >= first && c <= last)
        return !negated;
      i += is_range ? 2 : is_newline ? 1 : 0;
    }
  return negated;
}

bool
oci_match (const char *pattern, const char *text)
{
  const char *at = pattern + (*pattern == '^');
  while (*at != '\0' && *at != '$')
    {
      size_t length = item_length (at), n = 0;
      char repeat = at[length] == '*' || at[length] == '+' ? at[length] : '\0';
      while (*text != '\0' && item_has (at, length, *text) && (repeat != '\0' || n == 0))
        text++, n++;
      if (n == 0 && repeat != '*')
        return false;
      at += length + (repeat != '\0');
    }
  return *text == '\0';
}
