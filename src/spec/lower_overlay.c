/* The directories of an overlay mount: relative ones begin at the bundle, and a list of layers that
 * is too long for one option becomes an option a layer. Serves docs/overlay.md and the kernel's
 * Documentation/filesystems/overlayfs.rst. Text only, no path is looked at.
 */
#include "spec/internal.h"

enum
{
  MOST = 255, /* bytes of one value, for fsconfig(2) */
};

/* Which options name directories, and what has a meaning in them that must be escaped. */
static const struct
{
  const char *key, *special;
} directories[] = {
  { "upperdir=", "\\" },
  { "workdir=", "\\" },
  { "lowerdir+=", "" },
  { "datadir+=", "" },
};

static void
append_escaped (struct buf *buf, const char *text, const char *special)
{
  for (; *text != '\0'; text++)
    {
      if (strchr (special, *text) != NULL)
        buf_append (buf, "\\", 1);
      buf_append (buf, text, 1);
    }
}

/* An empty one is a sign: what follows is a layer of data only. */
static void
append_directory (const struct spec *spec, struct buf *buf, const char *text, size_t length,
                  const char *special)
{
  if (length > 0 && *text != '/')
    {
      append_escaped (buf, spec->bundle, special);
      buf_append (buf, "/", 1);
    }
  buf_append (buf, text, length);
}

/* Up to the next ':' that is not escaped. */
static size_t
layer_length (const char *text)
{
  size_t length = 0;
  while (text[length] != '\0' && text[length] != ':')
    length += text[length] == '\\' && text[length + 1] != '\0' ? 2 : 1;
  return length;
}

static const char *
take_text (struct spec *spec, struct buf *buf)
{
  const char *copy = buf->failed ? NULL : arena_copy (&spec->arena, buf->bytes, buf->length);
  buf_done (buf);
  return copy;
}

static const char *
whole_list (struct spec *spec, const char *layers)
{
  struct buf buf = { 0 };
  buf_text (&buf, "lowerdir=");
  for (const char *at = layers; *at != '\0';)
    {
      size_t length = layer_length (at);
      append_directory (spec, &buf, at, length, ":\\");
      at += length;
      if (*at == ':')
        buf_append (&buf, at++, 1);
    }
  return take_text (spec, &buf);
}

/* "lowerdir+" and "datadir+" take a path as it is. */
static const char *
one_layer (struct spec *spec, const char *key, const char *text, size_t length)
{
  struct buf buf = { 0 };
  buf_text (&buf, key);
  if (*text != '/')
    buf_format (&buf, "%s/", spec->bundle);
  for (size_t i = 0; i < length; i++)
    {
      i += text[i] == '\\' && i + 1 < length;
      buf_append (&buf, text + i, 1);
    }
  return take_text (spec, &buf);
}

static int
add_layers (struct spec *spec, const char *layers, const char **data, size_t *n_data)
{
  const char *key = "lowerdir+=";
  for (const char *at = layers; *at != '\0';)
    {
      size_t length = layer_length (at);
      if (length == 0)
        key = "datadir+=";
      else if ((data[(*n_data)++] = one_layer (spec, key, at, length)) == NULL)
        return -ENOMEM;
      at += length;
      at += *at == ':';
    }
  return 0;
}

static int
add_option (struct spec *spec, const char *option, const char **data, size_t *n_data)
{
  const char *layers = str_after (option, "lowerdir=");
  if (layers != NULL)
    {
      const char *list = whole_list (spec, layers);
      if (list != NULL && strlen (list) > strlen ("lowerdir=") + MOST)
        return add_layers (spec, layers, data, n_data);
      data[(*n_data)++] = list;
      return list == NULL ? -ENOMEM : 0;
    }
  for (size_t i = 0; i < COUNT_OF (directories); i++)
    {
      const char *path = str_after (option, directories[i].key);
      struct buf buf = { 0 };
      if (path == NULL)
        continue;
      buf_text (&buf, directories[i].key);
      append_directory (spec, &buf, path, strlen (path), directories[i].special);
      option = take_text (spec, &buf);
      break;
    }
  data[(*n_data)++] = option;
  return option == NULL ? -ENOMEM : 0;
}

int
spec_lower_overlay (struct spec *spec, struct spec_mount *mount, struct tare_error *error)
{
  size_t most = mount->n_data, n_data = 0;
  for (size_t i = 0; i < mount->n_data; i++)
    for (const char *at = mount->data[i]; *at != '\0'; at++)
      most += *at == ':';
  const char **data = arena_allocate (&spec->arena, (most + 1) * sizeof *data);
  int r = data == NULL ? -ENOMEM : 0;
  for (size_t i = 0; r >= 0 && i < mount->n_data; i++)
    r = add_option (spec, mount->data[i], data, &n_data);
  if (r < 0)
    return fail (error, r, "%s %s", mount->label, mount->target);
  mount->data = data;
  mount->n_data = n_data;
  return 0;
}
