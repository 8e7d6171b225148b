// Fletcher's 32-bit checksum as in HDF5's filter (H5_checksum_fletcher32): big-endian 16-bit words,
// whose sums are reduced modulo 65535 every 360 words, before they can overflow.
#include "include/CKernels.h"

uint32_t ckpt_fletcher32(const uint8_t *bytes, size_t count) {
  uint32_t one = 0, two = 0;
  for (size_t words = count / 2; words > 0;) {
    size_t part = words < 360 ? words : 360;
    words -= part;
    for (; part > 0; part--, bytes += 2) {
      one += (uint32_t)bytes[0] << 8 | bytes[1];
      two += one;
    }
    one = (one & 0xffff) + (one >> 16);
    two = (two & 0xffff) + (two >> 16);
  }
  if (count % 2) {
    one += (uint32_t)bytes[0] << 8;
    two += one;
    one = (one & 0xffff) + (one >> 16);
    two = (two & 0xffff) + (two >> 16);
  }
  one = (one & 0xffff) + (one >> 16);
  two = (two & 0xffff) + (two >> 16);
  return two << 16 | one;
}
