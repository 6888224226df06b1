/* What an update leaves of the resources before it: a list of elements is changed by key, a number
 * stays unless another is named. Pure, by the tables of libocispec.
 *
 * A number is named as compile.c understands it: managers send zeroes for what they do not mean.
 */
#define _GNU_SOURCE
#include "cgroup/compile.h"

#include <stdio.h>

struct merge
{
  struct arena *arena;
  const char *group; /* "memory", in front of the field's name; "" at the top */
};

static bool
is_named (const char *group, const struct oci_field *field, const void *object)
{
  static const char zeroes[sizeof (uint64_t)];
  const char *at = (const char *) object + field->offset;
  const char *pointer;
  char property[96];
  size_t count;
  if (field->shape != OCI_SHAPE_ONE)
    {
      memcpy (&count, (const char *) object + field->beside, sizeof count);
      return count > 0;
    }
  if (field->kind == OCI_KIND_STRING || field->kind == OCI_KIND_OBJECT)
    {
      memcpy (&pointer, at, sizeof pointer);
      return pointer != NULL && (field->kind == OCI_KIND_OBJECT || *pointer != '\0');
    }
  if (!*(const bool *) ((const char *) object + field->beside))
    return false;
  (void) snprintf (property, sizeof property, "%s.%s", group, field->name);
  return memcmp (at, zeroes, field->size) != 0 || compile_zero_counts (property);
}

static void
copy_field (const struct oci_field *field, void *to, const void *from)
{
  size_t size = field->shape != OCI_SHAPE_ONE ? sizeof (void *) : field->size;
  size_t beside = field->shape != OCI_SHAPE_ONE ? sizeof (size_t) : sizeof (bool);
  memcpy ((char *) to + field->offset, (const char *) from + field->offset, size);
  if (field->beside != field->offset)
    memcpy ((char *) to + field->beside, (const char *) from + field->beside, beside);
}

/* ---- lists ----------------------------------------------------------------------------------- */

static bool
same_key (const struct oci_field *field, const void *a, const void *b)
{
  const struct oci_table *table = field->table;
  if (field->kind == OCI_KIND_PAIR)
    return str_equal (((const struct oci_pair *) a)->key, ((const struct oci_pair *) b)->key);
  if (field->shape == OCI_SHAPE_MAP)
    return str_equal (((const struct oci_head *) a)->key, ((const struct oci_head *) b)->key);
  if (table == &oci_hugepage_limit_table)
    return str_equal (((const struct oci_hugepage_limit *) a)->page_size,
                      ((const struct oci_hugepage_limit *) b)->page_size);
  if (table == &oci_interface_priority_table)
    return str_equal (((const struct oci_interface_priority *) a)->name,
                      ((const struct oci_interface_priority *) b)->name);
  if (table == &oci_weight_device_table)
    {
      const struct oci_weight_device *x = a, *y = b;
      return x->major == y->major && x->minor == y->minor;
    }
  if (table == &oci_throttle_device_table)
    {
      const struct oci_throttle_device *x = a, *y = b;
      return x->major == y->major && x->minor == y->minor;
    }
  return true; /* device rules: their order counts, so the new list stands alone */
}

static const char *
get_list (const struct oci_field *field, const void *object, size_t *ret_count)
{
  const char *items;
  memcpy (&items, (const char *) object + field->offset, sizeof items);
  memcpy (ret_count, (const char *) object + field->beside, sizeof *ret_count);
  return items;
}

/* The old elements that no new one replaces, then the new ones. */
static int
merge_list (const struct merge *m, const struct oci_field *field, void *to, const void *update)
{
  size_t n_old, n_new, count = 0;
  const char *old = get_list (field, to, &n_old), *new = get_list (field, update, &n_new);
  char *items = arena_allocate (m->arena, (n_old + n_new) * field->size);
  if (items == NULL)
    return -ENOMEM;
  for (size_t i = 0; i < n_old; i++)
    {
      const char *item = old + i * field->size;
      bool replaced = false;
      for (size_t j = 0; j < n_new; j++)
        replaced |= same_key (field, item, new + j * field->size);
      if (!replaced)
        memcpy (items + count++ * field->size, item, field->size);
    }
  memcpy (items + count * field->size, new, n_new * field->size);
  count += n_new;
  memcpy ((char *) to + field->offset, &items, sizeof items);
  memcpy ((char *) to + field->beside, &count, sizeof count);
  return 0;
}

