/* The reader: shapes good and bad, what is strict, every message to the letter, limits and time. */
#include "base/base.h"
#include "libocispec/ocispec.h"
#include "tap.h"

#include <sys/resource.h>
#include <time.h>

/* A table of our own: all kinds, nothing of containers. */
#define SIDES(V) V (SIDE_LEFT, "left") V (SIDE_RIGHT, "right")
OCI_DECLARE_ENUM (side, SIDES)
OCI_DEFINE_ENUM (side, SIDES)
#define INNER(F, T) F (T, U32, "u", u, .required = true) F (T, STRING, "s", s)
OCI_DECLARE (inner, INNER)
OCI_DEFINE (inner, INNER)
#define KEYED(F, T) F (T, U32, "u", u)
OCI_DECLARE_KEYED (keyed, KEYED)
OCI_DEFINE (keyed, KEYED)
/* clang-format off */
#define OUTER(F, T)                                      \
  F (T, STRING, "string", string, .pattern = "^[a-c-]+x*$") \
  F (T, BOOL, "bool", boolean)                           \
  F (T, U16, "u16", u16)                                 \
  F (T, U32, "u32", u32, .min = 2, .max = 5)             \
  F (T, U64, "u64", u64)                                 \
  F (T, I32, "i32", i32)                                 \
  F (T, I64, "i64", i64)                                 \
  F (T, ENUM, "enum", enumeration, side)                 \
  F (T, OBJECT, "object", object, inner)                 \
  F (T, STRINGS, "strings", strings, .min_items = 1)     \
  F (T, U32S, "u32s", u32s, .max = 9)                    \
  F (T, ENUMS, "enums", enums, side)                     \
  F (T, OBJECTS, "objects", objects, inner)              \
  F (T, STRING_MAP, "map", map)                          \
  F (T, OBJECT_MAP, "keyed", keyed, keyed)               \
  F (T, IGNORED, "ignored")
/* clang-format on */
OCI_DECLARE (outer, OUTER)
OCI_DEFINE (outer, OUTER)

static size_t unknown;

static int
read_bytes (struct arena *arena, const struct oci_table *table, const char *bytes, size_t length,
            void **ret_object, struct tare_error *error)
{
  /* a copy without a terminator behind it: the sanitizer sees a read too far */
  autofree char *copy = malloc (length > 0 ? length : 1);
  memcpy (copy, bytes, length);
  struct oci_source source = { "config.json", copy, length, &unknown };
  return oci_read (arena, &source, table, ret_object, error);
}

/* text must be refused with just this message. */
static void
refused (const struct oci_table *table, const char *text, const char *message)
{
  auto_ (arena)
  struct arena arena = { 0 };
  struct tare_error error = { 0 };
  void *object = &error;
  int r = read_bytes (&arena, table, text, strlen (text), &object, &error);
  bool good =
      r == -EINVAL && error.code == -EINVAL && error.kind == TARE_ERROR_CONFIG && object == &error;
  if (!ok (good && strcmp (error.message, message) == 0, "refused: %.60s", message))
    {
      tap_note ("got    %d %s", r, error.message);
      tap_note ("wanted %s", message);
    }
}

/* text must be read, and written again as wanted. */
static void
accepted (const struct oci_table *table, const char *text, const char *wanted)
{
  auto_ (arena)
  struct arena arena = { 0 };
  auto_ (buf)
  struct buf buf = { 0 };
  struct tare_error error = { 0 };
  void *object;
  if (read_bytes (&arena, table, text, strlen (text), &object, &error) < 0)
    {
      ok (false, "accepted: %.60s", text);
      tap_note ("got %s", error.message);
      return;
    }
  oci_write (&buf, table, object, 0);
  is_text (buf.bytes, wanted, "accepted, and written again");
}

static const char everything[] =
    "{\"string\":\"a-bx\",\"bool\":false,\"u16\":65535,\"u32\":2,\"u64\":18446744073709551615,"
    "\"i32\":-2147483648,\"i64\":-9223372036854775808,\"enum\":\"right\",\"object\":{\"u\":0},"
    "\"strings\":[\"\"],\"u32s\":[9,0],\"enums\":[\"right\",\"left\"],"
    "\"objects\":[{\"u\":1,\"s\":\"x\"},{\"u\":2}],\"map\":{\"z\":\"1\",\"\":\"2\",\"a\":\"3\"},"
    "\"keyed\":{\"k\":{},\"a.b\":{\"u\":4294967295}}}";

