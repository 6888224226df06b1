/* base: errors, arena, buffer, strings, enumerations, log. */
#include "base/base.h"
#include "tap.h"

#include <signal.h>
#include <sys/wait.h>

static bool
ends_with (const char *text, const char *end)
{
  size_t length = strlen (text), n = strlen (end);
  return length >= n && strcmp (text + length - n, end) == 0;
}

static void
test_error (void)
{
  struct tare_error error = { 0 };
  ok (sizeof error == 512, "an error is 512 bytes");
  is_number (fail (&error, EPERM, "open '%s'", "/x"), -EPERM, "fail returns the negative errno");
  is_text (error.message, "open '/x': Operation not permitted", "fail appends the errno's text");
  is_number (error.code, -EPERM, "... and keeps the code");
  is_number (error.kind, TARE_ERROR_SYSTEM, "... as an error of the system");
  is_number (fail (&error, -ENOENT, "x"), -ENOENT, "fail takes a negative errno too");
  is_number (fail (&error, 0, "x"), -EIO, "a failure never returns 0");
  is_number (fail (NULL, EPERM, "x"), -EPERM, "error may be NULL");
  is_number (fail_kind (NULL, TARE_ERROR_USAGE, EINVAL, "x"), -EINVAL, "... for fail_kind");
  is_number (wrap (NULL, -EPERM, "x"), -EPERM, "... for wrap");
  is_number (classify (NULL, -EPERM, TARE_ERROR_USAGE), -EPERM, "... for classify");

  is_number (fail_kind (&error, TARE_ERROR_CONFIG, EINVAL, "a %d", 1), -EINVAL, "fail_kind");
  is_text (error.message, "a 1", "fail_kind appends nothing");
  is_number (error.kind, TARE_ERROR_CONFIG, "... and sets the class");
  is_number (wrap (&error, -EINVAL, "mounts[%d]", 2), -EINVAL, "wrap returns what it is given");
  is_text (error.message, "mounts[2]: a 1", "wrap puts its context in front");
  is_number (error.kind, TARE_ERROR_CONFIG, "... and leaves the class");
  is_number (classify (&error, -7, TARE_ERROR_CORRUPT), -7, "classify returns what it is given");
  is_number (error.kind, TARE_ERROR_CORRUPT, "... and changes the class");

  error = (struct tare_error){ 0 };
  (void) wrap (&error, -ENOENT, "state");
  is_text (error.message, "state: No such file or directory", "wrap fills an empty error");
  is_number (error.code, -ENOENT, "... with its code");
  is_text (errno_text (-ENOENT), "No such file or directory", "errno_text takes both signs");
  is_text (errno_text (99999), "Unknown error", "errno_text of no errno");
}

static void
test_error_line (void)
{
  struct tare_error error;
  (void) fail_kind (&error, TARE_ERROR_USAGE, EINVAL, "%s", "a\nb\x1b[31m\x7f\tz");
  is_text (error.message, "a\\x0ab\\x1b[31m\\x7f\\x09z", "controls in a message are escaped");
  (void) fail_kind (&error, TARE_ERROR_USAGE, EINVAL, "%s",
                    "\xc2\x9b"
                    "31m \xff \xc3\xa4");
  is_text (error.message, "\\xc2\\x9b31m \\xff \xc3\xa4", "... C1 and bad bytes too, UTF-8 stays");
  (void) wrap (&error, -EINVAL, "\n");
  ok (strchr (error.message, '\n') == NULL, "... in wrap too");
  is_text (error.message, "\\x0a: \\xc2\\x9b31m \\xff \xc3\xa4", "... and once only");

  char path[5000];
  memset (path, 'p', sizeof path);
  path[sizeof path - 1] = '\0';
  (void) fail (&error, EACCES, "open '%s'", path);
  is_number ((long long) strlen (error.message), 501, "a long message fills its place");
  ok (strncmp (error.message, "open 'ppp", 9) == 0 && strstr (error.message, "...") != NULL
          && ends_with (error.message, "p: Permission denied"),
      "... and loses its middle, not its ends");
  for (int i = 0; i < 100; i++)
    (void) wrap (&error, -EACCES, "step %d", i);
  ok (strncmp (error.message, "step 99: ", 9) == 0
          && ends_with (error.message, "Permission denied"),
      "... after a hundred contexts too");

  bool clean = true;
  for (int i = 0; i < 4; i++) /* each alignment of a two-byte character against the cut */
    {
      for (int n = 0; n < 2000; n++)
        path[n] = n < i ? 'x' : (n - i) % 2 == 0 ? '\xc3' : '\xa4';
      path[2000 + i % 2] = '\0';
      (void) fail_kind (&error, TARE_ERROR_USAGE, EINVAL, "%s", path);
      for (const char *at = error.message; *at != '\0';)
        {
          size_t length = utf8_length (at, strlen (at));
          clean &= length > 0;
          at += length > 0 ? length : 1;
        }
    }
  ok (clean, "a cut never splits a character");
}

