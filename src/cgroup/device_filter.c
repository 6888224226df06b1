/* Device rules to a BPF program of type CGROUP_DEVICE, by an assembler of our own. Pure: loading it
 * is device_attach.c's.
 *
 * The program tries the rules from the last to the first; the first that matches decides about the
 * access bits it names. The verifier follows every path, so nothing that a rule learns about a
 * register may live on into the next: what is compared is loaded afresh for each rule, and only
 * the bits still undecided are carried along. So its work grows with the number of rules, not with
 * their square.
 */
#define _GNU_SOURCE
#include "cgroup/device_filter.h"

enum
{
  MAX_CONDITIONS = 4,
};

/* What the registers hold. */
enum
{
  R_RESULT = BPF_REG_0,
  R_CONTEXT = BPF_REG_1, /* struct bpf_cgroup_dev_ctx */
  R_WANTED = BPF_REG_2,  /* access bits not decided yet */
  R_FIELD = BPF_REG_3,
};

static size_t
emit (struct device_filter *filter, struct bpf_insn instruction)
{
  if (filter->count == filter->capacity)
    {
      size_t capacity = filter->capacity * 2 + 64;
      void *grown = reallocarray (filter->instructions, capacity, sizeof instruction);
      if (grown == NULL)
        {
          filter->failed = true;
          return 0;
        }
      filter->instructions = grown;
      filter->capacity = capacity;
    }
  filter->instructions[filter->count] = instruction;
  return filter->count++;
}

static void
emit_load (struct device_filter *filter, int to, size_t offset)
{
  emit (filter, (struct bpf_insn){ .code = BPF_LDX | BPF_MEM | BPF_W,
                                   .dst_reg = (uint8_t) to,
                                   .src_reg = R_CONTEXT,
                                   .off = (int16_t) offset });
}

static void
emit_constant (struct device_filter *filter, int operation, int to, uint32_t constant)
{
  emit (filter, (struct bpf_insn){ .code = (uint8_t) (BPF_ALU | BPF_K | operation),
                                   .dst_reg = (uint8_t) to,
                                   .imm = (int32_t) constant });
}

static void
emit_return (struct device_filter *filter, bool allow)
{
  emit_constant (filter, BPF_MOV, R_RESULT, allow);
  emit (filter, (struct bpf_insn){ .code = BPF_JMP | BPF_EXIT });
}

/* Jumps that leave a rule, to be aimed when its end is known. */
struct conditions
{
  size_t at[MAX_CONDITIONS];
  size_t count;
};

/* Goes on only if reg compares as wanted: operation is the jump away. */
static void
emit_condition (struct device_filter *filter, struct conditions *conditions, int operation, int reg,
                uint32_t constant)
{
  conditions->at[conditions->count++] =
      emit (filter, (struct bpf_insn){ .code = (uint8_t) (BPF_JMP32 | BPF_K | operation),
                                       .dst_reg = (uint8_t) reg,
                                       .imm = (int32_t) constant });
}

static void
emit_number (struct device_filter *filter, struct conditions *conditions, size_t offset,
             int64_t number)
{
  if (number == DEVICE_ANY)
    return;
  emit_load (filter, R_FIELD, offset);
  emit_condition (filter, conditions, BPF_JNE, R_FIELD, (uint32_t) number);
}

static void
emit_type (struct device_filter *filter, struct conditions *conditions, char type)
{
  if (type == 'a')
    return;
  emit_load (filter, R_FIELD, offsetof (struct bpf_cgroup_dev_ctx, access_type));
  emit_constant (filter, BPF_AND, R_FIELD, 0xffff);
  emit_condition (filter, conditions, BPF_JNE, R_FIELD,
                  type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR);
}

/* Allowed bits are struck off, and when none is left the whole access is allowed; one denied bit
 * denies it. */
static void
emit_verdict (struct device_filter *filter, struct conditions *conditions,
              const struct device_rule *rule)
{
  if (rule->access != DEVICE_ACCESS_ALL && rule->allow)
    {
      emit_constant (filter, BPF_AND, R_WANTED, (uint32_t) ~rule->access);
      emit_condition (filter, conditions, BPF_JNE, R_WANTED, 0);
    }
  else if (rule->access != DEVICE_ACCESS_ALL)
    {
      emit (filter, (struct bpf_insn){ .code = BPF_ALU | BPF_X | BPF_MOV,
                                       .dst_reg = R_FIELD,
                                       .src_reg = R_WANTED });
      emit_constant (filter, BPF_AND, R_FIELD, rule->access);
      emit_condition (filter, conditions, BPF_JEQ, R_FIELD, 0);
    }
  emit_return (filter, rule->allow);
}

static void
emit_rule (struct device_filter *filter, const struct device_rule *rule)
{
  struct conditions conditions = { .count = 0 };
  emit_type (filter, &conditions, rule->type);
  emit_number (filter, &conditions, offsetof (struct bpf_cgroup_dev_ctx, major), rule->major);
  emit_number (filter, &conditions, offsetof (struct bpf_cgroup_dev_ctx, minor), rule->minor);
  emit_verdict (filter, &conditions, rule);
  for (size_t i = 0; i < conditions.count && !filter->failed; i++)
    filter->instructions[conditions.at[i]].off = (int16_t) (filter->count - conditions.at[i] - 1);
}

int
device_filter_compile (const struct device_rule *rules, size_t count,
                       struct device_filter *ret_filter)
{
  struct device_filter filter = { 0 };
  bool decided = false;
  emit_load (&filter, R_WANTED, offsetof (struct bpf_cgroup_dev_ctx, access_type));
  emit_constant (&filter, BPF_RSH, R_WANTED, 16);
  for (size_t i = count; i-- > 0 && !decided;)
    {
      emit_rule (&filter, &rules[i]);
      decided = device_rule_is_all (&rules[i]); /* code behind it would be refused: unreachable */
    }
  if (!decided)
    emit_return (&filter, false);
  if (filter.failed)
    {
      device_filter_done (&filter);
      return -ENOMEM;
    }
  *ret_filter = filter;
  return 0;
}

void
device_filter_done (struct device_filter *filter)
{
  free_pointer (&filter->instructions);
  *filter = (struct device_filter){ 0 };
}
