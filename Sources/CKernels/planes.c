// Byte planes of words: a transposition, and for floats a rotation by one bit.
//
// One loop per width with one pointer per plane: the form that clang turns into vector shuffles.
#include "clones.h"
#include "include/CKernels.h"
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "words are read in memory order");

INLINE void split2(
    const uint8_t *restrict words, uint8_t *restrict a, uint8_t *restrict b, size_t count,
    int rotated) {
  for (size_t i = 0; i < count; i++) {
    uint16_t word;
    memcpy(&word, words + 2 * i, 2);
    if (rotated) word = (uint16_t)(word << 1 | word >> 15);
    a[i] = (uint8_t)word;
    b[i] = (uint8_t)(word >> 8);
  }
}

INLINE void split4(
    const uint8_t *restrict words, uint8_t *restrict a, uint8_t *restrict b, uint8_t *restrict c,
    uint8_t *restrict d, size_t count, int rotated) {
  for (size_t i = 0; i < count; i++) {
    uint32_t word;
    memcpy(&word, words + 4 * i, 4);
    if (rotated) word = word << 1 | word >> 31;
    a[i] = (uint8_t)word;
    b[i] = (uint8_t)(word >> 8);
    c[i] = (uint8_t)(word >> 16);
    d[i] = (uint8_t)(word >> 24);
  }
}

INLINE void merge2(
    uint8_t *restrict words, const uint8_t *restrict a, const uint8_t *restrict b, size_t count,
    int rotated) {
  for (size_t i = 0; i < count; i++) {
    uint16_t word = (uint16_t)(a[i] | b[i] << 8);
    if (rotated) word = (uint16_t)(word >> 1 | word << 15);
    memcpy(words + 2 * i, &word, 2);
  }
}

INLINE void merge4(
    uint8_t *restrict words, const uint8_t *restrict a, const uint8_t *restrict b,
    const uint8_t *restrict c, const uint8_t *restrict d, size_t count, int rotated) {
  for (size_t i = 0; i < count; i++) {
    uint32_t word =
        (uint32_t)a[i] | (uint32_t)b[i] << 8 | (uint32_t)c[i] << 16 | (uint32_t)d[i] << 24;
    if (rotated) word = word >> 1 | word << 31;
    memcpy(words + 4 * i, &word, 4);
  }
}

INLINE void split8(
    const uint8_t *restrict words, uint8_t *restrict a, uint8_t *restrict b, uint8_t *restrict c,
    uint8_t *restrict d, uint8_t *restrict e, uint8_t *restrict f, uint8_t *restrict g,
    uint8_t *restrict h, size_t count, int rotated) {
  for (size_t i = 0; i < count; i++) {
    uint64_t word;
    memcpy(&word, words + 8 * i, 8);
    if (rotated) word = word << 1 | word >> 63;
    a[i] = (uint8_t)word;
    b[i] = (uint8_t)(word >> 8);
    c[i] = (uint8_t)(word >> 16);
    d[i] = (uint8_t)(word >> 24);
    e[i] = (uint8_t)(word >> 32);
    f[i] = (uint8_t)(word >> 40);
    g[i] = (uint8_t)(word >> 48);
    h[i] = (uint8_t)(word >> 56);
  }
}

INLINE void merge8(
    uint8_t *restrict words, const uint8_t *const *planes, size_t count, int rotated) {
  for (size_t i = 0; i < count; i++) {
    uint64_t word = 0;
    for (int j = 0; j < 8; j++) word |= (uint64_t)planes[j][i] << 8 * j;
    if (rotated) word = word >> 1 | word << 63;
    memcpy(words + 8 * i, &word, 8);
  }
}

// Any other width, one plane after the other; never rotated.
INLINE void split_any(const uint8_t *words, uint8_t *const *planes, size_t count, size_t width) {
  for (size_t j = 0; j < width; j++)
    for (size_t i = 0; i < count; i++) planes[0][j * count + i] = words[i * width + j];
}

INLINE void merge_any(
    const uint8_t *const *planes, uint8_t *words, size_t count, size_t width) {
  for (size_t j = 0; j < width; j++)
    for (size_t i = 0; i < count; i++) words[i * width + j] = planes[0][j * count + i];
}

#define EIGHT(p) p[0], p[1], p[2], p[3], p[4], p[5], p[6], p[7]

CKPT_CLONES
void ckpt_planes_split(
    const void *words, uint8_t *const *planes, size_t count, size_t width, int rotated) {
  switch (width) {
  case 2:
    if (rotated) split2(words, planes[0], planes[1], count, 1);
    else split2(words, planes[0], planes[1], count, 0);
    break;
  case 4:
    if (rotated) split4(words, planes[0], planes[1], planes[2], planes[3], count, 1);
    else split4(words, planes[0], planes[1], planes[2], planes[3], count, 0);
    break;
  case 8:
    if (rotated) split8(words, EIGHT(planes), count, 1);
    else split8(words, EIGHT(planes), count, 0);
    break;
  default: split_any(words, planes, count, width);
  }
}

CKPT_CLONES
void ckpt_planes_merge(
    const uint8_t *const *planes, void *words, size_t count, size_t width, int rotated) {
  switch (width) {
  case 2:
    if (rotated) merge2(words, planes[0], planes[1], count, 1);
    else merge2(words, planes[0], planes[1], count, 0);
    break;
  case 4:
    if (rotated) merge4(words, planes[0], planes[1], planes[2], planes[3], count, 1);
    else merge4(words, planes[0], planes[1], planes[2], planes[3], count, 0);
    break;
  case 8:
    if (rotated) merge8(words, planes, count, 1);
    else merge8(words, planes, count, 0);
    break;
  default: merge_any(planes, words, count, width);
  }
}
