/* linux.uidMappings and gidMappings: ranges that the kernel would refuse are refused here, with
 * their place. Serves config-linux.md "User namespace mappings", user_namespaces(7). Pure. */
#include <linux/sched.h>
#include <stdio.h>
#include <stdlib.h>

#include "spec/internal.h"

enum
{
  MOST_MAPPINGS = 340, /* UID_GID_MAP_MAX_EXTENTS */
};

/* One end of the mappings, to be sorted by where its ranges begin. */
struct range
{
  uint32_t begin, size;
  size_t index;
};

static int
compare (const void *a, const void *b)
{
  const struct range *x = a, *y = b;
  return (x->begin > y->begin) - (x->begin < y->begin);
}

static int
check_overlaps (const char *place, const char *property, struct range *ranges, size_t count,
                struct tare_error *error)
{
  qsort (ranges, count, sizeof *ranges, compare);
  for (size_t i = 1; i < count; i++)
    {
      const struct range *one = &ranges[i - 1], *two = &ranges[i];
      if (two->begin - one->begin < one->size)
        return config_error (error,
                             "%s[%zu].%s: %u and the %u ids from there on overlap with those of "
                             "[%zu], %u and %u",
                             place, two->index, property, two->begin, two->size, one->index,
                             one->begin, one->size);
    }
  return 0;
}

/* 4294967295 stands for "no id". */
static bool
goes_too_far (uint32_t begin, uint32_t size)
{
  return (uint64_t) begin + size > UINT32_MAX;
}

int
spec_check_mappings (const char *place, const struct oci_id_mapping *mappings, size_t count,
                     struct tare_error *error)
{
  struct range inside[MOST_MAPPINGS], outside[MOST_MAPPINGS];
  if (count > MOST_MAPPINGS)
    return config_error (error, "%s: %zu mappings are more than the kernel takes (%d)", place,
                         count, MOST_MAPPINGS);
  for (size_t i = 0; i < count; i++)
    {
      const struct oci_id_mapping *mapping = &mappings[i];
      if (mapping->size == 0)
        return config_error (error, "%s[%zu].size: is 0", place, i);
      if (goes_too_far (mapping->container_id, mapping->size)
          || goes_too_far (mapping->host_id, mapping->size))
        return config_error (error, "%s[%zu]: %u:%u and %u ids from there on go beyond 4294967294",
                             place, i, mapping->container_id, mapping->host_id, mapping->size);
      inside[i] = (struct range){ mapping->container_id, mapping->size, i };
      outside[i] = (struct range){ mapping->host_id, mapping->size, i };
    }
  int r = check_overlaps (place, "containerID", inside, count, error);
  return r < 0 ? r : check_overlaps (place, "hostID", outside, count, error);
}

bool
spec_map_id (const struct oci_id_mapping *mappings, size_t count, uint32_t id, uint32_t *ret_id)
{
  for (size_t i = 0; i < count; i++)
    if (id >= mappings[i].container_id && id - mappings[i].container_id < mappings[i].size)
      {
        *ret_id = mappings[i].host_id + (id - mappings[i].container_id);
        return true;
      }
  return false;
}

static bool
maps (const struct oci_id_mapping *mappings, size_t count, uint32_t id)
{
  uint32_t outside;
  return spec_map_id (mappings, count, id, &outside);
}

/* An id that is not mapped cannot be had: the kernel would say no more than "Invalid argument". */
static int
check_user (const struct oci_linux *linux, const struct oci_user *user, struct tare_error *error)
{
  if (!maps (linux->uid_mappings, linux->n_uid_mappings, user->uid))
    return config_error (error, "process.user.uid: %u is not in linux.uidMappings", user->uid);
  if (!maps (linux->gid_mappings, linux->n_gid_mappings, user->gid))
    return config_error (error, "process.user.gid: %u is not in linux.gidMappings", user->gid);
  for (size_t i = 0; i < user->n_additional_gids; i++)
    if (!maps (linux->gid_mappings, linux->n_gid_mappings, user->additional_gids[i]))
      return config_error (error,
                           "process.user.additionalGids[%zu]: %u is not in linux.gidMappings", i,
                           user->additional_gids[i]);
  return 0;
}

/* Mappings without a new user namespace have nothing to map; a new one without mappings is one in
 * which nobody exists. */
int
spec_check_id_mappings (const struct spec *spec, struct tare_error *error)
{
  const struct oci_linux *linux = spec->config->linux;
  const struct oci_process *process = spec->config->process;
  if (linux == NULL)
    return 0;
  const char *some = linux->n_uid_mappings > 0 ? "uidMappings" : "gidMappings";
  if (!spec_is_new (spec, CLONE_NEWUSER))
    {
      if (linux->n_uid_mappings + linux->n_gid_mappings == 0)
        return 0;
      return (spec->joined_namespaces & CLONE_NEWUSER) != 0
                 ? config_error (error,
                                 "linux.%s: the user namespace is joined by its path, and has "
                                 "mappings already",
                                 some)
                 : config_error (error, "linux.%s: needs a new user namespace", some);
    }
  if (linux->n_uid_mappings == 0 || linux->n_gid_mappings == 0)
    return config_error (error, "linux.%s: required for a new user namespace, but missing",
                         linux->n_uid_mappings == 0 ? "uidMappings" : "gidMappings");
  int r =
      spec_check_mappings ("linux.uidMappings", linux->uid_mappings, linux->n_uid_mappings, error);
  if (r >= 0)
    r = spec_check_mappings ("linux.gidMappings", linux->gid_mappings, linux->n_gid_mappings,
                             error);
  if (r >= 0 && process != NULL && process->user != NULL)
    r = check_user (linux, process->user, error);
  return r;
}