static void
test_kinds (void)
{
  auto_ (arena)
  struct arena arena = { 0 };
  struct tare_error error = { 0 };
  void *object = NULL;
  is_number (read_bytes (&arena, &outer_table, everything, strlen (everything), &object, &error), 0,
             "every kind is read");
  const struct outer *o = object;
  ok (o->has_boolean && !o->boolean && o->has_u16 && o->u16 == 65535 && o->has_u32 && o->u32 == 2
          && o->has_u64 && o->u64 == UINT64_MAX && o->has_i32 && o->i32 == INT32_MIN && o->has_i64
          && o->i64 == INT64_MIN && o->has_enumeration && o->enumeration == SIDE_RIGHT,
      "scalars lie in their members");
  ok (o->object->u == 0 && o->object->has_u && o->object->s == NULL, "an object");
  ok (o->n_strings == 1 && str_equal (o->strings[0], ""), "strings");
  ok (o->n_u32s == 2 && o->u32s[0] == 9 && o->u32s[1] == 0, "integers");
  ok (o->n_enums == 2 && o->enums[0] == SIDE_RIGHT && o->enums[1] == SIDE_LEFT, "enumerators");
  ok (o->n_objects == 2 && str_equal (o->objects[0].s, "x") && o->objects[1].u == 2, "objects");
  ok (o->n_map == 3 && str_equal (o->map[0].key, "z") && str_equal (o->map[1].value, "2"),
      "a map keeps the document's order");
  ok (o->n_keyed == 2 && str_equal (o->keyed[1].key, "a.b") && o->keyed[1].u == UINT32_MAX
          && !o->keyed[0].has_u,
      "a map of objects has its keys");
  accepted (&outer_table, everything, everything);
}

static void
test_presence (void)
{
  static const char text[] = "{\"string\":null,\"u16\":null,\"strings\":null,\"objects\":[],"
                             "\"keyed\":{},\"object\":null}";
  auto_ (arena)
  struct arena arena = { 0 };
  struct tare_error error = { 0 };
  void *object = NULL;
  is_number (read_bytes (&arena, &outer_table, text, strlen (text), &object, &error), 0,
             "null, empty and absent are read");
  const struct outer *o = object;
  ok (o->string == NULL && oci_is_null (&outer_table, o, "string"), "null is NULL, and known");
  ok (!o->has_u16 && oci_is_null (&outer_table, o, "u16"), "... for an integer");
  ok (o->strings == NULL && o->n_strings == 0 && oci_is_null (&outer_table, o, "strings"),
      "... for an array");
  ok (o->objects != NULL && o->n_objects == 0 && !oci_is_null (&outer_table, o, "objects"),
      "empty is not NULL, without items");
  ok (o->keyed != NULL && o->n_keyed == 0, "... for a map");
  ok (o->u32s == NULL && !oci_is_null (&outer_table, o, "u32s"), "absent is NULL, and not null");
  ok (!oci_is_null (&outer_table, o, "no such field"), "no such field");
  accepted (&outer_table, text,
            "{\"string\":null,\"u16\":null,\"object\":null,\"strings\":null,\"objects\":[],"
            "\"keyed\":{}}");
  accepted (&outer_table, "{}", "{}");
  accepted (&outer_table, " \t\r\n{ \"ignored\" : [ {}, 1.5e3 ] } \n", "{}");
}

static void
test_unknown (void)
{
  static const char text[] =
      "{\"x\":1,\"ignored\":{\"a\":1},\"y\":{\"deep\":[1,{\"z\":null}]},\"object\":{\"u\":1,"
      "\"v\":[]}}";
  auto_ (arena)
  struct arena arena = { 0 };
  void *object;
  is_number (read_bytes (&arena, &outer_table, text, strlen (text), &object, NULL), 0,
             "unknown properties are skipped");
  is_number ((long long) unknown, 3, "... and counted");
  accepted (&outer_table, text, "{\"object\":{\"u\":1}}");
}

