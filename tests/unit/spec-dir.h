/* Where the official schema and examples of the runtime specification are, and files read whole. */
#ifndef TARE_TESTS_SPEC_DIR_H
#define TARE_TESTS_SPEC_DIR_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* NULL where there is none: the tests that need it say that they skip. */
__attribute__ ((unused)) static const char *
spec_dir (void)
{
  static char path[4096];
  const char *given = getenv ("TARE_SPEC_DIR"), *top = getenv ("top_srcdir");
  if (given != NULL && *given != '\0')
    snprintf (path, sizeof path, "%s", given);
  else
    snprintf (path, sizeof path, "%s/../shared/spec", top != NULL ? top : ".");
  return access (path, R_OK) == 0 ? path : NULL;
}

/* The file's bytes, terminated; the caller frees them. NULL if it cannot be read. */
__attribute__ ((unused)) static char *
read_whole (const char *path, size_t *ret_length)
{
  FILE *file = fopen (path, "re");
  if (file == NULL)
    return NULL;
  size_t capacity = 1 << 20, length;
  char *bytes = malloc (capacity + 1);
  length = bytes == NULL ? 0 : fread (bytes, 1, capacity, file);
  if (bytes != NULL)
    bytes[length] = '\0';
  fclose (file);
  *ret_length = length;
  return bytes;
}

#endif
