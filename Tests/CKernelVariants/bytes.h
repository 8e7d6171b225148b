// The kernels of the plane codec under the names that NAMED makes.
#define ckpt_bits variant_bits
#define ckpt_deflated variant_deflated
#define ckpt_planes_split NAMED(planes_split)
#define ckpt_planes_merge NAMED(planes_merge)
#define ckpt_histogram NAMED(histogram)
#define ckpt_equal_neighbors NAMED(equal_neighbors)
#define ckpt_runs_histogram NAMED(runs_histogram)
#define ckpt_literals_write NAMED(literals_write)
#define ckpt_runs_write NAMED(runs_write)
#define ckpt_inflate_memory NAMED(inflate_memory)
#define ckpt_inflate NAMED(inflate)
#include "../../Sources/CKernels/huffman.c"
#include "../../Sources/CKernels/inflate.c"
#include "../../Sources/CKernels/planes.c"
