/* Limits into the files of a group, and back to what they were where an update fails half way.
 *
 * Owns the order of writing and what a missing file means; may not know what a limit means. Serves
 * cgroupfs of both versions (admin-guide/cgroup-v1, cgroup-v2).
 */
#define _GNU_SOURCE
#include "cgroup/private.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>

enum
{
  KERNEL_ENOTSUPP = 524, /* not an errno of user space, but memory.kmem.* gives it */
};

/* ---- what they are here -----------------------------------------------------------------------
 */

static void
add_controllers (struct buf *v1, const struct cgroup_hierarchy *h)
{
  if (str_after (h->controllers, "name=") == NULL)
    buf_format (v1, "%s,", h->controllers);
}

/* The topmost group above path whose children's controllers are ours to enable; else the nearest
 * that exists. */
static int
open_giver (int root, const char *path)
{
  size_t length = 0;
  for (;;)
    {
      char above[PATH_MAX];
      (void) snprintf (above, sizeof above, "%.*s", (int) length, path);
      autoclose int group = group_open (root, above, O_RDONLY);
      if (group < 0 || path[length] == '\0')
        return group_open_nearest (root, path);
      if (group_is_writable (group, "cgroup.subtree_control"))
        return take_fd (&group);
      length += 1 + strcspn (path + length + 1, "/");
    }
}

/* In the v2 tree those count that the group has, or will have: making it will enable them from
 * the first group on that lets us. */
static void
v2_controllers (struct buf *v2, const struct cgroup_hierarchy *h)
{
  char text[1024];
  autoclose int above = h->fd < 0 ? open_giver (h->root, h->path) : -EBADF;
  int group = h->fd < 0 ? above : h->fd;
  if (group >= 0 && group_read (group, "cgroup.controllers", text, sizeof text) >= 0)
    buf_text (v2, text);
}

int
compile_for (const struct cgroup *cgroup, const struct oci_resources *resources,
             struct cgroup_settings *ret_settings, struct tare_error *error)
{
  auto_ (buf)
  struct buf v1 = { 0 };
  auto_ (buf)
  struct buf v2 = { 0 };
  buf_text (&v1, "");
  buf_text (&v2, "");
  for (size_t i = 0; i < cgroup->n_hierarchies; i++)
    if (cgroup->hierarchies[i].v2)
      v2_controllers (&v2, &cgroup->hierarchies[i]);
    else
      add_controllers (&v1, &cgroup->hierarchies[i]);
  if (v1.failed || v2.failed)
    return fail (error, ENOMEM, "compile limits");
  const struct cgroup_facts facts = { .v1 = v1.bytes, .v2 = v2.bytes };
  return cgroup_compile (&facts, resources, ret_settings, error);
}

/* ---- to the files ---------------------------------------------------------------------------- */

/* The number that the file holds must be below the new limit. */
static int
check_usage (int group, const struct cgroup_setting *s, struct tare_error *error)
{
  char text[32];
  uint64_t usage, limit;
  if (group_read (group, s->file, text, sizeof text) < 0 || parse_u64 (text, UINT64_MAX, &usage) < 0
      || parse_u64 (s->value, UINT64_MAX, &limit) < 0 || usage < limit)
    return 0;
  return fail_kind (error, TARE_ERROR_SYSTEM, -EBUSY,
                    "linux.resources.%s: %s is not above the present usage (%s is %s)", s->property,
                    s->value, s->file, text);
}

static bool
is_absent (int r)
{
  return r == -ENOENT || r == -EOPNOTSUPP || r == -KERNEL_ENOTSUPP;
}

static int
write_setting (const struct cgroup *cgroup, const struct cgroup_setting *s,
               struct tare_error *error)
{
  const struct cgroup_hierarchy *h = hierarchy_held (cgroup, s->v2 ? NULL : s->controller);
  if (h == NULL)
    return fail_kind (error, TARE_ERROR_SYSTEM, -ENOENT, "%s: the container has no group for it",
                      s->file);
  if (s->flags & SETTING_CHECK)
    return check_usage (h->fd, s, error);
  int r = group_write (h->fd, s->file, s->value);
  if (is_absent (r) && s->flags & SETTING_OPTIONAL)
    {
      log_at (cgroup->log, s->flags & SETTING_QUIET ? TARE_LOG_DEBUG : TARE_LOG_WARNING,
              "linux.resources.%s: left out: this kernel does not take %s", s->property, s->file);
      return 0;
    }
  return r < 0
             ? fail (error, r, "linux.resources.%s: %s: write '%s'", s->property, s->file, s->value)
             : 0;
}

/* Tries s. 1: written; 0: the next setting stands for it; or it failed for now, and is pending. */
static int
try_setting (const struct cgroup *cgroup, struct cgroup_setting *s, struct tare_error *error)
{
  int r = write_setting (cgroup, s, error);
  bool next = r == -ENOENT && s->flags & SETTING_ELSE;
  s->pending = r < 0 && !next && s->flags & SETTING_RETRY;
  if (r >= 0)
    return 1;
  if (!next && !s->pending)
    return r;
  if (error != NULL)
    *error = (struct tare_error){ 0 };
  return next ? 0 : 1;
}

