#include "CKernelVariants.h"

#if defined(__x86_64__)
#define CKPT_CLONES __attribute__((target("arch=x86-64-v4")))
bool variant_v4_is_supported(void) { return __builtin_cpu_supports("x86-64-v4"); }
#else
#define CKPT_CLONES
bool variant_v4_is_supported(void) { return false; }
#endif
#define NAMED(kernel) variant_v4_##kernel
#include "kernels.h"
