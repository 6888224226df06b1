/* The machinery of tables: an object of JSON is a list of fields, written once. The same lines
 * make the C struct and the table that the reader (read.c) and the writer (write.c) go by.
 *
 *   #define OCI_ROOT(F, T)                                   \
 *     F (T, STRING, "path", path, .required = true)          \
 *     F (T, BOOL, "readonly", readonly)
 *   OCI_DECLARE (oci_root, OCI_ROOT)      in the header: struct oci_root, oci_root_table
 *   OCI_DEFINE (oci_root, OCI_ROOT)       in one .c
 *
 * Kinds, what else their line names, and what they become in the struct. An absent field leaves
 * zeroes: NULL, or has_x false.
 *
 *   STRING                const char *x
 *   BOOL                  bool x, has_x
 *   U16 U32 U64 I32 I64   uint16_t x ... int64_t x; bool has_x
 *   ENUM, map             int x; bool has_x         map: name of an OCI_DECLARE_ENUM
 *   OBJECT, tag           struct tag *x
 *   STRINGS               const char **x; size_t n_x         x is not NULL when present, but empty
 *   U32S                  uint32_t *x; size_t n_x
 *   ENUMS, map            int *x; size_t n_x
 *   OBJECTS, tag          struct tag *x; size_t n_x
 *   STRING_MAP            struct oci_pair *x; size_t n_x     in the document's order
 *   OBJECT_MAP, tag       struct tag *x; size_t n_x          tag by OCI_DECLARE_KEYED: has a key
 *   IGNORED               nothing: known, of any type, skipped
 *
 * Then, as designated initialisers of struct oci_field: .required, .min, .max (of integers),
 * .min_items (of arrays), .pattern (of strings, see oci_match). Every struct begins with nulls: bit
 * i is set when the field of index i was null, which otherwise counts as absent.
 *
 * Knows nothing of containers: other folders declare tables of their own.
 */
#ifndef TARE_LIBOCISPEC_TABLE_H
#define TARE_LIBOCISPEC_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/enum_map.h"
#include "base/error.h"

/* gnu11 has a macro of this name, the spec a property. */
#undef linux

struct oci_pair
{
  const char *key, *value;
};

enum oci_kind
{
  OCI_KIND_STRING,
  OCI_KIND_BOOL,
  OCI_KIND_INTEGER,
  OCI_KIND_ENUM,
  OCI_KIND_OBJECT,
  OCI_KIND_PAIR,
  OCI_KIND_IGNORED,
};

enum oci_shape
{
  OCI_SHAPE_ONE,
  OCI_SHAPE_ARRAY,
  OCI_SHAPE_MAP,
};

struct oci_field
{
  const char *name;
  enum oci_kind kind; /* of the value, or of each element */
  enum oci_shape shape;
  bool required;
  bool is_signed;
  uint16_t size;   /* of the value or of each element, as it lies in memory */
  uint16_t offset; /* of the member */
  uint16_t beside; /* offset of has_x or n_x */
  size_t min_items;
  int64_t min; /* with max: 0, 0 means all that the type holds */
  uint64_t max;
  const char *pattern;
  const struct enum_map *map;
  const struct oci_table *table;
};

struct oci_table
{
  const char *name; /* of the struct */
  const struct oci_field *fields;
  size_t n_fields;
  size_t size; /* of the struct */
};

/* What every struct begins with; those of an OBJECT_MAP have a key too. */
struct oci_head
{
  uint64_t nulls;
  const char *key;
};

struct oci_source
{
  const char *name; /* for messages: "config.json" */
  const char *bytes;
  size_t length;
  size_t *unknown; /* if not NULL: gets the number of properties that were not known, and skipped */
};

enum
{
  OCI_DEPTH_MAX = 128,
  OCI_SIZE_MAX = 32 * 1024 * 1024,
  OCI_INDENT_MAX = 8,
};

/* Reads the one object in source. It, and all below it, lies in arena. What is wrong is said in
 * one line with its place; kind TARE_ERROR_CONFIG, code -EINVAL (or -ENOMEM). */
int oci_read (struct arena *arena, const struct oci_source *source, const struct oci_table *table,
              void **ret_object, struct tare_error *error);
