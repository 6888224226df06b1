/* tare update: other limits for a container that lives. Each option becomes a member of a
 * linux.resources object; which of them can be had is for the library to say.
 */
#define _GNU_SOURCE
#include "cli.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct update_options
{
  const char *resources, *blkio_weight, *cpu_period, *cpu_quota, *cpu_burst, *cpu_share, *cpu_idle,
      *cpu_rt_period, *cpu_rt_runtime, *cpuset_cpus, *cpuset_mems, *memory, *memory_reservation,
      *memory_swap, *kernel_memory, *kernel_memory_tcp, *pids_limit;
};

enum form
{
  NUMBER,  /* "-5", "100000" */
  SIZE,    /* "512m", "1.5g", "-1" */
  NUMBERS, /* "0-3,5" */
};

struct row
{
  const char *option, *object, *member;
  size_t offset;
  enum form form;
};

#define ROW(name, object, member, field, form)                                                     \
  {                                                                                                \
    name, object, member, offsetof (struct update_options, field), form                            \
  }

/* Those of one object stand together. */
static const struct row rows[] = {
  ROW ("blkio-weight", "blockIO", "weight", blkio_weight, NUMBER),
  ROW ("cpu-period", "cpu", "period", cpu_period, NUMBER),
  ROW ("cpu-quota", "cpu", "quota", cpu_quota, NUMBER),
  ROW ("cpu-burst", "cpu", "burst", cpu_burst, NUMBER),
  ROW ("cpu-share", "cpu", "shares", cpu_share, NUMBER),
  ROW ("cpu-idle", "cpu", "idle", cpu_idle, NUMBER),
  ROW ("cpu-rt-period", "cpu", "realtimePeriod", cpu_rt_period, NUMBER),
  ROW ("cpu-rt-runtime", "cpu", "realtimeRuntime", cpu_rt_runtime, NUMBER),
  ROW ("cpuset-cpus", "cpu", "cpus", cpuset_cpus, NUMBERS),
  ROW ("cpuset-mems", "cpu", "mems", cpuset_mems, NUMBERS),
  ROW ("memory", "memory", "limit", memory, SIZE),
  ROW ("memory-reservation", "memory", "reservation", memory_reservation, SIZE),
  ROW ("memory-swap", "memory", "swap", memory_swap, SIZE),
  ROW ("kernel-memory", "memory", "kernel", kernel_memory, SIZE),
  ROW ("kernel-memory-tcp", "memory", "kernelTCP", kernel_memory_tcp, SIZE),
  ROW ("pids-limit", "pids", "limit", pids_limit, NUMBER),
};

static const char *
value_of (const struct update_options *options, const struct row *row)
{
  const char *value;
  memcpy (&value, (const char *) options + row->offset, sizeof value);
  return value;
}

/* ---- numbers --------------------------------------------------------------------------------- */

static int
parse_digits (const char **text, uint64_t *ret_value)
{
  uint64_t value = 0;
  const char *c = *text;
  for (; *c >= '0' && *c <= '9'; c++)
    if (__builtin_mul_overflow (value, 10, &value)
        || __builtin_add_overflow (value, (uint64_t) (*c - '0'), &value))
      return -ERANGE;
  if (c == *text)
    return -EINVAL;
  *text = c;
  *ret_value = value;
  return 0;
}

/* "", "b", "k", "kb", "KiB": how many bits to the left. */
static int
parse_unit (const char *text)
{
  static const char letters[] = "kmgtp";
  const char *found = *text != '\0' ? strchr (letters, *text | 0x20) : NULL;
  int shift = found != NULL ? 10 * (int) (found - letters + 1) : 0;
  text += found != NULL;
  if (found != NULL && *text == 'i')
    text++;
  if (*text == 'b' || *text == 'B')
    text++;
  return *text == '\0' ? shift : -EINVAL;
}

