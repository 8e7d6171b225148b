// Sums of products in GF(2^8).
//
// A strip of all sources is small enough to stay in the second cache while all targets are computed from
// it, a few at a time, whose sums stay in registers. A product is a product of the upper half of a byte
// plus one of the lower half, each looked up among 16 by a shuffle; GFNI multiplies by itself.
#include "include/ParityKernels.h"
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

static uint8_t product(uint8_t a, uint8_t b) {
  unsigned sum = 0, term = a;
  for (; b; b >>= 1) {
    if (b & 1) sum ^= term;
    term = term << 1 ^ (term & 0x80 ? 0x11b : 0);
  }
  return (uint8_t)sum;
}

void ckpt_parity_tables(uint8_t *tables) {
  for (unsigned factor = 0; factor < 256; factor++)
    for (unsigned half = 0; half < 16; half++) {
      tables[32 * factor + half] = product((uint8_t)factor, (uint8_t)half);
      tables[32 * factor + 16 + half] = product((uint8_t)factor, (uint8_t)(half << 4));
    }
}

// What a strip of `count` bytes is computed from: the factors of the first target, and how many sources.
struct strip {
  const uint8_t *tables, *factors, *bytes;
  size_t stride, columns, count;
};

static void plain(const struct strip *s, uint8_t *targets, size_t target_stride, size_t rows) {
  for (size_t i = 0; i < rows; i++) {
    uint8_t *target = targets + i * target_stride;
    memset(target, 0, s->count);
    for (size_t j = 0; j < s->columns; j++) {
      const uint8_t *table = s->tables + 32 * s->factors[i * s->columns + j];
      const uint8_t *source = s->bytes + j * s->stride;
      for (size_t k = 0; k < s->count; k++)
        target[k] ^= table[source[k] & 15] ^ table[16 + (source[k] >> 4)];
    }
  }
}

// A function for ROWS targets and two vectors of each: `sum` is what their sums are kept in.
#define SUMS(name, attribute, ROWS, VECTOR, SIZE, LOAD, STORE, ZERO, PREPARE, MULTIPLY)           \
  attribute static void name(const struct strip *s, size_t at, uint8_t *targets, size_t stride) { \
    VECTOR sum[ROWS][2];                                                                          \
    _Pragma("clang loop unroll(full)") for (int i = 0; i < ROWS; i++)                             \
      sum[i][0] = sum[i][1] = ZERO;                                                               \
    for (size_t j = 0; j < s->columns; j++) {                                                     \
      const uint8_t *source = s->bytes + j * s->stride + at;                                      \
      PREPARE(LOAD(source), LOAD(source + SIZE))                                                  \
      _Pragma("clang loop unroll(full)") for (int i = 0; i < ROWS; i++) {                         \
        uint8_t factor = s->factors[(size_t)i * s->columns + j];                                  \
        MULTIPLY(sum[i][0], sum[i][1], factor, s->tables + 32 * factor)                           \
      }                                                                                           \
    }                                                                                             \
    _Pragma("clang loop unroll(full)") for (int i = 0; i < ROWS; i++) {                           \
      STORE(targets + (size_t)i * stride + at, sum[i][0]);                                        \
      STORE(targets + (size_t)i * stride + at + SIZE, sum[i][1]);                                 \
    }                                                                                             \
  }

// All targets of a strip, as many at once as there are registers for; returns up to which byte.
#define TARGETS(name, many, MANY, few, FEW, one, SIZE)                                                \
  static size_t name(const struct strip *s, uint8_t *targets, size_t stride, size_t rows) {           \
    size_t done = s->count / (2 * SIZE) * (2 * SIZE), taken;                                          \
    struct strip part = *s;                                                                           \
    for (size_t i = 0; i < rows; i += taken, part.factors += taken * s->columns) {                    \
      taken = rows - i >= MANY ? MANY : rows - i >= FEW ? FEW : 1;                                    \
      for (size_t at = 0; at < done; at += 2 * SIZE)                                                  \
        (taken == MANY ? many : taken == FEW ? few : one)(&part, at, targets + i * stride, stride);   \
    }                                                                                                 \
    return done;                                                                                      \
  }

