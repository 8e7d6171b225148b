// All kernels under the names NAMED gives them, compiled as CKPT_CLONES says.
#define ckpt_mt19937_twist NAMED(mt19937_twist)
#define ckpt_mt19937_temper NAMED(mt19937_temper)
#define ckpt_mt19937_blocks NAMED(mt19937_blocks)
#define ckpt_mt19937_power NAMED(mt19937_power)
#define ckpt_mt19937_advance NAMED(mt19937_advance)
#define ckpt_seed_near NAMED(seed_near)
#define ckpt_seed_sieve NAMED(seed_sieve)
#define ckpt_seed_word NAMED(seed_word)
#define ckpt_uniform_float32 NAMED(uniform_float32)
#define ckpt_uniform_float64 NAMED(uniform_float64)
#define ckpt_uniform_bfloat16 NAMED(uniform_bfloat16)
#define ckpt_uniform_float16 NAMED(uniform_float16)
#define ckpt_normal_float32 NAMED(normal_float32)
#define ckpt_normal_float64 NAMED(normal_float64)
#define ckpt_normal_bfloat16 NAMED(normal_bfloat16)
#define ckpt_normal_float16 NAMED(normal_float16)
#include "../../Sources/CKernels/double_normal.c"
#include "../../Sources/CKernels/jump.c"
#include "../../Sources/CKernels/mt19937.c"
#include "../../Sources/CKernels/normal.c"
#include "../../Sources/CKernels/seed_search.c"
#include "../../Sources/CKernels/uniform.c"
