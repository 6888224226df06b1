/* Limits, device rules and annotations as properties of a unit, systemd.resource-control(5). Pure.
 *
 * Owns the table of files that systemd knows by a property, and the list of properties that a
 * container's config may set.
 */
#define _GNU_SOURCE
#include "cgroup/systemd.h"

#include <inttypes.h>
#include <stdio.h>

void
put_property (struct buf *buf, const char *name, const char *signature, size_t count,
              const char *const *values)
{
  char number[24];
  (void) snprintf (number, sizeof number, "%zu", count);
  buf_append (buf, name, strlen (name) + 1);
  buf_append (buf, signature, strlen (signature) + 1);
  buf_append (buf, number, strlen (number) + 1);
  for (size_t i = 0; i < count; i++)
    buf_append (buf, values[i], strlen (values[i]) + 1);
}

static void
put_one (struct buf *buf, const char *name, const char *signature, const char *value)
{
  put_property (buf, name, signature, 1, &value);
}

static void
put_u64 (struct buf *buf, const char *name, uint64_t value)
{
  char text[24];
  (void) snprintf (text, sizeof text, "%" PRIu64, value);
  put_one (buf, name, "t", text);
}

/* ---- limits ---------------------------------------------------------------------------------- */

/* A number, or "max", or v1's -1 for the same. */
static bool
read_number (const char *text, uint64_t *ret_number)
{
  *ret_number = UINT64_MAX;
  return str_equal (text, "max") || str_equal (text, "-1")
         || parse_u64 (text, UINT64_MAX, ret_number) >= 0;
}

static void
put_number (struct buf *buf, const char *name, const char *value)
{
  uint64_t number;
  if (read_number (value, &number))
    put_u64 (buf, name, number);
}

/* systemd takes no limit of 0: the file has it, and a reload makes it 1 at worst. */
static void
put_tasks (struct buf *buf, const char *name, const char *value)
{
  uint64_t number;
  if (read_number (value, &number))
    put_u64 (buf, name, number == 0 ? 1 : number);
}

static bool
read_digits (const char **text, unsigned *ret_number)
{
  char digits[8];
  uint64_t number;
  size_t length = strspn (*text, "0123456789");
  (void) snprintf (digits, sizeof digits, "%.*s", (int) length, *text);
  if (length >= sizeof digits || parse_u64 (digits, UINT32_MAX, &number) < 0)
    return false;
  *text += length;
  *ret_number = (unsigned) number;
  return true;
}

/* "0-3,7" as a mask of bits, the lowest first; an empty line is none: all that the parent has. */
static void
put_set (struct buf *buf, const char *name, const char *value)
{
  enum
  {
    MAX_BITS = 8192,
  };
  uint8_t mask[MAX_BITS / 8] = { 0 };
  unsigned highest = 0;
  if (str_equal (value, "\n"))
    {
      put_one (buf, name, "ay", "");
      return;
    }
  while (*value != '\0')
    {
      unsigned first, last;
      if (!read_digits (&value, &first))
        return;
      last = first;
      if (*value == '-' && (value++, !read_digits (&value, &last)))
        return;
      if (last >= MAX_BITS || first > last || (*value != ',' && *value != '\0'))
        return;
      for (unsigned i = first; i <= last; i++)
        mask[i / 8] |= (uint8_t) (1U << i % 8);
      highest = last > highest ? last : highest;
      value += *value == ',';
    }
  char text[2 * sizeof mask + 1];
  for (unsigned i = 0; i <= highest / 8; i++)
    (void) snprintf (text + 2 * i, 3, "%02x", mask[i]);
  put_one (buf, name, "ay", text);
}

/* "max 100000", "50000 100000", "50000": what is used of a second, and how often it is judged. */
static void
put_cpu_max (struct buf *buf, const char *name, const char *value)
{
  char quota_text[24];
  uint64_t quota, period = 100000;
  const char *space = strchr (value, ' ');
  int length = space != NULL ? (int) (space - value) : (int) strlen (value);
  (void) snprintf (quota_text, sizeof quota_text, "%.*s", length, value);
  if (!read_number (quota_text, &quota)
      || (space != NULL && parse_u64 (space + 1, UINT64_MAX, &period) < 0) || period == 0)
    return;
  /* In steps of 10 ms, upwards: finer is not taken. */
  uint64_t second = 1000000, step = 10000;
  if (quota != UINT64_MAX && quota <= UINT64_MAX / second)
    quota = (quota * second / period + step - 1) / step * step;
  put_u64 (buf, name, quota);
  put_u64 (buf, "?CPUQuotaPeriodUSec", period);
}

