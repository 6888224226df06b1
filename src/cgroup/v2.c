/* The v2 layout: one tree, cgroup.freeze, cgroup.kill, cgroup.events, and a BPF program for
 * devices (admin-guide/cgroup-v2). The hybrid layout's v2 tree is steered by it too.
 */
#define _GNU_SOURCE
#include "cgroup/private.h"

#include <poll.h>
#include <stdio.h>

#include "sys/file.h"

enum
{
  THAW_MS = 2000,
  FREEZE_MS = 5000, /* a process in an uninterruptible sleep may not freeze at all */
};

/* "populated 1\nfrozen 0\n" */
static int
event_value (int events, const char *key)
{
  char buffer[256];
  ssize_t length = pread (events, buffer, sizeof buffer - 1, 0);
  if (length < 0)
    return -errno;
  buffer[length] = '\0';
  char *rest = buffer, *line;
  while ((line = strsep (&rest, "\n")) != NULL)
    {
      const char *value = str_after (line, key);
      if (value != NULL && *value == ' ')
        return value[1] == '1';
    }
  return -ENODATA;
}

int
v2_wait (int group, const char *key, int value, int64_t deadline)
{
  autoclose int events =
      sys_openat2 (group, "cgroup.events", O_RDONLY, 0, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
  if (events < 0)
    return events;
  for (;;)
    {
      int now = event_value (events, key);
      int64_t left = deadline - now_ms ();
      if (now < 0 || now == value)
        return now < 0 ? now : 0;
      if (left <= 0)
        return -ETIMEDOUT;
      struct pollfd change = { .fd = events, .events = POLLPRI };
      if (poll (&change, 1, (int) left) < 0 && errno != EINTR)
        return -errno;
    }
}

int
v2_freeze (const struct cgroup *cgroup, bool frozen, struct tare_error *error)
{
  const struct cgroup_hierarchy *h = hierarchy_held (cgroup, NULL);
  if (h == NULL)
    return fail_kind (error, TARE_ERROR_UNSUPPORTED, -EOPNOTSUPP,
                      "the container has no cgroup that can be frozen");
  int r = group_write (h->fd, "cgroup.freeze", frozen ? "1" : "0");
  if (r < 0)
    return fail (error, r, "cgroup.freeze: write '%d'", frozen);
  if (!frozen)
    return 0; /* frozen parents keep it frozen: not ours to wait for */
  r = v2_wait (h->fd, "frozen", 1, now_ms () + FREEZE_MS);
  if (r == 0)
    return 0;
  (void) group_write (h->fd, "cgroup.freeze", "0");
  return fail (error, r, "freeze '%s%s'", h->mount, h->path);
}

int
v2_is_frozen (const struct cgroup *cgroup, struct tare_error *error)
{
  const struct cgroup_hierarchy *h = hierarchy_held (cgroup, NULL);
  char text[16];
  int r = h == NULL ? 0 : group_read (h->fd, "cgroup.freeze", text, sizeof text);
  if (r < 0 && r != -ENOENT && r != -ENODEV)
    return fail (error, r, "cgroup.freeze: read");
  return h != NULL && r == 0 && str_equal (text, "1");
}

/* After a thaw the kernel says "frozen" until the last process has noticed: that is waited for. */
int
v2_is_frozen_above (const struct cgroup *cgroup, struct tare_error *error)
{
  const struct cgroup_hierarchy *h = hierarchy_held (cgroup, NULL);
  if (h == NULL || v2_wait (h->fd, "frozen", 0, 0) != -ETIMEDOUT)
    return 0;
  int own = v2_is_frozen (cgroup, error);
  if (own != 0)
    return own < 0 ? own : 0;
  return v2_wait (h->fd, "frozen", 0, now_ms () + THAW_MS) == -ETIMEDOUT;
}

int
v2_kill (const struct cgroup *cgroup, struct tare_error *error)
{
  const struct cgroup_hierarchy *h = hierarchy_held (cgroup, NULL);
  int r = h == NULL ? 0 : group_write (h->fd, "cgroup.kill", "1");
  return r < 0 && r != -ENODEV ? fail (error, r, "cgroup.kill: write '1'") : 0;
}

int
v2_devices (const struct cgroup *cgroup, const struct device_rule *rules, size_t count,
            struct tare_error *error)
{
  const struct cgroup_hierarchy *h = hierarchy_held (cgroup, NULL);
  if (h == NULL)
    return fail_kind (error, TARE_ERROR_UNSUPPORTED, -EOPNOTSUPP,
                      "linux.resources.devices: there is neither a v1 devices controller nor a "
                      "v2 cgroup tree");
  auto_ (device_filter)
  struct device_filter filter = { 0 };
  int r = device_filter_compile (rules, count, &filter);
  if (r < 0)
    return fail (error, r, "linux.resources.devices: compile");
  return device_filter_attach (h->fd, &filter, error);
}

const struct cgroup_layout cgroup_layout_v2 = {
  .name = "v2",
  .devices = v2_devices,
  .freeze = v2_freeze,
  .is_frozen = v2_is_frozen,
  .is_frozen_above = v2_is_frozen_above,
  .kill = v2_kill,
};
