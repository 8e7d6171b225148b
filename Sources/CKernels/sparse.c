// Words without those that are 0 apart from their sign: a mask, the signs of the zeros, and the rest.
//
// Each loop stands here twice: word by word, and with the instructions of AVX-512 that compress and
// expand vectors, which are about ten times as fast and which no compiler finds.
#include "bit_writer.h"
#include "clones.h"
#include "include/FilterKernels.h"
#include "include/PlaneKernels.h"
#include "words.h"
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#define COMPRESSING \
  __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi2,bmi,bmi2,popcnt")))
#ifndef CKPT_COMPRESSES
#define CKPT_COMPRESSES \
  (__builtin_cpu_supports("x86-64-v4") && __builtin_cpu_supports("avx512vbmi2"))
#endif
#endif

// At least 32 of the bits from `position` on; zeros after the last byte.
INLINE uint64_t bits_at(const uint8_t *bytes, size_t size, size_t position) {
  uint64_t bits = 0;
  size_t byte = position / 8;
  if (size >= 8 && byte <= size - 8) memcpy(&bits, bytes + byte, 8);
  else if (byte < size) memcpy(&bits, bytes + byte, size - byte);
  return bits >> position % 8;
}

// All ones for 1. The compiler must not know that it is this or 0: it would make a branch of it, which
// fails half the time.
INLINE uint64_t mask_of(uint64_t bit) {
  uint64_t mask = 0 - bit;
  __asm__("" : "+r"(mask));
  return mask;
}

// Where a loop goes on: the next word, and the number of dense words before it.
struct position {
  size_t next, dense;
};

#define SPLIT(word)                                                                          \
  INLINE void split_##word(                                                                  \
      const word *words, size_t count, uint8_t *mask, struct ckpt_bits *signs, word *dense,  \
      struct position *at) {                                                                 \
    size_t number = at->dense;                                                               \
    for (size_t i = at->next; i < count; i += 8) {                                           \
      unsigned length = count - i < 8 ? (unsigned)(count - i) : 8, ones = 0, bits = 0;       \
      unsigned zeros = 0;                                                                    \
      for (unsigned j = 0; j < length; j++) {                                                \
        word value = words[i + j];                                                            \
        unsigned present = (word)(value << 1) != 0;                                           \
        ones |= present << j;                                                                \
        dense[number] = value;                                                               \
        number += present;                                                                   \
        bits |= (unsigned)(value >> (8 * sizeof(word) - 1) & (present ^ 1)) << zeros;         \
        zeros += present ^ 1;                                                                \
      }                                                                                      \
      mask[i / 8] = (uint8_t)ones;                                                           \
      put(signs, bits, zeros);                                                            \
    }                                                                                        \
    at->dense = number;                                                                      \
  }                                                                                          \
                                                                                             \
  INLINE size_t pick_##word(                                                                 \
      const word *words, const uint8_t *mask, size_t count, word *dense, struct position at) { \
    for (; at.next < count; at.next++) {                                                     \
      dense[at.dense] = words[at.next];                                                      \
      at.dense += mask[at.next / 8] >> at.next % 8 & 1;                                      \
    }                                                                                        \
    return at.dense;                                                                         \
  }                                                                                          \
                                                                                             \
  INLINE void merge_##word(                                                                  \
      const uint8_t *mask, const uint8_t *signs, size_t size, const word *dense,             \
      size_t present, word *words, size_t count, struct position at) {                       \
    size_t i = at.next, number = at.dense;                                                   \
    for (; i + 8 <= count && number + 8 <= present; i += 8) {                                \
      unsigned ones = mask[i / 8];                                                           \
      uint64_t bits = bits_at(signs, size, i - number);                                      \
      for (unsigned j = 0; j < 8; j++) {                                                     \
        uint64_t one = ones >> j & 1, sign = bits & (one ^ 1);                               \
        word present_word = (word)(dense[number] & mask_of(one));                            \
        words[i + j] = (word)(present_word | (word)sign << (8 * sizeof(word) - 1));          \
        number += one;                                                                       \
        bits >>= one ^ 1;                                                                    \
      }                                                                                      \
    }                                                                                        \
    for (; i < count; i++) {                                                                 \
      size_t zero = i - number;                                                              \
      if (mask[i / 8] >> i % 8 & 1) words[i] = dense[number++];                              \
      else                                                                                   \
        words[i] = (word)((word)(signs[zero / 8] >> zero % 8 & 1) << (8 * sizeof(word) - 1)); \
    }                                                                                        \
  }

SPLIT(word2)
SPLIT(word4)
SPLIT(word8)

