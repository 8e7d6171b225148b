// The functions that libFuzzer calls. CKPT_FUZZ_TARGET names the target, since the options are libFuzzer's.
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

typedef size_t mutator(uint8_t *data, size_t size, size_t limit);

extern mutator LLVMFuzzerMutate;
extern int32_t ckpt_fuzz_choose(const char *name);
extern void ckpt_fuzz_run(const uint8_t *data, size_t size);
extern size_t ckpt_fuzz_mutate(uint8_t *data, size_t size, size_t limit, uint32_t seed, mutator *change);

int LLVMFuzzerInitialize(int *count, char ***words) {
  (void)count, (void)words;
  if (ckpt_fuzz_choose(getenv("CKPT_FUZZ_TARGET")) != 0) exit(64);
  return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  ckpt_fuzz_run(data, size);
  return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t limit, unsigned seed) {
  return ckpt_fuzz_mutate(data, size, limit, seed, LLVMFuzzerMutate);
}
