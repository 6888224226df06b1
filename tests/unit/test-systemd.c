/* tare-systemd's requests, with a child that speaks for systemd at the other end of a socket. */
#define _GNU_SOURCE
#include "tap.h"

#ifndef HAVE_SYSTEMD
int
main (void)
{
  ok (true, "tare-systemd # SKIP built with --disable-systemd");
  return tap_done ();
}
#else
#include "systemd/manager.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATH    "/org/freedesktop/systemd1"
#define MANAGER "org.freedesktop.systemd1.Manager"

/* ---- the child ------------------------------------------------------------------------------- */

/* What it was sent last, and how often. */
struct fake
{
  char request[1024];
  size_t length;
  int starts, resets;
};

__attribute__ ((format (printf, 2, 3))) static void
note (struct fake *fake, const char *format, ...)
{
  va_list arguments;
  va_start (arguments, format);
  size_t space = sizeof fake->request - fake->length;
  int n = vsnprintf (fake->request + fake->length, space, format, arguments);
  fake->length += n < 0 ? 0 : (size_t) n < space ? (size_t) n : space - 1;
  va_end (arguments);
}

static void
note_basic (struct fake *fake, sd_bus_message *m, char type)
{
  union
  {
    const char *text;
    uint64_t t;
    uint32_t u;
    int32_t i;
    int b;
    uint8_t y;
  } value;
  if (sd_bus_message_read_basic (m, type, &value) < 0)
    note (fake, "?");
  else if (type == 's')
    note (fake, "'%s'", value.text);
  else
    note (fake, "%c%llu", type,
          type == 't'   ? (unsigned long long) value.t
          : type == 'u' ? value.u
          : type == 'i' ? (unsigned) value.i
          : type == 'b' ? (unsigned) value.b
                        : value.y);
}

/* The values that follow, in words: [a b] is an array, (a b) a struct, a variant is its value. */
static void
note_values (struct fake *fake, sd_bus_message *m)
{
  char type;
  const char *contents;
  for (bool first = true; sd_bus_message_peek_type (m, &type, &contents) > 0; first = false)
    {
      note (fake, "%s", first ? "" : " ");
      if (type != 'a' && type != 'r' && type != 'v')
        {
          note_basic (fake, m, type);
          continue;
        }
      note (fake, "%s", type == 'a' ? "[" : type == 'r' ? "(" : "");
      if (sd_bus_message_enter_container (m, type, contents) < 0)
        return;
      note_values (fake, m);
      (void) sd_bus_message_exit_container (m);
      note (fake, "%s", type == 'a' ? "]" : type == 'r' ? ")" : "");
    }
}

static int
end_job (sd_bus_message *m, const char *unit)
{
  const char *result = strstr (unit, "failing") != NULL ? "failed" : "done";
  int r = sd_bus_emit_signal (sd_bus_message_get_bus (m), PATH, MANAGER, "JobRemoved", "uoss", 6,
                              PATH "/job/6", unit, "done"); /* another's */
  return r < 0 ? r
               : sd_bus_emit_signal (sd_bus_message_get_bus (m), PATH, MANAGER, "JobRemoved",
                                     "uoss", 7, PATH "/job/7", unit, result);
}

static int
on_job (sd_bus_message *m, const char *unit)
{
  /* whichever comes first, the job's end or the reply that names it */
  bool early = strstr (unit, "early") != NULL;
  int r = early ? end_job (m, unit) : 0;
  if (r >= 0)
    r = sd_bus_reply_method_return (m, "o", PATH "/job/7");
  return r < 0 || early ? r : end_job (m, unit);
}

static int
on_start (sd_bus_message *m, void *data, sd_bus_error *error)
{
  struct fake *fake = data;
  const char *unit;
  fake->length = 0;
  fake->starts++;
  int r = sd_bus_message_read (m, "s", &unit);
  if (r < 0)
    return r;
  note_values (fake, m);
  bool taken =
      strstr (unit, "taken") != NULL || (strstr (unit, "ended") != NULL && fake->resets == 0);
  if (taken)
    return sd_bus_error_setf (error, "org.freedesktop.systemd1.UnitExists",
                              "Unit %s was already loaded or has a fragment file.", unit);
  const char *unknown = strstr (fake->request, "New");
  if (unknown != NULL)
    return sd_bus_error_setf (error, "org.freedesktop.DBus.Error.PropertyReadOnly",
                              "Cannot set property %.*s, or unknown property.",
                              (int) strcspn (unknown, "'"), unknown);
  return on_job (m, unit);
}

