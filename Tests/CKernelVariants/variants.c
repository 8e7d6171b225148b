#include "CKernelVariants.h"

bool variant_is_supported(int set) {
#if defined(__x86_64__)
  if (set == VARIANT_V4) return __builtin_cpu_supports("x86-64-v4");
  if (set == VARIANT_V3) return __builtin_cpu_supports("x86-64-v3");
#endif
  return set == VARIANT_PLAIN;
}

#if defined(__x86_64__) && defined(__linux__)
typedef __typeof__(ckpt_mt19937_twist) twist;
twist *resolve(void) __asm__("ckpt_mt19937_twist.resolver");

// What the loader asks for the address of a kernel.
int variant_chosen(void) {
  twist *chosen = resolve();
  return chosen == variant_v4_mt19937_twist      ? VARIANT_V4
         : chosen == variant_v3_mt19937_twist    ? VARIANT_V3
         : chosen == variant_plain_mt19937_twist ? VARIANT_PLAIN
                                                 : -1;
}
#else
int variant_chosen(void) { return VARIANT_PLAIN; }
#endif
