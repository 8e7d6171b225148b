// The recurrence of mt19937 and its tempering.
#pragma once
#include "clones.h"
#include <stdint.h>

enum { SIZE = 624, MIDDLE = 397 };

// The contribution of words i and i + 1 to word i + 624; the other one is word i + 397.
INLINE uint32_t mixed(uint32_t high, uint32_t low) {
  uint32_t both = (high & 0x80000000) | (low & 0x7fffffff);
  return both >> 1 ^ (-(low & 1) & 0x9908b0df);
}

// The output word for a word of the recurrence.
INLINE uint32_t tempered(uint32_t y) {
  y ^= y >> 11;
  y ^= y << 7 & 0x9d2c5680;
  y ^= y << 15 & 0xefc60000;
  return y ^ y >> 18;
}
