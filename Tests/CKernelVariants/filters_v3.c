#if defined(__x86_64__)
#define CKPT_CLONES __attribute__((target("arch=x86-64-v3")))
#else
#define CKPT_CLONES
#endif
#define NAMED(kernel) variant_v3_##kernel
#define CKPT_COMPRESSES 0
#include "filters.h"
