/* The emitter of JSON. Owns the commas; whether the brackets match is its caller's. */
#include "base/json.h"

#include <inttypes.h>

static void
begin (struct json *json, const char *name)
{
  if (json->comma)
    buf_text (&json->buf, ",");
  json->comma = true;
  if (name == NULL)
    return;
  buf_json_string (&json->buf, name);
  buf_text (&json->buf, ":");
}

void
json_open (struct json *json, const char *name, char bracket)
{
  begin (json, name);
  buf_append (&json->buf, &bracket, 1);
  json->comma = false;
}

void
json_close (struct json *json, char bracket)
{
  buf_append (&json->buf, &bracket, 1);
  json->comma = true;
}

void
json_number (struct json *json, const char *name, uint64_t value)
{
  begin (json, name);
  buf_format (&json->buf, "%" PRIu64, value);
}

void
json_string (struct json *json, const char *name, const char *value)
{
  begin (json, name);
  buf_json_string (&json->buf, value);
}

void
json_raw (struct json *json, const char *name, const char *text)
{
  begin (json, name);
  buf_text (&json->buf, text);
}

void
json_done (struct json *json)
{
  buf_done (&json->buf);
}
