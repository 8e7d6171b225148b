// Filters that change each word by itself or by its neighbor, and the transposition of bytes.
#include "clones.h"
#include "include/FilterKernels.h"
#include "words.h"

#define ROTATE(word)                                                          \
  {                                                                           \
    const word *restrict from = words;                                        \
    word *restrict to = target;                                               \
    for (size_t i = 0; i < count; i++)                                        \
      to[i] = (word)(from[i] << bits | from[i] >> (8 * sizeof(word) - bits)); \
  }

#define ROTATE_IN_PLACE(word)                                               \
  {                                                                         \
    word *all = target;                                                     \
    for (size_t i = 0; i < count; i++)                                      \
      all[i] = (word)(all[i] << bits | all[i] >> (8 * sizeof(word) - bits)); \
  }

CKPT_CLONES
void ckpt_words_rotate(
    const void *words, void *target, size_t count, size_t width, unsigned bits) {
  if (words == target) {
    FOR_WIDTH(width, ROTATE_IN_PLACE)
  } else {
    FOR_WIDTH(width, ROTATE)
  }
}

#define SUBTRACT_PREVIOUS(word)                                                \
  {                                                                            \
    const word *restrict from = words;                                         \
    word *restrict to = target;                                                \
    if (count > 0) to[0] = from[0];                                            \
    for (size_t i = 1; i < count; i++) to[i] = (word)(from[i] - from[i - 1]); \
  }

CKPT_CLONES
void ckpt_differences_encode(const void *words, void *target, size_t count, size_t width) {
  FOR_WIDTH(width, SUBTRACT_PREVIOUS)
}

#define RUNNING_SUM(word)                                                   \
  {                                                                         \
    word *all = words, sum = 0;                                             \
    for (size_t i = 0; i < count; i++) all[i] = sum = (word)(sum + all[i]); \
  }

void ckpt_differences_decode(void *words, size_t count, size_t width) {
  FOR_WIDTH(width, RUNNING_SUM)
}

#define SUBTRACT_BASE(word)                                                        \
  {                                                                                \
    const word *restrict from = words, *restrict other = base;                     \
    word *restrict to = target;                                                    \
    for (size_t i = 0; i < count; i++) {                                           \
      word delta = (word)(from[i] - other[i]);                                     \
      to[i] = (word)(delta << 1 ^ (word)(0 - (delta >> (8 * sizeof(word) - 1)))); \
    }                                                                              \
  }

CKPT_CLONES
void ckpt_deltas_encode(
    const void *words, const void *base, void *target, size_t count, size_t width) {
  FOR_WIDTH(width, SUBTRACT_BASE)
}

#define ADD_BASE(word)                                                        \
  {                                                                           \
    const word *restrict other = base;                                        \
    word *restrict all = words;                                               \
    for (size_t i = 0; i < count; i++)                                        \
      all[i] = (word)(other[i] + (all[i] >> 1 ^ (word)(0 - (all[i] & 1)))); \
  }

CKPT_CLONES
void ckpt_deltas_decode(void *words, const void *base, size_t count, size_t width) {
  FOR_WIDTH(width, ADD_BASE)
}

typedef uint8_t tile_row __attribute__((vector_size(16)));
typedef uint8_t row_in_memory __attribute__((vector_size(16), aligned(1), may_alias));

// Sixteen rows and columns. Interleaving row i with row i + 8 rotates the eight bits of each byte's
// position (row and column) by one; four times exchange the two halves.
INLINE void transpose_tile(
    const uint8_t *source, size_t columns, uint8_t *target, size_t rows) {
  tile_row tile[16], next[16];
  for (size_t i = 0; i < 16; i++) tile[i] = *(const row_in_memory *)(source + i * columns);
  for (int round = 0; round < 4; round++) {
    for (int i = 0; i < 8; i++) {
      tile_row a = tile[i], b = tile[i + 8];
      next[2 * i] = __builtin_shufflevector(
          a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
      next[2 * i + 1] = __builtin_shufflevector(
          a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
    }
    for (int i = 0; i < 16; i++) tile[i] = next[i];
  }
  for (size_t i = 0; i < 16; i++) *(row_in_memory *)(target + i * rows) = tile[i];
}

CKPT_CLONES
void ckpt_bytes_transpose(const uint8_t *source, uint8_t *target, size_t rows, size_t columns) {
  size_t wholeRows = rows / 16 * 16, wholeColumns = columns / 16 * 16;
  for (size_t i = 0; i < wholeRows; i += 16)
    for (size_t j = 0; j < wholeColumns; j += 16)
      transpose_tile(source + i * columns + j, columns, target + j * rows + i, rows);
  for (size_t j = 0; j < columns; j++)
    for (size_t i = j < wholeColumns ? wholeRows : 0; i < rows; i++)
      target[j * rows + i] = source[i * columns + j];
}
