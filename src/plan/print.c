/* The printer: the plan as text, by the same tables that check it. A field that is zero says
 * nothing and is left out. */
#include "plan/layout.h"

static bool
field_is_zero (const struct field *field, const char *bytes)
{
  const void *member = bytes + field->offset;
  switch (field->kind)
    {
    case FIELD_text:
    case FIELD_word:
    case FIELD_number:
      return *(const uint32_t *) member == 0;
    case FIELD_mask:
    case FIELD_wide:
      return *(const uint64_t *) member == 0;
    case FIELD_texts:
    case FIELD_words:
    case FIELD_array:
      return ((const struct plan_span *) member)->count == 0;
    case FIELD_name:
      return false;
    }
  return true;
}

static void
print_list (const struct plan *plan, const struct field *field, struct plan_span span,
            struct buf *buf)
{
  const uint32_t *items = plan_elements (plan, span);
  buf_text (buf, "[");
  for (uint32_t i = 0; i < span.count; i++)
    {
      buf_text (buf, i > 0 ? ", " : "");
      if (field->kind == FIELD_texts)
        buf_json_string (buf, plan_string (plan, items[i]));
      else
        buf_format (buf, "%u", items[i]);
    }
  buf_text (buf, "]");
}

static void
print_value (const struct plan *plan, const struct field *field, const char *bytes, struct buf *buf)
{
  const void *member = bytes + field->offset;
  switch (field->kind)
    {
    case FIELD_text:
      buf_json_string (buf, plan_string (plan, *(const plan_text *) member));
      break;
    case FIELD_word:
      buf_format (buf, "%u", *(const plan_word *) member);
      break;
    case FIELD_number:
      buf_format (buf, "%d", *(const plan_number *) member);
      break;
    case FIELD_mask:
      buf_format (buf, "0x%llx", (unsigned long long) *(const plan_mask *) member);
      break;
    case FIELD_wide:
      buf_format (buf, "%llu", (unsigned long long) *(const plan_wide *) member);
      break;
    case FIELD_name:
      buf_text (buf, enum_name (field->extra, *(const plan_name *) member));
      break;
    case FIELD_texts:
    case FIELD_words:
      print_list (plan, field, *(const struct plan_span *) member, buf);
      break;
    case FIELD_array:
      break;
    }
}

static void
print_element (const struct plan *plan, const struct object *object, const char *bytes,
               struct buf *buf)
{
  buf_format (buf, "  %s", object->name);
  for (size_t i = 0; i < object->n_fields; i++)
    if (!field_is_zero (&object->fields[i], bytes))
      {
        buf_format (buf, " %s=", object->fields[i].name);
        print_value (plan, &object->fields[i], bytes, buf);
      }
  buf_text (buf, "\n");
}

void
plan_print (const struct plan *plan, struct buf *buf)
{
  for (size_t i = 0; i < plan_root_object.n_fields; i++)
    {
      const struct field *field = &plan_root_object.fields[i];
      const char *bytes = (const char *) plan;
      if (field_is_zero (field, bytes) || field->offset == offsetof (struct plan, magic)
          || field->offset == offsetof (struct plan, size))
        continue;
      buf_format (buf, "%s:", field->name);
      if (field->kind != FIELD_array)
        {
          buf_text (buf, " ");
          print_value (plan, field, bytes, buf);
          buf_text (buf, "\n");
          continue;
        }
      const struct plan_span *span = (const void *) (bytes + field->offset);
      const struct object *element = field->extra;
      buf_text (buf, "\n");
      for (uint32_t k = 0; k < span->count; k++)
        print_element (plan, element, bytes + span->offset + (size_t) k * element->size, buf);
    }
}
