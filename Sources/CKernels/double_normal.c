// PyTorch's vectorized path of normal_ in double precision, bit for bit as with glibc on a machine
// with fused multiply-add.
#include "double_functions.h"
#include "include/CKernels.h"

CKPT_CLONES
void ckpt_normal_float64(
    const uint32_t *words, void *target, size_t blocks, double mean, double deviation) {
  for (size_t i = 0; i < blocks; i++) {
    double values[16];
    for (int j = 0; j < 8; j++) {
      double radius =
          __builtin_elementwise_sqrt(-2 * double_logarithm(1 - wide_unit(words + 2 * j)));
      double sine, cosine;
      double_sine_cosine(0x1.921fb54442d18p+2 * wide_unit(words + 16 + 2 * j), &sine, &cosine);
      values[j] = fused_double(radius * cosine, deviation, mean);
      values[j + 8] = fused_double(radius * sine, deviation, mean);
    }
    memcpy((char *)target + 128 * i, values, sizeof values);
    words += 32;
  }
}
