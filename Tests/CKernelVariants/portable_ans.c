// The kernels of asymmetric numeral systems without AVX-512's instructions, which otherwise are used where
// the machine has them.
#define CKPT_CLONES
#define CKPT_GATHERS 0
#define ckpt_ans_memory portable_ans_memory
#define ckpt_ans_encode portable_ans_encode
#define ckpt_ans_decode portable_ans_decode
#include "../../Sources/CKernels/ans.c"
