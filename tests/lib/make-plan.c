/* Makes the plan of a config with many of something, and of an exec in it, and writes nothing: for
 * callgrind, which counts what that costs.
 *
 *   make-plan env|args|masks|annotations|mounts|sysctls|groups N
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "spec/spec.h"

static void
put_list (struct buf *text, const char *format, unsigned count)
{
  for (unsigned i = 0; i < count; i++)
    {
      buf_text (text, i > 0 ? "," : "");
      buf_format (text, format, i, i);
    }
}

/* count of kind if kind is name, else 0: an empty list. */
static unsigned
count_of (const char *kind, const char *name, unsigned count)
{
  return strcmp (kind, name) == 0 ? count : 0;
}

static void
put_config (struct buf *text, const char *kind, unsigned count)
{
  buf_text (text, "{\"ociVersion\":\"1.3.0\",\"root\":{\"path\":\"r\"},\"annotations\":{");
  put_list (text, "\"a%u\":\"%u\"", count_of (kind, "annotations", count));
  buf_text (text, "},\"mounts\":[");
  put_list (text, "{\"destination\":\"/m%u\",\"type\":\"tmpfs\",\"source\":\"%u\"}",
            count_of (kind, "mounts", count));
  buf_text (text, "],\"linux\":{\"namespaces\":[{\"type\":\"mount\"},{\"type\":\"network\"}],"
                  "\"maskedPaths\":[");
  put_list (text, "\"/proc/%u/%u\"", count_of (kind, "masks", count));
  buf_text (text, "],\"sysctl\":{");
  put_list (text, "\"net.x.y%u\":\"%u\"", count_of (kind, "sysctls", count));
  buf_text (text, "}},\"process\":{\"cwd\":\"/\",\"user\":{\"additionalGids\":[");
  put_list (text, "%u", count_of (kind, "groups", count));
  buf_text (text, "]},\"args\":[\"x\"");
  buf_text (text, count_of (kind, "args", count) > 0 ? "," : "");
  put_list (text, "\"a%u-%u\"", count_of (kind, "args", count));
  buf_text (text, "],\"env\":[");
  put_list (text, "\"V%u=%u\"", count_of (kind, "env", count));
  buf_text (text, "]}}");
}

static int
make (const struct buf *config, struct tare_error *error)
{
  static const char *const args[] = { "x" }, *const env[] = { "V1=changed", "NEW=1" };
  const struct spec_input input = { "config.json", config->bytes, config->length, "/b" };
  const struct spec_facts facts = { .id = "c" };
  struct tare_exec_options options = TARE_EXEC_OPTIONS_INIT;
  struct spec *spec = NULL, *exec = NULL;
  struct plan_builder builder = { 0 }, exec_builder = { 0 };
  options.args = args;
  options.n_args = COUNT_OF (args);
  options.env = env;
  options.n_env = COUNT_OF (env);
  int r = spec_load (&input, NULL, &spec, error);
  if (r >= 0)
    r = spec_plan (spec, &facts, &builder, error);
  if (r >= 0)
    r = plan_check (builder.buf.bytes, builder.buf.length, error);
  if (r >= 0)
    r = spec_load_exec (spec, &options, NULL, &exec, error);
  if (r >= 0)
    r = spec_plan_exec (exec, &facts, &exec_builder, error);
  plan_builder_done (&builder);
  plan_builder_done (&exec_builder);
  spec_free (exec);
  spec_free (spec);
  return r;
}

int
main (int argc, char **argv)
{
  struct tare_error error = { 0 };
  struct buf config = { 0 };
  if (argc != 3)
    return 2;
  put_config (&config, argv[1], (unsigned) strtoul (argv[2], NULL, 10));
  int r = config.failed ? -ENOMEM : make (&config, &error);
  if (r < 0)
    fprintf (stderr, "%s\n", error.message);
  buf_done (&config);
  return r < 0;
}
