/* What stands in for glibc where musl is. src/musl: the checked functions write what the plain ones
 * do, and end the process before they write past the end; under names of their own, for the C
 * library of the tests may have them, too. src/base/error.c: its texts are glibc's.
 */
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/base.h"
#include "tests/unit/tap.h"

#define __memcpy_chk   checked_memcpy
#define __snprintf_chk checked_snprintf
#define __sprintf_chk  checked_sprintf
#define __asprintf_chk checked_asprintf
#define __fprintf_chk  checked_fprintf
#include "src/musl/fortify.c"

#undef __GLIBC__
#include "src/base/error.c"

static char room[8];

static void
memcpy_beyond (void)
{
  (void) checked_memcpy (room, "123456789", 9, sizeof room);
}

static void
snprintf_beyond (void)
{
  (void) checked_snprintf (room, sizeof room + 1, 0, sizeof room, "x");
}

static void
sprintf_beyond (void)
{
  (void) checked_sprintf (room, 0, sizeof room, "%d", 12345678);
}

static bool
aborts (void (*run) (void))
{
  int status = 0;
  pid_t pid = fork ();
  if (pid == 0)
    {
      run ();
      _exit (0);
    }
  return pid > 0 && waitpid (pid, &status, 0) == pid && WIFSIGNALED (status)
         && WTERMSIG (status) == SIGABRT;
}

static void
test_fits (void)
{
  char *text = NULL, file_text[16] = "";
  checked_memcpy (room, "1234567", 8, sizeof room);
  is_text (room, "1234567", "memcpy: exactly full");
  is_number (checked_snprintf (room, 4, 0, sizeof room, "%s", "abcdef"), 6, "snprintf: the length");
  is_text (room, "abc", "snprintf: cut as asked for");
  is_number (checked_sprintf (room, 0, sizeof room, "%d", 1234567), 7, "sprintf: exactly full");
  is_text (room, "1234567", "sprintf: the text");
  is_number (checked_sprintf (room, 0, SIZE_MAX, "%c", 'x'), 1, "sprintf: a place of unknown size");
  is_text (room, "x", "sprintf: the text");
  is_number (checked_asprintf (&text, 0, "%s-%d", "a", 5), 3, "asprintf: the length");
  is_text (text, "a-5", "asprintf: the text");
  free (text);
  FILE *file = fmemopen (file_text, sizeof file_text, "w");
  is_number (file == NULL ? -1 : checked_fprintf (file, 0, "%s", "line"), 4, "fprintf: the length");
  if (file != NULL)
    fclose (file);
  is_text (file_text, "line", "fprintf: the text");
}

static void
test_errno_texts (void)
{
  for (size_t i = 0; i < COUNT_OF (usual_texts); i++)
    is_text (usual_texts[i].text, strerrordesc_np (usual_texts[i].code), "the text of an errno");
  is_text (errno_text (-ELOOP), "Too many levels of symbolic links", "from the table");
  is_text (errno_text (ENOENT), "No such file or directory", "from the C library");
}

int
main (void)
{
  test_errno_texts ();
  test_fits ();
  ok (aborts (memcpy_beyond), "memcpy past the end: the process ends");
  ok (aborts (snprintf_beyond), "snprintf that may write past the end: the process ends");
  ok (aborts (sprintf_beyond), "sprintf past the end: the process ends");
  return tap_done ();
}