/* Does writing to memory kill? */
static bool
faults (char *memory)
{
  pid_t pid = fork ();
  if (pid == 0)
    {
      signal (SIGSEGV, SIG_DFL); /* the sanitizer's handler would report */
      signal (SIGBUS, SIG_DFL);
      *(volatile char *) memory = 1;
      _exit (0);
    }
  int status = 0;
  return waitpid (pid, &status, 0) == pid && WIFSIGNALED (status);
}

static void
test_arena (void)
{
  auto_ (arena)
  struct arena arena = { 0 };
  bool aligned = true, zero = true;
  for (size_t i = 0; i < 2000; i++)
    {
      (void) arena_copy (&arena, "abc", i % 4);
      unsigned char *memory = arena_allocate (&arena, i);
      aligned &= memory != NULL && (uintptr_t) memory % 16 == 0;
      for (size_t j = 0; memory != NULL && j < i; j++)
        zero &= memory[j] == 0;
      if (memory != NULL)
        memset (memory, 0xff, i);
    }
  ok (aligned, "memory is aligned");
  ok (zero, "... and zeroed, and never handed out twice");
  char *big = arena_allocate (&arena, 50 * 1024 * 1024);
  ok (big != NULL, "a block larger than any other");
  ok (arena_allocate (&arena, 0) != NULL, "nothing is a valid pointer");
  errno = 0;
  ok (arena_allocate (&arena, SIZE_MAX) == NULL && errno == ENOMEM, "too much is refused");
  ok (arena_copy (&arena, "", SIZE_MAX) == NULL, "... as a copy too");

  char *text = arena_copy (&arena, "hello", 4);
  is_text (text, "hell", "a copy is terminated");
  is_text (arena_format (&arena, "%s-%d", "x", 7), "x-7", "format");
  for (int length = 254; length < 259; length++)
    {
      const char *wide = arena_format (&arena, "%*d", length, 7);
      ok (wide != NULL && strlen (wide) == (size_t) length && wide[length - 1] == '7',
          "format: %d bytes", length);
    }
  ok (!faults (text), "before the freeze a write is good");
  is_number (arena_freeze (&arena), 0, "freeze");
  ok (faults (text) && faults (big), "after it a write faults, in every block");
  is_text (text, "hell", "... and reading goes on");
  char *after = arena_allocate (&arena, 10);
  ok (after != NULL && !faults (after), "what is allocated then is writable");
  is_number (arena_freeze (&arena), 0, "freeze again");
  ok (faults (after), "... holds for that too");

  auto_ (arena)
  struct arena small = { .limit = 100 };
  ok (arena_allocate (&small, 60) != NULL, "below the limit");
  ok (arena_allocate (&small, 41) == NULL, "above the limit");
  ok (arena_allocate (&small, 40) != NULL, "at the limit");
  is_number ((long long) small.total, 100, "the total is what was handed out");
}

