/* Properties of a unit: from words on standard input to values of the bus. */
#define _GNU_SOURCE
#include "manager.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"

enum
{
  MAX_BYTES = 1 << 20,
};

/* ---- reading --------------------------------------------------------------------------------- */

static int
read_all (int fd, char **ret_bytes, size_t *ret_length)
{
  size_t length = 0;
  char *bytes = malloc (MAX_BYTES + 1);
  if (bytes == NULL)
    return -ENOMEM;
  for (;;)
    {
      ssize_t n = read (fd, bytes + length, MAX_BYTES + 1 - length);
      if (n < 0 && errno == EINTR)
        continue;
      if (n <= 0 || (length += (size_t) n) > MAX_BYTES)
        break;
    }
  if (length > MAX_BYTES || (length > 0 && bytes[length - 1] != '\0'))
    {
      free (bytes);
      return -EBADMSG;
    }
  *ret_bytes = bytes;
  *ret_length = length;
  return 0;
}

/* A pointer to each word. */
static int
split (struct properties *properties, size_t length, size_t *ret_count)
{
  size_t count = 0;
  for (size_t i = 0; i < length; i++)
    count += properties->bytes[i] == '\0';
  properties->words = calloc (count + 1, sizeof *properties->words);
  properties->items = calloc (count / 3 + 1, sizeof *properties->items);
  if (properties->words == NULL || properties->items == NULL)
    return -ENOMEM;
  const char *word = properties->bytes;
  for (size_t i = 0; i < count; i++, word += strlen (word) + 1)
    properties->words[i] = word;
  *ret_count = count;
  return 0;
}

static int
parse (struct properties *properties, size_t n_words)
{
  const char *const *words = properties->words;
  for (size_t i = 0; i < n_words;)
    {
      if (n_words - i < 3)
        return -EBADMSG;
      uint64_t count;
      if (parse_u64 (words[i + 2], n_words - i - 3, &count) < 0)
        return -EBADMSG;
      bool optional = words[i][0] == '?';
      properties->items[properties->count++] = (struct property){
        .name = words[i] + optional,
        .signature = words[i + 1],
        .values = words + i + 3,
        .count = count,
        .optional = optional,
      };
      i += 3 + count;
    }
  return 0;
}

int
properties_read (int fd, struct properties *ret_properties)
{
  size_t length = 0, n_words = 0;
  *ret_properties = (struct properties){ 0 };
  int r = read_all (fd, &ret_properties->bytes, &length);
  if (r >= 0)
    r = split (ret_properties, length, &n_words);
  return r < 0 ? r : parse (ret_properties, n_words);
}

void
properties_done (struct properties *properties)
{
  free (properties->items);
  free (properties->words);
  free (properties->bytes);
  *properties = (struct properties){ 0 };
}

/* ---- writing --------------------------------------------------------------------------------- */

static int
append_number (sd_bus_message *message, char type, const char *text)
{
  uint64_t number;
  int64_t with_sign;
  int r;
  switch (type)
    {
    case 't':
      r = parse_u64 (text, UINT64_MAX, &number);
      return r < 0 ? r : sd_bus_message_append_basic (message, type, &number);
    case 'u':
      r = parse_u64 (text, UINT32_MAX, &number);
      return r < 0 ? r
                   : sd_bus_message_append_basic (message, type, &(uint32_t){ (uint32_t) number });
    case 'i':
      r = parse_i64 (text, INT32_MIN, INT32_MAX, &with_sign);
      return r < 0 ? r
                   : sd_bus_message_append_basic (message, type, &(int32_t){ (int32_t) with_sign });
    default:
      return -EINVAL;
    }
}

static int
append_basic (sd_bus_message *message, char type, const char *text)
{
  if (type == 's')
    return sd_bus_message_append_basic (message, type, text);
  if (type == 'b')
    return sd_bus_message_append_basic (message, type, &(int){ strcmp (text, "1") == 0 });
  return append_number (message, type, text);
}

