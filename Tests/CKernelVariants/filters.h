// The kernels of the chunk filters under the names that NAMED makes, and a function that calls any of
// them.
#define ckpt_bits variant_bits
#define ckpt_words_rotate NAMED(words_rotate)
#define ckpt_differences_encode NAMED(differences_encode)
#define ckpt_differences_decode NAMED(differences_decode)
#define ckpt_deltas_encode NAMED(deltas_encode)
#define ckpt_deltas_decode NAMED(deltas_decode)
#define ckpt_bytes_transpose NAMED(bytes_transpose)
#define ckpt_narrow_f32 NAMED(narrow_f32)
#define ckpt_narrow_f16 NAMED(narrow_f16)
#define ckpt_narrow_bf16 NAMED(narrow_bf16)
#define ckpt_widen_f32 NAMED(widen_f32)
#define ckpt_widen_f16 NAMED(widen_f16)
#define ckpt_widen_bf16 NAMED(widen_bf16)
#define ckpt_sparse_split NAMED(sparse_split)
#define ckpt_sparse_pick NAMED(sparse_pick)
#define ckpt_sparse_count NAMED(sparse_count)
#define ckpt_sparse_merge NAMED(sparse_merge)
#define ckpt_levels_sums NAMED(levels_sums)
#define ckpt_levels_subtract NAMED(levels_subtract)
#define ckpt_levels_add NAMED(levels_add)
#define ckpt_bits_split NAMED(bits_split)
#define ckpt_bits_merge NAMED(bits_merge)
#define ckpt_palette_number NAMED(palette_number)
#define ckpt_palette_pack NAMED(palette_pack)
#define ckpt_palette_largest NAMED(palette_largest)
#define ckpt_palette_unpack NAMED(palette_unpack)
#include "../../Sources/CKernels/bits.c"
#include "../../Sources/CKernels/filters.c"
#include "../../Sources/CKernels/levels.c"
#include "../../Sources/CKernels/narrow.c"
#include "../../Sources/CKernels/sparse.c"

size_t NAMED(filter)(
    int kernel, const uint8_t *words, const uint8_t *others, size_t count, size_t width,
    uint8_t *target);

// The parts that sparse_split writes, one after another, and zeros after the last word.
static size_t split(const uint8_t *words, size_t count, size_t width, uint8_t *target) {
  size_t bytes = (count + 7) / 8;
  uint8_t *dense = target + 2 * bytes + 8;
  size_t present = ckpt_sparse_split(words, count, width, target, target + bytes, dense);
  size_t signs = (count - present + 7) / 8;
  memset(target + bytes + signs, 0, bytes + 8 - signs);
  memset(dense + present * width, 0, (count - present) * width);
  return present;
}

size_t NAMED(filter)(
    int kernel, const uint8_t *words, const uint8_t *others, size_t count, size_t width,
    uint8_t *target) {
  const struct ckpt_levels levels = {
      (const uint16_t *)others, (const uint16_t *)others + (count + 8) / 9, 9};
  size_t bytes = (count + 7) / 8;
  switch (kernel) {
  case 0: ckpt_words_rotate(words, target, count, width, 3); break;
  case 1:
    memcpy(target, words, count * width);
    ckpt_words_rotate(target, target, count, width, 5);
    break;
  case 2: ckpt_differences_encode(words, target, count, width); break;
  case 3: ckpt_deltas_encode(words, others, target, count, width); break;
  case 4:
    memcpy(target, words, count * width);
    ckpt_deltas_decode(target, others, count, width);
    break;
  case 5: ckpt_bytes_transpose(words, target, count, width); break;
  case 6: ckpt_bytes_transpose(words, target, width, count); break;
  // What is written before the first word that does not fit is not defined.
  case 7:
    if (ckpt_narrow_f32(words, target, count * width / 8)) return 1;
    memset(target, 0, count * width / 2);
    break;
  case 8:
    if (ckpt_narrow_f16(words, target, count * width / 4)) return 1;
    memset(target, 0, count * width / 2);
    break;
  case 9:
    if (ckpt_narrow_bf16(words, target, count * width / 4)) return 1;
    memset(target, 0, count * width / 2);
    break;
  case 10: ckpt_widen_f32(words, target, count * width / 4); break;
  case 11: ckpt_widen_f16(words, target, count * width / 2); break;
  case 12: ckpt_widen_bf16(words, target, count * width / 2); break;
  case 13: return split(words, count, width, target);
  case 14: {
    size_t present = ckpt_sparse_pick(words, others, count, width, target);
    memset(target + present * width, 0, (count - present) * width);
    return present;
  }
  case 15: return ckpt_sparse_count(others, count);
  case 16: ckpt_sparse_merge(others, others + bytes, words, target, count, width); break;
  case 17: {
    uint32_t *sums = (uint32_t *)target;
    size_t rows = (count + 8) / 9;
    ckpt_levels_sums(words, count, width, 9, sums, sums + rows, sums + 2 * rows, sums + 2 * rows + 9);
    break;
  }
  case 18: ckpt_levels_subtract(words, target, count, width, &levels); break;
  case 19:
    memcpy(target, words, count * width);
    ckpt_levels_add(target, NULL, count, width, &levels);
    break;
  case 20:
    memcpy(target, words, count * width);
    ckpt_levels_add(target, others, count, width, &levels);
    break;
  case 21: ckpt_bits_split(words, target, count * width); break;
  case 22: ckpt_bits_merge(words, target, count * width / 8 * 8); break;
  case 23: return ckpt_palette_largest(words, count * width, 1 << count % 4);
  case 24:
    ckpt_palette_unpack(words, (const uint64_t *)others, count, 1 << count % 4, target, width);
    break;
  }
  return 0;
}
