/* Calls of org.freedesktop.systemd1, and waiting for the jobs that they start. */
#define _GNU_SOURCE
#include "manager.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/base.h"

#define NAME      "org.freedesktop.systemd1"
#define PATH      "/org/freedesktop/systemd1"
#define MANAGER   NAME ".Manager"
#define UNIT      NAME ".Unit"
#define SCOPE     NAME ".Scope"
#define NO_SUCH   NAME ".NoSuchUnit"
#define EXISTS    NAME ".UnitExists"
#define READ_ONLY "org.freedesktop.DBus.Error.PropertyReadOnly"

enum
{
  JOB_SECONDS = 60,
  GONE_SECONDS = 20, /* for a unit of this name that has ended and is about to be forgotten */
};

__attribute__ ((format (printf, 3, 4))) static int
report (struct manager *manager, int code, const char *format, ...)
{
  va_list arguments;
  va_start (arguments, format);
  (void) vsnprintf (manager->message, sizeof manager->message, format, arguments);
  va_end (arguments);
  return code < 0 ? code : -EIO;
}

static int
report_call (struct manager *manager, int r, const sd_bus_error *error, const char *what)
{
  const char *why = error->message != NULL ? error->message : strerror (-r);
  return report (manager, r, "%s: %s", what, why);
}

static uint64_t
now_us (void)
{
  struct timespec now = { 0 };
  (void) clock_gettime (CLOCK_MONOTONIC, &now);
  return (uint64_t) now.tv_sec * 1000000 + (uint64_t) now.tv_nsec / 1000;
}

/* ---- the connection -------------------------------------------------------------------------- */

/* The manager's own socket: there without a bus, and one hop nearer. */
static int
open_private (sd_bus **ret_bus, const char *directory)
{
  char address[256];
  CLEANUP (sd_bus_unrefp) sd_bus *bus = NULL;
  int n = snprintf (address, sizeof address, "unix:path=%s/systemd/private", directory);
  if (n < 0 || (size_t) n >= sizeof address || strpbrk (directory, ";,%=") != NULL)
    return -ENAMETOOLONG;
  int r = sd_bus_new (&bus);
  if (r >= 0)
    r = sd_bus_set_address (bus, address);
  if (r >= 0)
    r = sd_bus_start (bus);
  if (r < 0)
    return r;
  *ret_bus = bus;
  bus = NULL;
  return 0;
}

static int
open_user (struct manager *manager)
{
  const char *directory = getenv ("XDG_RUNTIME_DIR");
  int r = sd_bus_open_user (&manager->bus);
  if (r < 0 && directory != NULL)
    r = open_private (&manager->bus, directory);
  return r >= 0 ? 0
                : report (manager, r,
                          "connect to the user's systemd: %s (DBUS_SESSION_BUS_ADDRESS or "
                          "XDG_RUNTIME_DIR must lead to it)",
                          strerror (-r));
}

int
manager_open (struct manager *manager, bool user)
{
  if (user)
    return open_user (manager);
  int r = open_private (&manager->bus, "/run");
  if (r < 0)
    r = sd_bus_open_system (&manager->bus);
  return r >= 0 ? 0 : report (manager, r, "connect to systemd: %s", strerror (-r));
}

void
manager_close (struct manager *manager)
{
  manager->bus = sd_bus_flush_close_unref (manager->bus);
}

/* ---- jobs ------------------------------------------------------------------------------------ */

struct job
{
  char *path; /* as StartTransientUnit or StopUnit returned it; NULL while that is awaited */

  char result[32];
};

static void
job_done (struct job *job)
{
  free (job->path);
}

static int
on_job_removed (sd_bus_message *message, void *argument, sd_bus_error *error)
{
  struct job *job = argument;
  const char *path, *result;
  (void) error;
  if (job->path == NULL || sd_bus_message_read (message, "uoss", NULL, &path, NULL, &result) < 0)
    return 0;
  if (strcmp (path, job->path) == 0)
    (void) snprintf (job->result, sizeof job->result, "%s", result);
  return 0;
}

/* Before the call that starts the job: signals are dispatched only when we wait. */
static int
watch_jobs (struct manager *manager, struct job *job)
{
  int r = sd_bus_match_signal_async (manager->bus, NULL, NULL, PATH, MANAGER, "JobRemoved",
                                     on_job_removed, NULL, job);
  return r < 0 ? report (manager, r, "watch jobs: %s", strerror (-r)) : 0;
}

