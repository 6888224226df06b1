/* The two step tables mirror each other: what one side sends, the other receives, in the same
 * order. If this holds there is no deadlock and no message out of turn, whichever optional rows are
 * needed. Also: every step has its name once, and undo goes only with lasting effects of the host.
 */
#include "host/internal.h"
#include "init/init.h"
#include "tests/unit/tap.h"

struct sequence
{
  enum message messages[64];
  size_t count;
};

static void
add (struct sequence *sequence, enum message message)
{
  if (message != MESSAGE_NONE)
    sequence->messages[sequence->count++] = message;
}

static const struct table
{
  const char *name;
  const struct step *steps;
  const size_t *count;
  enum plan_kind kind;
  bool waits; /* what follows RUN belongs to the start connection */
} tables[] = {
  { "create", create_steps, &n_create_steps, PLAN_CREATE, true },
  { "run", create_steps, &n_create_steps, PLAN_CREATE, false },
  { "exec", exec_steps, &n_exec_steps, PLAN_EXEC, false },
};

static struct sequence
sequence_of_host (const struct table *table)
{
  struct sequence sequence = { .count = 0 };
  for (size_t i = 0; i < *table->count; i++)
    {
      add (&sequence, table->steps[i].receive);
      add (&sequence, table->steps[i].send);
      if (table->waits && table->steps[i].send == MESSAGE_RUN)
        break;
    }
  return sequence;
}

/* init's start-up receives PLAN. */
static struct sequence
sequence_of_init (const struct table *table)
{
  struct sequence sequence = { .count = 0 };
  add (&sequence, MESSAGE_PLAN);
  enum init_step steps[INIT_STEP_COUNT];
  size_t count = init_sequence (table->kind, steps);
  for (size_t k = 0; k < count; k++)
    {
      if (steps[k] == INIT_STEP_wait && table->waits)
        break;
      if (steps[k] == INIT_STEP_wait)
        continue;
      add (&sequence, init_steps[steps[k]].sends);
      add (&sequence, init_steps[steps[k]].receives);
    }
  return sequence;
}

static void
test_mirror (const struct table *table)
{
  struct sequence host = sequence_of_host (table), init = sequence_of_init (table);
  is_number ((long long) host.count, (long long) init.count, "both sides have as many messages");
  for (size_t i = 0; i < host.count && i < init.count; i++)
    is_text (message_name (host.messages[i]), message_name (init.messages[i]),
             "message of the host side and of init");
}

static void
test_directions_of_host (const struct table *table)
{
  for (size_t i = 0; i < *table->count; i++)
    {
      const struct step *step = &table->steps[i];
      bool good = (step->send == MESSAGE_NONE || message_direction (step->send) == MESSAGE_TO_INIT)
                  && (step->receive == MESSAGE_NONE
                      || message_direction (step->receive) == MESSAGE_TO_HOST);
      ok (good, "host step %s of %s sends to init and receives from it", step->name, table->name);
    }
}

static void
test_directions_of_init (void)
{
  for (size_t i = 0; i < INIT_STEP_COUNT; i++)
    {
      const struct init_step_row *step = &init_steps[i];
      bool good =
          (step->sends == MESSAGE_NONE || message_direction (step->sends) == MESSAGE_TO_HOST)
          && (step->receives == MESSAGE_NONE
              || message_direction (step->receives) == MESSAGE_TO_INIT);
      ok (good, "init step %s sends to the host and receives from it", step->name);
      is_text (step->name, init_step_name ((uint32_t) i + 1), "its row is at its place");
    }
}

static void
test_names (const struct table *table)
{
  for (size_t i = 0; i < *table->count; i++)
    for (size_t k = 0; k < i; k++)
      if (strcmp (table->steps[i].name, table->steps[k].name) == 0)
        ok (false, "host step %s of %s is there twice", table->steps[i].name, table->name);
  ok (*table->count > 0, "names of host steps of %s are unique", table->name);
}

int
main (void)
{
  for (size_t i = 0; i < COUNT_OF (tables); i++)
    {
      test_mirror (&tables[i]);
      test_directions_of_host (&tables[i]);
      test_names (&tables[i]);
    }
  test_directions_of_init ();
  return tap_done ();
}
