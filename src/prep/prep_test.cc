// The preparation against scikit-learn's answers (golden/data/prep_*), and what goldens do not reach.
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/test_data.h"
#include "base/threads.h"
#include "format/csv.h"
#include "prep/fit.h"
#include "prep/preparation.h"
#include "prep/split.h"
#include "prep/transform.h"
#include "table/csv_table.h"

namespace maeil::prep {
namespace {

using table::DatasetSpec;

// REFERENCE's tolerance for prepared numbers; a NaN never agrees.
bool agrees(double got, double want) { return std::abs(got - want) <= std::max(1e-9, 1e-9 * std::abs(want)); }

TEST(Comparison, IsSeenToFail) {
  EXPECT_TRUE(agrees(1e6, 1e6 + 1e-4));
  EXPECT_FALSE(agrees(1e6, 1e6 + 1e-2));
  EXPECT_FALSE(agrees(-5, -6));
  EXPECT_FALSE(agrees(NAN, 1));
  EXPECT_FALSE(agrees(NAN, NAN));
}

struct Loaded {
  DatasetSpec spec = table::builtin_dataset_spec().value();
  std::vector<Table> chunks;
};

Loaded load_sample() {
  Loaded out;
  (void)table::read_csv_file(golden_dir() / "sdv_sample_2000.csv", out.spec, {}, [&](Table&& chunk, const std::vector<uint64_t>&) -> Status {
    out.chunks.push_back(std::move(chunk));
    return {};
  });
  return out;
}

Preparation fit(const Loaded& data) {
  Fitter fitter(data.spec);
  for (const auto& chunk : data.chunks) fitter.add(chunk);
  return fitter.fit().value();
}

struct Csv {
  std::vector<std::string> names;
  std::vector<std::vector<double>> rows;
};
Csv read_numbers(const std::filesystem::path& path) {
  Csv out;
  const auto bytes = read_file(path).value();
  format::CsvReader reader(bytes, path.string());
  format::CsvRecord record;
  std::vector<std::string_view> fields;
  std::deque<std::string> unescaped;
  while (reader.next(record).value()) {
    format::split_record(record.bytes, fields, unescaped);
    if (out.names.empty()) {
      out.names.assign(fields.begin(), fields.end());
      continue;
    }
    auto& row = out.rows.emplace_back();
    for (auto field : fields) row.push_back(std::stod(std::string(field)));
  }
  return out;
}

TEST(PreparationGolden, FitsWhatScikitLearnFits) {
  MAEIL_NEEDS(golden_dir());
  const auto preparation = fit(load_sample());
  const auto golden = nlohmann::json::parse(read_file(golden_dir() / "prep_fit.json").value());
  EXPECT_EQ(preparation.categorical.size(), 83u);
  EXPECT_EQ(preparation.numeric.size(), 59u);
  std::map<std::string, const CategoricalFeature*> categorical;
  for (const auto& f : preparation.categorical) categorical[f.name] = &f;
  for (const auto& [name, classes] : golden["categorical"].items()) {
    ASSERT_TRUE(categorical.contains(name)) << name;
    EXPECT_EQ(categorical[name]->vocabulary, classes.get<std::vector<std::string>>()) << name;
  }
  std::map<std::string, const NumericFeature*> numeric;
  for (const auto& f : preparation.numeric) numeric[f.name] = &f;
  for (const auto& [name, values] : golden["numeric"].items()) {
    ASSERT_TRUE(numeric.contains(name)) << name;
    EXPECT_TRUE(agrees(numeric[name]->most_frequent, values["most_frequent"])) << name;
    EXPECT_TRUE(agrees(numeric[name]->median, values["median"])) << name;
    EXPECT_TRUE(agrees(numeric[name]->iqr, values["iqr"])) << name;
  }
}

TEST(PreparationGolden, TransformsAsScikitLearnTransforms) {
  MAEIL_NEEDS(golden_dir());
  const auto data = load_sample();
  const auto preparation = fit(data);
  const auto cat = read_numbers(golden_dir() / "prep_cat.csv"), num = read_numbers(golden_dir() / "prep_num.csv");
  for (int threads : {1, 3}) {
    set_thread_count(threads);
    Transformer transformer(data.spec, preparation);
    ASSERT_EQ(data.chunks.size(), 1u);
    const auto out = transformer.transform(data.chunks[0]);
    ASSERT_EQ(out.rows, cat.rows.size());
    size_t checked = 0;
    for (size_t f = 0; f < preparation.categorical.size(); ++f) {
      const auto at = std::find(cat.names.begin(), cat.names.end(), preparation.categorical[f].name) - cat.names.begin();
      if (at == static_cast<long>(cat.names.size())) continue;
      ++checked;
      for (size_t row = 0; row < out.rows; ++row) {
        ASSERT_EQ(out.codes[row * 83 + f], cat.rows[row][at]) << cat.names[at] << " row " << row;
      }
    }
    EXPECT_EQ(checked, cat.names.size());
    checked = 0;
    for (size_t f = 0; f < preparation.numeric.size(); ++f) {
      const auto at = std::find(num.names.begin(), num.names.end(), preparation.numeric[f].name) - num.names.begin();
      if (at == static_cast<long>(num.names.size())) continue;
      ++checked;
      for (size_t row = 0; row < out.rows; ++row) {
        ASSERT_TRUE(agrees(out.numbers[row * 59 + f], num.rows[row][at])) << num.names[at] << " row " << row;
      }
    }
    EXPECT_EQ(checked, num.names.size());
    for (uint64_t unseen : transformer.counts().unseen) EXPECT_EQ(unseen, 0u);
  }
  set_thread_count(0);
}

TEST(Preparation, TravelsAsJsonAndKeepsItsHash) {
  const auto spec = table::builtin_dataset_spec().value();
  auto preparation = unfitted(spec);
  for (auto& f : preparation.categorical) {
    f.vocabulary = {"A", "담보"};
    f.cardinality = 2;
  }
  const auto back = from_json(to_json(preparation), spec).value();
  EXPECT_EQ(feature_spec_hash(back), feature_spec_hash(preparation));
  auto other = preparation;
  other.numeric[3].median += 1e-9;
  EXPECT_NE(feature_spec_hash(other), feature_spec_hash(preparation));
}

TEST(Preparation, HostileJsonIsRefused) {
  const auto spec = table::builtin_dataset_spec().value();
  auto preparation = unfitted(spec);
  for (auto& f : preparation.categorical) f.cardinality = 1;
  const Json good = to_json(preparation);
  ASSERT_TRUE(from_json(good, spec));
  const auto broken = [&](const char* pointer, Json value) {
    Json json = good;
    json[Json::json_pointer(pointer)] = std::move(value);
    return from_json(json, spec).has_value();
  };
  EXPECT_FALSE(broken("/dataset", "other"));
  EXPECT_FALSE(broken("/categorical/0/column", "nothing"));
  EXPECT_FALSE(broken("/categorical/0/cardinality", -3));
  EXPECT_FALSE(broken("/categorical/0/vocabulary", {"b", "a"}));
  EXPECT_FALSE(broken("/numeric/0/iqr", 0));
  EXPECT_FALSE(broken("/numeric/0/median", "x"));
  EXPECT_FALSE(broken("/numeric/0/name", "seg"));
  EXPECT_FALSE(from_json(Json::array(), spec));
}

TEST(FitNumeric, TiesTakeTheSmallestAndConstantsScaleByOne) {
  std::vector<double> values = {3, 1, 3, 1, NAN, 7};
  const auto f = fit_numeric("x", values);  // 1 1 1 3 3 7
  EXPECT_EQ(f.most_frequent, 1);
  EXPECT_EQ(f.median, 2);
  EXPECT_EQ(f.iqr, 2);  // 3 - 1
  EXPECT_EQ(f.low, 1);
  EXPECT_EQ(f.high, 7);
  std::vector<double> constant = {5, 5, 5}, none = {NAN, NAN};
  EXPECT_EQ(fit_numeric("x", constant).iqr, 1);
  EXPECT_EQ(fit_numeric("x", none).iqr, 1);
}

TEST(Transform, UnseenMissingAndOutOfRangeHaveTheirPlaces) {
  MAEIL_NEEDS(golden_dir());
  auto data = load_sample();
  const auto preparation = fit(data);
  Table chunk = data.chunks[0];
  auto& seg = const_cast<Column&>(*chunk.find("seg"));
  for (auto& text : seg.dictionary) text = "new-" + text;
  auto& rate = const_cast<Column&>(*chunk.find("INT_RATE"));
  for (auto& x : rate.numbers) x = 1e9;
  Transformer transformer(data.spec, preparation);
  const auto out = transformer.transform(chunk);
  EXPECT_EQ(transformer.counts().unseen[0], chunk.rows);
  EXPECT_EQ(out.codes[0], kUnknownCode);
  EXPECT_EQ(transformer.counts().out_of_range[1], chunk.rows);  // INT_RATE is the second number
}

TEST(Split, SharesHoldAndShardsAgree) {
  const Days date = parse_date("2026-11-23").value();
  int counts[3] = {};
  for (uint64_t row = 0; row < 100000; ++row) ++counts[static_cast<int>(split_of(42, date, row))];
  // Five standard errors of a binomial share.
  EXPECT_NEAR(counts[0], 70000, 5 * std::sqrt(1e5 * 0.7 * 0.3));
  EXPECT_NEAR(counts[1], 15000, 5 * std::sqrt(1e5 * 0.15 * 0.85));
  EXPECT_EQ(split_of(42, date, 123456789012), split_of(42, date, 123456789012));
  int moved = 0;
  for (uint64_t row = 0; row < 1000; ++row) moved += split_of(42, date, row) != split_of(42, date + std::chrono::days(1), row);
  EXPECT_GT(moved, 300);
}

}  // namespace
}  // namespace maeil::prep
