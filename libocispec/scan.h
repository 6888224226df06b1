/* The pre-scan of the bytes: what yajl lets pass although RFC 8259 does not. */
#ifndef TARE_LIBOCISPEC_SCAN_H
#define TARE_LIBOCISPEC_SCAN_H

#include <stdbool.h>
#include <stddef.h>

/* NULL if all is well, or what is wrong, and *ret_offset where. */
const char *json_scan (const char *bytes, size_t length, size_t *ret_offset);
/* Does a double hold this number (in JSON's syntax), or is it beyond 1e308? */
bool json_number_is_finite (const char *text, size_t length);

#endif