/* reply: "o", the job. */
static int
await_job (struct manager *manager, struct job *job, sd_bus_message *reply, const char *unit)
{
  const char *path;
  uint64_t deadline = now_us () + JOB_SECONDS * UINT64_C (1000000);
  int r = sd_bus_message_read (reply, "o", &path);
  if (r >= 0 && (job->path = strdup (path)) == NULL)
    r = -ENOMEM;
  while (r >= 0 && *job->result == '\0')
    {
      uint64_t now = now_us ();
      r = sd_bus_process (manager->bus, NULL);
      if (r == 0 && now >= deadline)
        return report (manager, -ETIMEDOUT, "unit %s: its job is not done after %d s", unit,
                       JOB_SECONDS);
      if (r == 0)
        r = sd_bus_wait (manager->bus, deadline - now);
    }
  if (r < 0)
    return report (manager, r, "unit %s: wait for its job: %s", unit, strerror (-r));
  if (strcmp (job->result, "done") != 0 && strcmp (job->result, "skipped") != 0)
    return report (manager, -EIO, "unit %s: its job ended with '%s'", unit, job->result);
  return 0;
}

/* ---- reading --------------------------------------------------------------------------------- */

static int
unit_path (struct manager *manager, const char *unit, char **ret_path)
{
  int r = sd_bus_path_encode (PATH "/unit", unit, ret_path);
  return r < 0 ? report (manager, r, "unit %s: %s", unit, strerror (-r)) : 0;
}

