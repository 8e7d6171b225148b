// Advances mt19937 by any number of words: computes a power of x modulo its polynomial and applies
// that power to a state.
//
// Every bit of the stream obeys one recurrence, whose polynomial phi has degree 19937 and 135 terms.
// If x^n is the sum of c_i x^i modulo phi, then word n + k of the stream is the sum of c_i times
// word i + k. All arithmetic is modulo 2, so that a sum is an exclusive or.
// Source: Haramoto, Matsumoto, Nishimura, Panneton, L'Ecuyer, Efficient Jump Ahead for F2-Linear
// Random Number Generators, INFORMS J. Comput. 20 (2008).
#include "clones.h"
#include "include/CKernels.h"
#include "mt19937.h"
#include <string.h>

enum { DEGREE = 19937, LIMBS = 312, CHUNK = 8 };

// Exponents of phi below its degree. The gap of 623 up to the degree lets whole chunks of eight
// limbs be reduced at once.
static const uint16_t exponents[] = {
    0,     1189,  1416,  1585,  1643,  1870,  2493,  2773,  3000,  3227,  3454,  3681,  3908,
    4135,  4362,  4753,  5661,  6337,  6569,  7129,  7477,  7525,  7583,  7752,  7979,  8206,
    9505,  9901,  9969,  10128, 10693, 10761, 10920, 11089, 11147, 11157, 11215, 11321, 11374,
    11384, 11485, 11611, 11712, 11717, 11838, 11881, 11944, 11997, 12277, 12335, 12393, 12504,
    12509, 12620, 12673, 12731, 12736, 12789, 12905, 12958, 12963, 13137, 13185, 13190, 13243,
    13301, 13412, 13528, 13533, 13639, 13697, 13760, 13813, 13866, 14093, 14151, 14209, 14320,
    14325, 14436, 14547, 14552, 14605, 14721, 14774, 14779, 14953, 15001, 15006, 15059, 15117,
    15228, 15344, 15349, 15455, 15513, 15576, 15629, 15682, 15909, 15967, 16025, 16136, 16141,
    16252, 16363, 16368, 16421, 16537, 16590, 16595, 16817, 16822, 16875, 16933, 17044, 17160,
    17271, 17329, 17445, 17498, 17725, 17783, 17841, 17952, 18068, 18179, 18237, 18406, 18633,
    18691, 18860, 19087, 19314,
};
enum { TERMS = sizeof exponents / sizeof *exponents };

// Reduces `count` limbs at bit `at` of a polynomial: replaces x^DEGREE by the lower terms of phi.
INLINE void fold(uint64_t *polynomial, const uint64_t *limbs, int count, int at) {
  for (int term = 0; term < TERMS; term++) {
    int bit = at - DEGREE + exponents[term];
    uint64_t *target = polynomial + bit / 64;
    int shift = bit % 64;
    for (int i = 0; i < count; i++) target[i] ^= limbs[i] << shift;
    for (int i = 0; i < count; i++) target[i + 1] ^= limbs[i] >> 1 >> (63 - shift);
  }
}

// Puts a zero bit after each of 32 bits: the square of a polynomial with 32 coefficients.
INLINE uint64_t spread(uint64_t half) {
  half = (half | half << 16) & 0x0000ffff0000ffff;
  half = (half | half << 8) & 0x00ff00ff00ff00ff;
  half = (half | half << 4) & 0x0f0f0f0f0f0f0f0f;
  half = (half | half << 2) & 0x3333333333333333;
  return (half | half << 1) & 0x5555555555555555;
}

// Reduces the last limb, which has bits both below and above the degree.
INLINE void fold_last(uint64_t *polynomial) {
  uint64_t above = polynomial[LIMBS - 1] >> DEGREE % 64;
  polynomial[LIMBS - 1] ^= above << DEGREE % 64;
  fold(polynomial, &above, 1, DEGREE);
}

// Squares a polynomial modulo phi.
INLINE void square(uint64_t *polynomial) {
  uint64_t product[2 * LIMBS + 1];
  for (int i = 0; i < LIMBS; i++) {
    product[2 * i] = spread(polynomial[i] & 0xffffffff);
    product[2 * i + 1] = spread(polynomial[i] >> 32);
  }
  for (int at = 2 * LIMBS - CHUNK; at >= LIMBS; at -= CHUNK) {
    uint64_t chunk[CHUNK];
    memcpy(chunk, product + at, sizeof chunk);
    fold(product, chunk, CHUNK, 64 * at);
  }
  fold_last(product);
  memcpy(polynomial, product, LIMBS * sizeof *polynomial);
}

void ckpt_mt19937_power(uint64_t exponent, uint64_t *polynomial) {
  memset(polynomial, 0, LIMBS * sizeof *polynomial);
  // Square and multiply by x. The exponent's leading bits, as long as their value is below the
  // degree, need no computation.
  int left = 0;
  while (exponent >> left >= DEGREE) left++;
  uint64_t leading = exponent >> left;
  polynomial[leading / 64] = 1ull << leading % 64;
  while (left-- > 0) {
    square(polynomial);
    if (!(exponent >> left & 1)) continue;
    for (int i = LIMBS - 1; i > 0; i--)
      polynomial[i] = polynomial[i] << 1 | polynomial[i - 1] >> 63;
    polynomial[0] <<= 1;
    fold_last(polynomial);
  }
}

CKPT_CLONES
void ckpt_mt19937_advance(const uint64_t *polynomial, uint32_t *raw, uint32_t *state) {
  memcpy(raw, state, SIZE * sizeof *raw);
  for (int i = 0; i < DEGREE; i++)
    raw[i + SIZE] = raw[i + MIDDLE] ^ mixed(raw[i], raw[i + 1]);
  memset(state, 0, SIZE * sizeof *state);
  for (int limb = 0; limb < LIMBS; limb++)
    for (uint64_t bits = polynomial[limb]; bits; bits &= bits - 1) {
      const uint32_t *from = raw + 64 * limb + __builtin_ctzll(bits);
      for (int k = 0; k < SIZE; k++) state[k] ^= from[k];
    }
}
