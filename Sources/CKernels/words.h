// Little-endian words in memory, at any address.
#pragma once
#include <stddef.h>
#include <stdint.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "words are read in memory order");

#define ANYWHERE __attribute__((aligned(1), may_alias))
typedef uint8_t word1 ANYWHERE;
typedef uint16_t word2 ANYWHERE;
typedef uint32_t word4 ANYWHERE;
typedef uint64_t word8 ANYWHERE;

// The body for words of `width` bytes: a macro whose argument is their type.
#define FOR_WIDTH(width, body)  \
  switch (width) {              \
  case 1: body(word1) break;    \
  case 2: body(word2) break;    \
  case 4: body(word4) break;    \
  case 8: body(word8) break;    \
  }
