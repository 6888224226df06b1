/* Device rules: how they are read, and that the program compiled from them decides as the rules
 * say. The program is run by a small interpreter and held against a few plain lines of C. */
#define _GNU_SOURCE
#include "cgroup/device_filter.h"

#include "tests/unit/tap.h"

/* ---- the oracle ------------------------------------------------------------------------------ */

static bool
matches (const struct device_rule *rule, char type, uint32_t major, uint32_t minor, uint8_t bit)
{
  return (rule->type == 'a' || rule->type == type)
         && (rule->major == DEVICE_ANY || rule->major == (int64_t) major)
         && (rule->minor == DEVICE_ANY || rule->minor == (int64_t) minor)
         && (rule->access & bit) != 0;
}

/* For each access bit the last rule that matches; all bits must be allowed. */
static bool
oracle (const struct device_rule *rules, size_t count, char type, uint32_t major, uint32_t minor,
        uint8_t access)
{
  for (uint8_t bit = 1; bit <= 4; bit <<= 1)
    {
      bool allowed = false;
      for (size_t i = 0; i < count; i++)
        if (matches (&rules[i], type, major, minor, bit))
          allowed = rules[i].allow;
      if ((access & bit) != 0 && !allowed)
        return false;
    }
  return true;
}

/* ---- the interpreter ------------------------------------------------------------------------- */

/* What the filter uses of BPF, by the kernel's instruction-set document. -1: a fault. */
static int
interpret (const struct device_filter *filter, const struct bpf_cgroup_dev_ctx *context,
           size_t *ret_steps)
{
  uint64_t r[11] = { 0 };
  bool known[11] = { [BPF_REG_1] = true };
  size_t at = 0;
  for (size_t steps = 1; at < filter->count; steps++)
    {
      const struct bpf_insn *i = &filter->instructions[at++];
      unsigned d = i->dst_reg, s = i->src_reg;
      uint32_t operand = BPF_SRC (i->code) == BPF_X ? (uint32_t) r[s] : (uint32_t) i->imm;
      bool jump = false;
      if (d > 9 || s > 9 || steps > filter->count)
        return -1;
      switch (BPF_CLASS (i->code))
        {
        case BPF_LDX:
          if (i->code != (BPF_LDX | BPF_MEM | BPF_W) || s != BPF_REG_1 || i->off < 0
              || (size_t) i->off + 4 > sizeof *context || i->off % 4 != 0)
            return -1;
          r[d] = *(const uint32_t *) ((const char *) context + i->off);
          known[d] = true;
          break;
        case BPF_ALU:
          if (BPF_SRC (i->code) == BPF_X && !known[s])
            return -1;
          if (BPF_OP (i->code) != BPF_MOV && !known[d])
            return -1;
          if (BPF_OP (i->code) == BPF_MOV)
            r[d] = operand;
          else if (BPF_OP (i->code) == BPF_AND)
            r[d] = (uint32_t) r[d] & operand;
          else if (BPF_OP (i->code) == BPF_RSH)
            r[d] = (uint32_t) r[d] >> operand;
          else
            return -1;
          known[d] = true;
          break;
        case BPF_JMP32:
          if (!known[d] || (BPF_OP (i->code) != BPF_JNE && BPF_OP (i->code) != BPF_JEQ))
            return -1;
          jump = ((uint32_t) r[d] == operand) == (BPF_OP (i->code) == BPF_JEQ);
          if (i->off < 0)
            return -1;
          at += jump ? (size_t) i->off : 0;
          break;
        case BPF_JMP:
          if (i->code != (BPF_JMP | BPF_EXIT) || !known[BPF_REG_0] || r[0] > 1)
            return -1;
          *ret_steps = steps > *ret_steps ? steps : *ret_steps;
          return (int) r[0];
        default:
          return -1;
        }
    }
  return -1; /* ran off the end */
}

static int
run (const struct device_filter *filter, char type, uint32_t major, uint32_t minor, uint8_t access,
     size_t *ret_steps)
{
  uint32_t kind = type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR;
  const struct bpf_cgroup_dev_ctx context = { .access_type = (uint32_t) access << 16 | kind,
                                              .major = major,
                                              .minor = minor };
  return interpret (filter, &context, ret_steps);
}

/* ---- comparison ------------------------------------------------------------------------------ */

/* Every reachable instruction, as the verifier wants it: none behind the last exit. */
static bool
ends_well (const struct device_filter *filter)
{
  return filter->count > 1 && filter->instructions[filter->count - 1].code == (BPF_JMP | BPF_EXIT);
}

static uint32_t
next_random (uint64_t *state)
{
  *state = *state * 6364136223846793005u + 1442695040888963407u;
  return (uint32_t) (*state >> 33);
}

static void
compare_one (const struct device_filter *filter, const struct device_rule *rules, size_t count,
             char type, uint32_t major, uint32_t minor, size_t *ret_wrong, size_t *ret_steps)
{
  for (uint8_t access = 1; access <= DEVICE_ACCESS_ALL; access++)
    *ret_wrong += run (filter, type, major, minor, access, ret_steps)
                  != oracle (rules, count, type, major, minor, access);
}