static void
test_buf (void)
{
  auto_ (buf)
  struct buf buf = { 0 };
  buf_text (&buf, "abc");
  buf_format (&buf, "-%s-%05d", "x", 42);
  buf_append (&buf, "\0z", 2);
  is_number ((long long) buf.length, 13, "length counts every byte");
  ok (memcmp (buf.bytes, "abc-x-00042\0z", 14) == 0, "append, text, format");
  auto_ (buf)
  struct buf wide = { 0 };
  for (int length = 0; length < 3000; length++)
    {
      size_t before = wide.length;
      buf_format (&wide, "%*d", length, 7);
      if (wide.length != before + (size_t) (length == 0 ? 1 : length)
          || wide.bytes[wide.length - 1] != '7' || wide.bytes[wide.length] != '\0')
        wide.failed = true;
    }
  ok (!wide.failed, "format: what does not fit at first");
  is_number ((long long) buf_reserve (&buf, 5), 16, "reserve aligns to 8");
  ok (buf.length == 21 && memcmp (buf.bytes + 13, "\0\0\0\0\0\0\0\0", 8) == 0, "... and zeroes");
  is_number ((long long) buf_reserve (&buf, 0), 24, "reserve of nothing aligns too");
  for (int i = 0; i < 100000; i++)
    buf_text (&buf, "0123456789");
  ok (!buf.failed && buf.length == 1000024, "it grows");
  ok (buf.bytes[buf.length] == '\0', "... and stays terminated");
  ok (buf_reserve (&buf, SIZE_MAX - 4) == (size_t) -1 && buf.failed, "too much fails");
  buf_text (&buf, "x");
  is_number ((long long) buf.length, 1000024, "... and what comes later is dropped");
  ok (buf_take (&buf) == NULL, "... and there is nothing to take");
  ok (buf.bytes == NULL && !buf.failed, "... and it is empty again");
  autofree char *nothing = buf_take (&buf);
  is_text (nothing, "", "an empty buffer gives an empty text");
  buf_text (&buf, "abc");
  autofree char *text = buf_take (&buf);
  is_text (text, "abc", "take");
}

static void
test_json_string (void)
{
  static const char *const cases[][2] = {
    { "", "\"\"" },
    { "plain / text", "\"plain / text\"" },
    { "q\" b\\", "\"q\\\" b\\\\\"" },
    { "\b\f\n\r\t", "\"\\b\\f\\n\\r\\t\"" },
    { "\x01\x1f\x7f", "\"\\u0001\\u001f\\u007f\"" },
    { "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", "\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\"" },
    { "\xc2\x9b", "\"\\u009b\"" },                   /* C1 */
    { "a\xff\xc3", "\"a\\ufffd\\ufffd\"" },          /* never valid; cut short */
    { "\xc0\xaf", "\"\\ufffd\\ufffd\"" },            /* overlong */
    { "\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\"" }, /* a surrogate */
  };
  for (size_t i = 0; i < COUNT_OF (cases); i++)
    {
      auto_ (buf)
      struct buf buf = { 0 };
      buf_json_string (&buf, cases[i][0]);
      is_text (buf.bytes, cases[i][1], "JSON string");
    }
}

static void
test_numbers (void)
{
  static const struct
  {
    const char *text;
    uint64_t max;
    int r;
    uint64_t value;
  } cases[] = {
    { "0", 9, 0, 0 },
    { "18446744073709551615", UINT64_MAX, 0, UINT64_MAX },
    { "18446744073709551616", UINT64_MAX, -ERANGE, 0 },
    { "99999999999999999999999999999999", UINT64_MAX, -ERANGE, 0 },
    { "10", 9, -ERANGE, 0 },
    { "9", 9, 0, 9 },
    { "007", 9, 0, 7 },
    { "", 9, -EINVAL, 0 },
    { "-1", 9, -EINVAL, 0 },
    { "+1", 9, -EINVAL, 0 },
    { " 1", 9, -EINVAL, 0 },
    { "1 ", 9, -EINVAL, 0 },
    { "0x1", 9, -EINVAL, 0 },
    { "1e1", 99, -EINVAL, 0 },
    { "99999999999999999999x", 9, -EINVAL, 0 },
  };
  for (size_t i = 0; i < COUNT_OF (cases); i++)
    {
      uint64_t value = 77;
      int r = parse_u64 (cases[i].text, cases[i].max, &value);
      ok (r == cases[i].r && value == (r == 0 ? cases[i].value : 77), "parse_u64 \"%s\"",
          cases[i].text);
    }
  int64_t value = 77;
  ok (parse_i64 ("-9223372036854775808", INT64_MIN, INT64_MAX, &value) == 0 && value == INT64_MIN,
      "parse_i64 takes the least");
  ok (parse_i64 ("9223372036854775807", INT64_MIN, INT64_MAX, &value) == 0 && value == INT64_MAX,
      "... and the most");
  is_number (parse_i64 ("-9223372036854775809", INT64_MIN, INT64_MAX, &value), -ERANGE, "less");
  is_number (parse_i64 ("9223372036854775808", INT64_MIN, INT64_MAX, &value), -ERANGE, "more");
  is_number (parse_i64 ("-1001", -1000, 1000, &value), -ERANGE, "below min");
  is_number (parse_i64 ("--1", -9, 9, &value), -EINVAL, "two signs");
  is_number (parse_i64 ("-", -9, 9, &value), -EINVAL, "a sign alone");
  is_number (value, INT64_MAX, "a failure leaves the value alone");
}

