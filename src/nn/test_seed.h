// The seed's checkpoints as parameters, and the golden files. Only for tests.
#pragma once

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "base/test_data.h"
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
  std::ifstream index("/tmp/nn2/" + file + ".idx"), data("/tmp/nn2/" + file + ".bin", std::ios::binary);
  std::vector<NamedTensor> tensors;
  std::vector<std::vector<float>> values;
  std::string name;
  for (int dims = 0; index >> name >> dims;) {
    std::vector<int64_t> shape(dims);
    size_t size = 1;
    for (auto& extent : shape) index >> extent, size *= extent;
    values.emplace_back(size);
    data.read(reinterpret_cast<char*>(values.back().data()), size * 4);
    tensors.push_back({name, shape, values.back()});
  }
  for (size_t i = 0; i < tensors.size(); ++i) tensors[i].values = values[i];
  return parameters_from_tensors(tensors, 4);
}

}  // namespace maeil::nn::testing
