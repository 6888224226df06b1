/* Strings: exact numbers, lexical paths, UTF-8, escaping. No locale, no allocation, no stdio:
 * init links this.
 */
#include "base/str.h"

#include <errno.h>

int
parse_u64 (const char *text, uint64_t max, uint64_t *ret_value)
{
  uint64_t value = 0;
  bool overflow = false;
  if (*text == '\0')
    return -EINVAL;
  for (; *text != '\0'; text++)
    {
      if (*text < '0' || *text > '9')
        return -EINVAL;
      overflow |= __builtin_mul_overflow (value, (uint64_t) 10, &value);
      overflow |= __builtin_add_overflow (value, (uint64_t) (*text - '0'), &value);
    }
  if (overflow || value > max)
    return -ERANGE;
  *ret_value = value;
  return 0;
}

int
parse_i64 (const char *text, int64_t min, int64_t max, int64_t *ret_value)
{
  bool minus = *text == '-';
  uint64_t most = minus ? (uint64_t) INT64_MAX + 1 : (uint64_t) INT64_MAX;
  uint64_t magnitude;
  int r = parse_u64 (text + minus, most, &magnitude);
  if (r < 0)
    return r;
  /* in unsigned arithmetic: -INT64_MIN does not exist */
  int64_t value = (int64_t) (minus ? 0 - magnitude : magnitude);
  if (value < min || value > max)
    return -ERANGE;
  *ret_value = value;
  return 0;
}

/* The next component at *path that is neither empty nor "."; its length, 0 at the end. *path is
 * moved to its start. */
static size_t
next_component (const char **path)
{
  for (;;)
    {
      while (**path == '/')
        *path += 1;
      size_t length = 0; /* a few bytes: no call for them */
      while ((*path)[length] != '/' && (*path)[length] != '\0')
        length++;
      if (length != 1 || **path != '.')
        return length;
      *path += 1;
    }
}

static bool
is_dot_dot (const char *component, size_t length)
{
  return length == 2 && component[0] == '.' && component[1] == '.';
}

bool
path_is_below (const char *path, const char *directory)
{
  size_t n, m, depth = 0;
  while ((m = next_component (&directory)) > 0)
    {
      n = next_component (&path);
      if (n != m || memcmp (path, directory, n) != 0)
        return false;
      path += n;
      directory += m;
    }
  for (; (n = next_component (&path)) > 0; path += n)
    if (!is_dot_dot (path, n))
      depth++;
    else if (depth-- == 0)
      return false;
  return true;
}

bool
path_has_dot_dot (const char *path)
{
  while (*path != '\0')
    {
      size_t length = strcspn (path, "/");
      if (length == 2 && path[0] == '.' && path[1] == '.')
        return true;
      path += length;
      path += strspn (path, "/");
    }
  return false;
}

int
path_normalize (const char *path, char *out, size_t size)
{
  size_t length = 0, n;
  if (*path != '/')
    return -EINVAL;
  for (; (n = next_component (&path)) > 0; path += n)
    {
      if (length + 1 + n >= size || length + 1 + n > INT32_MAX)
        return -ENAMETOOLONG;
      out[length] = '/';
      memmove (out + length + 1, path, n); /* out may be path */
      length += 1 + n;
    }
  if (length == 0)
    {
      if (size < 2)
        return -ENAMETOOLONG;
      out[length++] = '/';
    }
  out[length] = '\0';
  return (int) length;
}

size_t
utf8_length (const char *bytes, size_t left)
{
  const unsigned char *b = (const unsigned char *) bytes;
  size_t length = left == 0      ? 0
                  : b[0] < 0x80  ? 1
                  : b[0] < 0xc2  ? 0 /* a continuation, or an overlong form */
                  : b[0] < 0xe0  ? 2
                  : b[0] < 0xf0  ? 3
                  : b[0] <= 0xf4 ? 4
                                 : 0;
  if (length > left)
    return 0;
  for (size_t i = 1; i < length; i++)
    if ((b[i] & 0xc0) != 0x80)
      return 0;
  if (length < 3)
    return length;
  /* the second byte tells overlong forms, surrogates and what is above U+10FFFF */
  unsigned char least = b[0] == 0xe0 ? 0xa0 : b[0] == 0xf0 ? 0x90 : 0x80;
  unsigned char most = b[0] == 0xed ? 0x9f : b[0] == 0xf4 ? 0x8f : 0xbf;
  return b[1] >= least && b[1] <= most ? length : 0;
}

size_t
utf8_cut (const char *text, size_t most)
{
  while (most > 0 && ((unsigned char) text[most] & 0xc0) == 0x80)
    most--;
  return most;
}

bool
is_control (const char *c)
{
  unsigned char first = (unsigned char) c[0];
  return first < 0x20 || first == 0x7f || (first == 0xc2 && (unsigned char) c[1] < 0xa0);
}

void
escape_line (const char *text, char *out, size_t size)
{
  static const char digits[] = "0123456789abcdef";
  size_t left = strlen (text), length = 0;
  while (left > 0)
    {
      size_t n = utf8_length (text, left);
      bool escape = n == 0 || is_control (text);
      n = n == 0 ? 1 : n;
      if (length + (escape ? 4 * n : n) >= size)
        break;
      for (size_t i = 0; i < n; i++)
        {
          unsigned char c = (unsigned char) text[i];
          if (!escape)
            {
              out[length++] = (char) c;
              continue;
            }
          out[length++] = '\\';
          out[length++] = 'x';
          out[length++] = digits[c >> 4];
          out[length++] = digits[c & 15];
        }
      text += n;
      left -= n;
    }
  out[length] = '\0';
}
