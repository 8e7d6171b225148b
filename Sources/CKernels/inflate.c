// Reads deflate streams (RFC 1951), optimized for blocks of literals with short codes.
//
// Goals, in order: nothing outside the two buffers is read or written, whatever the stream; no
// stream is accepted that zlib 1.2.13 refuses; one table look-up yields several literals. zlib may
// still accept a stream that is refused here; the Swift caller then asks it.
#include "clones.h"
#include "include/CKernels.h"
#include "inflater.h"

size_t ckpt_inflate_memory(void) { return 2 * sizeof(struct inflater); }

// MARK: block headers

// A block with the fixed codes (section 3.2.6).
static int fixed_block(struct inflater *s) {
  if (s->is_plain_only) return 0;
  uint8_t lengths[LITERALS];
  memset(lengths, 8, 144);
  memset(lengths + 144, 9, 112);
  memset(lengths + 256, 7, 24);
  memset(lengths + 280, 8, 8);
  make_code(&s->literals, lengths, LITERALS, 0);
  memset(lengths, 5, DISTANCES);
  make_code(&s->distances, lengths, DISTANCES, 0);
  s->is_literal_only = 0;
  make_tables(s);
  return 1;
}

// The header of a block with codes of its own (section 3.2.7); returns 0 if it is invalid.
static int dynamic_block(struct inflater *s) {
  static const uint8_t order[19] = {
      16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15};
  int64_t head = take(s, 14);
  if (head < 0) return 0;
  unsigned literals = (head & 31) + 257, distances = (head >> 5 & 31) + 1;
  if (literals > 286 || distances > 30) return 0;
  uint8_t lengths[286 + 30] = {0};
  for (unsigned i = 0; i < (head >> 10) + 4; i++) {
    int64_t length = take(s, 3);
    if (length < 0) return 0;
    lengths[order[i]] = (uint8_t)length;
  }
  // The code length code, then the lengths of both codes as one sequence: 16 repeats the previous
  // length 3-6 times, 17 and 18 repeat zero 3-10 and 11-138 times.
  if (!make_code(&s->literals, lengths, 19, 0)) return 0;
  unsigned all = literals + distances;
  for (unsigned i = 0; i < all;) {
    int symbol = take_symbol(s, &s->literals);
    if (symbol < 0) return 0;
    if (symbol < 16) {
      lengths[i++] = (uint8_t)symbol;
      continue;
    }
    if (symbol == 16 && i == 0) return 0;
    int64_t more = take(s, symbol == 16 ? 2 : symbol == 17 ? 3 : 7);
    unsigned repeats = (unsigned)more + (symbol == 18 ? 11 : 3);
    if (more < 0 || repeats > all - i) return 0;
    memset(lengths + i, symbol == 16 ? lengths[i - 1] : 0, repeats);
    i += repeats;
  }
  if (lengths[END] == 0) return 0;
  s->is_literal_only = 1;
  for (unsigned i = END + 1; i < literals; i++)
    if (lengths[i]) s->is_literal_only = 0;
  if (s->is_plain_only && !s->is_literal_only) {
    unsigned used = 0;
    for (unsigned i = 0; i < distances; i++) used += lengths[literals + i] != 0;
    if (used > 1) return 0;
  }
  if (!make_code(&s->literals, lengths, literals, 1)) return 0;
  if (!make_code(&s->distances, lengths + literals, distances, 1)) return 0;
  make_tables(s);
  return 1;
}

// A stored block (section 3.2.4): LEN, its complement, and bytes, from the next byte boundary on.
static int stored_block(struct inflater *s) {
  take(s, s->count & 7);  // the rest of the byte; whole bytes taken in advance go back
  s->in -= s->count >> 3;
  s->bits = s->count = 0;
  if (s->in_end - s->in < 4) return 0;
  unsigned size = s->in[0] | s->in[1] << 8, check = s->in[2] | s->in[3] << 8;
  s->in += 4;
  if (size != (check ^ 0xffff) || size > s->in_end - s->in || size > s->out_end - s->out) return 0;
  memcpy(s->out, s->in, size);
  s->in += size;
  s->out += size;
  return 1;
}

// MARK: block contents

// The part of the state that the loops below keep in registers.
struct lane {
  const uint8_t *in;
  uint8_t *out;
  uint64_t bits;
  uint64_t count;
};

