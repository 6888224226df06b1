/* One linear pass over the bytes of a document (RFC 8259), before yajl sees them. yajl takes lone
 * and mispaired surrogates, overlong forms, vertical tabs as white space, and NUL in strings; a
 * policy layer in front of us may read those in another way than we would, so they are refused.
 * Whether a backslash stands in a string is yajl's business.
 */
#include "libocispec/scan.h"
#include "libocispec/table.h"
#include "base/str.h"

/* The four digits of \uXXXX at bytes, or -1. */
static int
escaped_unit (const char *bytes, size_t left)
{
  int unit = 0;
  if (left < 6 || bytes[0] != '\\' || bytes[1] != 'u')
    return -1;
  for (int i = 2; i < 6; i++)
    {
      char c = bytes[i];
      int digit = c >= '0' && c <= '9'   ? c - '0'
                  : c >= 'a' && c <= 'f' ? c - 'a' + 10
                  : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                         : -1;
      if (digit < 0)
        return -1;
      unit = unit * 16 + digit;
    }
  return unit;
}

/* At a backslash: sets *ret_length to what belongs to the escape. */
static const char *
scan_escape (const char *bytes, size_t left, size_t *ret_length)
{
  int unit = escaped_unit (bytes, left);
  *ret_length = unit < 0 ? 2 : 6;
  if (unit == 0)
    return "\\u0000 in a string";
  if (unit < 0xd800 || unit > 0xdfff)
    return NULL;
  int next = escaped_unit (bytes + 6, left - 6);
  if (unit > 0xdbff || next < 0xdc00 || next > 0xdfff)
    return "half of a surrogate pair";
  *ret_length = 12;
  return NULL;
}

const char *
json_scan (const char *bytes, size_t length, size_t *ret_offset)
{
  *ret_offset = 0;
  if (length > OCI_SIZE_MAX)
    return "larger than 32 MiB";
  if (length >= 3 && memcmp (bytes, "\xef\xbb\xbf", 3) == 0)
    return "begins with a byte order mark";

  size_t step;
  for (size_t i = 0; i < length; i += step)
    {
      unsigned char c = (unsigned char) bytes[i];
      const char *wrong = NULL;
      step = 1;
      if (c >= 0x20 && c < 0x80 && c != '\\')
        continue; /* nearly all there is */
      if (c == '\\')
        wrong = scan_escape (bytes + i, length - i, &step);
      else if (c < 0x20 && c != '\n' && c != '\t' && c != '\r')
        wrong = "a control character";
      else if (c >= 0x80 && (step = utf8_length (bytes + i, length - i)) == 0)
        wrong = "invalid UTF-8";
      *ret_offset = i;
      if (wrong != NULL)
        return wrong;
    }
  return NULL;
}

bool
json_number_is_finite (const char *text, size_t length)
{
  const char *end = text + length, *at = text + (*text == '-');
  int64_t magnitude = -1, exponent = 0; /* the power of ten of the first digit that is not 0 */
  bool zero = true;
  for (; at < end && *at >= '0' && *at <= '9'; at++, magnitude++)
    zero &= *at == '0';
  if (zero)
    magnitude = 0;
  if (at < end && *at == '.')
    for (at++; at < end && *at >= '0' && *at <= '9'; at++)
      {
        magnitude -= zero;
        zero &= *at == '0';
      }
  if (zero || at == end)
    return magnitude <= 308;
  bool minus = at[1] == '-';
  for (at += at[1] == '-' || at[1] == '+' ? 2 : 1; at < end; at++)
    if (exponent < OCI_SIZE_MAX)
      exponent = exponent * 10 + (*at - '0');
  return magnitude + (minus ? -exponent : exponent) <= 308;
}
