/* create, start, kill, delete: checks what the caller gave, and hands on to host. What is public
 * but not built yet is refused here. */
#define _GNU_SOURCE
#include "lib/lib.h"

#include <stddef.h>
#include <unistd.h>

#include "state/record.h"

static void
host_done (struct host *host)
{
  close_fd (&host->root);
}

/* No root, no container. */
static int
open_host_of (const struct tare_context *context, const char *id, struct host *ret_host,
              struct tare_error *error)
{
  int r = state_check_id (id, error);
  if (r >= 0)
    r = lib_open_host (context, false, ret_host, error);
  if (r == -ENOENT)
    return fail_kind (error, TARE_ERROR_NOT_FOUND, r, "container `%s` does not exist", id);
  return r;
}

int
tare_create (struct tare_context *context, const char *id,
             const struct tare_create_options *options, struct tare_process *ret_process,
             struct tare_error *error)
{
  struct tare_create_options o = TARE_CREATE_OPTIONS_INIT;
  auto_ (host)
  struct host host = { .root = -EBADF };
  struct tare_process process = { 0, -1 };
  int r = state_check_id (id, error);
  if (r >= 0)
    r = lib_copy_options (&o, sizeof o, sizeof o, options, error);
  if (r < 0)
    return r;
  o.size = sizeof o;
  if (o.console_socket != NULL)
    return fail_kind (error, TARE_ERROR_UNSUPPORTED, -ENOTSUP,
                      "console socket '%s': terminals are not supported yet", o.console_socket);
  r = lib_open_host (context, true, &host, error);
  if (r >= 0)
    r = host_create (&host, id, &o, &process, error);
  if (r < 0)
    return r;
  if (ret_process != NULL)
    *ret_process = process;
  else
    close_fd (&process.pidfd);
  return 0;
}

int
tare_start (struct tare_context *context, const char *id, struct tare_error *error)
{
  auto_ (host)
  struct host host = { .root = -EBADF };
  int r = open_host_of (context, id, &host, error);
  return r < 0 ? r : host_start (&host, id, error);
}

int
tare_kill (struct tare_context *context, const char *id, int signal, uint32_t flags,
           struct tare_error *error)
{
  auto_ (host)
  struct host host = { .root = -EBADF };
  if (signal < 0 || signal > 64)
    return fail_kind (error, TARE_ERROR_USAGE, -EINVAL, "signal %d: there is none", signal);
  if ((flags & ~(uint32_t) TARE_KILL_ALL) != 0)
    return fail_kind (error, TARE_ERROR_USAGE, -EINVAL, "kill: unknown flags %#x", flags);
  int r = open_host_of (context, id, &host, error);
  return r < 0 ? r : host_kill (&host, id, signal, flags, error);
}

/* For --force, where no verb can read what is there: the directory goes, with a warning, for what
 * else the container made is not known. */
static int
remove_damaged (const struct host *host, const char *id, const struct tare_error *why,
                struct tare_error *error)
{
  auto_ (state)
  struct state state = { .directory = -EBADF, .lock = -EBADF };
  int r = state_open_damaged (host->root, id, &state, error);
  if (r == -ENOENT)
    return 0;
  if (r < 0)
    return r;
  log_warning (host->log, "%s; only its state directory is removed", why->message);
  return state_remove (host->root, &state, error);
}

/* Is there a record? One that is just being made is there once its maker lets go of the lock. */
static int
find_record (const struct host *host, const char *id, struct tare_error *error)
{
  auto_ (state)
  struct state state = { .directory = -EBADF, .lock = -EBADF };
  auto_ (state)
  struct state locked = { .directory = -EBADF, .lock = -EBADF };
  int r = state_open (host->root, id, false, &state, error);
  if (r != -ENOENT)
    return r;
  r = state_open_damaged (host->root, id, &locked, error);
  return r < 0 ? r : state_read_record (&locked, error);
}

static int
delete_by_force (const struct host *host, const char *id, struct tare_error *error)
{
  struct tare_error why = { 0 };
  int r = find_record (host, id, &why);
  if (r >= 0)
    r = host_delete (host, id, TARE_DELETE_FORCE, &why);
  if (r < 0 && why.kind == TARE_ERROR_NOT_FOUND)
    return 0;
  if (r < 0 && why.kind == TARE_ERROR_CORRUPT)
    return remove_damaged (host, id, &why, error);
  if (r < 0 && error != NULL)
    *error = why;
  return r;
}

int
tare_delete (struct tare_context *context, const char *id, uint32_t flags, struct tare_error *error)
{
  auto_ (host)
  struct host host = { .root = -EBADF };
  if ((flags & ~(uint32_t) TARE_DELETE_FORCE) != 0)
    return fail_kind (error, TARE_ERROR_USAGE, -EINVAL, "delete: unknown flags %#x", flags);
  bool force = (flags & TARE_DELETE_FORCE) != 0;
  int r = open_host_of (context, id, &host, error);
  if (r == -ENOENT && force)
    return 0;
  if (r < 0)
    return r;
  return force ? delete_by_force (&host, id, error) : host_delete (&host, id, flags, error);
}
