/* The streaming reader: yajl's callbacks fill structs by their tables, straight into an arena.
 *
 * Owns what is strict beyond the grammar: types, ranges, required fields, duplicate keys, depth.
 * A stack of frames holds the objects and arrays that are open; there is no tree and no recursion.
 * May not know any object: everything comes from the tables.
 */
#include "libocispec/reader.h"
#include "libocispec/scan.h"
#include "base/cleanup.h"
#include "base/str.h"

#include <stdio.h>
#include <stdlib.h>

static void
reader_done (struct reader *reader)
{
  free (reader->keys);
  if (reader->yajl != NULL)
    yajl_free (reader->yajl);
}

/* ---- what may come now ---- */

/* The innermost open frame; there is none (depth 0) around the root. */
static struct frame *
top (struct reader *reader)
{
  return &reader->frames[reader->depth - 1];
}

static struct slot
slot_now (struct reader *reader)
{
  if (reader->depth == 0)
    return (struct slot){ .kind = OCI_KIND_OBJECT };
  const struct frame *frame = top (reader);
  if (frame->form == FORM_SKIPPED_OBJECT || frame->form == FORM_SKIPPED_ARRAY
      || frame->field == NULL || frame->field->kind == OCI_KIND_IGNORED)
    return (struct slot){ .skip = true };
  bool one = frame->form != FORM_OBJECT;
  return (struct slot){ .field = frame->field,
                        .kind = frame->field->kind,
                        .shape = one ? OCI_SHAPE_ONE : frame->field->shape };
}

static bool
slot_takes (const struct slot *slot, enum oci_kind kind)
{
  return slot->shape == OCI_SHAPE_ONE && slot->kind == kind;
}

/* ---- where it goes ---- */

static bool
add_room (struct reader *reader, struct frame *frame)
{
  size_t size = frame->field->size;
  size_t capacity = frame->capacity == 0 ? 4 : 2 * frame->capacity;
  if (frame->n < frame->capacity)
    return true;
  char *items = arena_allocate (reader->arena, capacity * size);
  if (items == NULL)
    return false;
  if (frame->n > 0)
    memcpy (items, frame->items, frame->n * size);
  frame->items = items;
  frame->capacity = capacity;
  return true;
}

/* The memory of the value that begins now, or NULL. The key of a map's item is there already. */
static void *
place_now (struct reader *reader)
{
  struct frame *frame = top (reader);
  const struct oci_field *field = frame->field;
  if (frame->form == FORM_OBJECT)
    {
      if (field->beside != field->offset)
        *(bool *) (frame->object + field->beside) = true;
      return frame->object + field->offset;
    }
  if (!add_room (reader, frame))
    return NULL;
  char *item = frame->items + frame->n * field->size;
  return field->kind == OCI_KIND_PAIR ? item + offsetof (struct oci_pair, value) : item;
}

/* A value is complete: counts it in the array or map that it is in. */
static int
value_done (struct reader *reader)
{
  if (reader->depth > 0 && top (reader)->form != FORM_OBJECT)
    top (reader)->n++;
  return 1;
}

/* ---- scalars ---- */

static int
on_null (void *context)
{
  struct reader *reader = context;
  struct slot slot = slot_now (reader);
  if (slot.skip)
    return value_done (reader);
  if (reader->depth == 0 || top (reader)->form != FORM_OBJECT)
    return refuse_type (reader, &slot, "null");
  const struct frame *frame = top (reader);
  uint64_t bit = UINT64_C (1) << (frame->field - frame->table->fields);
  ((struct oci_head *) (void *) frame->object)->nulls |= bit;
  return 1;
}

static int
on_boolean (void *context, int value)
{
  struct reader *reader = context;
  struct slot slot = slot_now (reader);
  if (slot.skip)
    return value_done (reader);
  if (!slot_takes (&slot, OCI_KIND_BOOL))
    return refuse_type (reader, &slot, value ? "true" : "false");
  bool *place = place_now (reader);
  if (place == NULL)
    return refuse_memory (reader);
  *place = value != 0;
  return value_done (reader);
}

void
oci_range (const struct oci_field *field, int64_t *ret_min, uint64_t *ret_max)
{
  unsigned bits = 8 * (unsigned) field->size;
  *ret_min = field->min;
  *ret_max = field->max;
  if (field->min == 0 && field->max == 0)
    {
      *ret_max = UINT64_MAX >> (64 - bits + field->is_signed);
      *ret_min = field->is_signed ? -(int64_t) *ret_max - 1 : 0;
    }
}

