// The chunk filters, each with its inverse.
#include "digests.h"

static const size_t widths[] = {1, 2, 4, 8};

void digest_words(void) {
  for (size_t w = 0; w < COUNT(widths); w++) {
    size_t width = widths[w];
    FOR_SIZES(count) {
      uint8_t *words = words_of(count, width, NOISE), *target = room(count * width);
      for (unsigned bits = 1; bits < 8 * width; bits += bits < 7 ? 1 : 5) {
        ckpt_words_rotate(words, target, count, width, bits);
        add(target, count * width);
        ckpt_words_rotate(words, words, count, width, bits);
        add(words, count * width);
      }
    }
    report("words_rotate, %zu bytes", width);
    FOR_SIZES(count) {
      uint8_t *words = words_of(count, width, NOISE), *target = room(count * width);
      ckpt_differences_encode(words, target, count, width);
      add(target, count * width);
      ckpt_differences_decode(words, count, width);
      add(words, count * width);
    }
    report("differences, %zu bytes", width);
    FOR_SIZES(count) {
      uint8_t *words = words_of(count, width, NOISE), *target = room(count * width);
      uint8_t *base = words_of(count, width, NOISE);
      ckpt_deltas_encode(words, base, target, count, width);
      add(target, count * width);
      ckpt_deltas_decode(words, base, count, width);
      add(words, count * width);
    }
    report("deltas, %zu bytes", width);
  }
  const size_t sides[] = {1, 2, 3, 15, 16, 17, 18, 31, 32, 33, 34, 63, 64, 66, 210, 512};
  for (size_t i = 0; i < COUNT(sides); i++)
    for (size_t j = 0; j < COUNT(sides); j++) {
      size_t size = sides[i] * sides[j];
      uint8_t *target = room(size);
      ckpt_bytes_transpose(words_of(size, 1, NOISE), target, sides[i], sides[j]);
      add(target, size);
    }
  report("bytes_transpose");
  for (enum texture texture = NOISE; texture <= EXTREME; texture++) {
    FOR_SIZES(count) {
      uint8_t *narrow = words_of(count, 4, texture), *wide = room(8 * count), *back = room(4 * count);
      ckpt_widen_f32(narrow, wide, count);
      add(wide, 8 * count);
      add_number(ckpt_narrow_f32(wide, back, count));
      add_number(ckpt_narrow_f32(words_of(count, 8, texture), back, count));
    }
    report("narrow_f32 and widen_f32, %s", texture_names[texture]);
  }
  // All halves, and floats around them.
  uint8_t *halves = room(2 << 16), *floats = room(4 << 16), *back = room(2 << 16);
  for (size_t i = 0; i < 1 << 16; i++) memcpy(halves + 2 * i, &i, 2);
  ckpt_widen_bf16(halves, floats, 1 << 16);
  add(floats, 4 << 16);
  add_number(ckpt_narrow_bf16(floats, back, 1 << 16));
  add(back, 2 << 16);
  ckpt_widen_f16(halves, floats, 1 << 16);
  add(floats, 4 << 16);
  for (size_t i = 0; i < 1 << 16; i++)
    for (int step = -1; step <= 1; step++) {
      uint32_t word;
      memcpy(&word, floats + 4 * i, 4);
      word += (uint32_t)step;
      uint8_t half[2] = {0};
      bool fits = ckpt_narrow_f16(&word, half, 1);
      add_number(fits);
      if (fits) add(half, 2);
    }
  FOR_SIZES(count) {
    uint8_t *wide = room(4 * count), *half = room(2 * count);
    ckpt_widen_f16(words_of(count, 2, SPARSE), wide, count);
    bool fits = ckpt_narrow_f16(wide, half, count);  // unless there is a NaN
    add_number(fits);
    if (fits) add(half, 2 * count);
    ckpt_widen_bf16(words_of(count, 2, NOISE), wide, count);
    add_number(ckpt_narrow_bf16(wide, half, count));
    add(half, 2 * count);
  }
  report("narrow_f16, narrow_bf16, widen_f16 and widen_bf16");
}

