// PyTorch's vector path of normal_ in single precision, bit for bit.
//
// Goals, in order: the same bits as PyTorch on every machine; then speed. So `fused` stands where,
// and only where, PyTorch's AVX2 build fuses, and no C library function takes part but fmaf where
// the hardware has none. The polynomials are those of Julien Pommier's avx_mathfun, after Cephes,
// as PyTorch 2.15 compiles them (normal_fill_AVX2). The test target holds the same in Swift, to read.
#include "clones.h"
#include "include/CKernels.h"
#include <string.h>

#define INLINE static inline __attribute__((always_inline))

INLINE float fused(float a, float b, float c) { return __builtin_fmaf(a, b, c); }

INLINE float number(uint32_t bits) {
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

INLINE uint32_t pattern(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}

// The low 24 bits as a number in [0, 1), exactly.
INLINE float unit(uint32_t word) { return (float)(int32_t)(word & 0xffffff) * 0x1p-24f; }

// Natural logarithm of a number in [0, 1], zero taken as the least normal number.
INLINE float logarithm(float x) {
  uint32_t bits = pattern(x < 0x1p-126f ? 0x1p-126f : x);
  float exponent = (float)((int32_t)(bits >> 23) - 127) + 1;
  float half = number((bits & 0x807fffff) | 0x3f000000);
  int low = half < number(0x3f3504f3);
  float less = half - 1;
  float f = low ? less + half : less;
  exponent = low ? exponent - 1 : exponent;
  float square = f * f;
  float sum = number(0x3d9021bb);
  sum = fused(sum, f, number(0xbdebd1b8));
  sum = fused(sum, f, number(0x3def251a));
  sum = fused(sum, f, number(0xbdfe5d4f));
  sum = fused(sum, f, number(0x3e11e9bf));
  sum = fused(sum, f, number(0xbe2aae50));
  sum = fused(sum, f, number(0x3e4cceac));
  sum = fused(sum, f, number(0xbe7ffffc));
  sum = fused(sum, f, number(0x3eaaaaaa));
  sum = sum * f;
  sum = fused(sum, square, exponent * number(0xb95e8083));
  sum = fused(square, -0.5f, sum);
  return fused(exponent, number(0x3f318000), f + sum);
}

// Sine and cosine of an angle in [0, 2π].
INLINE void sine_cosine(float angle, float *sine, float *cosine) {
  int32_t octant = ((int32_t)(angle * number(0x3fa2f983)) + 1) & ~1;
  float turns = (float)octant;
  // π/4 in three parts, so that the remainder keeps its last bits.
  float rest = fused(turns, number(0xbf490000), angle);
  rest = fused(turns, number(0xb97da000), rest);
  rest = fused(turns, number(0xb3222169), rest);
  float square = rest * rest;

  float even = fused(number(0x37ccf5ce), square, number(0xbab6061a));
  even = fused(even, square, number(0x3d2aaaa5));
  even = even * square;
  even = fused(even, square, -(square * 0.5f));
  even = even + 1;

  float odd = fused(number(0xb94ca1f9), square, number(0x3c08839e));
  odd = fused(odd, square, number(0xbe2aaaa3));
  odd = odd * square;
  odd = fused(odd, rest, rest);

  int swapped = (octant & 2) != 0;
  // Adding zero turns -0 into +0.
  uint32_t s = pattern((swapped ? even : odd) + 0.0f);
  uint32_t c = pattern((swapped ? odd : even) + 0.0f);
  *sine = number(s ^ (uint32_t)(octant & 4) << 29);
  *cosine = number(c ^ (uint32_t)(~(octant - 2) & 4) << 29);
}

CKPT_FMA_CLONES
void ckpt_normal_blocks(
    const uint32_t *words, void *target, size_t blocks, float mean, float deviation) {
  for (size_t block = 0; block < blocks; block++) {
    float values[16];
    for (int j = 0; j < 8; j++) {
      float radius = __builtin_elementwise_sqrt(-2 * logarithm(1 - unit(words[j])));
      float sine, cosine;
      sine_cosine(number(0x40c90fdb) * unit(words[j + 8]), &sine, &cosine);
      values[j] = fused(radius * cosine, deviation, mean);
      values[j + 8] = fused(radius * sine, deviation, mean);
    }
    memcpy(target, values, sizeof values);
    words += 16;
    target = (char *)target + sizeof values;
  }
}
