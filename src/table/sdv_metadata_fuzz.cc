// Any bytes as SDV's metadata: what is accepted is written and read again.
#include <cstdlib>

#include "table/sdv_metadata.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace maeil::table;
  const std::string_view json(reinterpret_cast<const char*>(data), size);
  (void)parse_sdv_metadata(json, "f");
  const auto spec = parse_sdv_spec(json, "f");
  if (spec && !parse_sdv_spec(to_sdv_metadata(*spec), "again")) std::abort();
  return 0;
}
