/* Building a plan, on the host side: append, then finish once. Memory failure is remembered by the
 * buffer and told by plan_finish. */
#include "plan/plan.h"
#include "sys/sys.h"

enum
{
  USUAL_SIZE = 6000, /* of a plan: its buffer need not grow in steps */
};

void
plan_begin (struct plan_builder *builder)
{
  builder->buf = (struct buf){ 0 };
  (void) buf_grow (&builder->buf, USUAL_SIZE);
  (void) buf_reserve (&builder->buf, sizeof (struct plan));
}

plan_text
plan_put_text (struct plan_builder *builder, const char *text)
{
  if (text == NULL)
    return 0;
  size_t at = builder->buf.length;
  buf_append (&builder->buf, text, strlen (text) + 1);
  return (plan_text) at;
}

plan_texts
plan_put_texts (struct plan_builder *builder, const char *const *texts, size_t count)
{
  size_t size = count * sizeof (plan_text);
  if (count == 0)
    return (plan_texts){ 0 };
  size_t at = buf_reserve (&builder->buf, size);
  for (size_t i = 0; i < count && !builder->buf.failed; i++)
    {
      plan_text text = plan_put_text (builder, texts[i]);
      if (!builder->buf.failed)
        memcpy (builder->buf.bytes + at + i * sizeof text, &text, sizeof text);
    }
  return (plan_texts){ (uint32_t) at, (uint32_t) count };
}

struct plan_span
plan_put_array (struct plan_builder *builder, const void *elements, size_t count,
                size_t element_size)
{
  if (count == 0)
    return (struct plan_span){ 0 };
  size_t at = buf_reserve (&builder->buf, count * element_size);
  if (!builder->buf.failed)
    memcpy (builder->buf.bytes + at, elements, count * element_size);
  return (struct plan_span){ (uint32_t) at, (uint32_t) count };
}

int
plan_finish (struct plan_builder *builder, const struct plan *root, struct tare_error *error)
{
  struct plan finished = *root;
  buf_append (&builder->buf, "", 1); /* the last byte is a NUL: strings end inside */
  if (builder->buf.failed)
    return fail (error, ENOMEM, "make the plan");
  if (builder->buf.length > PLAN_MAX_SIZE)
    return fail (error, E2BIG, "the plan of %zu bytes", builder->buf.length);
  finished.magic = PLAN_MAGIC;
  finished.version = PLAN_VERSION;
  finished.size = (uint32_t) builder->buf.length;
  memcpy (builder->buf.bytes, &finished, sizeof finished);
  return 0;
}

int
plan_seal (const struct plan_builder *builder, struct tare_error *error)
{
  autoclose int fd = sys_memfd ("tare-plan", false);
  if (fd < 0)
    return fail (error, fd, "make a memfd for the plan");
  int r = sys_write_full (fd, builder->buf.bytes, builder->buf.length);
  if (r == 0)
    r = sys_seal (fd);
  if (r < 0)
    return fail (error, r, "write the plan");
  return take_fd (&fd);
}

void
plan_builder_done (struct plan_builder *builder)
{
  buf_done (&builder->buf);
}
