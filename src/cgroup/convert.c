/* Numbers of one cgroup version in terms of the other. Pure, and without libm: two functions of it
 * would be most of what a static binary links from there.
 */
#include "cgroup/settings.h"

static const double ln2 = 0.69314718055994530942, ln10 = 2.30258509299404568402;

/* x >= 1. By the series of the area hyperbolic tangent, whose terms fall by 9 at least. */
static double
log2_of (uint64_t x)
{
  int exponent = 63 - __builtin_clzll (x);
  double m = (double) x / (double) (UINT64_C (1) << exponent); /* 1 <= m < 2 */
  double t = (m - 1) / (m + 1), power = t, sum = 0;
  for (int k = 1; k < 48; k += 2)
    {
      sum += power / k;
      power *= t * t;
    }
  return exponent + 2 * sum / ln2;
}

/* -1 < x < 5: e^(z/32) by its Taylor series, then squared five times. */
static double
exp10_of (double x)
{
  double z = x * ln10 / 32, term = 1, sum = 1;
  for (int k = 1; k < 20; k++)
    {
      term *= z / k;
      sum += term;
    }
  for (int i = 0; i < 5; i++)
    sum *= sum;
  return sum;
}

/* The curve through (2, 1), (1024, 100) and (262144, 10000), each the least, the default and the
 * most of its version: ceil (10 ^ ((l^2 + 125 l) / 612 - 7 / 34)), l = log2 (shares). */
uint64_t
cpu_shares_to_weight (uint64_t shares)
{
  if (shares == 0)
    return 0;
  if (shares <= 2)
    return 1;
  if (shares >= 262144)
    return 10000;
  double l = log2_of (shares);
  double exact = exp10_of ((l * l + 125 * l) / 612 - 7.0 / 34);
  uint64_t whole = (uint64_t) exact;
  return exact - (double) whole > 1e-9 ? whole + 1 : whole; /* 1024 is 100, not just above it */
}

/* 10..1000 to 1..10000, linear. */
uint64_t
io_weight_v2 (uint64_t weight)
{
  if (weight <= 10)
    return weight == 0 ? 0 : 1;
  return 1 + (weight - 10) * 9999 / 990;
}
