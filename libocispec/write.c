/* The writer: prints any object by its table (RFC 8259), and nothing that was absent. Depth is
 * that of the tables, so recursion is bounded. */
#include "libocispec/table.h"
#include "base/str.h"

#include <inttypes.h>

struct writer
{
  struct buf *buf;
  int indent;
  int level;
};

static void write_object (struct writer *writer, const struct oci_table *table, const char *object);

static void
new_line (const struct writer *writer)
{
  static const char columns[OCI_INDENT_MAX + 1] = "        ";
  if (writer->indent == 0)
    return;
  buf_text (writer->buf, "\n");
  for (int i = 0; i < writer->level; i++)
    buf_append (writer->buf, columns, (size_t) writer->indent);
}

static void
open_bracket (struct writer *writer, const char *bracket)
{
  buf_text (writer->buf, bracket);
  writer->level++;
}

/* An empty one stays on its line. */
static void
close_bracket (struct writer *writer, const char *bracket, bool empty)
{
  writer->level--;
  if (!empty)
    new_line (writer);
  buf_text (writer->buf, bracket);
}

static void
next_item (struct writer *writer, bool first)
{
  if (!first)
    buf_text (writer->buf, ",");
  new_line (writer);
}

static void
write_key (struct writer *writer, const char *key)
{
  buf_json_string (writer->buf, key);
  buf_text (writer->buf, writer->indent > 0 ? ": " : ":");
}

static void
write_integer (struct writer *writer, const struct oci_field *field, const char *at)
{
  uint64_t value = field->size == sizeof (uint16_t)   ? *(const uint16_t *) (const void *) at
                   : field->size == sizeof (uint32_t) ? *(const uint32_t *) (const void *) at
                                                      : *(const uint64_t *) (const void *) at;
  if (field->is_signed && field->size == sizeof (int32_t))
    value = (uint64_t) * (const int32_t *) (const void *) at;
  if (field->is_signed)
    buf_format (writer->buf, "%" PRId64, (int64_t) value);
  else
    buf_format (writer->buf, "%" PRIu64, value);
}

/* One value at its place in memory; an object itself, not a pointer to it. */
static void
write_value (struct writer *writer, const struct oci_field *field, const char *at)
{
  switch (field->kind)
    {
    case OCI_KIND_STRING:
      buf_json_string (writer->buf, *(const char *const *) (const void *) at);
      return;
    case OCI_KIND_BOOL:
      buf_text (writer->buf, *(const bool *) at ? "true" : "false");
      return;
    case OCI_KIND_INTEGER:
      write_integer (writer, field, at);
      return;
    case OCI_KIND_ENUM:
      {
        const char *name = enum_name (field->map, *(const int *) (const void *) at);
        buf_json_string (writer->buf, name != NULL ? name : "");
        return;
      }
    case OCI_KIND_OBJECT:
      write_object (writer, field->table, at);
      return;
    case OCI_KIND_PAIR:
      buf_json_string (writer->buf, ((const struct oci_pair *) (const void *) at)->value);
      return;
    case OCI_KIND_IGNORED:
      return;
    }
}

static void
write_items (struct writer *writer, const struct oci_field *field, const char *object)
{
  bool map = field->shape == OCI_SHAPE_MAP;
  const char *items = *(const char *const *) (const void *) (object + field->offset);
  size_t n = *(const size_t *) (const void *) (object + field->beside);
  open_bracket (writer, map ? "{" : "[");
  for (size_t i = 0; i < n; i++)
    {
      const char *item = items + i * field->size;
      next_item (writer, i == 0);
      if (map && field->kind == OCI_KIND_PAIR)
        write_key (writer, ((const struct oci_pair *) (const void *) item)->key);
      else if (map)
        write_key (writer, ((const struct oci_head *) (const void *) item)->key);
      write_value (writer, field, item);
    }
  close_bracket (writer, map ? "}" : "]", n == 0);
}

static bool
is_present (const struct oci_field *field, const char *object)
{
  bool is_scalar = field->shape == OCI_SHAPE_ONE && field->beside != field->offset;
  if (field->kind == OCI_KIND_IGNORED)
    return false;
  if (is_scalar)
    return *(const bool *) (object + field->beside);
  return *(const void *const *) (const void *) (object + field->offset) != NULL;
}

static void
write_field (struct writer *writer, const struct oci_field *field, const char *object)
{
  const char *at = object + field->offset;
  write_key (writer, field->name);
  if (!is_present (field, object))
    buf_text (writer->buf, "null");
  else if (field->shape != OCI_SHAPE_ONE)
    write_items (writer, field, object);
  else if (field->kind == OCI_KIND_OBJECT)
    write_value (writer, field, *(const char *const *) (const void *) at);
  else
    write_value (writer, field, at);
}

static void
write_object (struct writer *writer, const struct oci_table *table, const char *object)
{
  uint64_t nulls = ((const struct oci_head *) (const void *) object)->nulls;
  bool empty = true;
  open_bracket (writer, "{");
  for (size_t i = 0; i < table->n_fields; i++)
    {
      const struct oci_field *field = &table->fields[i];
      if (!is_present (field, object) && (!(nulls >> i & 1) || field->kind == OCI_KIND_IGNORED))
        continue;
      next_item (writer, empty);
      empty = false;
      write_field (writer, field, object);
    }
  close_bracket (writer, "}", empty);
}

void
oci_write (struct buf *buf, const struct oci_table *table, const void *object, int indent)
{
  struct writer writer = { .buf = buf, .indent = indent };
  write_object (&writer, table, object);
}

const struct oci_field *
oci_find (const struct oci_table *table, const char *name, size_t length)
{
  for (size_t i = 0; i < table->n_fields; i++)
    {
      const char *its = table->fields[i].name;
      if (*its == *name && strncmp (its, name, length) == 0 && its[length] == '\0')
        return &table->fields[i];
    }
  return NULL;
}

bool
oci_is_null (const struct oci_table *table, const void *object, const char *name)
{
  const struct oci_field *field = oci_find (table, name, strlen (name));
  return field != NULL && ((const struct oci_head *) object)->nulls >> (field - table->fields) & 1;
}