/* Tries devices that rules name, their neighbours, and others. */
static size_t
compare (const struct device_rule *rules, size_t count, uint64_t *random, size_t *ret_steps)
{
  auto_ (device_filter)
  struct device_filter filter = { 0 };
  size_t wrong = 0;
  if (device_filter_compile (rules, count, &filter) < 0 || !ends_well (&filter))
    return 1;
  for (size_t i = 0; i < 200; i++)
    {
      const struct device_rule *rule = count > 0 ? &rules[next_random (random) % count] : NULL;
      char type = next_random (random) % 2 ? 'b' : 'c';
      uint32_t major = next_random (random) % 6, minor = next_random (random) % 6;
      if (rule != NULL && rule->major != DEVICE_ANY && i % 3 != 0)
        major = (uint32_t) rule->major;
      if (rule != NULL && rule->minor != DEVICE_ANY && i % 3 != 1)
        minor = (uint32_t) rule->minor;
      compare_one (&filter, rules, count, type, major, minor, &wrong, ret_steps);
    }
  return wrong;
}

static struct device_rule
random_rule (uint64_t *random, uint32_t range)
{
  static const char types[] = "abc";
  return (struct device_rule){
    .allow = next_random (random) % 2,
    .type = types[next_random (random) % 3],
    .major = next_random (random) % 4 == 0 ? DEVICE_ANY : (int64_t) (next_random (random) % range),
    .minor = next_random (random) % 3 == 0 ? DEVICE_ANY : (int64_t) (next_random (random) % range),
    .access = (uint8_t) (1 + next_random (random) % DEVICE_ACCESS_ALL),
  };
}

static void
test_random (void)
{
  uint64_t random = 42;
  size_t wrong = 0, steps = 0;
  for (size_t n = 0; n < 3000; n++)
    {
      struct device_rule rules[12];
      size_t count = n % (COUNT_OF (rules) + 1);
      for (size_t i = 0; i < count; i++)
        rules[i] = random_rule (&random, 6);
      wrong += compare (rules, count, &random, &steps);
    }
  is_number ((long long) wrong, 0, "3,000 random lists of 0 to 12 rules decide as the oracle");
}

static void
test_thousand (void)
{
  enum
  {
    COUNT = 1000,
  };
  static struct device_rule rules[COUNT];
  uint64_t random = 7;
  size_t steps = 0, wrong = 0;
  for (size_t i = 0; i < COUNT; i++)
    rules[i] = random_rule (&random, 300);
  rules[500] = (struct device_rule){ .allow = true,
                                     .type = 'c',
                                     .major = UINT32_MAX,
                                     .minor = UINT32_MAX,
                                     .access = DEVICE_ACCESS_ALL };
  for (size_t i = 0; i < 20; i++)
    wrong += compare (rules, COUNT, &random, &steps);
  is_number ((long long) wrong, 0, "1,000 rules decide as the oracle");
  auto_ (device_filter)
  struct device_filter filter = { 0 };
  ok (device_filter_compile (rules, COUNT, &filter) == 0 && filter.count < 12 * COUNT
          && steps <= filter.count,
      "%zu instructions, at most %zu of them run", filter.count, steps);
}

/* ---- lists that managers send ---------------------------------------------------------------- */

static const char *
read_rules (const char *json, struct device_rule **ret_rules, size_t *ret_count)
{
  static struct tare_error error;
  auto_ (arena)
  struct arena arena = { 0 };
  struct oci_resources *resources;
  const struct oci_source source = { .name = "x", .bytes = json, .length = strlen (json) };
  error = (struct tare_error){ 0 };
  int r = oci_read_resources (&arena, &source, &resources, &error);
  if (r >= 0)
    r = device_rules_lower (resources, ret_rules, ret_count, &error);
  return r < 0 ? error.message : NULL;
}

