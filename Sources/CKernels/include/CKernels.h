// Loops of this project that are worth their C: each is several times faster than the same loop in
// Swift, because clang compiles it once per instruction set (clones.h). Plain pointers and sizes;
// no allocation, no input or output, no state. Bounds are checked by the Swift that calls.
#pragma once
#include <stddef.h>
#include <stdint.h>

// Standard normals times `deviation` plus `mean`, as PyTorch's vector path makes them: 16 floats
// from each 16 words of the generator. `target` holds 16 * blocks floats and need not be aligned.
void ckpt_normal_blocks(
    const uint32_t *words, void *target, size_t blocks, float mean, float deviation);

// A word of the stream, counted from seeding, and the values that some of its low bits may have:
// `low` to `low + width`, both included.
typedef struct {
  uint32_t position, mask, low, width;
} ckpt_word_range;

// Tests the 64 * groups seeds from `first` on and writes those whose word lies in the range to
// `hits`, in order; returns how many. `hits` needs room for 64 * groups + 1 seeds, `scratch` for
// 64 * 624 words.
size_t ckpt_seed_search(
    uint32_t first, size_t groups, const ckpt_word_range *range, uint32_t *scratch,
    uint32_t *hits);
