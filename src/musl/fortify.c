/* What a static library that was compiled for glibc with _FORTIFY_SOURCE calls in place of
 * memcpy(3) and the like. Only in the program, and only where it is linked with musl, which has
 * none of them. They check as glibc's do: what would be written past the end of its place ends the
 * program.
 */
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* No header declares them: compilers call them. */
void *__memcpy_chk (void *to, const void *from, size_t size, size_t room);
int __snprintf_chk (char *text, size_t size, int flag, size_t room, const char *format, ...)
    __attribute__ ((format (printf, 5, 6)));
int __sprintf_chk (char *text, int flag, size_t room, const char *format, ...)
    __attribute__ ((format (printf, 4, 5)));
int __asprintf_chk (char **ret_text, int flag, const char *format, ...)
    __attribute__ ((format (printf, 3, 4)));
int __fprintf_chk (FILE *file, int flag, const char *format, ...)
    __attribute__ ((format (printf, 3, 4)));

void *
__memcpy_chk (void *to, const void *from, size_t size, size_t room)
{
  if (size > room)
    abort ();
  return memmove (to, from, size); /* in glibc's headers memcpy is this function */
}

int
__snprintf_chk (char *text, size_t size, int flag, size_t room, const char *format, ...)
{
  va_list arguments;
  (void) flag;
  if (size > room)
    abort ();
  va_start (arguments, format);
  int r = vsnprintf (text, size, format, arguments);
  va_end (arguments);
  return r;
}

int
__sprintf_chk (char *text, int flag, size_t room, const char *format, ...)
{
  va_list arguments;
  size_t most = room > INT_MAX ? INT_MAX : room; /* SIZE_MAX: unknown */
  (void) flag;
  va_start (arguments, format);
  int r = vsnprintf (text, most, format, arguments);
  va_end (arguments);
  if (r >= 0 && (size_t) r >= most)
    abort ();
  return r;
}

int
__asprintf_chk (char **ret_text, int flag, const char *format, ...)
{
  va_list arguments;
  (void) flag;
  va_start (arguments, format);
  int r = vasprintf (ret_text, format, arguments);
  va_end (arguments);
  return r;
}

int
__fprintf_chk (FILE *file, int flag, const char *format, ...)
{
  va_list arguments;
  (void) flag;
  va_start (arguments, format);
  int r = vfprintf (file, format, arguments);
  va_end (arguments);
  return r;
}
