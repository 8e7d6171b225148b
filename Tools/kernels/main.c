// Prints a digest of what each kernel writes for many inputs: the same lines on every processor.
#include "digests.h"
#include <stdarg.h>
#include <stdio.h>

const size_t sizes[] = {
    0,   1,   2,   3,   5,   7,   8,   9,   11,  15,   16,   17,   23,   24,   25,   31,  32, 33,
    47,  48,  49,  63,  64,  65,  95,  96,  97,  127,  128,  129,  191,  192,  193,  255, 256, 257,
    511, 512, 513, 623, 624, 625, 777, 1000, 1023, 1024, 1025, 2047, 2049, 4095, 4096, 4097, 9999};
const size_t size_count = COUNT(sizes);

const char *const texture_names[TEXTURES] = {"noise", "sparse", "extreme", "few", "runs"};

// Source: Steele, Lea and Flood, Fast splittable pseudorandom number generators (2014).
static uint64_t state;

uint64_t draw(void) {
  uint64_t word = state += 0x9e3779b97f4a7c15;
  word = (word ^ word >> 30) * 0xbf58476d1ce4e5b9;
  word = (word ^ word >> 27) * 0x94d049bb133111eb;
  return word ^ word >> 31;
}

size_t below(size_t limit) { return (size_t)(draw() % limit); }

static void *taken[100000];
static size_t taken_count;

static void *take(size_t size) {
  void *memory = malloc(size);
  if (!memory || taken_count == COUNT(taken)) {
    fprintf(stderr, "out of memory\n");
    exit(2);
  }
  memset(memory, 0xa5, size);
  return taken[taken_count++] = memory;
}

uint8_t *room(size_t size) { return (uint8_t *)take(size + 1) + 1; }
uint32_t *aligned32(size_t count) { return take(4 * count); }
uint64_t *aligned64(size_t count) { return take(8 * count); }

// A word whose exponent, if it is a float, is at an end of the range or in its middle.
static uint64_t extreme(size_t width) {
  unsigned bits = width == 2 ? 10 : width == 4 ? 23 : width == 8 ? 52 : 3;
  uint64_t exponents = (UINT64_C(1) << (8 * width - 1 - bits)) - 1;
  const uint64_t ends[] = {0, 1, exponents, exponents - 1, exponents / 2, exponents / 2 - 14};
  uint64_t mantissa = (UINT64_C(1) << bits) - 1;
  switch (below(4)) {
  case 0: mantissa = 0; break;
  case 1: mantissa &= UINT64_C(1) << below(bits); break;
  case 2: mantissa &= draw();
  }
  return (draw() & 1) << (8 * width - 1) | ends[below(COUNT(ends))] << bits | mantissa;
}

uint8_t *words_of(size_t count, size_t width, enum texture texture) {
  uint8_t *words = room(count * width);
  uint64_t word = 0, table[37];
  for (size_t i = 0; i < COUNT(table); i++) table[i] = draw();
  for (size_t i = 0; i < count; i++) {
    switch (texture) {
    case SPARSE: word = below(3) ? (draw() & 1) << (8 * width - 1) : draw(); break;
    case EXTREME: word = extreme(width); break;
    case FEW: word = table[below(COUNT(table))]; break;
    case RUNS: word = below(20) ? word : 0x0101010101010101 * below(256); break;
    default: word = draw();
    }
    memcpy(words + i * width, &word, width);
  }
  return words;
}

uint32_t *draws_of(size_t count) {
  uint32_t *words = aligned32(count);
  for (size_t i = 0; i < count; i++) {
    words[i] = (uint32_t)draw();
    if (below(8) == 0) words[i] = (uint32_t)(below(16) << 20) + (uint32_t)below(3) - 1;
  }
  return words;
}

// Source: Fowler, Noll and Vo, the FNV hash (1a, 64 bits).
static const uint64_t empty = 0xcbf29ce484222325;
static uint64_t digest;

void add(const void *bytes, size_t size) {
  for (size_t i = 0; i < size; i++) digest = (digest ^ ((const uint8_t *)bytes)[i]) * 0x100000001b3;
}

void add_number(uint64_t number) { add(&number, sizeof number); }

void release(void) {
  while (taken_count > 0) free(taken[--taken_count]);
}

void report(const char *name, ...) {
  va_list values;
  va_start(values, name);
  vprintf(name, values);
  va_end(values);
  printf(" %016llx\n", (unsigned long long)digest);
  fflush(stdout);
  digest = empty;
  state = 0;
  release();
}

// --has-v3 only tells whether the loader takes clones for x86-64-v3; --fuzz N unpacks damaged streams.
int main(int count, char **words) {
  if (count == 2 && strcmp(words[1], "--has-v3") == 0) {
#if defined(__x86_64__)
    return !__builtin_cpu_supports("x86-64-v3");
#else
    return 1;
#endif
  }
  if (count == 3 && strcmp(words[1], "--fuzz") == 0) {
    fuzz_inflate(strtoul(words[2], NULL, 10));
    return 0;
  }
  digest = empty;
  digest_generator();
  digest_distributions();
  digest_pairs();
  digest_seeds();
  digest_words();
  digest_sparse();
  digest_levels();
  digest_bits();
  digest_planes();
  digest_huffman();
  digest_ans();
  digest_inflate();
  digest_sums();
  digest_parity();
}
