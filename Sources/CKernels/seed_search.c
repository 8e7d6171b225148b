// Which seeds give a certain word? mt19937's seeding is one long chain of multiplications, so 64
// seeds are run side by side: 398 steps and three words of the state decide about one of the first
// 227 words, the whole state about a later one.
//
// Source: Matsumoto and Nishimura, mt19937ar.c (2002), init_genrand and genrand_int32.
#include "CKernels.h"
#include "clones.h"

#define LANES 64
#define SIZE 624
#define MIDDLE 397

typedef uint32_t row[LANES];

INLINE uint32_t twisted(uint32_t high, uint32_t low, uint32_t middle) {
  uint32_t y = (high & 0x80000000u) | (low & 0x7fffffffu);
  return middle ^ (y >> 1) ^ ((y & 1) * 0x9908b0dfu);
}

INLINE uint32_t tempered(uint32_t y) {
  y ^= y >> 11;
  y ^= (y << 7) & 0x9d2c5680u;
  y ^= (y << 15) & 0xefc60000u;
  return y ^ (y >> 18);
}

CKPT_CLONES
size_t ckpt_seed_search(
    uint32_t first, size_t groups, const ckpt_word_range *range, uint32_t *scratch,
    uint32_t *hits) {
  row *state = (row *)scratch;
  const size_t place = range->position % SIZE;
  const size_t twists = range->position / SIZE;
  const int isShort = twists == 0 && place + MIDDLE + 1 <= SIZE;
  const size_t rows = isShort ? place + MIDDLE + 1 : SIZE;
  size_t found = 0;
  for (size_t group = 0; group < groups; group++) {
    const uint32_t base = first + (uint32_t)(group * LANES);
    for (size_t lane = 0; lane < LANES; lane++) state[0][lane] = base + (uint32_t)lane;
    for (size_t index = 1; index < rows; index++) {
#pragma clang loop vectorize(assume_safety)
      for (size_t lane = 0; lane < LANES; lane++) {
        uint32_t previous = state[index - 1][lane];
        state[index][lane] = 1812433253u * (previous ^ (previous >> 30)) + (uint32_t)index;
      }
    }
    for (size_t round = 0; round <= twists && !isShort; round++) {
      const size_t end = round < twists ? SIZE : place + 1;
      for (size_t index = 0; index < end; index++) {
        uint32_t *high = state[index], *low = state[(index + 1) % SIZE];
        uint32_t *middle = state[(index + MIDDLE) % SIZE];
        // Three rows that differ from one another, which the compiler cannot know.
#pragma clang loop vectorize(assume_safety)
        for (size_t lane = 0; lane < LANES; lane++) {
          high[lane] = twisted(high[lane], low[lane], middle[lane]);
        }
      }
    }
    for (size_t lane = 0; lane < LANES; lane++) {
      uint32_t raw = state[place][lane];
      if (isShort) raw = twisted(raw, state[place + 1][lane], state[place + MIDDLE][lane]);
      uint32_t value = tempered(raw) & range->mask;
      hits[found] = base + (uint32_t)lane;
      found += value - range->low <= range->width;
    }
  }
  return found;
}
