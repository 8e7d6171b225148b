// Finds the seeds that yield a certain output word. mt19937's seeding is one long chain of
// multiplications; therefore several seeds run side by side. Each of the first 227 words needs 398 steps
// of the chain and three state words. Every bit of a later word is the sum modulo 2 of certain bits
// of the seeded state: the state words are masked and summed as they are produced, for eight bits of
// the output word, and the few seeds that pass are tested for the other bits.
//
// Source: Matsumoto and Nishimura, mt19937ar.c (2002), init_genrand and genrand_int32.
#include "clones.h"
#include "include/CKernels.h"
#include "mt19937.h"

// Rows of SIEVE masks, then rows of REST masks, one row per state word.
enum { LANES = 64, SIEVE = CKPT_SIEVE_BITS, REST = CKPT_REST_BITS, HALF = 16 };

typedef uint32_t half __attribute__((vector_size(4 * HALF)));

INLINE uint32_t seeded(uint32_t previous, int i) {
  return 1812433253u * (previous ^ previous >> 30) + (uint32_t)i;
}

INLINE uint32_t parity(uint32_t x) { return (uint32_t)__builtin_parity(x); }

enum { PARTS = LANES / HALF };

// Moves the states of 64 seeds from state word `from` to `to`.
INLINE void advance(half *states, int from, int to) {
  for (int i = from + 1; i <= to; i++) {
    _Pragma("clang loop unroll(full)") for (int part = 0; part < PARTS; part++)
      states[part] = 1812433253u * (states[part] ^ states[part] >> 30) + (uint32_t)i;
  }
}

// Stores output word `position`, below 227, of the 64 seeds from `first` on in `word`. The states stay in
// registers; three of them make the word.
INLINE void near_word(uint32_t first, int position, uint32_t *word) {
  half states[PARTS], high[PARTS], low[PARTS];
  for (int lane = 0; lane < LANES; lane++) states[lane / HALF][lane % HALF] = first + (uint32_t)lane;
  advance(states, 0, position);
  for (int part = 0; part < PARTS; part++) high[part] = states[part];
  advance(states, position, position + 1);
  for (int part = 0; part < PARTS; part++) low[part] = states[part];
  advance(states, position + 1, position + MIDDLE);
  for (int lane = 0; lane < LANES; lane++) {
    int part = lane / HALF, place = lane % HALF;
    word[lane] = tempered(states[part][place] ^ mixed(high[part][place], low[part][place]));
  }
}

// Stores the eight sieve bits of the 32 seeds from `first` on in `bits`. Two registers of seeds with
// eight sums each are as many as the larger register files hold.
INLINE void sieve(uint32_t first, const uint32_t *masks, uint32_t *bits) {
  half a, b, sum_a[SIEVE] = {0}, sum_b[SIEVE] = {0};
  for (int lane = 0; lane < HALF; lane++) {
    a[lane] = first + (uint32_t)lane;
    b[lane] = first + HALF + (uint32_t)lane;
  }
  for (int i = 0; i < SIZE; i++, masks += SIEVE) {
    if (i > 0) {
      a = 1812433253u * (a ^ a >> 30) + (uint32_t)i;
      b = 1812433253u * (b ^ b >> 30) + (uint32_t)i;
    }
    _Pragma("clang loop unroll(full)") for (int bit = 0; bit < SIEVE; bit++) {
      sum_a[bit] ^= a & masks[bit];
      sum_b[bit] ^= b & masks[bit];
    }
  }
  for (int lane = 0; lane < HALF; lane++) {
    bits[lane] = bits[lane + HALF] = 0;
    for (int bit = 0; bit < SIEVE; bit++) {
      bits[lane] |= parity(sum_a[bit][lane]) << bit;
      bits[lane + HALF] |= parity(sum_b[bit][lane]) << bit;
    }
  }
}

CKPT_CLONES
uint32_t ckpt_seed_word(uint32_t seed, const uint32_t *masks) {
  const uint32_t *others = masks + SIZE * SIEVE;
  uint32_t high[SIEVE] = {0}, low[REST] = {0}, state = seed, word = 0;
  for (int i = 0; i < SIZE; i++) {
    if (i > 0) state = seeded(state, i);
    for (int bit = 0; bit < SIEVE; bit++) high[bit] ^= state & masks[SIEVE * i + bit];
    for (int bit = 0; bit < REST; bit++) low[bit] ^= state & others[REST * i + bit];
  }
  for (int bit = 0; bit < REST; bit++) word |= parity(low[bit]) << bit;
  for (int bit = 0; bit < SIEVE; bit++) word |= parity(high[bit]) << (REST + bit);
  return word;
}

CKPT_CLONES
size_t ckpt_seed_near(
    uint32_t first, size_t groups, uint32_t position, uint32_t mask, uint32_t low, uint32_t width,
    uint32_t *hits) {
  size_t found = 0;
  for (size_t group = 0; group < groups; group++) {
    const uint32_t base = first + (uint32_t)(group * LANES);
    uint32_t word[LANES];
    near_word(base, (int)position, word);
    for (int lane = 0; lane < LANES; lane++) {
      hits[found] = base + (uint32_t)lane;
      found += (word[lane] & mask) - low <= width;
    }
  }
  return found;
}

CKPT_CLONES
size_t ckpt_seed_sieve(
    uint32_t first, size_t groups, uint32_t low, uint32_t width, const uint32_t *masks,
    uint32_t *hits) {
  size_t found = 0;
  for (size_t group = 0; group < 2 * groups; group++) {
    const uint32_t base = first + (uint32_t)(group * 2 * HALF);
    uint32_t bits[2 * HALF];
    sieve(base, masks, bits);
    for (int lane = 0; lane < 2 * HALF; lane++) {
      hits[found] = base + (uint32_t)lane;
      found += bits[lane] - low <= width;
    }
  }
  return found;
}
