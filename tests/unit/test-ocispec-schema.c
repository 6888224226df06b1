/* The walk: the official JSON schema of runtime-spec 1.3.0 and our tables, property by property,
 * must say the same. What a property may be is put into words on both sides and compared; where
 * they differ on purpose, the difference stands in a list below, with both sides. */
#include "base/base.h"
#include "libocispec/ocispec.h"
#include "spec-dir.h"
#include "tap.h"

#include <inttypes.h>
#include <yajl/yajl_tree.h>

struct deviation
{
  const char *path, *schema, *table;
  bool met;
};

static struct deviation deviations[] = {
  /* managers send st_mode as stat gave it, with the file type (containerd before 1.5) */
  { "config.linux.devices[].fileMode", "integer 0..511", "integer 0..65535", false },
  /* (uid_t) -1 is "no change" to the kernel, never a user */
  { "config.process.user.uid", "integer 0..4294967295", "integer 0..4294967294", false },
  { "config.process.user.gid", "integer 0..4294967295", "integer 0..4294967294", false },
  { "config.process.user.additionalGids", "array of integer 0..4294967295",
    "array of integer 0..4294967294", false },
  { "config.linux.devices[].uid", "integer 0..4294967295", "integer 0..4294967294", false },
  { "config.linux.devices[].gid", "integer 0..4294967295", "integer 0..4294967294", false },
  /* every runtime takes these, and Docker sends rslave */
  { "config.linux.rootfsPropagation", "one of private shared slave unbindable",
    "one of private rprivate rshared rslave runbindable shared slave unbindable", false },
  /* no end in the schema; ours is that of the C type */
  { "config.process.oomScoreAdj", "integer ..", "integer -2147483648..2147483647", false },
  { "config.hooks.prestart[].timeout", "integer 1..", "integer 1..9223372036854775807", false },
  { "config.hooks.createRuntime[].timeout", "integer 1..", "integer 1..9223372036854775807",
    false },
  { "config.hooks.createContainer[].timeout", "integer 1..", "integer 1..9223372036854775807",
    false },
  { "config.hooks.startContainer[].timeout", "integer 1..", "integer 1..9223372036854775807",
    false },
  { "config.hooks.poststart[].timeout", "integer 1..", "integer 1..9223372036854775807", false },
  { "config.hooks.poststop[].timeout", "integer 1..", "integer 1..9223372036854775807", false },
  { "state.pid", "integer 0..", "integer 0..2147483647", false },
};

/* What features-linux.md of 1.3.0 has and the schema has not: fields of the tables alone. */
static struct deviation additions[] = {
  { "features.linux.intelRdt.schemata", NULL, "boolean", false },
  { "features.linux.intelRdt.monitoring", NULL, "boolean", false },
  { "features.linux.memoryPolicy", NULL, "object", false },
};

/* Not of Linux: their schema is not walked. */
static const char *const platforms[] = { "config.solaris", "config.windows", "config.vm",
                                         "config.zos", "config.freebsd" };

/* ---- the schema ---------------------------------------------------------------------------- */

struct node
{
  const char *file;
  yajl_val value;
};

static struct node files[16];

static struct node
load (const char *name)
{
  char path[4200], error[256];
  size_t i, length;
  for (i = 0; files[i].file != NULL; i++)
    if (str_equal (files[i].file, name))
      return files[i];
  snprintf (path, sizeof path, "%s/schema/%s", spec_dir (), name);
  autofree char *text = read_whole (path, &length);
  if (text == NULL)
    return (struct node){ 0 };
  files[i].file = strdup (name);
  files[i].value = yajl_tree_parse (text, error, sizeof error);
  return files[i];
}

static yajl_val
member (yajl_val value, const char *name)
{
  for (size_t i = 0; YAJL_IS_OBJECT (value) && i < value->u.object.len; i++)
    if (str_equal (value->u.object.keys[i], name))
      return value->u.object.values[i];
  return NULL;
}

