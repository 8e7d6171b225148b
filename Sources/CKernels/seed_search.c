// Which seeds give a certain word? mt19937's seeding is one long chain of multiplications, so 64
// seeds are run side by side. One of the first 227 words takes 398 steps and three words of the
// state; a later one takes whole states; one far on is a sum of about half of the first 19937 words
// of the recurrence, those whose coefficients in a power of x are set, and so takes no longer
// wherever it is.
//
// Source: Matsumoto and Nishimura, mt19937ar.c (2002), init_genrand and genrand_int32.
#include "clones.h"
#include "include/CKernels.h"
#include "mt19937.h"

enum { LANES = 64, DEGREE = 19937 };

typedef uint32_t row[LANES];

// The rows are those of one ring and differ from one another, which the compiler cannot know.
#define OVER_LANES _Pragma("clang loop vectorize(assume_safety)") for (int lane = 0; lane < LANES; lane++)

INLINE void seed_rows(row *ring, uint32_t first, int count) {
  for (int lane = 0; lane < LANES; lane++) ring[0][lane] = first + (uint32_t)lane;
  for (int i = 1; i < count; i++) {
    const uint32_t *previous = ring[i - 1];
    uint32_t *next = ring[i];
    OVER_LANES next[lane] =
        1812433253u * (previous[lane] ^ previous[lane] >> 30) + (uint32_t)i;
  }
}

// Puts word i + 624 of the recurrence in the place of word i.
INLINE void move_on(row *ring, size_t i) {
  uint32_t *high = ring[i % SIZE];
  const uint32_t *low = ring[(i + 1) % SIZE], *middle = ring[(i + MIDDLE) % SIZE];
  OVER_LANES high[lane] = middle[lane] ^ mixed(high[lane], low[lane]);
}

// Leaves word `position` of the stream, before tempering, in `word`.
INLINE void near_word(row *ring, uint32_t first, uint32_t position, row word) {
  const int needed = position + MIDDLE + 1 < SIZE ? (int)position + MIDDLE + 1 : SIZE;
  seed_rows(ring, first, needed);
  if (needed < SIZE) {
    const uint32_t *high = ring[position], *low = ring[position + 1];
    const uint32_t *middle = ring[position + MIDDLE];
    OVER_LANES word[lane] = middle[lane] ^ mixed(high[lane], low[lane]);
    return;
  }
  for (size_t i = 0; i <= position; i++) move_on(ring, i);
  for (int lane = 0; lane < LANES; lane++) word[lane] = ring[position % SIZE][lane];
}

// The same from the coefficients of x^(position + 623): the sum starts at word 1, since the low
// bits of word 0 take no part in the recurrence.
INLINE void far_word(row *ring, uint32_t first, const uint64_t *polynomial, row word) {
  seed_rows(ring, first, SIZE);
  for (int lane = 0; lane < LANES; lane++) word[lane] = 0;
  for (size_t i = 0; i <= DEGREE; i++) {
    if (i >= SIZE) move_on(ring, i - SIZE);
    if (i == 0 || !(polynomial[(i - 1) / 64] >> (i - 1) % 64 & 1)) continue;
    const uint32_t *term = ring[i % SIZE];
    OVER_LANES word[lane] ^= term[lane];
  }
}

CKPT_CLONES
size_t ckpt_seed_search(
    uint32_t first, size_t groups, const ckpt_word_range *range, const uint64_t *polynomial,
    uint32_t *scratch, uint32_t *hits) {
  row *ring = (row *)scratch;
  size_t found = 0;
  for (size_t group = 0; group < groups; group++) {
    const uint32_t base = first + (uint32_t)(group * LANES);
    row word;
    if (polynomial) far_word(ring, base, polynomial, word);
    else near_word(ring, base, range->position, word);
    for (int lane = 0; lane < LANES; lane++) {
      const uint32_t value = tempered(word[lane]) & range->mask;
      hits[found] = base + (uint32_t)lane;
      found += value - range->low <= range->width;
    }
  }
  return found;
}
