// Asymmetric numeral systems (Duda, "Asymmetric numeral systems: entropy coding combining speed of
// Huffman coding with compression rate of arithmetic coding", 2013) in the form of a range coder: 64
// states of 32 bits take turns, frequencies are parts of 4096, and words of 16 bits go in and out.
//
// Goals, in order: nothing outside the buffers is read or written, whatever the stream; the same
// bytes on every processor; speed. Each loop stands here twice: symbol by symbol, and with AVX-512,
// which gathers and expands vectors.
#include "clones.h"
#include "include/PlaneKernels.h"
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#define VECTORS __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,bmi,bmi2,popcnt")))
#ifndef CKPT_GATHERS
#define CKPT_GATHERS __builtin_cpu_supports("x86-64-v4")
#endif
#endif

enum { STATES = CKPT_ANS_STATES, SCALE = 12, LOW = 1 << 16 };

// MARK: decoding

size_t ckpt_ans_memory(void) { return sizeof(uint32_t) << SCALE; }

// What a state's lowest 12 bits decode to: the symbol in bits 0-7, its frequency in 8-19, and how far
// the bits are above the symbol's first in 20-31.
static int make_slots(const uint16_t *frequencies, uint32_t *slots) {
  uint32_t slot = 0;
  for (uint32_t symbol = 0; symbol < 256; symbol++) {
    uint32_t frequency = frequencies[symbol];
    if (frequency > (1 << SCALE) - 1 || frequency > (1 << SCALE) - slot) return 0;
    for (uint32_t i = 0; i < frequency; i++) slots[slot++] = symbol | frequency << 8 | i << 20;
  }
  return slot == 1 << SCALE;
}

// Where a loop goes on.
struct place {
  size_t symbol, word;
};

#if defined(__x86_64__)
#define DECODE(state)                                                                        \
  do {                                                                                       \
    __m512i entry = _mm512_i32gather_epi32(_mm512_and_si512(state, low), slots, 4);          \
    _mm_storeu_si128((__m128i *)target, _mm512_cvtepi32_epi8(entry));                        \
    target += 16;                                                                            \
    __m512i frequency = _mm512_and_si512(_mm512_srli_epi32(entry, 8), low);                  \
    state = _mm512_add_epi32(                                                                \
        _mm512_mullo_epi32(frequency, _mm512_srli_epi32(state, SCALE)),                      \
        _mm512_srli_epi32(entry, 20));                                                       \
    __mmask16 is_low = _mm512_cmplt_epu32_mask(state, limit);                                \
    __m512i more = _mm512_maskz_expand_epi32(                                                \
        is_low, _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)next)));           \
    state = _mm512_mask_or_epi32(state, is_low, _mm512_slli_epi32(state, 16), more);         \
    next += 2 * _mm_popcnt_u32(is_low);                                                      \
  } while (0)

VECTORS static struct place decode_vectors(
    uint32_t *states, const uint8_t *words, size_t word_count, const uint32_t *slots,
    uint8_t *target, size_t count) {
  const __m512i low = _mm512_set1_epi32((1 << SCALE) - 1), limit = _mm512_set1_epi32(LOW);
  __m512i first = _mm512_loadu_si512(states), second = _mm512_loadu_si512(states + 16);
  __m512i third = _mm512_loadu_si512(states + 32), fourth = _mm512_loadu_si512(states + 48);
  const uint8_t *next = words, *end = words + 2 * word_count;
  size_t i = 0;
  // Each quarter reads 16 words, of which it may take fewer.
  for (; i + STATES <= count && end - next >= 2 * STATES; i += STATES) {
    DECODE(first);
    DECODE(second);
    DECODE(third);
    DECODE(fourth);
  }
  _mm512_storeu_si512(states, first);
  _mm512_storeu_si512(states + 16, second);
  _mm512_storeu_si512(states + 32, third);
  _mm512_storeu_si512(states + 48, fourth);
  return (struct place){i, (size_t)(next - words) / 2};
}
#endif