static const char *
text_of (yajl_val value, const char *name)
{
  yajl_val found = member (value, name);
  return found == NULL            ? NULL
         : YAJL_IS_STRING (found) ? YAJL_GET_STRING (found)
         : YAJL_IS_NUMBER (found) ? YAJL_GET_NUMBER (found)
                                  : NULL;
}

/* Follows $ref, "defs.json#/definitions/Hook" or "#/definitions/Hook", and an anyOf of one. */
static struct node
resolve (struct node node)
{
  const char *ref;
  for (;;)
    {
      yajl_val any = member (node.value, "anyOf");
      if (any != NULL && any->u.array.len == 1)
        node.value = any->u.array.values[0];
      ref = text_of (node.value, "$ref");
      if (ref == NULL)
        return node;
      char name[128];
      size_t length = strcspn (ref, "#");
      snprintf (name, sizeof name, "%.*s", (int) length, ref);
      node = length > 0 ? load (name) : load (node.file);
      for (const char *at = ref + length + 1; node.value != NULL && *at == '/';)
        {
          length = strcspn (at + 1, "/");
          snprintf (name, sizeof name, "%.*s", (int) length, at + 1);
          node.value = member (node.value, name);
          at += 1 + length;
        }
      if (node.value == NULL)
        return node;
    }
}

static int
compare_texts (const void *left, const void *right)
{
  return strcmp (*(const char *const *) left, *(const char *const *) right);
}

static void
put_sorted (struct buf *buf, const char **names, size_t n)
{
  qsort (names, n, sizeof *names, compare_texts);
  buf_text (buf, "one of");
  for (size_t i = 0; i < n; i++)
    buf_format (buf, " %s", names[i]);
}

static void
describe_string (struct node node, struct buf *buf)
{
  yajl_val list = member (node.value, "enum");
  const char *pattern = text_of (node.value, "pattern"), *names[64];
  if (list == NULL)
    buf_format (buf, "string%s%s", pattern != NULL ? " " : "", pattern != NULL ? pattern : "");
  else
    {
      for (size_t i = 0; i < list->u.array.len; i++)
        names[i] = YAJL_GET_STRING (list->u.array.values[i]);
      put_sorted (buf, names, list->u.array.len);
    }
}

/* Where the items of an array, or the values of a map, are described. */
static struct node
element_of (struct node node)
{
  yajl_val patterns = member (node.value, "patternProperties");
  yajl_val value = member (node.value, "items");
  if (value == NULL)
    value = member (node.value, "additionalProperties");
  if (value == NULL && patterns != NULL)
    value = patterns->u.object.values[0];
  return resolve ((struct node){ node.file, value });
}

static void
describe_node (struct node node, struct buf *buf)
{
  const char *type = text_of (node.value, "type"), *min = text_of (node.value, "minimum"),
             *max = text_of (node.value, "maximum"), *items = text_of (node.value, "minItems");
  if (type == NULL) /* only allOf has none */
    buf_text (buf, member (node.value, "allOf") != NULL ? "object" : "nothing");
  else if (str_equal (type, "string"))
    describe_string (node, buf);
  else if (str_equal (type, "integer"))
    buf_format (buf, "integer %s..%s", min != NULL ? min : "", max != NULL ? max : "");
  else if (str_equal (type, "array") || element_of (node).value != NULL)
    {
      buf_format (buf, "%s%s%s of ", str_equal (type, "array") ? "array" : "map",
                  items != NULL ? " from " : "", items != NULL ? items : "");
      describe_node (element_of (node), buf);
    }
  else
    buf_text (buf, type);
}

/* ---- the tables ---------------------------------------------------------------------------- */

