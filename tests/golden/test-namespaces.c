/* The truth table of namespaces: every combination of (user: absent, new, joined) x (pid: the same)
 * x (network: the same) x (time: absent, new, new with offsets) as one line, held against
 * namespaces.txt. `UPDATE=1` writes it. The rules that must hold are also asserted one by one. */
#include <linux/sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "spec/spec.h"
#include "tests/unit/tap.h"

enum wish
{
  ABSENT,
  NEW,
  JOINED,
};
static const char *const wish_names[] = { "-", "new", "join" };

static void
print_types (struct buf *text, const char *label, uint64_t types)
{
  buf_format (text, " %s=", label);
  bool first = true;
  for (const struct enum_map *type = plan_namespace_type_map; type->name != NULL; type++)
    if ((types & (uint64_t) type->value) != 0)
      {
        buf_format (text, "%s%s", first ? "" : "+", type->name);
        first = false;
      }
  if (first)
    buf_text (text, "-");
}

static void
add (enum wish wish, uint64_t type, uint64_t *made, uint64_t *joined)
{
  *made |= wish == NEW ? type : 0;
  *joined |= wish == JOINED ? type : 0;
}

static void
check_rules (uint64_t made, uint64_t joined, struct spec_namespace_plan plan, bool offsets)
{
  uint64_t rest = made & ~(uint64_t) (CLONE_NEWUSER | CLONE_NEWCGROUP);
  bool all_made = ((plan.clone_flags | plan.unshare_flags) & ~(uint64_t) CLONE_NEWUSER) == rest;
  bool once = (plan.clone_flags & plan.unshare_flags) == 0;
  bool user_made =
      (made & CLONE_NEWUSER) == 0
      || ((plan.clone_flags & CLONE_NEWUSER) != 0) != ((plan.flags & PLAN_UNSHARE_USER) != 0);
  /* A namespace of the host is never joined after a new user namespace. */
  bool joins_first = joined == 0 || (plan.clone_flags & CLONE_NEWUSER) == 0;
  /* What belongs to a joined user namespace is made inside it. */
  bool inside = (joined & CLONE_NEWUSER) == 0 || plan.clone_flags == 0;
  bool for_children =
      ((plan.unshare_flags & (CLONE_NEWPID | CLONE_NEWTIME)) | (joined & CLONE_NEWPID)) != 0;
  bool fork = ((plan.flags & PLAN_FORK) != 0) == for_children;
  bool empty = !offsets || (plan.clone_flags & CLONE_NEWTIME) == 0;
  /* A stage that is the first process of a pid namespace takes the namespace with it. */
  bool outlives = (plan.flags & PLAN_FORK) == 0 || (plan.clone_flags & CLONE_NEWPID) == 0;
  ok (all_made && once && user_made && joins_first && inside && fork && empty && outlives,
      "rules hold for new 0x%llx, joined 0x%llx", (unsigned long long) made,
      (unsigned long long) joined);
}

static void
row (struct buf *text, const enum wish wishes[3], int time)
{
  static const char *const times[] = { "-", "new", "offsets" };
  uint64_t made = CLONE_NEWNS, joined = 0;
  add (wishes[0], CLONE_NEWUSER, &made, &joined);
  add (wishes[1], CLONE_NEWPID, &made, &joined);
  add (wishes[2], CLONE_NEWNET, &made, &joined);
  made |= time > 0 ? CLONE_NEWTIME : 0;
  struct spec_namespace_plan plan = spec_plan_namespaces (made, joined, time == 2);
  check_rules (made, joined, plan, time == 2);
  buf_format (text, "user %-4s pid %-4s network %-4s time %-7s ->", wish_names[wishes[0]],
              wish_names[wishes[1]], wish_names[wishes[2]], times[time]);
  print_types (text, "clone", plan.clone_flags);
  print_types (text, "unshare", plan.unshare_flags);
  buf_format (text, "%s%s%s\n", (plan.flags & PLAN_UNSHARE_USER) != 0 ? " unshare-user" : "",
              (plan.flags & PLAN_FORK) != 0 ? " fork" : "",
              (plan.flags & PLAN_TIME_OFFSETS) != 0 ? " offsets" : "");
}

int
main (void)
{
  struct buf text = { 0 };
  char path[4096], golden[65536];
  const char *top = getenv ("top_srcdir");
  for (int i = 0; i < 3 * 3 * 3 * 3; i++)
    row (&text, (enum wish[]){ i / 27 % 3, i / 9 % 3, i / 3 % 3 }, i % 3);
  snprintf (path, sizeof path, "%s/tests/golden/namespaces.txt", top != NULL ? top : ".");
  FILE *file = fopen (path, getenv ("UPDATE") != NULL ? "w+" : "r");
  if (file != NULL && getenv ("UPDATE") != NULL)
    {
      fwrite (text.bytes, 1, text.length, file);
      rewind (file);
    }
  size_t length = file != NULL ? fread (golden, 1, sizeof golden - 1, file) : 0;
  golden[length] = '\0';
  ok (length == text.length && memcmp (golden, text.bytes, length) == 0, "the table is %s", path);
  if (file != NULL)
    fclose (file);
  buf_done (&text);
  return tap_done ();
}
