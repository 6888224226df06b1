/* Calls that no source of ours may make: they write without a bound, parse without an error, or
 * keep hidden state. The build puts this in front of every source of src/ and libocispec/.
 *
 * A poisoned name may not appear again, in no header either: so the headers that declare them
 * come first. They fix the feature macros, so those are set here too.
 */
#ifndef TARE_BASE_BANNED_H
#define TARE_BASE_BANNED_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <alloca.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>
#include <wchar.h>
#if __has_include(<linux/bpf.h>)
#include <linux/bpf.h> /* has helpers named strtol and strtoul */
#endif

#undef alloca
#undef sprintf
#undef vsprintf
#undef scanf
#undef sscanf
#undef fscanf
#undef strcpy
#undef strncpy
#undef strcat
#undef strncat
#undef stpcpy
#undef strdupa
#undef strndupa

/* no bound */
#pragma GCC poison strcpy strncpy strcat strncat stpcpy sprintf vsprintf gets getwd
#pragma GCC poison alloca strdupa strndupa
/* no error, or one that is easily missed: base/str.h has parse_u64 and parse_i64 */
#pragma GCC poison atoi atol atoll atof strtol strtoul strtoll strtoull strtod strtof strtold
#pragma GCC poison scanf sscanf fscanf vscanf vsscanf vfscanf
/* hidden state, or a name that another may take first */
#pragma GCC poison strtok rand srand asctime ctime gmtime localtime
#pragma GCC poison mktemp tmpnam tempnam tmpfile
/* a shell */
#pragma GCC poison system popen pclose

#endif