static void
describe_field (const struct oci_field *field, struct buf *buf)
{
  const char *names[64];
  size_t n = 0;
  int64_t min;
  uint64_t max;
  if (field->shape == OCI_SHAPE_MAP)
    buf_text (buf, "map of ");
  if (field->shape == OCI_SHAPE_ARRAY && field->min_items > 0)
    buf_format (buf, "array from %zu of ", field->min_items);
  else if (field->shape == OCI_SHAPE_ARRAY)
    buf_text (buf, "array of ");
  switch (field->kind)
    {
    case OCI_KIND_STRING:
    case OCI_KIND_PAIR:
      buf_format (buf, "string%s%s", field->pattern != NULL ? " " : "",
                  field->pattern != NULL ? field->pattern : "");
      break;
    case OCI_KIND_BOOL:
      buf_text (buf, "boolean");
      break;
    case OCI_KIND_INTEGER:
      oci_range (field, &min, &max);
      buf_format (buf, "integer %" PRId64 "..%" PRIu64, min, max);
      break;
    case OCI_KIND_ENUM:
      for (const struct enum_map *at = field->map; at->name != NULL; at++)
        names[n++] = at->name;
      put_sorted (buf, names, n);
      break;
    case OCI_KIND_OBJECT:
      buf_text (buf, "object");
      break;
    case OCI_KIND_IGNORED:
      buf_text (buf, "ignored");
    }
}

static const struct oci_field *
field_of (const struct oci_table *table, const char *name)
{
  for (size_t i = 0; i < table->n_fields; i++)
    if (str_equal (table->fields[i].name, name))
      return &table->fields[i];
  return NULL;
}

/* ---- the walk ------------------------------------------------------------------------------ */

static bool
is_meant (struct deviation *list, size_t n, const char *path, const char *schema, const char *table)
{
  for (size_t i = 0; i < n; i++)
    if (str_equal (list[i].path, path) && str_equal (list[i].table, table)
        && (list[i].schema == NULL || (schema != NULL && str_equal (list[i].schema, schema))))
      return list[i].met = true;
  return false;
}

static bool
is_platform (const char *path)
{
  for (size_t i = 0; i < COUNT_OF (platforms); i++)
    if (str_equal (platforms[i], path))
      return true;
  return false;
}

static size_t properties;

static void walk (const struct oci_table *table, struct node node, const char *path);

static void
walk_property (const struct oci_table *table, const char *name, struct node node, bool required,
               const char *path)
{
  char place[512];
  snprintf (place, sizeof place, "%s.%s", path, name);
  const struct oci_field *field = field_of (table, name);
  if (!ok (field != NULL, "%s is in %s_table", place, table->name) || is_platform (place))
    return;
  properties++;
  auto_ (buf)
  struct buf schema = { 0 }, ours = { 0 };
  node = resolve (node);
  describe_node (node, &schema);
  describe_field (field, &ours);
  bool same = str_equal (schema.bytes, ours.bytes);
  if (!ok (same || is_meant (deviations, COUNT_OF (deviations), place, schema.bytes, ours.bytes),
           "%s: %s", place, schema.bytes))
    tap_note ("the table says %s", ours.bytes);
  ok (field->required == required, "%s: %s", place, required ? "required" : "optional");
  buf_done (&ours);
  if (field->kind != OCI_KIND_OBJECT)
    return;
  if (field->shape != OCI_SHAPE_ONE)
    {
      node = element_of (node);
      snprintf (place, sizeof place, "%s.%s[]", path, name);
    }
  walk (field->table, node, place);
}

static bool
names_required (yajl_val value, const char *name)
{
  yajl_val list = member (value, "required");
  for (size_t i = 0; list != NULL && i < list->u.array.len; i++)
    if (str_equal (YAJL_GET_STRING (list->u.array.values[i]), name))
      return true;
  return false;
}

