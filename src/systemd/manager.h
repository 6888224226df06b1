/* tare-systemd: talks to systemd for tare, which stays free of libsystemd. One process a request.
 *
 *   tare-systemd [--user] root                     prints the manager's own cgroup
 *   tare-systemd [--user] start UNIT               a transient scope; prints its cgroup
 *   tare-systemd [--user] set UNIT                 properties of a running one
 *   tare-systemd [--user] attach UNIT SUBGROUP PID moves a process into it
 *   tare-systemd [--user] stop UNIT DESCRIPTION    if its description begins like that
 *
 * start and set read properties from standard input: words that end with NUL, each property being
 * its name ("?" in front: left out where this systemd does not know it), its D-Bus signature, the
 * number of its values, and these. What went wrong is one line on standard error, and status 1.
 */
#ifndef TARE_SYSTEMD_MANAGER_H
#define TARE_SYSTEMD_MANAGER_H

#include <stdbool.h>
#include <stddef.h>
#include <systemd/sd-bus.h>

#define CLEANUP(function) __attribute__ ((cleanup (function)))

struct property
{
  const char *name, *signature;
  const char *const *values;
  size_t count;
  bool optional;
  bool left_out;
};

struct properties
{
  struct property *items;
  size_t count;
  const char **words; /* that they point to */
  char *bytes;
};

/* properties.c. All return 0 or -errno. */
int properties_read (int fd, struct properties *ret_properties);
void properties_done (struct properties *properties);
/* As an array of (sv). */
int properties_append (sd_bus_message *message, const struct properties *properties);
/* Leaves out the optional one that the text names; false if there is none. */
bool properties_drop (struct properties *properties, const char *text);

/* manager.c. These fill message (of MESSAGE_SIZE bytes) where they fail. */
enum
{
  MESSAGE_SIZE = 512,
};
struct manager
{
  sd_bus *bus;
  char message[MESSAGE_SIZE];
};
int manager_open (struct manager *manager, bool user);
void manager_close (struct manager *manager);
int manager_root (struct manager *manager);
int manager_start (struct manager *manager, const char *unit, struct properties *properties);
int manager_set (struct manager *manager, const char *unit, struct properties *properties);
int manager_attach (struct manager *manager, const char *unit, const char *subgroup,
                    const char *pid);
int manager_stop (struct manager *manager, const char *unit, const char *description);

#endif
