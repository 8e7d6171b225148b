// One step of PyTorch's serial path of normal_, bit for bit as with glibc on a machine with fused
// multiply-add.
#include "double_functions.h"
#include "include/CKernels.h"

// log1p(-u) for a multiple u of 2^-53 in [0, 1), of which 1 - u is exact.
//
// glibc's is that of Sun's fdlibm; operations are fused where gcc 12 fuses them. The number is
// (1 + f) 2^exponent with 1 + f between √½ and √2.
INLINE double logarithm_of_rest(double u) {
  if (u < 0x1p-29) return -u - u * u * 0.5;
  double exponent = 0, f = -u;
  uint32_t digits = 1;  // the leading ones of |f|
  if (double_pattern(u) >> 32 > 0x3fd2bec3) {
    uint64_t bits = double_pattern(1 - u), mantissa = bits & 0xfffffffffffff;
    int is_upper = mantissa >> 32 >= 0x6a09e;
    digits = (uint32_t)(mantissa >> 32);
    if (is_upper) digits = (0x100000 - digits) >> 2;
    exponent = (double)((int32_t)(bits >> 52) - 1023 + is_upper);
    f = double_number(mantissa | (is_upper ? 0x3feull : 0x3ffull) << 52) - 1;
  }
  double half = 0.5 * f * f;
  double low = exponent * 0x1.a39ef35793c76p-33;
  if (digits == 0) {
    double short_sum = half * fused_double(-0x1.5555555555555p-1, f, 1);
    return fused_double(exponent, 0x1.62e42feep-1, -(short_sum - low - f));
  }
  double s = f / (2 + f), z = s * s, z2 = z * z, z4 = z2 * z2, z6 = z2 * z4;
  double second = fused_double(0x1.2492494229359p-2, z, 0x1.999999997fa04p-2);
  double third = fused_double(0x1.7466496cb03dep-3, z, 0x1.c71c51d8e78afp-3);
  double fourth = fused_double(0x1.2f112df3e5244p-3, z, 0x1.39a09d078c69fp-3);
  double sum = fused_double(z, 0x1.5555555555593p-1, z2 * second);
  sum = fused_double(z4, third, sum);
  sum = fused_double(z6, fourth, sum);
  double product = s * (half + sum);
  if (exponent == 0) return f - (half - product);
  return fused_double(exponent, 0x1.62e42feep-1, -(half - (low + product) - f));
}

CKPT_CLONES
struct ckpt_pair ckpt_normal_pair(uint64_t angle, uint64_t radius) {
  const uint64_t mask = (UINT64_C(1) << 53) - 1;
  double distance = __builtin_elementwise_sqrt(
      -2 * logarithm_of_rest((double)(int64_t)(radius & mask) * 0x1p-53));
  double sine, cosine;
  double_sine_cosine(
      0x1.921fb54442d18p+2 * ((double)(int64_t)(angle & mask) * 0x1p-53), &sine, &cosine);
  return (struct ckpt_pair){distance * cosine, distance * sine};
}
