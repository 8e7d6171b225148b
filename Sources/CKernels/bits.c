// Bytes as bit planes, and words as numbers of a few bits.
#include "clones.h"
#include "include/FilterKernels.h"
#include "words.h"
#include <string.h>

// Eight bytes of eight bits, rows and columns exchanged (Warren, "Hacker's Delight", section 7-3).
INLINE uint64_t transpose(uint64_t bits) {
  uint64_t other = (bits ^ bits >> 7) & 0x00aa00aa00aa00aa;
  bits ^= other ^ other << 7;
  other = (bits ^ bits >> 14) & 0x0000cccc0000cccc;
  bits ^= other ^ other << 14;
  other = (bits ^ bits >> 28) & 0x00000000f0f0f0f0;
  return bits ^ other ^ other << 28;
}

INLINE void split8(
    const word8 *restrict from, uint8_t *restrict a, uint8_t *restrict b, uint8_t *restrict c,
    uint8_t *restrict d, uint8_t *restrict e, uint8_t *restrict f, uint8_t *restrict g,
    uint8_t *restrict h, size_t count) {
  for (size_t i = 0; i < count; i++) {
    uint64_t bits = transpose(from[i]);
    a[i] = (uint8_t)bits;
    b[i] = (uint8_t)(bits >> 8);
    c[i] = (uint8_t)(bits >> 16);
    d[i] = (uint8_t)(bits >> 24);
    e[i] = (uint8_t)(bits >> 32);
    f[i] = (uint8_t)(bits >> 40);
    g[i] = (uint8_t)(bits >> 48);
    h[i] = (uint8_t)(bits >> 56);
  }
}

CKPT_CLONES
void ckpt_bits_split(const uint8_t *bytes, uint8_t *planes, size_t count) {
  size_t size = (count + 7) / 8, whole = count / 8;
  split8(
      (const word8 *)bytes, planes, planes + size, planes + 2 * size, planes + 3 * size,
      planes + 4 * size, planes + 5 * size, planes + 6 * size, planes + 7 * size, whole);
  if (whole == size) return;
  uint64_t bits = 0;
  memcpy(&bits, bytes + 8 * whole, count % 8);
  bits = transpose(bits);
  for (size_t j = 0; j < 8; j++) planes[j * size + whole] = (uint8_t)(bits >> 8 * j);
}

INLINE uint64_t eight_at(const uint8_t *planes, size_t size, size_t i) {
  uint64_t bits = 0;
  for (size_t j = 0; j < 8; j++) bits |= (uint64_t)planes[j * size + i] << 8 * j;
  return transpose(bits);
}

CKPT_CLONES
void ckpt_bits_merge(const uint8_t *restrict planes, uint8_t *restrict bytes, size_t count) {
  size_t size = (count + 7) / 8, whole = count / 8;
  for (size_t i = 0; i < whole; i++) ((word8 *)bytes)[i] = eight_at(planes, size, i);
  if (whole == size) return;
  uint64_t bits = eight_at(planes, size, whole);
  memcpy(bytes + 8 * whole, &bits, count % 8);
}

// An open hash table: the slot of a number is 0 while it is empty, else the number plus 1.
enum { SLOT_BITS = 10, SLOTS = 1 << SLOT_BITS };

#define NUMBER(word)                                                                  \
  for (size_t i = 0; i < count; i++) {                                                \
    uint64_t key = ((const word *)words)[i];                                          \
    size_t slot = (size_t)(key * 0x9e3779b97f4a7c15 >> (64 - SLOT_BITS));             \
    while (slots[slot] && keys[slot] != key) slot = (slot + 1) % SLOTS;               \
    if (!slots[slot]) {                                                               \
      if (known == 256) return 257;                                                   \
      keys[slot] = table[known] = key;                                                \
      slots[slot] = (uint16_t)++known;                                                \
    }                                                                                 \
    numbers[i] = (uint8_t)(slots[slot] - 1);                                          \
  }

size_t ckpt_palette_number(
    const void *words, size_t count, size_t width, uint8_t *restrict numbers,
    uint64_t *restrict table) {
  uint16_t slots[SLOTS] = {0};
  uint64_t keys[SLOTS];
  size_t known = 0;
  FOR_WIDTH(width, NUMBER)
  return known;
}

INLINE void pack(
    const uint8_t *numbers, const uint8_t *ranks, size_t count, size_t bits, uint8_t *target) {
  size_t each = 8 / bits, whole = count / each;
  for (size_t i = 0; i < whole; i++, numbers += each) {
    unsigned byte = 0;
    for (size_t j = 0; j < each; j++) byte |= (unsigned)ranks[numbers[j]] << j * bits;
    target[i] = (uint8_t)byte;
  }
  unsigned byte = 0;
  for (size_t j = 0; j < count % each; j++) byte |= (unsigned)ranks[numbers[j]] << j * bits;
  if (count % each) target[whole] = (uint8_t)byte;
}

void ckpt_palette_pack(
    const uint8_t *numbers, const uint8_t *ranks, size_t count, size_t bits, uint8_t *target) {
  switch (bits) {
  case 1: pack(numbers, ranks, count, 1, target); break;
  case 2: pack(numbers, ranks, count, 2, target); break;
  case 4: pack(numbers, ranks, count, 4, target); break;
  case 8: pack(numbers, ranks, count, 8, target); break;
  }
}

CKPT_CLONES
unsigned ckpt_palette_largest(const uint8_t *packed, size_t count, size_t bits) {
  size_t each = 8 / bits, whole = count / each;
  uint8_t largest = 0, ones = (uint8_t)(0xff >> (8 - bits));
  for (unsigned shift = 0; shift < 8; shift += (unsigned)bits) {
    uint8_t most = 0;
    for (size_t i = 0; i < whole; i++) {
      uint8_t number = (uint8_t)(packed[i] >> shift) & ones;
      most = number > most ? number : most;
    }
    largest = most > largest ? most : largest;
  }
  for (size_t i = whole * each; i < count; i++) {
    uint8_t number = packed[whole] >> i % each * bits & ones;
    largest = number > largest ? number : largest;
  }
  return largest;
}

#define UNPACK(word, bits)                                                                   \
  for (; i + 8 / bits <= count; i += 8 / bits)                                               \
    for (size_t j = 0; j < 8 / bits; j++)                                                    \
      to[i + j] = (word)table[packed[i / (8 / bits)] >> j * bits & ((1 << bits) - 1)];       \
  for (; i < count; i++)                                                                     \
    to[i] = (word)table[packed[i / (8 / bits)] >> i % (8 / bits) * bits & ((1 << bits) - 1)];

#define UNPACK_ANY(word)                    \
  {                                         \
    word *restrict to = words;              \
    size_t i = 0;                           \
    switch (bits) {                         \
    case 1: UNPACK(word, 1) break;          \
    case 2: UNPACK(word, 2) break;          \
    case 4: UNPACK(word, 4) break;          \
    case 8: UNPACK(word, 8) break;          \
    }                                       \
  }

CKPT_CLONES
void ckpt_palette_unpack(
    const uint8_t *restrict packed, const uint64_t *restrict table, size_t count, size_t bits,
    void *words, size_t width) {
  FOR_WIDTH(width, UNPACK_ANY)
}
