/* Instructions that go in front of a compiled profile. */
#ifndef TARE_SPEC_SECCOMP_STUB_H
#define TARE_SPEC_SECCOMP_STUB_H

#include <stddef.h>
#include <stdint.h>

#include "spec/internal.h"

struct sock_filter;

enum
{
  SECCOMP_STUB_ARCHES = 32,
  SECCOMP_STUB_MOST = 7 * SECCOMP_STUB_ARCHES,
};

/* The largest number that a profile names, of one architecture as libseccomp numbers them: as the
 * kernel does, but for x32. 0: it names none. */
struct seccomp_last
{
  uint32_t arch, number;
};

/* Answers ENOSYS to what is larger; everything else falls through. Returns how many instructions
 * went to out, which has room for SECCOMP_STUB_MOST. */
size_t seccomp_stub (const struct seccomp_last *last, size_t count, struct sock_filter *out);

#endif
