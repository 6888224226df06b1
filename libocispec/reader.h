/* Private to the reader: its stack, and how it refuses. */
#ifndef TARE_LIBOCISPEC_READER_H
#define TARE_LIBOCISPEC_READER_H

#include <yajl/yajl_parse.h>

#include "libocispec/table.h"

enum form
{
  FORM_OBJECT, /* of a table */
  FORM_MAP,    /* of a field: strings, or objects with a key */
  FORM_ARRAY,  /* of a field */
  FORM_SKIPPED_OBJECT,
  FORM_SKIPPED_ARRAY,
};

struct key
{
  const char *text;
  size_t length;
  size_t offset;
};

struct frame
{
  enum form form;
  const struct oci_table *table; /* of FORM_OBJECT */
  const struct oci_field *field; /* FORM_OBJECT: of the value to come, NULL if unknown;
                                    FORM_MAP, FORM_ARRAY: the field that this is the value of */
  char *object;                  /* FORM_OBJECT: itself; else the object that field belongs to */
  uint64_t seen;                 /* fields of FORM_OBJECT, by index */
  char *items;
  size_t n, capacity; /* complete items */
  struct key key;     /* of the value to come */
  size_t first_key;   /* in reader.keys */
  size_t start;       /* offset behind the bracket */
};

struct reader
{
  struct arena *arena;
  const struct oci_source *source;
  const struct oci_table *table;
  struct tare_error *error;
  int r;
  void *root;
  yajl_handle yajl;
  struct frame frames[OCI_DEPTH_MAX];
  size_t depth;
  struct key *keys; /* of all open objects, but for those known by their bit in seen */
  size_t n_keys, keys_capacity;
  size_t unknown;
};

/* What the value that begins now belongs to. */
struct slot
{
  bool skip;
  const struct oci_field *field; /* NULL: the root */
  enum oci_kind kind;
  enum oci_shape shape;
};

static inline size_t
offset_now (const struct reader *reader)
{
  return yajl_get_bytes_consumed (reader->yajl);
}

/* Each ends the reading and returns 0, which makes yajl stop.
 * "<name>: <path>: <text> (line N)" */
int refuse (struct reader *reader, size_t offset, const char *path, const char *text);
/* The value that begins now, or has just ended, is wrong. */
int refuse_value (struct reader *reader, const char *format, ...) PRINTF_LIKE (2, 3);
int refuse_type (struct reader *reader, const struct slot *slot, const char *found);
/* A key of the object that is open. */
int refuse_duplicate (struct reader *reader, const struct key *key);
int refuse_missing (struct reader *reader, const char *name);
int refuse_memory (struct reader *reader);

#endif
