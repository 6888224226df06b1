/* tare spec: writes the default config.json. Never over one that is there. */
#define _GNU_SOURCE
#include "cli.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct spec_options
{
  const char *bundle, *file;
  bool rootless;
};

static int
file_error (struct tare_error *error, const char *what, const char *path)
{
  int code = errno;
  return tare_error_set (error, TARE_ERROR_SYSTEM, -code, "%s '%s': %s", what, path,
                         strerror (code));
}

static int
create_file (int directory, const char *file, struct tare_error *error)
{
  int fd = openat (directory, file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (fd < 0 && errno == EEXIST)
    return tare_error_set (error, TARE_ERROR_USAGE, -EEXIST,
                           "file '%s' exists; remove it first, spec does not overwrite it", file);
  return fd < 0 ? file_error (error, "create", file) : fd;
}

static int
write_file (int directory, const char *file, const char *text, struct tare_error *error)
{
  size_t length = strlen (text);
  int fd = create_file (directory, file, error), r = 0;
  if (fd < 0)
    return fd;
  while (length > 0 && r == 0)
    {
      ssize_t n = write (fd, text, length);
      if (n < 0 && errno != EINTR)
        r = file_error (error, "write", file);
      text += n > 0 ? n : 0;
      length -= n > 0 ? (size_t) n : 0;
    }
  if (close (fd) < 0 && r == 0)
    r = file_error (error, "write", file);
  if (r < 0)
    (void) unlinkat (directory, file, 0);
  return r;
}

static int
run_spec (struct cli *cli, const void *values, char **arguments, size_t count,
          struct tare_error *error)
{
  const struct spec_options *options = values;
  const char *bundle = options->bundle != NULL ? options->bundle : ".";
  char *text;
  (void) cli;
  (void) arguments;
  (void) count;
  int directory = open (bundle, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0)
    return file_error (error, "bundle", bundle);
  int r = tare_spec (options->rootless ? TARE_SPEC_ROOTLESS : 0, &text, error);
  if (r >= 0)
    {
      r = write_file (directory, options->file != NULL ? options->file : "config.json", text,
                      error);
      free (text);
    }
  (void) close (directory);
  return r;
}

static const struct cli_option options[] = {
  { "bundle", 'b', CLI_TEXT, "DIR", offsetof (struct spec_options, bundle),
    "where to write it (default: \".\")" },
  { "file", 'f', CLI_TEXT, "FILE", offsetof (struct spec_options, file),
    "its name (default: config.json)" },
  { "rootless", 0, CLI_FLAG, NULL, offsetof (struct spec_options, rootless),
    "for a container of an ordinary user" },
  { 0 },
};

const struct cli_command cli_spec = {
  .name = "spec",
  .synopsis = "",
  .summary = "write a default config.json",
  .description = "Writes a config.json to begin with: a shell on a terminal, with "
                 "namespaces of its own and a read-only root at \"rootfs\". A file that is "
                 "there is not overwritten.\n",
  .options = options,
  .options_size = sizeof (struct spec_options),
  .no_context = true,
  .run = run_spec,
};
