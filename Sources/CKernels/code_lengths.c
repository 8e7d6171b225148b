// The lengths of an optimal prefix code whose words have a limited length: package-merge (Larmore and
// Hirschberg, "A fast algorithm for optimal length-limited Huffman codes", 1990).
#include "include/CKernels.h"
#include <string.h>

enum { MOST = 288, LONGEST = 15 };

// Sorts keys in ascending order, merging runs of 1, 2, 4, ... of them.
static void sort(uint64_t *keys, size_t count) {
  uint64_t other[MOST], *from = keys, *to = other;
  for (size_t run = 1; run < count; run *= 2) {
    for (size_t start = 0; start < count; start += 2 * run) {
      size_t middle = start + run < count ? start + run : count;
      size_t end = middle + run < count ? middle + run : count, a = start, b = middle;
      for (size_t i = start; i < end; i++)
        to[i] = b == end || (a < middle && from[a] <= from[b]) ? from[a++] : from[b++];
    }
    uint64_t *done = to;
    to = from;
    from = done;
  }
  if (from != keys) memcpy(keys, from, count * sizeof *keys);
}

uint64_t ckpt_huffman_bits(const uint32_t *counts, size_t symbols) {
  uint64_t leaves[MOST], packages[MOST], bits = 0;
  size_t used = 0, leaf = 0, package = 0, made = 0;
  for (size_t i = 0; i < symbols; i++)
    if (counts[i]) leaves[used++] = counts[i];
  if (used < 2) return used ? leaves[0] : 0;
  sort(leaves, used);
  // The two lightest trees become one, again and again: each adds a bit to all that is in it.
  for (; made + 1 < used; made++) {
    uint64_t sum = 0;
    for (int i = 0; i < 2; i++)
      sum += leaf < used && (package == made || leaves[leaf] <= packages[package])
                 ? leaves[leaf++]
                 : packages[package++];
    packages[made] = sum;
    bits += sum;
  }
  return bits;
}

void ckpt_code_lengths(
    const uint32_t *counts, size_t symbols, unsigned limit, uint8_t *lengths) {
  memset(lengths, 0, symbols);
  // Symbols that occur, in the order of their counts, equal ones by number.
  uint64_t leaves[MOST];
  size_t used = 0;
  for (size_t i = 0; i < symbols; i++)
    if (counts[i]) leaves[used++] = (uint64_t)counts[i] << 16 | i;
  for (size_t i = 0; i < 2 && i < symbols && used < 2; i++)
    if (counts[i] == 0) leaves[used++] = i;
  sort(leaves, used);
  // Each level holds the leaves merged with packages, the sums of pairs of the level before it, in
  // the order of their weights. Ties go to the leaf.
  uint64_t levels[2][2 * MOST], *level = levels[0], *next = levels[1];
  uint8_t is_leaf[LONGEST][2 * MOST];
  size_t size = 0;
  for (unsigned depth = 0; depth < limit; depth++) {
    size_t leaf = 0, package = 0, made = 0;
    while (leaf < used || package + 1 < size) {
      uint64_t pair = package + 1 < size ? level[package] + level[package + 1] : UINT64_MAX;
      int takes_leaf = leaf < used && leaves[leaf] >> 16 <= pair;
      next[made] = takes_leaf ? leaves[leaf] >> 16 : pair;
      is_leaf[depth][made++] = (uint8_t)takes_leaf;
      if (takes_leaf) leaf++;
      else package += 2;
    }
    uint64_t *merged = next;
    next = level;
    level = merged;
    size = made;
  }
  // Of the last level the first 2n - 2 items are taken, of each level before it what is inside the
  // packages taken; a word has one bit for each time its leaf is.
  size_t taken = used ? 2 * used - 2 : 0;
  for (unsigned depth = limit; depth-- > 0;) {
    size_t found = 0;
    for (size_t i = 0; i < taken; i++) found += is_leaf[depth][i];
    for (size_t i = 0; i < found; i++) lengths[leaves[i] & 0xffff]++;
    taken = 2 * (taken - found);
  }
}
