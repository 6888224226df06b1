/* linux.sysctl: which keys a container may set, and their paths below /proc/sys. Only what the
 * kernel keeps per namespace, and only in a namespace of the container's own: everything else
 * would be the host's. Serves config-linux.md "Sysctl", sysctl(8) for the two forms of a key. */
#include <linux/sched.h>
#include <stdio.h>

#include "spec/internal.h"

/* A prefix that ends in '/' stands for all below it. */
static const struct
{
  const char *path;
  uint64_t type; /* of the namespace that keeps it */
} allowed[] = {
  { "net/", CLONE_NEWNET },          { "user/", CLONE_NEWUSER },
  { "fs/mqueue/", CLONE_NEWIPC },    { "kernel/domainname", CLONE_NEWUTS },
  { "kernel/msgmax", CLONE_NEWIPC }, { "kernel/msgmnb", CLONE_NEWIPC },
  { "kernel/msgmni", CLONE_NEWIPC }, { "kernel/sem", CLONE_NEWIPC },
  { "kernel/shmall", CLONE_NEWIPC }, { "kernel/shmmax", CLONE_NEWIPC },
  { "kernel/shmmni", CLONE_NEWIPC }, { "kernel/shm_rmid_forced", CLONE_NEWIPC },
};

/* The first separator decides which of '.' and '/' separates; the other is part of a name. */
void
spec_sysctl_path (char *key)
{
  const char *first = strpbrk (key, "./");
  if (first == NULL || *first == '/')
    return;
  for (char *c = key; *c != '\0'; c++)
    *c = *c == '.' ? '/' : *c == '/' ? '.' : *c;
}

static bool
is_tidy (const char *path)
{
  char tidy[512];
  char absolute[512];
  size_t length = strlen (path);
  if (length == 0 || length + 2 > sizeof absolute || *path == '/')
    return false;
  absolute[0] = '/';
  memcpy (absolute + 1, path, length + 1);
  if (path_normalize (absolute, tidy, sizeof tidy) != (int) length + 1)
    return false;
  return strstr (absolute, "/../") == NULL && strcmp (absolute + length - 2, "/..") != 0;
}

/* The namespace that keeps it; 0: none. */
static uint64_t
type_of (const char *path)
{
  for (size_t i = 0; i < COUNT_OF (allowed); i++)
    {
      const char *rest = str_after (path, allowed[i].path);
      bool below = allowed[i].path[strlen (allowed[i].path) - 1] == '/';
      if (rest != NULL && (below ? *rest != '\0' : *rest == '\0'))
        return allowed[i].type;
    }
  return 0;
}

static int
check_key (const struct spec *spec, const struct oci_pair *sysctl, struct tare_error *error)
{
  char path[512];
  size_t length = strlen (sysctl->key);
  if (length < sizeof path)
    memcpy (path, sysctl->key, length + 1);
  if (length >= sizeof path || length < 3 || (spec_sysctl_path (path), !is_tidy (path)))
    return config_error (error, "linux.sysctl: '%s' is not a key", sysctl->key);
  uint64_t type = type_of (path);
  if (type == 0)
    return config_error (error, "linux.sysctl: '%s' is not kept per namespace", sysctl->key);
  if (((spec->new_namespaces | spec->joined_namespaces) & type) == 0)
    return config_error (error, "linux.sysctl: '%s' needs a %s namespace of its own", sysctl->key,
                         enum_name (plan_namespace_type_map, (int64_t) type));
  return 0;
}

int
spec_check_sysctl (const struct spec *spec, struct tare_error *error)
{
  const struct oci_linux *linux = spec->config->linux;
  for (size_t i = 0; linux != NULL && i < linux->n_sysctl; i++)
    {
      int r = check_key (spec, &linux->sysctl[i], error);
      if (r >= 0 && strchr (linux->sysctl[i].value, '\n') != NULL)
        r = config_error (error, "linux.sysctl: the value of '%s' has more than one line",
                          linux->sysctl[i].key);
      if (r < 0)
        return r;
    }
  return 0;
}

static bool
has_text (const char *text)
{
  return text != NULL && *text != '\0';
}

uint64_t
spec_changed_namespaces (const struct spec *spec)
{
  const struct oci_config *config = spec->config;
  uint64_t types = has_text (config->hostname) || has_text (config->domainname) ? CLONE_NEWUTS : 0;
  if (config->linux != NULL && config->linux->n_net_devices > 0)
    types |= CLONE_NEWNET;
  for (size_t i = 0; config->linux != NULL && i < config->linux->n_sysctl; i++)
    {
      char path[512]; /* it fits: it was checked */
      (void) snprintf (path, sizeof path, "%s", config->linux->sysctl[i].key);
      spec_sysctl_path (path);
      types |= type_of (path);
    }
  return types;
}
