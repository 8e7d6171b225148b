// Loops of the plane codec: byte planes, and deflate streams (RFC 1951) in both directions.
#pragma once
#include <stddef.h>
#include <stdint.h>

// Divides `count` little-endian words of `width` bytes into planes, the lowest bytes first; `planes`
// holds one place a byte. With `rotated` every word is rotated left by one first. Widths of 2, 4 and
// 8 are fast; others are not rotated, and their planes follow the first one's place without gaps.
void ckpt_planes_split(
    const void *words, uint8_t *const *planes, size_t count, size_t width, int rotated);

// The inverse of ckpt_planes_split.
void ckpt_planes_merge(
    const uint8_t *const *planes, void *words, size_t count, size_t width, int rotated);

// How often each byte occurs; at most 2^31 bytes.
void ckpt_histogram(const uint8_t *bytes, size_t count, uint32_t *counts);

// How often each symbol of deflate's first alphabet occurs, 286 in all, when runs of three and more
// bytes are matches of distance one; the end of the block is not counted.
void ckpt_runs_histogram(const uint8_t *bytes, size_t count, uint32_t *counts);

// Where bits are written: `place` is the next whole byte, `bits` holds the `used` (< 8) bits before.
struct ckpt_bits {
  uint8_t *place;
  uint64_t bits;
  uint64_t used;
};

// Writes the code word of each byte. `codes[b]` is that of byte b, its first bit lowest, and its
// length (at most 11) << 16. `pairs` is room for 65536 entries, whatever they are. Up to 8 bytes
// behind the last one are touched.
void ckpt_literals_write(
    struct ckpt_bits *target, const uint8_t *bytes, size_t count, const uint32_t *codes,
    uint32_t *pairs);

// Writes bytes as ckpt_runs_histogram counts them; `codes` holds 286 words of at most 15 bits, the
// one word for distances is a zero bit.
void ckpt_runs_write(
    struct ckpt_bits *target, const uint8_t *bytes, size_t count, const uint32_t *codes);

// The checksum of HDF5's filter fletcher32.
uint32_t ckpt_fletcher32(const uint8_t *bytes, size_t count);

// A raw deflate stream and the memory that it must fill.
struct ckpt_deflated {
  const uint8_t *stream;
  size_t size;
  uint8_t *target;
  size_t count;
};

// Bytes that ckpt_inflate needs for its tables.
size_t ckpt_inflate_memory(void);

// Unpacks one stream or two at once (`number`), which is faster than one after the other. Bit i of
// the answer says that stream i is sound, ends where its bytes end, and filled its target exactly.
// With `is_plain_only` a stream is refused at its first block with matches of several distances.
unsigned ckpt_inflate(
    void *memory, const struct ckpt_deflated *streams, unsigned number, int is_plain_only);
