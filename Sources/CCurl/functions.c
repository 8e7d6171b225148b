// The functions of libcurl, by the names that curl.h declares.
#include "CLoaded.h"

#define FUNCTIONS(X) \
  X(curl_easy_cleanup) X(curl_easy_getinfo) X(curl_easy_header) X(curl_easy_init) \
  X(curl_easy_perform) X(curl_easy_setopt) X(curl_easy_strerror) X(curl_global_init) \
  X(curl_slist_append) X(curl_slist_free_all)

FUNCTIONS(CKPT_PASS)

static const ckpt_loaded functions[] = {FUNCTIONS(CKPT_ENTRY)};

const char *ckpt_curl_find(void *library) {
  return ckpt_find(library, functions, sizeof functions / sizeof *functions);
}
