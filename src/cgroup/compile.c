/* linux.resources to an ordered list of {controller, file, value} (config-linux.md "Control
 * groups"). Pure: no system call, no look at the group. What depends on the machine comes in as
 * facts: which controllers are where.
 *
 * Owns the table of properties with a column for each version, and the rules for what a layout
 * cannot express. Zero and unset do not touch an absent controller: managers send both.
 */
#define _GNU_SOURCE
#include "cgroup/compile.h"

#include <inttypes.h>
#include <stdio.h>

/* ---- reading a property by its name -----------------------------------------------------------
 */

struct value
{
  bool minus; /* the magnitude is not kept: every negative number means "no limit" */
  uint64_t n;
  const char *text; /* of a string property */
};

static struct value
load_integer (const struct oci_field *field, const char *at)
{
  uint64_t n = 0;
  memcpy (&n, at, field->size); /* little or big endian: see the shift */
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
  n >>= 64 - 8 * field->size;
#endif
  bool minus = field->is_signed && (n >> (8 * field->size - 1)) != 0;
  return (struct value){ .minus = minus, .n = minus ? 0 : n };
}

/* "memory.limit": by the tables of libocispec, so that name and member cannot disagree. */
static bool
get (const struct oci_resources *resources, const char *name, struct value *ret_value)
{
  size_t dot = strcspn (name, ".");
  const struct oci_field *group = oci_find (&oci_resources_table, name, dot);
  const struct oci_field *field =
      group != NULL ? oci_find (group->table, name + dot + 1, strlen (name + dot + 1)) : NULL;
  const char *object;
  if (field == NULL)
    return false;
  memcpy (&object, (const char *) resources + group->offset, sizeof object);
  if (object == NULL)
    return false;
  if (field->kind == OCI_KIND_STRING)
    {
      *ret_value = (struct value){ 0 };
      memcpy (&ret_value->text, object + field->offset, sizeof ret_value->text);
      return ret_value->text != NULL && *ret_value->text != '\0';
    }
  if (!*(const bool *) (object + field->beside))
    return false;
  *ret_value = load_integer (field, object + field->offset);
  return true;
}

static struct value
get_or_zero (const struct oci_resources *resources, const char *name)
{
  struct value value = { 0 };
  (void) get (resources, name, &value);
  return value;
}

static bool
is_zero (struct value value)
{
  return !value.minus && value.n == 0 && value.text == NULL;
}

/* ---- conversions ----------------------------------------------------------------------------- */

struct text
{
  char bytes[64];
  uint16_t flags; /* in addition to the row's */
};

static void
put_number (struct text *out, uint64_t n)
{
  (void) snprintf (out->bytes, sizeof out->bytes, "%" PRIu64, n);
}

static void
put_word (struct text *out, const char *word)
{
  (void) snprintf (out->bytes, sizeof out->bytes, "%s", word);
}

/* 1: write it, 0: there is nothing to write, or -errno. */
typedef int convert_function (const struct compiler *c, struct value value, struct text *out);

static int
to_number (const struct compiler *c, struct value value, struct text *out)
{
  (void) c;
  if (value.minus)
    put_word (out, "-1");
  else
    put_number (out, value.n);
  return 1;
}

static int
to_max (const struct compiler *c, struct value value, struct text *out)
{
  if (!value.minus)
    return to_number (c, value, out);
  put_word (out, "max");
  return 1;
}

static int
to_usage_check (const struct compiler *c, struct value value, struct text *out)
{
  bool wanted = get_or_zero (c->resources, "memory.checkBeforeUpdate").n != 0;
  return wanted && !value.minus ? to_number (c, value, out) : 0;
}

