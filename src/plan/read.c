/* Reading a plan: checked once, trusted from then on. Runs in init and in the printer; allocates
 * nothing. */
#include <fcntl.h>

#include "plan/layout.h"
#include "sys/sys.h"

#ifndef F_GET_SEALS
#define F_GET_SEALS 1034
#endif

struct checker
{
  const char *bytes;
  size_t size;
};

static bool
span_fits (const struct checker *checker, const struct plan_span *span, size_t element_size)
{
  if (span->count == 0)
    return true;
  return span->offset % 4 == 0 && span->offset >= sizeof (struct plan)
         && span->offset <= checker->size
         && span->count <= (checker->size - span->offset) / element_size;
}

/* The buffer ends with a NUL (checked first), so a string that begins inside also ends inside. */
static bool
text_fits (const struct checker *checker, plan_text text)
{
  return text == 0 || (text >= sizeof (struct plan) && text < checker->size);
}

static bool
texts_fit (const struct checker *checker, const struct plan_span *span)
{
  if (!span_fits (checker, span, sizeof (plan_text)))
    return false;
  const plan_text *texts = (const void *) (checker->bytes + span->offset);
  for (uint32_t i = 0; i < span->count; i++)
    if (texts[i] == 0 || !text_fits (checker, texts[i]))
      return false;
  return true;
}

static bool object_fits (const struct checker *checker, const struct object *object,
                         const char *bytes);

static bool
array_fits (const struct checker *checker, const struct object *element,
            const struct plan_span *span)
{
  if (!span_fits (checker, span, element->size)
      || (span->count > 0 && span->offset % _Alignof(uint64_t) != 0))
    return false;
  for (uint32_t i = 0; i < span->count; i++)
    if (!object_fits (checker, element, checker->bytes + span->offset + (size_t) i * element->size))
      return false;
  return true;
}

static bool
field_fits (const struct checker *checker, const struct field *field, const char *bytes)
{
  const void *member = bytes + field->offset;
  switch (field->kind)
    {
    case FIELD_text:
      return text_fits (checker, *(const plan_text *) member);
    case FIELD_name:
      return enum_name (field->extra, *(const plan_name *) member) != NULL;
    case FIELD_texts:
      return texts_fit (checker, member);
    case FIELD_words:
      return span_fits (checker, member, sizeof (plan_word));
    case FIELD_array:
      return array_fits (checker, field->extra, member);
    case FIELD_word:
    case FIELD_number:
    case FIELD_mask:
    case FIELD_wide:
      return true;
    }
  return false;
}

static bool
object_fits (const struct checker *checker, const struct object *object, const char *bytes)
{
  for (size_t i = 0; i < object->n_fields; i++)
    if (!field_fits (checker, &object->fields[i], bytes))
      return false;
  return true;
}

int
plan_check (const void *bytes, size_t size, struct tare_error *error)
{
  struct checker checker = { .bytes = bytes, .size = size };
  const struct plan *plan = bytes;
  if (size < sizeof (struct plan) + 1 || size > PLAN_MAX_SIZE || plan->size != size
      || plan->magic != PLAN_MAGIC || checker.bytes[size - 1] != '\0')
    return fail_kind (error, TARE_ERROR_PROTOCOL, EBADMSG, "this is not a plan");
  if (plan->version != PLAN_VERSION)
    return fail_kind (error, TARE_ERROR_PROTOCOL, EBADMSG, "plan of version %u, expected %u",
                      plan->version, (unsigned) PLAN_VERSION);
  if (!object_fits (&checker, &plan_root_object, bytes))
    return fail_kind (error, TARE_ERROR_PROTOCOL, EBADMSG, "the plan is damaged");
  return 0;
}

int
plan_open (int memfd, const struct plan **ret_plan, struct tare_error *error)
{
  const int wanted = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
  int seals = fcntl (memfd, F_GET_SEALS), r;
  struct sys_stat st;
  if (seals < 0 || (seals & wanted) != wanted)
    return fail_kind (error, TARE_ERROR_PROTOCOL, EPERM, "the plan is not sealed");
  r = sys_stat (memfd, NULL, &st);
  if (r < 0)
    return fail (error, r, "stat of the plan");
  if (st.size < sizeof (struct plan) || st.size > PLAN_MAX_SIZE)
    return fail_kind (error, TARE_ERROR_PROTOCOL, EBADMSG, "this is not a plan");
  void *bytes = sys_map (memfd, st.size, false, &r);
  if (bytes == NULL)
    return fail (error, r, "map the plan");
  r = plan_check (bytes, st.size, error);
  if (r < 0)
    {
      sys_unmap (bytes, st.size);
      return r;
    }
  *ret_plan = bytes;
  return 0;
}

const char *
plan_string (const struct plan *plan, plan_text text)
{
  return text == 0 ? NULL : (const char *) plan + text;
}

const void *
plan_elements (const struct plan *plan, struct plan_span span)
{
  return span.count == 0 ? NULL : (const char *) plan + span.offset;
}

const char *
plan_string_at (const struct plan *plan, plan_texts texts, size_t i)
{
  return (const char *) plan + ((const plan_text *) plan_elements (plan, texts))[i];
}
