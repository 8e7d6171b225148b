#include "CKernelVariants.h"

#define CKPT_CLONES
#define NAMED(kernel) variant_plain_##kernel
#include "kernels.h"
