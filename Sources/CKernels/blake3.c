// BLAKE3 in sixteen lanes: lane i of every vector belongs to the i-th of sixteen leaves or parents.
//
// A leaf is what the paper calls a chunk, 1 KiB; a chunk is 1 MiB here. Vectors have 64 bytes on
// every machine: where registers are smaller, clang divides them, and the parts hide each other's
// latency.
//
// Source: O'Connor, Aumasson, Neves, Wilcox-O'Hearn, "BLAKE3: one function, fast everywhere" (2020),
// chapter 2.
#include "clones.h"

#include <string.h>
#include "CKernels.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "words are read as they lie in memory");

enum { LANES = 16, WORDS = 16, BLOCK = 64, ROUNDS = 7, LEAF_BYTES = 1 << 10, CHUNK = 1 << 20, CV = 32 };

// Flags for domain separation (table 3); those of a block are those of what it is part of.
enum { LEAF_START = 1, LEAF_END = 2, LEAF = LEAF_START | LEAF_END, PARENT = 4, ROOT = 8 };

typedef uint32_t words __attribute__((vector_size(4 * LANES)));
typedef uint8_t bytes __attribute__((vector_size(4 * LANES)));

// The first words of the square roots of the first eight primes, as in SHA-256.
static const uint32_t IV[8] = {
    0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

// The order of the message's words in each round: row r is the permutation (table 2) r times over.
static const uint8_t ORDER[ROUNDS][WORDS] = {
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
    {2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8},
    {3, 4, 10, 12, 13, 2, 7, 14, 6, 5, 9, 0, 11, 15, 8, 1},
    {10, 7, 12, 9, 14, 3, 13, 15, 4, 0, 11, 2, 5, 8, 1, 6},
    {12, 13, 9, 11, 15, 10, 14, 8, 7, 2, 5, 3, 0, 1, 6, 4},
    {9, 14, 11, 5, 8, 12, 15, 1, 13, 3, 0, 10, 2, 6, 4, 7},
    {11, 15, 5, 0, 1, 9, 8, 6, 14, 10, 2, 12, 3, 4, 7, 13},
};

// Words rotated to the right. By whole bytes it is a shuffle, one instruction on SSSE3 and AVX2,
// which have no rotation; for AVX-512 clang finds its rotation in either form.
#define IN_EACH_WORD(f) \
  f(0), f(4), f(8), f(12), f(16), f(20), f(24), f(28), \
  f(32), f(36), f(40), f(44), f(48), f(52), f(56), f(60)
#define BY_8(i) i + 1, i + 2, i + 3, i
#define BY_16(i) i + 2, i + 3, i, i + 1
#define SHUFFLED(x, f) (words)__builtin_shufflevector((bytes)(x), (bytes)(x), IN_EACH_WORD(f))
#define ROTATED(x, n) ((x) >> (n) | (x) << (32 - (n)))

// The quarter round G with two words of the message.
INLINE void mix(words *v, int a, int b, int c, int d, const words *x, const words *y) {
  v[a] += *x + v[b];
  v[d] = SHUFFLED(v[d] ^ v[a], BY_16);
  v[c] += v[d];
  v[b] = ROTATED(v[b] ^ v[c], 12);
  v[a] += *y + v[b];
  v[d] = SHUFFLED(v[d] ^ v[a], BY_8);
  v[c] += v[d];
  v[b] = ROTATED(v[b] ^ v[c], 7);
}

// The compression function: sixteen chaining values and blocks give as many new values. The last
// four words of the state are the counter, low word first, the block's length, and the flags.
INLINE void compress(words *cv, const words *message, const words *last_four) {
  words v[WORDS];
  for (int i = 0; i < 8; i++) v[i] = cv[i];
  for (int i = 0; i < 4; i++) v[8 + i] = (words){0} + IV[i];
  for (int i = 0; i < 4; i++) v[12 + i] = last_four[i];
  // A loop, since seven copies of a round of divided vectors do not fit the instruction cache.
  for (int round = 0; round < ROUNDS; round++) {
    const uint8_t *order = ORDER[round];
#define M(i) &message[order[i]]
    mix(v, 0, 4, 8, 12, M(0), M(1));
    mix(v, 1, 5, 9, 13, M(2), M(3));
    mix(v, 2, 6, 10, 14, M(4), M(5));
    mix(v, 3, 7, 11, 15, M(6), M(7));
    mix(v, 0, 5, 10, 15, M(8), M(9));
    mix(v, 1, 6, 11, 12, M(10), M(11));
    mix(v, 2, 7, 8, 13, M(12), M(13));
    mix(v, 3, 4, 9, 14, M(14), M(15));
#undef M
  }
  for (int i = 0; i < 8; i++) cv[i] = v[i] ^ v[8 + i];
}

// Transposes 16 x 16 words: each step exchanges one bit of the row's number for one of the lane's.
// The first two stay within 128 bits, which is cheap, but swap two bits; the last loop mends that.
#define STEP(distance, low, high) \
  for (int i = 0; i < LANES; i += 2 * (distance)) \
    for (int j = i; j < i + (distance); j++) { \
      words a = t[j], b = t[j + (distance)]; \
      t[j] = __builtin_shufflevector(a, b, low); \
      t[j + (distance)] = __builtin_shufflevector(a, b, high); \
    }
#define IN_EACH_FOUR(f) f(0), f(4), f(8), f(12)
#define LOW_1(i) i, i + 16, i + 1, i + 17
#define HIGH_1(i) i + 2, i + 18, i + 3, i + 19
#define LOW_2(i) i, i + 1, i + 16, i + 17
#define HIGH_2(i) i + 2, i + 3, i + 18, i + 19
#define FOURS(a, b, c, d) FOUR(a), FOUR(b), FOUR(c), FOUR(d)
#define FOUR(i) i, i + 1, i + 2, i + 3

INLINE void transpose(words *t) {
  STEP(1, IN_EACH_FOUR(LOW_1), IN_EACH_FOUR(HIGH_1))
  STEP(2, IN_EACH_FOUR(LOW_2), IN_EACH_FOUR(HIGH_2))
  STEP(4, FOURS(0, 16, 8, 24), FOURS(4, 20, 12, 28))
  STEP(8, FOURS(0, 4, 16, 20), FOURS(8, 12, 24, 28))
  for (int i = 1; i < LANES; i += 4) {
    words a = t[i];
    t[i] = t[i + 1];
    t[i + 1] = a;
  }
}

// The chaining values of `count` nodes of `size` bytes each, one after the other: leaves numbered
// from `first_leaf`, or parents, whose 64 bytes are their two children's values. Whole blocks are
// read. A lane without a node repeats the group's first. `cvs` may be `nodes`.
CKPT_CLONES
static void hash_nodes(
    const uint8_t *nodes, size_t count, size_t size, uint64_t first_leaf, uint32_t flags,
    uint8_t *cvs) {
  const words lane = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  const size_t blocks = size > BLOCK ? (size + BLOCK - 1) / BLOCK : 1;
  for (size_t first = 0; first < count; first += LANES) {
    const size_t used = count - first < LANES ? count - first : LANES;
    const uint8_t *node[LANES];
    for (size_t i = 0; i < LANES; i++) node[i] = nodes + (first + (i < used ? i : 0)) * size;
    // To the next group's leaves, for the prefetch: processors do not foresee sixteen streams.
    const size_t ahead = count - first < 2 * LANES ? 0 : LANES * size;
    words last_four[4] = {{0}};  // a parent's counter is 0
    if (flags & LEAF) {
      const uint64_t leaf = first_leaf + first;  // of a full group a multiple of 16: no lane carries
      last_four[0] = lane + (uint32_t)leaf;
      last_four[1] += (uint32_t)(leaf >> 32);
    }
    words cv[WORDS];  // the second half only makes it a square that can be transposed
    for (int i = 0; i < WORDS; i++) cv[i] = (words){0} + IV[i % 8];
    for (size_t block = 0; block < blocks; block++) {
      const int is_last = block + 1 == blocks;
      const uint32_t absent = (block > 0 ? LEAF_START : 0) | (is_last ? 0 : LEAF_END | ROOT);
      last_four[2] = (words){0} + (uint32_t)(is_last ? size - block * BLOCK : BLOCK);
      last_four[3] = (words){0} + (flags & ~absent);
      words message[WORDS];
      for (int i = 0; i < LANES; i++) {
        memcpy(&message[i], node[i] + block * BLOCK, BLOCK);
        __builtin_prefetch(node[i] + block * BLOCK + ahead);
      }
      transpose(message);
      compress(cv, message, last_four);
    }
    transpose(cv);
    for (size_t i = 0; i < used; i++) memcpy(cvs + (first + i) * CV, &cv[i], CV);
  }
}

// A leaf that need not be full.
static void hash_leaf(const uint8_t *data, size_t n, uint64_t leaf, uint32_t flags, uint8_t *cv) {
  uint8_t padded[LEAF_BYTES] = {0};
  if (n > 0) memcpy(padded, data, n);
  hash_nodes(padded, 1, n, leaf, LEAF | flags, cv);
}

// Level by level until two are left: neighbors become a parent, and the last of an odd number moves
// up as it is. That makes the left-balanced tree (section 2.1), whose left subtrees are complete and
// as large as can be. Returns how many values are left: two, or one if there was one.
static size_t merge_to_two(uint8_t *cvs, size_t count) {
  for (; count > 2; count = (count + 1) / 2) {
    hash_nodes(cvs, count / 2, BLOCK, 0, PARENT, cvs);
    if (count % 2) memcpy(cvs + count / 2 * CV, cvs + (count - 1) * CV, CV);
  }
  return count;
}

void ckpt_blake3_merge(uint8_t *cvs, size_t count, bool is_root, uint8_t *out) {
  if (merge_to_two(cvs, count) == 2) {
    hash_nodes(cvs, 1, BLOCK, 0, PARENT | (is_root ? ROOT : 0), out);
  } else {
    memmove(out, cvs, CV);
  }
}

void ckpt_blake3_chunk(
    const uint8_t *data, size_t n, uint64_t first_leaf, uint8_t *cv, uint8_t *root) {
  if (n <= LEAF_BYTES) {
    if (cv) hash_leaf(data, n, first_leaf, 0, cv);
    if (root) hash_leaf(data, n, first_leaf, ROOT, root);
    return;
  }
  uint8_t cvs[CHUNK / LEAF_BYTES * CV];
  size_t count = n / LEAF_BYTES;
  hash_nodes(data, count, LEAF_BYTES, first_leaf, LEAF, cvs);
  if (n % LEAF_BYTES) {
    hash_leaf(data + count * LEAF_BYTES, n % LEAF_BYTES, first_leaf + count, 0, cvs + count * CV);
    count++;
  }
  merge_to_two(cvs, count);
  if (cv) hash_nodes(cvs, 1, BLOCK, 0, PARENT, cv);
  if (root) hash_nodes(cvs, 1, BLOCK, 0, PARENT | ROOT, root);
}
