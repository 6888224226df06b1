/* events: what a container uses, and what happens to its memory limit. Reads only; no lock. */
#define _GNU_SOURCE
#include "lib/lib.h"

#include <stdlib.h>
#include <sys/epoll.h>

struct tare_events
{
  struct lib_container container;
  int pidfd, epoll;
  struct cgroup_oom oom;
};

static int
open_running (const struct tare_context *context, const char *id, struct lib_container *container,
              int *ret_pidfd, struct tare_error *error)
{
  int r = lib_container_open (context, id, CGROUP_TO_CHANGE, container, error);
  if (r >= 0)
    r = *ret_pidfd = state_pidfd (&container->state, error);
  return r < 0 ? r : 0;
}

int
tare_stats (struct tare_context *context, const char *id, char **ret_json, struct tare_error *error)
{
  auto_ (lib_container)
  struct lib_container container = LIB_CONTAINER_INIT;
  auto_ (json)
  struct json json = { .comma = false };
  autoclose int pidfd = -EBADF;
  int r = open_running (context, id, &container, &pidfd, error);
  if (r < 0)
    return r;
  json_open (&json, NULL, '{');
  json_string (&json, "type", "stats");
  json_string (&json, "id", id);
  r = cgroup_stats (&container.cgroup, &json, error);
  if (r < 0)
    return r;
  json_close (&json, '}');
  buf_text (&json.buf, "\n");
  char *text = buf_take (&json.buf);
  if (text == NULL)
    return fail (error, ENOMEM, "stats");
  *ret_json = text;
  return 0;
}

int
tare_is_oom_killed (struct tare_context *context, const char *id, struct tare_error *error)
{
  auto_ (lib_container)
  struct lib_container container = LIB_CONTAINER_INIT;
  int r = lib_container_open (context, id, CGROUP_TO_CHANGE, &container, error);
  return r < 0 ? r : cgroup_oom_kills (&container.cgroup) > 0;
}

void
tare_events_free (struct tare_events *events)
{
  if (events == NULL)
    return;
  close_fd (&events->epoll);
  close_fd (&events->pidfd);
  cgroup_oom_done (&events->oom);
  lib_container_done (&events->container);
  free (events);
}

static int
watch (struct tare_events *events)
{
  struct epoll_event end = { .events = EPOLLIN };
  struct epoll_event oom = { .events = EPOLLIN | EPOLLPRI };
  events->epoll = epoll_create1 (EPOLL_CLOEXEC);
  /* A file of cgroup v2 is always readable: only its changes count. */
  if (events->oom.control < 0)
    oom.events = EPOLLPRI;
  if (events->epoll < 0 || epoll_ctl (events->epoll, EPOLL_CTL_ADD, events->pidfd, &end) < 0)
    return -errno;
  if (events->oom.fd >= 0 && epoll_ctl (events->epoll, EPOLL_CTL_ADD, events->oom.fd, &oom) < 0)
    return -errno;
  return 0;
}

int
tare_events_open (struct tare_context *context, const char *id, struct tare_events **ret_events,
                  struct tare_error *error)
{
  struct tare_events *events = calloc (1, sizeof *events);
  if (events == NULL)
    return fail (error, ENOMEM, "events");
  *events = (struct tare_events){
    .container = LIB_CONTAINER_INIT,
    .pidfd = -EBADF,
    .epoll = -EBADF,
    .oom = { .fd = -EBADF, .control = -EBADF },
  };
  int r = open_running (context, id, &events->container, &events->pidfd, error);
  if (r >= 0)
    r = cgroup_refuse_none (&events->container.cgroup, error);
  if (r >= 0)
    r = cgroup_oom_open (&events->container.cgroup, &events->oom, error);
  if (r >= 0)
    {
      r = watch (events);
      if (r < 0)
        (void) fail (error, r, "watch container `%s`", id);
    }
  if (r < 0)
    {
      tare_events_free (events);
      return r;
    }
  *ret_events = events;
  return 0;
}

int
tare_events_fd (const struct tare_events *events)
{
  return events->epoll;
}

int
tare_events_take (struct tare_events *events)
{
  struct epoll_event ready[2];
  int result = 0;
  int count = epoll_wait (events->epoll, ready, COUNT_OF (ready), 0);
  if (count < 0)
    return errno == EINTR ? 0 : -errno;
  /* Init's end is looked at first: what killed it was counted before. */
  autoclose int end = state_pidfd (&events->container.state, NULL);
  if (end < 0)
    result |= TARE_EVENT_END;
  if (cgroup_oom_happened (&events->oom))
    result |= TARE_EVENT_OOM;
  return result;
}
