// The seed's checkpoints as parameters, and the golden files. Only for tests.
#pragma once

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "base/test_data.h"
#include "format/torch.h"
#include "nn/test_model.h"

namespace maeil::nn::testing {

inline std::vector<float> read_csv(const std::filesystem::path& path) {
  std::ifstream in(path);
  std::vector<float> values;
  for (std::string line; std::getline(in, line);) {
    std::istringstream fields(line);
    for (std::string field; std::getline(fields, field, ',');) values.push_back(std::stof(field));
  }
  return values;
}

inline std::vector<int32_t> to_codes(const std::vector<float>& values) { return {values.begin(), values.end()}; }

inline Result<Parameters> seed_parameters(const std::string& file) {
  MAEIL_ASSIGN(const format::Checkpoint checkpoint, format::read_checkpoint_file(seed_dir() / file));
  std::vector<NamedTensor> tensors;
  for (const format::Tensor& tensor : checkpoint.state) tensors.push_back({tensor.name, tensor.shape, tensor.values});
  return parameters_from_tensors(tensors, 4);
}

}  // namespace maeil::nn::testing
