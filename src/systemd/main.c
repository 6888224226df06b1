/* The command line of tare-systemd: one request, one answer. See manager.h. */
#define _GNU_SOURCE
#include "manager.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int
with_properties (struct manager *manager, const char *unit,
                 int (*call) (struct manager *, const char *, struct properties *))
{
  CLEANUP (properties_done) struct properties properties;
  int r = properties_read (STDIN_FILENO, &properties);
  if (r < 0)
    {
      (void) snprintf (manager->message, sizeof manager->message, "read properties: %s",
                       strerror (-r));
      return r;
    }
  return call (manager, unit, &properties);
}

/* -EINVAL without a message: no such request. */
static int
serve (struct manager *manager, int argc, char **argv)
{
  const char *verb = argc > 0 ? argv[0] : "";
  if (argc == 1 && strcmp (verb, "root") == 0)
    return manager_root (manager);
  if (argc == 2 && strcmp (verb, "start") == 0)
    return with_properties (manager, argv[1], manager_start);
  if (argc == 2 && strcmp (verb, "set") == 0)
    return with_properties (manager, argv[1], manager_set);
  if (argc == 4 && strcmp (verb, "attach") == 0)
    return manager_attach (manager, argv[1], argv[2], argv[3]);
  if (argc == 3 && strcmp (verb, "stop") == 0)
    return manager_stop (manager, argv[1], argv[2]);
  (void) snprintf (manager->message, sizeof manager->message, "unknown request '%s'", verb);
  return -1;
}

int
main (int argc, char **argv)
{
  CLEANUP (manager_close) struct manager manager = { .bus = NULL };
  bool user = argc > 1 && strcmp (argv[1], "--user") == 0;
  int r = manager_open (&manager, user);
  if (r >= 0)
    r = serve (&manager, argc - 1 - user, argv + 1 + user);
  if (r < 0)
    (void) fprintf (stderr, "systemd: %s\n", manager.message);
  return r < 0;
}
