/* The maps of a new user namespace. Serves config-linux.md "User namespace mappings",
 * user_namespaces(7).
 *
 * Who has CAP_SETUID and CAP_SETGID writes any map. Anybody may map their own id alone, the group
 * only once setgroups(2) is given up, for that would be a way to leave groups. Everything else is
 * for newuidmap(1) and newgidmap(1), which know what /etc/subuid and /etc/subgid grant.
 */
#include "plan/hook.h"
#include "host/internal.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum
{
  HELPER_SECONDS = 60,
};

struct map
{
  const char *property, *file, *helper;
  const struct oci_id_mapping *mappings;
  size_t count;
  uint32_t own; /* our id */
};

static struct map
uid_map (const struct spec *spec)
{
  const struct oci_linux *linux = spec->config->linux;
  return (struct map){ "uidMappings",         "uid_map", "newuidmap", linux->uid_mappings,
                       linux->n_uid_mappings, geteuid () };
}

static struct map
gid_map (const struct spec *spec)
{
  const struct oci_linux *linux = spec->config->linux;
  return (struct map){ "gidMappings",         "gid_map", "newgidmap", linux->gid_mappings,
                       linux->n_gid_mappings, getegid () };
}

static bool
is_own_id (const struct map *map)
{
  return map->count == 1 && map->mappings[0].size == 1 && map->mappings[0].host_id == map->own;
}

/* 1 or 0. */
static int
may_write_maps (struct tare_error *error)
{
  struct sys_capabilities own;
  const uint64_t needed = 1ULL << CAP_SETUID | 1ULL << CAP_SETGID;
  int r = sys_capget (&own);
  if (r < 0)
    return fail (error, r, "read our own capabilities");
  return (own.effective & needed) == needed;
}

/* Denied to us is denied in every namespace below ours. */
static bool
setgroups_is_denied (void)
{
  char text[8] = "";
  autoclose int fd = sys_open ("/proc/self/setgroups", O_RDONLY, 0);
  return fd >= 0 && sys_read_full (fd, text, sizeof text - 1) >= 4 && memcmp (text, "deny", 4) == 0;
}

static void
put_map (struct buf *text, const struct map *map)
{
  for (size_t i = 0; i < map->count; i++)
    buf_format (text, "%u %u %u\n", map->mappings[i].container_id, map->mappings[i].host_id,
                map->mappings[i].size);
}

/* The kernel takes a map in one piece, and less than a page of it. */
static int
check_length (const struct map *map, struct tare_error *error)
{
  auto_ (buf)
  struct buf text = { 0 };
  long page = sysconf (_SC_PAGESIZE);
  put_map (&text, map);
  if (text.failed)
    return fail (error, ENOMEM, "linux.%s", map->property);
  if (text.length < (size_t) page)
    return 0;
  return fail_kind (
      error, TARE_ERROR_CONFIG, EINVAL,
      "linux.%s: %zu mappings take %zu bytes as the kernel's text, which may have %ld",
      map->property, map->count, text.length, page - 1);
}

int
id_maps_facts (const struct spec *spec, const struct sys_status *own, struct spec_facts *facts,
               struct tare_error *error)
{
  bool is_admin = (own->effective & 1ULL << CAP_SYS_ADMIN) != 0;
  bool has_user = ((spec->new_namespaces | spec->joined_namespaces) & CLONE_NEWUSER) != 0;
  /* What is not dumpable belongs to the root of the initial namespace, in /proc too. */
  if (has_user || (facts->container_namespaces & CLONE_NEWUSER) != 0)
    facts->privileged = is_admin && geteuid () == 0 && sys_in_initial_user_namespace () > 0;
  if (!has_user && !is_admin && spec->new_namespaces != 0)
    return fail_kind (error, TARE_ERROR_CONFIG, EPERM,
                      "linux.namespaces: without a user namespace, an ordinary user cannot make "
                      "the others");
  if (!spec_is_new (spec, CLONE_NEWUSER))
    return 0;
  const struct map uids = uid_map (spec), gids = gid_map (spec);
  int r = check_length (&uids, error);
  if (r >= 0)
    r = check_length (&gids, error);
  int may_write = r < 0 ? r : may_write_maps (error);
  if (may_write < 0)
    return may_write;
  facts->setgroups_denied = setgroups_is_denied () || (may_write == 0 && is_own_id (&gids));
  return 0;
}

