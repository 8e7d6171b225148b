// Loops of the plane codec: byte planes, and deflate streams (RFC 1951) in both directions.
#pragma once
#include <stddef.h>
#include <stdint.h>

// Divides `count` little-endian words of `width` bytes into planes, least significant bytes first;
// `planes` holds a pointer for each byte of a word. With `rotated`, every word is first rotated left
// by one bit. Widths of 2, 4, and 8 are fast; others are never rotated, and their planes are written
// one after the other from the first pointer on.
void ckpt_planes_split(
    const void *words, uint8_t *const *planes, size_t count, size_t width, int rotated);

// The inverse of ckpt_planes_split.
void ckpt_planes_merge(
    const uint8_t *const *planes, void *words, size_t count, size_t width, int rotated);

// Counts how often each byte occurs in at most 2^31 bytes.
void ckpt_histogram(const uint8_t *bytes, size_t count, uint32_t *counts);

// How many bytes equal the one before them.
size_t ckpt_equal_neighbors(const uint8_t *bytes, size_t count);

// Lengths of an optimal prefix code for at most 288 symbols with these counts, whose words have at
// most `limit` (<= 15) bits; 0 for a symbol that does not occur, except that at least two symbols get
// a word. Symbols with equal counts are ordered by number, so that the code depends on the counts alone.
void ckpt_code_lengths(const uint32_t *counts, size_t symbols, unsigned limit, uint8_t *lengths);

// How many bits at most 288 symbols with these counts take in a Huffman code of words of any length.
uint64_t ckpt_huffman_bits(const uint32_t *counts, size_t symbols);

// Counts the 286 symbols of deflate's literal/length alphabet (RFC 1951, section 3.2.5) if runs of
// three or more bytes become matches of distance 1; the end of the block is not counted.
void ckpt_runs_histogram(const uint8_t *bytes, size_t count, uint32_t *counts);

// A bit writer: `next` is the next whole byte, `bits` holds the `used` (< 8) bits that belong there.
struct ckpt_bits {
  uint8_t *next;
  uint64_t bits;
  uint64_t used;
};

// Writes the code word of each byte. `codes[b]` is the word of byte b, its first bit lowest, plus its
// length (at most 13) << 16. `pairs` is scratch memory for 65536 entries. Up to 8 bytes after the
// last one are overwritten.
void ckpt_literals_write(
    struct ckpt_bits *target, const uint8_t *bytes, size_t count, const uint32_t *codes,
    uint32_t *pairs);

// Writes bytes as ckpt_runs_histogram counts them; `codes` holds 286 words of at most 15 bits. The
// only distance code word is a single zero bit.
void ckpt_runs_write(
    struct ckpt_bits *target, const uint8_t *bytes, size_t count, const uint32_t *codes);

// The checksum of HDF5's fletcher32 filter.
uint32_t ckpt_fletcher32(const uint8_t *bytes, size_t count);

// CRC-32C, continuing from the sum of the bytes before (0 for none); and the same on every processor.
uint32_t ckpt_crc32c(uint32_t sum, const uint8_t *bytes, size_t count);
uint32_t ckpt_crc32c_portable(uint32_t sum, const uint8_t *bytes, size_t count);

// A raw deflate stream and the memory for what it holds.
struct ckpt_deflated {
  const uint8_t *stream;
  size_t size;
  uint8_t *target;
  size_t count;
};

// Size in bytes of the memory that ckpt_inflate needs for its tables.
size_t ckpt_inflate_memory(void);

// Unpacks one stream or two at once (`number`), which is faster than one after the other. Bit i of
// the result is set if stream i is valid, ends where its bytes end, and filled its target exactly;
// if `made` is not null, a stream may hold less, and made[i] is how much it holds. With
// `is_plain_only`, a stream is refused at its first block with matches of several distances.
unsigned ckpt_inflate(
    void *memory, const struct ckpt_deflated *streams, unsigned number, int is_plain_only,
    size_t *made);

// Number of states that take turns in a block of asymmetric numeral systems.
#define CKPT_ANS_STATES 64

// Size in bytes of the memory that ckpt_ans_decode needs for its table.
size_t ckpt_ans_memory(void);

// Packs bytes by frequencies, one for each of 256 bytes, which sum up to 4096 and are 1 to 4095 for
// bytes that occur: 64 states of 4 bytes, then words of 2. `target` has `room` bytes, at least 288 + 2 *
// count. Returns the size.
size_t ckpt_ans_encode(
    const uint16_t *frequencies, const uint8_t *bytes, size_t count, uint8_t *target, size_t room);

// Unpacks `count` bytes and returns how many bytes of the stream they took, or 0 unless the frequencies
// sum up to 4096 and all states end where the encoder began.
size_t ckpt_ans_decode(
    void *memory, const uint16_t *frequencies, const uint8_t *stream, size_t size, uint8_t *target,
    size_t count);
