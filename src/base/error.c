/* Errors: fills struct tare_error with one line that fits, whatever came through %s.
 *
 * Owns the form of a message: control characters are escaped (a path or a name out of a config
 * must not forge a second line, or drive a terminal), and what is too long loses its middle, so
 * that the context in front and the errno's text at the end both stay.
 * May not allocate, nor call anything that does: this runs when memory is gone, and in init.
 */
#define _GNU_SOURCE
#include "base/error.h"
#include "base/cleanup.h"
#include "base/str.h"

#include <stdio.h>
#include <string.h>

static const char ellipsis[] = "...";

/* "head: tail", or head alone. Both are escaped already. */
static void
put_message (struct tare_error *error, const char *head, const char *tail)
{
  char line[2048 + sizeof error->message];
  int n = snprintf (line, sizeof line, "%s%s%s", head, *tail != '\0' ? ": " : "", tail);
  size_t length = n < 0 ? 0 : (size_t) n < sizeof line ? (size_t) n : sizeof line - 1;
  size_t room = sizeof error->message - 1;

  if (length <= room)
    {
      memcpy (error->message, line, length);
      error->message[length] = '\0';
      return;
    }
  size_t front = utf8_cut (line, room / 2 - sizeof ellipsis);
  size_t back = room - front - (sizeof ellipsis - 1);
  const char *rest = line + length - back;
  while (((unsigned char) *rest & 0xc0) == 0x80)
    rest++;
  memcpy (error->message, line, front);
  snprintf (error->message + front, sizeof error->message - front, "%s%s", ellipsis, rest);
}

static void
put_error (struct tare_error *error, const char *format, va_list arguments, const char *tail)
{
  char text[1024], head[2048];
  if (vsnprintf (text, sizeof text, format, arguments) < 0)
    text[0] = '\0';
  escape_line (text, head, sizeof head);
  put_message (error, head, tail);
}

/* 0 would read as success, which a failure must never do. */
static int
negative (int code)
{
  return code == 0 ? -EIO : code > 0 ? -code : code;
}

static int
fail_system (struct tare_error *error, int code, const char *format, va_list arguments)
{
  code = negative (code);
  if (error == NULL)
    return code;
  put_error (error, format, arguments, errno_text (code));
  error->code = code;
  error->kind = TARE_ERROR_SYSTEM;
  error->step = 0;
  return code;
}

int
fail (struct tare_error *error, int code, const char *format, ...)
{
  va_list arguments;
  va_start (arguments, format);
  int r = fail_system (error, code, format, arguments);
  va_end (arguments);
  return r;
}

int
fail_kind (struct tare_error *error, enum tare_error_kind kind, int code, const char *format, ...)
{
  code = negative (code);
  if (error == NULL)
    return code;
  va_list arguments;
  va_start (arguments, format);
  put_error (error, format, arguments, "");
  va_end (arguments);
  error->code = code;
  error->kind = kind;
  error->step = 0;
  return code;
}

int
wrap (struct tare_error *error, int r, const char *format, ...)
{
  if (error == NULL)
    return r;
  va_list arguments;
  va_start (arguments, format);
  if (error->message[0] == '\0')
    (void) fail_system (error, r, format, arguments);
  else
    {
      char tail[sizeof error->message];
      memcpy (tail, error->message, sizeof tail);
      put_error (error, format, arguments, tail);
    }
  va_end (arguments);
  return r;
}

int
classify (struct tare_error *error, int r, enum tare_error_kind kind)
{
  if (error != NULL)
    error->kind = kind;
  return r;
}

#ifndef __GLIBC__
/* Where musl's words are not those that users of the other runtimes know, and look for. */
static const struct
{
  int code;
  const char *text;
} usual_texts[] = {
  { EIO, "Input/output error" },
  { ECHILD, "No child processes" },
  { ENOMEM, "Cannot allocate memory" },
  { EBUSY, "Device or resource busy" },
  { EXDEV, "Invalid cross-device link" },
  { EMFILE, "Too many open files" },
  { ENOTTY, "Inappropriate ioctl for device" },
  { ESPIPE, "Illegal seek" },
  { ERANGE, "Numerical result out of range" },
  { EDEADLK, "Resource deadlock avoided" },
  { ENAMETOOLONG, "File name too long" },
  { ELOOP, "Too many levels of symbolic links" },
  { ETIME, "Timer expired" },
  { EOVERFLOW, "Value too large for defined data type" },
  { EUSERS, "Too many users" },
  { ENOTSOCK, "Socket operation on non-socket" },
  { EMSGSIZE, "Message too long" },
  { EOPNOTSUPP, "Operation not supported" },
  { EADDRINUSE, "Address already in use" },
  { ENOTCONN, "Transport endpoint is not connected" },
  { ETIMEDOUT, "Connection timed out" },
  { EUCLEAN, "Structure needs cleaning" },
  { EDQUOT, "Disk quota exceeded" },
};
#endif

const char *
errno_text (int code)
{
  const char *text;
  if (code < 0)
    code = -code;
#ifdef __GLIBC__
  text = strerrordesc_np (code); /* no locale, no buffer */
#else
  text = strerror (code); /* a constant table */
  for (size_t i = 0; i < COUNT_OF (usual_texts); i++)
    if (usual_texts[i].code == code)
      text = usual_texts[i].text;
#endif
  return text != NULL ? text : "Unknown error";
}
