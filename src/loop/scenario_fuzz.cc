// Any bytes as a scenario file.
#include "loop/scenario.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  (void)maeil::loop::parse_scenario_config({reinterpret_cast<const char*>(data), size}, "f");
  return 0;
}
