/* Who is killed because a group's memory limit is reached: memory.events of v2, which says how many
 * were, and an eventfd of v1 (admin-guide/cgroup-v1/memory), which says that the limit could not be
 * kept.
 */
#define _GNU_SOURCE
#include "cgroup/private.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "sys/file.h"

void
cgroup_oom_done (struct cgroup_oom *oom)
{
  close_fd (&oom->fd);
  close_fd (&oom->control);
}

/* "oom_kill 3" in the file, which stays open: also when the group is gone, but then without text.
 */
static int
read_count (int fd, uint64_t *ret_count)
{
  char text[512];
  ssize_t length = pread (fd, text, sizeof text - 1, 0);
  if (length < 0)
    return -errno;
  text[length] = '\0';
  char *rest = text, *line;
  while ((line = strsep (&rest, "\n")) != NULL)
    {
      const char *number = str_after (line, "oom_kill ");
      if (number != NULL)
        return parse_u64 (number, UINT64_MAX, ret_count);
    }
  return -ENODATA;
}

static int
open_v1 (int group, struct cgroup_oom *oom)
{
  char text[32];
  oom->control = sys_openat2 (group, "memory.oom_control", O_RDONLY, 0, RESOLVE_BENEATH);
  oom->fd = oom->control < 0 ? oom->control : eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (oom->fd < 0)
    return oom->control < 0 ? oom->control : -errno;
  (void) snprintf (text, sizeof text, "%d %d", oom->fd, oom->control);
  return group_write (group, "cgroup.event_control", text);
}

int
cgroup_oom_open (const struct cgroup *cgroup, struct cgroup_oom *ret_oom, struct tare_error *error)
{
  auto_ (cgroup_oom)
  struct cgroup_oom oom = { .fd = -EBADF, .control = -EBADF };
  const struct cgroup_hierarchy *v1 = hierarchy_held (cgroup, "memory");
  const struct cgroup_hierarchy *v2 = hierarchy_held (cgroup, NULL);
  int r = 0;
  if (v1 != NULL)
    r = open_v1 (v1->fd, &oom);
  else if (v2 != NULL)
    r = oom.fd = sys_openat2 (v2->fd, "memory.events", O_RDONLY, 0, RESOLVE_BENEATH);
  if (r >= 0 && v1 == NULL && v2 != NULL)
    r = read_count (oom.fd, &oom.count);
  if (r < 0 && r != -ENOENT)
    return fail (error, r, "watch the memory limit of the container");
  if (r == -ENOENT || oom.fd < 0)
    close_fd (&oom.fd); /* no limit, nobody is killed by it */
  *ret_oom = oom;
  oom = (struct cgroup_oom){ .fd = -EBADF, .control = -EBADF };
  return 0;
}

bool
cgroup_oom_happened (struct cgroup_oom *oom)
{
  uint64_t count = 0;
  char byte;
  if (oom->fd < 0)
    return false;
  if (oom->control >= 0) /* the eventfd: it counts the group's removal too */
    return read (oom->fd, &count, sizeof count) == sizeof count
           && pread (oom->control, &byte, 1, 0) == 1;
  if (read_count (oom->fd, &count) < 0 || count <= oom->count)
    return false;
  oom->count = count;
  return true;
}

uint64_t
cgroup_oom_kills (const struct cgroup *cgroup)
{
  const struct cgroup_hierarchy *v1 = hierarchy_held (cgroup, "memory");
  const struct cgroup_hierarchy *h = v1 != NULL ? v1 : hierarchy_held (cgroup, NULL);
  const char *file = v1 != NULL ? "memory.oom_control" : "memory.events";
  uint64_t count = 0;
  autoclose int fd = h != NULL ? sys_openat2 (h->fd, file, O_RDONLY, 0, RESOLVE_BENEATH) : -EBADF;
  return fd >= 0 && read_count (fd, &count) >= 0 ? count : 0;
}
