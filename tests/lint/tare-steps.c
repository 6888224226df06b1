/* Prints the step tables as Markdown, for docs/architecture.md: `tare-steps create`, `tare-steps
 * init`. Order, names, conditions, messages and undo come from the tables that run; only the words
 * on what a step does are here. A step without words is an error, and so are words without a step.
 * `tare-steps names` prints just lines "host create NAME", "init exec NAME", for tests that loop.
 */
#include <stdio.h>
#include <string.h>

#include "host/internal.h"
#include "init/init.h"

struct words
{
  const char *name, *text;
};

static const struct words host_words[] = {
  { "open", "the running container: its record, its status, its init's pidfd" },
  { "load", "read config.json: parse, check, freeze" },
  { "console", "connect to the console socket, before anything is made" },
  { "reserve", "take the id: state directory and lock" },
  { "poststop", "(only undone) poststop hooks" },
  { "start_socket", "bind the socket on which `start` will call" },
  { "plan", "make the plan: namespaces, mounts, devices, credentials; no effect yet" },
  { "record", "write down what is about to be made, before it is made" },
  { "cgroup", "make the group and hold its descriptor" },
  { "spawn",
    "one clone3 with the new namespaces, into the group where it is v2; exec of the sealed "
    "tare-init" },
  { "rdt", "make the class of service and the monitoring group of resctrl" },
  { "enter_rdt", "put init into them, before it makes anything" },
  { "delegate", "into a group below, where that is wanted; it becomes the user's, if it may be "
                "written from inside" },
  { "attach", "put init into the v1 hierarchies" },
  { "limits", "oom_score_adj, affinity of an exec, and the hard limits that must rise" },
  { "loopback", "lo up" },
  { "keep_config", "keep the config beside the record, while init comes up" },
  { "network", "make the network namespace, while init comes up" },
  { "prepare", "write the record as it will be once init is ready, beside the one that is" },
  { "map_user", "write uid_map and gid_map" },
  { "time_offsets", "write timens_offsets" },
  { "forked", "init is now the stage's child: take its pid and pidfd" },
  { "net_devices", "move them into the network namespace, by rtnetlink" },
  { "resources", "write the cgroup's limits" },
  { "mounts", "open sources that the user namespace may not reach; map the ids of mounts" },
  { "filter", "compile the seccomp filter, while init mounts" },
  { "rootfs_ready", "device rules take effect" },
  { "runtime_hooks", "prestart and createRuntime hooks" },
  { "rules", "they are in force; init gets the filter" },
  { "go", "init may go on, with the filter" },
  { "terminal", "hand on the terminal that init made" },
  { "created", "scheduling; status created; pid file" },
  { "running", "in a run: status running; poststart hooks" },
  { "ready", "scheduling; pid file" },
  { "executing", "wait until execve succeeded" },
  { NULL, NULL },
};

static const struct words init_words[] = {
  { "hygiene", "not dumpable, before anything foreign is near" },
  { "join_outer", "join namespaces that the host's user namespace owns" },
  { "join_user", "join the user namespace, then what it owns" },
  { "new_user", "unshare the user namespace, where joins had to come first" },
  { "map_user", "wait for the id maps" },
  { "become_root", "ids 0 of the user namespace; capabilities checked" },
  { "unshare", "the other new namespaces, where clone3 could not make them" },
  { "time_offsets", "wait for the clock offsets" },
  { "fork", "the stage makes init inside its pid namespace, and ends" },
  { "join_container", "join the running container's namespaces" },
  { "net_devices", "show a socket of the network namespace that is to get them" },
  { "go", "wait until limits are in force" },
  { "cgroup_namespace", "unshare the cgroup namespace, now that the group is the right one" },
  { "network", "loopback up, where clone3 has made the namespace; where the host side makes it, it "
               "is entered later" },
  { "sysctl", "write through a private procfs" },
  { "hostname", "host and domain name" },
  { "rootfs", "propagation; the root attached over its path" },
  { "mounts", "each made detached with its attributes, then attached by descriptor" },
  { "enter_network", "at the latest: sysctls, sysfs and what the host side is asked for come after "
                     "it too" },
  { "devices", "device nodes" },
  { "links", "/dev/fd, /dev/stdin, ..." },
  { "rootfs_ready", "said, not waited for: the host side applies device rules meanwhile" },
  { "host_hooks",
    "wait for the host side's hooks, or the delegated group, before anything is hidden" },
  { "create_hooks", "createContainer hooks" },
  { "console", "the file that the terminal is bound to, while the root can be written" },
  { "paths", "masked and read-only paths" },
  { "read_only", "late read-only attributes, on the held mounts and the root" },
  { "pivot_root", "the old root is gone" },
  { "paths_in_force", "masked and read-only paths read back, as the container will see them" },
  { "session", "a session and a session keyring of its own" },
  { "rules", "wait until device rules are in force; take the filter" },
  { "terminal", "the terminal: made, sent to the host side, opened as 0, 1, 2" },
  { "environment", "working directory, umask, HOME" },
  { "attributes",
    "personality, memory policy; scheduling, where the host side has not the rights" },
  { "labels", "AppArmor's profile and SELinux' label of what execve makes; read back" },
  { "seccomp_early", "the filter, where no_new_privs is off" },
  { "credentials", "groups, ids, capabilities, no_new_privs; read back, by the host side too" },
  { "program", "args[0] looked up with the user's rights" },
  { "ready", "created" },
  { "wait", "for `start`" },
  { "start_hooks", "startContainer hooks" },
  { "rlimits", "lowered last: before, they could break init itself" },
  { "executing", "the last word: from here on, silence means success" },
  { "seccomp_late", "the filter, where no_new_privs is on" },
  { "execute", "execve" },
  { NULL, NULL },
};

