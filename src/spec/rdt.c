/* linux.intelRdt as text: what goes to a group's `schemata`, and whether that is there already.
 * Serves config-linux.md "IntelRdt" and the kernel's filesystems/resctrl.rst. Pure. */
#include <string.h>

#include "spec/internal.h"

/* A part of a text, without the blanks at its ends. */
struct piece
{
  const char *at;
  size_t length;
};

static struct piece
trim (struct piece piece)
{
  while (piece.length > 0 && *piece.at == ' ')
    piece = (struct piece){ piece.at + 1, piece.length - 1 };
  while (piece.length > 0 && piece.at[piece.length - 1] == ' ')
    piece.length--;
  return piece;
}

/* Takes what is before the separator, or all, off the front of rest. */
static struct piece
cut (struct piece *rest, char separator)
{
  const char *end = memchr (rest->at, separator, rest->length);
  size_t length = end != NULL ? (size_t) (end - rest->at) : rest->length;
  struct piece piece = { rest->at, length };
  size_t used = length + (end != NULL);
  *rest = (struct piece){ rest->at + used, rest->length - used };
  return trim (piece);
}

static bool
same (struct piece a, struct piece b)
{
  return a.length == b.length && memcmp (a.at, b.at, a.length) == 0;
}

/* ---- what to write --------------------------------------------------------------------------- */

/* The kernel takes only whole lines. */
static void
add_line (struct buf *buf, struct piece line)
{
  buf_append (buf, line.at, line.length);
  buf_text (buf, "\n");
}

static void
add_l3_lines (struct buf *buf, const struct oci_intel_rdt *rdt)
{
  static const struct piece bandwidth = { "MB", 2 };
  struct piece rest = { rdt->l3_cache_schema, strlen (rdt->l3_cache_schema) };
  while (rest.length > 0)
    {
      struct piece line = cut (&rest, '\n'), tail = line;
      /* config-linux.md: then memBwSchema stands instead of such a line */
      if (line.length > 0 && (rdt->mem_bw_schema == NULL || !same (cut (&tail, ':'), bandwidth)))
        add_line (buf, line);
    }
}

void
spec_rdt_schemata (const struct oci_intel_rdt *rdt, struct buf *buf)
{
  if (rdt->l3_cache_schema != NULL)
    add_l3_lines (buf, rdt);
  if (rdt->mem_bw_schema != NULL)
    add_line (buf, (struct piece){ rdt->mem_bw_schema, strlen (rdt->mem_bw_schema) });
  for (size_t i = 0; i < rdt->n_schemata; i++)
    add_line (buf, (struct piece){ rdt->schemata[i], strlen (rdt->schemata[i]) });
}

/* ---- what is there --------------------------------------------------------------------------- */

/* Numbers, decimal or hexadecimal: the kernel pads some and leaves others as they are. */
static bool
same_number (struct piece a, struct piece b)
{
  while (a.length > 1 && *a.at == '0')
    a = (struct piece){ a.at + 1, a.length - 1 };
  while (b.length > 1 && *b.at == '0')
    b = (struct piece){ b.at + 1, b.length - 1 };
  return a.length == b.length && strncasecmp (a.at, b.at, a.length) == 0;
}

/* Does the list "0=ff;1=f" have this domain, with this value? */
static bool
has_domain (struct piece list, struct piece wanted)
{
  struct piece value = wanted, domain = cut (&value, '=');
  while (list.length > 0)
    {
      struct piece there = cut (&list, ';'), its_domain = cut (&there, '=');
      if (same_number (domain, its_domain))
        return same_number (trim (value), trim (there));
    }
  return false;
}

/* Domains that a line does not name are as they are. */
static bool
has_line (struct piece existing, struct piece wanted)
{
  struct piece name = cut (&wanted, ':');
  while (existing.length > 0)
    {
      struct piece list = cut (&existing, '\n');
      if (!same (name, cut (&list, ':')))
        continue;
      while (wanted.length > 0)
        if (!has_domain (list, cut (&wanted, ';')))
          return false;
      return true;
    }
  return false;
}

bool
spec_rdt_matches (const char *wanted, const char *existing)
{
  struct piece rest = { wanted, strlen (wanted) };
  while (rest.length > 0)
    if (!has_line ((struct piece){ existing, strlen (existing) }, cut (&rest, '\n')))
      return false;
  return true;
}

/* ---- rules ----------------------------------------------------------------------------------- */

static int
check_class (const char *class, struct tare_error *error)
{
  static const char *const kernels[] = { "info", "mon_groups", "mon_data", ".", ".." };
  if (str_equal (class, "/"))
    return 0; /* the root's own */
  bool bad = *class == '\0' || strpbrk (class, "/\n") != NULL;
  for (size_t i = 0; i < COUNT_OF (kernels); i++)
    bad = bad || str_equal (class, kernels[i]);
  if (!bad)
    return 0;
  return config_error (error, "linux.intelRdt.closID: '%s' is not the name of a class, or '/'",
                       class);
}

int
spec_check_rdt (const struct spec *spec, struct tare_error *error)
{
  const struct oci_linux *linux = spec->config->linux;
  const struct oci_intel_rdt *rdt = linux != NULL ? linux->intel_rdt : NULL;
  if (rdt == NULL)
    return 0;
  for (size_t i = 0; i < rdt->n_schemata; i++)
    if (strchr (rdt->schemata[i], '\n') != NULL || strchr (rdt->schemata[i], ':') == NULL)
      return config_error (error, "linux.intelRdt.schemata[%zu]: '%s' is not one line NAME:...", i,
                           rdt->schemata[i]);
  return rdt->clos_id != NULL ? check_class (rdt->clos_id, error) : 0;
}
