// Any bytes as SDV's metadata: what is accepted is written and read again.
#include <cstdlib>

#include "table/sdv_metadata.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace maeil::table;
  const auto spec = parse_sdv_metadata({reinterpret_cast<const char*>(data), size}, "f");
  if (spec && !parse_sdv_metadata(to_sdv_metadata(*spec), "again")) std::abort();
  return 0;
}
