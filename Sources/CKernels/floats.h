// Bit patterns of floating-point numbers, and the rounding functions that kernels share.
#pragma once
#include "clones.h"
#include <stdint.h>
#include <string.h>

// Elements of a target that need not be aligned.
typedef float loose_float __attribute__((aligned(1)));
typedef double loose_double __attribute__((aligned(1)));
typedef uint16_t loose_half __attribute__((aligned(1)));

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

INLINE double fused_double(double a, double b, double c) { return __builtin_fma(a, b, c); }

INLINE double double_number(uint64_t bits) {
  double value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

INLINE uint64_t double_pattern(double value) {
  uint64_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}

// The low 24 bits as a number in [0, 1), exactly.
INLINE float unit(uint32_t word) { return (float)(int32_t)(word & 0xffffff) * 0x1p-24f; }

// The low 53 bits of two words, the first one most significant, as a number in [0, 1), exactly.
INLINE double wide_unit(const uint32_t *words) {
  uint64_t both;  // little-endian: the first word is the low half
  memcpy(&both, words, sizeof both);
  double above = double_number(0x4330000000000000 | (both & 0x1fffff)) - 0x1p52;
  double below = double_number(0x4330000000000000 | both >> 32) - 0x1p52;
  return (above * 0x1p32 + below) * 0x1p-53;
}

// The bfloat16 nearest to a number, ties to even; NaN becomes the quiet NaN 0x7fc0.
INLINE uint16_t bfloat16(float value) {
  uint32_t bits = pattern(value);
  uint32_t rounded = (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
  return (uint16_t)((bits & 0x7fffffff) > 0x7f800000 ? 0x7fc0 : rounded);
}

// The float16 nearest to a number, ties to even; NaN keeps its leading bits and becomes quiet.
INLINE uint16_t float16(float value) {
  uint32_t bits = pattern(value);
  uint32_t size = bits & 0x7fffffff;
  uint32_t normal = (size + 0xfff + (size >> 13 & 1) - 0x38000000) >> 13;
  // Below 2^-14 the spacing is 2^-24, to which adding 0.5 rounds.
  uint32_t small = pattern(number(size) + 0.5f) - 0x3f000000;
  uint32_t half = size < 0x38800000 ? small : normal;
  half = size >= 0x477ff000 ? 0x7c00 : half;
  half = size > 0x7f800000 ? 0x7e00 | (size >> 13 & 0x3ff) : half;
  return (uint16_t)(bits >> 16 & 0x8000) | (uint16_t)half;
}
