/* Running one hook (config.md "POSIX-platform Hooks"). Both programs do it: the host side in the
 * runtime's namespaces, init in the container's. */
#ifndef TARE_PLAN_HOOK_H
#define TARE_PLAN_HOOK_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct hook
{
  const char *label;       /* "hooks.prestart[0]" */
  const char *path;        /* absolute */
  const char *const *argv; /* ended by NULL */
  const char *const *envp; /* ended by NULL; NULL: the caller's environment */
  uint32_t timeout;        /* seconds; 0: none */
  const char *state;       /* on its standard input */
  size_t state_length;
  int directory;     /* where it starts; negative: where the caller is */
  const int *output; /* two: its standard output and error; NULL, negative: for the error's text */
  /* gets the first of what it printed, without the space around it; size 0: nothing */
  char *answer;
  size_t answer_size;
  const int *cancel; /* once that is readable it is killed; NULL, negative: never */
};

/* Runs it and waits for its end. TARE_ERROR_HOOK: it failed, the message has what it printed.
 * TARE_ERROR_CANCELLED. */
int hook_run (const struct hook *hook, struct tare_error *error);

#endif
