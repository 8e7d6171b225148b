#include "CKernelVariants.h"

#if defined(__x86_64__)
#define CKPT_FMA_CLONES __attribute__((target("arch=x86-64-v3")))
bool variant_fma_is_supported(void) { return __builtin_cpu_supports("fma") && __builtin_cpu_supports("avx2"); }
#else
#define CKPT_FMA_CLONES
bool variant_fma_is_supported(void) { return true; }
#endif
#define ckpt_normal_blocks variant_fma_normal_blocks
#include "../../Sources/CKernels/normal.c"
