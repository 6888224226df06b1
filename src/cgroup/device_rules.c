/* linux.resources.devices made plain (config-linux.md "Allowed Device list"): checked, wildcards
 * explicit, and the default devices of every container behind the config's own. Pure.
 */
#define _GNU_SOURCE
#include "cgroup/device_filter.h"

#include <inttypes.h>
#include <stdio.h>

#define ALL  DEVICE_ACCESS_ALL
#define ANY  DEVICE_ANY
#define NODE BPF_DEVCG_ACC_MKNOD

/* config-linux.md "Default Devices", and that a node may be made of whatever is not opened. */
static const struct device_rule defaults[] = {
  { .allow = true, .type = 'c', .major = ANY, .minor = ANY, .access = NODE },
  { .allow = true, .type = 'b', .major = ANY, .minor = ANY, .access = NODE },
  { .allow = true, .type = 'c', .major = 1, .minor = 3, .access = ALL },     /* null */
  { .allow = true, .type = 'c', .major = 1, .minor = 5, .access = ALL },     /* zero */
  { .allow = true, .type = 'c', .major = 1, .minor = 7, .access = ALL },     /* full */
  { .allow = true, .type = 'c', .major = 1, .minor = 8, .access = ALL },     /* random */
  { .allow = true, .type = 'c', .major = 1, .minor = 9, .access = ALL },     /* urandom */
  { .allow = true, .type = 'c', .major = 5, .minor = 0, .access = ALL },     /* tty */
  { .allow = true, .type = 'c', .major = 5, .minor = 2, .access = ALL },     /* ptmx */
  { .allow = true, .type = 'c', .major = 136, .minor = ANY, .access = ALL }, /* pts */
  { .allow = true, .type = 'c', .major = 10, .minor = 200, .access = ALL },  /* net/tun */
};

static const struct
{
  char letter;
  uint8_t bit;
} accesses[] = {
  { 'r', BPF_DEVCG_ACC_READ },
  { 'w', BPF_DEVCG_ACC_WRITE },
  { 'm', BPF_DEVCG_ACC_MKNOD },
};

bool
device_rule_is_all (const struct device_rule *rule)
{
  return rule->type == 'a' && rule->major == ANY && rule->minor == ANY && rule->access == ALL;
}

static void
print_number (int64_t number, char buffer[static 24])
{
  (void) snprintf (buffer, 24, "%" PRId64, number);
  if (number == ANY)
    memcpy (buffer, "*", 2);
}

void
device_rule_print (const struct device_rule *rule, char *buffer, size_t size)
{
  char major[24], minor[24], access[4] = "";
  size_t n = 0;
  print_number (rule->major, major);
  print_number (rule->minor, minor);
  for (size_t i = 0; i < COUNT_OF (accesses); i++)
    if (rule->access & accesses[i].bit)
      access[n++] = accesses[i].letter;
  access[n] = '\0';
  if (device_rule_is_all (rule))
    (void) snprintf (buffer, size, "a");
  else
    (void) snprintf (buffer, size, "%c %s:%s %s", rule->type, major, minor, access);
}

static int
lower_type (const char *type, char *ret_type)
{
  static const char known[] = "abcu";
  if (type == NULL || *type == '\0')
    type = "a";
  if (type[1] != '\0' || strchr (known, *type) == NULL)
    return -EINVAL;
  *ret_type = *type == 'u' ? 'c' : *type; /* unbuffered is an old word for character */
  return 0;
}

static int
lower_access (const char *text, uint8_t *ret_access)
{
  uint8_t access = 0;
  for (; text != NULL && *text != '\0'; text++)
    {
      uint8_t bit = 0;
      for (size_t i = 0; i < COUNT_OF (accesses); i++)
        if (*text == accesses[i].letter)
          bit = accesses[i].bit;
      if (bit == 0)
        return -EINVAL;
      access |= bit;
    }
  *ret_access = access;
  return access == 0 ? -EINVAL : 0;
}

static int
lower_number (bool present, int64_t number, int64_t *ret_number)
{
  if (number < ANY || number > UINT32_MAX)
    return -ERANGE;
  *ret_number = present ? number : ANY;
  return 0;
}

static int
lower_rule (const struct oci_device_rule *in, size_t i, struct device_rule *out,
            struct tare_error *error)
{
  const char *bad = NULL;
  out->allow = in->allow;
  if (lower_type (in->type, &out->type) < 0)
    bad = "type: is not one of a, b, c";
  else if (lower_number (in->has_major, in->major, &out->major) < 0)
    bad = "major: is not between -1 and 4294967295";
  else if (lower_number (in->has_minor, in->minor, &out->minor) < 0)
    bad = "minor: is not between -1 and 4294967295";
  else if (lower_access (in->access, &out->access) < 0)
    bad = "access: must be made of r, w and m, and not be empty";
  if (bad == NULL)
    return 0;
  return fail_kind (error, TARE_ERROR_CONFIG, -EINVAL, "linux.resources.devices[%zu].%s", i, bad);
}

int
device_rules_lower (const struct oci_resources *resources, struct device_rule **ret_rules,
                    size_t *ret_count, struct tare_error *error)
{
  size_t count = resources->n_devices;
  autofree struct device_rule *rules = calloc (count + COUNT_OF (defaults), sizeof *rules);
  if (rules == NULL)
    return fail (error, ENOMEM, "linux.resources.devices");
  for (size_t i = 0; i < count; i++)
    {
      int r = lower_rule (&resources->devices[i], i, &rules[i], error);
      if (r < 0)
        return r;
    }
  memcpy (rules + count, defaults, sizeof defaults);
  *ret_rules = take_ptr (&rules);
  *ret_count = count + COUNT_OF (defaults);
  return 0;
}