static void
store_integer (void *place, size_t size, uint64_t value)
{
  if (size == sizeof (uint16_t))
    *(uint16_t *) place = (uint16_t) value;
  else if (size == sizeof (uint32_t))
    *(uint32_t *) place = (uint32_t) value;
  else
    *(uint64_t *) place = value;
}

/* From its text: a double would round, and 1e3 or 1.0 is another reader's number. */
static int
take_integer (struct reader *reader, const struct oci_field *field, const char *text)
{
  int64_t min, number = 0;
  uint64_t max, value = 0;
  oci_range (field, &min, &max);
  int r = field->is_signed ? parse_i64 (text, min, (int64_t) max, &number)
                           : parse_u64 (text, max, &value);
  if (strpbrk (text, ".eE") != NULL)
    return refuse_value (reader, "%s is not an integer in plain digits", text);
  if (r < 0 || (!field->is_signed && value < (uint64_t) min))
    return refuse_value (reader, "%s is not in the range of %lld to %llu", text, (long long) min,
                         (unsigned long long) max);
  void *place = place_now (reader);
  if (place == NULL)
    return refuse_memory (reader);
  store_integer (place, field->size, field->is_signed ? (uint64_t) number : value);
  return value_done (reader);
}

static int
on_number (void *context, const char *bytes, size_t length)
{
  struct reader *reader = context;
  struct slot slot = slot_now (reader);
  char text[64]; /* more is out of any range, and cut in the message */
  if (!json_number_is_finite (bytes, length))
    return refuse_value (reader, "the number is too large");
  if (slot.skip)
    return value_done (reader);
  if (!slot_takes (&slot, OCI_KIND_INTEGER))
    return refuse_type (reader, &slot, "a number");
  size_t n = length < sizeof text ? length : sizeof text - 1;
  memcpy (text, bytes, n);
  text[n] = '\0';
  return take_integer (reader, slot.field, text);
}

static int
refuse_enum (struct reader *reader, const struct oci_field *field, const char *text)
{
  auto_ (buf)
  struct buf list = { 0 };
  enum_list (field->map, &list);
  return refuse_value (reader, "\"%.*s\" is not one of %s",
                       (int) utf8_cut (text, strnlen (text, 64)), text,
                       list.bytes != NULL ? list.bytes : "");
}

static int
take_enum (struct reader *reader, const struct oci_field *field, const char *text)
{
  int64_t value;
  if (enum_value (field->map, text, &value) < 0)
    return refuse_enum (reader, field, text);
  int *place = place_now (reader);
  if (place == NULL)
    return refuse_memory (reader);
  *place = (int) value;
  return value_done (reader);
}

static int
on_string (void *context, const unsigned char *bytes, size_t length)
{
  struct reader *reader = context;
  struct slot slot = slot_now (reader);
  if (slot.skip)
    return value_done (reader);
  bool is_enum = slot_takes (&slot, OCI_KIND_ENUM);
  if (!is_enum && !slot_takes (&slot, OCI_KIND_STRING) && !slot_takes (&slot, OCI_KIND_PAIR))
    return refuse_type (reader, &slot, "a string");

  const char *text = arena_copy (reader->arena, (const char *) bytes, length);
  if (text == NULL)
    return refuse_memory (reader);
  if (is_enum)
    return take_enum (reader, slot.field, text);
  if (slot.field->pattern != NULL && !oci_match (slot.field->pattern, text))
    return refuse_value (reader, "\"%.*s\" does not match %s",
                         (int) utf8_cut (text, strnlen (text, 64)), text, slot.field->pattern);
  const char **place = place_now (reader);
  if (place == NULL)
    return refuse_memory (reader);
  *place = text;
  return value_done (reader);
}

/* ---- objects and arrays ---- */

static struct frame *
push (struct reader *reader, enum form form)
{
  if (reader->depth == OCI_DEPTH_MAX)
    {
      (void) refuse (reader, offset_now (reader), "", "nested deeper than 128 levels");
      return NULL;
    }
  struct frame *frame = &reader->frames[reader->depth++];
  *frame =
      (struct frame){ .form = form, .first_key = reader->n_keys, .start = offset_now (reader) };
  return frame;
}

/* Opens the array or map that is the value of a field. */
static int
open_items (struct reader *reader, enum form form)
{
  const struct frame *parent = top (reader);
  const struct oci_field *field = parent->field;
  char *object = parent->object;
  struct frame *frame = push (reader, form);
  if (frame == NULL)
    return 0;
  frame->field = field;
  frame->object = object;
  return 1;
}

