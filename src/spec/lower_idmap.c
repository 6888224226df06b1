/* The id maps of a mount: from uidMappings and gidMappings, from the text of an option
 * ("idmap=uids=0-1000-10#10-2000-5;gids=..."), or those of the container's user namespace. Serves
 * config.md "Mounts" (uidMappings, idmap, ridmap).
 *
 * A map says how ids in the file system (first) appear on the host (second); it becomes the text
 * that /proc/PID/uid_map takes (user_namespaces(7)).
 */
#include <linux/sched.h>

#include "spec/internal.h"

enum
{
  MOST_LINES = 340, /* user_namespaces(7) */
};

struct map
{
  const char *name; /* for errors: "uidMappings", "uids" */
  struct buf text;
  size_t lines;
};

static int
add_line (struct map *map, const struct spec_mount *mount, uint64_t inside, uint64_t outside,
          uint64_t size, struct tare_error *error)
{
  if (size == 0 || inside + size > UINT32_MAX || outside + size > UINT32_MAX)
    return config_error (error, "%s %s: %s[%zu]: %llu ids from %llu and %llu are no range of ids",
                         mount->label, mount->target, map->name, map->lines,
                         (unsigned long long) size, (unsigned long long) inside,
                         (unsigned long long) outside);
  if (++map->lines > MOST_LINES)
    return config_error (error, "%s %s: %s: more than the %d ranges that the kernel takes",
                         mount->label, mount->target, map->name, MOST_LINES);
  buf_format (&map->text, "%llu %llu %llu\n", (unsigned long long) inside,
              (unsigned long long) outside, (unsigned long long) size);
  return 0;
}

static int
finish (struct spec *spec, struct map *map, const char **ret_text, struct tare_error *error)
{
  *ret_text =
      map->text.failed ? NULL : arena_copy (&spec->arena, map->text.bytes, map->text.length);
  return *ret_text == NULL ? fail (error, ENOMEM, "%s", map->name) : 0;
}

/* ---- uidMappings, gidMappings --------------------------------------------------------------- */

static int
lower_mappings (struct spec *spec, const struct spec_mount *mount, const char *name,
                const struct oci_id_mapping *mappings, size_t count, const char **ret_text,
                struct tare_error *error)
{
  struct map map = { .name = name };
  int r = 0;
  for (size_t i = 0; r >= 0 && i < count; i++)
    r = add_line (&map, mount, mappings[i].container_id, mappings[i].host_id, mappings[i].size,
                  error);
  if (r >= 0)
    r = finish (spec, &map, ret_text, error);
  buf_done (&map.text);
  return r;
}

/* ---- the option ------------------------------------------------------------------------------ */

/* "@": the second id is one of the container; this is the host's. */
static int
to_host (const struct oci_id_mapping *mappings, size_t count, uint64_t *id, uint64_t size)
{
  for (size_t i = 0; i < count; i++)
    if (*id >= mappings[i].container_id
        && *id + size <= (uint64_t) mappings[i].container_id + mappings[i].size)
      {
        *id = *id - mappings[i].container_id + mappings[i].host_id;
        return 0;
      }
  return -ERANGE;
}

static int
read_number (const char **at, char end, uint64_t *ret_number)
{
  char digits[16];
  size_t length = strspn (*at, "0123456789");
  if (length >= sizeof digits || (end != '\0' && (*at)[length] != end))
    return -EINVAL;
  memcpy (digits, *at, length);
  digits[length] = '\0';
  *at += length + (end != '\0');
  return parse_u64 (digits, UINT32_MAX, ret_number);
}

static int
read_triplet (const char **at, uint64_t numbers[3])
{
  static const char ends[3] = { '-', '-', '\0' };
  for (int i = 0; i < 3; i++)
    if (read_number (at, ends[i], &numbers[i]) < 0)
      return -EINVAL;
  return **at == '#' || **at == ';' || **at == '\0' ? 0 : -EINVAL;
}