size_t ckpt_ans_decode(
    void *memory, const uint16_t *frequencies, const uint8_t *stream, size_t size, uint8_t *target,
    size_t count) {
  uint32_t *slots = memory, states[STATES];
  if (size < sizeof states || !make_slots(frequencies, slots)) return 0;
  memcpy(states, stream, sizeof states);
  for (int i = 0; i < STATES; i++)
    if (states[i] < LOW) return 0;
  const uint8_t *words = stream + sizeof states;
  size_t word_count = (size - sizeof states) / 2;
  struct place at = {0, 0};
#if defined(__x86_64__)
  if (CKPT_GATHERS) at = decode_vectors(states, words, word_count, slots, target, count);
#endif
  // As long as there are enough words, without branches, which would fail at every other word.
  while (at.symbol + STATES <= count && word_count - at.word >= STATES) {
    const uint8_t *next = words + 2 * at.word;
    for (int i = 0; i < STATES; i++) {
      uint32_t state = states[i], entry = slots[state & ((1 << SCALE) - 1)];
      target[at.symbol + (size_t)i] = (uint8_t)entry;
      state = (entry >> 8 & ((1 << SCALE) - 1)) * (state >> SCALE) + (entry >> 20);
      uint16_t word;
      memcpy(&word, next, 2);
      uint32_t is_low = state < LOW;
      next += 2 * is_low;
      states[i] = state << 16 * is_low | (word & (0 - is_low));
    }
    at = (struct place){at.symbol + STATES, (size_t)(next - words) / 2};
  }
  for (; at.symbol < count; at.symbol++) {
    uint32_t *state = states + at.symbol % STATES;
    uint32_t entry = slots[*state & ((1 << SCALE) - 1)];
    target[at.symbol] = (uint8_t)entry;
    uint32_t value = (entry >> 8 & ((1 << SCALE) - 1)) * (*state >> SCALE) + (entry >> 20);
    if (value < LOW) {
      if (at.word == word_count) return 0;
      uint16_t word;
      memcpy(&word, words + 2 * at.word++, 2);
      value = value << 16 | word;
    }
    *state = value;
  }
  // A decoder ends where the encoder began.
  for (int i = 0; i < STATES; i++)
    if (states[i] != LOW) return 0;
  return sizeof states + 2 * at.word;
}

// MARK: encoding

#if defined(__x86_64__)
#define ENCODE(state, bytes)                                                                 \
  do {                                                                                       \
    __m512i entry = _mm512_i32gather_epi32(                                                  \
        _mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)(bytes))), codes, 4);          \
    __m512i frequency = _mm512_srli_epi32(entry, 16);                                        \
    __mmask16 is_high =                                                                      \
        _mm512_cmpge_epu32_mask(state, _mm512_slli_epi32(frequency, 32 - SCALE));            \
    /* The words go to the upper end of a vector, which is stored whole: masked stores are slow. */ \
    uint16_t number = (uint16_t)_mm_popcnt_u32(is_high);                                     \
    __m256i words = _mm512_cvtepi32_epi16(_mm512_maskz_compress_epi32(is_high, state));      \
    _mm256_storeu_si256(                                                                     \
        (__m256i *)(next - 32),                                                              \
        _mm256_permutexvar_epi16(_mm256_add_epi16(up, _mm256_set1_epi16((short)number)), words)); \
    next -= 2 * number;                                                                      \
    state = _mm512_mask_srli_epi32(state, is_high, state, 16);                               \
    /* The quotient of floats is at most 1 too small or too large, which the rest shows. */  \
    __m512i quotient = _mm512_cvttps_epu32(_mm512_mul_ps(                                    \
        _mm512_cvtepu32_ps(state),                                                           \
        _mm512_div_ps(_mm512_set1_ps(1), _mm512_cvtepu32_ps(frequency))));                   \
    __m512i rest = _mm512_sub_epi32(state, _mm512_mullo_epi32(quotient, frequency));         \
    __mmask16 is_below = _mm512_movepi32_mask(rest);                                         \
    __mmask16 is_above = _mm512_cmpge_epi32_mask(rest, frequency);                           \
    rest = _mm512_mask_add_epi32(rest, is_below, rest, frequency);                           \
    rest = _mm512_mask_sub_epi32(rest, is_above, rest, frequency);                           \
    quotient = _mm512_mask_sub_epi32(quotient, is_below, quotient, one);                     \
    quotient = _mm512_mask_add_epi32(quotient, is_above, quotient, one);                     \
    state = _mm512_add_epi32(                                                                \
        _mm512_add_epi32(rest, _mm512_and_si512(entry, low)), _mm512_slli_epi32(quotient, SCALE)); \
  } while (0)