/* ---- by hand --------------------------------------------------------------------------------- */

static int
write_map (pid_t pid, const struct map *map, struct tare_error *error)
{
  auto_ (buf)
  struct buf text = { 0 };
  put_map (&text, map);
  if (text.failed)
    return fail (error, ENOMEM, "linux.%s", map->property);
  int r = process_write_file (pid, map->file, text.bytes, error);
  return r < 0 ? wrap (error, r, "linux.%s", map->property) : 0;
}

/* ---- by helper ------------------------------------------------------------------------------- */

/* Along $PATH, as a shell would. The caller frees. */
static int
find_helper (const struct map *map, char **ret_path, struct tare_error *error)
{
  const char *rest = getenv ("PATH");
  rest = rest != NULL ? rest : "/usr/bin:/bin:/usr/sbin:/sbin";
  for (; *rest != '\0'; rest += strspn (rest, ":"))
    {
      size_t length = strcspn (rest, ":");
      autofree char *path = NULL;
      if (asprintf (&path, "%.*s/%s", (int) length, rest, map->helper) < 0)
        return fail (error, ENOMEM, "linux.%s", map->property);
      autoclose int fd = *rest == '/' ? sys_open (path, O_PATH, 0) : -ENOENT;
      if (fd >= 0)
        {
          *ret_path = take_ptr (&path);
          return 0;
        }
      rest += length;
    }
  return fail_kind (error, TARE_ERROR_SYSTEM, EPERM,
                    "linux.%s: an ordinary user can map the own id %u alone; more needs %s, which "
                    "is not in PATH",
                    map->property, map->own, map->helper);
}

static int
run_helper (pid_t pid, const struct map *map, struct tare_error *error)
{
  char label[64];
  size_t n = 0, count = 2 + 3 * map->count;
  autofree char *path = NULL;
  int r = find_helper (map, &path, error);
  if (r < 0)
    return r;
  autofree char (*numbers)[16] = calloc (count, sizeof *numbers);
  autofree const char **argv = calloc (count + 1, sizeof *argv);
  if (numbers == NULL || argv == NULL)
    return fail (error, ENOMEM, "linux.%s", map->property);
  argv[0] = path;
  (void) snprintf (numbers[n++], sizeof *numbers, "%d", (int) pid);
  for (size_t i = 0; i < map->count; i++)
    {
      (void) snprintf (numbers[n++], sizeof *numbers, "%u", map->mappings[i].container_id);
      (void) snprintf (numbers[n++], sizeof *numbers, "%u", map->mappings[i].host_id);
      (void) snprintf (numbers[n++], sizeof *numbers, "%u", map->mappings[i].size);
    }
  for (size_t i = 0; i < n; i++)
    argv[1 + i] = numbers[i];
  (void) snprintf (label, sizeof label, "linux.%s: %s", map->property, map->helper);
  const struct hook helper = { .label = label,
                               .path = path,
                               .argv = argv,
                               .timeout = HELPER_SECONDS,
                               .state = "",
                               .directory = -EBADF };
  r = hook_run (&helper, error);
  return r < 0 ? classify (error, r, TARE_ERROR_SYSTEM) : 0;
}

/* ---- both ------------------------------------------------------------------------------------ */

static int
apply (const struct container *container, const struct map *map, bool may_write,
       struct tare_error *error)
{
  return may_write || is_own_id (map) ? write_map (container->pid, map, error)
                                      : run_helper (container->pid, map, error);
}

int
id_maps_write (struct container *container, struct tare_error *error)
{
  const struct map uids = uid_map (container->spec), gids = gid_map (container->spec);
  int may_write = may_write_maps (error), r = may_write;
  if (r == 0 && is_own_id (&gids))
    r = process_write_file (container->pid, "setgroups", "deny", error);
  if (r >= 0)
    r = apply (container, &gids, may_write > 0, error);
  return r < 0 ? r : apply (container, &uids, may_write > 0, error);
}