/* What follows "uids=" or "gids=". *at is left at the ';' or the end. */
static int
read_list (const struct spec *spec, const struct spec_mount *mount, struct map *map, bool uids,
           const char **at, struct tare_error *error)
{
  const struct oci_linux *linux = spec->config->linux;
  const struct oci_id_mapping *own = NULL;
  size_t n_own = 0;
  if (linux != NULL)
    {
      own = uids ? linux->uid_mappings : linux->gid_mappings;
      n_own = uids ? linux->n_uid_mappings : linux->n_gid_mappings;
    }
  for (;;)
    {
      uint64_t numbers[3];
      bool relative = **at == '@';
      *at += relative;
      if (read_triplet (at, numbers) < 0)
        return config_error (error, "%s %s: idmap=%s: %s wants ID-ID-SIZE, with # between",
                             mount->label, mount->target, mount->idmap, map->name);
      if (relative && to_host (own, n_own, &numbers[1], numbers[2]) < 0)
        return config_error (error,
                             "%s %s: idmap=%s: %s: @%llu and the %llu ids from it are not in one "
                             "range of the container's own mappings",
                             mount->label, mount->target, mount->idmap, map->name,
                             (unsigned long long) numbers[1], (unsigned long long) numbers[2]);
      int r = add_line (map, mount, numbers[0], numbers[1], numbers[2], error);
      if (r < 0 || **at != '#')
        return r;
      (*at)++;
    }
}

static int
read_lists (const struct spec *spec, const struct spec_mount *mount, struct map maps[2],
            struct tare_error *error)
{
  const char *at = mount->idmap;
  while (*at != '\0')
    {
      bool uids = str_after (at, "uids=") != NULL;
      struct map *map = &maps[uids ? 0 : 1];
      if (!uids && str_after (at, "gids=") == NULL)
        break;
      at += strlen ("uids=");
      int r = read_list (spec, mount, map, uids, &at, error);
      if (r < 0)
        return r;
      at += *at == ';';
    }
  if (*at == '\0' && maps[0].lines > 0 && maps[1].lines > 0)
    return 0;
  return config_error (error, "%s %s: idmap=%s: wants uids=... and gids=..., with ; between",
                       mount->label, mount->target, mount->idmap);
}

static int
lower_text (struct spec *spec, struct spec_mount *mount, struct tare_error *error)
{
  struct map maps[2] = { { .name = "uids" }, { .name = "gids" } };
  int r = read_lists (spec, mount, maps, error);
  if (r >= 0)
    r = finish (spec, &maps[0], &mount->uid_map, error);
  if (r >= 0)
    r = finish (spec, &maps[1], &mount->gid_map, error);
  buf_done (&maps[0].text);
  buf_done (&maps[1].text);
  return r;
}

/* ---- both ------------------------------------------------------------------------------------ */

void
spec_lower_idmap_option (struct spec_mount *mount, const char *text)
{
  const char *value = strchr (text, '=');
  mount->idmap = value != NULL ? value + 1 : NULL;
}

static int
check_sources (const struct spec *spec, const struct spec_mount *mount,
               const struct oci_mount *from, struct tare_error *error)
{
  bool uids = from->n_uid_mappings > 0, gids = from->n_gid_mappings > 0;
  if (uids != gids)
    return config_error (error, "%s %s: %s: needs %s beside it", mount->label, mount->target,
                         uids ? "uidMappings" : "gidMappings",
                         uids ? "gidMappings" : "uidMappings");
  if (uids && mount->idmap != NULL)
    return config_error (error, "%s %s: idmap=%s: there are uidMappings too", mount->label,
                         mount->target, mount->idmap);
  if (uids || mount->idmap != NULL || (mount->flags & PLAN_MOUNT_IDMAP) == 0)
    return 0;
  if (((spec->new_namespaces | spec->joined_namespaces) & CLONE_NEWUSER) != 0)
    return 0;
  return config_error (error,
                       "%s %s: idmap: needs uidMappings and gidMappings, for the container has no "
                       "user namespace",
                       mount->label, mount->target);
}

int
spec_lower_idmap (struct spec *spec, struct spec_mount *mount, const struct oci_mount *from,
                  struct tare_error *error)
{
  int r = check_sources (spec, mount, from, error);
  if (r < 0)
    return r;
  if (mount->idmap != NULL)
    return lower_text (spec, mount, error);
  if (from->n_uid_mappings == 0)
    return 0;
  mount->flags |= PLAN_MOUNT_IDMAP;
  r = lower_mappings (spec, mount, "uidMappings", from->uid_mappings, from->n_uid_mappings,
                      &mount->uid_map, error);
  return r < 0 ? r
               : lower_mappings (spec, mount, "gidMappings", from->gid_mappings,
                                 from->n_gid_mappings, &mount->gid_map, error);
}
