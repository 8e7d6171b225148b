// The kernels of sparse words without AVX-512's instructions, which otherwise every clone uses where
// the machine has them.
#define CKPT_CLONES
#define CKPT_COMPRESSES 0
#define ckpt_sparse_split portable_sparse_split
#define ckpt_sparse_pick portable_sparse_pick
#define ckpt_sparse_count portable_sparse_count
#define ckpt_sparse_merge portable_sparse_merge
#include "../../Sources/CKernels/sparse.c"
