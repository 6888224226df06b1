/* Names of signals: the kernel's own, and the ranges of the real-time ones as a C library numbers
 * them (it keeps the first two for itself). */
#define _GNU_SOURCE
#include "cli.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <strings.h>

enum
{
  FIRST_REAL_TIME = 34,
  LAST_REAL_TIME = 64,
};

static const struct
{
  const char *name;
  int number;
} signals[] = {
  { "HUP", SIGHUP },       { "INT", SIGINT },   { "QUIT", SIGQUIT },     { "ILL", SIGILL },
  { "TRAP", SIGTRAP },     { "ABRT", SIGABRT }, { "IOT", SIGABRT },      { "BUS", SIGBUS },
  { "FPE", SIGFPE },       { "KILL", SIGKILL }, { "USR1", SIGUSR1 },     { "SEGV", SIGSEGV },
  { "USR2", SIGUSR2 },     { "PIPE", SIGPIPE }, { "ALRM", SIGALRM },     { "TERM", SIGTERM },
#ifdef SIGSTKFLT
  { "STKFLT", SIGSTKFLT },
#endif
  { "CHLD", SIGCHLD },     { "CLD", SIGCHLD },  { "CONT", SIGCONT },     { "STOP", SIGSTOP },
  { "TSTP", SIGTSTP },     { "TTIN", SIGTTIN }, { "TTOU", SIGTTOU },     { "URG", SIGURG },
  { "XCPU", SIGXCPU },     { "XFSZ", SIGXFSZ }, { "VTALRM", SIGVTALRM }, { "PROF", SIGPROF },
  { "IO", SIGIO },         { "POLL", SIGIO },   { "PWR", SIGPWR },       { "SYS", SIGSYS },
  { "WINCH", SIGWINCH },
};

/* "RTMIN", "RTMIN+3", "RTMAX-3". */
static int
real_time (const char *name)
{
  bool first = strncasecmp (name, "RTMIN", 5) == 0;
  if (!first && strncasecmp (name, "RTMAX", 5) != 0)
    return -EINVAL;
  uint32_t distance = 0;
  if (name[5] != '\0'
      && (name[5] != (first ? '+' : '-')
          || cli_number (name + 6, LAST_REAL_TIME - FIRST_REAL_TIME, &distance) < 0))
    return -EINVAL;
  return first ? FIRST_REAL_TIME + (int) distance : LAST_REAL_TIME - (int) distance;
}

int
cli_signal (const char *text)
{
  uint32_t number;
  if (cli_number (text, LAST_REAL_TIME, &number) >= 0)
    return (int) number;
  const char *name = strncasecmp (text, "SIG", 3) == 0 ? text + 3 : text;
  for (size_t i = 0; i < COUNT_OF (signals); i++)
    if (strcasecmp (name, signals[i].name) == 0)
      return signals[i].number;
  return real_time (name);
}