#if defined(__x86_64__)
#define LOAD16(p) _mm_loadu_si128((const __m128i *)(p))
#define STORE16(p, v) _mm_storeu_si128((__m128i *)(p), v)
#define PREPARE16(x, y)                                                        \
  const __m128i mask = _mm_set1_epi8(15), u = x, v = y;                        \
  const __m128i low_u = _mm_and_si128(u, mask), low_v = _mm_and_si128(v, mask); \
  const __m128i high_u = _mm_and_si128(_mm_srli_epi16(u, 4), mask);            \
  const __m128i high_v = _mm_and_si128(_mm_srli_epi16(v, 4), mask);
#define MULTIPLY16(a, b, factor, table)                                                         \
  const __m128i low = LOAD16(table), high = LOAD16((table) + 16);                               \
  a = _mm_xor_si128(a, _mm_xor_si128(_mm_shuffle_epi8(low, low_u), _mm_shuffle_epi8(high, high_u))); \
  b = _mm_xor_si128(b, _mm_xor_si128(_mm_shuffle_epi8(low, low_v), _mm_shuffle_epi8(high, high_v)));
#define TARGET16 __attribute__((target("ssse3")))
SUMS(three16, TARGET16, 3, __m128i, 16, LOAD16, STORE16, _mm_setzero_si128(), PREPARE16, MULTIPLY16)
SUMS(two16, TARGET16, 2, __m128i, 16, LOAD16, STORE16, _mm_setzero_si128(), PREPARE16, MULTIPLY16)
SUMS(one16, TARGET16, 1, __m128i, 16, LOAD16, STORE16, _mm_setzero_si128(), PREPARE16, MULTIPLY16)
TARGETS(sum16, three16, 3, two16, 2, one16, 16)

#define LOAD32(p) _mm256_loadu_si256((const __m256i *)(p))
#define STORE32(p, v) _mm256_storeu_si256((__m256i *)(p), v)
#define PREPARE32(x, y)                                                              \
  const __m256i mask = _mm256_set1_epi8(15), u = x, v = y;                           \
  const __m256i low_u = _mm256_and_si256(u, mask), low_v = _mm256_and_si256(v, mask); \
  const __m256i high_u = _mm256_and_si256(_mm256_srli_epi16(u, 4), mask);            \
  const __m256i high_v = _mm256_and_si256(_mm256_srli_epi16(v, 4), mask);
#define MULTIPLY32(a, b, factor, table)                                                        \
  const __m256i low = _mm256_broadcastsi128_si256(LOAD16(table));                              \
  const __m256i high = _mm256_broadcastsi128_si256(LOAD16((table) + 16));                      \
  a = _mm256_xor_si256(                                                                        \
      a, _mm256_xor_si256(_mm256_shuffle_epi8(low, low_u), _mm256_shuffle_epi8(high, high_u))); \
  b = _mm256_xor_si256(                                                                        \
      b, _mm256_xor_si256(_mm256_shuffle_epi8(low, low_v), _mm256_shuffle_epi8(high, high_v)));
#define TARGET32 __attribute__((target("avx2")))
SUMS(four32, TARGET32, 4, __m256i, 32, LOAD32, STORE32, _mm256_setzero_si256(), PREPARE32, MULTIPLY32)
SUMS(two32, TARGET32, 2, __m256i, 32, LOAD32, STORE32, _mm256_setzero_si256(), PREPARE32, MULTIPLY32)
SUMS(one32, TARGET32, 1, __m256i, 32, LOAD32, STORE32, _mm256_setzero_si256(), PREPARE32, MULTIPLY32)
TARGETS(sum32, four32, 4, two32, 2, one32, 32)

#define LOAD64(p) _mm512_loadu_si512(p)
#define STORE64(p, v) _mm512_storeu_si512(p, v)
#define PREPARE64(x, y) const __m512i u = x, v = y;
#define MULTIPLY64(a, b, factor, table)                        \
  const __m512i times = _mm512_set1_epi8((char)factor);        \
  (void)(table);                                               \
  a = _mm512_xor_si512(a, _mm512_gf2p8mul_epi8(u, times));     \
  b = _mm512_xor_si512(b, _mm512_gf2p8mul_epi8(v, times));
