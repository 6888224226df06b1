/* Private to plan: the objects of a plan as tables, made from the X-macros of plan.h. */
#ifndef TARE_PLAN_LAYOUT_H
#define TARE_PLAN_LAYOUT_H

#include "plan/plan.h"

enum field_kind
{
  FIELD_text,
  FIELD_word,
  FIELD_number,
  FIELD_mask,
  FIELD_wide,
  FIELD_name,
  FIELD_texts,
  FIELD_words,
  FIELD_array,
};

struct field
{
  const char *name;
  enum field_kind kind;
  uint16_t offset;
  const void *extra; /* name: its enum_map; array: its struct object */
};

struct object
{
  const char *name;
  const struct field *fields;
  uint16_t n_fields, size;
};

extern const struct object plan_root_object;

#endif
