// Included first in every kernel: compiles it once per instruction set, selected when the program is
// loaded, with the same results from each.
#pragma once

#if !defined(CKPT_CLONES) && defined(__x86_64__) && defined(__linux__)
// x86-64-v3 is AVX2 and fused multiply-add in hardware, x86-64-v4 AVX-512.
#define CKPT_CLONES \
  __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#endif
#ifndef CKPT_CLONES
#define CKPT_CLONES
#endif

#define INLINE static inline __attribute__((always_inline))

// Fuse a product and a sum only where the source does so explicitly.
#pragma STDC FP_CONTRACT OFF
