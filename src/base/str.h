/* Strings: comparisons, exact number parsing, lexical paths. No locale, no allocation. */
#ifndef TARE_BASE_STR_H
#define TARE_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline bool
str_equal (const char *a, const char *b)
{
  return strcmp (a, b) == 0;
}

/* The rest after prefix, or NULL. */
static inline const char *
str_after (const char *text, const char *prefix)
{
  for (; *prefix != '\0'; prefix++, text++) /* most differ in the first byte: no call for that */
    if (*text != *prefix)
      return NULL;
  return text;
}

/* The whole of text as a decimal number, digits only (a '-' first for the signed one).
 * Returns 0, -EINVAL (not a number) or -ERANGE. */
int parse_u64 (const char *text, uint64_t max, uint64_t *ret_value);
int parse_i64 (const char *text, int64_t min, int64_t max, int64_t *ret_value);

/* Is path, lexically and component-wise, equal to or below directory? Both absolute. */
bool path_is_below (const char *path, const char *directory);
bool path_has_dot_dot (const char *path);
/* Collapses "//", "/./" and trailing "/" of an absolute path into out; ".." stays as it is.
 * Returns the length, or -ENAMETOOLONG. */
int path_normalize (const char *path, char *out, size_t size);

/* The length of the valid UTF-8 character at the front (no overlong form, no surrogate), or 0. */
size_t utf8_length (const char *bytes, size_t left);
/* The largest length <= most at which text may be cut without splitting a character. */
size_t utf8_cut (const char *text, size_t most);
/* Is the valid UTF-8 character at c a control (C0, DEL, C1)? */
bool is_control (const char *c);
/* text as one line: controls and invalid bytes become \xNN. Cut to size, always terminated. */
void escape_line (const char *text, char *out, size_t size);

#endif
