// PyTorch's uniform_: a number in [0, 1) is scaled and shifted, then rounded to the dtype.
//
// A result equal to `to` becomes `from`. `fuse` selects one fused operation, as in PyTorch's AVX2
// build, or two, as in its default build.
#include "clones.h"
#include "floats.h"
#include "include/CKernels.h"

INLINE float scaled(uint32_t word, float width, float from, int fuse) {
  return fuse ? fused(unit(word), width, from) : unit(word) * width + from;
}

INLINE void uniform_floats(
    const uint32_t *words, loose_float *target, size_t count, float from, float to, int fuse) {
  float width = to - from;
  for (size_t i = 0; i < count; i++) {
    float value = scaled(words[i], width, from, fuse);
    target[i] = value == to ? from : value;
  }
}

CKPT_CLONES
void ckpt_uniform_float32(
    const uint32_t *words, void *target, size_t count, float from, float to, bool fuse) {
  loose_float *values = target;
  // For a symmetric range, fma(u, 2b, -b) is b(2u - 1) rounded once, and 2u - 1 is exact: a plain
  // product, which is fast on any machine. It cannot round up to b unless b is subnormal.
  if (fuse && from == -to && to >= 0x1p-126f)
    for (size_t i = 0; i < count; i++)
      values[i] = to * ((float)((int32_t)(words[i] & 0xffffff) - 0x800000) * 0x1p-23f);
  else if (fuse)
    uniform_floats(words, values, count, from, to, 1);
  else
    uniform_floats(words, values, count, from, to, 0);
}

INLINE void uniform_halves(
    const uint32_t *words, loose_half *target, size_t count, float from, float to, int fuse,
    uint16_t (*rounded)(float)) {
  float width = to - from;
  uint16_t first = rounded(from), last = rounded(to);
  // Compare as numbers: the signs of two zeros may differ.
  uint16_t sign = (uint16_t)(last << 1) ? 0 : 0x8000;
  for (size_t i = 0; i < count; i++) {
    uint16_t bits = rounded(scaled(words[i], width, from, fuse));
    target[i] = (bits & ~sign) == (last & ~sign) ? first : bits;
  }
}

CKPT_CLONES
void ckpt_uniform_bfloat16(
    const uint32_t *words, void *target, size_t count, float from, float to, bool fuse) {
  if (fuse) uniform_halves(words, target, count, from, to, 1, bfloat16);
  else uniform_halves(words, target, count, from, to, 0, bfloat16);
}

CKPT_CLONES
void ckpt_uniform_float16(
    const uint32_t *words, void *target, size_t count, float from, float to, bool fuse) {
  if (fuse) uniform_halves(words, target, count, from, to, 1, float16);
  else uniform_halves(words, target, count, from, to, 0, float16);
}

INLINE void uniform_doubles(
    const uint32_t *words, loose_double *target, size_t count, double from, double to, int fuse) {
  double width = to - from;
  for (size_t i = 0; i < count; i++) {
    double u = wide_unit(words + 2 * i);
    double value = fuse ? __builtin_fma(u, width, from) : u * width + from;
    target[i] = value == to ? from : value;
  }
}

CKPT_CLONES
void ckpt_uniform_float64(
    const uint32_t *words, void *target, size_t count, double from, double to, bool fuse) {
  if (fuse) uniform_doubles(words, target, count, from, to, 1);
  else uniform_doubles(words, target, count, from, to, 0);
}
