#if defined(__x86_64__)
#define CKPT_CLONES __attribute__((target("arch=x86-64-v4")))
#else
#define CKPT_CLONES
#endif
#define NAMED(kernel) variant_v4_##kernel
#include "filters.h"