/* systemd's word for it is the weight 0; "0" changes nothing that the weight would not. */
static void
put_idle (struct buf *buf, const char *name, const char *value)
{
  if (str_equal (value, "1"))
    put_u64 (buf, name, 0);
}

/* rate: "rbps=max", cut from a line. A list of one, which adds to what is there. */
static void
put_throttle (struct buf *buf, const char *device, const char *rate)
{
  static const struct
  {
    const char *key, *name;
  } names[] = {
    { "rbps=", "IOReadBandwidthMax" },
    { "wbps=", "IOWriteBandwidthMax" },
    { "riops=", "IOReadIOPSMax" },
    { "wiops=", "IOWriteIOPSMax" },
  };
  for (size_t i = 0; i < COUNT_OF (names); i++)
    {
      const char *text = str_after (rate, names[i].key);
      uint64_t number;
      char value[24];
      if (text == NULL || !read_number (text, &number))
        continue;
      (void) snprintf (value, sizeof value, "%" PRIu64, number);
      put_property (buf, names[i].name, "a(st)", 2, (const char *const[]){ device, value });
    }
}

/* "8:0 rbps=max", or all that the file has of a device: "8:0 rbps=max wbps=max". */
static void
put_io_max (struct buf *buf, const char *name, const char *value)
{
  char device[64], rate[48];
  const char *space = strchr (value, ' ');
  (void) name;
  if (space == NULL || space - value > 40)
    return;
  (void) snprintf (device, sizeof device, "/dev/block/%.*s", (int) (space - value), value);
  for (const char *at = space; *at == ' '; at += strcspn (at, " "))
    {
      at++;
      (void) snprintf (rate, sizeof rate, "%.*s", (int) strcspn (at, " "), at);
      put_throttle (buf, device, rate);
    }
}

/* "200" or "default 200"; "8:0 200" is for one device. */
static void
put_io_weight (struct buf *buf, const char *name, const char *value)
{
  const char *all = str_after (value, "default ");
  const char *space = strchr (value, ' ');
  if (all != NULL || space == NULL)
    {
      put_number (buf, name, all != NULL ? all : value);
      return;
    }
  char device[64];
  (void) snprintf (device, sizeof device, "/dev/block/%.*s", (int) (space - value), value);
  put_property (buf, "IODeviceWeight", "a(st)", 2, (const char *const[]){ device, space + 1 });
}

/* "?": not known to every systemd. */
static const struct
{
  const char *file, *property;
  void (*put) (struct buf *buf, const char *name, const char *value);
} files[] = {
  { "memory.max", "MemoryMax", put_number },
  { "memory.limit_in_bytes", "MemoryMax", put_number },
  { "memory.high", "MemoryHigh", put_number },
  { "memory.low", "MemoryLow", put_number },
  { "memory.min", "MemoryMin", put_number },
  { "memory.swap.max", "MemorySwapMax", put_number },
  { "memory.zswap.max", "?MemoryZSwapMax", put_number },
  { "cpu.weight", "CPUWeight", put_number },
  { "cpu.shares", "CPUShares", put_number },
  { "cpu.idle", "?CPUWeight", put_idle },
  { "cpu.max", "CPUQuotaPerSecUSec", put_cpu_max },
  { "pids.max", "TasksMax", put_tasks },
  { "cpuset.cpus", "?AllowedCPUs", put_set },
  { "cpuset.mems", "?AllowedMemoryNodes", put_set },
  { "io.weight", "IOWeight", put_io_weight },
  { "io.max", "", put_io_max },
  { "blkio.weight", "BlockIOWeight", put_number },
};

int
put_settings (struct buf *buf, const struct cgroup_settings *settings)
{
  for (size_t i = 0; i < settings->count; i++)
    for (size_t j = 0; j < COUNT_OF (files); j++)
      if (str_equal (settings->items[i].file, files[j].file)
          && (settings->items[i].flags & SETTING_CHECK) == 0)
        files[j].put (buf, files[j].property, settings->items[i].value);
  return buf->failed ? -ENOMEM : 0;
}

/* ---- devices --------------------------------------------------------------------------------- */

static void
print_access (uint8_t access, char text[static 4])
{
  size_t n = 0;
  if (access & BPF_DEVCG_ACC_READ)
    text[n++] = 'r';
  if (access & BPF_DEVCG_ACC_WRITE)
    text[n++] = 'w';
  if (access & BPF_DEVCG_ACC_MKNOD)
    text[n++] = 'm';
  text[n] = '\0';
}

