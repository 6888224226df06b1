/* create, start, exec, pause, kill, delete: checks what the caller gave, and hands on to host. */
#define _GNU_SOURCE
#include "lib/lib.h"

#include <stddef.h>
#include <unistd.h>

#include "state/record.h"

/* The process to the caller, or, where nobody asked for it, its descriptors closed. */
static void
hand_over (struct tare_process *process, struct tare_process *ret_process)
{
  if (ret_process != NULL)
    {
      *ret_process = *process;
      return;
    }
  close_fd (&process->pidfd);
  close_fd (&process->terminal);
  close_fd (&process->notify);
}

int
tare_create (struct tare_context *context, const char *id,
             const struct tare_create_options *options, struct tare_process *ret_process,
             struct tare_error *error)
{
  struct tare_create_options o = TARE_CREATE_OPTIONS_INIT;
  auto_ (host)
  struct host host = { .root = -EBADF };
  auto_ (lib_standard)
  struct lib_standard standard = { 0 };
  struct tare_process process = TARE_PROCESS_INIT;
  int r = state_check_id (id, error);
  if (r >= 0)
    r = lib_copy_options (&o, sizeof o, sizeof o, options, error);
  if (r < 0)
    return r;
  o.size = sizeof o;
  r = lib_check_stdio (o.stdio, error);
  if (r >= 0)
    r = lib_check_preserved (o.listen_fds, o.preserve_fds, error);
  if (r >= 0)
    r = lib_fill_standard (&standard, error);
  if (r >= 0)
    r = lib_open_host (context, true, &host, error);
  if (r >= 0)
    r = host_create (&host, id, &o, &process, error);
  if (r < 0)
    return r;
  hand_over (&process, ret_process);
  return 0;
}

int
tare_start (struct tare_context *context, const char *id, struct tare_error *error)
{
  auto_ (host)
  struct host host = { .root = -EBADF };
  int r = lib_open_host_of (context, id, &host, error);
  return r < 0 ? r : host_start (&host, id, error);
}

int
tare_notify_socket (struct tare_context *context, const char *id, struct tare_process *ret_process,
                    struct tare_error *error)
{
  auto_ (host)
  struct host host = { .root = -EBADF };
  int r = lib_open_host_of (context, id, &host, error);
  return r < 0 ? r : host_notify_socket (&host, id, ret_process, error);
}

int
tare_exec (struct tare_context *context, const char *id, const struct tare_exec_options *options,
           struct tare_process *ret_process, struct tare_error *error)
{
  struct tare_exec_options o = TARE_EXEC_OPTIONS_INIT;
  auto_ (host)
  struct host host = { .root = -EBADF };
  auto_ (lib_standard)
  struct lib_standard standard = { 0 };
  struct tare_process process = TARE_PROCESS_INIT;
  int r = lib_copy_options (&o, sizeof o, sizeof o, options, error);
  if (r >= 0 && (o.terminal > TARE_YES || o.no_new_privileges > TARE_YES))
    return fail_kind (error, TARE_ERROR_USAGE, -EINVAL, "exec: neither yes nor no");
  if (r >= 0)
    r = lib_check_stdio (o.stdio, error);
  if (r >= 0)
    r = lib_check_preserved (o.listen_fds, o.preserve_fds, error);
  if (r >= 0)
    r = lib_fill_standard (&standard, error);
  if (r >= 0)
    r = lib_open_host_of (context, id, &host, error);
  if (r >= 0)
    r = host_exec (&host, id, &o, &process, error);
  if (r < 0)
    return r;
  hand_over (&process, ret_process);
  return 0;
}

int
tare_update (struct tare_context *context, const char *id,
             const struct tare_update_options *options, struct tare_error *error)
{
  struct tare_update_options o = TARE_UPDATE_OPTIONS_INIT;
  auto_ (host)
  struct host host = { .root = -EBADF };
  int r = lib_copy_options (&o, sizeof o, sizeof o, options, error);
  if (r >= 0 && o.resources == NULL)
    return fail_kind (error, TARE_ERROR_USAGE, -EINVAL, "update: no resources are given");
  if (r >= 0)
    r = lib_open_host_of (context, id, &host, error);
  return r < 0 ? r : host_update (&host, id, &o, error);
}

static int
freeze (const struct tare_context *context, const char *id, bool frozen, struct tare_error *error)
{
  auto_ (host)
  struct host host = { .root = -EBADF };
  int r = lib_open_host_of (context, id, &host, error);
  return r < 0 ? r : host_freeze (&host, id, frozen, error);
}

int
tare_pause (struct tare_context *context, const char *id, struct tare_error *error)
{
  return freeze (context, id, true, error);
}

int
tare_resume (struct tare_context *context, const char *id, struct tare_error *error)
{
  return freeze (context, id, false, error);
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
  int r = lib_open_host_of (context, id, &host, error);
  return r < 0 ? r : host_kill (&host, id, signal, flags, error);
}

int
tare_delete (struct tare_context *context, const char *id, uint32_t flags, struct tare_error *error)
{
  auto_ (host)
  struct host host = { .root = -EBADF };
  if ((flags & ~(uint32_t) TARE_DELETE_FORCE) != 0)
    return fail_kind (error, TARE_ERROR_USAGE, -EINVAL, "delete: unknown flags %#x", flags);
  bool force = (flags & TARE_DELETE_FORCE) != 0;
  int r = lib_open_host_of (context, id, &host, error);
  if (r == -ENOENT && force)
    return 0;
  if (r < 0)
    return r;
  return host_delete (&host, id, flags, error);
}