/* Prints object by its table: on one line, or indented by indent spaces a level, at most
 * OCI_INDENT_MAX. */
void oci_write (struct buf *buf, const struct oci_table *table, const void *object, int indent);

/* The field of this JSON name, or NULL. */
const struct oci_field *oci_find (const struct oci_table *table, const char *name, size_t length);
/* Was the field of this JSON name there, and null? */
bool oci_is_null (const struct oci_table *table, const void *object, const char *name);
/* The range of an integer field. */
void oci_range (const struct oci_field *field, int64_t *ret_min, uint64_t *ret_max);
/* Does text match the whole pattern? The little of regular expressions that the schema uses:
 * ^...$ around characters and [classes], each of which may be followed by * or +. */
bool oci_match (const char *pattern, const char *text);

/* ---- enumerations ----------------------------------------------------------------------------
 *
 *   #define OCI_BOX_SIDES(V) V (OCI_BOX_LEFT, "left") V (OCI_BOX_RIGHT, "right")
 *   OCI_DECLARE_ENUM (oci_box_side, OCI_BOX_SIDES)   enum oci_box_side, oci_box_side_map
 */
#define OCI_ENUMERATOR(constant, text) constant,
#define OCI_ENUM_ROW(constant, text)   { text, constant },

#define OCI_ENUM(tag, LIST)                                                                        \
  enum tag                                                                                         \
  {                                                                                                \
    LIST (OCI_ENUMERATOR)                                                                          \
  };                                                                                               \
  extern const struct enum_map tag##_map[];
#define OCI_DECLARE_ENUM(tag, LIST) OCI_ENUM (tag, LIST)
#define OCI_DEFINE_ENUM(tag, LIST)                                                                 \
  const struct enum_map tag##_map[] = { LIST (OCI_ENUM_ROW){ NULL, 0 } };

/* ---- structs --------------------------------------------------------------------------------- */

#define OCI_MEMBER(T, kind, ...) OCI_MEMBER_##kind (__VA_ARGS__)
/* clang-format off */
#define OCI_MEMBER_STRING(json, m, ...)          const char *m;
#define OCI_MEMBER_BOOL(json, m, ...)            bool m, has_##m;
#define OCI_MEMBER_U16(json, m, ...)             uint16_t m; bool has_##m;
#define OCI_MEMBER_U32(json, m, ...)             uint32_t m; bool has_##m;
#define OCI_MEMBER_U64(json, m, ...)             uint64_t m; bool has_##m;
#define OCI_MEMBER_I32(json, m, ...)             int32_t m; bool has_##m;
#define OCI_MEMBER_I64(json, m, ...)             int64_t m; bool has_##m;
#define OCI_MEMBER_ENUM(json, m, map, ...)       int m; bool has_##m;
#define OCI_MEMBER_OBJECT(json, m, tag, ...)     struct tag *m;
#define OCI_MEMBER_STRINGS(json, m, ...)         const char **m; size_t n_##m;
#define OCI_MEMBER_U32S(json, m, ...)            uint32_t *m; size_t n_##m;
#define OCI_MEMBER_ENUMS(json, m, map, ...)      int *m; size_t n_##m;
#define OCI_MEMBER_OBJECTS(json, m, tag, ...)    struct tag *m; size_t n_##m;
#define OCI_MEMBER_STRING_MAP(json, m, ...)      struct oci_pair *m; size_t n_##m;
#define OCI_MEMBER_OBJECT_MAP(json, m, tag, ...) struct tag *m; size_t n_##m;
#define OCI_MEMBER_IGNORED(json, ...)
/* clang-format on */

#define OCI_STRUCT(tag, LIST, ...)                                                                 \
  struct tag                                                                                       \
  {                                                                                                \
    uint64_t nulls;                                                                                \
    __VA_ARGS__                                                                                    \
    LIST (OCI_MEMBER, struct tag)                                                                  \
  };                                                                                               \
  extern const struct oci_table tag##_table;

#define OCI_DECLARE(tag, LIST)       OCI_STRUCT (tag, LIST)
#define OCI_DECLARE_KEYED(tag, LIST) OCI_STRUCT (tag, LIST, const char *key;)

/* ---- tables ---------------------------------------------------------------------------------- */

