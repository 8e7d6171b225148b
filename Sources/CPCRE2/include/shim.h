#pragma once
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

/// Finds the functions in the library that dlopen opened; NULL, or the first name that it lacks. No
/// other function may be called before.
const char *ckpt_pcre2_find(void *library);
