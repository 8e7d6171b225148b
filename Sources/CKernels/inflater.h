// The decoder state of inflate.c: a bit reader, canonical codes, and tables made from them.
#pragma once
#include "clones.h"
#include <stddef.h>
#include <stdint.h>
#include <string.h>

// Bits of an index into the tables of literals and of distances; longest code word; sizes of the
// alphabets; symbol for the end of a block.
enum { FAST = 11, NEAR = 8, LONGEST = 15, LITERALS = 288, DISTANCES = 32, END = 256 };

// A canonical code (RFC 1951, section 3.2.2): the number of words of each length, and the symbols in
// the order of their words.
struct code {
  uint16_t counts[LONGEST + 1];
  uint16_t symbols[LITERALS];
};

struct inflater {
  const uint8_t *in, *in_end;
  uint8_t *out, *out_begin, *out_end;
  uint64_t bits;   // the next bits, lowest first; above `count` there may be more of the stream
  unsigned count;  // the number of bits that have been taken from `in`
  int is_last, is_literal_only, is_plain_only;
  struct code literals, distances;
  // What the next 11 bits decode to: bits 0-7 hold the number of bits used, 8-15 the number of
  // literals (up to four), and 32-63 the literals. If the first symbol is not a literal, these are
  // zero; bits 16-19 hold its length, and the bits above it the symbol.
  uint64_t fast[1 << FAST];
  // The same for distances: bits 0-3 hold the length, the bits above it the symbol; 0 for a long word.
  uint16_t near[1 << NEAR];
};

// Lengths and distances of matches: the smallest value of each symbol, and its number of extra bits
// (RFC 1951, section 3.2.5).
static const uint16_t length_bases[29] = {3,  4,  5,  6,  7,  8,  9,  10, 11,  13,
                                          15, 17, 19, 23, 27, 31, 35, 43, 51,  59,
                                          67, 83, 99, 115, 131, 163, 195, 227, 258};
static const uint8_t length_bits[29] = {0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2,
                                        2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0};
static const uint16_t distance_bases[30] = {1,   2,   3,   4,   5,   7,    9,    13,   17,   25,
                                            33,  49,  65,  97,  129, 193,  257,  385,  513,  769,
                                            1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577};
static const uint8_t distance_bits[30] = {0, 0, 0, 0, 1, 1, 2, 2,  3,  3,  4,  4,  5,  5,  6,
                                          6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13};

// MARK: bits

// Refills byte by byte, up to the end of the input.
INLINE void refill_carefully(struct inflater *s) {
  while (s->count < 56 && s->in < s->in_end) {
    s->bits |= (uint64_t)*s->in++ << s->count;
    s->count += 8;
  }
}

// Consumes `n` (at most 32) bits; returns -1 if the stream has fewer.
INLINE int64_t take(struct inflater *s, unsigned n) {
  if (s->count < n) {
    refill_carefully(s);
    if (s->count < n) return -1;
  }
  int64_t value = (int64_t)(s->bits & ((UINT64_C(1) << n) - 1));
  s->bits >>= n;
  s->count -= n;
  return value;
}

// Consumes one symbol bit by bit; returns -1 for an invalid code word and at the end of the stream.
// `first` is the first word of each length, `index` the number of shorter words.
static int take_symbol(struct inflater *s, const struct code *code) {
  refill_carefully(s);
  unsigned word = 0, first = 0, index = 0;
  for (unsigned length = 1; length <= LONGEST && length <= s->count; length++) {
    word |= s->bits >> (length - 1) & 1;
    unsigned count = code->counts[length];
    if (word < first + count) {
      s->bits >>= length;
      s->count -= length;
      return code->symbols[index + word - first];
    }
    index += count;
    first = (first + count) << 1;
    word <<= 1;
  }
  return -1;
}

// MARK: codes

// Builds a canonical code from code lengths; returns 0 if it is oversubscribed or incomplete. With
// `may_lack`, an incomplete code is allowed if it has no words, or only one, of one bit.
static int make_code(
    struct code *code, const uint8_t *lengths, unsigned count, int may_lack) {
  memset(code->counts, 0, sizeof code->counts);
  for (unsigned i = 0; i < count; i++) code->counts[lengths[i]]++;
  unsigned used = count - code->counts[0];
  code->counts[0] = 0;
  int left = 1;
  uint16_t offsets[LONGEST + 2] = {0};
  for (unsigned length = 1; length <= LONGEST; length++) {
    left = (left << 1) - code->counts[length];
    if (left < 0) return 0;
    offsets[length + 1] = (uint16_t)(offsets[length] + code->counts[length]);
  }
  if (left > 0 && !(may_lack && (used == 0 || (used == 1 && code->counts[1] == 1)))) return 0;
  for (unsigned i = 0; i < count; i++)
    if (lengths[i]) code->symbols[offsets[lengths[i]]++] = (uint16_t)i;
  return 1;
}

INLINE unsigned reversed(unsigned word, unsigned length) {
  unsigned result = 0;
  for (unsigned i = 0; i < length; i++) result |= (word >> i & 1) << (length - 1 - i);
  return result;
}

// Fills a table indexed by the next `width` bits with symbol << 4 | length wherever these begin with
// a code word, and with 0 elsewhere.
static void make_table(const struct code *code, uint16_t *table, unsigned width) {
  memset(table, 0, sizeof *table << width);
  unsigned word = 0, index = 0;
  for (unsigned length = 1; length <= width; length++) {
    for (unsigned i = 0; i < code->counts[length]; i++, word++, index++) {
      uint16_t entry = (uint16_t)(code->symbols[index] << 4 | length);
      for (unsigned index = reversed(word, length); index < 1u << width; index += 1u << length)
        table[index] = entry;
    }
    word <<= 1;
  }
}

// Builds the tables of both codes, with as many literals per entry as 11 bits hold, up to four.
static void make_tables(struct inflater *s) {
  uint16_t single[1 << FAST];
  make_table(&s->literals, single, FAST);
  for (unsigned bits = 0; bits < 1 << FAST; bits++) {
    uint64_t literals = 0;
    unsigned used = 0, count = 0;
    for (; count < 4; count++) {
      unsigned entry = single[bits >> used], length = entry & 15;
      if (length == 0 || used + length > FAST || entry >> 4 >= END) break;
      literals |= (uint64_t)(entry >> 4) << (32 + 8 * count);
      used += length;
    }
    s->fast[bits] = count > 0 ? literals | count << 8 | used
                              : (uint64_t)single[bits] << 16;
  }
  make_table(&s->distances, s->near, NEAR);
}
