// What testdata/make_scorecard_goldens.py wrote. Only for tests.
#pragma once

#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "model/binning.h"

namespace maeil::model {

inline nlohmann::json scorecard_golden() {
  std::ifstream file(std::string(MAEIL_SOURCE_DIR) + "/src/model/testdata/scorecard.json");
  return nlohmann::json::parse(file);
}

// (B) a column of its rows; NaN where missing.
inline std::vector<float> golden_numbers(const nlohmann::json& golden, const std::string& column) {
  std::vector<float> out;
  for (const auto& value : golden["rows"][column])
    out.push_back(value.is_null() ? std::numeric_limits<float>::quiet_NaN() : value.get<float>());
  return out;
}

// The bins that are given there, counted by us. In optbinning's order: categories by their event rate.
inline Binning given_binning(const nlohmann::json& golden, const std::string& column) {
  const auto labels = golden["rows"]["label"].get<std::vector<int32_t>>();
  const auto values = golden_numbers(golden, column);
  Binning out;
  if (golden["splits"].contains(column)) {
    out.bounds = golden["splits"][column].get<std::vector<float>>();
    out.bins.resize(out.bounds.size() + 2);
  } else {
    out.bins.resize(golden["groups"].size() + 1);
    out.of_code.resize(6);
    for (size_t group = 0; group < golden["groups"].size(); ++group)
      for (const size_t code : golden["groups"][group]) out.of_code[code] = static_cast<uint8_t>(group);
  }
  ClassCounts all;
  for (size_t i = 0; i < labels.size(); ++i) {
    const ClassCounts one{1, static_cast<uint64_t>(labels[i])};
    const size_t bin =
        out.of_code.empty() ? bin_of(out, values[i]) : bin_of(out, static_cast<int32_t>(values[i]));
    out.bins[bin].counts += one;
    all += one;
  }
  for (auto& bin : out.bins)
    if (bin.counts.rows > 0) bin.weight_of_evidence = weight_of_evidence(bin.counts, all);
  return out;
}

}  // namespace maeil::model
