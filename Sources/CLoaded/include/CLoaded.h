#pragma once

// Functions of a shared library that is loaded when it is first needed, so that the program starts
// without it. Callers see the functions of the library's own headers.

/// A name in a library, and where its address is kept.
typedef struct {
  const char *name;
  void **address;
} ckpt_loaded;

/// Looks up `count` names in a library that dlopen opened; NULL, or the first name that it lacks.
const char *ckpt_find(void *library, const ckpt_loaded *names, int count);

#if defined(__x86_64__)
#define CKPT_JUMP(name) "jmp *ckpt_at_" #name "(%rip)"
#elif defined(__aarch64__)
#define CKPT_JUMP(name) "adrp x16, ckpt_at_" #name "\n ldr x16, [x16, :lo12:ckpt_at_" #name "]\n br x16"
#else
#error "no jump is known for this processor"
#endif

// Defines a function that passes on its arguments, whatever they are, by a jump to where the library
// has it; its address must be known by then. It is hidden, or the library's own calls would end here.
#define CKPT_PASS(name) \
  __attribute__((visibility("hidden"))) void *ckpt_at_##name; \
  __asm__( \
    ".text\n .globl " #name "\n .hidden " #name "\n .type " #name ", %function\n" #name ":\n " \
    CKPT_JUMP(name) "\n .size " #name ", . - " #name "\n");

#define CKPT_ENTRY(name) { #name, &ckpt_at_##name },
