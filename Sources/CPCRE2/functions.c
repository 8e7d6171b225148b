// The functions of PCRE2 for 8-bit texts, by the names that pcre2.h gives them.
#include "CLoaded.h"

#define FUNCTIONS(X) \
  X(pcre2_code_free_8) X(pcre2_compile_8) X(pcre2_compile_context_create_8) \
  X(pcre2_compile_context_free_8) X(pcre2_get_error_message_8) X(pcre2_get_ovector_pointer_8) \
  X(pcre2_match_8) X(pcre2_match_context_create_8) X(pcre2_match_context_free_8) \
  X(pcre2_match_data_create_from_pattern_8) X(pcre2_match_data_free_8) X(pcre2_pattern_info_8) \
  X(pcre2_set_depth_limit_8) X(pcre2_set_heap_limit_8) X(pcre2_set_match_limit_8) \
  X(pcre2_set_max_pattern_length_8) X(pcre2_set_newline_8) X(pcre2_set_parens_nest_limit_8) \
  X(pcre2_substring_number_from_name_8)

FUNCTIONS(CKPT_PASS)

static const ckpt_loaded functions[] = {FUNCTIONS(CKPT_ENTRY)};

const char *ckpt_pcre2_find(void *library) {
  return ckpt_find(library, functions, sizeof functions / sizeof *functions);
}