static void
test_paths (void)
{
  static const struct
  {
    const char *path, *directory;
    bool below;
  } cases[] = {
    { "/proc", "/proc", true },
    { "/proc/self", "/proc", true },
    { "/procx", "/proc", false },
    { "/pro", "/proc", false },
    { "/", "/proc", false },
    { "/proc", "/", true },
    { "/", "/", true },
    { "//proc//x", "/proc/", true },
    { "/./proc/./x", "/proc", true },
    { "/proc/../etc", "/proc", false },
    { "/proc/a/../b", "/proc", true },
    { "/proc/a/../../proc", "/proc", false },
    { "/x/proc", "/proc", false },
    { "/proc/..x", "/proc", true },
    { "/proc/", "/proc/.", true },
  };
  for (size_t i = 0; i < COUNT_OF (cases); i++)
    ok (path_is_below (cases[i].path, cases[i].directory) == cases[i].below, "'%s' below '%s': %s",
        cases[i].path, cases[i].directory, cases[i].below ? "yes" : "no");

  static const char *const normal[][2] = {
    { "/", "/" },
    { "//", "/" },
    { "/./", "/" },
    { "/a//b/./c/", "/a/b/c" },
    { "/a/../b", "/a/../b" },
    { "/..", "/.." },
    { "/.a/b.", "/.a/b." },
  };
  char out[16];
  for (size_t i = 0; i < COUNT_OF (normal); i++)
    {
      int length = path_normalize (normal[i][0], out, sizeof out);
      ok (length == (int) strlen (normal[i][1]) && str_equal (out, normal[i][1]), "normal '%s'",
          normal[i][0]);
    }
  is_number (path_normalize ("a/b", out, sizeof out), -EINVAL, "a relative path");
  is_number (path_normalize ("/abc", out, 5), 4, "just fits");
  is_number (path_normalize ("/abc", out, 4), -ENAMETOOLONG, "does not fit");
  is_number (path_normalize ("/", out, 1), -ENAMETOOLONG, "... not even the root");
}

static void
test_utf8 (void)
{
  static const struct
  {
    const char *bytes;
    size_t length;
  } cases[] = {
    { "a", 1 },
    { "\x80", 0 },
    { "\xc1\xbf", 0 },
    { "\xc2\x80", 2 },
    { "\xe0\x9f\xbf", 0 },
    { "\xe0\xa0\x80", 3 },
    { "\xed\x9f\xbf", 3 },
    { "\xed\xa0\x80", 0 },
    { "\xee\x80\x80", 3 },
    { "\xe2\x82", 0 },
    { "\xf0\x8f\xbf\xbf", 0 },
    { "\xf0\x90\x80\x80", 4 },
    { "\xf4\x8f\xbf\xbf", 4 },
    { "\xf4\x90\x80\x80", 0 },
    { "\xf5\x80\x80\x80", 0 },
    { "", 0 },
  };
  for (size_t i = 0; i < COUNT_OF (cases); i++)
    is_number ((long long) utf8_length (cases[i].bytes, strlen (cases[i].bytes)),
               (long long) cases[i].length, "utf8_length");
  is_text (str_after ("prefix-x", "prefix-"), "x", "str_after");
  ok (str_after ("prefi", "prefix") == NULL, "str_after of another");
  char out[8];
  escape_line ("abcd\nefg", out, sizeof out);
  is_text (out, "abcd", "escape_line does not cut within an escape");
}

static void
test_enum (void)
{
  static const struct enum_map map[] = { { "a", 1 }, { "b", -2 }, { "also-a", 1 }, { NULL, 0 } };
  int64_t value = 77;
  ok (enum_value (map, "b", &value) == 0 && value == -2, "a name's value");
  is_number (enum_value (map, "B", &value), -EINVAL, "names are exact");
  is_number (enum_value (map, "", &value), -EINVAL, "... and not empty");
  is_number (value, -2, "a failure leaves the value alone");
  is_text (enum_name (map, 1), "a", "the first name of a value");
  is_text (enum_name (map, 0), NULL, "no name");
  auto_ (buf)
  struct buf buf = { 0 };
  enum_list (map, &buf);
  is_text (buf.bytes, "a, b, also-a", "the list");
}

