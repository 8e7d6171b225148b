// Counts bytes and writes their Huffman codes (RFC 1951): literals alone, or literals and runs.
#include "bit_writer.h"
#include "clones.h"
#include "include/CKernels.h"
#include <string.h>

// Four tables, because incrementing the counter that was just incremented would stall.
void ckpt_histogram(const uint8_t *bytes, size_t count, uint32_t *counts) {
  uint32_t tables[4][256];
  memset(tables, 0, sizeof tables);
  size_t i = 0;
  for (; i + 8 <= count; i += 8) {
    uint64_t word;
    memcpy(&word, bytes + i, 8);
    for (int j = 0; j < 8; j++) tables[j & 3][(uint8_t)(word >> 8 * j)]++;
  }
  for (; i < count; i++) tables[0][bytes[i]]++;
  for (int byte = 0; byte < 256; byte++)
    counts[byte] = tables[0][byte] + tables[1][byte] + tables[2][byte] + tables[3][byte];
}

CKPT_CLONES
size_t ckpt_equal_neighbors(const uint8_t *bytes, size_t count) {
  size_t total = 0;
  for (size_t i = 0; i + 1 < count;) {
    // Few enough for a sum of 32 bits, which vectors add.
    size_t end = count - 1 - i < 4096 ? count - 1 : i + 4096;
    uint32_t equal = 0;
    for (; i < end; i++) equal += bytes[i] == bytes[i + 1];
    total += equal;
  }
  return total;
}

// For all pairs of bytes that have codes: both words, the first one lowest, << 6, plus their total
// length, at most 26.
INLINE void make_pairs(const uint32_t *codes, uint32_t *pairs) {
  uint8_t symbols[256];
  int count = 0;
  for (int byte = 0; byte < 256; byte++)
    if (codes[byte]) symbols[count++] = (uint8_t)byte;
  for (int j = 0; j < count; j++) {
    uint32_t second = codes[symbols[j]];
    uint32_t *row = pairs + 256 * symbols[j];
    for (int i = 0; i < count; i++) {
      uint32_t first = codes[symbols[i]], length = first >> 16;
      uint32_t words = (first & 0xffff) | (second & 0xffff) << length;
      row[symbols[i]] = words << 6 | (length + (second >> 16));
    }
  }
}

CKPT_CLONES
void ckpt_literals_write(
    struct ckpt_bits *target, const uint8_t *bytes, size_t count, const uint32_t *codes,
    uint32_t *pairs) {
  struct ckpt_bits out = *target;
  size_t i = 0;
  if (count >= 4096) {  // else building the table does not pay off
    make_pairs(codes, pairs);
    for (; i + 8 <= count; i += 8) {
      uint64_t eight;
      memcpy(&eight, bytes + i, 8);
      uint64_t a = pairs[eight & 0xffff], b = pairs[eight >> 16 & 0xffff];
      uint64_t c = pairs[eight >> 32 & 0xffff], d = pairs[eight >> 48];
      // Two pairs are at most 52 bits, so that each `put` adds four bytes' words.
      put(&out, a >> 6 | b >> 6 << (a & 63), (a & 63) + (b & 63));
      put(&out, c >> 6 | d >> 6 << (c & 63), (c & 63) + (d & 63));
    }
  }
  for (; i < count; i++) put(&out, codes[bytes[i]] & 0xffff, codes[bytes[i]] >> 16);
  *target = out;
}

// The number of bytes from i on, at most 258, that equal the byte before i.
INLINE size_t run_length(const uint8_t *bytes, size_t i, size_t count) {
  if (i == 0) return 0;
  size_t limit = count - i < 258 ? count - i : 258, length = 0;
  uint64_t same = bytes[i - 1] * UINT64_C(0x0101010101010101);
  while (length + 8 <= limit) {
    uint64_t eight;
    memcpy(&eight, bytes + i + length, 8);
    if (eight != same) return length + (size_t)(__builtin_ctzll(eight ^ same) >> 3);
    length += 8;
  }
  while (length < limit && bytes[i + length] == bytes[i - 1]) length++;
  return length;
}

struct match {
  unsigned symbol, extra, extra_bits;
};

// The symbol and extra bits of a match length from 3 to 258 (RFC 1951, section 3.2.5).
INLINE struct match match_of(size_t length) {
  if (length == 258) return (struct match){285, 0, 0};
  unsigned above = (unsigned)length - 3;
  if (above < 8) return (struct match){257 + above, 0, 0};
  unsigned bits = 29 - (unsigned)__builtin_clz(above);
  return (struct match){257 + 4 * bits + (above >> bits), above & ((1u << bits) - 1), bits};
}

void ckpt_runs_histogram(const uint8_t *bytes, size_t count, uint32_t *counts) {
  memset(counts, 0, 286 * sizeof *counts);
  for (size_t i = 0; i < count;) {
    size_t length = run_length(bytes, i, count);
    if (length < 3) {
      counts[bytes[i++]]++;
    } else {
      counts[match_of(length).symbol]++;
      i += length;
    }
  }
}

void ckpt_runs_write(
    struct ckpt_bits *target, const uint8_t *bytes, size_t count, const uint32_t *codes) {
  struct ckpt_bits out = *target;
  for (size_t i = 0; i < count;) {
    size_t length = run_length(bytes, i, count);
    if (length < 3) {
      uint32_t code = codes[bytes[i++]];
      put(&out, code & 0xffff, code >> 16);
    } else {
      struct match match = match_of(length);
      uint32_t code = codes[match.symbol];
      put(&out, code & 0xffff, code >> 16);
      put(&out, match.extra, match.extra_bits + 1);  // and the distance code word, a zero bit
      i += length;
    }
  }
  *target = out;
}
