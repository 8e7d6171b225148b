// CRC-32C (Castagnoli; RFC 3720, appendix B.4), bits reflected: with the processor's instruction where
// there is one, else four bits at a time. Bytewise, the former is about 20 times slower.
#include "include/CKernels.h"

#include <string.h>

// The remainders of the 16 values of four bits, for the polynomial 0x82f63b78.
static const uint32_t remainders[16] = {
  0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d,
  0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9, 0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
};

static uint32_t portable(uint32_t state, const uint8_t *bytes, size_t count) {
  for (size_t i = 0; i < count; i++) {
    state ^= bytes[i];
    state = state >> 4 ^ remainders[state & 15];
    state = state >> 4 ^ remainders[state & 15];
  }
  return state;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2")))
static uint32_t accelerated(uint32_t state, const uint8_t *bytes, size_t count) {
  uint64_t wide = state;
  for (; count >= 8; count -= 8, bytes += 8) {
    uint64_t word;
    memcpy(&word, bytes, 8);
    wide = __builtin_ia32_crc32di(wide, word);
  }
  state = (uint32_t)wide;
  for (; count > 0; count--, bytes++) state = __builtin_ia32_crc32qi(state, *bytes);
  return state;
}
#endif

uint32_t ckpt_crc32c(uint32_t sum, const uint8_t *bytes, size_t count) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("sse4.2")) return ~accelerated(~sum, bytes, count);
#endif
  return ~portable(~sum, bytes, count);
}

uint32_t ckpt_crc32c_portable(uint32_t sum, const uint8_t *bytes, size_t count) {
  return ~portable(~sum, bytes, count);
}
