#include "CArguments.h"

static int count;
static char *const *arguments;

// glibc gives them to every function that runs before main.
__attribute__((constructor)) static void keep(int given, char **texts) {
  count = given;
  arguments = texts;
}

int ckpt_argument_count(void) { return count; }
char *const *ckpt_arguments(void) { return arguments; }
