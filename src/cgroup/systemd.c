/* The systemd driver: the container's group is a transient scope, asked for over D-Bus by the
 * program tare-systemd (src/systemd), so that systemd knows of it and leaves it alone.
 *
 * A scope needs a process: it is started when there is one, in attach. Limits go to systemd as far
 * as it has properties for them, and all of them into the group's files, as with cgroupfs. What
 * systemd does not make (v1 hierarchies that it does not use) is made and removed as there, too.
 */
#define _GNU_SOURCE
#include "cgroup/systemd.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/socket.h>

#include "cgroup/private.h"
#include "plan/hook.h"
#include "sys/file.h"
#include "sys/process.h"
#include "sys/socket.h"

/* How the description of a unit of ours begins: one that begins otherwise is never stopped. */
static const char ours[] = "tare container ";
static const char helper_path[] = TARE_LIBEXECDIR "/tare-systemd";

enum
{
  HELPER_SECONDS = 180, /* it has shorter limits of its own: this one is for one that hangs */
};

/* ---- the helper ------------------------------------------------------------------------------ */

/* words: the request, ended by NULL. answer (or NULL): PATH_MAX bytes. */
static int
ask (const char *const *words, const struct buf *input, char *answer, struct tare_error *error)
{
  const char *argv[8] = { "tare-systemd" };
  char text[PATH_MAX] = "";
  size_t n = 1;
  if (sys_is_unprivileged ()) /* to their own manager; root to the system's */
    argv[n++] = "--user";
  for (; *words != NULL && n < COUNT_OF (argv) - 1; words++)
    argv[n++] = *words;
  struct tare_error failure = { 0 };
  const struct hook call = {
    .label = "run",
    .path = helper_path,
    .argv = argv,
    .timeout = HELPER_SECONDS,
    .state = input != NULL && input->bytes != NULL ? input->bytes : "",
    .state_length = input != NULL ? input->length : 0,
    .directory = -EBADF,
    .answer = text,
    .answer_size = sizeof text,
  };
  int r = hook_run (&call, &failure);
  if (r == -ECANCELED && *text != '\0')
    return fail_kind (error, TARE_ERROR_SYSTEM, r, "%s", text);
  if (r < 0)
    return fail_kind (error, TARE_ERROR_SYSTEM, r, "%s", failure.message);
  if (answer != NULL)
    (void) snprintf (answer, PATH_MAX, "%s", text);
  return 0;
}

static int
systemd_probe (struct cgroup *cgroup, const struct cgroup_known *known, struct tare_error *error)
{
  autoclose int helper = sys_open (helper_path, O_PATH, 0);
  if (helper < 0)
    return fail_kind (error, TARE_ERROR_UNSUPPORTED, -EOPNOTSUPP,
                      "the systemd cgroup driver needs '%s', which is not there", helper_path);
  return cgroupfs_probe (cgroup, known, error);
}

/* ---- names ----------------------------------------------------------------------------------- */

/* The process that is the user's manager, by its own socket; 0 where the bus may lead to another.
 */
static pid_t
user_manager (void)
{
  char usual[PATH_MAX];
  pid_t pid = 0;
  const char *directory = getenv ("XDG_RUNTIME_DIR");
  const char *bus = getenv ("DBUS_SESSION_BUS_ADDRESS");
  if (directory == NULL)
    return 0;
  (void) snprintf (usual, sizeof usual, "unix:path=%s/bus", directory);
  if (bus != NULL && !str_equal (bus, usual))
    return 0;
  autoclose int place = sys_open (directory, O_PATH | O_DIRECTORY, 0);
  autoclose int fd = place < 0 ? place : sys_socket_connect (place, "systemd/private", SOCK_STREAM);
  return fd >= 0 && sys_socket_peer_pid (fd, &pid) >= 0 ? pid : 0;
}

/* The manager is in its group's "/init.scope". -ESRCH: it is not. */
static int
read_root (pid_t manager, char root[static PATH_MAX], struct tare_error *error)
{
  autofree char *text = NULL;
  struct group_line line;
  int r = group_lines_read (manager, &text, error);
  char *rest = text;
  while (r >= 0 && group_line_next (&rest, &line))
    if (*line.controllers == '\0' || str_equal (line.controllers, "name=systemd"))
      {
        const char *scope = strstr (line.path, "/init.scope");
        (void) snprintf (root, PATH_MAX, "%.*s", scope != NULL ? (int) (scope - line.path) : 0,
                         line.path);
        return scope != NULL ? 0 : -ESRCH;
      }
  return r < 0 ? r : -ESRCH;
}

/* The manager's own group, below which all its units are. */
static int
find_root (char root[static PATH_MAX], struct tare_error *error)
{
  struct tare_error ignored = { 0 };
  bool user = sys_is_unprivileged ();
  pid_t manager = user ? user_manager () : 1;
  *root = '\0';
  int r = manager > 0 ? read_root (manager, root, user ? &ignored : error) : -ESRCH;
  if (r < 0 && user)
    return ask ((const char *const[]){ "root", NULL }, NULL, root, error);
  return r == -ESRCH ? 0 : r;
}

