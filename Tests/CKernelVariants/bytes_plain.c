#define CKPT_CLONES
#define NAMED(kernel) variant_plain_##kernel
#include "bytes.h"