/* memory.swap is memory and swap together, with v1 and in the spec. */
static int
check_swap (const struct compiler *c, struct value swap)
{
  struct value limit = get_or_zero (c->resources, "memory.limit");
  if (swap.minus || limit.minus || limit.n == 0 || swap.n >= limit.n)
    return 0;
  return fail_kind (c->error, TARE_ERROR_CONFIG, -EINVAL,
                    "linux.resources.memory.swap: %" PRIu64
                    " is memory and swap together, and less than memory.limit (%" PRIu64 ")",
                    swap.n, limit.n);
}

static int
to_memsw (const struct compiler *c, struct value swap, struct text *out)
{
  int r = check_swap (c, swap);
  out->flags = swap.minus ? SETTING_OPTIONAL | SETTING_QUIET : 0; /* no swap accounting */
  return r < 0 ? r : to_number (c, swap, out);
}

static int
to_swap_max (const struct compiler *c, struct value swap, struct text *out)
{
  struct value limit = get_or_zero (c->resources, "memory.limit");
  int r = check_swap (c, swap);
  if (r < 0)
    return r;
  if (!swap.minus && (limit.minus || limit.n == 0))
    return fail_kind (c->error, TARE_ERROR_CONFIG, -EINVAL,
                      "linux.resources.memory.swap: needs memory.limit");
  /* Without swap there is no file, and nothing that these two would change. */
  if (swap.minus || swap.n == limit.n)
    out->flags = SETTING_OPTIONAL | SETTING_QUIET;
  swap.n -= swap.minus ? 0 : limit.n;
  return to_max (c, swap, out);
}

/* An unlimited limit with swap unset means both: the kernel would refuse, or keep, the old one. */
static int
to_unlimited (const struct compiler *c, struct value limit, struct text *out, const char *word)
{
  if (!limit.minus || !is_zero (get_or_zero (c->resources, "memory.swap")))
    return 0;
  out->flags = SETTING_OPTIONAL | SETTING_QUIET;
  put_word (out, word);
  return 1;
}

static int
to_unlimited_memsw (const struct compiler *c, struct value limit, struct text *out)
{
  return to_unlimited (c, limit, out, "-1");
}

static int
to_unlimited_swap (const struct compiler *c, struct value limit, struct text *out)
{
  return to_unlimited (c, limit, out, "max");
}

/* An idle group has no weight: the kernel refuses one. */
static int
to_shares (const struct compiler *c, struct value shares, struct text *out)
{
  return get_or_zero (c->resources, "cpu.idle").n == 1 ? 0 : to_number (c, shares, out);
}

static int
to_weight (const struct compiler *c, struct value shares, struct text *out)
{
  shares.n = cpu_shares_to_weight (shares.n);
  return to_shares (c, shares, out);
}

/* Without a period of ours the kernel keeps its own, 100000 at first. */
static int
to_cpu_max (const struct compiler *c, struct value quota, struct text *out)
{
  struct value period = get_or_zero (c->resources, "cpu.period");
  (void) to_max (c, quota, out);
  if (period.n != 0)
    {
      size_t length = strlen (out->bytes);
      (void) snprintf (out->bytes + length, sizeof out->bytes - length, " %" PRIu64, period.n);
    }
  return 1;
}

static int
to_cpu_max_period (const struct compiler *c, struct value period, struct text *out)
{
  (void) period;
  if (!is_zero (get_or_zero (c->resources, "cpu.quota")))
    return 0; /* written with it */
  return to_cpu_max (c, (struct value){ .minus = true }, out);
}

static int
to_burst (const struct compiler *c, struct value burst, struct text *out)
{
  out->flags = burst.n == 0 ? SETTING_OPTIONAL | SETTING_QUIET : 0;
  return to_number (c, burst, out);
}

static int
to_false_quietly (const struct compiler *c, struct value value, struct text *out)
{
  out->flags = value.n == 0 ? SETTING_OPTIONAL | SETTING_QUIET : 0;
  return to_number (c, value, out);
}

static int
to_io_weight (const struct compiler *c, struct value weight, struct text *out)
{
  weight.n = io_weight_v2 (weight.n);
  return to_number (c, weight, out);
}

