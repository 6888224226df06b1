/* Plays the host side against the real tare-init: makes a plan by hand, spawns init in new
 * namespaces, goes through create and start, and hands back what the container printed. Needs root.
 *
 *   struct drive drive;
 *   drive_begin (&drive);                       a default container, described in drive.root
 *   drive_script (&drive, "hostname");          or drive_args
 *   ok (drive_run (&drive) == 0, "...");        create, start, wait; drive.error, .output, .status
 *   drive_end (&drive);
 */
#ifndef TARE_TESTS_DRIVE_H
#define TARE_TESTS_DRIVE_H

#include <sys/types.h>

#include "plan/plan.h"
#include "plan/protocol.h"
#include "plan/steps.h"

enum
{
  DRIVE_MOST = 32,
};

struct drive
{
  char directory[64]; /* temporary: rootfs/, host/, start */
  char rootfs[128], host[128];

  struct plan_builder builder;
  struct plan root; /* change what a test is about; arrays go through the members below */
  struct plan_join joins[PLAN_MAX_NAMESPACES];
  int join_fds[PLAN_MAX_NAMESPACES];
  size_t n_joins;
  struct plan_mount mounts[DRIVE_MOST];
  size_t n_mounts;
  struct plan_device devices[DRIVE_MOST];
  size_t n_devices;
  struct plan_path paths[DRIVE_MOST];
  size_t n_paths;
  struct plan_sysctl sysctls[DRIVE_MOST];
  size_t n_sysctls;
  struct plan_rlimit rlimits[DRIVE_MOST];
  size_t n_rlimits;
  const char *args[DRIVE_MOST], *env[DRIVE_MOST];
  size_t n_args, n_env;
  struct plan_hook create_hooks[4], start_hooks[4];
  size_t n_create_hooks, n_start_hooks;
  const gid_t *groups;
  size_t n_groups;

  const char *fault;    /* TARE_FAULT=..., for the init that was built with TARE_FAULTS */
  const char *user_map; /* of a new user namespace: uid_map and gid_map */
  const char *offsets;  /* timens_offsets */
  int filter;           /* a memfd with a compiled filter, for PLAN_SECCOMP; else 0 */
  int network;          /* what goes with NETWORK, for PLAN_HOST_NETWORK; 0: nothing */
  int container;        /* PLAN_EXEC: a pidfd of the container */
  int timeout;          /* milliseconds to wait for a message; 0: for ever */

  struct channel channel;
  struct plan_progress *progress;
  pid_t pid;
  int pidfd, output_fd, progress_fd;
  bool alive;
  struct tare_error error;
  char output[8192]; /* what the container wrote to its standard output and error */
  int status;        /* as of waitpid(2) */
};

/* The path of the init under test, or NULL. */
const char *drive_init_path (bool faults);

void drive_begin (struct drive *drive);
/* Forgets mounts, devices, links, paths: only a root directory is left. */
void drive_bare (struct drive *drive);
void drive_end (struct drive *drive);

struct plan_mount *drive_mount (struct drive *drive, const char *type, const char *source,
                                const char *target, uint64_t set, const char *const *options,
                                size_t n_options);
struct plan_mount *drive_bind (struct drive *drive, const char *source, const char *target,
                               uint64_t set);
void drive_device (struct drive *drive, const char *path, uint32_t mode, uint32_t major,
                   uint32_t minor);
void drive_path (struct drive *drive, enum plan_path_action action, const char *path);
void drive_join (struct drive *drive, uint32_t type, const char *path);
void drive_script (struct drive *drive, const char *script);

/* Each returns 0 or -errno, with drive.error filled. */
/* Before a test gives up its rights. */
void drive_hold_init (void);
int drive_spawn (struct drive *drive);
int drive_create (struct drive *drive); /* after spawn, to RUN */
int drive_connect (struct drive *drive);
int drive_start (struct drive *drive); /* to EXECUTING and the end of file, or init's error */
int drive_wait (struct drive *drive);  /* status and output */
int drive_run (struct drive *drive);   /* all of it */

/* A sealed memfd with the plan. */
int drive_plan (struct drive *drive);
void drive_remove (const struct drive *drive);
/* The test cannot go on. */
void drive_die (const char *what);

/* A file of the temporary directory: relative to it. */
void drive_file (const struct drive *drive, const char *path, const char *text);
void drive_directory (const struct drive *drive, const char *path);
void drive_link (const struct drive *drive, const char *path, const char *target);
/* The names below a directory, sorted, with sizes: to see that nothing changed there. */
void drive_listing (const struct drive *drive, const char *path, char *out, size_t size);

#endif
