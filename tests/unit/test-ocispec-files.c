/* Whole documents: the official good and bad examples of runtime-spec 1.3.0, and documents made
 * from the tables themselves that have every field. Read, written, read and written again must be
 * equal, and mean what the first text meant, compared by another reader (yajl's tree). */
#include "base/base.h"
#include "libocispec/ocispec.h"
#include "spec-dir.h"
#include "tap.h"

#include <dirent.h>
#include <inttypes.h>
#include <yajl/yajl_tree.h>

/* ---- the meaning --------------------------------------------------------------------------- */

static yajl_val
member (yajl_val value, const char *name)
{
  for (size_t i = 0; YAJL_IS_OBJECT (value) && i < value->u.object.len; i++)
    if (str_equal (value->u.object.keys[i], name))
      return value->u.object.values[i];
  return NULL;
}

static bool same_object (const struct oci_table *table, yajl_val a, yajl_val b);

/* a is of the first text, b of what we wrote. table: of objects in it. */
static bool
same_value (const struct oci_field *field, yajl_val a, yajl_val b)
{
  if (b == NULL || a->type != b->type)
    return false;
  if (YAJL_IS_STRING (a))
    return str_equal (YAJL_GET_STRING (a), YAJL_GET_STRING (b));
  if (YAJL_IS_NUMBER (a))
    return str_equal (YAJL_GET_NUMBER (a), YAJL_GET_NUMBER (b));
  if (YAJL_IS_OBJECT (a) && field->shape != OCI_SHAPE_MAP)
    return same_object (field->table, a, b);
  struct oci_field one = *field;
  one.shape = OCI_SHAPE_ONE;
  bool same = true;
  if (YAJL_IS_ARRAY (a))
    {
      same = a->u.array.len == b->u.array.len;
      for (size_t i = 0; same && i < a->u.array.len; i++)
        same = same_value (&one, a->u.array.values[i], b->u.array.values[i]);
    }
  if (YAJL_IS_OBJECT (a))
    {
      same = a->u.object.len == b->u.object.len;
      for (size_t i = 0; same && i < a->u.object.len; i++)
        same = str_equal (a->u.object.keys[i], b->u.object.keys[i])
               && same_value (&one, a->u.object.values[i], b->u.object.values[i]);
    }
  return same;
}

/* All that the table knows is in both and equal, and b has nothing else. */
static bool
same_object (const struct oci_table *table, yajl_val a, yajl_val b)
{
  size_t known = 0;
  for (size_t i = 0; i < table->n_fields; i++)
    {
      const struct oci_field *field = &table->fields[i];
      yajl_val value = member (a, field->name);
      if (field->kind == OCI_KIND_IGNORED || value == NULL)
        continue;
      known++;
      if (!same_value (field, value, member (b, field->name)))
        {
          tap_note ("%s of %s differs", field->name, table->name);
          return false;
        }
    }
  return b->u.object.len == known;
}

static bool
same_meaning (const struct oci_table *table, const char *first, const char *written)
{
  char error[256];
  yajl_val a = yajl_tree_parse (first, error, sizeof error);
  yajl_val b = yajl_tree_parse (written, error, sizeof error);
  bool same = a != NULL && b != NULL && same_object (table, a, b);
  yajl_tree_free (a);
  yajl_tree_free (b);
  return same;
}

/* ---- round trip ---------------------------------------------------------------------------- */

/* Reads text and writes it again; NULL and *error if it is refused. */
static char *
rewrite (const struct oci_table *table, const char *name, const char *text, int indent,
         struct tare_error *error)
{
  auto_ (arena)
  struct arena arena = { 0 };
  struct oci_source source = { name, text, strlen (text), NULL };
  struct buf buf = { 0 };
  void *object;
  if (oci_read (&arena, &source, table, &object, error) < 0)
    return NULL;
  int frozen =
      arena_freeze (&arena); /* what is read can be read-only: the writer changes nothing */
  oci_write (&buf, table, object, indent);
  return frozen < 0 ? NULL : buf_take (&buf);
}

static void
round_trip (const struct oci_table *table, const char *name, const char *text)
{
  struct tare_error error = { 0 };
  autofree char *once = rewrite (table, name, text, 0, &error);
  if (!ok (once != NULL, "%s is read", name))
    {
      tap_note ("%s", error.message);
      return;
    }
  ok (same_meaning (table, text, once), "%s: what is written means the same", name);
  autofree char *twice = rewrite (table, name, once, 0, NULL);
  is_text (twice, once, "... and is the same when read and written again");
  autofree char *indented = rewrite (table, name, text, 2, NULL);
  ok (indented != NULL && same_meaning (table, text, indented), "... indented too");
  autofree char *back = indented == NULL ? NULL : rewrite (table, name, indented, 0, NULL);
  is_text (back, once, "... and back");
}

