/* linux.netDevices: which names there may be. Serves config-linux.md "Network Devices"; what the
 * kernel takes for a name is that of dev_valid_name (). Pure. */
#include <linux/if.h>
#include <linux/sched.h>
#include <stdlib.h>

#include "spec/internal.h"

static bool
is_name (const char *name)
{
  size_t length = strlen (name);
  return length > 0 && length < IFNAMSIZ && !str_equal (name, ".") && !str_equal (name, "..")
         && strpbrk (name, "/: \t\n\v\f\r") == NULL;
}

/* "eth%d" lets the kernel find a number that is free. */
static bool
is_new_name (const char *name)
{
  const char *percent = strchr (name, '%');
  return is_name (name)
         && (percent == NULL || (percent[1] == 'd' && strchr (percent + 1, '%') == NULL));
}

static bool
has_name (const struct oci_net_device *device)
{
  return device->name != NULL && *device->name != '\0';
}

static const char *
name_inside (const struct oci_net_device *device)
{
  return has_name (device) ? device->name : device->key;
}

static int
compare (const void *a, const void *b)
{
  return strcmp (name_inside (*(const struct oci_net_device *const *) a),
                 name_inside (*(const struct oci_net_device *const *) b));
}

/* Sorted, so that a config full of devices takes no time that is quadratic. */
static int
check_unique (const struct oci_linux *linux, struct tare_error *error)
{
  size_t count = linux->n_net_devices;
  autofree const struct oci_net_device **sorted = calloc (count + 1, sizeof *sorted);
  if (sorted == NULL)
    return fail (error, ENOMEM, "linux.netDevices");
  for (size_t i = 0; i < count; i++)
    sorted[i] = &linux->net_devices[i];
  qsort (sorted, count, sizeof *sorted, compare);
  for (size_t i = 1; i < count; i++)
    if (compare (&sorted[i - 1], &sorted[i]) == 0 && strchr (name_inside (sorted[i]), '%') == NULL)
      return config_error (error, "linux.netDevices.%s: '%s' is also the name of %s",
                           sorted[i]->key, name_inside (sorted[i]), sorted[i - 1]->key);
  return 0;
}

int
spec_check_net_devices (const struct spec *spec, struct tare_error *error)
{
  const struct oci_linux *linux = spec->config->linux;
  if (linux == NULL || linux->n_net_devices == 0)
    return 0;
  if (((spec->new_namespaces | spec->joined_namespaces) & CLONE_NEWNET) == 0)
    return config_error (error, "linux.netDevices: needs a network namespace of its own");
  for (size_t i = 0; i < linux->n_net_devices; i++)
    {
      const struct oci_net_device *device = &linux->net_devices[i];
      if (!is_name (device->key) || strchr (device->key, '%') != NULL)
        return config_error (error, "linux.netDevices: '%s' is no name of a network device",
                             device->key);
      if (has_name (device) && !is_new_name (device->name))
        return config_error (error, "linux.netDevices.%s.name: '%s' is no name of a network device",
                             device->key, device->name);
    }
  return check_unique (linux, error);
}