static void
test_default (void)
{
  static const struct
  {
    char type;
    uint32_t major, minor;
    uint8_t access;
    bool allowed;
  } accesses[] = {
    { 'c', 1, 3, DEVICE_ACCESS_ALL, true },
    { 'c', 1, 5, DEVICE_ACCESS_ALL, true },
    { 'c', 1, 7, DEVICE_ACCESS_ALL, true },
    { 'c', 1, 8, DEVICE_ACCESS_ALL, true },
    { 'c', 1, 9, DEVICE_ACCESS_ALL, true },
    { 'c', 5, 0, DEVICE_ACCESS_ALL, true },
    { 'c', 5, 2, DEVICE_ACCESS_ALL, true },
    { 'c', 136, 9, DEVICE_ACCESS_ALL, true },
    { 'c', 10, 200, DEVICE_ACCESS_ALL, true },
    { 'c', 1, 1, BPF_DEVCG_ACC_READ, false },
    { 'c', 1, 1, BPF_DEVCG_ACC_MKNOD, true },
    { 'b', 8, 0, BPF_DEVCG_ACC_MKNOD, true },
    { 'b', 8, 0, BPF_DEVCG_ACC_READ, false },
    { 'b', 1, 3, BPF_DEVCG_ACC_WRITE, false },
    { 'c', 1, 3, BPF_DEVCG_ACC_READ, true },
    { 'c', 1, 1, BPF_DEVCG_ACC_MKNOD | BPF_DEVCG_ACC_READ, false },
    { 'c', 10, 229, DEVICE_ACCESS_ALL, true },
    { 'c', 10, 228, BPF_DEVCG_ACC_WRITE, false },
  };
  struct device_rule *rules = NULL;
  size_t count = 0, steps = 0;
  auto_ (device_filter)
  struct device_filter filter = { 0 };
  const char *message =
      read_rules ("{\"devices\":[{\"allow\":false,\"access\":\"rwm\"},"
                  "{\"allow\":true,\"type\":\"u\",\"major\":10,\"minor\":229,\"access\":\"mwr\"}]}",
                  &rules, &count);
  is_text (message, NULL, "a list that denies all but one");
  is_number (device_filter_compile (rules, count, &filter), 0, "compiles");
  for (size_t i = 0; i < COUNT_OF (accesses); i++)
    {
      int verdict = run (&filter, accesses[i].type, accesses[i].major, accesses[i].minor,
                         accesses[i].access, &steps);
      ok (verdict == accesses[i].allowed, "%c %u:%u access %u is %s", accesses[i].type,
          accesses[i].major, accesses[i].minor, accesses[i].access,
          accesses[i].allowed ? "allowed" : "denied");
    }
  free (rules);
}

static void
test_all (void)
{
  struct device_rule *rules = NULL;
  size_t count = 0, steps = 0;
  auto_ (device_filter)
  struct device_filter filter = { 0 };
  is_text (read_rules ("{\"devices\":[{\"allow\":true,\"access\":\"rwm\"}]}", &rules, &count), NULL,
           "a list that allows all");
  ok (rules != NULL && device_rule_is_all (&rules[0]), "is seen as such");
  is_number (device_filter_compile (rules, count, &filter), 0, "compiles");
  is_number (run (&filter, 'b', 8, 0, DEVICE_ACCESS_ALL, &steps), 1, "allows a disk");
  free (rules);
  auto_ (device_filter)
  struct device_filter none = { 0 };
  is_number (device_filter_compile (NULL, 0, &none), 0, "no rules compile");
  is_number (run (&none, 'c', 1, 3, BPF_DEVCG_ACC_READ, &steps), 0, "and deny everything");
}

static void
test_print (void)
{
  static const struct
  {
    const char *json, *text;
  } cases[] = {
    { "{\"allow\":true,\"access\":\"rwm\"}", "a" },
    { "{\"allow\":true,\"type\":\"a\",\"major\":-1,\"minor\":-1,\"access\":\"mrw\"}", "a" },
    { "{\"allow\":true,\"type\":\"a\",\"access\":\"r\"}", "a *:* r" },
    { "{\"allow\":true,\"type\":\"c\",\"access\":\"mr\"}", "c *:* rm" },
    { "{\"allow\":true,\"type\":\"b\",\"major\":8,\"access\":\"w\"}", "b 8:* w" },
    { "{\"allow\":true,\"type\":\"u\",\"major\":4294967295,\"minor\":0,\"access\":\"m\"}",
      "c 4294967295:0 m" },
  };
  static const struct
  {
    const char *json, *message;
  } bad[] = {
    { "{\"allow\":true}",
      "linux.resources.devices[0].access: must be made of r, w and m, and not be empty" },
    { "{\"allow\":true,\"access\":\"rx\"}",
      "linux.resources.devices[0].access: must be made of r, w and m, and not be empty" },
    { "{\"allow\":true,\"type\":\"p\",\"access\":\"r\"}",
      "linux.resources.devices[0].type: is not one of a, b, c" },
    { "{\"allow\":true,\"type\":\"cc\",\"access\":\"r\"}",
      "linux.resources.devices[0].type: is not one of a, b, c" },
    { "{\"allow\":true,\"major\":-2,\"access\":\"r\"}",
      "linux.resources.devices[0].major: is not between -1 and 4294967295" },
    { "{\"allow\":true,\"minor\":4294967296,\"access\":\"r\"}",
      "linux.resources.devices[0].minor: is not between -1 and 4294967295" },
  };
  char json[256], text[64];
  for (size_t i = 0; i < COUNT_OF (cases); i++)
    {
      struct device_rule *rules = NULL;
      size_t count = 0;
      snprintf (json, sizeof json, "{\"devices\":[%s]}", cases[i].json);
      *text = '\0';
      if (read_rules (json, &rules, &count) == NULL)
        device_rule_print (&rules[0], text, sizeof text);
      is_text (text, cases[i].text, cases[i].json);
      free (rules);
    }
  for (size_t i = 0; i < COUNT_OF (bad); i++)
    {
      struct device_rule *rules = NULL;
      size_t count = 0;
      snprintf (json, sizeof json, "{\"devices\":[%s]}", bad[i].json);
      is_text (read_rules (json, &rules, &count), bad[i].message, bad[i].json);
      free (rules);
    }
}

int
main (void)
{
  test_print ();
  test_default ();
  test_all ();
  test_random ();
  test_thousand ();
  return tap_done ();
}
