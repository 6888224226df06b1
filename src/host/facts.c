/* What a plan must know of the host and of our own rights in it. Only looks. */
#include "host/internal.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <unistd.h>

/* Does the file, of a few lines, have this text? */
static bool
file_has (const char *path, const char *text)
{
  char content[4096];
  autoclose int fd = sys_open (path, O_RDONLY, 0);
  ssize_t length = fd < 0 ? fd : sys_read_full (fd, content, sizeof content - 1);
  if (length < 0)
    return false;
  content[length] = '\0';
  return strstr (content, text) != NULL;
}

static int
known_capabilities (uint64_t *ret_known)
{
  char text[16];
  uint64_t last;
  autoclose int fd = sys_open ("/proc/sys/kernel/cap_last_cap", O_RDONLY, 0);
  ssize_t length = fd < 0 ? fd : read (fd, text, sizeof text - 1);
  if (length < 0)
    return fd < 0 ? fd : -errno;
  text[length > 0 ? length - 1 : 0] = '\0'; /* the line's end */
  int r = parse_u64 (text, 63, &last);
  if (r >= 0)
    *ret_known = UINT64_MAX >> (63 - last);
  return r;
}

/* Facts that few configs ask for, so that the others do not pay for them. */
static void
find_rare (const struct spec *spec, const struct sys_status *own, struct spec_facts *facts)
{
  const struct oci_process *process = spec->config->process;
  const struct oci_linux *linux = spec->config->linux;
  bool schedules = process != NULL && (process->scheduler != NULL || process->io_priority != NULL);
  bool has_labels =
      process != NULL && (process->apparmor_profile != NULL || process->selinux_label != NULL);
  /* Rights over the scheduler and the modules are the kernel's own, not those of a namespace. */
  facts->host_schedules = schedules && (own->effective & 1ULL << CAP_SYS_NICE) != 0
                          && sys_in_initial_user_namespace () > 0;
  if (!has_labels && (linux == NULL || linux->mount_label == NULL))
    return;
  facts->has_apparmor = file_has ("/sys/module/apparmor/parameters/enabled", "Y");
  facts->has_selinux = file_has ("/proc/filesystems", "\tselinuxfs\n");
}

/* In a user namespace of its own a container can have whatever the kernel knows; elsewhere no more
 * than the runtime itself has. */
int
process_facts (const struct spec *spec, struct spec_facts *facts, struct tare_error *error)
{
  struct sys_status own;
  int r = sys_read_status (0, &own);
  if (r < 0)
    return fail (error, r, "read /proc/thread-self/status");
  find_rare (spec, &own, facts);
  facts->comes_back = spec_is_new (spec, CLONE_NEWNET)
                      && (own.effective & 1ULL << CAP_SYS_ADMIN) != 0
                      && sys_in_initial_user_namespace () > 0;
  facts->ignored_signals = own.ignored;
  facts->bounding = own.bounding;
  facts->grantable = own.bounding & own.permitted;
  r = id_maps_facts (spec, &own, facts, error);
  if (r < 0)
    return r;
  if (((spec->new_namespaces | spec->joined_namespaces) & CLONE_NEWUSER) == 0)
    return 0;
  r = known_capabilities (&facts->bounding);
  facts->grantable = facts->bounding;
  return r < 0 ? fail (error, r, "read /proc/sys/kernel/cap_last_cap") : 0;
}
