/* The growing buffer. Owns its memory; a failed append leaves what was there and is remembered.
 * The JSON string writer is here because everything that prints JSON prints into a buffer.
 */
#include "base/buf.h"
#include "base/str.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum
{
  /* A container's record fits. musl has as much at hand; twice that would be a mapping of its own,
   * made and unmade for each. */
  FIRST_ROOM = 480,
  USUAL_TEXT = 64, /* room for nearly everything that is formatted, so that it is but once */
};

bool
buf_grow (struct buf *buf, size_t length)
{
  if (buf->failed || length >= SIZE_MAX / 2 - buf->length)
    {
      buf->failed = true;
      return false;
    }
  size_t need = buf->length + length + 1;
  if (need <= buf->capacity)
    return true;
  size_t capacity = buf->capacity > 0 ? buf->capacity : FIRST_ROOM;
  while (capacity < need) /* in few steps: with musl each is a mapping of its own */
    capacity = capacity <= SIZE_MAX / 4 ? capacity * 4 : need;
  char *bytes = realloc (buf->bytes, capacity);
  if (bytes == NULL)
    {
      buf->failed = true;
      return false;
    }
  buf->bytes = bytes;
  buf->capacity = capacity;
  return true;
}

void
buf_append (struct buf *buf, const void *bytes, size_t length)
{
  if (!buf_grow (buf, length))
    return;
  if (length > 0)
    memcpy (buf->bytes + buf->length, bytes, length);
  buf->length += length;
  buf->bytes[buf->length] = '\0';
}

void
buf_format (struct buf *buf, const char *format, ...)
{
  va_list arguments;
  if (!buf_grow (buf, USUAL_TEXT))
    return;
  size_t room = buf->capacity - buf->length;
  va_start (arguments, format);
  int length = vsnprintf (buf->bytes + buf->length, room, format, arguments);
  va_end (arguments);
  if (length >= 0 && (size_t) length >= room && buf_grow (buf, (size_t) length))
    {
      va_start (arguments, format);
      (void) vsnprintf (buf->bytes + buf->length, (size_t) length + 1, format, arguments);
      va_end (arguments);
    }
  buf->failed = buf->failed || length < 0;
  if (!buf->failed)
    buf->length += (size_t) length;
  buf->bytes[buf->length] = '\0';
}

size_t
buf_reserve (struct buf *buf, size_t length)
{
  size_t padding = (8 - buf->length % 8) % 8;
  if (length > SIZE_MAX / 2 || !buf_grow (buf, padding + length))
    {
      buf->failed = true;
      return (size_t) -1;
    }
  size_t offset = buf->length + padding;
  memset (buf->bytes + buf->length, 0, padding + length + 1);
  buf->length = offset + length;
  return offset;
}

static void
json_escape (struct buf *buf, unsigned char c)
{
  static const char named[] = "\"\"\\\\\bb\ff\nn\rr\tt";
  for (size_t i = 0; i + 1 < sizeof named; i += 2)
    if ((unsigned char) named[i] == c)
      {
        buf_append (buf, (const char[]){ '\\', named[i + 1] }, 2);
        return;
      }
  buf_format (buf, "\\u%04x", c);
}

void
buf_json_string (struct buf *buf, const char *text)
{
  size_t left = strlen (text), plain = 0;
  buf_text (buf, "\"");
  while (left > plain)
    {
      const char *at = text + plain;
      unsigned char c = (unsigned char) *at;
      if (c >= 0x20 && c < 0x7f && c != '"' && c != '\\')
        {
          plain++; /* nearly all there is */
          continue;
        }
      size_t n = utf8_length (at, left - plain);
      if (n > 1 && !is_control (at))
        {
          plain += n;
          continue;
        }
      buf_append (buf, text, plain);
      if (n == 0)
        buf_text (buf, "\\ufffd");
      else /* of two bytes: U+0080 to U+009F, where the second byte is the number */
        json_escape (buf, n == 2 ? (unsigned char) at[1] : c);
      n = n == 0 ? 1 : n;
      left -= plain + n;
      text = at + n;
      plain = 0;
    }
  buf_append (buf, text, plain);
  buf_text (buf, "\"");
}

char *
buf_take (struct buf *buf)
{
  if (!buf->failed && buf->bytes == NULL)
    buf_append (buf, "", 0);
  if (buf->failed)
    {
      buf_done (buf);
      return NULL;
    }
  char *text = buf->bytes;
  *buf = (struct buf){ 0 };
  return text;
}

void
buf_done (struct buf *buf)
{
  int saved = errno;
  free (buf->bytes);
  *buf = (struct buf){ 0 };
  errno = saved;
}
