// The generator, the distributions, and the search for seeds.
#include "digests.h"

enum { STATE = 624 };

void digest_generator(void) {
  const size_t times[] = {0, 1, 2, 3, 10};
  for (size_t i = 0; i < COUNT(times); i++) {
    uint32_t *state = draws_of(STATE);
    ckpt_mt19937_twist(state, times[i]);
    add(state, 4 * STATE);
  }
  report("mt19937_twist");
  FOR_SIZES(count) {
    uint32_t *words = aligned32(count);
    ckpt_mt19937_temper(draws_of(count), words, count);
    add(words, 4 * count);
  }
  report("mt19937_temper");
  for (size_t blocks = 0; blocks < 5; blocks++) {
    uint32_t *state = draws_of(STATE), *words = aligned32(STATE * blocks);
    ckpt_mt19937_blocks(state, words, blocks);
    add(state, 4 * STATE);
    add(words, 4 * STATE * blocks);
  }
  report("mt19937_blocks");
  const uint64_t exponents[] = {
      0, 1, 63, 64, 624, 19936, 19937, 19938, 39874, 0xffffffff, 1ull << 40, 0x123456789abcdef};
  for (size_t i = 0; i < COUNT(exponents); i++) {
    uint64_t *polynomial = aligned64(312);
    ckpt_mt19937_power(exponents[i], polynomial);
    add(polynomial, 8 * 312);
    uint32_t *state = draws_of(STATE);
    ckpt_mt19937_advance(polynomial, aligned32(20561), state);
    state[0] &= 0x80000000;  // nothing depends on the others, and they are not defined
    add(state, 4 * STATE);
    report("mt19937_power %llu", (unsigned long long)exponents[i]);
  }
}

void digest_distributions(void) {
  const double ranges[][2] = {
      {0, 1},        {-0.1, 0.1},      {-0.1, 0.2},  {-1, 0},     {0, 0},
      {-0.0, 0.0},   {0.25, 0.25},     {0, 1e-6},    {-1e-38, 1e-38}, {-1e-44, 1e-44},
      {-3e4, 1e4},   {-6e-8, 6e-8}};
  for (size_t i = 0; i < COUNT(ranges); i++)
    for (int fuse = 0; fuse < 2; fuse++) {
      double from = ranges[i][0], to = ranges[i][1];
      FOR_SIZES(count) {
        uint32_t *words = draws_of(2 * count);
        uint8_t *target = room(8 * count);
        ckpt_uniform_float64(words, target, count, from, to, fuse);
        add(target, 8 * count);
        words = draws_of(count);
        ckpt_uniform_float32(words, target, count, (float)from, (float)to, fuse);
        add(target, 4 * count);
        ckpt_uniform_bfloat16(words, target, count, (float)from, (float)to, fuse);
        add(target, 2 * count);
        ckpt_uniform_float16(words, target, count, (float)from, (float)to, fuse);
        add(target, 2 * count);
      }
      report("uniform from %g to %g%s", from, to, fuse ? ", fused" : "");
    }
  const double moments[][2] = {{0, 1}, {0.25, 0.02}, {-3, 0}, {1e30, 1e-30}, {0, 1e-7}, {0, 3e4}};
  for (size_t i = 0; i < COUNT(moments); i++) {
    double mean = moments[i][0], deviation = moments[i][1];
    const size_t blocks[] = {0, 1, 2, 3, 4, 5, 8, 9, 512, 2001};
    for (size_t j = 0; j < COUNT(blocks); j++) {
      size_t count = 16 * blocks[j];
      uint32_t *words = draws_of(2 * count);
      uint8_t *target = room(8 * count);
      ckpt_normal_float64(words, target, blocks[j], mean, deviation);
      add(target, 8 * count);
      words = draws_of(count);
      ckpt_normal_float32(words, target, blocks[j], (float)mean, (float)deviation);
      add(target, 4 * count);
      ckpt_normal_bfloat16(words, target, blocks[j], (float)mean, (float)deviation);
      add(target, 2 * count);
      ckpt_normal_float16(words, target, blocks[j], (float)mean, (float)deviation);
      add(target, 2 * count);
    }
    report("normal of mean %g and deviation %g", mean, deviation);
  }
}

void digest_pairs(void) {
  for (int i = 0; i < 20000; i++) {
    // Around the seams of the functions, and anywhere.
    const double seams[] = {0, 0x1p-29, 0.29289, 0.5, 0.64645, 0.75, 0.02005, 0.13616, 0.38615, 1};
    uint64_t angle = draw(), radius = draw() >> (below(2) ? 11 : 11 + below(53));
    if (below(3) == 0) radius = (uint64_t)(seams[below(10)] * 0x1p53) + below(2001) - 1000;
    if (below(3) == 0) angle = (uint64_t)(seams[below(10)] * 0x1p53) + below(2001) - 1000;
    struct ckpt_pair pair = ckpt_normal_pair(angle, radius);
    add(&pair, sizeof pair);
  }
  report("normal_pair");
}

void digest_seeds(void) {
  const uint32_t positions[] = {0, 1, 100, 226};
  for (size_t i = 0; i < COUNT(positions); i++)
    for (size_t groups = 0; groups < 4; groups++) {
      uint32_t *hits = aligned32(64 * groups + 1);
      size_t found = ckpt_seed_near(
          (uint32_t)draw(), groups, positions[i], 0xffffff, 1000, 1 << 21, hits);
      add_number(found);
      add(hits, 4 * found);
    }
  report("seed_near");
  size_t count = (CKPT_SIEVE_BITS + CKPT_REST_BITS) * STATE;
  uint32_t *masks = aligned32(count);
  for (size_t i = 0; i < count; i++) masks[i] = (uint32_t)draw();
  for (size_t groups = 0; groups < 4; groups++) {
    uint32_t *hits = aligned32(64 * groups + 1), first = (uint32_t)draw();
    size_t found = ckpt_seed_sieve(first, groups, 250, 40, masks, hits);
    add_number(found);
    add(hits, 4 * found);
    for (size_t i = 0; i < found; i++) add_number(ckpt_seed_word(hits[i], masks));
  }
  report("seed_sieve");
}