void digest_sparse(void) {
  for (size_t w = 1; w < COUNT(widths); w++)
    for (enum texture texture = NOISE; texture < TEXTURES; texture++) {
      size_t width = widths[w];
      FOR_SIZES(count) {
        size_t bytes = (count + 7) / 8;
        uint8_t *words = words_of(count, width, texture);
        uint8_t *mask = room(bytes), *signs = room(bytes + 8), *dense = room(count * width);
        size_t present = ckpt_sparse_split(words, count, width, mask, signs, dense);
        size_t sign_bytes = (count - present + 7) / 8;
        add_number(present);
        add_number(ckpt_sparse_count(mask, count));
        add(mask, bytes);
        add(signs, sign_bytes);
        add(dense, present * width);
        uint8_t *picked = room(count * width);
        add_number(ckpt_sparse_pick(words, mask, count, width, picked));
        add(picked, present * width);
        // Signs and words of just the right size.
        uint8_t *some_signs = room(sign_bytes), *some_words = room(present * width);
        memcpy(some_signs, signs, sign_bytes);
        memcpy(some_words, dense, present * width);
        uint8_t *merged = room(count * width);
        ckpt_sparse_merge(mask, some_signs, some_words, merged, count, width);
        add(merged, count * width);
      }
      report("sparse, %zu bytes, %s", width, texture_names[texture]);
    }
}

void digest_levels(void) {
  const size_t column_counts[] = {4, 7, 16, 31, 256, 1000, 1024, 5000};
  for (size_t width = 2; width <= 4; width += 2)
    for (enum texture texture = NOISE; texture <= EXTREME; texture++) {
      for (size_t c = 0; c < COUNT(column_counts); c++)
        FOR_SIZES(count) {
          if (count == 0) continue;
          size_t columns = column_counts[c], rows = (count + columns - 1) / columns;
          uint8_t *words = words_of(count, width, texture), *target = room(count * width);
          uint32_t *sums = aligned32(rows), *counts = aligned32(rows);
          uint32_t *column_sums = aligned32(columns), *column_totals = aligned32(columns);
          ckpt_levels_sums(words, count, width, columns, sums, counts, column_sums, column_totals);
          add(sums, 4 * rows);
          add(counts, 4 * rows);
          add(column_sums, 4 * columns);
          add(column_totals, 4 * columns);
          // Any numbers will do.
          uint16_t *of_rows = (uint16_t *)aligned32(rows / 2 + 1);
          uint16_t *of_columns = (uint16_t *)aligned32(columns / 2 + 1);
          for (size_t i = 0; i < rows; i++) of_rows[i] = (uint16_t)draw();
          for (size_t i = 0; i < columns; i++) of_columns[i] = (uint16_t)draw();
          struct ckpt_levels levels = {of_rows, of_columns, columns};
          ckpt_levels_subtract(words, target, count, width, &levels);
          add(target, count * width);
          ckpt_levels_add(target, NULL, count, width, &levels);
          add(target, count * width);
          uint8_t *mask = words_of((count + 7) / 8, 1, NOISE);
          size_t present = ckpt_sparse_count(mask, count);
          uint8_t *dense = words_of(present, width, texture);
          ckpt_levels_add(dense, mask, count, width, &levels);
          add(dense, present * width);
        }
      report("levels, %zu bytes, %s", width, texture_names[texture]);
    }
}

void digest_bits(void) {
  FOR_SIZES(count) {
    uint8_t *bytes = words_of(count, 1, NOISE), *planes = room(8 * ((count + 7) / 8));
    ckpt_bits_split(bytes, planes, count);
    add(planes, 8 * ((count + 7) / 8));
    ckpt_bits_merge(planes, bytes, count);
    add(bytes, count);
  }
  report("bits");
  for (size_t w = 0; w < COUNT(widths); w++)
    for (size_t bits = 1; bits <= 8; bits *= 2) {
      size_t width = widths[w];
      FOR_SIZES(count) {
        size_t size = (count * bits + 7) / 8;
        uint64_t *table = aligned64(256);
        uint8_t *numbers = room(count), *packed = room(size), *back = room(count * width);
        size_t known = ckpt_palette_number(words_of(count, width, FEW), count, width, numbers, table);
        add_number(known);
        add(numbers, count);
        add(table, 8 * known);
        add_number(ckpt_palette_number(words_of(count, width, NOISE), count, width, room(count), table));
        uint8_t ranks[256];
        for (size_t i = 0; i < 256; i++) ranks[i] = (uint8_t)(255 - i) & (uint8_t)(0xff >> (8 - bits));
        ckpt_palette_pack(numbers, ranks, count, bits, packed);
        add(packed, size);
        add_number(ckpt_palette_largest(packed, count, bits));
        for (size_t i = 0; i < 256; i++) table[i] = draw();
        ckpt_palette_unpack(packed, table, count, bits, back, width);
        add(back, count * width);
      }
      report("palette, %zu bytes, %zu bits", width, bits);
    }
}
