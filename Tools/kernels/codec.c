// The plane codec, deflate streams in both directions, and the sums over bytes.
#include "digests.h"

void digest_planes(void) {
  const size_t widths[] = {1, 2, 3, 4, 7, 8, 16};
  for (size_t w = 0; w < COUNT(widths); w++) {
    size_t width = widths[w], is_fast = width == 2 || width == 4 || width == 8;
    for (int rotated = 0; rotated <= (int)is_fast; rotated++)
      FOR_SIZES(count) {
        uint8_t *words = room(count * width), *planes[16];
        uint8_t *first = is_fast ? NULL : room(count * width);
        for (size_t i = 0; i < count * width; i++) words[i] = (uint8_t)draw();
        for (size_t i = 0; i < width; i++) planes[i] = is_fast ? room(count) : first;
        ckpt_planes_split(words, planes, count, width, rotated);
        if (is_fast) for (size_t i = 0; i < width; i++) add(planes[i], count);
        else add(first, count * width);
        ckpt_planes_merge((const uint8_t *const *)planes, words, count, width, rotated);
        add(words, count * width);
      }
    report("planes, %zu bytes", width);
  }
}

// A code for these counts: words with their first bit lowest, plus their lengths << 16.
static void make_code(const uint32_t *counts, size_t symbols, unsigned limit, uint32_t *codes) {
  uint8_t lengths[288];
  ckpt_code_lengths(counts, symbols, limit, lengths);
  add(lengths, symbols);
  uint32_t next = 0;
  memset(codes, 0, 4 * symbols);
  for (unsigned length = 1; length <= limit; length++, next <<= 1)
    for (size_t i = 0; i < symbols; i++) {
      if (lengths[i] != length) continue;
      uint32_t word = 0;
      for (unsigned bit = 0; bit < length; bit++) word |= (next >> bit & 1) << (length - 1 - bit);
      codes[i] = word | length << 16;
      next++;
    }
}

void digest_huffman(void) {
  FOR_SIZES(symbols) {
    if (symbols > 288) break;
    for (unsigned limit = 9; limit <= 15; limit++) {
      uint32_t counts[288], codes[288];
      for (size_t i = 0; i < symbols; i++) counts[i] = (uint32_t)(draw() >> (34 + below(30)));
      make_code(counts, symbols, limit, codes);
    }
  }
  report("code_lengths");
  for (enum texture texture = NOISE; texture < TEXTURES; texture++) {
    FOR_SIZES(count) {
      uint32_t counts[288] = {0}, codes[288];
      uint8_t *bytes = words_of(count, 1, texture);
      ckpt_histogram(bytes, count, counts);
      add(counts, 4 * 256);
      add_number(ckpt_equal_neighbors(bytes, count));
      make_code(counts, 256, 13, codes);
      for (unsigned used = 0; used < 8; used += 3) {
        uint8_t *target = room(2 * count + 16);
        struct ckpt_bits out = {target, 0, used};
        ckpt_literals_write(&out, bytes, count, codes, aligned32(65536));
        add(target, (size_t)(out.next - target));
        add_number(out.bits | out.used << 8);
      }
      ckpt_runs_histogram(bytes, count, counts);
      add(counts, 4 * 286);
      make_code(counts, 286, 15, codes);
      uint8_t *target = room(3 * count + 16);
      struct ckpt_bits out = {target, 0, 0};
      ckpt_runs_write(&out, bytes, count, codes);
      add(target, (size_t)(out.next - target));
      add_number(out.bits | out.used << 8);
    }
    report("huffman, %s", texture_names[texture]);
  }
}

static void put(struct ckpt_bits *target, uint64_t bits, unsigned count) {
  for (unsigned i = 0; i < count; i++) {
    target->bits |= (bits >> i & 1) << target->used;
    if (++target->used < 8) continue;
    *target->next++ = (uint8_t)target->bits;
    target->bits = target->used = 0;
  }
}

static void put_code(struct ckpt_bits *target, uint32_t code) { put(target, code, code >> 16); }