/* Since Linux 5.11 v1 is hierarchical as v2 is, and nothing else. */
static int
to_hierarchy (const struct compiler *c, struct value value, struct text *out)
{
  (void) out;
  if (value.n == 0)
    add_warning (c, "memory.useHierarchy", "accounting is always hierarchical");
  return 0;
}

/* ---- the table ------------------------------------------------------------------------------- */

struct place
{
  const char *controller, *file;
  convert_function *convert;
  uint16_t flags;
};

/* clang-format off */
#define V1(c, f, how, bits) .v1 = { .controller = c, .file = f, .convert = how, .flags = bits }
#define V2(c, f, how, bits) .v2 = { .controller = c, .file = f, .convert = how, .flags = bits }

static const struct property
{
  const char *name;
  struct place v1, v2;
  uint64_t neutral; /* what the kernel does anyway: no reason to miss the controller */
  enum otherwise otherwise;
  bool zero_counts;
} properties[] = {
  { .name = "cpu.cpus",
    V1 ("cpuset", "cpuset.cpus", NULL, 0),
    V2 ("cpuset", "cpuset.cpus", NULL, 0) },
  { .name = "cpu.mems",
    V1 ("cpuset", "cpuset.mems", NULL, 0),
    V2 ("cpuset", "cpuset.mems", NULL, 0) },

  { .name = "memory.limit", .otherwise = HIDDEN,
    V2 ("memory", "memory.current", to_usage_check, SETTING_CHECK) },
  { .name = "memory.limit",
    V1 ("memory", "memory.limit_in_bytes", to_number, SETTING_RETRY),
    V2 ("memory", "memory.max", to_max, 0) },
  { .name = "memory.limit", .otherwise = HIDDEN,
    V1 ("memory", "memory.memsw.limit_in_bytes", to_unlimited_memsw, SETTING_RETRY),
    V2 ("memory", "memory.swap.max", to_unlimited_swap, 0) },
  { .name = "memory.swap",
    V1 ("memory", "memory.memsw.limit_in_bytes", to_memsw, SETTING_RETRY),
    V2 ("memory", "memory.swap.max", to_swap_max, 0) },
  { .name = "memory.reservation",
    V1 ("memory", "memory.soft_limit_in_bytes", to_number, 0),
    V2 ("memory", "memory.low", to_max, 0) },
  { .name = "memory.kernel",
    V1 ("memory", "memory.kmem.limit_in_bytes", to_number, SETTING_OPTIONAL) },
  { .name = "memory.kernelTCP",
    V1 ("memory", "memory.kmem.tcp.limit_in_bytes", to_number, SETTING_OPTIONAL) },
  { .name = "memory.swappiness", .zero_counts = true, .neutral = 60,
    V1 ("memory", "memory.swappiness", to_number, 0) },
  { .name = "memory.disableOOMKiller", .zero_counts = true,
    V1 ("memory", "memory.oom_control", to_false_quietly, 0) },
  { .name = "memory.useHierarchy", .zero_counts = true, .neutral = 1,
    V1 ("memory", "memory.use_hierarchy", to_hierarchy, 0),
    V2 ("memory", "memory.use_hierarchy", to_hierarchy, 0) },

  { .name = "cpu.idle", .zero_counts = true,
    V1 ("cpu", "cpu.idle", to_false_quietly, 0),
    V2 ("cpu", "cpu.idle", to_false_quietly, 0) },
  { .name = "cpu.shares", .neutral = 1024,
    V1 ("cpu", "cpu.shares", to_shares, 0),
    V2 ("cpu", "cpu.weight", to_weight, 0) },
  { .name = "cpu.period", .neutral = 100000,
    V1 ("cpu", "cpu.cfs_period_us", to_number, SETTING_RETRY),
    V2 ("cpu", "cpu.max", to_cpu_max_period, SETTING_RETRY) },
  { .name = "cpu.quota",
    V1 ("cpu", "cpu.cfs_quota_us", to_number, SETTING_RETRY),
    V2 ("cpu", "cpu.max", to_cpu_max, SETTING_RETRY) },
  { .name = "cpu.burst", .zero_counts = true,
    V1 ("cpu", "cpu.cfs_burst_us", to_burst, SETTING_RETRY),
    V2 ("cpu", "cpu.max.burst", to_burst, SETTING_RETRY) },
  { .name = "cpu.realtimePeriod", .otherwise = REFUSE,
    V1 ("cpu", "cpu.rt_period_us", to_number, SETTING_RETRY) },
  { .name = "cpu.realtimeRuntime", .otherwise = REFUSE,
    V1 ("cpu", "cpu.rt_runtime_us", to_number, SETTING_RETRY) },

  { .name = "pids.limit", .zero_counts = true,
    V1 ("pids", "pids.max", to_max, 0),
    V2 ("pids", "pids.max", to_max, 0) },

  { .name = "blockIO.weight",
    V1 ("blkio", "blkio.weight", to_number, SETTING_ELSE),
    V2 ("io", "io.bfq.weight", to_number, SETTING_ELSE) },
  { .name = "blockIO.weight",
    V1 ("blkio", "blkio.bfq.weight", to_number, 0),
    V2 ("io", "io.weight", to_io_weight, 0) },
  { .name = "blockIO.leafWeight",
    V1 ("blkio", "blkio.leaf_weight", to_number, SETTING_OPTIONAL) },

  { .name = "network.classID", .otherwise = REFUSE,
    V1 ("net_cls", "net_cls.classid", to_number, 0) },
};
/* clang-format on */