VECTORS static uint8_t *encode_vectors(
    uint32_t *states, const uint32_t *codes, const uint8_t *bytes, size_t count, uint8_t *next) {
  const __m512i low = _mm512_set1_epi32(0xffff), one = _mm512_set1_epi32(1);
  const __m256i up = _mm256_setr_epi16(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  __m512i first = _mm512_loadu_si512(states), second = _mm512_loadu_si512(states + 16);
  __m512i third = _mm512_loadu_si512(states + 32), fourth = _mm512_loadu_si512(states + 48);
  for (size_t i = count; i >= STATES; i -= STATES) {
    ENCODE(fourth, bytes + i - 16);
    ENCODE(third, bytes + i - 32);
    ENCODE(second, bytes + i - 48);
    ENCODE(first, bytes + i - 64);
  }
  _mm512_storeu_si512(states, first);
  _mm512_storeu_si512(states + 16, second);
  _mm512_storeu_si512(states + 32, third);
  _mm512_storeu_si512(states + 48, fourth);
  return next;
}
#endif

// Also writes where no word goes, rather than to branch. A quotient of doubles is exact, since half of the
// divisor is added before.
INLINE uint8_t *encode_one(uint32_t *state, uint32_t code, double reciprocal, uint8_t *next) {
  uint32_t value = *state, frequency = code >> 16, is_high = value >= frequency << (32 - SCALE);
  uint16_t word = (uint16_t)value;
  memcpy(next - 2, &word, 2);
  next -= 2 * is_high;
  value >>= 16 * is_high;
  uint32_t quotient = (uint32_t)((value + 0.5) * reciprocal);
  *state = value + (code & 0xffff) + quotient * ((1 << SCALE) - frequency);
  return next;
}

size_t ckpt_ans_encode(
    const uint16_t *frequencies, const uint8_t *bytes, size_t count, uint8_t *target, size_t room) {
  uint32_t codes[256], states[STATES], sum = 0;
  double reciprocals[256];
  for (int symbol = 0; symbol < 256; symbol++) {
    codes[symbol] = (uint32_t)frequencies[symbol] << 16 | sum;
    reciprocals[symbol] = 1.0 / (frequencies[symbol] ? frequencies[symbol] : 1);
    sum += frequencies[symbol];
  }
  for (int i = 0; i < STATES; i++) states[i] = LOW;
  // The last symbol goes first, and the words from the end of the memory down.
  uint8_t *next = target + room;
  size_t i = count;
  for (; i % STATES; i--) {
    uint8_t byte = bytes[i - 1];
    next = encode_one(states + (i - 1) % STATES, codes[byte], reciprocals[byte], next);
  }
#if defined(__x86_64__)
  if (CKPT_GATHERS) {
    next = encode_vectors(states, codes, bytes, i, next);
    i = 0;
  }
#endif
  for (; i > 0; i -= STATES) {
    for (size_t j = STATES; j-- > 0;) {
      uint8_t byte = bytes[i - STATES + j];
      next = encode_one(states + j, codes[byte], reciprocals[byte], next);
    }
  }
  size_t size = (size_t)(target + room - next);
  memcpy(target, states, sizeof states);
  memmove(target + sizeof states, next, size);
  return sizeof states + size;
}
