#define CKPT_CLONES
#define NAMED(kernel) variant_plain_##kernel
#define CKPT_COMPRESSES 0
#include "filters.h"