#define TARGET64 __attribute__((target("avx512f,avx512bw,gfni")))
SUMS(eight64, TARGET64, 8, __m512i, 64, LOAD64, STORE64, _mm512_setzero_si512(), PREPARE64, MULTIPLY64)
SUMS(three64, TARGET64, 3, __m512i, 64, LOAD64, STORE64, _mm512_setzero_si512(), PREPARE64, MULTIPLY64)
SUMS(one64, TARGET64, 1, __m512i, 64, LOAD64, STORE64, _mm512_setzero_si512(), PREPARE64, MULTIPLY64)
TARGETS(sum64, eight64, 8, three64, 3, one64, 64)
#elif defined(__aarch64__)
#define LOAD16(p) vld1q_u8(p)
#define PREPARE16(x, y)                                                            \
  const uint8x16_t mask = vdupq_n_u8(15), u = x, v = y;                            \
  const uint8x16_t low_u = vandq_u8(u, mask), low_v = vandq_u8(v, mask);           \
  const uint8x16_t high_u = vshrq_n_u8(u, 4), high_v = vshrq_n_u8(v, 4);
#define MULTIPLY16(a, b, factor, table)                                            \
  const uint8x16_t low = vld1q_u8(table), high = vld1q_u8((table) + 16);           \
  a = veorq_u8(a, veorq_u8(vqtbl1q_u8(low, low_u), vqtbl1q_u8(high, high_u)));     \
  b = veorq_u8(b, veorq_u8(vqtbl1q_u8(low, low_v), vqtbl1q_u8(high, high_v)));
SUMS(four16, , 4, uint8x16_t, 16, LOAD16, vst1q_u8, vdupq_n_u8(0), PREPARE16, MULTIPLY16)
SUMS(two16, , 2, uint8x16_t, 16, LOAD16, vst1q_u8, vdupq_n_u8(0), PREPARE16, MULTIPLY16)
SUMS(one16, , 1, uint8x16_t, 16, LOAD16, vst1q_u8, vdupq_n_u8(0), PREPARE16, MULTIPLY16)
TARGETS(sum16, four16, 4, two16, 2, one16, 16)
#endif

enum ckpt_parity_set ckpt_parity_best(void) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("gfni")) return CKPT_PARITY_64;
  if (__builtin_cpu_supports("avx2")) return CKPT_PARITY_32;
  if (__builtin_cpu_supports("ssse3")) return CKPT_PARITY_16;
#elif defined(__aarch64__)
  return CKPT_PARITY_16;
#endif
  return CKPT_PARITY_PLAIN;
}

static size_t vectors(
    enum ckpt_parity_set set, const struct strip *s, uint8_t *targets, size_t stride, size_t rows) {
#if defined(__x86_64__)
  if (set == CKPT_PARITY_64) return sum64(s, targets, stride, rows);
  if (set == CKPT_PARITY_32) return sum32(s, targets, stride, rows);
#endif
#if defined(__x86_64__) || defined(__aarch64__)
  if (set == CKPT_PARITY_16) return sum16(s, targets, stride, rows);
#endif
  (void)set, (void)s, (void)targets, (void)stride, (void)rows;
  return 0;
}

void ckpt_parity_sum(
    enum ckpt_parity_set set, const uint8_t *tables, const uint8_t *factors,
    const struct ckpt_parity_sources *sources, uint8_t *targets, size_t target_stride, size_t rows) {
  enum { STRIP = 512 };
  for (size_t start = 0; start < sources->count; start += STRIP) {
    size_t left = sources->count - start;
    struct strip s = {
        tables, factors, sources->bytes + start, sources->stride, sources->columns,
        left < STRIP ? left : STRIP};
    size_t done = vectors(set, &s, targets + start, target_stride, rows);
    s.bytes += done;
    s.count -= done;
    if (s.count > 0) plain(&s, targets + start + done, target_stride, rows);
  }
}
