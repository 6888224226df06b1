/* The names of a container for systemd: linux.cgroupsPath "slice:prefix:name" becomes a scope, its
 * slice and the path of its group, systemd.slice(5), systemd.unit(5). Pure.
 */
#define _GNU_SOURCE
#include "cgroup/systemd.h"

#include <limits.h>
#include <stdio.h>

#include "cgroup/cgroup.h"

enum
{
  MAX_NAME = 255,
};

static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:_.@\\-";

/* What a unit's name may not have is spelled \xNN, as systemd-escape(1) does. */
static void
put_escaped (struct buf *buf, const char *text)
{
  for (; *text != '\0'; text++)
    if (strchr (plain, *text) != NULL && *text != '\\')
      buf_append (buf, text, 1);
    else
      buf_format (buf, "\\x%02x", (unsigned) (unsigned char) *text);
}

static int
bad_path (struct tare_error *error, const char *path, const char *why)
{
  return fail_kind (error, TARE_ERROR_CONFIG, -EINVAL, "linux.cgroupsPath: '%s': %s", path, why);
}

/* "a-b.slice" lies in "a.slice"; "-.slice" is the root. */
static bool
is_slice (const char *name)
{
  size_t length = strlen (name);
  if (length > MAX_NAME || length <= 6 || !str_equal (name + length - 6, ".slice"))
    return false;
  if (str_equal (name, "-.slice"))
    return true;
  return strspn (name, plain) == length && name[0] != '-' && name[length - 7] != '-'
         && strstr (name, "--") == NULL;
}

/* "/a.slice/a-b.slice" */
static void
put_slice_path (struct buf *buf, const char *slice)
{
  size_t stem = strlen (slice) - 6;
  if (str_equal (slice, "-.slice"))
    return;
  for (size_t i = 1; i <= stem; i++)
    if (i == stem || slice[i] == '-')
      buf_format (buf, "/%.*s.slice", (int) i, slice);
}

struct parts
{
  char slice[MAX_NAME + 1], prefix[MAX_NAME + 1];
  const char *name;
};

static int
split (const struct cgroup_wish *wish, bool user, struct parts *parts, struct tare_error *error)
{
  const char *path = wish->cgroups_path;
  const char *slice = user ? "user.slice" : "system.slice";
  (void) snprintf (parts->slice, sizeof parts->slice, "%s", slice);
  (void) snprintf (parts->prefix, sizeof parts->prefix, "tare");
  parts->name = wish->id;
  if (path == NULL || *path == '\0')
    return 0;
  const char *first = strchr (path, ':');
  const char *second = first != NULL ? strchr (first + 1, ':') : NULL;
  if (second == NULL || strchr (second + 1, ':') != NULL)
    return bad_path (error, path, "with systemd it must be slice:prefix:name");
  if (first - path > MAX_NAME || second - first > MAX_NAME)
    return bad_path (error, path, "too long");
  if (first > path)
    (void) snprintf (parts->slice, sizeof parts->slice, "%.*s", (int) (first - path), path);
  (void) snprintf (parts->prefix, sizeof parts->prefix, "%.*s", (int) (second - first - 1),
                   first + 1);
  parts->name = second + 1;
  if (!is_slice (parts->slice))
    return bad_path (error, path, "its first part is not the name of a slice, 'a-b.slice'");
  return *parts->name != '\0' ? 0 : bad_path (error, path, "it has no name");
}

static int
check_subgroup (const char *name, struct tare_error *error)
{
  if (strchr (name, '/') == NULL && *name != '.' && strlen (name) <= NAME_MAX
      && str_after (name, "cgroup.") == NULL && strstr (name, ".scope") == NULL)
    return 0;
  return fail_kind (error, TARE_ERROR_CONFIG, -EINVAL,
                    "annotations[\"run.oci.systemd.subgroup\"]: '%s' is not the name of a cgroup",
                    name);
}

static const char *
find_subgroup (const struct cgroup_wish *wish)
{
  for (size_t i = 0; i < wish->n_annotations; i++)
    if (str_equal (wish->annotations[i].key, "run.oci.systemd.subgroup")
        && *wish->annotations[i].value != '\0')
      return wish->annotations[i].value;
  return NULL;
}

void
unit_free (struct cgroup_unit *unit)
{
  if (unit == NULL)
    return;
  free_pointer (&unit->name);
  free_pointer (&unit->slice);
  free_pointer (&unit->path);
  free_pointer (&unit->subgroup);
  free_pointer (&unit->id);
  buf_done (&unit->wishes);
  free (unit);
}

static void
put_name (struct buf *buf, const struct parts *parts)
{
  put_escaped (buf, parts->prefix);
  if (*parts->prefix != '\0')
    buf_text (buf, "-");
  put_escaped (buf, parts->name);
  buf_text (buf, ".scope");
}

static bool
fill (struct cgroup_unit *unit, const struct parts *parts, const char *id, const char *subgroup)
{
  struct buf name = { 0 }, path = { 0 };
  put_name (&name, parts);
  put_slice_path (&path, parts->slice);
  buf_text (&path, "/");
  put_name (&path, parts);
  if (subgroup != NULL)
    buf_format (&path, "/%s", subgroup);
  unit->name = buf_take (&name);
  unit->path = buf_take (&path);
  unit->slice = strdup (parts->slice);
  unit->id = strdup (id);
  unit->subgroup = subgroup != NULL ? strdup (subgroup) : NULL;
  return unit->name != NULL && unit->path != NULL && unit->slice != NULL && unit->id != NULL
         && (subgroup == NULL || unit->subgroup != NULL);
}

int
unit_plan (const struct cgroup_wish *wish, bool user, struct cgroup_unit **ret_unit,
           struct tare_error *error)
{
  struct parts parts;
  const char *subgroup = find_subgroup (wish);
  int r = split (wish, user, &parts, error);
  if (r >= 0 && subgroup != NULL)
    r = check_subgroup (subgroup, error);
  if (r < 0)
    return r;
  struct cgroup_unit *unit = calloc (1, sizeof *unit);
  if (unit == NULL || !fill (unit, &parts, wish->id, subgroup))
    r = fail (error, ENOMEM, "plan a unit");
  else if (strlen (unit->name) > MAX_NAME)
    r = bad_path (error, unit->name, "too long for the name of a unit");
  else
    r = put_annotations (&unit->wishes, wish->annotations, wish->n_annotations, error);
  if (r < 0)
    {
      unit_free (unit);
      return r;
    }
  unit->resources = wish->resources;
  *ret_unit = unit;
  return 0;
}

bool
unit_of_path (const char *path, char *name, size_t size, const char **ret_rest)
{
  static const char suffix[] = ".scope";
  while (*path != '\0')
    {
      path += strspn (path, "/");
      size_t length = strcspn (path, "/"), tail = strlen (suffix);
      if (length > tail && length < size && memcmp (path + length - tail, suffix, tail) == 0)
        {
          memcpy (name, path, length);
          name[length] = '\0';
          *ret_rest = path + length;
          return true;
        }
      path += length;
    }
  return false;
}
