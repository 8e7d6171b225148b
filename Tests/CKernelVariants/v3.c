#include "CKernelVariants.h"

#if defined(__x86_64__)
#define CKPT_CLONES __attribute__((target("arch=x86-64-v3")))
bool variant_v3_is_supported(void) { return __builtin_cpu_supports("x86-64-v3"); }
#else
#define CKPT_CLONES
bool variant_v3_is_supported(void) { return false; }
#endif
#define NAMED(kernel) variant_v3_##kernel
#include "kernels.h"