/* ---- objects --------------------------------------------------------------------------------- */

static int merge_object (const struct merge *m, const struct oci_table *table, void *to,
                         const void *update);

/* to's object is shared with what it was copied from: it gets one of its own. */
static int
merge_member (const struct merge *m, const struct oci_field *field, void *to, const void *update)
{
  const struct merge below = { m->arena, field->name };
  const void *old, *new;
  void *copy = arena_allocate (m->arena, field->table->size);
  memcpy (&old, (const char *) to + field->offset, sizeof old);
  memcpy (&new, (const char *) update + field->offset, sizeof new);
  if (copy == NULL)
    return -ENOMEM;
  if (old != NULL)
    memcpy (copy, old, field->table->size);
  memcpy ((char *) to + field->offset, &copy, sizeof copy);
  return merge_object (&below, field->table, copy, new);
}

static int
merge_object (const struct merge *m, const struct oci_table *table, void *to, const void *update)
{
  int r = 0;
  for (size_t i = 0; r >= 0 && i < table->n_fields; i++)
    {
      const struct oci_field *field = &table->fields[i];
      if (field->kind == OCI_KIND_IGNORED || !is_named (m->group, field, update))
        continue;
      if (field->shape != OCI_SHAPE_ONE)
        r = merge_list (m, field, to, update);
      else if (field->kind == OCI_KIND_OBJECT)
        r = merge_member (m, field, to, update);
      else
        copy_field (field, to, update);
    }
  return r;
}

/* Memory without a limit has no limit of swap either, unless the same update names one. */
static void
drop_old_swap (struct oci_memory *merged, const struct oci_memory *update)
{
  if (update == NULL || !update->has_limit || update->limit >= 0 || update->swap != 0)
    return;
  merged->swap = 0;
  merged->has_swap = false;
}

int
cgroup_merge (struct arena *arena, const struct oci_resources *stored,
              const struct oci_resources *update, struct oci_resources **ret_merged)
{
  const struct merge m = { arena, "" };
  struct oci_resources *merged = arena_allocate (arena, sizeof *merged);
  if (merged == NULL)
    return -ENOMEM;
  if (stored != NULL)
    *merged = *stored;
  int r = merge_object (&m, &oci_resources_table, merged, update);
  if (r < 0)
    return r;
  if (merged->memory != NULL)
    drop_old_swap (merged->memory, update->memory);
  *ret_merged = merged;
  return 0;
}

/* ---- what has to be written ------------------------------------------------------------------ */

/* Properties that share a file, or that the kernel checks against each other. */
static const struct
{
  const char *group, *names[3];
} related[] = {
  { "memory", { "limit", "swap", "checkBeforeUpdate" } },
  { "cpu", { "quota", "period", "burst" } },
  { "cpu", { "shares", "idle", NULL } },
  { "cpu", { "realtimePeriod", "realtimeRuntime", NULL } },
};

static void
complete_set (size_t set, const struct oci_field *group, void *update, const void *merged)
{
  bool wanted = false;
  for (size_t pass = 0; pass < 2; pass++)
    for (size_t i = 0; i < COUNT_OF (related[set].names) && related[set].names[i] != NULL; i++)
      {
        const char *name = related[set].names[i];
        const struct oci_field *field = oci_find (group->table, name, strlen (name));
        if (pass == 0)
          wanted |= is_named (group->name, field, update);
        else if (wanted)
          copy_field (field, update, merged);
      }
}

int
cgroup_complete (struct arena *arena, const struct oci_resources *merged,
                 const struct oci_resources *update, struct oci_resources **ret_complete)
{
  struct oci_resources *complete;
  int r = cgroup_merge (arena, NULL, update, &complete); /* a copy that is ours to change */
  for (size_t set = 0; r >= 0 && set < COUNT_OF (related); set++)
    {
      const char *name = related[set].group;
      const struct oci_field *group = oci_find (&oci_resources_table, name, strlen (name));
      void *own;
      const void *all;
      memcpy (&own, (char *) complete + group->offset, sizeof own);
      memcpy (&all, (const char *) merged + group->offset, sizeof all);
      if (own != NULL)
        complete_set (set, group, own, all);
    }
  if (r >= 0)
    *ret_complete = complete;
  return r;
}