/* ---- the official examples ----------------------------------------------------------------- */

static const struct
{
  const char *file, *message;
} bad[] = {
  { "config/bad/freebsd-vnet-disable.json",
    "freebsd.jail.vnet: \"disable\" is not one of new, inherit (line 8)" },
  { "config/bad/invalid-json.json",
    "not JSON: parse error: invalid object key (must be a string) (line 1)" },
  { "config/bad/linux-hugepage.json", "linux.resources.hugepageLimits[0].pageSize: \"64kB\" does "
                                      "not match ^[1-9][0-9]*[KMG]B$ (line 11)" },
  { "config/bad/linux-netdevice.json",
    "linux.netDevices.eth0.name: expected a string, not a number (line 9)" },
  { "config/bad/linux-rdma.json",
    "linux.resources.rdma.mlx5_1.hcaHandles: expected an integer, not a string (line 10)" },
  { "features/bad/missing-ociVersionMax.json", "ociVersionMax: required, but missing (line 1)" },
  { "state/bad/invalid-json.json",
    "not JSON: parse error: invalid object key (must be a string) (line 1)" },
};

static void
check_bad (const struct oci_table *table, const char *name, const char *text)
{
  struct tare_error error = { 0 };
  const char *wanted = NULL;
  char message[512];
  autofree char *written = rewrite (table, "x", text, 0, &error);
  for (size_t i = 0; i < COUNT_OF (bad); i++)
    if (str_equal (bad[i].file, name))
      wanted = bad[i].message;
  snprintf (message, sizeof message, "x: %s", wanted != NULL ? wanted : "(any)");
  ok (written == NULL && error.kind == TARE_ERROR_CONFIG, "%s is refused", name);
  if (wanted != NULL)
    is_text (error.message, message, "... because of what is wrong in it");
}

static int
check_directory (const struct oci_table *table, const char *kind, bool good)
{
  char path[8192], name[512];
  int count = 0;
  snprintf (path, sizeof path, "%s/test/%s/%s", spec_dir (), kind, good ? "good" : "bad");
  struct dirent **entries = NULL;
  int n = scandir (path, &entries, NULL, alphasort);
  for (int i = 0; i < n; i++)
    {
      size_t length;
      snprintf (name, sizeof name, "%s/%s/%s", kind, good ? "good" : "bad", entries[i]->d_name);
      snprintf (path, sizeof path, "%s/test/%s", spec_dir (), name);
      autofree char *text = entries[i]->d_name[0] == '.' ? NULL : read_whole (path, &length);
      count += text != NULL;
      if (text != NULL && good)
        round_trip (table, name, text);
      else if (text != NULL)
        check_bad (table, name, text);
      free (entries[i]);
    }
  free (entries);
  return count;
}

static void
test_examples (void)
{
  if (spec_dir () == NULL)
    {
      skip ("the official examples", "not here: set TARE_SPEC_DIR");
      return;
    }
  int good_ones = check_directory (&oci_config_table, "config", true)
                  + check_directory (&oci_state_table, "state", true)
                  + check_directory (&oci_features_table, "features", true);
  int bad_ones = check_directory (&oci_config_table, "config", false)
                 + check_directory (&oci_state_table, "state", false)
                 + check_directory (&oci_features_table, "features", false);
  ok (good_ones >= 12, "%d good examples", good_ones);
  ok (bad_ones >= 7, "%d bad examples", bad_ones);
}

/* ---- every field --------------------------------------------------------------------------- */

enum fill
{
  FILL_LEAST,
  FILL_MOST,
  FILL_EMPTY,
  FILL_NULL,
  FILL_COUNT,
};

static const char *
sample (const char *pattern)
{
  static const char *const samples[] = { "RLIMIT_NOFILE", "2MB",   "c",
                                         "MB:0=20",       "0-3,7", "CAP_SYS_ADMIN" };
  for (size_t i = 0; pattern != NULL && i < COUNT_OF (samples); i++)
    if (oci_match (pattern, samples[i]))
      return samples[i];
  return pattern == NULL ? "\\u00e4\\n\\\"\\ud83d\\ude00" : "no sample";
}

static void fill_object (const struct oci_table *table, enum fill fill, struct buf *buf);

