// Loops of this project that are worth their C: each is several times faster than the same loop in
// Swift, because clang compiles it once per instruction set (clones.h). Plain pointers and sizes;
// no allocation, no input or output, no state. Bounds are checked by the Swift that calls.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "PlaneKernels.h"

// Replaces the 624 words of a generator by those that follow, `times` times.
void ckpt_mt19937_twist(uint32_t *state, size_t times);

// Turns words of the recurrence into those the generator gives out.
void ckpt_mt19937_temper(const uint32_t *raw, uint32_t *words, size_t count);

// Twists `blocks` times and gives out all 624 words each time.
void ckpt_mt19937_blocks(uint32_t *state, uint32_t *words, size_t blocks);

// The coefficients of x^exponent modulo the generator's polynomial: 19937 bits in 312 limbs, the
// lowest first.
void ckpt_mt19937_power(uint64_t exponent, uint64_t *polynomial);

// Replaces 624 successive words of the recurrence by those `exponent` words further on, but for the
// low 31 bits of the first, on which nothing depends. `raw` is room for 20561 words.
void ckpt_mt19937_advance(const uint64_t *polynomial, uint32_t *raw, uint32_t *state);

// Values of uniform_(from, to), one from each word, for float64 from each two: u * (to - from) +
// from, rounded once if `fuse`, else twice. `target` need not be aligned.
void ckpt_uniform_float32(
    const uint32_t *words, void *target, size_t count, float from, float to, bool fuse);
void ckpt_uniform_float64(
    const uint32_t *words, void *target, size_t count, double from, double to, bool fuse);
void ckpt_uniform_bfloat16(
    const uint32_t *words, void *target, size_t count, float from, float to, bool fuse);
void ckpt_uniform_float16(
    const uint32_t *words, void *target, size_t count, float from, float to, bool fuse);

// Standard normals times `deviation` plus `mean`, as PyTorch's vector path makes them: 16 elements
// from each 16 words of the generator, for float64 from each 32. `target` holds 16 * blocks and need not be aligned.
void ckpt_normal_float32(
    const uint32_t *words, void *target, size_t blocks, float mean, float deviation);
void ckpt_normal_float64(
    const uint32_t *words, void *target, size_t blocks, double mean, double deviation);
void ckpt_normal_bfloat16(
    const uint32_t *words, void *target, size_t blocks, float mean, float deviation);
void ckpt_normal_float16(
    const uint32_t *words, void *target, size_t blocks, float mean, float deviation);

// Tests the 64 * groups seeds from `first` on and writes those to `hits`, in order, whose word at
// `position`, counted from seeding and below 227, is `low` to `low + width` under a mask; returns
// how many. `hits` needs room for 64 * groups + 1 seeds, `scratch` for 64 * 624 words.
size_t ckpt_seed_near(
    uint32_t first, size_t groups, uint32_t position, uint32_t mask, uint32_t low, uint32_t width,
    uint32_t *scratch, uint32_t *hits);

// A field of up to 24 bits of a word far on, as sums of bits of the seeded state: for each of its
// 624 words eight masks, one for each of the field's highest bits, lowest first; then for each word
// sixteen masks for the others, none for those that the field does not have.
enum { CKPT_SIEVE_BITS = 8, CKPT_REST_BITS = 16 };

// Tests 64 * groups seeds by the field's eight highest bits: `low` to `low + width`.
size_t ckpt_seed_sieve(
    uint32_t first, size_t groups, uint32_t low, uint32_t width, const uint32_t *masks,
    uint32_t *hits);

// The field that one seed gives, its highest bits from bit 16 on and the others below.
uint32_t ckpt_seed_word(uint32_t seed, const uint32_t *masks);