static void
test_messages (void)
{
  static const char *const config[][2] = {
    { "{\n\"ociVersion\":\"1\",\n\"linux\":{\"namespaces\":[{\"type\":\"pid\"},{\"type\":\"ipc\"},"
      "\n"
      "{\"type\":\"netwrk\"}]}}",
      "config.json: linux.namespaces[2].type: \"netwrk\" is not one of pid, network, mount, ipc, "
      "uts, user, cgroup, time (line 4)" },
    { "{\"ociVersion\":\"1\",\n\"root\":{\n\"readonly\":true}}",
      "config.json: root.path: required, but missing (line 2)" },
    { "{\"ociVersion\":\"1\",\n\"root\":{\"path\":null}}",
      "config.json: root.path: required, but missing (line 2)" },
    { "{}", "config.json: ociVersion: required, but missing (line 1)" },
    { "{\"OCIVersion\":\"1\"}", "config.json: ociVersion: required, but missing (line 1)" },
    { "{\"hostname\":5}", "config.json: hostname: expected a string, not a number (line 1)" },
    { "{\"root\":[]}", "config.json: root: expected an object, not an array (line 1)" },
    { "{\"mounts\":{}}", "config.json: mounts: expected an array, not an object (line 1)" },
    { "{\"mounts\":[\"x\"]}", "config.json: mounts[0]: expected an object, not a string (line 1)" },
    { "{\"mounts\":[null]}", "config.json: mounts[0]: expected an object, not null (line 1)" },
    { "{\"process\":{\"env\":[\"a\",null]}}",
      "config.json: process.env[1]: expected a string, not null (line 1)" },
    { "{\"process\":{\"args\":[[]]}}",
      "config.json: process.args[0]: expected a string, not an array (line 1)" },
    { "{\"process\":{\"terminal\":\"yes\"}}",
      "config.json: process.terminal: expected true or false, not a string (line 1)" },
    { "{\"process\":{\"cwd\":true}}",
      "config.json: process.cwd: expected a string, not true (line 1)" },
    { "{\"annotations\":{\"a\":\"1\",\"b.c/d\":2}}",
      "config.json: annotations[\"b.c/d\"]: expected a string, not a number (line 1)" },
    { "{\"annotations\":[]}",
      "config.json: annotations: expected an object, not an array (line 1)" },
    { "{\"annotations\":{\"a\":null}}",
      "config.json: annotations.a: expected a string, not null (line 1)" },
    { "{\"linux\":{\"netDevices\":{\"eth0\":null}}}",
      "config.json: linux.netDevices.eth0: expected an object, not null (line 1)" },
    { "{\"linux\":{\"netDevices\":{\"eth0\":{\"name\":[]}}}}",
      "config.json: linux.netDevices.eth0.name: expected a string, not an array (line 1)" },
    { "{\"hooks\":{\"prestart\":[{\"path\":\"/x\",\"timeout\":0}]}}",
      "config.json: hooks.prestart[0].timeout: 0 is not in the range of 1 to 9223372036854775807 "
      "(line 1)" },
    { "{\"process\":{\"rlimits\":[{\"type\":\"nofile\"}]}}",
      "config.json: process.rlimits[0].type: \"nofile\" does not match ^RLIMIT_[A-Z]+$ (line 1)" },
    { "{\"linux\":{\"seccomp\":{\"syscalls\":[{\"names\":[]}]}}}",
      "config.json: linux.seccomp.syscalls[0].names: expected at least 1 element, not 0 (line 1)" },
    { "{\"root\":{\"path\":\"a\",\n\"path\":\"b\"}}",
      "config.json: root.path: given twice (line 2)" },
    { "{\"linux\":{\"intelRdt\":{\"memBwSchema\":\"MB:0=1\\nL3:x\"}}}",
      "config.json: linux.intelRdt.memBwSchema: \"MB:0=1\\x0aL3:x\" does not match ^MB:[^\\n]*$ "
      "(line 1)" },
    { "null", "config.json: expected an object, not null (line 1)" },
    { "[]", "config.json: expected an object, not an array (line 1)" },
    { "\"x\"", "config.json: expected an object, not a string (line 1)" },
    { "7", "config.json: expected an object, not a number (line 1)" },
    { "false", "config.json: expected an object, not false (line 1)" },
  };
  for (size_t i = 0; i < COUNT_OF (config); i++)
    refused (&oci_config_table, config[i][0], config[i][1]);
  refused (&oci_process_table, "{\"cwd\":\"/\",\"user\":{\"uid\":\"0\"}}",
           "config.json: user.uid: expected an integer, not a string (line 1)");
  refused (&oci_resources_table, "{\"pids\":{}}",
           "config.json: pids.limit: required, but missing (line 1)");
  refused (&oci_state_table, "{\"status\":\"paused\"}",
           "config.json: status: \"paused\" is not one of creating, created, running, stopped "
           "(line 1)");
  refused (&oci_features_table, "{\"linux\":{\"capabilities\":[\"cap_x\"]}}",
           "config.json: linux.capabilities[0]: \"cap_x\" does not match ^CAP_[A-Z_]+$ (line 1)");
  refused (&oci_container_process_state_table, "{\"ociVersion\":\"1\",\"pid\":1}",
           "config.json: state: required, but missing (line 1)");
}

