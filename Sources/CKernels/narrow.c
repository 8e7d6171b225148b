// Floats in a narrower type and back, by their bits, so that every processor gives the same.
#include "clones.h"
#include "include/FilterKernels.h"
#include "words.h"

// How many words are converted before the result is looked at.
enum { AT_ONCE = 1024 };

// Sets bits of `lost` if the float does not fit. All cases are computed and one is picked, so that the
// loops below become vectors. The exponents' biases differ by 127 - 15 = 112, which is 0x38000000 at the
// exponent's place; from 0x47800000 = 2^16 on there is no half but infinity.
INLINE uint16_t half_of_float(uint32_t word, uint32_t *lost) {
  uint32_t magnitude = word & 0x7fffffff, exponent = magnitude >> 23;
  uint32_t normal = (magnitude - 0x38000000) >> 13, normal_rest = magnitude & 0x1fff;
  // Below 2^-14 a half is a multiple of 2^-24.
  uint32_t significand = (magnitude & 0x7fffff) | 0x800000;
  uint32_t shift = exponent < 95 ? 31 : 126 - exponent;
  uint32_t small = significand >> (shift & 31), small_rest = significand - (small << (shift & 31));
  uint32_t half = exponent < 113 ? small : normal;
  uint32_t rest = exponent < 113 ? small_rest : normal_rest;
  rest = magnitude >= 0x47800000 ? 1 : rest;
  half = magnitude == 0x7f800000 ? 0x7c00 : half;
  rest = magnitude == 0x7f800000 || magnitude == 0 ? 0 : rest;
  *lost |= rest;
  return (uint16_t)(half | (word >> 16 & 0x8000));
}

// The same for doubles: the biases differ by 1023 - 127 = 896, and 0x47f << 52 is 2^128.
INLINE uint32_t float_of_double(uint64_t word, uint64_t *lost) {
  uint64_t magnitude = word & 0x7fffffffffffffff, exponent = magnitude >> 52;
  uint64_t normal = (magnitude - 0x3800000000000000) >> 29, normal_rest = magnitude & 0x1fffffff;
  // Below 2^-126 a float is a multiple of 2^-149.
  uint64_t significand = (magnitude & 0xfffffffffffff) | 0x10000000000000;
  uint64_t shift = exponent < 863 ? 63 : 926 - exponent;
  uint64_t small = significand >> (shift & 63), small_rest = significand - (small << (shift & 63));
  uint64_t single = exponent < 897 ? small : normal;
  uint64_t rest = exponent < 897 ? small_rest : normal_rest;
  rest = magnitude >= 0x47f0000000000000 ? 1 : rest;
  single = magnitude == 0x7ff0000000000000 ? 0x7f800000 : single;
  rest = magnitude == 0x7ff0000000000000 || magnitude == 0 ? 0 : rest;
  *lost |= rest;
  return (uint32_t)(single | (word >> 32 & 0x80000000));
}

INLINE uint16_t bfloat_of_float(uint32_t word, uint32_t *lost) {
  *lost |= word & 0xffff;
  return (uint16_t)(word >> 16);
}

INLINE uint32_t float_of_half(uint32_t half) {
  uint32_t magnitude = half & 0x7fff;
  uint32_t wide = (magnitude << 13) + (112u << 23);
  wide = magnitude >= 0x7c00 ? wide + (112u << 23) : wide;
  // Subnormal: shifted until bit 10 is set.
  uint32_t digits = magnitude, exponent = 112u << 23;
  exponent -= digits < 1 << 3 ? 8u << 23 : 0, digits = digits < 1 << 3 ? digits << 8 : digits;
  exponent -= digits < 1 << 7 ? 4u << 23 : 0, digits = digits < 1 << 7 ? digits << 4 : digits;
  exponent -= digits < 1 << 9 ? 2u << 23 : 0, digits = digits < 1 << 9 ? digits << 2 : digits;
  exponent -= digits < 1 << 10 ? 1u << 23 : 0, digits = digits < 1 << 10 ? digits << 1 : digits;
  wide = magnitude < 1 << 10 ? exponent + (digits << 13) : wide;
  wide = magnitude == 0 ? 0 : wide;
  return wide | (half & 0x8000) << 16;
}

INLINE uint64_t double_of_float(uint64_t word) {
  uint64_t magnitude = word & 0x7fffffff;
  uint64_t wide = (magnitude << 29) + (896ull << 52);
  wide = magnitude >= 0x7f800000 ? wide + (896ull << 52) : wide;
  // Subnormal: shifted until bit 23 is set.
  uint64_t digits = magnitude, exponent = 896ull << 52;
  exponent -= digits < 1 << 8 ? 16ull << 52 : 0, digits = digits < 1 << 8 ? digits << 16 : digits;
  exponent -= digits < 1 << 16 ? 8ull << 52 : 0, digits = digits < 1 << 16 ? digits << 8 : digits;
  exponent -= digits < 1 << 20 ? 4ull << 52 : 0, digits = digits < 1 << 20 ? digits << 4 : digits;
  exponent -= digits < 1 << 22 ? 2ull << 52 : 0, digits = digits < 1 << 22 ? digits << 2 : digits;
  exponent -= digits < 1 << 23 ? 1ull << 52 : 0, digits = digits < 1 << 23 ? digits << 1 : digits;
  wide = magnitude < 1 << 23 ? exponent + (digits << 29) : wide;
  wide = magnitude == 0 ? 0 : wide;
  return wide | (word & 0x80000000) << 32;
}

INLINE uint32_t float_of_bfloat(uint32_t word) { return word << 16; }

// Defines a conversion to a narrower type that stops, and returns false, where a word does not fit.
#define NARROW(name, wide, narrow, bits, convert)                   \
  CKPT_CLONES                                                       \
  bool name(const void *words, void *target, size_t count) {        \
    const wide *restrict from = words;                              \
    narrow *restrict to = target;                                   \
    for (size_t i = 0; i < count;) {                                \
      size_t end = count - i < AT_ONCE ? count : i + AT_ONCE;       \
      bits lost = 0;                                                \
      for (; i < end; i++) to[i] = convert(from[i], &lost);         \
      if (lost) return false;                                       \
    }                                                               \
    return true;                                                    \
  }

NARROW(ckpt_narrow_f32, word8, word4, uint64_t, float_of_double)
NARROW(ckpt_narrow_f16, word4, word2, uint32_t, half_of_float)
NARROW(ckpt_narrow_bf16, word4, word2, uint32_t, bfloat_of_float)

// Defines a conversion to a wider type, in which every word has its value.
#define WIDEN(name, narrow, wide, convert)                          \
  CKPT_CLONES                                                       \
  void name(const void *words, void *target, size_t count) {        \
    const narrow *restrict from = words;                            \
    wide *restrict to = target;                                     \
    for (size_t i = 0; i < count; i++) to[i] = convert(from[i]);    \
  }

WIDEN(ckpt_widen_f32, word4, word8, double_of_float)
WIDEN(ckpt_widen_f16, word2, word4, float_of_half)
WIDEN(ckpt_widen_bf16, word2, word4, float_of_bfloat)