/* What follows the point, up to three digits of it, of 1 << shift. */
static int
parse_fraction (const char **text, int shift, uint64_t *ret_bytes)
{
  uint64_t thousandths = 0, scale = 100;
  const char *c = *text;
  for (; *c >= '0' && *c <= '9'; c++, scale /= 10)
    thousandths += scale * (uint64_t) (*c - '0');
  if (c == *text)
    return -EINVAL;
  *text = c;
  *ret_bytes = (((uint64_t) 1 << shift) * thousandths) / 1000;
  return 0;
}

static int
parse_size (const char *text, int64_t *ret_value)
{
  uint64_t whole = 0, part = 0;
  int r = parse_digits (&text, &whole);
  size_t point = *text == '.';
  int shift = parse_unit (text + point + (point ? strspn (text + 1, "0123456789") : 0));
  if (r >= 0 && shift < 0)
    r = shift;
  if (r >= 0 && point)
    {
      text++;
      r = parse_fraction (&text, shift, &part);
    }
  if (r < 0)
    return r;
  if (__builtin_mul_overflow (whole, (uint64_t) 1 << shift, &whole)
      || __builtin_add_overflow (whole, part, &whole) || whole > INT64_MAX)
    return -ERANGE;
  *ret_value = (int64_t) whole;
  return 0;
}

static int
parse_number (const char *text, int64_t *ret_value)
{
  uint64_t value;
  bool minus = *text == '-';
  text += minus;
  int r = parse_digits (&text, &value);
  if (r >= 0 && *text != '\0')
    r = -EINVAL;
  if (r >= 0 && value > INT64_MAX)
    r = -ERANGE;
  if (r >= 0)
    *ret_value = minus ? -(int64_t) value : (int64_t) value;
  return r;
}

/* ---- the object ------------------------------------------------------------------------------ */

static int
print_value (FILE *stream, const struct row *row, const char *text, struct tare_error *error)
{
  static const char *const forms[] = {
    [NUMBER] = "a number",
    [SIZE] = "a size such as 1048576, 512m, 1.5g or -1",
    [NUMBERS] = "a list such as 0-3,5",
  };
  int64_t value = 0;
  int r = 0;
  if (row->form == NUMBERS)
    r = text[strspn (text, "0123456789-,")] == '\0' ? 0 : -EINVAL;
  else if (row->form == SIZE && *text != '-')
    r = parse_size (text, &value);
  else
    r = parse_number (text, &value);
  if (r < 0)
    return tare_error_set (error, TARE_ERROR_USAGE, r, "option '--%s': '%s' is %s%s", row->option,
                           text, r == -ERANGE ? "too large for " : "not ", forms[row->form]);
  if (row->form == NUMBERS)
    fprintf (stream, "\"%s\"", text);
  else
    fprintf (stream, "%" PRId64, value);
  return 0;
}

static int
print_resources (FILE *stream, const struct update_options *options, size_t *ret_count,
                 struct tare_error *error)
{
  const char *object = NULL;
  size_t count = 0;
  for (size_t i = 0; i < COUNT_OF (rows); i++)
    {
      const struct row *row = &rows[i];
      const char *text = value_of (options, row);
      if (text == NULL)
        continue;
      if (object != NULL && strcmp (object, row->object) == 0)
        fprintf (stream, ", \"%s\": ", row->member);
      else
        fprintf (stream, "%s\"%s\": { \"%s\": ", object != NULL ? " }, " : "{ ", row->object,
                 row->member);
      object = row->object;
      count++;
      int r = print_value (stream, row, text, error);
      if (r < 0)
        return r;
    }
  fputs (object != NULL ? " } }" : "{ }", stream);
  *ret_count = count;
  return 0;
}

