/* Inside the compiler of limits: compile.c (single properties), compile_lists.c (arrays),
 * settings.c (what both put into the list). */
#ifndef TARE_CGROUP_COMPILE_H
#define TARE_CGROUP_COMPILE_H

#include "cgroup/settings.h"

struct compiler
{
  const struct cgroup_facts *facts;
  const struct oci_resources *resources;
  struct cgroup_settings *settings;
  struct tare_error *error;
};

enum version
{
  VERSION_NONE, /* no such controller here */
  VERSION_1,
  VERSION_2,
};

/* What to do where v2 has no such thing. */
enum otherwise
{
  WARN,   /* say so, and leave it out */
  REFUSE, /* somebody relies on it */
  HIDDEN, /* an extra row of a property that has another: nothing */
};

/* Is name one of the words in list, which has commas or spaces between them? */
bool list_has (const char *list, const char *name);
/* Where the controller is; NULL where a version has none for this. v1 is asked first. */
enum version find_version (const struct compiler *c, const char *v1, const char *v2);
/* What follows from VERSION_NONE: 0 or an error. */
int miss_controller (const struct compiler *c, const char *property, const char *v1, const char *v2,
                     enum otherwise otherwise);
/* The strings are copied. 0 or -errno, and then the error is filled. */
int add_setting (const struct compiler *c, struct cgroup_setting setting);
void add_warning (const struct compiler *c, const char *property, const char *text);

/* Is zero a value of this property ("pids.limit"), or the same as nothing? */
bool compile_zero_counts (const char *property);

int compile_lists (const struct compiler *c);

#endif
