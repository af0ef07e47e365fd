// Any bytes as the metadata that a quality report is given.
#include "quality/metadata.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  (void)maeil::quality::parse_metadata({reinterpret_cast<const char*>(data), size});
  return 0;
}
