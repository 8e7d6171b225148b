// What the programs in this folder share: inputs that are the same at every run, memory, and digests.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "CKernels.h"

#define COUNT(list) (sizeof(list) / sizeof *(list))

// Numbers of words around the sizes of registers, blocks, and tables.
extern const size_t sizes[];
extern const size_t size_count;
#define FOR_SIZES(size) \
  for (size_t size##_at = 0, size; size##_at < size_count && (size = sizes[size##_at], 1); size##_at++)

// What words are like: any bits; mostly zeros of both signs; the ends of the floats' range; few
// different words; runs of equal bytes.
enum texture { NOISE, SPARSE, EXTREME, FEW, RUNS, TEXTURES };
extern const char *const texture_names[TEXTURES];

// The next 64 bits of SplitMix64, which starts anew after each report; and a number below `limit`.
uint64_t draw(void);
size_t below(size_t limit);

// Memory that lasts until the next report and has not a byte more, so that a sanitizer notices one:
// for any words, at an odd address, and for the types that must be aligned.
uint8_t *room(size_t size);
uint32_t *aligned32(size_t count);
uint64_t *aligned64(size_t count);

// Words of a texture, at an odd address; and aligned ones of 32 bits, of which some are all zeros or
// all ones in their low 24 bits.
uint8_t *words_of(size_t count, size_t width, enum texture texture);
uint32_t *draws_of(size_t count);

// Adds bytes or a number to the digest.
void add(const void *bytes, size_t size);
void add_number(uint64_t number);

// Prints a line: a name and the digest of all that was added since the line before.
__attribute__((format(printf, 1, 2))) void report(const char *name, ...);

// Frees all memory that was taken.
void release(void);

// Unpacks this many damaged streams, for a sanitizer to watch.
void fuzz_inflate(unsigned long count);

void digest_generator(void);
void digest_distributions(void);
void digest_pairs(void);
void digest_seeds(void);
void digest_words(void);
void digest_sparse(void);
void digest_levels(void);
void digest_bits(void);
void digest_planes(void);
void digest_huffman(void);
void digest_ans(void);
void digest_inflate(void);
void digest_sums(void);
void digest_parity(void);
