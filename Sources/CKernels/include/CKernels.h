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
