/* lib: the public verbs of include/tare.h, over host, state, cgroup and spec. Owns the context and
 * the reading of option structs; decides nothing about containers. */
#ifndef TARE_LIB_H
#define TARE_LIB_H

#include "base/base.h"
#include "cgroup/cgroup.h"
#include "host/host.h"
#include "state/state.h"
#include "tare.h"

struct tare_context
{
  char *root;
  bool root_given; /* by the caller: then that it is missing is an error of tare_list */
  enum tare_cgroup_manager manager;
  enum tare_rootless rootless;
  struct log log;
};

/* Opens the context's root and fills *ret_host, which borrows from context; the caller closes
 * ret_host->root. create: makes it where it is missing, else -ENOENT. */
int lib_open_host (const struct tare_context *context, bool create, struct host *ret_host,
                   struct tare_error *error);

/* The same for a container that is there: without a root there is none. TARE_ERROR_USAGE,
 * TARE_ERROR_NOT_FOUND. */
int lib_open_host_of (const struct tare_context *context, const char *id, struct host *ret_host,
                      struct tare_error *error);
static inline void
host_done (struct host *host)
{
  close_fd (&host->root);
}

/* A container as those verbs see it that change nothing: no lock, no config. */
struct lib_container
{
  struct host host;
  struct state state;
  struct cgroup cgroup;
};
#define LIB_CONTAINER_INIT                                                                         \
  {                                                                                                \
    .host = { .root = -EBADF }, .state = {.directory = -EBADF, .lock = -EBADF }                    \
  }
int lib_container_open (const struct tare_context *context, const char *id, enum cgroup_use use,
                        struct lib_container *ret_container, struct tare_error *error);
void lib_container_done (struct lib_container *container);

/* Copies an option struct of the caller, who may have been compiled with an older or a newer
 * tare.h, over *known, which holds the defaults. known_size: of ours; oldest: of the first release.
 * What a newer caller sets that we do not know is refused. */
int lib_copy_options (void *known, size_t known_size, size_t oldest, const void *given,
                      struct tare_error *error);

/* For as long as a process is made, those of 0, 1 and 2 that are closed are /dev/null. */
struct lib_standard
{
  bool filled[3];
};
int lib_fill_standard (struct lib_standard *standard, struct tare_error *error);
void lib_standard_done (struct lib_standard *standard);
/* Each is open, or -1. */
int lib_check_stdio (const int stdio[3], struct tare_error *error);
/* Every one of the descriptors from 3 on, so many, is open, and the caller's own. */
int lib_check_preserved (uint32_t listen_fds, uint32_t preserve_fds, struct tare_error *error);

/* The user name of uid, or its number. */
void lib_owner_name (uint32_t uid, char *name, size_t size);

#endif
