/* A growing byte buffer that remembers failure: append as often as you like, ask once.
 * struct buf b = {0}; ... if (b.failed) return -ENOMEM; */
#ifndef TARE_BASE_BUF_H
#define TARE_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct buf
{
  char *bytes; /* always terminated when length > 0 or anything was appended */
  size_t length, capacity;
  bool failed; /* out of memory at some append; the rest was dropped */
};

/* Room for length more bytes and the terminator: that much is then appended without moving what is
 * there. False: failed. */
bool buf_grow (struct buf *buf, size_t length);
void buf_append (struct buf *buf, const void *bytes, size_t length);
static inline void
buf_text (struct buf *buf, const char *text)
{
  buf_append (buf, text, strlen (text));
}
void buf_format (struct buf *buf, const char *format, ...) __attribute__ ((format (printf, 2, 3)));
/* length zeroed bytes, aligned to 8; returns their offset, or (size_t) -1. */
size_t buf_reserve (struct buf *buf, size_t length);
/* JSON string literal with its quotes; invalid UTF-8 and control characters are escaped. */
void buf_json_string (struct buf *buf, const char *text);
/* The text, to be freed by the caller; NULL if anything failed. */
char *buf_take (struct buf *buf);
void buf_done (struct buf *buf);

#endif
