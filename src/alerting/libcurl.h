// libcurl, loaded when the first message is sent (as libpq, database/libpq.h): each name is a pointer in this
// namespace and hides the library's function of the same name.
#pragma once

#define CURL_DISABLE_TYPECHECK  // else a name is a macro
#include <curl/curl.h>

#include "base/error.h"
#include "base/shared_library.h"

#undef curl_easy_setopt
#undef curl_easy_getinfo

namespace maeil::alerting {

// clang-format off
#define MAEIL_CURL_FUNCTIONS(X) \
  X(curl_global_init) \
  X(curl_easy_init) \
  X(curl_easy_setopt) \
  X(curl_easy_perform) \
  X(curl_easy_getinfo) \
  X(curl_easy_cleanup) \
  X(curl_easy_strerror) \
  X(curl_slist_append) \
  X(curl_slist_free_all) \
  X(curl_mime_init) \
  X(curl_mime_addpart) \
  X(curl_mime_data) \
  X(curl_mime_type) \
  X(curl_mime_subparts) \
  X(curl_mime_headers) \
  X(curl_mime_encoder) \
  X(curl_mime_free)
// clang-format on

MAEIL_CURL_FUNCTIONS(MAEIL_LIBRARY_DECLARATION)

// kNotFound: it is not installed, with the package that has it. Thread safe.
Status load_curl();

}  // namespace maeil::alerting
