// Each kernel once per instruction set, under its own name, so that tests can compare them.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

bool variant_v3_is_supported(void);
bool variant_v4_is_supported(void);

#define VARIANT(set)                                                                          \
  void variant_##set##_mt19937_twist(uint32_t *state, size_t times);                          \
  void variant_##set##_mt19937_temper(const uint32_t *raw, uint32_t *words, size_t count);    \
  void variant_##set##_mt19937_blocks(uint32_t *state, uint32_t *words, size_t blocks);       \
  void variant_##set##_mt19937_power(uint64_t exponent, uint64_t *polynomial);                \
  void variant_##set##_mt19937_advance(                                                       \
      const uint64_t *polynomial, uint32_t *raw, uint32_t *state);                            \
  size_t variant_##set##_seed_near(                                                           \
      uint32_t first, size_t groups, uint32_t position, uint32_t mask, uint32_t low,          \
      uint32_t width, uint32_t *scratch, uint32_t *hits);                                     \
  size_t variant_##set##_seed_sieve(                                                          \
      uint32_t first, size_t groups, uint32_t low, uint32_t width, const uint32_t *masks,     \
      uint32_t *hits);                                                                        \
  uint32_t variant_##set##_seed_word(uint32_t seed, const uint32_t *masks);                   \
  void variant_##set##_uniform_float32(                                                       \
      const uint32_t *words, void *target, size_t count, float from, float to, bool fuse);    \
  void variant_##set##_uniform_float64(                                                       \
      const uint32_t *words, void *target, size_t count, double from, double to, bool fuse);  \
  void variant_##set##_uniform_bfloat16(                                                      \
      const uint32_t *words, void *target, size_t count, float from, float to, bool fuse);    \
  void variant_##set##_uniform_float16(                                                       \
      const uint32_t *words, void *target, size_t count, float from, float to, bool fuse);    \
  void variant_##set##_normal_float32(                                                        \
      const uint32_t *words, void *target, size_t blocks, float mean, float deviation);       \
  void variant_##set##_normal_float64(                                                        \
      const uint32_t *words, void *target, size_t blocks, double mean, double deviation);     \
  void variant_##set##_normal_bfloat16(                                                       \
      const uint32_t *words, void *target, size_t blocks, float mean, float deviation);       \
  void variant_##set##_normal_float16(                                                        \
      const uint32_t *words, void *target, size_t blocks, float mean, float deviation);

VARIANT(plain)
VARIANT(v3)
VARIANT(v4)

// The kernels of the plane codec; PlaneKernels.h documents them.

struct variant_bits {
  uint8_t *next;
  uint64_t bits;
  uint64_t used;
};

struct variant_deflated {
  const uint8_t *stream;
  size_t size;
  uint8_t *target;
  size_t count;
};

#define VARIANT_OF_BYTES(variant)                                                             \
  void variant_##variant##_planes_split(                                                      \
      const void *words, uint8_t *const *planes, size_t count, size_t width, int rotated);    \
  void variant_##variant##_planes_merge(                                                      \
      const uint8_t *const *planes, void *words, size_t count, size_t width, int rotated);    \
  void variant_##variant##_literals_write(                                                    \
      struct variant_bits *target, const uint8_t *bytes, size_t count, const uint32_t *codes, \
      uint32_t *pairs);                                                                       \
  unsigned variant_##variant##_inflate(                                                       \
      void *memory, const struct variant_deflated *streams, unsigned number,                  \
      int is_plain_only, size_t *made);

VARIANT_OF_BYTES(v4)
VARIANT_OF_BYTES(v3)
VARIANT_OF_BYTES(plain)

size_t variant_plain_inflate_memory(void);

// Runs one of the 25 kernels of the chunk filters (see filters.h) on `count` words of `width` bytes
// and on other bytes, which serve as base, mask, signs, levels, or table.
enum { VARIANT_FILTERS = 25 };

#define VARIANT_OF_FILTERS(variant)                                                           \
  size_t variant_##variant##_filter(                                                          \
      int kernel, const uint8_t *words, const uint8_t *others, size_t count, size_t width,    \
      uint8_t *target);

VARIANT_OF_FILTERS(v4)
VARIANT_OF_FILTERS(v3)
VARIANT_OF_FILTERS(plain)
