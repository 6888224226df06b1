/* The state directory: <root>/<id>/{lock,config.json,state.json,start}. Written atomically, checked
 * when read: truncation, garbage or a foreign owner is an error, never a crash. */
#ifndef TARE_STATE_H
#define TARE_STATE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/base.h"
#include "libocispec/table.h"

#define STATE_START_SOCKET "start"
#define STATE_NOTIFY       "notify" /* directory */
#define STATE_CONFIG       "config.json"
#define STATE_RESOURCES    "resources.json" /* linux.resources after the last update */
#define STATE_RECORD       "state.json"

enum state_status
{
  STATE_CREATING,
  STATE_CREATED,
  STATE_RUNNING,
  STATE_PAUSED,  /* never written; derived */
  STATE_STOPPED, /* written only when known; else derived from the process */
};
extern const struct enum_map state_status_map[];

/* state.json: enough for state, kill and delete without reading the config. A libocispec table. */
struct state_record; /* fields: see record.h; version, id, status, pid, start_time, bundle, rootfs,
                      * created, owner (uid), annotations, cgroup_manager, cgroups (directories),
                      * systemd_unit, new_pid_namespace, chrooted,
                      * keep_keyring */

/* A container's directory, held open. */
struct state
{
  char *id;
  int directory;               /* <root>/<id> */
  int lock;                    /* held exclusively, or -EBADF */
  struct arena arena;          /* of the record */
  struct state_record *record; /* what was read last, or what is to be written */
  int prepared;                /* the status of what state_prepare has written */
};

/* [A-Za-z0-9_+][A-Za-z0-9_+.-]*, at most NAME_MAX bytes: it is the name of a directory, and no
 * option of a command line. TARE_ERROR_USAGE. */
int state_check_id (const char *id, struct tare_error *error);
/* Opens the root: a directory of ours, not a link, not writable by others, not "/"; made (0700) if
 * missing. create false: -ENOENT where it is missing. */
int state_open_root (const char *root, bool create, struct tare_error *error);

/* Reserves id: makes its directory and lock (which is held), and a record: creating, created now,
 * by us. It is for the caller to write it, before it makes anything else; until then the container
 * does not exist for others. -EEXIST: "container `ID` already exists". */
int state_reserve (int root, const char *id, struct state *ret_state, struct tare_error *error);
/* lock: take the exclusive lock (waits for another verb to finish, but not for ever: -EBUSY).
 * Reads the record. -ENOENT, TARE_ERROR_NOT_FOUND: "container `ID` does not exist";
 * TARE_ERROR_CORRUPT: its directory is there, but not as we wrote it. */
int state_open (int root, const char *id, bool lock, struct state *ret_state,
                struct tare_error *error);
/* Is its directory all that there is: nothing else was made yet when its maker died, or is left? */
bool state_is_unfinished (int root, const char *id);
/* For delete --force after TARE_ERROR_CORRUPT, and any delete of what is unfinished: locks; record
 * stays NULL. -EAGAIN: the record can be read after all, it was just being made. */
int state_open_damaged (int root, const char *id, struct state *ret_state,
                        struct tare_error *error);
/* Enters pid and its start time into the record (not written yet). */
int state_note_process (struct state *state, pid_t pid, struct tare_error *error);
/* What the container's group is marked with (struct cgroup.owner), in the record's arena: an id may
 * be used again, but not at the same nanosecond. NULL: ENOMEM. */
const char *state_owner_mark (struct state *state);
/* Writes the record by rename. */
int state_write (struct state *state, struct tare_error *error);
/* The same in two: writes the record as it will be with that status beside the one that is, while
 * there is time; later that takes its place in one call, or is dropped. */
int state_prepare (struct state *state, enum state_status status, struct tare_error *error);
int state_commit (struct state *state, struct tare_error *error);
void state_discard (struct state *state);
/* Stores the bytes of config.json. */
int state_write_config (struct state *state, const void *bytes, size_t length,
                        struct tare_error *error);
/* Likewise what is in force after an update. */
int state_write_resources (struct state *state, const void *bytes, size_t length,
                           struct tare_error *error);
/* Removes everything in the directory, the record and the lock last, and the directory itself.
 * Repeatable. */
int state_remove (int root, struct state *state, struct tare_error *error);
void state_done (struct state *state);

/* What the container is now: the record checked against the process (pid alive with that start
 * time, not a zombie; "created" whose exe is no longer tare-init's memfd is running; "creating"
 * whose maker is gone is stopped). Does not look at the freezer: the caller knows the cgroup. */
enum state_status state_now (const struct state *state);
/* Is its process stopped by a signal, or by a debugger? */
bool state_is_suspended (const struct state *state);
/* A pidfd of the container's init, verified by start time after opening. -ESRCH,
 * TARE_ERROR_STATUS: "container not running: no such process". */
int state_pidfd (const struct state *state, struct tare_error *error);

/* The ids below root, sorted; an array of count strings, freed with state_list_free. */
int state_list (int root, char ***ret_ids, size_t *ret_count, struct tare_error *error);
void state_list_free (char **ids, size_t count);

#endif