static int
hex_digit (char c)
{
  const char *digits = "0123456789abcdef", *at = c != '\0' ? strchr (digits, c) : NULL;
  return at != NULL ? (int) (at - digits) : -EINVAL;
}

/* One value, "01ff". */
static int
append_bytes (sd_bus_message *message, const char *text)
{
  size_t length = strlen (text) / 2;
  void *space;
  int r = sd_bus_message_append_array_space (message, 'y', length, &space);
  for (size_t i = 0; r >= 0 && i < length; i++)
    {
      int high = hex_digit (text[2 * i]), low = hex_digit (text[2 * i + 1]);
      if (high < 0 || low < 0)
        return -EINVAL;
      ((uint8_t *) space)[i] = (uint8_t) (high << 4 | low);
    }
  return r;
}

/* "(st)": as many values as there are types make one item. */
static int
append_structs (sd_bus_message *message, const struct property *p)
{
  char types[8] = "";
  size_t n_types = strlen (p->signature) - 3; /* a ( ... ) */
  if (n_types == 0 || n_types >= sizeof types || p->count % n_types != 0)
    return -EINVAL;
  memcpy (types, p->signature + 2, n_types);
  int r = sd_bus_message_open_container (message, 'a', p->signature + 1);
  for (size_t i = 0; r >= 0 && i < p->count; i++)
    {
      if (i % n_types == 0)
        r = sd_bus_message_open_container (message, 'r', types);
      if (r >= 0)
        r = append_basic (message, types[i % n_types], p->values[i]);
      if (r >= 0 && i % n_types == n_types - 1)
        r = sd_bus_message_close_container (message);
    }
  return r < 0 ? r : sd_bus_message_close_container (message);
}

static int
append_list (sd_bus_message *message, const struct property *p)
{
  int r = sd_bus_message_open_container (message, 'a', p->signature + 1);
  for (size_t i = 0; r >= 0 && i < p->count; i++)
    r = append_basic (message, p->signature[1], p->values[i]);
  return r < 0 ? r : sd_bus_message_close_container (message);
}

static int
append_value (sd_bus_message *message, const struct property *p)
{
  if (p->signature[0] == 'a' && p->signature[1] == '(')
    return append_structs (message, p);
  if (p->signature[0] == 'a' && p->signature[1] != 'y')
    return append_list (message, p);
  if (p->count != 1)
    return -EINVAL;
  if (p->signature[0] == 'a')
    return append_bytes (message, p->values[0]);
  return append_basic (message, p->signature[0], p->values[0]);
}

static int
append_property (sd_bus_message *message, const struct property *p)
{
  int r = sd_bus_message_open_container (message, 'r', "sv");
  if (r >= 0)
    r = sd_bus_message_append_basic (message, 's', p->name);
  if (r >= 0)
    r = sd_bus_message_open_container (message, 'v', p->signature);
  if (r >= 0)
    r = append_value (message, p);
  if (r >= 0)
    r = sd_bus_message_close_container (message);
  return r < 0 ? r : sd_bus_message_close_container (message);
}

int
properties_append (sd_bus_message *message, const struct properties *properties)
{
  int r = sd_bus_message_open_container (message, 'a', "(sv)");
  for (size_t i = 0; r >= 0 && i < properties->count; i++)
    if (!properties->items[i].left_out)
      r = append_property (message, &properties->items[i]);
  return r < 0 ? r : sd_bus_message_close_container (message);
}

/* "Cannot set property AllowedCPUs, or unknown property." */
static bool
names (const char *text, const char *name)
{
  size_t length = strlen (name);
  for (const char *at = text; (at = strstr (at, name)) != NULL; at += length)
    if ((at == text || at[-1] == ' ') && strchr (" ,.", at[length]) != NULL)
      return true;
  return false;
}

bool
properties_drop (struct properties *properties, const char *text)
{
  for (size_t i = 0; i < properties->count; i++)
    {
      struct property *p = &properties->items[i];
      if (p->optional && !p->left_out && names (text, p->name))
        {
          p->left_out = true;
          return true;
        }
    }
  return false;
}
