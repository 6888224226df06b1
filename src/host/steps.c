/* The runner of the host side's tables. It knows no step: what is done in which order is in the
 * table, how a step fails and is taken back is here. */
#include "host/internal.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static uint64_t
now_microseconds (void)
{
  struct timespec now;
  (void) clock_gettime (CLOCK_MONOTONIC, &now);
  return (uint64_t) now.tv_sec * 1000000 + (uint64_t) now.tv_nsec / 1000;
}

#ifdef TARE_FAULTS
#include <signal.h>

/* TARE_FAULT=host:STEP:fail|kill|stop, before the step: the tests loop over the names. */
static int
fault (const char *name)
{
  const char *rest = getenv ("TARE_FAULT");
  if (rest == NULL || (rest = str_after (rest, "host:")) == NULL
      || (rest = str_after (rest, name)) == NULL || *rest != ':')
    return 0;
  if (str_equal (rest, ":kill"))
    (void) raise (SIGKILL);
  if (str_equal (rest, ":stop"))
    (void) raise (SIGSTOP);
  return str_equal (rest, ":fail") ? -EIO : 0;
}
#else
static inline int
fault (const char *name)
{
  (void) name;
  return 0;
}
#endif

/* init is gone, or does not listen any more. An ERROR that it left behind says why; else, unless
 * something else is known to be wrong already, how it died has to do. */
static int
explain_silence (struct container *container, int known, struct tare_error *error)
{
  struct tare_error last_word = { 0 };
  (void) sys_pidfd_send_signal (container->pidfd, SIGKILL); /* so that this ends */
  int r = channel_receive (&container->channel, MESSAGE_NONE, NULL, &last_word);
  if (r == -ECONNRESET)
    return known < 0 ? known : spawn_explain_death (container, error);
  if (error != NULL)
    *error = last_word;
  return r;
}

/* Until there is something to receive, the end of the socket included. What the stage forked holds
 * init's end of it too: a stage that died before it said FORKED ends nothing. -ECONNRESET;
 * -ECANCELED: the caller has called it off. */
static int
await_message (const struct container *container)
{
  struct pollfd fds[] = { { container->channel.fd, POLLIN, 0 },
                          { container->cancel, POLLIN, 0 },
                          { container->pidfd, POLLIN, 0 } };
  int r;
  while ((r = poll (fds, COUNT_OF (fds), -1)) < 0 && errno == EINTR)
    ;
  /* What was said before the call: the program may run already, and gets the signal itself. */
  if (r > 0 && fds[0].revents != 0)
    return 0;
  if (r > 0 && fds[1].revents != 0)
    return -ECANCELED;
  /* Its last word may have come after we looked for one, and before we looked at it. */
  if (r > 0)
    r = poll (fds, 1, 0);
  return r < 0 ? -errno : r == 0 ? -ECONNRESET : 0;
}

static bool
is_cancelled (const struct container *container)
{
  struct pollfd cancel = { container->cancel, POLLIN, 0 };
  return container->cancel >= 0 && poll (&cancel, 1, 0) > 0;
}

static int
cancelled (const struct step *step, struct tare_error *error)
{
  return fail_kind (error, TARE_ERROR_CANCELLED, ECANCELED, "cancelled in step %s", step->name);
}

static int
run_step (const struct step *step, struct container *container, struct tare_error *error)
{
  struct received received = { 0 };
  int r = fault (step->name);
  if (r < 0)
    return fail (error, r, "step %s", step->name);
  if (step->receive != MESSAGE_NONE)
    {
      bool waits = step->receive == MESSAGE_FORKED || container->cancel >= 0;
      r = waits ? await_message (container) : 0;
      if (r == -ECANCELED)
        return cancelled (step, error);
      if (r >= 0)
        r = channel_receive (&container->channel, step->receive, &received, error);
      if (r == -ECONNRESET)
        return spawn_explain_death (container, error);
      if (r < 0)
        return r;
    }
  if (step->run != NULL)
    r = step->run (container, &received, error);
  /* What is done to init from outside fails so when there is no init. */
  if (r == -ESRCH && container->channel.fd >= 0)
    r = explain_silence (container, r, error);
  for (size_t i = 0; i < received.n_fds; i++)
    close_fd (&received.fds[i]);
  if (r >= 0 && step->send == MESSAGE_RUN && is_cancelled (container)) /* before the program runs */
    return cancelled (step, error);
  if (r < 0 || step->send == MESSAGE_NONE)
    return r;
  r = step->send == MESSAGE_PLAN ? spawn_send_plan (container, error)
                                 : channel_send (&container->channel, step->send, 0,
                                                 container->outgoing, container->n_outgoing, error);
  container->n_outgoing = 0;
  close_fd (&container->agent); /* sent, if it was open: the agent waits for the end of it */
  return r == -EPIPE || r == -ECONNRESET ? explain_silence (container, 0, error) : r;
}

/* In the one line that a failure has: managers read no more. */
static void
add_second (struct tare_error *error, const struct tare_error *second)
{
  size_t used = error != NULL ? strlen (error->message) : 0;
  if (error != NULL)
    (void) snprintf (error->message + used, sizeof error->message - used, " (while undoing: %s)",
                     second->message);
}

int
steps_run (const struct step *steps, size_t count, struct container *container,
           struct tare_error *error)
{
  for (size_t i = 0; i < count; i++)
    {
      const struct step *step = &steps[i];
      if (step->needed != NULL && !step->needed (container))
        continue;
      uint64_t began = now_microseconds ();
      int r = run_step (step, container, error);
      log_debug (container->host->log, "host: %s: %llu us", step->name,
                 (unsigned long long) (now_microseconds () - began));
      if (r < 0)
        {
          struct tare_error second = { 0 };
          container_release (container);
          if (steps_undo (steps, i + 1, container, &second) < 0)
            add_second (error, &second);
          return r;
        }
    }
  return 0;
}

int
steps_undo (const struct step *steps, size_t count, struct container *container,
            struct tare_error *error)
{
  int result = 0;
  while (count-- > 0)
    {
      struct tare_error failure = { 0 };
      if (steps[count].undo == NULL)
        continue;
      int r = steps[count].undo (container, &failure);
      container->undo_failed = container->undo_failed || r < 0;
      if (r < 0 && result < 0)
        log_warning (container->host->log, "%s", failure.message);
      else if (r < 0)
        {
          result = r;
          if (error != NULL)
            *error = failure;
        }
    }
  return result;
}
