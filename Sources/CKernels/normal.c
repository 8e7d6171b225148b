// PyTorch's vector path of normal_ in single precision, bit for bit.
//
// Goals, in order: the same bits as PyTorch on every machine; then speed. So `fused` appears exactly
// where PyTorch's AVX2 build fuses, and no C library function is used except fmaf, where the hardware
// has no fused multiply-add. The polynomials are those of Julien Pommier's avx_mathfun, after Cephes,
// as PyTorch 2.15 compiles them (normal_fill_AVX2). The tests have a readable version in Swift.
#include "clones.h"
#include "floats.h"
#include "include/CKernels.h"

// Natural logarithm of a number in [0, 1]; zero is treated as the smallest normal number.
//
// The number is 2^e times a mantissa in [√½, √2), whose logarithm is a polynomial in f, the mantissa
// less 1. ln 2 has two parts, 0.693359375, whose product with e is exact, and -2.12194440e-4.
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

  // Octants are even here. Those with bit 1 exchange the polynomials; bit 2 is the sign of the sine,
  // and that of the octant less 2, inverted, of the cosine. Both move to the float's sign, bit 31.
  int swapped = (octant & 2) != 0;
  // Adding zero turns -0 into +0.
  uint32_t s = pattern((swapped ? even : odd) + 0.0f);
  uint32_t c = pattern((swapped ? odd : even) + 0.0f);
  *sine = number(s ^ (uint32_t)(octant & 4) << 29);
  *cosine = number(c ^ (uint32_t)(~(octant - 2) & 4) << 29);
}

// Normals from blocks of sixteen words each; elements j and j + 8 of a block are a Box-Muller pair.
INLINE void normals(
    const uint32_t *words, void *target, int blocks, float mean, float deviation) {
  uint32_t radii[16], angles[16];
  float firsts[16], seconds[16];
  for (int i = 0; i < blocks; i++) {
    memcpy(radii + 8 * i, words + 16 * i, 32);
    memcpy(angles + 8 * i, words + 16 * i + 8, 32);
  }
  for (int j = 0; j < 8 * blocks; j++) {
    float radius = __builtin_elementwise_sqrt(-2 * logarithm(1 - unit(radii[j])));
    float sine, cosine;
    sine_cosine(number(0x40c90fdb) * unit(angles[j]), &sine, &cosine);
    firsts[j] = fused(radius * cosine, deviation, mean);
    seconds[j] = fused(radius * sine, deviation, mean);
  }
  for (int i = 0; i < blocks; i++) {
    memcpy((char *)target + 64 * i, firsts + 8 * i, 32);
    memcpy((char *)target + 64 * i + 32, seconds + 8 * i, 32);
  }
}

CKPT_CLONES
void ckpt_normal_float32(
    const uint32_t *words, void *target, size_t blocks, float mean, float deviation) {
  char *values = target;
  // Two blocks at a time fill the widest registers.
  for (; blocks >= 2; blocks -= 2, words += 32, values += 128)
    normals(words, values, 2, mean, deviation);
  if (blocks) normals(words, values, 1, mean, deviation);
}

INLINE void normal_halves(
    const uint32_t *words, loose_half *target, size_t blocks, float mean, float deviation,
    uint16_t (*rounded)(float)) {
  float values[32];
  for (; blocks >= 2; blocks -= 2, words += 32, target += 32) {
    normals(words, values, 2, mean, deviation);
    for (int j = 0; j < 32; j++) target[j] = rounded(values[j]);
  }
  if (!blocks) return;
  normals(words, values, 1, mean, deviation);
  for (int j = 0; j < 16; j++) target[j] = rounded(values[j]);
}

CKPT_CLONES
void ckpt_normal_bfloat16(
    const uint32_t *words, void *target, size_t blocks, float mean, float deviation) {
  normal_halves(words, target, blocks, mean, deviation, bfloat16);
}

CKPT_CLONES
void ckpt_normal_float16(
    const uint32_t *words, void *target, size_t blocks, float mean, float deviation) {
  normal_halves(words, target, blocks, mean, deviation, float16);
}
