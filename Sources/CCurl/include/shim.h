#pragma once
#include <curl/curl.h>

/// Finds the functions in the library that dlopen opened; NULL, or the first name that it lacks. No
/// other function may be called before.
const char *ckpt_curl_find(void *library);

// curl_easy_setopt and curl_easy_getinfo take any type by variable arguments, which Swift cannot
// call; each line is one of them for one type.
static inline CURLcode ckpt_curl_set_number(CURL *handle, CURLoption option, long value) {
  return curl_easy_setopt(handle, option, value);
}
static inline CURLcode ckpt_curl_set_text(CURL *handle, CURLoption option, const char *value) {
  return curl_easy_setopt(handle, option, value);
}
static inline CURLcode ckpt_curl_set_list(CURL *handle, CURLoption option, struct curl_slist *value) {
  return curl_easy_setopt(handle, option, value);
}
static inline CURLcode ckpt_curl_set_writer(CURL *handle, curl_write_callback function, void *context) {
  CURLcode code = curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, function);
  return code ? code : curl_easy_setopt(handle, CURLOPT_WRITEDATA, context);
}
static inline long ckpt_curl_status(CURL *handle) {
  long status = 0;
  curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
  return status;
}
