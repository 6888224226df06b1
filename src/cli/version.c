/* tare version, tare --version. moby takes the name and the number from the line with "version",
 * go-runc the commit and the spec from lines that begin so. */
#include "cli.h"

#include <stdio.h>

#ifndef TARE_COMMIT
#define TARE_COMMIT "unknown"
#endif

static int
run_version (struct cli *cli, const void *values, char **arguments, size_t count,
             struct tare_error *error)
{
  char text[512];
  (void) values;
  (void) arguments;
  (void) count;
  const char *libseccomp = tare_libseccomp_version ();
  int length =
      snprintf (text, sizeof text, "tare version %s\ncommit: %s\nspec: %s\n%s%s%s", tare_version (),
                TARE_COMMIT, TARE_OCI_VERSION, libseccomp != NULL ? "libseccomp: " : "",
                libseccomp != NULL ? libseccomp : "", libseccomp != NULL ? "\n" : "");
  return cli_print (cli, text, (size_t) length, error);
}

const struct cli_command cli_version = {
  .name = "version",
  .synopsis = "",
  .summary = "print the version",
  .description = "The first line is the name and the version, as other runtimes have it; "
                 "managers read it.\n",
  .no_context = true,
  .run = run_version,
};