#define OCI_ROW(T, kind, ...) { OCI_ROW_##kind (T, __VA_ARGS__) },

#define OCI_ROW_AT(T, json, m, KIND, SHAPE, element, other)                                        \
  .name = json, .kind = OCI_KIND_##KIND, .shape = OCI_SHAPE_##SHAPE, .size = sizeof (element),     \
  .offset = offsetof (T, m), .beside = offsetof (T, other)
#define OCI_ROW_INTEGER(T, json, m, element, sign, ...)                                            \
  OCI_ROW_AT (T, json, m, INTEGER, ONE, element, has_##m), .is_signed = sign, __VA_ARGS__

#define OCI_ROW_STRING(T, json, m, ...)                                                            \
  OCI_ROW_AT (T, json, m, STRING, ONE, const char *, m), __VA_ARGS__
#define OCI_ROW_BOOL(T, json, m, ...) OCI_ROW_AT (T, json, m, BOOL, ONE, bool, has_##m), __VA_ARGS__
#define OCI_ROW_U16(T, json, m, ...)  OCI_ROW_INTEGER (T, json, m, uint16_t, false, __VA_ARGS__)
#define OCI_ROW_U32(T, json, m, ...)  OCI_ROW_INTEGER (T, json, m, uint32_t, false, __VA_ARGS__)
#define OCI_ROW_U64(T, json, m, ...)  OCI_ROW_INTEGER (T, json, m, uint64_t, false, __VA_ARGS__)
#define OCI_ROW_I32(T, json, m, ...)  OCI_ROW_INTEGER (T, json, m, int32_t, true, __VA_ARGS__)
#define OCI_ROW_I64(T, json, m, ...)  OCI_ROW_INTEGER (T, json, m, int64_t, true, __VA_ARGS__)
#define OCI_ROW_ENUM(T, json, m, tag, ...)                                                         \
  OCI_ROW_AT (T, json, m, ENUM, ONE, int, has_##m), .map = tag##_map, __VA_ARGS__
#define OCI_ROW_OBJECT(T, json, m, tag, ...)                                                       \
  OCI_ROW_AT (T, json, m, OBJECT, ONE, struct tag, m), .table = &tag##_table, __VA_ARGS__
#define OCI_ROW_STRINGS(T, json, m, ...)                                                           \
  OCI_ROW_AT (T, json, m, STRING, ARRAY, const char *, n_##m), __VA_ARGS__
#define OCI_ROW_U32S(T, json, m, ...)                                                              \
  OCI_ROW_AT (T, json, m, INTEGER, ARRAY, uint32_t, n_##m), __VA_ARGS__
#define OCI_ROW_ENUMS(T, json, m, tag, ...)                                                        \
  OCI_ROW_AT (T, json, m, ENUM, ARRAY, int, n_##m), .map = tag##_map, __VA_ARGS__
#define OCI_ROW_OBJECTS(T, json, m, tag, ...)                                                      \
  OCI_ROW_AT (T, json, m, OBJECT, ARRAY, struct tag, n_##m), .table = &tag##_table, __VA_ARGS__
#define OCI_ROW_STRING_MAP(T, json, m, ...)                                                        \
  OCI_ROW_AT (T, json, m, PAIR, MAP, struct oci_pair, n_##m), __VA_ARGS__
#define OCI_ROW_OBJECT_MAP(T, json, m, tag, ...)                                                   \
  OCI_ROW_AT (T, json, m, OBJECT, MAP, struct tag, n_##m), .table = &tag##_table, __VA_ARGS__
#define OCI_ROW_IGNORED(T, json, ...) .name = json, .kind = OCI_KIND_IGNORED

#define OCI_DEFINE(tag, LIST)                                                                      \
  static const struct oci_field tag##_fields[] = { LIST (OCI_ROW, struct tag) };                   \
  _Static_assert(sizeof tag##_fields / sizeof *tag##_fields <= 64, "a bit for each field");        \
  const struct oci_table tag##_table = {                                                           \
    .name = #tag,                                                                                  \
    .fields = tag##_fields,                                                                        \
    .n_fields = sizeof tag##_fields / sizeof *tag##_fields,                                        \
    .size = sizeof (struct tag),                                                                   \
  };

#endif
