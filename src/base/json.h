/* JSON that is written as it goes, on one line: objects, arrays, numbers, strings. For documents
 * that are no object of the specification; those have tables (libocispec). Out of memory shows in
 * buf.failed. */
#ifndef TARE_BASE_JSON_H
#define TARE_BASE_JSON_H

#include <stdint.h>

#include "base/buf.h"

struct json
{
  struct buf buf;
  bool comma; /* the next value is not the first of its object or array */
};

/* name NULL: an element of an array, or the document itself. bracket: '{' or '['. */
void json_open (struct json *json, const char *name, char bracket);
void json_close (struct json *json, char bracket);
void json_number (struct json *json, const char *name, uint64_t value);
void json_string (struct json *json, const char *name, const char *value);
/* text is JSON already. */
void json_raw (struct json *json, const char *name, const char *text);
void json_done (struct json *json);

#endif