/* All of one kind, or one device. All of a major number it takes only by the driver's name: that
 * is left to our own filter, and so are the rules as a whole. */
static bool
print_device (const struct device_rule *rule, char *text, size_t size)
{
  const char *kind = rule->type == 'b' ? "block" : "char";
  if (rule->type == 'a')
    return false;
  if (rule->major == DEVICE_ANY && rule->minor == DEVICE_ANY)
    (void) snprintf (text, size, "%s-*", kind);
  else if (rule->major != DEVICE_ANY && rule->minor != DEVICE_ANY)
    (void) snprintf (text, size, "/dev/%s/%" PRId64 ":%" PRId64, kind, rule->major, rule->minor);
  else if (rule->type == 'c' && rule->major == 136)
    (void) snprintf (text, size, "char-pts");
  else
    return false;
  return true;
}

int
put_devices (struct buf *buf, const struct device_rule *rules, size_t count)
{
  enum
  {
    MOST = 256,
  };
  static const char *const none[1] = { NULL };
  char devices[MOST][64], accesses[MOST][4];
  const char *values[2 * MOST];
  size_t n = 0;
  if (count == 0 || count > MOST || rules[0].allow || !device_rule_is_all (&rules[0]))
    return 0;
  for (size_t i = 1; i < count; i++, n++)
    {
      if (!rules[i].allow || !print_device (&rules[i], devices[n], sizeof devices[n]))
        return 0;
      print_access (rules[i].access, accesses[n]);
      values[2 * n] = devices[n];
      values[2 * n + 1] = accesses[n];
    }
  put_one (buf, "DevicePolicy", "s", "strict");
  put_property (buf, "DeviceAllow", "a(ss)", 0, none); /* takes back what was there */
  put_property (buf, "DeviceAllow", "a(ss)", 2 * n, values);
  return buf->failed ? -ENOMEM : 0;
}

/* ---- annotations ----------------------------------------------------------------------------- */

/* Not here, and refused: what starts or stops another unit or the machine (Wants, OnFailure,
 * FailureAction, ...), runs a program (Exec*), or takes the scope out of our hands (Slice, PIDs,
 * Delegate, ...). */
static const struct
{
  const char *name, *signature;
} allowed[] = {
  { "After", "as" },
  { "Before", "as" },
  { "BlockIOAccounting", "b" },
  { "CPUAccounting", "b" },
  { "CPUQuotaPerSecUSec", "t" },
  { "CPUQuotaPeriodUSec", "t" },
  { "CPUWeight", "t" },
  { "CollectMode", "s" },
  { "Documentation", "as" },
  { "FinalKillSignal", "i" },
  { "IOAccounting", "b" },
  { "IOWeight", "t" },
  { "IPAccounting", "b" },
  { "KillMode", "s" },
  { "KillSignal", "i" },
  { "ManagedOOMMemoryPressure", "s" },
  { "ManagedOOMMemoryPressureLimit", "u" },
  { "ManagedOOMPreference", "s" },
  { "ManagedOOMSwap", "s" },
  { "MemoryAccounting", "b" },
  { "MemoryHigh", "t" },
  { "MemoryLow", "t" },
  { "MemoryMax", "t" },
  { "MemoryMin", "t" },
  { "MemorySwapMax", "t" },
  { "OOMPolicy", "s" },
  { "RuntimeMaxUSec", "t" },
  { "SendSIGHUP", "b" },
  { "SendSIGKILL", "b" },
  { "StartupCPUWeight", "t" },
  { "StartupIOWeight", "t" },
  { "TasksAccounting", "b" },
  { "TasksMax", "t" },
  { "TimeoutStopUSec", "t" },
};

static const char prefix[] = "org.systemd.property.";

static int
bad_annotation (struct tare_error *error, const char *name, const char *why)
{
  return fail_kind (error, TARE_ERROR_CONFIG, -EINVAL, "annotations[\"%s%s\"]: %s", prefix, name,
                    why);
}

/* "FooSec" is "FooUSec" in other units. Not CPUQuotaPerSecUSec, which is one. */
static bool
real_name (const char *name, char *out, size_t size)
{
  size_t length = strlen (name);
  bool seconds = length > 3 && str_equal (name + length - 3, "Sec")
                 && !(length > 4 && str_equal (name + length - 4, "USec"));
  if (seconds)
    (void) snprintf (out, size, "%.*sUSec", (int) length - 3, name);
  else
    (void) snprintf (out, size, "%s", name);
  return seconds;
}

