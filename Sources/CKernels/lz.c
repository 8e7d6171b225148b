// Unpacking of LibLZF, and the copies that all packings of the LZ77 family make.
#include "include/FilterKernels.h"

#include <string.h>

void ckpt_lz_repeat(uint8_t *window, size_t position, size_t distance, size_t count) {
  uint8_t *to = window + position;
  const uint8_t *from = to - distance;
  if (distance >= count) {
    memcpy(to, from, count);
  } else if (distance == 1) {
    memset(to, *from, count);
  } else {
    for (size_t i = 0; i < count; i++) to[i] = from[i];
  }
}

// Most bytes that one step takes and makes, and those that a copy in whole steps may write after them.
enum { MAX_TAKEN = 33, MAX_MADE = 264, STEP = 16 };

size_t ckpt_lzf_unpack(
    const uint8_t *source, size_t size, size_t *taken, uint8_t *window, size_t position,
    size_t capacity) {
  const uint8_t *from = source, *end = source + size;
  uint8_t *to = window + position;
  while (end - from >= MAX_TAKEN && window + capacity - to >= MAX_MADE + STEP) {
    size_t control = *from;
    if (control < 32) {
      memcpy(to, from + 1, 32);
      from += control + 2;
      to += control + 1;
      continue;
    }
    const uint8_t *next = from + 1;
    size_t count = control >> 5;
    if (count == 7) count += *next++;
    size_t distance = ((control & 31) << 8 | *next++) + 1;
    count += 2;
    // The caller reports it.
    if (distance > (size_t)(to - window)) break;
    from = next;
    const uint8_t *back = to - distance;
    if (distance >= STEP) {
      for (size_t done = 0; done < count; done += STEP) memcpy(to + done, back + done, STEP);
    } else if (distance >= 8 || distance >= count) {
      for (size_t done = 0; done < count; done += 8) {
        // Before it is written again where the two overlap.
        uint64_t word;
        memcpy(&word, back + done, 8);
        memcpy(to + done, &word, 8);
      }
    } else {
      ckpt_lz_repeat(window, (size_t)(to - window), distance, count);
    }
    to += count;
  }
  *taken = (size_t)(from - source);
  return (size_t)(to - window) - position;
}
