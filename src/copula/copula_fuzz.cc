// Any bytes as a copula's JSON, of either version: what is accepted is written, read again as the same, and
// rows are drawn from it.
#include <cstdlib>

#include "copula/sampler.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace maeil::copula;
  const auto mixture = parse_mixture_json(std::string(reinterpret_cast<const char*>(data), size), "f");
  if (!mixture) return 0;
  const std::string json = to_json(*mixture);
  const auto again = parse_mixture_json(json, "again");
  if (!again || to_json(*again) != json) std::abort();
  const auto sampler = MixtureSampler::make(*mixture);
  maeil::Table rows;
  if (sampler) sampler->draw(0, 10, 1, rows);
  return 0;
}
