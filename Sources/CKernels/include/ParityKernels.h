// Sums of products in GF(2^8), of which Reed-Solomon parity consists: bytes are polynomials over GF(2)
// modulo x^8 + x^4 + x^3 + x + 1.
#pragma once
#include <stddef.h>
#include <stdint.h>

// Instructions that multiply: none but those of plain C, 16 and 32 bytes by looking up halves of bytes
// (SSSE3 or NEON, AVX2), 64 bytes by the processor's own product (AVX-512 with GFNI).
enum ckpt_parity_set { CKPT_PARITY_PLAIN, CKPT_PARITY_16, CKPT_PARITY_32, CKPT_PARITY_64 };

// The fastest set that this processor has.
enum ckpt_parity_set ckpt_parity_best(void);

// For each factor the products of the 16 lower and of the 16 upper halves of a byte: 256 * 32 bytes.
void ckpt_parity_tables(uint8_t *tables);

// What is multiplied: `count` bytes of each of `columns` rows of bytes, which are `stride` apart.
struct ckpt_parity_sources {
  const uint8_t *bytes;
  size_t stride, columns, count;
};

// Row i of the `rows` targets becomes the sum of all sources j, times factors[i * columns + j].
void ckpt_parity_sum(
    enum ckpt_parity_set set, const uint8_t *tables, const uint8_t *factors,
    const struct ckpt_parity_sources *sources, uint8_t *targets, size_t target_stride, size_t rows);
