// The clones of each kernel (clones.h) under names of their own, so that tests can compare them: these
// are the functions of which the program's loader chooses one, not copies of them.
#pragma once
#include "CKernels.h"

#if defined(__x86_64__) && defined(__linux__)
#define CLONE(set, suffix, kernel) \
  __typeof__(ckpt_##kernel) variant_##set##_##kernel __asm__("ckpt_" #kernel suffix);
#else
#define CLONE(set, suffix, kernel) \
  __typeof__(ckpt_##kernel) variant_##set##_##kernel __asm__("ckpt_" #kernel);
#endif
#define CLONES(kernel)                       \
  CLONE(v4, ".arch_x86-64-v4.0", kernel)     \
  CLONE(v3, ".arch_x86-64-v3.1", kernel)     \
  CLONE(plain, ".default.2", kernel)

CLONES(mt19937_twist)
CLONES(mt19937_temper)
CLONES(mt19937_blocks)
CLONES(mt19937_advance)
CLONES(seed_near)
CLONES(seed_sieve)
CLONES(seed_word)
CLONES(uniform_float32)
CLONES(uniform_float64)
CLONES(uniform_bfloat16)
CLONES(uniform_float16)
CLONES(normal_float32)
CLONES(normal_float64)
CLONES(normal_bfloat16)
CLONES(normal_float16)
CLONES(normal_pair)
CLONES(planes_split)
CLONES(planes_merge)
CLONES(equal_neighbors)
CLONES(literals_write)
CLONES(inflate)
CLONES(words_rotate)
CLONES(differences_encode)
CLONES(deltas_encode)
CLONES(deltas_decode)
CLONES(bytes_transpose)
CLONES(narrow_f32)
CLONES(narrow_f16)
CLONES(narrow_bf16)
CLONES(widen_f32)
CLONES(widen_f16)
CLONES(widen_bf16)
CLONES(sparse_split)
CLONES(sparse_pick)
CLONES(sparse_count)
CLONES(sparse_merge)
CLONES(levels_sums)
CLONES(levels_subtract)
CLONES(levels_add)
CLONES(bits_split)
CLONES(bits_merge)
CLONES(palette_largest)
CLONES(palette_unpack)

// The kernels of asymmetric numeral systems without vectors (portable_ans.c).
__typeof__(ckpt_ans_encode) portable_ans_encode;
__typeof__(ckpt_ans_decode) portable_ans_decode;

// The sets of instructions; what this machine can run, and what the loader has chosen on it.
enum { VARIANT_PLAIN, VARIANT_V3, VARIANT_V4 };
bool variant_is_supported(int set);
int variant_chosen(void);

// Runs one of the 25 cloned kernels of the chunk filters (see filters.c) on `count` words of `width`
// bytes and on other bytes, which serve as base, mask, signs, levels, or table.
enum { VARIANT_FILTERS = 25 };
size_t variant_filter(
    int set, int kernel, const uint8_t *words, const uint8_t *others, size_t count, size_t width,
    uint8_t *target);
