// The seed's checkpoints as parameters, and the golden files. Only for tests.
#pragma once

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/test_data.h"
#include "nn/checkpoint.h"
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

inline std::vector<int32_t> to_codes(const std::vector<float>& values) {
  return {values.begin(), values.end()};
}

inline Result<Parameters> seed_parameters(const std::string& file) {
  MAEIL_ASSIGN(const std::string bytes, read_file(seed_dir() / file));
  MAEIL_ASSIGN(const auto checkpoint, format::open_checkpoint(bytes, file));
  MAEIL_ASSIGN(LoadedParameters loaded, load_parameters(*checkpoint, 4));
  return std::move(loaded.parameters);
}

}  // namespace maeil::nn::testing
