// Levels of rows and columns: what is subtracted from the exponents of rotated floats.
#include "clones.h"
#include "include/FilterKernels.h"
#include "words.h"
#include <string.h>

// Whole bytes of a mask.
enum { FILLED = 1024 };

#define SUM(word, upper)                                                                       \
  for (size_t start = 0, row = 0; start < count; start += columns, row++) {                    \
    const word *restrict from = (const word *)words + start;                                   \
    size_t length = count - start < columns ? count - start : columns;                         \
    uint32_t sum = 0, number = 0;                                                              \
    for (size_t i = 0; i < length; i++) {                                                      \
      uint32_t value = (upper), present = (word)(from[i] << 1) != 0;                           \
      sum += value;                                                                            \
      number += present;                                                                       \
      columnSums[i] += value;                                                                  \
      columnCounts[i] += present;                                                              \
    }                                                                                          \
    rowSums[row] = sum;                                                                        \
    rowCounts[row] = number;                                                                   \
  }

CKPT_CLONES
void ckpt_levels_sums(
    const void *words, size_t count, size_t width, size_t columns, uint32_t *restrict rowSums,
    uint32_t *restrict rowCounts, uint32_t *restrict columnSums, uint32_t *restrict columnCounts) {
  memset(columnSums, 0, columns * sizeof *columnSums);
  memset(columnCounts, 0, columns * sizeof *columnCounts);
  if (width == 2) {
    SUM(word2, (uint16_t)(from[i] << 1))
  } else {
    SUM(word4, from[i] << 1 >> 16)
  }
}

struct place {
  size_t row, column;
};

// The levels of the next `count` words.
INLINE void fill(
    uint16_t *restrict level, size_t count, const struct ckpt_levels *levels, struct place *place) {
  size_t row = place->row, column = place->column;
  for (size_t i = 0; i < count;) {
    size_t left = levels->width - column, length = count - i < left ? count - i : left;
    const uint16_t *restrict columns = levels->columns + column;
    uint16_t of_row = levels->rows[row];
    for (size_t j = 0; j < length; j++) level[i + j] = (uint16_t)(of_row + columns[j]);
    i += length;
    column += length;
    if (column == levels->width) column = 0, row++;
  }
  place->row = row;
  place->column = column;
}

CKPT_CLONES
void ckpt_levels_subtract(
    const void *words, void *target, size_t count, size_t width, const struct ckpt_levels *levels) {
  struct place place = {0, 0};
  uint16_t level[FILLED];
  for (size_t start = 0; start < count; start += FILLED) {
    size_t length = count - start < FILLED ? count - start : FILLED;
    fill(level, length, levels, &place);
    if (width == 2) {
      const word2 *restrict from = (const word2 *)words + start;
      word2 *restrict to = (word2 *)target + start;
      for (size_t i = 0; i < length; i++)
        to[i] = (uint16_t)((from[i] << 1 | from[i] >> 15) - level[i]);
    } else {
      const word4 *restrict from = (const word4 *)words + start;
      word4 *restrict to = (word4 *)target + start;
      for (size_t i = 0; i < length; i++)
        to[i] = (from[i] << 1 | from[i] >> 31) - ((uint32_t)level[i] << 16);
    }
  }
}

INLINE void add2(word2 *restrict words, const uint16_t *restrict level, size_t count) {
  for (size_t i = 0; i < count; i++) {
    uint16_t word = (uint16_t)(words[i] + level[i]);
    words[i] = (uint16_t)(word >> 1 | word << 15);
  }
}

INLINE void add4(word4 *restrict words, const uint16_t *restrict level, size_t count) {
  for (size_t i = 0; i < count; i++) {
    uint32_t word = words[i] + ((uint32_t)level[i] << 16);
    words[i] = word >> 1 | word << 31;
  }
}

CKPT_CLONES
void ckpt_levels_add(
    void *words, const uint8_t *mask, size_t count, size_t width,
    const struct ckpt_levels *levels) {
  struct place place = {0, 0};
  uint16_t level[FILLED], picked[FILLED];
  uint8_t *next = words;
  for (size_t start = 0; start < count; start += FILLED) {
    size_t length = count - start < FILLED ? count - start : FILLED;
    fill(level, length, levels, &place);
    if (mask) length = ckpt_sparse_pick(level, mask + start / 8, length, 2, picked);
    if (width == 2) add2((word2 *)next, mask ? picked : level, length);
    else add4((word4 *)next, mask ? picked : level, length);
    next += length * width;
  }
}
