// What several tests of this folder share: small models, the rows of a model as one table, and SDV's samples
// and model from tests/data/sdv_copula.zip (made and described by tools/oracle/sdv_samples.py). Only for
// tests.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <zip.h>

#include <cmath>
#include <cstring>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "copula/sampler.h"

namespace maeil::copula {

inline std::string fixture_entry(const std::string& name,
                                 const std::string& archive_name = "sdv_copula.zip") {
  int code = 0;
  const std::string path = MAEIL_SOURCE_DIR "/tests/data/" + archive_name;
  const std::unique_ptr<zip_t, void (*)(zip_t*)> archive(zip_open(path.c_str(), ZIP_RDONLY, &code),
                                                         [](zip_t* z) { zip_discard(z); });
  if (!archive) throw std::runtime_error("cannot open " + path);
  zip_stat_t stat;
  if (zip_stat(archive.get(), name.c_str(), 0, &stat) != 0)
    throw std::runtime_error(path + " has no " + name);
  std::string out(stat.size, '\0');
  const std::unique_ptr<zip_file_t, int (*)(zip_file_t*)> file(zip_fopen(archive.get(), name.c_str(), 0),
                                                               zip_fclose);
  if (zip_fread(file.get(), out.data(), out.size()) != static_cast<zip_int64_t>(out.size()))
    throw std::runtime_error("cannot read " + name);
  return out;
}

// The seed's model as SDV itself describes it.
inline CopulaModel fixture_model() {
  auto model = parse_model_json(fixture_entry("model.json"), "model.json");
  if (!model) throw std::runtime_error(model.error().message);
  return std::move(*model);
}

// Sample 0 or 1 of SDV's, as tables of ours.
inline Table fixture_sample(int sample) {
  const auto manifest = nlohmann::json::parse(fixture_entry("manifest.json"));
  if (manifest["magic"] != "maeil-sdv-samples" || manifest["version"] != 1)
    throw std::runtime_error("not a fixture of this version");
  Table out;
  out.rows = manifest["rows"];
  for (size_t c = 0; c < manifest["columns"].size(); ++c) {
    const auto& description = manifest["columns"][c];
    const auto planes = fixture_entry(fmt::format("{}/{:02}", sample, c));
    Column column;
    column.name = description["name"];
    const bool number = description["kind"] == "number";
    column.type = number ? ColumnType::kNumber : ColumnType::kText;
    if (!number) column.dictionary = description["labels"].get<std::vector<std::string>>();
    const double power = number ? std::pow(10.0, description["digits"].get<int>()) : 1;
    for (size_t r = 0; r < out.rows; ++r) {
      uint64_t bits = 0;
      for (size_t b = 0; b < 8; ++b)
        bits |= uint64_t{static_cast<uint8_t>(planes.at(b * out.rows + r))} << (8 * b);
      const auto value = static_cast<int64_t>(bits);
      const bool missing = value == INT64_MIN;
      if (number)
        column.numbers.push_back(missing ? std::nan("") : static_cast<double>(value) / power);
      else
        column.codes.push_back(missing ? kMissing : static_cast<uint32_t>(value));
    }
    out.columns.push_back(std::move(column));
  }
  return out;
}

// A sampler of one copula alone.
inline MixtureSampler sampler_of(const CopulaModel& model) {
  Mixture mixture;
  mixture.classes.push_back({"", 1, model});
  return MixtureSampler::make(mixture).value();
}

// Rows of a sampler as a table of their own.
inline Table draw(const MixtureSampler& sampler, uint64_t first_row, uint64_t rows, uint64_t seed) {
  Table out;
  sampler.draw(first_row, rows, seed, out);
  return out;
}

inline ColumnModel number_column(std::string name, Marginal marginal, NumberOutput output = {}) {
  return {std::move(name), marginal, output};
}

// Three columns of every kind with strong dependence: a category with a missing class, a float with nulls, a
// whole number.
inline CopulaModel small_model() {
  CopulaModel model;
  model.source = "test";
  NumberOutput price;
  price.missing = 0.25;
  price.digits = 2;
  price.min = -1;
  price.max = 40;
  NumberOutput count;
  count.format = NumberFormat::kInteger;
  count.digits = 0;
  count.min = 0;
  model.columns = {{"grade", Beta{1.01, 0.99, 0, 1},
                    CategoryOutput{{"A", "", "B", "\xED\x95\x9C"}, {0.4, 0.5, 0.9, 1.0}, 1}},
                   number_column("price", Gamma{2, -1, 5}, price),
                   number_column("count", Beta{2, 30, -3, 200}, count)};
  model.correlation = {1, 0.7, -0.5, 0.7, 1, -0.2, -0.5, -0.2, 1};
  return model;
}

}  // namespace maeil::copula
