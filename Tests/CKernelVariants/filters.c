#include "CKernelVariants.h"
#include <string.h>

// portable_sparse.c
__typeof__(ckpt_sparse_split) portable_sparse_split;
__typeof__(ckpt_sparse_pick) portable_sparse_pick;
__typeof__(ckpt_sparse_count) portable_sparse_count;
__typeof__(ckpt_sparse_merge) portable_sparse_merge;

// A kernel of the set.
#define OF(plain, kernel)                           \
  (set == VARIANT_V4   ? variant_v4_##kernel        \
   : set == VARIANT_V3 ? variant_v3_##kernel        \
                       : plain##_##kernel)
#define CALL(kernel) OF(variant_plain, kernel)
#define SPARSE(kernel) OF(portable, kernel)

// The parts that sparse_split writes, one after another, and zeros after the last word.
static size_t split(int set, const uint8_t *words, size_t count, size_t width, uint8_t *target) {
  size_t bytes = (count + 7) / 8;
  uint8_t *dense = target + 2 * bytes + 8;
  size_t present = SPARSE(sparse_split)(words, count, width, target, target + bytes, dense);
  size_t signs = (count - present + 7) / 8;
  memset(target + bytes + signs, 0, bytes + 8 - signs);
  memset(dense + present * width, 0, (count - present) * width);
  return present;
}

size_t variant_filter(
    int set, int kernel, const uint8_t *words, const uint8_t *others, size_t count, size_t width,
    uint8_t *target) {
  const struct ckpt_levels levels = {
      (const uint16_t *)others, (const uint16_t *)others + (count + 8) / 9, 9};
  size_t bytes = (count + 7) / 8;
  switch (kernel) {
  case 0: CALL(words_rotate)(words, target, count, width, 3); break;
  case 1:
    memcpy(target, words, count * width);
    CALL(words_rotate)(target, target, count, width, 5);
    break;
  case 2: CALL(differences_encode)(words, target, count, width); break;
  case 3: CALL(deltas_encode)(words, others, target, count, width); break;
  case 4:
    memcpy(target, words, count * width);
    CALL(deltas_decode)(target, others, count, width);
    break;
  case 5: CALL(bytes_transpose)(words, target, count, width); break;
  case 6: CALL(bytes_transpose)(words, target, width, count); break;
  // What is written before the first word that does not fit is not defined.
  case 7:
    if (CALL(narrow_f32)(words, target, count * width / 8)) return 1;
    memset(target, 0, count * width / 2);
    break;
  case 8:
    if (CALL(narrow_f16)(words, target, count * width / 4)) return 1;
    memset(target, 0, count * width / 2);
    break;
  case 9:
    if (CALL(narrow_bf16)(words, target, count * width / 4)) return 1;
    memset(target, 0, count * width / 2);
    break;
  case 10: CALL(widen_f32)(words, target, count * width / 4); break;
  case 11: CALL(widen_f16)(words, target, count * width / 2); break;
  case 12: CALL(widen_bf16)(words, target, count * width / 2); break;
  case 13: return split(set, words, count, width, target);
  case 14: {
    size_t present = SPARSE(sparse_pick)(words, others, count, width, target);
    memset(target + present * width, 0, (count - present) * width);
    return present;
  }
  case 15: return SPARSE(sparse_count)(others, count);
  case 16: SPARSE(sparse_merge)(others, others + bytes, words, target, count, width); break;
  case 17: {
    uint32_t *sums = (uint32_t *)target;
    size_t rows = (count + 8) / 9;
    CALL(levels_sums)
    (words, count, width, 9, sums, sums + rows, sums + 2 * rows, sums + 2 * rows + 9);
    break;
  }
  case 18: CALL(levels_subtract)(words, target, count, width, &levels); break;
  case 19:
    memcpy(target, words, count * width);
    CALL(levels_add)(target, NULL, count, width, &levels);
    break;
  case 20:
    memcpy(target, words, count * width);
    CALL(levels_add)(target, others, count, width, &levels);
    break;
  case 21: CALL(bits_split)(words, target, count * width); break;
  case 22: CALL(bits_merge)(words, target, count * width / 8 * 8); break;
  case 23: return CALL(palette_largest)(words, count * width, 1 << count % 4);
  case 24:
    CALL(palette_unpack)
    (words, (const uint64_t *)others, count, 1 << count % 4, target, width);
    break;
  }
  return 0;
}
