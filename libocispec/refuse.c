/* What the reader says when it refuses: the place, what stood there, what was allowed, the line.
 * One form for all messages; the tests hold them to the letter. */
#include "libocispec/reader.h"
#include "base/cleanup.h"
#include "base/str.h"

#include <stdio.h>

/* ".name" where that is clear, or "["na.me"]" */
static void
put_key (struct buf *path, const struct key *key)
{
  size_t length = key->length > 64 ? utf8_cut (key->text, 64) : key->length;
  bool plain = length > 0;
  for (size_t i = 0; i < length; i++)
    {
      char c = key->text[i];
      plain &= (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')
               || c == '_' || c == '-';
    }
  const char *more = length < key->length ? "..." : "";
  if (plain)
    buf_format (path, "%s%.*s%s", path->length > 0 ? "." : "", (int) length, key->text, more);
  else
    buf_format (path, "[\"%.*s%s\"]", (int) length, key->text, more);
}

static void
put_path (const struct reader *reader, size_t depth, struct buf *path)
{
  for (size_t i = 0; i < depth; i++)
    {
      const struct frame *frame = &reader->frames[i];
      if (frame->form == FORM_ARRAY || frame->form == FORM_SKIPPED_ARRAY)
        buf_format (path, "[%zu]", frame->n);
      else
        put_key (path, &frame->key);
    }
}

int
refuse (struct reader *reader, size_t offset, const char *path, const char *text)
{
  size_t line = 1;
  for (size_t i = 0; i < offset; i++)
    line += reader->source->bytes[i] == '\n';
  reader->r = fail_kind (reader->error, TARE_ERROR_CONFIG, EINVAL, "%s: %s%s%s (line %zu)",
                         reader->source->name, path, *path != '\0' ? ": " : "", text, line);
  return 0;
}

int
refuse_value (struct reader *reader, const char *format, ...)
{
  auto_ (buf)
  struct buf path = { 0 };
  char text[512];
  va_list arguments;
  va_start (arguments, format);
  (void) vsnprintf (text, sizeof text, format, arguments);
  va_end (arguments);
  put_path (reader, reader->depth, &path);
  return refuse (reader, offset_now (reader), path.bytes != NULL ? path.bytes : "", text);
}

int
refuse_memory (struct reader *reader)
{
  reader->r = fail (reader->error, ENOMEM, "%s", reader->source->name);
  return 0;
}

int
refuse_type (struct reader *reader, const struct slot *slot, const char *found)
{
  static const char *const wanted[] = {
    [OCI_KIND_STRING] = "a string",    [OCI_KIND_BOOL] = "true or false",
    [OCI_KIND_INTEGER] = "an integer", [OCI_KIND_ENUM] = "a string",
    [OCI_KIND_OBJECT] = "an object",   [OCI_KIND_PAIR] = "a string",
  };
  const char *text = slot->shape == OCI_SHAPE_ARRAY ? "an array"
                     : slot->shape == OCI_SHAPE_MAP ? "an object"
                                                    : wanted[slot->kind];
  return refuse_value (reader, "expected %s, not %s", text, found);
}

/* The path of a field of the object that is open. */
static int
refuse_field (struct reader *reader, const struct key *key, size_t offset, const char *text)
{
  auto_ (buf)
  struct buf path = { 0 };
  put_path (reader, reader->depth - 1, &path);
  put_key (&path, key);
  return refuse (reader, offset, path.bytes != NULL ? path.bytes : "", text);
}

int
refuse_duplicate (struct reader *reader, const struct key *key)
{
  return refuse_field (reader, key, key->offset, "given twice");
}

int
refuse_missing (struct reader *reader, const char *name)
{
  struct key key = { .text = name, .length = strlen (name) };
  size_t start = reader->frames[reader->depth - 1].start;
  return refuse_field (reader, &key, start, "required, but missing");
}