static void
fill_one (const struct oci_field *field, enum fill fill, size_t number, struct buf *buf)
{
  int64_t min;
  uint64_t max;
  const struct enum_map *at = field->map;
  switch (field->kind)
    {
    case OCI_KIND_STRING:
    case OCI_KIND_PAIR:
      buf_format (buf, "\"%s\"", sample (field->pattern));
      return;
    case OCI_KIND_BOOL:
      buf_text (buf, fill == FILL_MOST ? "true" : "false");
      return;
    case OCI_KIND_INTEGER:
      oci_range (field, &min, &max);
      if (fill == FILL_MOST)
        buf_format (buf, "%" PRIu64, max);
      else
        buf_format (buf, "%" PRId64, min);
      return;
    case OCI_KIND_ENUM:
      for (size_t i = 0; at[1].name != NULL && (fill == FILL_MOST || i < number); i++)
        at++;
      buf_format (buf, "\"%s\"", at->name);
      return;
    case OCI_KIND_OBJECT:
      fill_object (field->table, fill, buf);
      return;
    case OCI_KIND_IGNORED:
      buf_text (buf, "[1.5, {\"x\": null}]");
    }
}

static void
fill_field (const struct oci_field *field, enum fill fill, struct buf *buf)
{
  bool map = field->shape == OCI_SHAPE_MAP;
  size_t n = fill == FILL_EMPTY ? field->min_items : 3;
  if (fill == FILL_NULL && !field->required)
    {
      buf_text (buf, "null");
      return;
    }
  if (field->shape == OCI_SHAPE_ONE)
    {
      fill_one (field, fill, 0, buf);
      return;
    }
  buf_text (buf, map ? "{" : "[");
  for (size_t i = 0; i < n; i++)
    {
      buf_text (buf, i > 0 ? "," : "");
      if (map)
        buf_format (buf, "\"k.%zu\":", 9 - i); /* not in the order of the alphabet */
      fill_one (field, fill, i, buf);
    }
  buf_text (buf, map ? "}" : "]");
}

static void
fill_object (const struct oci_table *table, enum fill fill, struct buf *buf)
{
  buf_text (buf, "{");
  for (size_t i = 0; i < table->n_fields; i++)
    {
      buf_format (buf, "%s\"%s\": ", i > 0 ? ", " : "", table->fields[i].name);
      fill_field (&table->fields[i], fill, buf);
    }
  buf_text (buf, "}");
}

static void
test_every_field (void)
{
  static const struct oci_table *const tables[] = {
    &oci_config_table, &oci_process_table,  &oci_resources_table,
    &oci_state_table,  &oci_features_table, &oci_container_process_state_table,
  };
  for (size_t i = 0; i < COUNT_OF (tables); i++)
    for (enum fill fill = 0; fill < FILL_COUNT; fill++)
      {
        static const char *const how[] = { "least", "most", "empty", "null" };
        auto_ (buf)
        struct buf buf = { 0 };
        char name[64];
        fill_object (tables[i], fill, &buf);
        snprintf (name, sizeof name, "every field of %s, %s", tables[i]->name, how[fill]);
        round_trip (tables[i], name, buf.bytes);
      }
}

/* Cut anywhere, or with any one byte changed, a document is read or refused, in one line. */
static void
test_damage (void)
{
  auto_ (buf)
  struct buf buf = { 0 };
  fill_object (&oci_config_table, FILL_MOST, &buf);
  size_t cut = 0, damaged = 0;
  for (size_t length = 0; length < buf.length; length++)
    {
      auto_ (arena)
      struct arena arena = { 0 };
      struct tare_error error = { 0 };
      struct oci_source source = { "x", buf.bytes, length, NULL };
      void *object;
      cut += oci_read (&arena, &source, &oci_config_table, &object, &error) == -EINVAL
             && strchr (error.message, '\n') == NULL && error.message[0] != '\0';
    }
  is_number ((long long) cut, (long long) buf.length, "cut short, always refused");
  static const char bytes[] = "\"\\{}[]:,0-x\x01\xff";
  size_t tried = 0;
  for (size_t i = 0; i < buf.length; i += 7)
    for (size_t j = 0; j + 1 < sizeof bytes; j++)
      {
        auto_ (arena)
        struct arena arena = { 0 };
        struct tare_error error = { 0 };
        struct oci_source source = { "x", buf.bytes, buf.length, NULL };
        void *object;
        char kept = buf.bytes[i];
        buf.bytes[i] = bytes[j];
        int r = oci_read (&arena, &source, &oci_config_table, &object, &error);
        buf.bytes[i] = kept;
        tried++;
        damaged += r == 0 ? error.message[0] == '\0'
                          : r == -EINVAL && error.kind == TARE_ERROR_CONFIG
                                && strchr (error.message, '\n') == NULL;
      }
  is_number ((long long) damaged, (long long) tried, "one byte changed: read, or refused");
}

int
main (void)
{
  test_examples ();
  test_every_field ();
  test_damage ();
  return tap_done ();
}
