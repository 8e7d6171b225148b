// Each kernel once for every instruction set, under its own name, so that tests can compare them.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

bool variant_fma_is_supported(void);

void variant_fma_normal_blocks(
    const uint32_t *words, void *target, size_t blocks, float mean, float deviation);
void variant_plain_normal_blocks(
    const uint32_t *words, void *target, size_t blocks, float mean, float deviation);