// A block with codes of its own (RFC 1951, section 3.2.7) of `count` symbols, all literals or also
// matches; returns the number of bytes that it stands for.
static size_t put_block(struct ckpt_bits *target, size_t count, int has_matches, int is_last) {
  uint32_t counts[286], distances[30], codes[286], distance_codes[30];
  for (size_t i = 0; i < 286; i++) counts[i] = i < 257 || has_matches ? (uint32_t)(draw() >> (40 + below(20))) : 0;
  for (size_t i = 0; i < 30; i++) distances[i] = has_matches ? (uint32_t)(1 + below(1000)) : 0;
  counts[0] = counts[256] = 1;
  make_code(counts, 286, 15, codes);
  make_code(distances, 30, 15, distance_codes);
  put(target, is_last, 1);
  put(target, 2, 2);
  put(target, 29, 5);
  put(target, 29, 5);
  put(target, 15, 4);
  // Lengths of 0 to 15, four bits each; no repetition.
  for (int i = 0; i < 19; i++) put(target, i < 3 ? 0 : 4, 3);
  for (int i = 0; i < 286 + 30; i++) {
    uint32_t length = (i < 286 ? codes[i] : distance_codes[i - 286]) >> 16, word = 0;
    for (int bit = 0; bit < 4; bit++) word |= (length >> bit & 1) << (3 - bit);
    put(target, word, 4);
  }
  size_t made = 0;
  for (size_t i = 0; i < count; i++) {
    size_t symbol = has_matches && i > 40 && below(4) == 0 ? 257 + below(8) : below(256);
    if (codes[symbol] == 0) symbol = 0;
    put_code(target, codes[symbol]);
    if (symbol < 257) {
      made++;
    } else {
      // Of the first eight symbols of either kind: 3 to 10 bytes, up to 16 bytes ago.
      size_t distance = below(8);
      put_code(target, distance_codes[distance]);
      if (distance > 3) put(target, draw(), (unsigned)distance / 2 - 1);
      made += symbol - 254;
    }
  }
  put_code(target, codes[256]);
  return made;
}

// A stream of blocks of all kinds; returns the number of bytes that it stands for.
static size_t make_stream(struct ckpt_bits *target, size_t count, int has_matches) {
  size_t made = 0;
  for (int block = 0; block < 3; block++) {
    if (below(3) == 0) {
      put(target, 0, 3);
      put(target, 0, (unsigned)(8 - target->used) % 8);
      put(target, 50 | 0xffcdull << 16, 32);
      for (int i = 0; i < 50; i++) put(target, draw(), 8);
      made += 50;
    }
    made += put_block(target, below(count + 1), has_matches, block == 2);
  }
  put(target, 0, (unsigned)(8 - target->used) % 8);
  return made;
}

// Frequencies in parts of 4096 of bytes that occur so often; whether at least two do.
static int make_frequencies(const uint32_t *counts, size_t total, uint16_t *frequencies) {
  uint32_t used = 0, sum = 0, most = 0;
  for (int i = 0; i < 256; i++) used += counts[i] != 0;
  for (uint32_t i = 0; i < 256; i++) {
    frequencies[i] = counts[i] ? (uint16_t)(1 + (4096 - used) * (uint64_t)counts[i] / total) : 0;
    sum += frequencies[i];
    if (counts[i] > counts[most]) most = i;
  }
  frequencies[most] = (uint16_t)(frequencies[most] + 4096 - sum);
  return used > 1;
}

void digest_ans(void) {
  for (enum texture texture = NOISE; texture < TEXTURES; texture++) {
    FOR_SIZES(count) {
      uint32_t counts[256] = {0};
      uint16_t frequencies[256];
      uint8_t *bytes = words_of(count, 1, texture);
      ckpt_histogram(bytes, count, counts);
      if (!make_frequencies(counts, count, frequencies)) continue;
      uint8_t *stream = room(288 + 2 * count), *back = room(count), *exact;
      size_t size = ckpt_ans_encode(frequencies, bytes, count, stream, 288 + 2 * count);
      add(stream, size);
      exact = memcpy(room(size), stream, size);
      void *memory = aligned32(ckpt_ans_memory() / 4);
      add_number(ckpt_ans_decode(memory, frequencies, exact, size, back, count));
      add(back, count);
      for (int round = 0; round < 20; round++) {
        exact[below(size)] ^= (uint8_t)(1 << below(8));
        add_number(ckpt_ans_decode(memory, frequencies, exact, size, back, count));
        add_number(ckpt_ans_decode(memory, frequencies, exact, below(size), back, count));
      }
    }
    report("ans, %s", texture_names[texture]);
  }
}