/* The properties of one part: of node itself, or of each of its allOf. */
static void
walk_part (const struct oci_table *table, struct node node, const char *path, uint64_t *seen)
{
  node = resolve (node);
  yajl_val list = member (node.value, "properties"), all = member (node.value, "allOf");
  for (size_t i = 0; all != NULL && i < all->u.array.len; i++)
    walk_part (table, (struct node){ node.file, all->u.array.values[i] }, path, seen);
  for (size_t i = 0; list != NULL && i < list->u.object.len; i++)
    {
      const char *name = list->u.object.keys[i];
      const struct oci_field *field = field_of (table, name);
      if (field != NULL)
        *seen |= UINT64_C (1) << (field - table->fields);
      walk_property (table, name, (struct node){ node.file, list->u.object.values[i] },
                     names_required (node.value, name), path);
    }
  yajl_val required = member (node.value, "required");
  for (size_t i = 0; required != NULL && i < required->u.array.len; i++)
    {
      const char *name = YAJL_GET_STRING (required->u.array.values[i]);
      ok (field_of (table, name) != NULL, "%s.%s is required, and known", path, name);
    }
}

static void
walk (const struct oci_table *table, struct node node, const char *path)
{
  uint64_t seen = 0;
  walk_part (table, node, path, &seen);
  for (size_t i = 0; i < table->n_fields; i++)
    if (!(seen >> i & 1))
      {
        char place[512];
        auto_ (buf)
        struct buf ours = { 0 };
        describe_field (&table->fields[i], &ours);
        snprintf (place, sizeof place, "%s.%s", path, table->fields[i].name);
        ok (is_meant (additions, COUNT_OF (additions), place, NULL, ours.bytes),
            "%s is not in the schema, and listed as such", place);
      }
}

/* The documents that have no file of their own in the schema are parts of config. */
static void
check_parts (void)
{
  ok (field_of (&oci_config_table, "process")->table == &oci_process_table, "process is walked");
  ok (field_of (&oci_linux_table, "resources")->table == &oci_resources_table,
      "resources is walked");
  ok (field_of (&oci_container_process_state_table, "state")->table == &oci_state_table,
      "the container process state holds a state");
}

/* A table that says something else must be found out, or this test could not fail. */
#define WRONG(F, T) F (T, STRING, "id", id, .required = true) F (T, U32, "pid", pid)
OCI_DECLARE (wrong, WRONG)
OCI_DEFINE (wrong, WRONG)

static void
check_control (struct node node)
{
  int count = tap_count, failed = tap_failed;
  fflush (stdout);
  int kept = dup (STDOUT_FILENO);
  FILE *none = freopen ("/dev/null", "w", stdout);
  walk (&wrong_table, node, "control");
  fflush (stdout);
  int found = tap_failed - failed;
  dup2 (kept, STDOUT_FILENO);
  close (kept);
  tap_count = count;
  tap_failed = failed;
  /* missing ociVersion, status, bundle (each as property and as required), annotations; pid's range
   */
  ok (none != NULL && found == 8, "control: a wrong table is found out, in 8 places");
  if (found != 8)
    tap_note ("found %d", found);
}

int
main (void)
{
  check_parts ();
  if (spec_dir () == NULL)
    {
      skip ("the walk", "no schema here: set TARE_SPEC_DIR");
      return tap_done ();
    }
  struct node state = load ("state-schema.json");
  check_control (state);
  walk (&oci_config_table, load ("config-schema.json"), "config");
  walk (&oci_state_table, state, "state");
  walk (&oci_features_table, load ("features-schema.json"), "features");
  for (size_t i = 0; i < COUNT_OF (deviations); i++)
    ok (deviations[i].met, "the deviation of %s is one", deviations[i].path);
  for (size_t i = 0; i < COUNT_OF (additions); i++)
    ok (additions[i].met, "the addition %s is one", additions[i].path);
  ok (properties > 200, "%zu properties were walked", properties);
  for (size_t i = 0; files[i].file != NULL; i++)
    {
      yajl_tree_free (files[i].value);
      free ((void *) files[i].file);
    }
  return tap_done ();
}
