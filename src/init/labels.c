/* What confines the program, from its execve on: AppArmor's profile, SELinux' label. Serves
 * config.md "Linux Process" (apparmorProfile, selinuxLabel). That the host has the module was
 * checked when the plan was made.
 *
 * The files are those of this very thread, in a procfs that nobody else can reach: what an image or
 * a volume mounts over /proc would have us write elsewhere and believe we are confined
 * (CVE-2019-16884, CVE-2019-19921, CVE-2025-52881). What the kernel then says is read back.
 */
#include "init/init.h"

#include <stdio.h>

enum
{
  /* thread-self is a link, a plain one; no way out otherwise, nor into anything mounted inside. */
  LABEL_RESOLVE = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV,
  MOST_LABEL = 4096,
};

struct label
{
  const char *place;      /* in the config */
  const char *name;       /* what is asked for */
  const char *command;    /* goes in front of it */
  const char *file;       /* below /proc */
  const char *older_file; /* where the kernel has no such file, or NULL */
};

static int
label_fail (const struct label *label, int r, const char *hint, struct tare_error *error)
{
  return fail (error, r, "%s: write '%s' to `/proc/%s`%s", label->place, label->name, label->file,
               hint);
}

/* AppArmor adds the mode, " (enforce)"; SELinux may write a label its own way. */
static int
check_label (const struct label *label, int fd, struct tare_error *error)
{
  char text[MOST_LABEL];
  int r = sys_rewind (fd);
  ssize_t length = r < 0 ? r : sys_read_full (fd, text, sizeof text - 1);
  if (length < 0)
    return fail (error, (int) length, "%s: read `/proc/%s`", label->place, label->file);
  text[length] = '\0';
  const char *rest = *label->command != '\0' ? str_after (text, label->name) : text + 1;
  bool is_in_force = length > 0 && rest != NULL
                     && (*label->command == '\0' || *rest == '\0' || strchr (" \n", *rest) != NULL);
  return is_in_force ? 0
                     : fail_kind (error, TARE_ERROR_SYSTEM, EPERM,
                                  "%s: '%s' is not in force afterwards: operation not permitted",
                                  label->place, label->name);
}

static int
set_label (int procfs, struct label label, struct tare_error *error)
{
  char text[MOST_LABEL];
  int n = snprintf (text, sizeof text, "%s%s", label.command, label.name);
  if (n < 0 || (size_t) n >= sizeof text)
    return label_fail (&label, -ENAMETOOLONG, "", error);
  autoclose int fd = sys_openat2 (procfs, label.file, O_RDWR, 0, LABEL_RESOLVE);
  if (fd == -ENOENT && label.older_file != NULL)
    {
      label.file = label.older_file;
      fd = sys_openat2 (procfs, label.file, O_RDWR, 0, LABEL_RESOLVE);
    }
  int r = fd < 0 ? fd : sys_write_once (fd, text);
  if (r < 0)
    return label_fail (&label, r, r == -ENOENT ? " (is such a profile loaded?)" : "", error);
  return check_label (&label, fd, error);
}

int
step_labels (struct init *init, struct tare_error *error)
{
  const char *profile = plan_string (init->plan, init->plan->apparmor_profile);
  const char *label = plan_string (init->plan, init->plan->selinux_label);
  autoclose int procfs = open_procfs (error);
  int r = procfs;
  if (r >= 0 && profile != NULL)
    r = set_label (procfs,
                   (struct label){ "process.apparmorProfile", profile, "exec ",
                                   "thread-self/attr/apparmor/exec", "thread-self/attr/exec" },
                   error);
  if (r >= 0 && label != NULL)
    r = set_label (
        procfs, (struct label){ "process.selinuxLabel", label, "", "thread-self/attr/exec", NULL },
        error);
  return r;
}