#if defined(__x86_64__)
// The same for as many whole vectors of `lanes` words as there are.
#define SPLIT_VECTORS(word, epi, lanes, all)                                                    \
  COMPRESSING static struct position split_vectors_##word(                                      \
      const word *words, size_t count, uint8_t *mask, struct ckpt_bits *signs, word *dense) {   \
    struct position at = {0, 0};                                                                \
    __m512i magnitude = _mm512_set1_##epi((word)~(word)0 >> 1);                                 \
    struct ckpt_bits target = *signs;                                                           \
    for (; at.next + lanes <= count; at.next += lanes) {                                        \
      __m512i vector = _mm512_loadu_si512(words + at.next);                                     \
      uint32_t ones = (uint32_t)_mm512_test_##epi##_mask(vector, magnitude);                    \
      uint32_t zeros = ~ones & all;                                                             \
      memcpy(mask + at.next / 8, &ones, lanes / 8);                                             \
      _mm512_storeu_si512(dense + at.dense, _mm512_maskz_compress_##epi(ones, vector));         \
      at.dense += (size_t)_mm_popcnt_u32(ones);                                                 \
      put(                                                                                   \
          &target, _pext_u32((uint32_t)_mm512_mov##epi##_mask(vector), zeros),                  \
          (unsigned)_mm_popcnt_u32(zeros));                                                     \
    }                                                                                           \
    *signs = target;                                                                            \
    return at;                                                                                  \
  }                                                                                             \
                                                                                                \
  COMPRESSING static struct position pick_vectors_##word(                                       \
      const word *words, const uint8_t *mask, size_t count, word *dense) {                      \
    struct position at = {0, 0};                                                                \
    for (; at.next + lanes <= count; at.next += lanes) {                                        \
      uint32_t ones = 0;                                                                        \
      memcpy(&ones, mask + at.next / 8, lanes / 8);                                             \
      __m512i vector = _mm512_loadu_si512(words + at.next);                                     \
      _mm512_storeu_si512(dense + at.dense, _mm512_maskz_compress_##epi(ones, vector));         \
      at.dense += (size_t)_mm_popcnt_u32(ones);                                                 \
    }                                                                                           \
    return at;                                                                                  \
  }                                                                                             \
                                                                                                \
  COMPRESSING static struct position merge_vectors_##word(                                      \
      const uint8_t *mask, const uint8_t *signs, size_t size, const word *dense, word *words,   \
      size_t count) {                                                                           \
    struct position at = {0, 0};                                                                \
    for (; at.next + lanes <= count; at.next += lanes) {                                        \
      uint32_t ones = 0;                                                                        \
      memcpy(&ones, mask + at.next / 8, lanes / 8);                                             \
      unsigned number = (unsigned)_mm_popcnt_u32(ones);                                         \
      uint32_t bits = (uint32_t)bits_at(signs, size, at.next - at.dense);                       \
      __m512i vector = _mm512_maskz_loadu_##epi(_bzhi_u32(all, number), dense + at.dense);      \
      __m512i zeros = _mm512_maskz_set1_##epi(                                                  \
          _pdep_u32(bits, ~ones & all), (word)((word)1 << (8 * sizeof(word) - 1)));             \
      _mm512_storeu_si512(                                                                      \
          words + at.next, _mm512_mask_expand_##epi(zeros, ones, vector));                      \
      at.dense += number;                                                                       \
    }                                                                                           \
    return at;                                                                                  \
  }

SPLIT_VECTORS(word2, epi16, 32, 0xffffffff)
SPLIT_VECTORS(word4, epi32, 16, 0xffff)
SPLIT_VECTORS(word8, epi64, 8, 0xff)
#define VECTORS(call, otherwise) (CKPT_COMPRESSES ? (call) : (otherwise))
#else
#define VECTORS(call, otherwise) (otherwise)
#endif

static const struct position start = {0, 0};

#define SPLIT_WORDS(word)                                                        \
  at = VECTORS(split_vectors_##word(words, count, mask, &target, dense), start); \
  split_##word(words, count, mask, &target, dense, &at);

CKPT_CLONES
size_t ckpt_sparse_split(
    const void *words, size_t count, size_t width, uint8_t *mask, uint8_t *signs, void *dense) {
  struct ckpt_bits target = {signs, 0, 0};
  struct position at = start;
  switch (width) {
  case 2: SPLIT_WORDS(word2) break;
  case 4: SPLIT_WORDS(word4) break;
  case 8: SPLIT_WORDS(word8) break;
  }
  return at.dense;
}

#define PICK_WORDS(word)  \
  return pick_##word(     \
      words, mask, count, dense, VECTORS(pick_vectors_##word(words, mask, count, dense), start));

CKPT_CLONES
size_t ckpt_sparse_pick(
    const void *words, const uint8_t *mask, size_t count, size_t width, void *dense) {
  switch (width) {
  case 2: PICK_WORDS(word2)
  case 4: PICK_WORDS(word4)
  case 8: PICK_WORDS(word8)
  }
  return 0;
}

CKPT_CLONES
size_t ckpt_sparse_count(const uint8_t *mask, size_t count) {
  size_t ones = 0, i = 0;
  for (; i + 64 <= count; i += 64) {
    uint64_t bits;
    memcpy(&bits, mask + i / 8, 8);
    ones += (size_t)__builtin_popcountll(bits);
  }
  for (; i < count; i++) ones += mask[i / 8] >> i % 8 & 1;
  return ones;
}

#define MERGE_WORDS(word)                                                           \
  merge_##word(                                                                     \
      mask, signs, size, dense, present, words, count,                              \
      VECTORS(merge_vectors_##word(mask, signs, size, dense, words, count), start));

CKPT_CLONES
void ckpt_sparse_merge(
    const uint8_t *mask, const uint8_t *signs, const void *dense, void *words, size_t count,
    size_t width) {
  size_t present = ckpt_sparse_count(mask, count), size = (count - present + 7) / 8;
  switch (width) {
  case 2: MERGE_WORDS(word2) break;
  case 4: MERGE_WORDS(word4) break;
  case 8: MERGE_WORDS(word8) break;
  }
}