INLINE struct lane lane_of(const struct inflater *s) {
  return (struct lane){s->in, s->out, s->bits, s->count};
}

INLINE void put_back(struct inflater *s, const struct lane *lane) {
  s->in = lane->in;
  s->out = lane->out;
  s->bits = lane->bits;
  s->count = (unsigned)lane->count;
}

INLINE uint64_t low(const struct lane *lane, unsigned n) {
  return lane->bits & ((UINT64_C(1) << n) - 1);
}

INLINE void drop(struct lane *lane, uint64_t n) {
  lane->bits >>= n;
  lane->count -= n;
}

// Refills to at least 56 bits; eight bytes of input must be readable. Bits above `count` may be set
// already: they are the same ones, so that OR leaves them.
INLINE void refill(struct lane *lane) {
  uint64_t next;
  memcpy(&next, lane->in, 8);
  lane->bits |= next << lane->count;
  lane->in += (63 - lane->count) >> 3;
  lane->count |= 56;
}

// Writes up to four literals and returns their entry, which has none if the next symbol is not a
// literal. Always overwrites four bytes of the target.
INLINE uint64_t look_up(struct lane *lane, const uint64_t *fast) {
  uint64_t entry = fast[lane->bits & ((1 << FAST) - 1)];
  uint32_t literals = (uint32_t)(entry >> 32);
  memcpy(lane->out, &literals, 4);
  lane->bits >>= entry & 63;
  lane->out += (uint8_t)(entry >> 8);
  lane->count -= (uint8_t)entry;
  return entry;
}

enum { AHEAD_IN = 16, AHEAD_OUT = 288 };

// Whether the loops below may read and write without bounds checks.
INLINE int has_room(const struct inflater *s, const struct lane *lane) {
  return s->in_end - lane->in >= AHEAD_IN && s->out_end - lane->out >= AHEAD_OUT;
}

// Decodes literals up to any other symbol.
INLINE void literals_of_one(struct inflater *s) {
  struct lane lane = lane_of(s);
  uint64_t entry = 1;
  while (entry && has_room(s, &lane)) {
    refill(&lane);
    for (int i = 0; i < 5; i++) entry = look_up(&lane, s->fast);
    entry &= 0xff;
  }
  put_back(s, &lane);
}

// Decodes literals of two streams at once, so that one's work hides the latency of the other's table
// look-up.
INLINE void literals_of_two(struct inflater *s, struct inflater *t) {
  struct lane one = lane_of(s), two = lane_of(t);
  uint64_t first = 1, second = 1;
  while (first && second && has_room(s, &one) && has_room(t, &two)) {
    refill(&one);
    refill(&two);
    for (int i = 0; i < 5; i++) {
      first = look_up(&one, s->fast);
      second = look_up(&two, t->fast);
    }
    first &= 0xff;
    second &= 0xff;
  }
  put_back(s, &one);
  put_back(t, &two);
}

// Copies a match; may overwrite up to 7 bytes after it.
INLINE void copy(uint8_t *out, size_t distance, size_t length) {
  if (distance == 1) {
    memset(out, out[-1], length);
  } else if (distance < 8) {
    for (size_t i = 0; i < length; i++) out[i] = out[(ptrdiff_t)i - (ptrdiff_t)distance];
  } else {
    for (size_t i = 0; i < length; i += 8) memcpy(out + i, out + i - distance, 8);
  }
}

// Decodes literals and matches, up to a long code word, the end of the block, or anything invalid.
INLINE void matches(struct inflater *s) {
  struct lane lane = lane_of(s);
  while (has_room(s, &lane)) {
    refill(&lane);
    uint64_t entry = look_up(&lane, s->fast);
    if (entry & 0xff) entry = look_up(&lane, s->fast);
    if (entry & 0xff) continue;
    // Decoded on a copy: the lane stays before the symbol unless it is a complete match, so that
    // `one_symbol` reads anything else with every check. The end and long code words have no length
    // symbol, and so wrap around to more than 28.
    struct lane next = lane;
    unsigned symbol = (unsigned)(entry >> 20) - 257;
    if (symbol > 28) break;
    drop(&next, entry >> 16 & 15);
    size_t length = length_bases[symbol] + low(&next, length_bits[symbol]);
    drop(&next, length_bits[symbol]);
    refill(&next);
    unsigned word = s->near[low(&next, NEAR)], code = word >> 4;
    if (word == 0 || code > 29) break;
    drop(&next, word & 15);
    size_t distance = distance_bases[code] + low(&next, distance_bits[code]);
    drop(&next, distance_bits[code]);
    if (distance > (size_t)(next.out - s->out_begin)) break;
    copy(next.out, distance, length);
    next.out += length;
    lane = next;
  }
  put_back(s, &lane);
}

