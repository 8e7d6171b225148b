// Included first in every kernel: one compilation per instruction set, chosen when the program is
// loaded, and the same results from each.
#pragma once

#if !defined(CKPT_FMA_CLONES) && defined(__x86_64__) && defined(__linux__)
// With and without fused multiply-add in hardware; x86-64-v3 is AVX2 and FMA.
#define CKPT_FMA_CLONES __attribute__((target_clones("arch=x86-64-v3", "default")))
#endif
#ifndef CKPT_FMA_CLONES
#define CKPT_FMA_CLONES
#endif

#if !defined(CKPT_CLONES) && defined(__x86_64__) && defined(__linux__)
#define CKPT_CLONES \
  __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#endif
#ifndef CKPT_CLONES
#define CKPT_CLONES
#endif
#ifndef INLINE
#define INLINE static inline __attribute__((always_inline))
#endif

// A product and a sum are fused where the source says so, and nowhere else.
#pragma STDC FP_CONTRACT OFF