static int
systemd_place (struct cgroup *cgroup, const struct cgroup_wish *wish, struct tare_error *error)
{
  char root[PATH_MAX];
  int r = unit_plan (wish, sys_is_unprivileged (), &cgroup->unit, error);
  if (r >= 0)
    r = find_root (root, error);
  for (size_t i = 0; r >= 0 && i < cgroup->n_hierarchies; i++)
    {
      char *path;
      const char *above = str_equal (root, "/") ? "" : root;
      if (asprintf (&path, "%s%s", above, cgroup->unit->path) < 0)
        return fail (error, ENOMEM, "place a unit");
      free_pointer (&cgroup->hierarchies[i].path);
      cgroup->hierarchies[i].path = path;
    }
  return r;
}

static int
systemd_prepare (struct cgroup *cgroup, struct tare_error *error)
{
  (void) cgroup;
  (void) error;
  return 0;
}

/* ---- start ----------------------------------------------------------------------------------- */

static void
put_text (struct buf *buf, const char *name, const char *signature, const char *value)
{
  put_property (buf, name, signature, 1, &value);
}

/* The annotations come last: systemd takes the last of two. */
static int
put_scope (struct buf *buf, const struct cgroup_unit *unit, pid_t pid)
{
  static const char *const on[] = { "CPUAccounting", "MemoryAccounting", "IOAccounting",
                                    "TasksAccounting" };
  auto_ (buf)
  struct buf description = { 0 };
  char number[16];
  (void) snprintf (number, sizeof number, "%d", (int) pid);
  buf_format (&description, "%s%s", ours, unit->id);
  if (description.failed)
    return -ENOMEM;
  put_text (buf, "Description", "s", description.bytes);
  put_text (buf, "Slice", "s", unit->slice);
  put_text (buf, "PIDs", "au", number);
  put_text (buf, "Delegate", "b", "1");
  put_text (buf, "DefaultDependencies", "b", "0");
  put_text (buf, "?CollectMode", "s", "inactive-or-failed");
  for (size_t i = 0; i < COUNT_OF (on); i++)
    put_text (buf, on[i], "b", "1");
  buf_append (buf, unit->wishes.bytes, unit->wishes.length);
  return buf->failed ? -ENOMEM : 0;
}

/* The limits go with the start: one request, and nothing runs without them. They come after the
 * annotations, and count. What cannot be had here is for cgroup_apply to say. */
static int
put_limits (struct buf *buf, const struct cgroup *cgroup)
{
  auto_ (cgroup_settings)
  struct cgroup_settings settings = { 0 };
  struct tare_error ignored = { 0 };
  struct cgroup_unit *unit = cgroup->unit;
  if (unit->resources == NULL || compile_for (cgroup, unit->resources, &settings, &ignored) < 0)
    return 0;
  unit->has_limits = true;
  return put_settings (buf, &settings);
}

/* Where systemd put it must be where we said, in writing, that it would be. */
static int
check_place (const struct cgroup *cgroup, const char *group, struct tare_error *error)
{
  const char *path = cgroup->hierarchies[0].path;
  const char *rest = str_after (path, group);
  const struct cgroup_unit *unit = cgroup->unit;
  if (rest != NULL && (unit->subgroup == NULL ? *rest == '\0' : *rest == '/'))
    return 0;
  return fail_kind (error, TARE_ERROR_SYSTEM, -EXDEV,
                    "systemd put unit %s at '%s', where '%s' was expected", unit->name, group,
                    path);
}

static int
start_scope (const struct cgroup *cgroup, pid_t pid, struct tare_error *error)
{
  char group[PATH_MAX];
  auto_ (buf)
  struct buf properties = { 0 };
  const struct cgroup_unit *unit = cgroup->unit;
  int r = put_scope (&properties, unit, pid);
  if (r >= 0)
    r = put_limits (&properties, cgroup);
  if (r < 0)
    return fail (error, r, "start unit %s", unit->name);
  r = ask ((const char *const[]){ "start", unit->name, NULL }, &properties, group, error);
  return r < 0 ? r : check_place (cgroup, group, error);
}

static int
make_all (struct cgroup *cgroup, bool enable, struct tare_error *error)
{
  int r = 0;
  for (size_t i = 0; r >= 0 && i < cgroup->n_hierarchies; i++)
    {
      close_fd (&cgroup->hierarchies[i].fd);
      r = cgroupfs_make (&cgroup->hierarchies[i], enable, error);
    }
  return r;
}

/* systemd has put the process into its own hierarchy. The others are entered as with cgroupfs, and
 * so is a group below the scope: first, for a scope that gives controllers away may hold no
 * process, nor may a group that gets some of them by threads only be entered. */
static int
enter_scope (struct cgroup *cgroup, pid_t pid, struct tare_error *error)
{
  bool below = cgroup->unit->subgroup != NULL;
  int r = start_scope (cgroup, pid, error);
  if (r < 0)
    return r;
  r = make_all (cgroup, !below, error);
  if (r >= 0 && cgroup->owner != NULL && cgroup->n_hierarchies > 0)
    group_mark (cgroup->hierarchies[0].fd, cgroup->owner);
  if (r >= 0)
    r = cgroupfs_attach (cgroup, pid, !below, error);
  if (r >= 0 && below)
    r = make_all (cgroup, true, error);
  return r;
}