static int
close_items (struct reader *reader)
{
  struct frame *frame = top (reader);
  const struct oci_field *field = frame->field;
  if (frame->items == NULL)
    frame->items = arena_allocate (reader->arena, 0);
  if (frame->items == NULL)
    return refuse_memory (reader);
  *(void **) (void *) (frame->object + field->offset) = frame->items;
  *(size_t *) (void *) (frame->object + field->beside) = frame->n;
  reader->depth--;
  if (frame->n < field->min_items)
    return refuse_value (reader, "expected at least %zu element%s, not %zu", field->min_items,
                         field->min_items == 1 ? "" : "s", frame->n);
  return 1;
}

/* The memory of an object that begins now: the root, an item, or one that a pointer refers to. */
static char *
object_now (struct reader *reader, const struct oci_table *table)
{
  if (reader->depth == 0)
    return reader->root = arena_allocate (reader->arena, table->size);
  if (top (reader)->form != FORM_OBJECT)
    return place_now (reader);
  char **pointer = place_now (reader);
  return *pointer = arena_allocate (reader->arena, table->size);
}

static int
on_start_map (void *context)
{
  struct reader *reader = context;
  struct slot slot = slot_now (reader);
  if (slot.skip)
    return push (reader, FORM_SKIPPED_OBJECT) != NULL;
  if (slot.shape == OCI_SHAPE_MAP)
    return open_items (reader, FORM_MAP);
  if (!slot_takes (&slot, OCI_KIND_OBJECT))
    return refuse_type (reader, &slot, "an object");

  const struct oci_table *table = slot.field == NULL ? reader->table : slot.field->table;
  char *object = object_now (reader, table);
  if (object == NULL)
    return refuse_memory (reader);
  struct frame *frame = push (reader, FORM_OBJECT);
  if (frame == NULL)
    return 0;
  frame->table = table;
  frame->object = object;
  return 1;
}

static int
on_start_array (void *context)
{
  struct reader *reader = context;
  struct slot slot = slot_now (reader);
  if (slot.skip)
    return push (reader, FORM_SKIPPED_ARRAY) != NULL;
  if (slot.shape != OCI_SHAPE_ARRAY)
    return refuse_type (reader, &slot, "an array");
  return open_items (reader, FORM_ARRAY);
}

static int
on_end_array (void *context)
{
  struct reader *reader = context;
  if (top (reader)->form == FORM_SKIPPED_ARRAY)
    reader->depth--;
  else if (!close_items (reader))
    return 0;
  return value_done (reader);
}

/* ---- keys ---- */

/* Remembers a key that no bit stands for, to be compared when the object ends. */
static bool
add_key (struct reader *reader, const struct key *key)
{
  if (reader->n_keys == reader->keys_capacity)
    {
      size_t capacity = reader->keys_capacity == 0 ? 64 : 2 * reader->keys_capacity;
      struct key *keys = realloc (reader->keys, capacity * sizeof *keys);
      if (keys == NULL)
        return false;
      reader->keys = keys;
      reader->keys_capacity = capacity;
    }
  reader->keys[reader->n_keys++] = *key;
  return true;
}

static int
compare_keys (const void *left, const void *right)
{
  const struct key *a = left, *b = right;
  int order = memcmp (a->text, b->text, a->length < b->length ? a->length : b->length);
  if (order != 0)
    return order;
  if (a->length != b->length)
    return a->length < b->length ? -1 : 1;
  return a->offset < b->offset ? -1 : a->offset > b->offset;
}

/* Sorted, equal keys are neighbours: no hash, so no input makes this slow. */
static int
check_keys (struct reader *reader)
{
  size_t first = top (reader)->first_key, n = reader->n_keys - first;
  if (n == 0)
    return 1;
  struct key *keys = reader->keys + first;
  qsort (keys, n, sizeof *keys, compare_keys);
  for (size_t i = 1; i < n; i++)
    if (keys[i].length == keys[i - 1].length
        && memcmp (keys[i].text, keys[i - 1].text, keys[i].length) == 0)
      return refuse_duplicate (reader, &keys[i]);
  reader->n_keys -= n;
  return 1;
}

/* The item of a map begins with its key, whatever its kind. */
static bool
start_item (struct reader *reader, struct frame *frame)
{
  if (!add_room (reader, frame))
    return false;
  char *item = frame->items + frame->n * frame->field->size;
  if (frame->field->kind == OCI_KIND_PAIR)
    ((struct oci_pair *) (void *) item)->key = frame->key.text;
  else
    ((struct oci_head *) (void *) item)->key = frame->key.text;
  return true;
}

