// Loops of the chunk filters, which the article NativeFormat defines. Words are little-endian, of
// `width` bytes, at any address. Source and target do not overlap, and the widths are 1, 2, 4, and 8,
// except as noted.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Rotates each word left by `bits`, between 1 and 8 * width - 1. Target and words may be the same.
void ckpt_words_rotate(
    const void *words, void *target, size_t count, size_t width, unsigned bits);

// Each word minus the one before it, the first as it is; and the running sum, which undoes it.
void ckpt_differences_encode(const void *words, void *target, size_t count, size_t width);
void ckpt_differences_decode(void *words, size_t count, size_t width);

// Each word minus that of `base`, in zigzag form (0, -1, 1, -2 ... as 0, 1, 2, 3 ...); and back.
void ckpt_deltas_encode(
    const void *words, const void *base, void *target, size_t count, size_t width);
void ckpt_deltas_decode(void *words, const void *base, size_t count, size_t width);

// Transposes a matrix of bytes.
void ckpt_bytes_transpose(const uint8_t *source, uint8_t *target, size_t rows, size_t columns);

// Converts floats to a narrower type if each can be restored bit for bit; false if one cannot. NaNs
// cannot, except in bfloat16. Integer arithmetic only.
bool ckpt_narrow_f32(const void *doubles, void *target, size_t count);
bool ckpt_narrow_f16(const void *floats, void *target, size_t count);
bool ckpt_narrow_bf16(const void *floats, void *target, size_t count);

// Converts floats to float64 (from float32) or float32. NaNs keep sign and payload.
void ckpt_widen_f32(const void *floats, void *doubles, size_t count);
void ckpt_widen_f16(const void *halves, void *floats, size_t count);
void ckpt_widen_bf16(const void *halves, void *floats, size_t count);

// Divides words of 2, 4, or 8 bytes: `mask` gets a 1 for each that is not 0 apart from its highest
// bit, `dense` these words, and `signs` the highest bit of each other word. Unused bits of the last
// bytes are 0. Room: (count + 7) / 8 bytes, 8 more for `signs`, and `count` words. Returns the number
// of words in `dense`.
size_t ckpt_sparse_split(
    const void *words, size_t count, size_t width, uint8_t *mask, uint8_t *signs, void *dense);

// Puts the words at the ones of the mask into `dense`, which has room for `count`; returns their number.
size_t ckpt_sparse_pick(
    const void *words, const uint8_t *mask, size_t count, size_t width, void *dense);

// The ones among the first `count` bits of the mask.
size_t ckpt_sparse_count(const uint8_t *mask, size_t count);

// The inverse of ckpt_sparse_split; `signs` and `dense` have as many bits and words as the mask says.
void ckpt_sparse_merge(
    const uint8_t *mask, const uint8_t *signs, const void *dense, void *words, size_t count,
    size_t width);

// Rows of `width` numbers and the last row, which may be shorter: a number per row and one per column.
struct ckpt_levels {
  const uint16_t *rows;
  const uint16_t *columns;
  size_t width;
};

// Sums the upper 16 bits, without the sign, of rotated words of 2 or 4 bytes that are not 0 apart from
// it, and counts these words, per row and per column, modulo 2^32.
void ckpt_levels_sums(
    const void *words, size_t count, size_t width, size_t columns, uint32_t *rowSums,
    uint32_t *rowCounts, uint32_t *columnSums, uint32_t *columnCounts);

// Rotates words of 2 or 4 bytes left by one bit and subtracts the sum of the row's and the column's
// level from their upper 16 bits.
void ckpt_levels_subtract(
    const void *words, void *target, size_t count, size_t width, const struct ckpt_levels *levels);

// The inverse, in place, for all words, or with a mask of `count` bits for those at its ones.
void ckpt_levels_add(
    void *words, const uint8_t *mask, size_t count, size_t width,
    const struct ckpt_levels *levels);

// Divides `count` bytes into eight bit planes of (count + 7) / 8 bytes, lowest bits first; and back.
void ckpt_bits_split(const uint8_t *bytes, uint8_t *planes, size_t count);
void ckpt_bits_merge(const uint8_t *planes, uint8_t *bytes, size_t count);

// Numbers words in the order in which they first occur. Writes each word's number, and the words to
// `table`; returns how many there are, or 257 (with incomplete results) if more than 256.
size_t ckpt_palette_number(
    const void *words, size_t count, size_t width, uint8_t *numbers, uint64_t *table);

// Packs ranks[numbers[i]] into 1, 2, 4, or 8 bits each; the target may overlap numbers that begin at
// the same address or later.
void ckpt_palette_pack(
    const uint8_t *numbers, const uint8_t *ranks, size_t count, size_t bits, uint8_t *target);

// The largest of `count` numbers of 1, 2, 4, or 8 bits; and the words of the table, which has 256,
// that they stand for.
unsigned ckpt_palette_largest(const uint8_t *packed, size_t count, size_t bits);
void ckpt_palette_unpack(
    const uint8_t *packed, const uint64_t *table, size_t count, size_t bits, void *words,
    size_t width);

// Writes `count` bytes at a position of a window that repeat those `distance` bytes before, which may
// overlap them.
void ckpt_lz_repeat(uint8_t *window, size_t position, size_t distance, size_t count);

// Unpacks steps of LibLZF into a window from a position on, as long as any step would find all of its
// input and room for what it makes, and matches refer to bytes of the window; returns how many bytes
// were made. What is left is for slower code.
size_t ckpt_lzf_unpack(
    const uint8_t *source, size_t size, size_t *taken, uint8_t *window, size_t position,
    size_t capacity);
