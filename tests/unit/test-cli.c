/* The command line's own parts: options in every form that managers use, signals by name. */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>

#include "cli/cli.h"
#include "tap.h"

struct values
{
  const char *bundle, *log;
  uint32_t number;
  bool force, all;
};

static const struct cli_option rows[] = {
  { "bundle", 'b', CLI_TEXT, "DIR", offsetof (struct values, bundle), "help" },
  { "log", 0, CLI_TEXT, "DEST", offsetof (struct values, log), "help" },
  { "preserve-fds", 'n', CLI_NUMBER, "N", offsetof (struct values, number), "help" },
  { "force", 'f', CLI_FLAG, NULL, offsetof (struct values, force), "help" },
  { "no-subreaper", 'a', CLI_FLAG, NULL, offsetof (struct values, all), "help" },
  { 0 },
};
static const struct cli_options options = { rows, "create" };

enum
{
  MOST = 12
};

struct parsed
{
  int r;
  struct values values;
  char *arguments[MOST];
  size_t count;
  bool help;
  struct tare_error error;
};

/* line is cut at its blanks; "''" stands for an empty argument. */
static struct parsed
parse (const char *line, bool stop)
{
  static char copies[8][256];
  static int next;
  struct parsed parsed = { .r = 0 };
  char *copy = copies[next++ % 8], *word, *save = NULL;
  size_t count = 0;
  snprintf (copy, 256, "%s", line);
  for (word = strtok_r (copy, " ", &save); word != NULL; word = strtok_r (NULL, " ", &save))
    parsed.arguments[count++] = strcmp (word, "''") == 0 ? (char *) "" : word;
  parsed.r = cli_parse (&options, &parsed.values, parsed.arguments, count, stop, &parsed.count,
                        &parsed.help, &parsed.error);
  return parsed;
}

static bool
is (const char *got, const char *wanted)
{
  return got == NULL || wanted == NULL ? got == wanted : strcmp (got, wanted) == 0;
}

static void
test_forms (void)
{
  static const struct
  {
    const char *line, *bundle;
    uint32_t number;
    bool force, all;
    size_t count;
  } good[] = {
    { "id", NULL, 0, false, false, 1 },
    { "--bundle /b id", "/b", 0, false, false, 1 },
    { "--bundle=/b id", "/b", 0, false, false, 1 },
    { "-bundle /b id", "/b", 0, false, false, 1 },
    { "-bundle=/b id", "/b", 0, false, false, 1 },
    { "-b /b id", "/b", 0, false, false, 1 },
    { "-b/b id", "/b", 0, false, false, 1 },
    { "-b=/b id", "/b", 0, false, false, 1 },
    { "id --bundle /b", "/b", 0, false, false, 1 },
    { "id KILL -f", NULL, 0, true, false, 2 },
    { "--bundle=a=b id", "a=b", 0, false, false, 1 },
    { "--bundle= id", NULL, 0, false, false, 1 },
    { "--bundle '' id", NULL, 0, false, false, 1 },
    { "--bundle -- id", "--", 0, false, false, 1 },
    { "--bundle -x id", "-x", 0, false, false, 1 },
    { "--bundle /a --bundle /b", "/b", 0, false, false, 0 },
    { "-no-subreaper id", NULL, 0, false, true, 1 },
    { "--force=false id", NULL, 0, false, false, 1 },
    { "--force --force=0 id", NULL, 0, false, false, 1 },
    { "--force=TRUE id", NULL, 0, true, false, 1 },
    { "-f=false id", NULL, 0, false, false, 1 },
    { "-fa id", NULL, 0, true, true, 1 },
    { "-fab /b id", "/b", 0, true, true, 1 },
    { "-fan3 id", NULL, 3, true, true, 1 },
    { "--preserve-fds 4294967295", NULL, 4294967295, false, false, 0 },
    { "-- --force id", NULL, 0, false, false, 2 },
    { "--force -- --bundle", NULL, 0, true, false, 1 },
    { "- id", NULL, 0, false, false, 2 },
    { "", NULL, 0, false, false, 0 },
  };
  for (size_t i = 0; i < COUNT_OF (good); i++)
    {
      struct parsed p = parse (good[i].line, false);
      if (!ok (p.r == 0 && is (p.values.bundle, good[i].bundle) && p.values.number == good[i].number
                   && p.values.force == good[i].force && p.values.all == good[i].all
                   && p.count == good[i].count && !p.help,
               "%s", good[i].line))
        tap_note ("%d, %zu arguments: %s", p.r, p.count, p.error.message);
    }
}

static void
test_stop (void)
{
  struct parsed p = parse ("--force id --bundle /b -- -x", true);
  ok (p.r == 0 && p.values.force && p.values.bundle == NULL && p.count == 5
          && is (p.arguments[0], "id") && is (p.arguments[1], "--bundle")
          && is (p.arguments[3], "--"),
      "nothing is taken after the first other argument");
  ok (parse ("--help", false).help && parse ("id -h", false).help && parse ("-fh", false).help
          && !parse ("id -h", true).help,
      "help");
}