/* Writes in order. Where one needs a later one first (raising memory and swap, quota and period),
 * it is tried again at the end. */
int
settings_write (const struct cgroup *cgroup, struct cgroup_settings *settings,
                struct tare_error *error)
{
  int r = 0;
  for (size_t i = 0; i < settings->count; i++)
    {
      r = try_setting (cgroup, &settings->items[i], error);
      if (r < 0)
        return r;
      while (r > 0 && settings->items[i].flags & SETTING_ELSE && i + 1 < settings->count)
        i++;
    }
  for (size_t i = 0; r >= 0 && i < settings->count; i++)
    r = settings->items[i].pending ? write_setting (cgroup, &settings->items[i], error) : 0;
  return r < 0 ? r : 0;
}

/* ---- back ------------------------------------------------------------------------------------ */

enum
{
  MOST_TEXT = 16384,
};

/* "8:0 1048576" is the setting of one device, of one interface; "50000 100000" is all there is. */
static bool
has_key (const struct cgroup_setting *s)
{
  size_t length = strcspn (s->value, " ");
  return s->value[length] == ' '
         && (memchr (s->value, ':', length) != NULL || str_equal (s->file, "rdma.max")
             || str_equal (s->file, "net_prio.ifpriomap"));
}

/* What takes away the setting of a key that there was none for. */
static const char *
none_of (const char *file)
{
  static const struct
  {
    const char *file, *value;
  } rows[] = {
    { "io.max", "rbps=max wbps=max riops=max wiops=max" },
    { "io.weight", "default" },
    { "io.bfq.weight", "default" },
    { "rdma.max", "hca_handle=max hca_object=max" },
    { "net_prio.ifpriomap", "0" },
  };
  for (size_t i = 0; i < COUNT_OF (rows); i++)
    if (str_equal (rows[i].file, file))
      return rows[i].value;
  return "0"; /* the files of v1 */
}

/* The line of text (cut in place) that s would change, as the file takes it back. */
static const char *
find_old (const struct cgroup_setting *s, char *text, char *buffer, size_t size)
{
  size_t length = strcspn (s->value, " ");
  if (!has_key (s))
    {
      text[strcspn (text, "\n")] = '\0';
      const char *number = str_after (text, "oom_kill_disable ");
      return number != NULL ? number : text;
    }
  for (char *line; (line = strsep (&text, "\n")) != NULL;)
    if (strncmp (line, s->value, length) == 0 && line[length] == ' ')
      return line;
  (void) snprintf (buffer, size, "%.*s %s", (int) length, s->value, none_of (s->file));
  return buffer;
}

static int
save_one (const struct cgroup *cgroup, const struct cgroup_setting *s,
          struct cgroup_settings *saved, struct tare_error *error)
{
  const struct cgroup_hierarchy *h = hierarchy_held (cgroup, s->v2 ? NULL : s->controller);
  const struct compiler c = { .settings = saved, .error = error };
  char text[MOST_TEXT], buffer[256];
  if (s->flags & SETTING_CHECK || h == NULL || group_read (h->fd, s->file, text, sizeof text) < 0)
    return 0; /* nothing will be written there either */
  struct cgroup_setting old = *s;
  old.value = find_old (s, text, buffer, sizeof buffer);
  if (*old.value == '\0' && s->v2 && str_after (s->file, "cpuset.") != NULL)
    old.value = "\n"; /* no set of its own: so it is written */
  old.flags = 0;
  return *old.value != '\0' ? add_setting (&c, old) : 0;
}

int
settings_save (const struct cgroup *cgroup, const struct cgroup_settings *settings,
               struct cgroup_settings *ret_saved, struct tare_error *error)
{
  auto_ (cgroup_settings)
  struct cgroup_settings saved = { 0 };
  for (size_t i = 0; i < settings->count; i++)
    {
      int r = save_one (cgroup, &settings->items[i], &saved, error);
      if (r < 0)
        return r;
    }
  *ret_saved = saved;
  saved = (struct cgroup_settings){ 0 };
  return 0;
}

/* Backwards, and those that were refused once more: then what they needed is there. */
void
settings_restore (const struct cgroup *cgroup, const struct cgroup_settings *saved)
{
  for (size_t pass = 0; pass < 2; pass++)
    for (size_t i = saved->count; i-- > 0;)
      {
        struct cgroup_setting *s = &saved->items[i];
        struct tare_error error = { 0 };
        if (pass == 1 && !s->pending)
          continue;
        s->pending = write_setting (cgroup, s, &error) < 0;
        if (pass == 1 && s->pending)
          log_warning (cgroup->log, "%s: not set back to '%s': %s", s->file, s->value,
                       error.message);
      }
}