static void
test_wrappers (void)
{
  auto_ (arena)
  struct arena arena = { 0 };
#define READ(name, text)                                                                           \
  ({                                                                                               \
    struct oci_##name *object_ = NULL;                                                             \
    struct oci_source source_ = { "x", text, sizeof text - 1, NULL };                              \
    ok (oci_read_##name (&arena, &source_, &object_, NULL) == 0, "oci_read_" #name);               \
    object_;                                                                                       \
  })
  ok (str_equal (READ (config, "{\"ociVersion\":\"1.3.0\"}")->oci_version, "1.3.0"), "config");
  ok (str_equal (READ (process, "{\"cwd\":\"/\"}")->cwd, "/"), "process");
  ok (READ (resources, "{\"pids\":{\"limit\":-1}}")->pids->limit == -1, "resources");
  ok (READ (state, "{\"ociVersion\":\"1\",\"id\":\"a\",\"status\":\"running\",\"bundle\":\"/\"}")
              ->status
          == OCI_STATUS_RUNNING,
      "state");
  ok (READ (features, "{\"ociVersionMin\":\"1\",\"ociVersionMax\":\"1\",\"linux\":{\"intelRdt\":{"
                      "\"monitoring\":true},\"memoryPolicy\":{\"modes\":[\"MPOL_LOCAL\"]}}}")
              ->linux->memory_policy->modes[0]
          == OCI_MPOL_LOCAL,
      "features");
  ok (READ (container_process_state,
            "{\"ociVersion\":\"1\",\"fds\":[\"seccompFd\"],\"pid\":7,\"metadata\":\"m\",\"state\":{"
            "\"ociVersion\":\"1\",\"id\":\"a\",\"status\":\"creating\",\"bundle\":\"/\"}}")
              ->state->status
          == OCI_STATUS_CREATING,
      "container process state");
}

/* T43, and numbers in general: what is not an integer in plain digits and in range is refused.
 * -0 is an integer, and 0, where a sign is allowed; elsewhere the sign is out of range. */
static void
test_numbers (void)
{
  static const struct
  {
    const char *field, *text, *message; /* NULL: accepted */
  } cases[] = {
    { "u32", "2", NULL },
    { "u32", "5", NULL },
    { "u32", "1", "1 is not in the range of 2 to 5" },
    { "u32", "6", "6 is not in the range of 2 to 5" },
    { "u16", "0", NULL },
    { "u16", "65536", "65536 is not in the range of 0 to 65535" },
    { "u16", "-1", "-1 is not in the range of 0 to 65535" },
    { "u16", "-0", "-0 is not in the range of 0 to 65535" },
    { "u16", "1.0", "1.0 is not an integer in plain digits" },
    { "u16", "1e3", "1e3 is not an integer in plain digits" },
    { "u16", "1E3", "1E3 is not an integer in plain digits" },
    { "u64", "18446744073709551616",
      "18446744073709551616 is not in the range of 0 to 18446744073709551615" },
    { "i32", "-0", NULL },
    { "i32", "2147483648", "2147483648 is not in the range of -2147483648 to 2147483647" },
    { "i32", "-2147483649", "-2147483649 is not in the range of -2147483648 to 2147483647" },
    { "i64", "9223372036854775807", NULL },
    { "i64", "9223372036854775808",
      "9223372036854775808 is not in the range of -9223372036854775808 to 9223372036854775807" },
    { "u64", "100000000000000000000000000000000000000000000000000000000000000000000000000000",
      "100000000000000000000000000000000000000000000000000000000000000 is not in the range of 0 to "
      "18446744073709551615" },
    { "u64", "1e999", "the number is too large" },
    { "i64", "-1e309", "the number is too large" },
  };
  for (size_t i = 0; i < COUNT_OF (cases); i++)
    {
      char text[256], message[512], written[256];
      snprintf (text, sizeof text, "{\"%s\":%s}", cases[i].field, cases[i].text);
      snprintf (message, sizeof message, "config.json: %s: %s (line 1)", cases[i].field,
                cases[i].message != NULL ? cases[i].message : "");
      snprintf (written, sizeof written, "{\"%s\":%s}", cases[i].field,
                strcmp (cases[i].text, "-0") == 0 ? "0" : cases[i].text);
      if (cases[i].message != NULL)
        refused (&outer_table, text, message);
      else
        accepted (&outer_table, text, written);
    }

  static const char *const fields[] = { "uid", "gid", "additionalGids[0]" };
  static const char *const ids[][2] = {
    { "4294967295", "4294967295 is not in the range of 0 to 4294967294" },
    { "4294967296", "4294967296 is not in the range of 0 to 4294967294" },
    { "-1", "-1 is not in the range of 0 to 4294967294" },
    { "1.5", "1.5 is not an integer in plain digits" },
    { "\"0\"", "expected an integer, not a string" },
    { "1e999", "the number is too large" },
  };
  for (size_t i = 0; i < COUNT_OF (fields); i++)
    for (size_t j = 0; j < COUNT_OF (ids); j++)
      {
        char text[256], message[512];
        if (i == 2)
          snprintf (text, sizeof text, "{\"user\":{\"additionalGids\":[%s]}}", ids[j][0]);
        else
          snprintf (text, sizeof text, "{\"user\":{\"%s\":%s}}", fields[i], ids[j][0]);
        snprintf (message, sizeof message, "config.json: user.%s: %s (line 1)", fields[i],
                  ids[j][1]);
        refused (&oci_process_table, text, message);
      }
  accepted (&oci_process_table, "{\"user\":{\"uid\":2147483648,\"gid\":4294967294},\"cwd\":\"/\"}",
            "{\"user\":{\"uid\":2147483648,\"gid\":4294967294},\"cwd\":\"/\"}");
}

/* T52: RFC 8259 and nothing else, in known and in unknown places. */
static void
test_strict (void)
{
#define PRE "config.json: "
#define BAD_UTF8(bytes)                                                                            \
  {                                                                                                \
    "{\"x\":\"" bytes "\"}", PRE "invalid UTF-8 (line 1)"                                          \
  }
#define BAD_PAIR(text)                                                                             \
  {                                                                                                \
    "{\"x\":\"" text "\"}", PRE "half of a surrogate pair (line 1)"                                \
  }
  static const char *const cases[][2] = {
    { "", PRE "empty (line 1)" },
    { " ", PRE "not JSON: parse error: premature EOF (line 1)" },
    { "{\"x\":1", PRE "not JSON: parse error: premature EOF (line 1)" },
    { "{\"x\":[1,\n2", PRE "not JSON: parse error: premature EOF (line 2)" },
    { "\xef\xbb\xbf{}", PRE "begins with a byte order mark (line 1)" },
    { "{\"x\":NaN}", PRE "not JSON: lexical error: invalid char in json text (line 1)" },
    { "{\"x\":01}", PRE "not JSON: parse error: after key and value, inside map, I expect ',' or "
                        "'}' (line 1)" },
    { "{\"x\":+1}", PRE "not JSON: lexical error: invalid char in json text (line 1)" },
    { "{\"x\":.5}", PRE "not JSON: lexical error: invalid char in json text (line 1)" },
    { "{\"x\":1.}", PRE "not JSON: lexical error: malformed number, a digit is required after the "
                        "decimal point (line 1)" },
    { "{\"x\":-}", PRE "not JSON: lexical error: malformed number, a digit is required after the "
                       "minus sign (line 1)" },
    { "{} {}", PRE "not JSON: parse error: trailing garbage (line 1)" },
    { "{}\n\nx", PRE "not JSON: parse error: trailing garbage (line 3)" },
    { "{\"x\":1,}", PRE "not JSON: parse error: invalid object key (must be a string) (line 1)" },
    { "{\"x\":[1,]}",
      PRE "not JSON: parse error: unallowed token at this point in JSON text (line 1)" },
    { "{/* c */}",
      PRE "not JSON: lexical error: probable comment found in input text, comments are "
          "not enabled (line 1)" },
    { "{'x':1}", PRE "not JSON: lexical error: invalid char in json text (line 1)" },
    { "{x:1}", PRE "not JSON: lexical error: invalid char in json text (line 1)" },
    { "{\"x\":\"\\x\"}", PRE "not JSON: lexical error: inside a string, '\\' occurs before a "
                             "character which it may not (line 1)" },
    { "{\"x\":True}", PRE "not JSON: lexical error: invalid char in json text (line 1)" },
    { "{\"x\":1e999}", PRE "x: the number is too large (line 1)" },
    { "{\"x\":1,\n\"y\":2,\n\"x\":3}", PRE "x: given twice (line 3)" },
    { "{\"x\":{\"a\":{\"k\":1,\"k\":1}}}", PRE "x.a.k: given twice (line 1)" },
    { "{\"x\":[0,{\"k\":1,\"\\u006b\":1}]}", PRE "x[1].k: given twice (line 1)" },
    { "{\"map\":{\"k\":\"1\",\"k\":\"1\"}}", PRE "map.k: given twice (line 1)" },
    { "{\"keyed\":{\"k\":{},\"k\":{}}}", PRE "keyed.k: given twice (line 1)" },
    { "{\"bool\":null,\"bool\":true}", PRE "bool: given twice (line 1)" },
    { "{\"ignored\":1,\"ignored\":1}", PRE "ignored: given twice (line 1)" },
    { "{\"x\":\"a\\u0000b\"}", PRE "\\u0000 in a string (line 1)" },
    { "{\"string\":\"a\\u0000b\"}", PRE "\\u0000 in a string (line 1)" },
    { "{\"x\":\"a\nb\"}", PRE "not JSON: lexical error: invalid character inside string (line 1)" },
    { "{\"x\":\"a\x01\"}", PRE "a control character (line 1)" },
    { "{\n\v\"x\":1}", PRE "a control character (line 2)" },
    { "{\f}", PRE "a control character (line 1)" },
    BAD_UTF8 ("\xff"),
    BAD_UTF8 ("\xc3"),
    BAD_UTF8 ("\x80"),
    BAD_UTF8 ("\xc0\xaf"),         /* overlong '/' */
    BAD_UTF8 ("\xe0\x80\xaf"),     /* and longer */
    BAD_UTF8 ("\xc0\x80"),         /* NUL of Java */
    BAD_UTF8 ("\xed\xa0\x80"),     /* a surrogate */
    BAD_UTF8 ("\xf4\x90\x80\x80"), /* above U+10FFFF */
    { "{\"\xff\":1}", PRE "invalid UTF-8 (line 1)" },
    { "{}\xff", PRE "invalid UTF-8 (line 1)" },
    BAD_PAIR ("\\ud800"),
    BAD_PAIR ("\\udc00"),
    BAD_PAIR ("\\ud800x"),
    BAD_PAIR ("\\ud800\\n"),
    BAD_PAIR ("\\ud800\\u0041"),
    BAD_PAIR ("\\udc00\\ud800"),
    BAD_PAIR ("\\uD83D\\uD83D\\uDE00"),
    { "{\"\\ud800\":1}", PRE "half of a surrogate pair (line 1)" },
  };
  for (size_t i = 0; i < COUNT_OF (cases); i++)
    refused (&outer_table, cases[i][0], cases[i][1]);
  refused (&outer_table, "{\"strings\":[null]}",
           PRE "strings[0]: expected a string, not null (line 1)");

  accepted (&outer_table, "{\"map\":{\"\\uD83D\\uDE00\\u00e4\":\"\\ud83d\\ude00\\\\u0000\\/\"}}",
            "{\"map\":{\"\xf0\x9f\x98\x80\xc3\xa4\":\"\xf0\x9f\x98\x80\\\\u0000/\"}}");
  accepted (&outer_table, "{\"map\":{\"k\":\"\",\"K\":\"\",\"kk\":\"\"}}",
            "{\"map\":{\"k\":\"\",\"K\":\"\",\"kk\":\"\"}}");
  accepted (&outer_table, "{\"x\":[1e308,0.000,-1e-999,0e999,0.0001e311],\"y\":{},\"z\":{\"x\":0}}",
            "{}");

  auto_ (arena)
  struct arena arena = { 0 };
  struct tare_error error = { 0 };
  void *object;
  is_number (read_bytes (&arena, &outer_table, "{}\0", 3, &object, &error), -EINVAL, "NUL behind");
  is_text (error.message, PRE "a control character (line 1)", "... is a control character");
}

static double
seconds (void)
{
  struct timespec now;
  clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &now); /* other tests run at the same time */
  return (double) now.tv_sec + (double) now.tv_nsec / 1e9;
}