/* An ordinary user's process comes from a group that is not the user's own to change. */
static int
ask_to_attach (const struct cgroup *cgroup, pid_t pid, struct tare_error *error)
{
  char name[NAME_MAX + 1], number[16];
  const char *rest;
  const struct cgroup_hierarchy *h = hierarchy_primary (cgroup);
  if (h == NULL || !unit_of_path (h->path, name, sizeof name, &rest))
    return -EACCES;
  (void) snprintf (number, sizeof number, "%d", (int) pid);
  return ask ((const char *const[]){ "attach", name, *rest != '\0' ? rest : "/", number, NULL },
              NULL, NULL, error);
}

static bool
is_held (const struct cgroup *cgroup)
{
  for (size_t i = 0; i < cgroup->n_hierarchies; i++)
    if (cgroup->hierarchies[i].fd >= 0)
      return true;
  return false;
}

/* A container that is there (exec) is joined, a new one is made. */
static int
systemd_attach (struct cgroup *cgroup, pid_t pid, bool in_v2, struct tare_error *error)
{
  struct tare_error failure = { 0 };
  if (cgroup->unit != NULL)
    return enter_scope (cgroup, pid, error);
  int r = cgroupfs_attach (cgroup, pid, in_v2, &failure);
  if (r == -EACCES && ask_to_attach (cgroup, pid, &failure) >= 0)
    return 0;
  if (r < 0 && error != NULL)
    *error = failure;
  return r;
}

/* ---- limits ---------------------------------------------------------------------------------- */

static int
set_properties (const struct cgroup *cgroup, const struct buf *properties, struct tare_error *error)
{
  char name[NAME_MAX + 1];
  const char *rest;
  const struct cgroup_hierarchy *h = hierarchy_primary (cgroup);
  if (properties->length == 0 || h == NULL || !unit_of_path (h->path, name, sizeof name, &rest))
    return 0;
  return ask ((const char *const[]){ "set", name, NULL }, properties, NULL, error);
}

static int
tell_settings (const struct cgroup *cgroup, const struct cgroup_settings *settings,
               struct tare_error *error)
{
  auto_ (buf)
  struct buf properties = { 0 };
  int r = put_settings (&properties, settings);
  return r < 0 ? fail (error, r, "limits for systemd")
               : set_properties (cgroup, &properties, error);
}

/* The files last: their values are exact, where systemd rounds some. */
static int
systemd_update (const struct cgroup *cgroup, struct cgroup_settings *settings,
                struct tare_error *error)
{
  bool known = cgroup->unit != NULL && cgroup->unit->has_limits;
  int r = known ? 0 : tell_settings (cgroup, settings, error);
  return r < 0 ? r : settings_write (cgroup, settings, error);
}

/* Of an update that failed after systemd had taken it: its next daemon-reload would put the new
 * values into the files that were set back. */
static void
systemd_restore (const struct cgroup *cgroup, const struct cgroup_settings *saved)
{
  struct tare_error error = { 0 };
  if (tell_settings (cgroup, saved, &error) < 0)
    log_warning (cgroup->log, "limits not set back: %s", error.message);
}

/* Without these, a systemd that applies what it knows anew (daemon-reload, with v1) would take back
 * our own rules. */
static int
systemd_devices (const struct cgroup *cgroup, const struct device_rule *rules, size_t count,
                 struct tare_error *error)
{
  auto_ (buf)
  struct buf properties = { 0 };
  int r = put_devices (&properties, rules, count);
  return r < 0 ? fail (error, r, "device rules for systemd")
               : set_properties (cgroup, &properties, error);
}

/* ---- remove ---------------------------------------------------------------------------------- */

/* Most often systemd has seen the last process go, and has removed the scope. */
static int
systemd_destroy (struct cgroup *cgroup, struct tare_error *error)
{
  char name[NAME_MAX + 1] = "";
  const char *rest;
  if (!is_held (cgroup))
    return 0;
  const struct cgroup_hierarchy *h = hierarchy_primary (cgroup);
  bool has_unit = h != NULL && unit_of_path (h->path, name, sizeof name, &rest);
  int r = cgroupfs_destroy (cgroup, error);
  if (r != 0 || !has_unit) /* another's group is in another's unit, though it has this name */
    return r;
  return ask ((const char *const[]){ "stop", name, ours, NULL }, NULL, NULL, error);
}

const struct cgroup_driver cgroup_driver_systemd = {
  .name = "systemd",
  .probe = systemd_probe,
  .place = systemd_place,
  .check_free = cgroupfs_check_free,
  .prepare = systemd_prepare,
  .attach = systemd_attach,
  .update = systemd_update,
  .restore = systemd_restore,
  .devices = systemd_devices,
  .destroy = systemd_destroy,
};