enum outcome { REFUSED, CONTINUES, ENDED };

// Decodes one symbol with every check.
static enum outcome one_symbol(struct inflater *s) {
  int symbol = take_symbol(s, &s->literals);
  if (symbol < 0) return REFUSED;
  if (symbol == END) return ENDED;
  if (symbol < END) {
    if (s->out == s->out_end) return REFUSED;
    *s->out++ = (uint8_t)symbol;
    return CONTINUES;
  }
  if (symbol > 285) return REFUSED;
  int64_t more = take(s, length_bits[symbol - 257]);
  int code = take_symbol(s, &s->distances);
  if (more < 0 || code < 0 || code > 29) return REFUSED;
  int64_t further = take(s, distance_bits[code]);
  if (further < 0) return REFUSED;
  ptrdiff_t length = length_bases[symbol - 257] + (ptrdiff_t)more;
  ptrdiff_t distance = distance_bases[code] + (ptrdiff_t)further;
  if (distance > s->out - s->out_begin || length > s->out_end - s->out) return REFUSED;
  for (; length > 0; length--, s->out++) *s->out = s->out[-distance];
  return CONTINUES;
}

// MARK: streams

static void begin(struct inflater *s, const struct ckpt_deflated *deflated, int is_plain_only) {
  s->is_plain_only = is_plain_only;
  s->in = deflated->stream;
  s->in_end = deflated->stream + deflated->size;
  s->out = s->out_begin = deflated->target;
  s->out_end = deflated->target + deflated->count;
  s->bits = s->count = 0;
  s->is_last = 0;
}

// Reads up to the content of the next block of literals (CONTINUES) or to the end of the stream
// (ENDED); decodes all other blocks on the way.
INLINE enum outcome next_literals(struct inflater *s) {
  while (!s->is_last) {
    int64_t head = take(s, 3);
    s->is_last = head & 1;
    int is_sound = head >> 1 == 0   ? stored_block(s)
                   : head >> 1 == 1 ? fixed_block(s)
                   : head >> 1 == 2 ? dynamic_block(s)
                                    : 0;
    if (!is_sound) return REFUSED;
    if (head >> 1 == 0) continue;
    if (s->is_literal_only) return CONTINUES;
    enum outcome outcome = CONTINUES;
    while (outcome == CONTINUES) {
      matches(s);
      outcome = one_symbol(s);
    }
    if (outcome == REFUSED) return REFUSED;
  }
  return ENDED;
}

// Decodes one symbol of a block of literals; at its end, goes on to the next such block.
INLINE enum outcome step(struct inflater *s) {
  enum outcome outcome = one_symbol(s);
  return outcome == ENDED ? next_literals(s) : outcome;
}

// Whether a stream has ended exactly at the end of its input, and of its target unless that may have
// room left; then what it holds is counted.
static unsigned is_exact(const struct inflater *s, enum outcome outcome, size_t *made) {
  if (made) *made = (size_t)(s->out - s->out_begin);
  return outcome == ENDED && (made || s->out == s->out_end)
         && s->in - (s->count >> 3) == s->in_end;
}

CKPT_CLONES
unsigned ckpt_inflate(
    void *memory, const struct ckpt_deflated *streams, unsigned number, int is_plain_only,
    size_t *made) {
  struct inflater *s = memory, *t = s + 1;
  begin(s, streams, is_plain_only);
  enum outcome one = next_literals(s), two = ENDED;
  if (number == 2) {
    begin(t, streams + 1, is_plain_only);
    two = next_literals(t);
    // Both at once while both have literals, then what is left of either.
    while (one == CONTINUES && two == CONTINUES) {
      literals_of_two(s, t);
      one = step(s);
      two = step(t);
    }
    while (two == CONTINUES) {
      literals_of_one(t);
      two = step(t);
    }
  }
  while (one == CONTINUES) {
    literals_of_one(s);
    one = step(s);
  }
  unsigned sound = is_exact(s, one, made);
  if (number == 2) sound |= is_exact(t, two, made ? made + 1 : made) << 1;
  return sound;
}
