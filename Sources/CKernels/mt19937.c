// The word generator mt19937: its recurrence, a block of 624 words at a time, and its tempering.
//
// Source: Matsumoto and Nishimura, Mersenne Twister, ACM TOMACS 8 (1998).
#include "clones.h"
#include "include/CKernels.h"
#include "mt19937.h"

// Two registers at a time: clang's default of four leaves long remainders of 227 and 396 iterations.
#define IN_PAIRS _Pragma("clang loop vectorize_width(16) interleave_count(2)")

INLINE void twist(uint32_t *state) {
  IN_PAIRS
  for (int i = 0; i < SIZE - MIDDLE; i++)
    state[i] = state[i + MIDDLE] ^ mixed(state[i], state[i + 1]);
  IN_PAIRS
  for (int i = SIZE - MIDDLE; i < SIZE - 1; i++)
    state[i] = state[i + MIDDLE - SIZE] ^ mixed(state[i], state[i + 1]);
  state[SIZE - 1] = state[MIDDLE - 1] ^ mixed(state[SIZE - 1], state[0]);
}

CKPT_CLONES
void ckpt_mt19937_twist(uint32_t *state, size_t times) {
  for (size_t time = 0; time < times; time++) twist(state);
}

CKPT_CLONES
void ckpt_mt19937_temper(const uint32_t *raw, uint32_t *words, size_t count) {
  for (size_t i = 0; i < count; i++) words[i] = tempered(raw[i]);
}

CKPT_CLONES
void ckpt_mt19937_blocks(uint32_t *state, uint32_t *words, size_t blocks) {
  for (size_t block = 0; block < blocks; block++) {
    twist(state);
    for (int i = 0; i < SIZE; i++) words[i] = tempered(state[i]);
    words += SIZE;
  }
}
