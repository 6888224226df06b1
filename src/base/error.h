/* Errors: a negative errno as the return value, one line of text for a person in *error.
 *
 *   return fail (error, EPERM, "open '%s'", path);            fills it, returns -EPERM
 *   return wrap (error, r, "mounts[%zu] '%s'", i, target);    puts context in front, returns r
 *
 * The code and the message cannot disagree: fail_errno appends the text of the errno itself.
 * error may be NULL everywhere. Nothing here allocates.
 */
#ifndef TARE_BASE_ERROR_H
#define TARE_BASE_ERROR_H

#include <errno.h>
#include <stdarg.h>

#include "tare.h"

#define PRINTF_LIKE(index, first) __attribute__ ((__format__ (printf, index, first)))

/* The system refused: "<message>: <text of code>". code is positive or negative errno. */
int fail (struct tare_error *error, int code, const char *format, ...) PRINTF_LIKE (3, 4);
/* We refuse, and the message says it all: no errno text is appended. */
int fail_kind (struct tare_error *error, enum tare_error_kind kind, int code, const char *format,
               ...) PRINTF_LIKE (4, 5);
/* Puts "<context>: " in front of what is there. r is returned unchanged; if *error is empty it is
 * filled as by fail (). */
int wrap (struct tare_error *error, int r, const char *format, ...) PRINTF_LIKE (3, 4);
/* Changes only the class. Returns r. */
int classify (struct tare_error *error, int r, enum tare_error_kind kind);

/* The field's own text of an errno, "No such file or directory"; never NULL, thread-safe. */
const char *errno_text (int code);

#endif
