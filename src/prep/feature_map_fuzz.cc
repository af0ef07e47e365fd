// Any bytes as a feature map.
#include "prep/feature_map.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  (void)maeil::prep::parse_feature_map({reinterpret_cast<const char*>(data), size}, "f");
  return 0;
}
