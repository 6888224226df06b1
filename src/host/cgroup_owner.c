/* The container's control group becomes its user's, where the config lets it be divided from
 * inside. Serves config-linux.md "Cgroup ownership". Here is who that is on the host; what is
 * given, and when that is safe, is cgroup's.
 */
#include "host/internal.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

enum
{
  MOST_MAP = 340 * 33 + 1, /* user_namespaces(7): lines of three numbers in ten columns each */
};

/* The group below the container's that its process is to be in, or NULL. */
static const char *
group_below (const struct container *container)
{
  const char *below = spec_annotation (container->spec, CGROUP_BELOW);
  return below != NULL && *below != '\0' ? below : NULL;
}

int
cgroup_owner_check (const struct container *container, struct tare_error *error)
{
  const char *below = group_below (container);
  return below != NULL ? cgroup_check_below (&container->cgroup, below, error) : 0;
}

static bool
has_owner (const struct container *container)
{
  return container->spec->config->process != NULL && container->spec->config->process->user != NULL
         && spec_delegates_cgroup (container->spec);
}

bool
row_delegates_cgroup (const struct container *container)
{
  return container->has_cgroup && (has_owner (container) || group_below (container) != NULL);
}

/* Cuts the next number off; 0 at the end. */
static uint32_t
next_number (char **rest)
{
  uint64_t number = 0;
  char *word;
  do
    word = strsep (rest, " \n");
  while (word != NULL && *word == '\0');
  return word != NULL && parse_u64 (word, UINT32_MAX, &number) >= 0 ? (uint32_t) number : 0;
}

/* uid_map of a process in a namespace that is not ours has the ids of ours. False: id is nobody. */
static bool
map_by_process (pid_t pid, uint32_t id, uint32_t *ret_id)
{
  char path[64], text[MOST_MAP] = "", *rest = text;
  (void) snprintf (path, sizeof path, "/proc/%d/uid_map", (int) pid);
  autoclose int fd = sys_open (path, O_RDONLY, 0);
  if (fd < 0 || sys_read_full (fd, text, sizeof text - 1) < 0)
    return false;
  while (rest != NULL)
    {
      struct oci_id_mapping mapping = { 0 };
      mapping.container_id = next_number (&rest);
      mapping.host_id = next_number (&rest);
      mapping.size = next_number (&rest);
      if (spec_map_id (&mapping, 1, id, ret_id))
        return true;
    }
  return false;
}

static bool
find_owner (const struct container *container, uint32_t *ret_uid)
{
  const struct spec *spec = container->spec;
  const struct oci_linux *linux = spec->config->linux;
  uint32_t uid = spec->config->process->user->uid;
  if (spec_is_new (spec, CLONE_NEWUSER))
    return spec_map_id (linux->uid_mappings, linux->n_uid_mappings, uid, ret_uid);
  if (process_joins_user_namespace (container))
    return map_by_process (container->pid, uid, ret_uid);
  *ret_uid = uid;
  return true;
}

int
row_delegate_cgroup (struct container *container, struct received *received,
                     struct tare_error *error)
{
  uint32_t uid;
  (void) received;
  const char *below = group_below (container);
  int r = below != NULL ? cgroup_enter_below (&container->cgroup, below, container->pid, error) : 0;
  if (r < 0 || !has_owner (container) || !find_owner (container, &uid))
    return r;
  return cgroup_delegate (&container->cgroup, below, uid, error);
}
