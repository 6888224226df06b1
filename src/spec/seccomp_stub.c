/* A few instructions in front of libseccomp's program: system calls newer than every one that the
 * profile names do not exist. Programs try a new call and fall back on ENOSYS; EPERM, the usual
 * default of a profile that was written before the call was, breaks them. Pure.
 */
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>

#include "spec/seccomp_stub.h"

enum
{
  X32_BIT = 0x40000000,
  BLOCK = 7, /* the most instructions for one architecture */
};

/* The number in struct seccomp_data.arch: x32 has none of its own. */
static uint32_t
audit_arch (uint32_t arch)
{
  return arch == (AUDIT_ARCH_X86_64 & ~(uint32_t) __AUDIT_ARCH_64BIT) ? AUDIT_ARCH_X86_64 : arch;
}

struct limits
{
  uint32_t arch;
  uint32_t last, last_x32; /* UINT32_MAX: any */
};

/* s390 has its large numbers behind number 0, which is what is left of one that the kernel does not
 * know. */
static bool
hides_numbers (uint32_t arch)
{
  return arch == AUDIT_ARCH_S390 || arch == AUDIT_ARCH_S390X;
}

static size_t
put_block (const struct limits *limits, struct sock_filter *out)
{
  const uint32_t enosys = SECCOMP_RET_ERRNO | ENOSYS;
  bool x86_64 = limits->arch == AUDIT_ARCH_X86_64, s390 = hides_numbers (limits->arch);
  struct sock_filter block[BLOCK];
  size_t n = 0;
  block[n++] = (struct sock_filter) BPF_STMT (BPF_LD | BPF_W | BPF_ABS,
                                              offsetof (struct seccomp_data, arch));
  block[n++] = (struct sock_filter) BPF_JUMP (BPF_JMP | BPF_JEQ | BPF_K, limits->arch, 0,
                                              (unsigned char) (x86_64 ? 5
                                                               : s390 ? 4
                                                                      : 3));
  block[n++] =
      (struct sock_filter) BPF_STMT (BPF_LD | BPF_W | BPF_ABS, offsetof (struct seccomp_data, nr));
  if (x86_64)
    {
      block[n++] = (struct sock_filter) BPF_JUMP (BPF_JMP | BPF_JGE | BPF_K, X32_BIT, 1, 0);
      block[n++] = (struct sock_filter) BPF_JUMP (BPF_JMP | BPF_JGT | BPF_K, limits->last, 1, 2);
      block[n++] =
          (struct sock_filter) BPF_JUMP (BPF_JMP | BPF_JGT | BPF_K, limits->last_x32, 0, 1);
    }
  else
    {
      if (s390)
        block[n++] = (struct sock_filter) BPF_JUMP (BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0);
      block[n++] = (struct sock_filter) BPF_JUMP (BPF_JMP | BPF_JGT | BPF_K, limits->last, 0, 1);
    }
  block[n++] = (struct sock_filter) BPF_STMT (BPF_RET | BPF_K, enosys);
  memcpy (out, block, n * sizeof *block);
  return n;
}

size_t
seccomp_stub (const struct seccomp_last *last, size_t count, struct sock_filter *out)
{
  struct limits limits[SECCOMP_STUB_ARCHES];
  size_t n_limits = 0, length = 0;
  for (size_t i = 0; i < count && i < SECCOMP_STUB_ARCHES; i++)
    {
      uint32_t arch = audit_arch (last[i].arch);
      size_t k = 0;
      if (last[i].number == 0) /* it names none, or can hardly mean it */
        continue;
      while (k < n_limits && limits[k].arch != arch)
        k++;
      if (k == n_limits)
        limits[n_limits++] = (struct limits){ arch, UINT32_MAX, UINT32_MAX };
      *(arch == last[i].arch ? &limits[k].last : &limits[k].last_x32) = last[i].number;
    }
  for (size_t k = 0; k < n_limits; k++)
    length += put_block (&limits[k], out + length);
  return length;
}