void digest_inflate(void) {
  for (int has_matches = 0; has_matches < 2; has_matches++) {
    for (int round = 0; round < 150; round++) {
      struct ckpt_deflated streams[2];
      size_t made[2] = {0, 0};
      for (int i = 0; i < 2; i++) {
        size_t count = sizes[below(size_count)];
        uint8_t *memory = room(3 * (2 * count + 400) + 1000);
        struct ckpt_bits out = {memory, 0, 0};
        size_t expected = make_stream(&out, count, has_matches), size = (size_t)(out.next - memory);
        uint8_t *exact = room(size);
        memcpy(exact, memory, size);
        // Two of three are damaged, or of another length than is told.
        if (round % 3 == 1) exact[below(size)] ^= (uint8_t)(1 << below(8));
        if (round % 9 == 2) expected++;
        if (round % 9 == 5 && expected > 0) expected--;
        if (round % 9 == 8) size--;
        streams[i] = (struct ckpt_deflated){exact, size, room(expected), expected};
      }
      void *tables = aligned64(ckpt_inflate_memory() / 8 + 1);
      for (unsigned number = 1; number <= 2; number++)
        for (int is_plain_only = 0; is_plain_only < 2; is_plain_only++) {
          unsigned answer = ckpt_inflate(tables, streams, number, is_plain_only, round % 2 ? made : NULL);
          add_number(answer);
          for (unsigned i = 0; i < number; i++)
            if (answer >> i & 1) add(streams[i].target, round % 2 ? made[i] : streams[i].count);
        }
    }
    report("inflate, %s", has_matches ? "literals and matches" : "literals");
  }
}

void fuzz_inflate(unsigned long count) {
  for (unsigned long done = 0; done < count;) {
    struct ckpt_deflated sound[2], damaged[2];
    for (int i = 0; i < 2; i++) {
      size_t symbols = sizes[below(size_count)] % 1100;
      uint8_t *memory = room(3 * (2 * symbols + 400) + 1000);
      struct ckpt_bits out = {memory, 0, 0};
      size_t made = make_stream(&out, symbols, (int)below(2));
      sound[i] = (struct ckpt_deflated){memory, (size_t)(out.next - memory), room(made), made};
    }
    void *tables = aligned64(ckpt_inflate_memory() / 8 + 1);
    for (int round = 0; round < 64; round++, done += 2) {
      size_t made[2];
      for (int i = 0; i < 2; i++) {
        // A third has lost its end, and a third is of another length than is told.
        size_t size = sound[i].size, room_for = sound[i].count;
        if (below(3) == 0) size -= below(size);
        if (below(3) == 0) room_for = below(2 * room_for + 2);
        uint8_t *bytes = malloc(size), *target = malloc(room_for);
        if (!bytes || !target) exit(2);
        memcpy(bytes, sound[i].stream, size);
        for (size_t changes = 1 + below(3); changes > 0; changes--) {
          size_t place = below(below(2) ? size : size < 200 ? size : 200);
          bytes[place] ^= (uint8_t)(1 << below(8));
        }
        damaged[i] = (struct ckpt_deflated){bytes, size, target, room_for};
      }
      ckpt_inflate(tables, damaged, 2, below(2), below(2) ? made : NULL);
      for (int i = 0; i < 2; i++) {
        free((void *)damaged[i].stream);
        free(damaged[i].target);
      }
    }
    release();
  }
}

void digest_sums(void) {
  FOR_SIZES(count) {
    uint8_t *bytes = words_of(count, 1, NOISE);
    add_number(ckpt_fletcher32(bytes, count));
  }
  report("fletcher32");
  FOR_SIZES(count) {
    uint8_t *bytes = words_of(count, 1, NOISE);
    uint32_t before = (uint32_t)draw();
    add_number(ckpt_crc32c(before, bytes, count));
    add_number(ckpt_crc32c_portable(before, bytes, count));
  }
  report("crc32c");
  const size_t chunks[] = {10000,  16383,  16384, 16385, 17407, 17409, 31744, 32767,
                           32769, 65536, 65537, 100000, 1 << 19, (1 << 20) - 1, 1 << 20};
  for (size_t i = 0; i < size_count + COUNT(chunks); i++) {
    size_t count = i < size_count ? sizes[i] : chunks[i - size_count];
    const uint64_t leaves[] = {0, 1024, (1ull << 32) - 1024, 1ull << 40};
    uint8_t *bytes = words_of(count, 1, NOISE), cv[32], root[32];
    for (size_t j = 0; j < COUNT(leaves); j++) {
      ckpt_blake3_chunk(bytes, count, leaves[j], cv, root);
      add(cv, 32);
      add(root, 32);
    }
  }
  report("blake3_chunk");
  for (size_t count = 1; count < 70; count++) {
    uint8_t *values = words_of(32 * count, 1, NOISE), *again = room(32 * count), out[32];
    memcpy(again, values, 32 * count);
    ckpt_blake3_merge(values, count, false, out);
    add(out, 32);
    if (count == 1) continue;
    ckpt_blake3_merge(again, count, true, out);
    add(out, 32);
  }
  report("blake3_merge");
}