static int
unit_text (struct manager *manager, const char *unit, const char *interface, const char *property,
           char **ret_text)
{
  CLEANUP (sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
  char *path = NULL;
  int r = unit_path (manager, unit, &path);
  if (r >= 0)
    {
      r = sd_bus_get_property_string (manager->bus, NAME, path, interface, property, &error,
                                      ret_text);
      if (r < 0)
        (void) report (manager, r, "unit %s: read %s: %s", unit, property,
                       error.message != NULL ? error.message : strerror (-r));
    }
  free (path);
  return r;
}

static int
print_and_free (char *text)
{
  int r = puts (text) < 0 || fflush (stdout) != 0 ? -EIO : 0;
  free (text);
  return r;
}

int
manager_root (struct manager *manager)
{
  CLEANUP (sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
  char *text = NULL;
  int r =
      sd_bus_get_property_string (manager->bus, NAME, PATH, MANAGER, "ControlGroup", &error, &text);
  return r < 0 ? report_call (manager, r, &error, "read ControlGroup") : print_and_free (text);
}

/* ---- start ----------------------------------------------------------------------------------- */

static int
call_start (struct manager *manager, const char *unit, const struct properties *properties,
            sd_bus_error *error, sd_bus_message **ret_reply)
{
  CLEANUP (sd_bus_message_unrefp) sd_bus_message *message = NULL;
  int r = sd_bus_message_new_method_call (manager->bus, &message, NAME, PATH, MANAGER,
                                          "StartTransientUnit");
  if (r >= 0)
    r = sd_bus_message_append (message, "ss", unit, "fail");
  if (r >= 0)
    r = properties_append (message, properties);
  if (r >= 0)
    r = sd_bus_message_append (message, "a(sa(sv))", 0);
  return r < 0 ? r : sd_bus_call (manager->bus, message, 0, error, ret_reply);
}

/* Has the unit that is in our way ended? Then it goes by itself, and at once where it failed. */
static bool
has_ended (struct manager *manager, const char *unit)
{
  char *state = NULL;
  if (unit_text (manager, unit, UNIT, "ActiveState", &state) < 0)
    return false;
  bool failed = strcmp (state, "failed") == 0;
  bool ended = failed || strcmp (state, "inactive") == 0 || strcmp (state, "deactivating") == 0;
  free (state);
  if (failed)
    (void) sd_bus_call_method (manager->bus, NAME, PATH, MANAGER, "ResetFailedUnit", NULL, NULL,
                               "s", unit);
  return ended;
}

static int
start_job (struct manager *manager, const char *unit, struct properties *properties,
           sd_bus_message **ret_reply)
{
  uint64_t deadline = now_us () + GONE_SECONDS * UINT64_C (1000000);
  for (;;)
    {
      CLEANUP (sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
      int r = call_start (manager, unit, properties, &error, ret_reply);
      if (r >= 0)
        return 0;
      bool again = false;
      if (sd_bus_error_has_name (&error, READ_ONLY) && error.message != NULL)
        again = properties_drop (properties, error.message);
      else if (sd_bus_error_has_name (&error, EXISTS) && now_us () < deadline)
        again = has_ended (manager, unit) && usleep (20000) == 0;
      if (!again)
        {
          char what[300];
          (void) snprintf (what, sizeof what, "start unit %s", unit);
          return report_call (manager, r, &error, what);
        }
    }
}

int
manager_start (struct manager *manager, const char *unit, struct properties *properties)
{
  CLEANUP (job_done) struct job job = { 0 };
  CLEANUP (sd_bus_message_unrefp) sd_bus_message *reply = NULL;
  char *group = NULL;
  int r = watch_jobs (manager, &job);
  if (r >= 0)
    r = start_job (manager, unit, properties, &reply);
  if (r >= 0)
    r = await_job (manager, &job, reply, unit);
  if (r >= 0)
    r = unit_text (manager, unit, SCOPE, "ControlGroup", &group);
  return r < 0 ? r : print_and_free (group);
}

/* ---- the rest -------------------------------------------------------------------------------- */

static int
call_set (struct manager *manager, const char *unit, const struct properties *properties,
          sd_bus_error *error)
{
  CLEANUP (sd_bus_message_unrefp) sd_bus_message *message = NULL;
  int r = sd_bus_message_new_method_call (manager->bus, &message, NAME, PATH, MANAGER,
                                          "SetUnitProperties");
  if (r >= 0)
    r = sd_bus_message_append (message, "sb", unit, true);
  if (r >= 0)
    r = properties_append (message, properties);
  return r < 0 ? r : sd_bus_call (manager->bus, message, 0, error, NULL);
}

int
manager_set (struct manager *manager, const char *unit, struct properties *properties)
{
  for (;;)
    {
      CLEANUP (sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
      char what[300];
      int r = call_set (manager, unit, properties, &error);
      if (r >= 0)
        return 0;
      if (sd_bus_error_has_name (&error, READ_ONLY) && error.message != NULL
          && properties_drop (properties, error.message))
        continue;
      (void) snprintf (what, sizeof what, "unit %s: set properties", unit);
      return report_call (manager, r, &error, what);
    }
}

int
manager_attach (struct manager *manager, const char *unit, const char *subgroup, const char *pid)
{
  CLEANUP (sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
  char what[300];
  uint64_t number = 0;
  int r = parse_u64 (pid, INT32_MAX, &number);
  if (r >= 0)
    r = sd_bus_call_method (manager->bus, NAME, PATH, MANAGER, "AttachProcessesToUnit", &error,
                            NULL, "ssau", unit, subgroup, 1, (uint32_t) number);
  (void) snprintf (what, sizeof what, "unit %s: attach process %s", unit, pid);
  return r < 0 ? report_call (manager, r, &error, what) : 0;
}

/* Is the unit there, and ours? 1, 0, or an error. */
static int
is_ours (struct manager *manager, const char *unit, const char *description)
{
  char *text = NULL, *state = NULL;
  int r = unit_text (manager, unit, UNIT, "LoadState", &state);
  if (r >= 0 && strcmp (state, "not-found") != 0)
    r = unit_text (manager, unit, UNIT, "Description", &text);
  if (r >= 0 && text != NULL && strncmp (text, description, strlen (description)) != 0)
    r = report (manager, -EEXIST, "unit %s is '%s', not ours: left alone", unit, text);
  else if (r >= 0)
    r = text != NULL;
  free (text);
  free (state);
  return r;
}

int
manager_stop (struct manager *manager, const char *unit, const char *description)
{
  CLEANUP (job_done) struct job job = { 0 };
  CLEANUP (sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
  CLEANUP (sd_bus_message_unrefp) sd_bus_message *reply = NULL;
  char what[300];
  int r = is_ours (manager, unit, description);
  if (r <= 0)
    return r;
  r = watch_jobs (manager, &job);
  if (r < 0)
    return r;
  r = sd_bus_call_method (manager->bus, NAME, PATH, MANAGER, "StopUnit", &error, &reply, "ss", unit,
                          "replace");
  (void) snprintf (what, sizeof what, "stop unit %s", unit);
  if (r < 0)
    return sd_bus_error_has_name (&error, NO_SUCH) ? 0 : report_call (manager, r, &error, what);
  r = await_job (manager, &job, reply, unit);
  if (r >= 0) /* it may have failed before: then its name stays taken */
    (void) sd_bus_call_method (manager->bus, NAME, PATH, MANAGER, "ResetFailedUnit", NULL, NULL,
                               "s", unit);
  return r;
}
