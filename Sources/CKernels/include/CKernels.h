// The loops of this project that are worth writing in C: each is several times faster than the same
// loop in Swift, because clang compiles it once per instruction set (clones.h). Plain pointers and
// sizes; no allocation, no I/O, no global state. The Swift callers check all bounds.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "FilterKernels.h"
#include "ParityKernels.h"
#include "PlaneKernels.h"

// Replaces the 624 state words of a generator by the next 624, `times` times.
void ckpt_mt19937_twist(uint32_t *state, size_t times);

// Turns words of the recurrence into the generator's output words.
void ckpt_mt19937_temper(const uint32_t *raw, uint32_t *words, size_t count);

// Twists `blocks` times and outputs all 624 words each time.
void ckpt_mt19937_blocks(uint32_t *state, uint32_t *words, size_t blocks);

// The coefficients of x^exponent modulo the generator's polynomial: 19937 bits in 312 limbs, least
// significant first.
void ckpt_mt19937_power(uint64_t exponent, uint64_t *polynomial);

// Replaces 624 successive words of the recurrence by those `exponent` words later, except for the low
// 31 bits of the first word, on which nothing depends. `raw` is scratch memory for 20561 words.
void ckpt_mt19937_advance(const uint64_t *polynomial, uint32_t *raw, uint32_t *state);

// Values of uniform_(from, to), one per word (float64: one per two words): u * (to - from) + from,
// rounded once if `fuse`, else twice. `target` need not be aligned.
void ckpt_uniform_float32(
    const uint32_t *words, void *target, size_t count, float from, float to, bool fuse);
void ckpt_uniform_float64(
    const uint32_t *words, void *target, size_t count, double from, double to, bool fuse);
void ckpt_uniform_bfloat16(
    const uint32_t *words, void *target, size_t count, float from, float to, bool fuse);
void ckpt_uniform_float16(
    const uint32_t *words, void *target, size_t count, float from, float to, bool fuse);

// Standard normals times `deviation` plus `mean`, computed as in PyTorch's vectorized path: 16
// elements from each 16 words of the generator (float64: from each 32). `target` has room for
// 16 * blocks elements and need not be aligned.
void ckpt_normal_float32(
    const uint32_t *words, void *target, size_t blocks, float mean, float deviation);
void ckpt_normal_float64(
    const uint32_t *words, void *target, size_t blocks, double mean, double deviation);
void ckpt_normal_bfloat16(
    const uint32_t *words, void *target, size_t blocks, float mean, float deviation);
void ckpt_normal_float16(
    const uint32_t *words, void *target, size_t blocks, float mean, float deviation);

// Two standard normals, computed as in PyTorch's serial path from the low 53 bits of two draws.
struct ckpt_pair {
  double first, second;
};
struct ckpt_pair ckpt_normal_pair(uint64_t angle, uint64_t radius);

// Tests the 64 * groups seeds from `first` on and writes to `hits`, in order, those whose word at
// `position` (counted from seeding, below 227), masked, is in `low` ... `low + width`; returns their
// number. `hits` must have room for 64 * groups + 1 seeds.
size_t ckpt_seed_near(
    uint32_t first, size_t groups, uint32_t position, uint32_t mask, uint32_t low, uint32_t width,
    uint32_t *hits);

// A field of up to 24 bits of a later output word, as sums of bits of the seeded state. For each of
// the 624 state words there are eight masks, one per bit for the field's highest eight bits, lowest
// first; after these, sixteen masks per state word for the other bits, zero for bits that the field
// does not have.
enum { CKPT_SIEVE_BITS = 8, CKPT_REST_BITS = 16 };

// Tests 64 * groups seeds by the field's eight highest bits, which must be in `low` ... `low + width`.
size_t ckpt_seed_sieve(
    uint32_t first, size_t groups, uint32_t low, uint32_t width, const uint32_t *masks,
    uint32_t *hits);

// The field that one seed yields, its highest eight bits from bit 16 up and the others below.
uint32_t ckpt_seed_word(uint32_t seed, const uint32_t *masks);

// BLAKE3 of bytes that are cut into chunks of 1 MiB, each a complete subtree of 1024 leaves.
//
// One chunk: `n` bytes, at most 2^20, fewer only at the end of all; `first_leaf` is its position in
// KiB. `cv` gets its chaining value, and `root` the hash that it has if it is all there is; either may
// be null. 32 bytes each.
void ckpt_blake3_chunk(
    const uint8_t *data, size_t n, uint64_t first_leaf, uint8_t *cv, uint8_t *root);

// The value of `count` >= 1 neighboring subtrees from theirs, in order; the list is used up. With
// `is_root` they are all there is, at least two, and the value is the hash. Without, they must form a
// subtree: 2^k chunks that begin at a multiple of 2^k, or fewer if they are the last ones.
void ckpt_blake3_merge(uint8_t *cvs, size_t count, bool is_root, uint8_t *out);