static void
test_errors (void)
{
  static const struct
  {
    const char *line, *message;
  } bad[] = {
    { "--bundel x", "unknown option '--bundel' of create; did you mean '--bundle'?" },
    { "--bundel=x", "unknown option '--bundel=x' of create; did you mean '--bundle'?" },
    { "--frobnicate", "unknown option '--frobnicate' of create" },
    { "-x", "unknown option '-x' of create" },
    { "-fx", "unknown option '-fx' of create" },
    { "-forc", "unknown option '-forc' of create; did you mean '--force'?" },
    { "id --bundle", "flag needs an argument: --bundle (option '--bundle' requires an argument)" },
    { "-b", "flag needs an argument: --bundle (option '--bundle' requires an argument)" },
    { "--force=maybe", "option '--force': 'maybe' is neither true nor false" },
    { "-n x", "option '--preserve-fds': 'x' is not a number from 0 to 4294967295" },
    { "-n -1", "option '--preserve-fds': '-1' is not a number from 0 to 4294967295" },
    { "-n 4294967296",
      "option '--preserve-fds': '4294967296' is not a number from 0 to 4294967295" },
    { "-n ''", "option '--preserve-fds': '' is not a number from 0 to 4294967295" },
    { "--\033[31m", "unknown option '--\\x1b[31m' of create" },
    { "--a\nb", "unknown option '--a\\x0ab' of create" },
  };
  for (size_t i = 0; i < COUNT_OF (bad); i++)
    {
      struct parsed p = parse (bad[i].line, false);
      ok (p.r == -EINVAL && p.error.kind == TARE_ERROR_USAGE && p.count == 0, "error %zu", i + 1);
      is_text (p.error.message, bad[i].message, "and its message");
    }
}

static void
test_nearest (void)
{
  const char *const names[] = { "create", "start", "state", "delete", NULL };
  is_text (cli_nearest ("creat", names, 5), "create", "creat");
  is_text (cli_nearest ("strat", names, 5), "start", "strat");
  is_text (cli_nearest ("stat", names, 5), "start", "stat: the first of two");
  is_text (cli_nearest ("exec", names, 5), NULL, "exec: none is near");
  is_text (cli_nearest ("", names, 5), NULL, "nothing");
  char longest[300];
  memset (longest, 'x', sizeof longest - 1);
  longest[sizeof longest - 1] = '\0';
  is_text (cli_nearest (longest, names, 5), NULL, "a very long word");
}

static void
test_signals (void)
{
  static const struct
  {
    const char *text;
    int number;
  } rows_of_signals[] = {
    { "9", SIGKILL },
    { "KILL", SIGKILL },
    { "SIGKILL", SIGKILL },
    { "sigkill", SIGKILL },
    { "Term", SIGTERM },
    { "sigTERM", SIGTERM },
    { "0", 0 },
    { "64", 64 },
    { "65", -EINVAL },
    { "-9", -EINVAL },
    { "", -EINVAL },
    { "SIG", -EINVAL },
    { "KILLER", -EINVAL },
    { "9x", -EINVAL },
    { " 9", -EINVAL },
    { "RTMIN", 34 },
    { "SIGRTMIN+3", 37 },
    { "rtmax-3", 61 },
    { "RTMAX", 64 },
    { "RTMIN+30", 64 },
    { "RTMIN+31", -EINVAL },
    { "RTMIN-1", -EINVAL },
    { "RTMAX+1", -EINVAL },
    { "RTMIN+", -EINVAL },
    { "4294967305", -EINVAL },
    { "SIGSIGKILL", -EINVAL },
    { "WINCH", SIGWINCH },
    { "USR1", SIGUSR1 },
    { "io", SIGIO },
    { "POLL", SIGIO },
    { "iot", SIGABRT },
    { "SYS", SIGSYS },
  };
  for (size_t i = 0; i < COUNT_OF (rows_of_signals); i++)
    {
      int r = cli_signal (rows_of_signals[i].text);
      ok (rows_of_signals[i].number < 0 ? r < 0 : r == rows_of_signals[i].number, "signal '%s'",
          rows_of_signals[i].text);
    }
  /* Every name that the C library has, with its number. */
  bool all = true;
  for (int i = 1; i < 32; i++)
    {
      const char *name = sigabbrev_np (i);
      if (name != NULL && cli_signal (name) != i)
        {
          all = false;
          tap_note ("%s: %d, not %d", name, cli_signal (name), i);
        }
    }
  ok (all, "the names of all 31 signals");
}

int
main (void)
{
  test_forms ();
  test_stop ();
  test_errors ();
  test_nearest ();
  test_signals ();
  return tap_done ();
}