static int
make_resources (const struct update_options *options, struct cli_file *ret_file,
                struct tare_error *error)
{
  size_t count = 0;
  FILE *stream = open_memstream (&ret_file->bytes, &ret_file->length);
  int r = stream == NULL ? -ENOMEM : print_resources (stream, options, &count, error);
  if (stream != NULL && fclose (stream) != 0)
    r = -ENOMEM;
  ret_file->name = "options";
  if (r == -ENOMEM)
    return tare_error_set (error, TARE_ERROR_SYSTEM, -ENOMEM, "out of memory");
  if (r < 0)
    return r;
  if (options->resources != NULL && count > 0)
    return tare_error_set (error, TARE_ERROR_USAGE, -EINVAL,
                           "option '--resources': other limits were given beside it");
  if (options->resources == NULL && count == 0)
    return tare_error_set (error, TARE_ERROR_USAGE, -EINVAL, "update: no limit is given");
  return 0;
}

static int
run_update (struct cli *cli, const void *values, char **arguments, size_t count,
            struct tare_error *error)
{
  const struct update_options *options = values;
  struct cli_file file = { NULL, NULL, 0 };
  (void) count;
  int r = make_resources (options, &file, error);
  if (r >= 0 && options->resources != NULL)
    {
      free (file.bytes);
      file.bytes = NULL;
      r = cli_read_file ("resources", options->resources, &file, error);
    }
  if (r >= 0)
    {
      struct tare_update_options update = TARE_UPDATE_OPTIONS_INIT;
      update.resources = file.bytes;
      update.resources_length = file.length;
      update.resources_name = file.name;
      r = tare_update (cli->context, arguments[0], &update, error);
    }
  free (file.bytes);
  return r;
}

#define OPTION(name, letter, argument, member, help)                                               \
  {                                                                                                \
    name, letter, CLI_TEXT, argument, offsetof (struct update_options, member), help               \
  }

static const struct cli_option options[] = {
  OPTION ("resources", 'r', "FILE", resources,
          "a linux.resources object (\"-\": standard input); instead of all others"),
  OPTION ("blkio-weight", 0, "N", blkio_weight, "relative weight of block I/O, 10 to 1000"),
  OPTION ("cpu-period", 0, "USEC", cpu_period, "period of the CPU quota"),
  OPTION ("cpu-quota", 0, "USEC", cpu_quota, "CPU time in each period; -1: no limit"),
  OPTION ("cpu-burst", 0, "USEC", cpu_burst, "unused CPU time that may be saved up"),
  OPTION ("cpu-share", 0, "N", cpu_share, "relative weight of CPU time, 2 to 262144"),
  OPTION ("cpu-idle", 0, "0|1", cpu_idle, "1: CPU time that nobody else wants"),
  OPTION ("cpu-rt-period", 0, "USEC", cpu_rt_period, "period of the realtime limit (v1)"),
  OPTION ("cpu-rt-runtime", 0, "USEC", cpu_rt_runtime, "realtime CPU time in each period (v1)"),
  OPTION ("cpuset-cpus", 0, "LIST", cpuset_cpus, "CPUs to run on"),
  OPTION ("cpuset-mems", 0, "LIST", cpuset_mems, "memory nodes to use"),
  OPTION ("memory", 0, "SIZE", memory, "memory limit; -1: none"),
  OPTION ("memory-reservation", 0, "SIZE", memory_reservation, "soft memory limit"),
  OPTION ("memory-swap", 0, "SIZE", memory_swap, "limit of memory and swap together; -1: none"),
  OPTION ("kernel-memory", 0, "SIZE", kernel_memory, "kernel memory limit (older kernels, v1)"),
  OPTION ("kernel-memory-tcp", 0, "SIZE", kernel_memory_tcp, "limit of TCP buffers (v1)"),
  OPTION ("pids-limit", 0, "N", pids_limit, "number of processes; -1: no limit"),
  { 0 },
};

const struct cli_command cli_update = {
  .name = "update",
  .synopsis = "ID",
  .summary = "change the limits of a container",
  .options = options,
  .options_size = sizeof (struct update_options),
  .min = 1,
  .max = 1,
  .run = run_update,
};