static const struct
{
  const char *name;
  const struct step *steps;
  const size_t *count;
} host_tables[] = {
  { "create", create_steps, &n_create_steps },
  { "exec", exec_steps, &n_exec_steps },
};

static int failures;

static const char *
text_of (const struct words *words, const char *name)
{
  for (; words->name != NULL; words++)
    if (str_equal (words->name, name))
      return words->text;
  fprintf (stderr, "tests/lint/tare-steps.c has no words for the step '%s'\n", name);
  failures++;
  return "?";
}

static const char *
message (enum message type)
{
  return type == MESSAGE_NONE ? "" : message_name (type);
}

static void
print_host (const struct step *steps, size_t count)
{
  printf ("| # | step | what it does | always | waits for | sends | undo |\n"
          "|--:|---|---|:-:|---|---|:-:|\n");
  for (size_t i = 0; i < count; i++)
    printf ("| %zu | `%s` | %s | %s | %s | %s | %s |\n", i + 1, steps[i].name,
            text_of (host_words, steps[i].name), steps[i].needed == NULL ? "yes" : "",
            message (steps[i].receive), message (steps[i].send),
            steps[i].undo != NULL ? "yes" : "");
}

static void
print_init (void)
{
  printf ("| # | step | what it does | always | sends | waits for |\n"
          "|--:|---|---|:-:|---|---|\n");
  for (size_t i = 0; i < INIT_STEP_COUNT; i++)
    {
      const struct init_step_row *step = &init_steps[i];
      printf ("| %zu | `%s` | %s | %s | %s | %s |\n", i + 1, step->name,
              text_of (init_words, step->name), step->needed == NULL ? "yes" : "",
              message (step->sends), message (step->receives));
    }
}

static bool
is_step (const char *name, bool host)
{
  for (size_t i = 0; i < INIT_STEP_COUNT && !host; i++)
    if (str_equal (init_steps[i].name, name))
      return true;
  for (size_t t = 0; t < COUNT_OF (host_tables) && host; t++)
    for (size_t i = 0; i < *host_tables[t].count; i++)
      if (str_equal (host_tables[t].steps[i].name, name))
        return true;
  return false;
}

static void
check (const struct words *words, bool host)
{
  for (; words->name != NULL; words++)
    if (!is_step (words->name, host))
      {
        fprintf (stderr, "tests/lint/tare-steps.c has words for '%s', which is no step\n",
                 words->name);
        failures++;
      }
}

static void
print_names (void)
{
  static const struct
  {
    const char *verb;
    enum plan_kind kind;
  } verbs[] = { { "create", PLAN_CREATE }, { "exec", PLAN_EXEC } };
  enum init_step sequence[INIT_STEP_COUNT];
  for (size_t t = 0; t < COUNT_OF (host_tables); t++)
    for (size_t i = 0; i < *host_tables[t].count; i++)
      printf ("host %s %s\n", host_tables[t].name, host_tables[t].steps[i].name);
  for (size_t v = 0; v < COUNT_OF (verbs); v++)
    {
      size_t count = init_sequence (verbs[v].kind, sequence);
      for (size_t i = 0; i < count; i++)
        printf ("init %s %s\n", verbs[v].verb, init_steps[sequence[i]].name);
    }
}

int
main (int argc, char **argv)
{
  const char *name = argc == 2 ? argv[1] : "";
  bool found = false;
  for (size_t t = 0; t < COUNT_OF (host_tables); t++)
    if (str_equal (name, host_tables[t].name))
      {
        print_host (host_tables[t].steps, *host_tables[t].count);
        found = true;
      }
  if (str_equal (name, "init"))
    print_init ();
  else if (str_equal (name, "names"))
    print_names ();
  else if (str_equal (name, "check"))
    {
      check (host_words, true);
      check (init_words, false);
    }
  else if (!found)
    {
      fprintf (stderr, "tare-steps: there is no table '%s'\n", name);
      return 2;
    }
  return failures != 0;
}