static int
on_set (sd_bus_message *m, void *data, sd_bus_error *error)
{
  struct fake *fake = data;
  (void) error;
  fake->length = 0;
  note_values (fake, m);
  if (strstr (fake->request, "bad.scope") != NULL)
    return sd_bus_error_set_const (error, "org.freedesktop.DBus.Error.InvalidArgs", "out of range");
  return sd_bus_reply_method_return (m, NULL);
}

static int
on_stop (sd_bus_message *m, void *data, sd_bus_error *error)
{
  struct fake *fake = data;
  const char *unit;
  fake->length = 0;
  int r = sd_bus_message_read (m, "s", &unit);
  if (r < 0)
    return r;
  note (fake, "stopped %s", unit);
  if (strstr (unit, "unloaded") != NULL)
    return sd_bus_error_set_const (error, "org.freedesktop.systemd1.NoSuchUnit", "not loaded");
  return on_job (m, unit);
}

static int
on_reset (sd_bus_message *m, void *data, sd_bus_error *error)
{
  struct fake *fake = data;
  (void) error;
  fake->resets++;
  return sd_bus_reply_method_return (m, NULL);
}

/* ControlGroup is what was sent last: so it comes back to the test. */
static int
get_text (sd_bus *bus, const char *path, const char *interface, const char *property,
          sd_bus_message *reply, void *data, sd_bus_error *error)
{
  const struct fake *fake = data;
  const char *text = fake->request;
  (void) bus, (void) interface, (void) error;
  if (strcmp (property, "ActiveState") == 0)
    text = strstr (path, "ended") != NULL ? "failed" : "active";
  else if (strcmp (property, "LoadState") == 0)
    text = strstr (path, "nothing") != NULL ? "not-found" : "loaded";
  else if (strcmp (property, "Description") == 0)
    text = strstr (path, "foreign") != NULL ? "a web server" : "tare container x";
  return sd_bus_message_append (reply, "s", text);
}

