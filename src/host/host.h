/* The host side: what it does for each verb that changes something, as tables of steps. */
#ifndef TARE_HOST_H
#define TARE_HOST_H

#include "base/base.h"
#include "tare.h"

/* What a context knows; lives in lib. */
struct host
{
  int root; /* the state root */
  const char *root_path;
  enum tare_cgroup_manager manager;
  enum tare_rootless rootless;
  const struct log *log;
};

int host_create (const struct host *host, const char *id, const struct tare_create_options *options,
                 struct tare_process *ret_process, struct tare_error *error);
int host_start (const struct host *host, const char *id, struct tare_error *error);
int host_notify_socket (const struct host *host, const char *id, struct tare_process *ret_process,
                        struct tare_error *error);
int host_kill (const struct host *host, const char *id, int signal, uint32_t flags,
               struct tare_error *error);
int host_exec (const struct host *host, const char *id, const struct tare_exec_options *options,
               struct tare_process *ret_process, struct tare_error *error);
int host_update (const struct host *host, const char *id, const struct tare_update_options *options,
                 struct tare_error *error);
/* true: pause, false: resume. */
int host_freeze (const struct host *host, const char *id, bool frozen, struct tare_error *error);
int host_delete (const struct host *host, const char *id, uint32_t flags, struct tare_error *error);

#endif