/* ---- compiling ------------------------------------------------------------------------------- */

static bool
is_neutral (const struct property *p, struct value value)
{
  return value.text == NULL && (value.minus || value.n == 0 || value.n == p->neutral);
}

static int
compile_property (const struct compiler *c, const struct property *p)
{
  struct value value;
  if (!get (c->resources, p->name, &value) || (is_zero (value) && !p->zero_counts))
    return 0;
  enum version version = find_version (c, p->v1.controller, p->v2.controller);
  if (version == VERSION_NONE && is_neutral (p, value))
    return 0;
  if (version == VERSION_NONE)
    return miss_controller (c, p->name, p->v1.controller, p->v2.controller, p->otherwise);
  const struct place *place = version == VERSION_1 ? &p->v1 : &p->v2;
  struct text text = { .flags = 0 };
  int r = value.text != NULL ? 1 : place->convert (c, value, &text);
  if (r <= 0)
    return r;
  return add_setting (c, (struct cgroup_setting){
                             .controller = place->controller,
                             .file = place->file,
                             .value = value.text != NULL ? value.text : text.bytes,
                             .property = p->name,
                             .flags = place->flags | text.flags,
                             .v2 = version == VERSION_2,
                         });
}

bool
compile_zero_counts (const char *property)
{
  for (size_t i = 0; i < COUNT_OF (properties); i++)
    if (str_equal (properties[i].name, property))
      return properties[i].zero_counts;
  return false;
}

int
cgroup_compile (const struct cgroup_facts *facts, const struct oci_resources *resources,
                struct cgroup_settings *ret_settings, struct tare_error *error)
{
  auto_ (cgroup_settings)
  struct cgroup_settings settings = { 0 };
  const struct compiler c = {
    .facts = facts, .resources = resources, .settings = &settings, .error = error
  };
  int r = 0;
  for (size_t i = 0; r >= 0 && i < COUNT_OF (properties); i++)
    r = compile_property (&c, &properties[i]);
  if (r >= 0)
    r = compile_lists (&c);
  if (r < 0)
    return r;
  *ret_settings = settings;
  settings = (struct cgroup_settings){ 0 };
  return 0;
}