static const sd_bus_vtable manager_table[] = {
  SD_BUS_VTABLE_START (0),
  SD_BUS_METHOD ("StartTransientUnit", "ssa(sv)a(sa(sv))", "o", on_start,
                 SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_METHOD ("SetUnitProperties", "sba(sv)", "", on_set, SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_METHOD ("AttachProcessesToUnit", "ssau", "", on_set, SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_METHOD ("StopUnit", "ss", "o", on_stop, SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_METHOD ("ResetFailedUnit", "s", "", on_reset, SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_PROPERTY ("ControlGroup", "s", get_text, 0, 0),
  SD_BUS_VTABLE_END,
};

static const sd_bus_vtable unit_table[] = {
  SD_BUS_VTABLE_START (0),
  SD_BUS_PROPERTY ("ActiveState", "s", get_text, 0, 0),
  SD_BUS_PROPERTY ("LoadState", "s", get_text, 0, 0),
  SD_BUS_PROPERTY ("Description", "s", get_text, 0, 0),
  SD_BUS_PROPERTY ("ControlGroup", "s", get_text, 0, 0),
  SD_BUS_VTABLE_END,
};

static int
find_unit (sd_bus *bus, const char *path, const char *interface, void *data, void **ret_found,
           sd_bus_error *error)
{
  (void) bus, (void) path, (void) interface, (void) error;
  *ret_found = data;
  return 1;
}

static int
serve (sd_bus *bus)
{
  struct fake fake = { .starts = 0 };
  int r = sd_bus_add_object_vtable (bus, NULL, PATH, MANAGER, manager_table, &fake);
  if (r >= 0)
    r = sd_bus_add_fallback_vtable (bus, NULL, PATH "/unit", "org.freedesktop.systemd1.Unit",
                                    unit_table, find_unit, &fake);
  if (r >= 0)
    r = sd_bus_add_fallback_vtable (bus, NULL, PATH "/unit", "org.freedesktop.systemd1.Scope",
                                    unit_table, find_unit, &fake);
  while (r >= 0)
    {
      r = sd_bus_process (bus, NULL);
      if (r == 0)
        r = sd_bus_wait (bus, UINT64_MAX);
    }
  return r;
}

static sd_bus *
open_bus (int fd, bool server)
{
  sd_id128_t id = { { 1 } };
  sd_bus *bus = NULL;
  int r = sd_bus_new (&bus);
  if (r >= 0)
    r = sd_bus_set_fd (bus, fd, fd);
  if (r >= 0 && server)
    r = sd_bus_set_server (bus, 1, id);
  if (r >= 0)
    r = sd_bus_set_anonymous (bus, 1);
  if (r >= 0)
    r = sd_bus_start (bus);
  return r >= 0 ? bus : NULL;
}

static pid_t
begin (struct manager *manager)
{
  int ends[2];
  *manager = (struct manager){ .bus = NULL };
  if (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
    return -1;
  pid_t child = fork ();
  if (child == 0)
    {
      (void) prctl (PR_SET_PDEATHSIG, SIGKILL);
      (void) close (ends[0]);
      CLEANUP (sd_bus_flush_close_unrefp) sd_bus *bus = open_bus (ends[1], true);
      if (bus != NULL)
        (void) serve (bus);
      _exit (0);
    }
  (void) close (ends[1]);
  manager->bus = open_bus (ends[0], false);
  return child;
}

static void
end (struct manager *manager, pid_t child)
{
  manager_close (manager);
  (void) waitpid (child, NULL, 0);
}

/* ---- the tests ------------------------------------------------------------------------------- */

/* '|' becomes NUL. */
static int
read_words (const char *text, struct properties *properties)
{
  int ends[2];
  char bytes[1024];
  size_t length = strlen (text);
  memcpy (bytes, text, length);
  for (size_t i = 0; i < length; i++)
    bytes[i] = bytes[i] == '|' ? '\0' : bytes[i];
  if (pipe (ends) < 0)
    return -errno;
  bool written = write (ends[1], bytes, length) == (ssize_t) length;
  (void) close (ends[1]);
  int r = written ? properties_read (ends[0], properties) : -EIO;
  (void) close (ends[0]);
  return r;
}

/* What call prints on standard output, without its newline. */
static int
printed (struct manager *manager, const char *unit, struct properties *properties, char *text,
         size_t size)
{
  int ends[2], saved = dup (STDOUT_FILENO);
  (void) fflush (stdout);
  if (saved < 0 || pipe (ends) < 0)
    return -errno;
  (void) dup2 (ends[1], STDOUT_FILENO);
  (void) close (ends[1]);
  int r = unit != NULL ? manager_start (manager, unit, properties) : manager_root (manager);
  (void) fflush (stdout);
  (void) dup2 (saved, STDOUT_FILENO);
  (void) close (saved);
  ssize_t n = read (ends[0], text, size - 1);
  (void) close (ends[0]);
  text[n > 0 ? n : 0] = '\0';
  text[strcspn (text, "\n")] = '\0';
  return r;
}

/* message: what it says where it fails; sent: what systemd got where it does not. */
static void
test_start (const char *unit, const char *words, const char *sent, const char *message)
{
  char text[1024] = "";
  struct manager manager;
  struct properties properties;
  pid_t child = begin (&manager);
  int r = read_words (words, &properties);
  if (r >= 0)
    r = printed (&manager, unit, &properties, text, sizeof text);
  ok (message == NULL ? r >= 0 : r < 0, "start %s: %d", unit, r);
  is_text (manager.message, message != NULL ? message : "", "its message");
  is_text (text, sent, "what systemd was sent");
  properties_done (&properties);
  end (&manager, child);
}

static void
test_starts (void)
{
  const char *sent = "'fail' [('A' 's text')] []";
  test_start ("a.scope",
              "Name|s|1|a text|Yes|b|1|1|No|b|1|0|Much|t|1|18446744073709551615|PIDs|au|2|4|5|"
              "Signal|i|1|-1|Few|u|1|7|After|as|2|a|b|None|as|0|Set|ay|1|01ff|Empty|ay|1||"
              "Max|a(st)|4|/dev/a|1|/dev/b|2|Allow|a(ss)|2|char-*|m|Clear|a(ss)|0|",
              "'fail' [('Name' 'a text') ('Yes' b1) ('No' b0) ('Much' t18446744073709551615) "
              "('PIDs' [u4 u5]) ('Signal' i4294967295) ('Few' u7) ('After' ['a' 'b']) ('None' []) "
              "('Set' [y1 y255]) ('Empty' []) ('Max' [('/dev/a' t1) ('/dev/b' t2)]) "
              "('Allow' [('char-*' 'm')]) ('Clear' [])] []",
              NULL);
  test_start ("early.scope", "A|s|1|s text|", sent, NULL);
  test_start ("failing.scope", "A|s|1|s text|", "",
              "unit failing.scope: its job ended with 'failed'");
  test_start ("taken.scope", "A|s|1|s text|", "",
              "start unit taken.scope: Unit taken.scope was already loaded or has a fragment "
              "file.");
  test_start ("ended.scope", "A|s|1|s text|", sent, NULL);
  test_start ("b.scope", "?NewOne|t|1|1|A|s|1|s text|?NewTwo|t|1|1|", sent, NULL);
  test_start ("c.scope", "A|s|1|s text|New|t|1|1|", "",
              "start unit c.scope: Cannot set property New, or unknown property.");
  test_start ("d.scope", "A|t|1|x|", "", "start unit d.scope: Invalid argument");
  test_start ("d.scope", "A|ay|1|0g|", "", "start unit d.scope: Invalid argument");
  test_start ("d.scope", "A|a(st)|1|x|", "", "start unit d.scope: Invalid argument");
  test_start ("d.scope", "A|s|2|x|y|", "", "start unit d.scope: Invalid argument");
}

static void
test_words (const char *words)
{
  struct properties properties = { 0 };
  ok (read_words (words, &properties) == -EBADMSG, "no properties: '%s'", words);
  properties_done (&properties);
}

static void
test_rest (void)
{
  char text[1024] = "";
  struct manager manager;
  struct properties properties;
  pid_t child = begin (&manager);
  ok (read_words ("A|t|1|5|", &properties) == 0, "properties");
  ok (manager_set (&manager, "a.scope", &properties) == 0, "set");
  ok (printed (&manager, NULL, NULL, text, sizeof text) == 0, "root");
  is_text (text, "'a.scope' b1 [('A' t5)]", "what systemd was sent, and gives as its group");
  ok (manager_set (&manager, "bad.scope", &properties) < 0, "set, refused");
  is_text (manager.message, "unit bad.scope: set properties: out of range", "its message");
  properties_done (&properties);
  ok (manager_attach (&manager, "a.scope", "/in", "17") == 0, "attach");
  (void) printed (&manager, NULL, NULL, text, sizeof text);
  is_text (text, "'a.scope' '/in' [u17]", "what systemd was sent");
  ok (manager_attach (&manager, "a.scope", "/in", "x") < 0, "attach: no number");
  ok (manager_stop (&manager, "a.scope", "tare container ") == 0, "stop");
  (void) printed (&manager, NULL, NULL, text, sizeof text);
  is_text (text, "stopped a.scope", "what systemd was sent");
  ok (manager_stop (&manager, "foreign.scope", "tare container ") == -EEXIST, "not ours");
  is_text (manager.message, "unit foreign.scope is 'a web server', not ours: left alone",
           "its message");
  ok (manager_stop (&manager, "nothing.scope", "tare container ") == 0, "stop: nothing there");
  (void) printed (&manager, NULL, NULL, text, sizeof text);
  is_text (text, "stopped a.scope", "neither was stopped");
  ok (manager_stop (&manager, "unloaded.scope", "tare container ") == 0, "stop: just gone");
  ok (manager_stop (&manager, "failing.scope", "tare container ") < 0, "stop: its job fails");
  is_text (manager.message, "unit failing.scope: its job ended with 'failed'", "its message");
  end (&manager, child);
}

int
main (void)
{
  test_starts ();
  test_words ("A|s|1");
  test_words ("A|s|");
  test_words ("A|s|2|x|");
  test_words ("A|s|x|x|");
  test_rest ();
  return tap_done ();
}
#endif
