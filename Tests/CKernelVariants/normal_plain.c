#define CKPT_FMA_CLONES
#define ckpt_normal_blocks variant_plain_normal_blocks
#include "../../Sources/CKernels/normal.c"
