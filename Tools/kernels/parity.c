// Parity, with each set of instructions that the processor has, or the best of them.
#include "digests.h"

void digest_parity(void) {
  uint8_t *tables = room(256 * 32);
  ckpt_parity_tables(tables);
  add(tables, 256 * 32);
  report("parity_tables");
  static const size_t shapes[][2] = {{1, 1}, {4, 2}, {17, 3}, {230, 26}, {128, 128}};
  for (unsigned set = CKPT_PARITY_PLAIN; set <= CKPT_PARITY_64; set++) {
    for (size_t shape = 0; shape < COUNT(shapes); shape++)
      for (size_t size = 1; size < 1500; size += size < 130 ? 43 : 421) {
        size_t columns = shapes[shape][0], rows = shapes[shape][1];
        uint8_t *products = room(256 * 32), *targets = room(rows * (size + 1));
        ckpt_parity_tables(products);
        const struct ckpt_parity_sources sources = {
            words_of(columns * (size + 5), 1, NOISE), size + 5, columns, size};
        memset(targets, 0, rows * (size + 1));
        ckpt_parity_sum(
            set < ckpt_parity_best() ? set : ckpt_parity_best(), products,
            words_of(columns * rows, 1, NOISE), &sources, targets, size + 1, rows);
        add(targets, rows * (size + 1));
      }
    report("parity_sum, set %u", set);
  }
}
