// Any bytes as a dataset spec.
#include "table/dataset_spec.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  (void)maeil::table::parse_dataset_spec({reinterpret_cast<const char*>(data), size}, "f");
  return 0;
}
