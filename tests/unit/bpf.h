/* Classic BPF as seccomp(2) runs it, checked the way the kernel does before it takes a program. */
#ifndef TARE_TESTS_BPF_H
#define TARE_TESTS_BPF_H

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum
{
  BPF_INVALID = -1,
};

static bool
bpf_jump (const struct sock_filter *at, uint32_t a, uint32_t x)
{
  uint32_t operand = BPF_SRC (at->code) == BPF_X ? x : at->k;
  switch (BPF_OP (at->code))
    {
    case BPF_JEQ:
      return a == operand;
    case BPF_JGT:
      return a > operand;
    case BPF_JGE:
      return a >= operand;
    default:
      return (a & operand) != 0;
    }
}

/* What the program returns (SECCOMP_RET_*), or BPF_INVALID for what the kernel would refuse. */
static int64_t
bpf_run (const struct sock_filter *program, size_t length, const struct seccomp_data *data)
{
  uint32_t a = 0, x = 0, memory[BPF_MEMWORDS] = { 0 };
  for (size_t pc = 0; pc < length; pc++)
    {
      const struct sock_filter *at = &program[pc];
      switch (at->code)
        {
        case BPF_LD | BPF_W | BPF_ABS:
          if (at->k % 4 != 0 || at->k > sizeof *data - sizeof a)
            return BPF_INVALID;
          memcpy (&a, (const char *) data + at->k, sizeof a);
          break;
        case BPF_LD | BPF_IMM:
          a = at->k;
          break;
        case BPF_ST:
        case BPF_LD | BPF_MEM:
          if (at->k >= BPF_MEMWORDS)
            return BPF_INVALID;
          if (BPF_CLASS (at->code) == BPF_ST)
            memory[at->k] = a;
          else
            a = memory[at->k];
          break;
        case BPF_MISC | BPF_TAX:
          x = a;
          break;
        case BPF_ALU | BPF_AND | BPF_K:
          a &= at->k;
          break;
        case BPF_ALU | BPF_AND | BPF_X:
          a &= x;
          break;
        case BPF_JMP | BPF_JA:
          pc += at->k;
          break;
        case BPF_JMP | BPF_JEQ | BPF_K:
        case BPF_JMP | BPF_JGT | BPF_K:
        case BPF_JMP | BPF_JGE | BPF_K:
        case BPF_JMP | BPF_JSET | BPF_K:
        case BPF_JMP | BPF_JEQ | BPF_X:
        case BPF_JMP | BPF_JGT | BPF_X:
        case BPF_JMP | BPF_JGE | BPF_X:
        case BPF_JMP | BPF_JSET | BPF_X:
          pc += bpf_jump (at, a, x) ? at->jt : at->jf;
          break;
        case BPF_RET | BPF_K:
          return at->k;
        case BPF_RET | BPF_A:
          return a;
        default:
          return BPF_INVALID;
        }
    }
  return BPF_INVALID; /* past its end */
}

#endif