/* GVariant's text, as far as these properties need it: true, 5, uint64 5, 'text', ['a', 'b']. */
static const char *
skip_type (const char *text)
{
  static const char *const types[] = { "uint64 ", "int64 ", "uint32 ", "int32 " };
  for (size_t i = 0; i < COUNT_OF (types); i++)
    if (str_after (text, types[i]) != NULL)
      return str_after (text, types[i]);
  return text;
}

/* At a quote. The text to out; what follows it is returned, or NULL. */
static const char *
read_quoted (const char *text, struct buf *out)
{
  char quote = *text++;
  if (quote != '\'' && quote != '"')
    return NULL;
  buf_text (out, "");
  for (; *text != '\0' && *text != quote; text++)
    {
      if (*text == '\\' && text[1] != '\0')
        text++;
      buf_append (out, text, 1);
    }
  return *text == quote && !out->failed ? text + 1 : NULL;
}

static bool
put_string (struct buf *buf, const char *name, const char *text)
{
  auto_ (buf)
  struct buf value = { 0 };
  const char *end = read_quoted (text, &value);
  if (end == NULL || *end != '\0')
    return false;
  put_one (buf, name, "s", value.bytes);
  return true;
}

static bool
put_strings (struct buf *buf, const char *name, const char *text)
{
  enum
  {
    MOST = 16,
  };
  struct buf values[MOST] = { 0 };
  const char *list[MOST];
  size_t n = 0;
  bool good = *text++ == '[';
  while (good && *text != ']' && n < MOST)
    {
      text += strspn (text, " ");
      text = read_quoted (text, &values[n]);
      good = text != NULL;
      if (!good)
        break;
      list[n] = values[n].bytes;
      n++;
      text += strspn (text, " ");
      text += *text == ',';
    }
  good = good && *text == ']' && text[1] == '\0';
  if (good)
    put_property (buf, name, "as", n, list);
  for (size_t i = 0; i < MOST; i++)
    buf_done (&values[i]);
  return good;
}

static bool
put_annotation_number (struct buf *buf, const char *name, const char *signature, const char *text,
                       bool seconds)
{
  char value[32];
  uint64_t number, most = *signature == 't'   ? UINT64_MAX
                          : *signature == 'u' ? UINT32_MAX
                                              : INT32_MAX;
  if (parse_u64 (skip_type (text), seconds ? UINT64_MAX / 1000000 : most, &number) < 0)
    return false;
  (void) snprintf (value, sizeof value, "%" PRIu64, seconds ? number * 1000000 : number);
  put_one (buf, name, signature, value);
  return true;
}

static bool
put_annotation_value (struct buf *buf, const char *name, const char *signature, const char *text,
                      bool seconds)
{
  bool yes = str_equal (text, "true");
  switch (*signature)
    {
    case 's':
      return put_string (buf, name, text);
    case 'a':
      return put_strings (buf, name, text);
    case 'b':
      if (yes || str_equal (text, "false"))
        put_one (buf, name, "b", yes ? "1" : "0");
      return yes || str_equal (text, "false");
    default:
      return put_annotation_number (buf, name, signature, text, seconds);
    }
}

static int
put_annotation (struct buf *buf, const char *given, const char *value, struct tare_error *error)
{
  char name[64], optional[66];
  bool seconds = real_name (given, name, sizeof name);
  for (size_t i = 0; i < COUNT_OF (allowed); i++)
    if (str_equal (allowed[i].name, name))
      {
        (void) snprintf (optional, sizeof optional, "%s", name);
        if (!put_annotation_value (buf, optional, allowed[i].signature, value, seconds))
          return bad_annotation (error, given, "its value is not of the property's type");
        return buf->failed ? fail (error, ENOMEM, "annotations") : 0;
      }
  return bad_annotation (error, given,
                         "not a property that a container may set: what it may are limits, "
                         "accounting, order and ways of being stopped");
}

int
put_annotations (struct buf *buf, const struct oci_pair *annotations, size_t count,
                 struct tare_error *error)
{
  int r = 0;
  for (size_t i = 0; r >= 0 && i < count; i++)
    {
      const char *name = str_after (annotations[i].key, prefix);
      if (name != NULL)
        r = put_annotation (buf, name, annotations[i].value, error);
    }
  return r;
}