static int
on_field_key (struct reader *reader, struct frame *frame)
{
  frame->field = oci_find (frame->table, frame->key.text, frame->key.length);
  if (frame->field == NULL)
    {
      reader->unknown++;
      return add_key (reader, &frame->key) || refuse_memory (reader);
    }
  uint64_t bit = UINT64_C (1) << (frame->field - frame->table->fields);
  if (frame->seen & bit)
    return refuse_duplicate (reader, &frame->key);
  frame->seen |= bit;
  return 1;
}

static int
on_map_key (void *context, const unsigned char *bytes, size_t length)
{
  struct reader *reader = context;
  struct frame *frame = top (reader);
  const char *text = (const char *) bytes;
  const char *begin = reader->source->bytes, *end = begin + reader->source->length;
  /* yajl gives a place in the document, or, where it decoded escapes, a buffer of its own */
  if (frame->form == FORM_MAP || text < begin || text > end)
    text = arena_copy (reader->arena, text, length);
  if (text == NULL)
    return refuse_memory (reader);
  frame->key = (struct key){ .text = text, .length = length, .offset = offset_now (reader) };
  if (frame->form == FORM_OBJECT)
    return on_field_key (reader, frame);
  if (frame->form == FORM_MAP && !start_item (reader, frame))
    return refuse_memory (reader);
  return add_key (reader, &frame->key) || refuse_memory (reader);
}

static int
check_required (struct reader *reader)
{
  const struct frame *frame = top (reader);
  uint64_t present = frame->seen & ~((struct oci_head *) (void *) frame->object)->nulls;
  for (size_t i = 0; i < frame->table->n_fields; i++)
    if (frame->table->fields[i].required && !(present >> i & 1))
      return refuse_missing (reader, frame->table->fields[i].name);
  return 1;
}

static int
on_end_map (void *context)
{
  struct reader *reader = context;
  enum form form = top (reader)->form;
  if (!check_keys (reader))
    return 0;
  if (form == FORM_OBJECT && !check_required (reader))
    return 0;
  if (form != FORM_MAP)
    reader->depth--;
  else if (!close_items (reader))
    return 0;
  return value_done (reader);
}

/* ---- the whole ---- */

/* yajl's own words for what is wrong, as one line. */
static int
refuse_syntax (struct reader *reader, size_t offset)
{
  unsigned char *words = yajl_get_error (reader->yajl, 0, NULL, 0);
  if (words == NULL)
    return refuse_memory (reader);
  char text[256];
  size_t length = strcspn ((const char *) words, "\n");
  if (length > 0 && words[length - 1] == '.')
    length--;
  (void) snprintf (text, sizeof text, "not JSON: %.*s", (int) length, (const char *) words);
  yajl_free_error (reader->yajl, words);
  return refuse (reader, offset, "", text);
}

static int
parse (struct reader *reader)
{
  static const yajl_callbacks callbacks = {
    .yajl_null = on_null,
    .yajl_boolean = on_boolean,
    .yajl_number = on_number,
    .yajl_string = on_string,
    .yajl_start_map = on_start_map,
    .yajl_map_key = on_map_key,
    .yajl_end_map = on_end_map,
    .yajl_start_array = on_start_array,
    .yajl_end_array = on_end_array,
  };
  reader->yajl = yajl_alloc (&callbacks, NULL, reader);
  if (reader->yajl == NULL)
    return refuse_memory (reader);
  yajl_config (reader->yajl, yajl_dont_validate_strings, 1); /* json_scan has */
  yajl_status status = yajl_parse (reader->yajl, (const unsigned char *) reader->source->bytes,
                                   reader->source->length);
  size_t offset = offset_now (reader); /* what comes now counts from 0 */
  if (status == yajl_status_ok)
    status = yajl_complete_parse (reader->yajl);
  if (status != yajl_status_ok && reader->r == 0)
    return refuse_syntax (reader, offset);
  return status == yajl_status_ok;
}

int
oci_read (struct arena *arena, const struct oci_source *source, const struct oci_table *table,
          void **ret_object, struct tare_error *error)
{
  size_t offset;
  auto_ (reader)
  struct reader reader = { .arena = arena, .source = source, .table = table, .error = error };
  const char *wrong =
      source->length == 0 ? "empty" : json_scan (source->bytes, source->length, &offset);
  if (wrong != NULL)
    (void) refuse (&reader, source->length == 0 ? 0 : offset, "", wrong);
  else
    (void) parse (&reader);
  if (reader.r < 0)
    return reader.r;
  if (source->unknown != NULL)
    *source->unknown = reader.unknown;
  *ret_object = reader.root;
  return 0;
}
