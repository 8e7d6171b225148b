// Appends bits to a stream, lowest first.
#pragma once
#include "clones.h"
#include "include/PlaneKernels.h"
#include <string.h>

// Adds up to 56 bits, which must be 0 above that, and writes all whole bytes; overwrites 8 bytes from
// `next` on.
INLINE void put(struct ckpt_bits *target, uint64_t bits, uint64_t count) {
  target->bits |= bits << target->used;
  target->used += count;
  memcpy(target->next, &target->bits, 8);
  target->next += target->used >> 3;
  target->bits >>= target->used & 56;
  target->used &= 7;
}
