// Any bytes as SDV's .pkl, and rows drawn from what was read.
#include "copula/sampler.h"
#include "copula/sdv.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace maeil::copula;
  auto model = parse_sdv_model(std::string(reinterpret_cast<const char*>(data), size), "f");
  if (!model || !check_model(*model)) return 0;
  Mixture mixture;
  mixture.classes.push_back({"", 1, std::move(*model)});
  if (!check_mixture(mixture)) return 0;
  const auto sampler = MixtureSampler::make(mixture);
  maeil::Table rows;
  if (sampler) sampler->draw(0, 10, 1, rows);
  return 0;
}
