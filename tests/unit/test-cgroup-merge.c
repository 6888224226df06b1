/* What an update leaves of the resources before it, and what of it has to be written. */
#define _GNU_SOURCE
#include "cgroup/settings.h"

#include "tests/unit/tap.h"

static const struct
{
  const char *name, *stored, *update, *merged, *complete;
} cases[] = {
  { "nothing was there", "{}", "{'pids':{'limit':5}}", "{'pids':{'limit':5}}",
    "{'pids':{'limit':5}}" },
  { "nothing is named", "{'pids':{'limit':5}}", "{}", "{'pids':{'limit':5}}", "{}" },
  { "one of two", "{'memory':{'limit':5,'reservation':3}}", "{'memory':{'reservation':4}}",
    "{'memory':{'limit':5,'reservation':4}}", "{'memory':{'reservation':4}}" },
  { "zero names nothing", "{'memory':{'limit':5},'cpu':{'shares':9}}",
    "{'memory':{'limit':0},'cpu':{'shares':0,'period':0},'blockIO':{'weight':0}}",
    "{'memory':{'limit':5},'cpu':{'shares':9},'blockIO':{}}",
    "{'memory':{},'cpu':{},'blockIO':{}}" },
  { "but where it is a value", "{'memory':{'swappiness':9},'pids':{'limit':5}}",
    "{'memory':{'swappiness':0},'pids':{'limit':0}}",
    "{'memory':{'swappiness':0},'pids':{'limit':0}}",
    "{'memory':{'swappiness':0},'pids':{'limit':0}}" },
  { "what shares a file is written with it", "{'cpu':{'shares':9,'quota':7,'period':8}}",
    "{'cpu':{'period':6}}", "{'cpu':{'shares':9,'quota':7,'period':6}}",
    "{'cpu':{'quota':7,'period':6}}" },
  { "swap needs the limit", "{'memory':{'limit':5,'reservation':2}}", "{'memory':{'swap':9}}",
    "{'memory':{'limit':5,'reservation':2,'swap':9}}", "{'memory':{'limit':5,'swap':9}}" },
  { "no limit, no limit of swap", "{'memory':{'limit':5,'swap':9}}", "{'memory':{'limit':-1}}",
    "{'memory':{'limit':-1}}", "{'memory':{'limit':-1}}" },
  { "unless one is named", "{'memory':{'limit':5,'swap':9}}", "{'memory':{'limit':-1,'swap':8}}",
    "{'memory':{'limit':-1,'swap':8}}", "{'memory':{'limit':-1,'swap':8}}" },
  { "weights are restored when a group is idle no more", "{'cpu':{'shares':9,'idle':1}}",
    "{'cpu':{'idle':0}}", "{'cpu':{'shares':9,'idle':0}}", "{'cpu':{'shares':9,'idle':0}}" },
  { "lists by key",
    "{'unified':{'a.x':'1','a.y':'2'},'hugepageLimits':[{'pageSize':'2MB','limit':1},"
    "{'pageSize':'1GB','limit':2}]}",
    "{'unified':{'a.x':'3'},'hugepageLimits':[{'pageSize':'1GB','limit':4}]}",
    "{'unified':{'a.y':'2','a.x':'3'},'hugepageLimits':[{'pageSize':'2MB','limit':1},"
    "{'pageSize':'1GB','limit':4}]}",
    "{'unified':{'a.x':'3'},'hugepageLimits':[{'pageSize':'1GB','limit':4}]}" },
  { "devices by number",
    "{'blockIO':{'throttleReadBpsDevice':[{'major':8,'minor':0,'rate':1},"
    "{'major':8,'minor':1,'rate':2}]}}",
    "{'blockIO':{'throttleReadBpsDevice':[{'major':8,'minor':0,'rate':9}]}}",
    "{'blockIO':{'throttleReadBpsDevice':[{'major':8,'minor':1,'rate':2},"
    "{'major':8,'minor':0,'rate':9}]}}",
    "{'blockIO':{'throttleReadBpsDevice':[{'major':8,'minor':0,'rate':9}]}}" },
  { "rdma by name", "{'rdma':{'mlx':{'hcaHandles':1},'x':{'hcaHandles':2}}}",
    "{'rdma':{'mlx':{'hcaObjects':3}}}", "{'rdma':{'x':{'hcaHandles':2},'mlx':{'hcaObjects':3}}}",
    "{'rdma':{'mlx':{'hcaObjects':3}}}" },
  { "device rules are a list in order", "{'devices':[{'allow':false,'access':'rwm'}]}",
    "{'devices':[{'allow':true,'type':'c','major':1,'minor':2,'access':'r'}]}",
    "{'devices':[{'allow':true,'type':'c','major':1,'minor':2,'access':'r'}]}",
    "{'devices':[{'allow':true,'type':'c','major':1,'minor':2,'access':'r'}]}" },
};

static char *
with_quotes (const char *text)
{
  char *copy = strdup (text);
  for (char *c = copy; c != NULL && *c != '\0'; c++)
    *c = *c == '\'' ? '"' : *c;
  return copy;
}

static struct oci_resources *
parse (struct arena *arena, const char *text)
{
  autofree char *json = with_quotes (text);
  struct oci_resources *resources = NULL;
  struct tare_error error = { 0 };
  const struct oci_source source = { "test", json, strlen (json), NULL };
  if (oci_read_resources (arena, &source, &resources, &error) < 0)
    tap_note ("%s: %s", text, error.message);
  return resources;
}

static void
check (const struct oci_resources *got, const char *wanted, const char *name, const char *what)
{
  auto_ (buf)
  struct buf text = { 0 };
  char whole[128];
  autofree char *json = with_quotes (wanted);
  oci_write (&text, &oci_resources_table, got, 0);
  snprintf (whole, sizeof whole, "%s: %s", name, what);
  is_text (text.bytes, json, whole);
}

int
main (void)
{
  for (size_t i = 0; i < COUNT_OF (cases); i++)
    {
      auto_ (arena)
      struct arena arena = { 0 };
      struct oci_resources *merged = NULL, *complete = NULL;
      const struct oci_resources *stored = parse (&arena, cases[i].stored);
      const struct oci_resources *update = parse (&arena, cases[i].update);
      if (cgroup_merge (&arena, stored, update, &merged) < 0
          || cgroup_complete (&arena, merged, update, &complete) < 0)
        {
          ok (false, "%s", cases[i].name);
          continue;
        }
      check (merged, cases[i].merged, cases[i].name, "merged");
      check (complete, cases[i].complete, cases[i].name, "written");
      check (stored, cases[i].stored, cases[i].name, "what was stored is as it was");
      check (update, cases[i].update, cases[i].name, "and so is the update");
    }
  return tap_done ();
}