struct line
{
  int count;
  enum tare_log_level level;
  char text[9000];
};

static void
keep_line (enum tare_log_level level, const char *message, void *argument)
{
  struct line *line = argument;
  line->count++;
  line->level = level;
  snprintf (line->text, sizeof line->text, "%s", message);
}

static void
test_log (void)
{
  struct line line = { 0 };
  struct log log = { .write = keep_line, .argument = &line, .level = TARE_LOG_WARNING };
  log_at (NULL, TARE_LOG_ERROR, "x");
  log_at (&(struct log){ 0 }, TARE_LOG_ERROR, "x");
  log_debug (&log, "no");
  is_number (line.count, 0, "what is not wanted is not written");
  log_warning (&log, "a '%s'", "x\ny");
  ok (line.count == 1 && line.level == TARE_LOG_WARNING, "what is wanted is, with its level");
  is_text (line.text, "a 'x\\x0ay'", "... on one line");
  static char text[20000];
  memset (text, '\n', sizeof text - 1);
  log_at (&log, TARE_LOG_ERROR, "%s", text);
  ok (line.count == 2 && strchr (line.text, '\n') == NULL && strlen (line.text) > 4000,
      "a long line is cut");
}

static void
test_cleanup (void)
{
  int fds[2] = { -EBADF, -EBADF };
  is_number (pipe (fds), 0, "pipe");
  {
    autoclose int one = fds[0];
    autoclose int two = fds[1];
    int kept = take_fd (&two);
    (void) one;
    ok (kept == fds[1] && two == -EBADF, "take_fd");
    errno = 5;
  }
  is_number (errno, 5, "cleanup keeps errno");
  ok (close (fds[0]) < 0 && close (fds[1]) == 0, "autoclose closes, and not what was taken");
  char *text = strdup ("x");
  {
    autofree char *owner = text;
    char *taken = take_ptr (&owner);
    ok (taken == text && owner == NULL, "take_ptr");
  }
  free (text);
}

static void
test_ranges (void)
{
  static const struct
  {
    const char *text;
    int result;
    size_t count;
    uint64_t first_word;
  } cases[] = {
    { "", 0, 0, 0 },
    { ",", 0, 0, 0 },
    { "0", 0, 1, 1 },
    { "0-3,7", 0, 5, 0x8f },
    { " 1 - 2 , 5 ", 0, 3, 0x26 },
    { "3,3,2-3", 0, 2, 0xc },
    { "8191", 0, 1, 0 },
    { "8192", -ERANGE, 0, 0 },
    { "2-1", -ERANGE, 0, 0 },
    { "99999999999999999999", -ERANGE, 0, 0 },
    { "1-", -EINVAL, 0, 0 },
    { "-1", -EINVAL, 0, 0 },
    { "1 2", -EINVAL, 0, 0 },
    { "1--2", -EINVAL, 0, 0 },
    { "0-8191", 0, 8192, UINT64_MAX },
    { "1-2-3", -EINVAL, 0, 0 },
    { "0x1", -EINVAL, 0, 0 },
  };
  for (size_t i = 0; i < COUNT_OF (cases); i++)
    {
      struct ranges ranges = { 0 };
      int r = ranges_parse (cases[i].text, &ranges);
      ok (r == cases[i].result && ranges.count == cases[i].count
              && ranges.bits[0] == cases[i].first_word,
          "ranges '%s'", cases[i].text);
    }
  struct ranges all = { 0 };
  ok (ranges_parse ("64,8191", &all) == 0 && ranges_has (&all, 64) && ranges_has (&all, 8191)
          && !ranges_has (&all, 63),
      "ranges: beyond the first word");
}

int
main (void)
{
  test_error ();
  test_error_line ();
  test_arena ();
  test_buf ();
  test_json_string ();
  test_numbers ();
  test_paths ();
  test_utf8 ();
  test_enum ();
  test_log ();
  test_cleanup ();
  test_ranges ();
  return tap_done ();
}