static long
peak_kib (void)
{
  struct rusage usage;
  getrusage (RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

/* Sanitizers make everything slower, but not another order. */
#if defined __SANITIZE_ADDRESS__
#define SLOWER 10
#elif defined __has_feature
#if __has_feature(address_sanitizer)
#define SLOWER 10
#endif
#endif
#ifndef SLOWER
#define SLOWER 1
#endif

/* T53 */
static void
test_depth (void)
{
  static const char *const opens[] = { "[", "{\"a\":", "{\"x\":[" };
  static const size_t counts[] = { 1000, 100000, 1000000, 5000000 };
  static const char *const places[] = { "{\"x\":", "{\"map\":", "{\"ignored\":", "" };
  for (size_t i = 0; i < COUNT_OF (opens); i++)
    for (size_t j = 0; j < COUNT_OF (counts); j++)
      for (size_t k = 0; k < COUNT_OF (places); k++)
        {
          auto_ (buf)
          struct buf buf = { 0 };
          auto_ (arena)
          struct arena arena = { 0 };
          struct tare_error error = { 0 };
          void *object;
          size_t n = counts[j] * strlen (opens[i]) > OCI_SIZE_MAX - 100
                         ? (OCI_SIZE_MAX - 100) / strlen (opens[i])
                         : counts[j];
          buf_text (&buf, places[k]);
          for (size_t m = 0; m < n; m++)
            buf_text (&buf, opens[i]);
          struct oci_source source = { "config.json", buf.bytes, buf.length, NULL };
          long before = peak_kib ();
          double start = seconds ();
          int r = oci_read (&arena, &source, &outer_table, &object, &error);
          double took = seconds () - start;
          long grown = peak_kib () - before;
          double allowed = n <= 1000000 ? 0.05 : 0.25;
          if (!ok (r == -EINVAL && took < allowed * SLOWER && grown < 2048 * SLOWER,
                   "%zu of %s behind '%s' are refused in %.0f ms", n, opens[i], places[k],
                   1000 * allowed))
            tap_note ("%d %s: %.1f ms, %ld KiB", r, error.message, 1000 * took, grown);
        }

  for (int depth = 127; depth <= 129; depth++)
    {
      auto_ (buf)
      struct buf buf = { 0 };
      buf_text (&buf, "{\"x\":");
      for (int i = 1; i < depth; i++)
        buf_text (&buf, "[");
      for (int i = 1; i < depth; i++)
        buf_text (&buf, "]");
      buf_text (&buf, "}");
      if (depth <= OCI_DEPTH_MAX)
        accepted (&outer_table, buf.bytes, "{}");
      else
        refused (&outer_table, buf.bytes, "config.json: nested deeper than 128 levels (line 1)");
    }
}

/* A document of n times item (with the number in it, if it has a place for one). */
static char *
many (const char *before, const char *item, size_t n, const char *after)
{
  struct buf buf = { 0 };
  buf_text (&buf, before);
  for (size_t i = 0; i < n; i++)
    {
      char text[256];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
      snprintf (text, sizeof text, item, i);
#pragma GCC diagnostic pop
      buf_format (&buf, "%s%s", i > 0 ? "," : "", text);
    }
  buf_text (&buf, after);
  return buf_take (&buf);
}

static double
time_read (const char *text, int wanted)
{
  auto_ (arena)
  struct arena arena = { 0 };
  struct oci_source source = { "config.json", text, strlen (text), NULL };
  void *object;
  double start = seconds ();
  int r = oci_read (&arena, &source, &oci_config_table, &object, NULL);
  double took = seconds () - start;
  is_number (r, wanted, "result");
  return took;
}

/* T54: many of everything, in linear time (five times as many take less than twelve as long). */
static void
test_size (void)
{
  static const char *const cases[][3] = {
    { "{\"ociVersion\":\"1\",\"process\":{\"cwd\":\"/\",\"env\":[", "\"NAME%zu=value\"", "]}}" },
    { "{\"ociVersion\":\"1\",\"process\":{\"cwd\":\"/\",\"args\":[", "\"arg%zu\"", "]}}" },
    { "{\"ociVersion\":\"1\",\"mounts\":[",
      "{\"destination\":\"/m%zu\",\"type\":\"bind\",\"options\":[\"ro\",\"nosuid\"]}", "]}" },
    { "{\"ociVersion\":\"1\",\"linux\":{\"maskedPaths\":[", "\"/proc/%zu\"", "]}}" },
    { "{\"ociVersion\":\"1\",\"annotations\":{", "\"key%zu\":\"value\"", "}}" },
    { "{\"ociVersion\":\"1\",\"process\":{\"cwd\":\"/\",\"rlimits\":[",
      "{\"type\":\"RLIMIT_CORE\",\"soft\":%zu,\"hard\":1}", "]}}" },
    { "{\"ociVersion\":\"1\",\"hooks\":{\"poststop\":[",
      "{\"path\":\"/h%zu\",\"args\":[\"h\"],\"timeout\":1}", "]}}" },
    { "{\"ociVersion\":\"1\",\"linux\":{\"netDevices\":{", "\"eth%zu\":{\"name\":\"x\"}", "}}}" },
    { "{\"ociVersion\":\"1\",\"x\":{", "\"unknown%zu\":0", "}}" },
    { "{\"ociVersion\":\"1\",", "\"unknown%zu\":0", "}" },
    { "{\"ociVersion\":\"1\",\"x\":[", "{\"\\u0061%zu\":0}", "]}" },
  };
  for (size_t i = 0; i < COUNT_OF (cases); i++)
    {
      autofree char *fewer = many (cases[i][0], cases[i][1], 20000, cases[i][2]);
      autofree char *more = many (cases[i][0], cases[i][1], 100000, cases[i][2]);
      double few = time_read (fewer, 0), lots = time_read (more, 0);
      if (!ok (lots < 0.5 * SLOWER && (lots < 0.02 || lots < 12 * few), "10^5 of %s", cases[i][1]))
        tap_note ("%.1f ms, 2 * 10^4: %.1f ms", 1000 * lots, 1000 * few);
    }
  autofree char *twice = many ("{\"ociVersion\":\"1\",\"annotations\":{\"key77777\":\"\",",
                               "\"key%zu\":\"value\"", 100000, "}}");
  ok (time_read (twice, -EINVAL) < 0.5 * SLOWER, "one key twice among 10^5");

  autofree char *big = malloc (OCI_SIZE_MAX + 2);
  memset (big, ' ', OCI_SIZE_MAX + 1);
  memcpy (big, "{\"ociVersion\":\"1\"}", 18);
  big[OCI_SIZE_MAX] = '\0';
  (void) time_read (big, 0);
  big[OCI_SIZE_MAX] = ' ';
  big[OCI_SIZE_MAX + 1] = '\0';
  refused (&oci_config_table, big, "config.json: larger than 32 MiB (line 1)");
}

static void
test_memory (void)
{
  int refusals = 0, r = -ENOMEM;
  for (size_t limit = 1; r == -ENOMEM && limit < 100000; limit += 7)
    {
      auto_ (arena)
      struct arena arena = { .limit = limit };
      struct tare_error error = { 0 };
      void *object;
      r = read_bytes (&arena, &outer_table, everything, strlen (everything), &object, &error);
      refusals += r == -ENOMEM && error.code == -ENOMEM;
      if (r == -ENOMEM && strcmp (error.message, "config.json: Cannot allocate memory") != 0)
        break;
    }
  ok (r == 0 && refusals > 20, "each allocation may fail");
}

static void
test_match (void)
{
  static const struct
  {
    const char *pattern, *text;
    bool match;
  } cases[] = {
    { "^RLIMIT_[A-Z]+$", "RLIMIT_CORE", true },
    { "^RLIMIT_[A-Z]+$", "RLIMIT_", false },
    { "^RLIMIT_[A-Z]+$", "RLIMIT_A1", false },
    { "^RLIMIT_[A-Z]+$", "XRLIMIT_A", false },
    { "^[1-9][0-9]*[KMG]B$", "64KB", true },
    { "^[1-9][0-9]*[KMG]B$", "2MB", true },
    { "^[1-9][0-9]*[KMG]B$", "064KB", false },
    { "^[1-9][0-9]*[KMG]B$", "64kB", false },
    { "^[1-9][0-9]*[KMG]B$", "64KBx", false },
    { "^[1-9][0-9]*[KMG]B$", "", false },
    { "^[cbup]$", "c", true },
    { "^[cbup]$", "cb", false },
    { "^[cbup]$", "a", false },
    { "^MB:[^\\n]*$", "MB:", true },
    { "^MB:[^\\n]*$", "MB:0=20;1=30", true },
    { "^MB:[^\\n]*$", "MB:0\nL3:", false },
    { "^[0-9, -]*$", "", true },
    { "^[0-9, -]*$", "0-3, 7", true },
    { "^[0-9, -]*$", "0-3;7", false },
    { "^[0-9, -]*$", "+", false },
    { "^CAP_[A-Z_]+$", "CAP_SYS_ADMIN", true },
    { "^CAP_[A-Z_]+$", "CAP_sys", false },
  };
  for (size_t i = 0; i < COUNT_OF (cases); i++)
    ok (oci_match (cases[i].pattern, cases[i].text) == cases[i].match, "pattern %zu: '%s'", i,
        strchr (cases[i].text, '\n') != NULL ? "(two lines)" : cases[i].text);
}

static void
test_indent (void)
{
  auto_ (arena)
  struct arena arena = { 0 };
  auto_ (buf)
  struct buf buf = { 0 };
  static const char text[] = "{\"u16\":1,\"object\":{\"u\":2},\"strings\":[\"a\",\"b\"],"
                             "\"objects\":[],\"map\":{\"k\":\"v\"}}";
  void *object;
  (void) read_bytes (&arena, &outer_table, text, strlen (text), &object, NULL);
  oci_write (&buf, &outer_table, object, 2);
  is_text (buf.bytes,
           "{\n  \"u16\": 1,\n  \"object\": {\n    \"u\": 2\n  },\n  \"strings\": [\n    \"a\",\n"
           "    \"b\"\n  ],\n  \"objects\": [],\n  \"map\": {\n    \"k\": \"v\"\n  }\n}",
           "indented by two");
}

int
main (void)
{
  test_kinds ();
  test_presence ();
  test_unknown ();
  test_messages ();
  test_wrappers ();
  test_numbers ();
  test_strict ();
  test_depth ();
  test_size ();
  test_memory ();
  test_match ();
  test_indent ();
  return tap_done ();
}
