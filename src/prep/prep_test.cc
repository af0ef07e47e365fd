// The preparation against scikit-learn's answers (golden/data/prep_*), and what goldens do not reach.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/hash.h"
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
  (void)table::read_csv_file(golden_dir() / "sdv_sample_2000.csv", out.spec, {},
                             [&](Table&& chunk, const std::vector<uint64_t>&) -> Status {
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
  const auto cat = read_numbers(golden_dir() / "prep_cat.csv"),
             num = read_numbers(golden_dir() / "prep_num.csv");
  for (int threads : {1, 3}) {
    set_thread_count(threads);
    ASSERT_EQ(data.chunks.size(), 1u);
    const auto out = transform(data.spec, preparation, data.chunks[0]);
    ASSERT_EQ(out.rows, cat.rows.size());
    size_t checked = 0;
    for (size_t f = 0; f < preparation.categorical.size(); ++f) {
      const auto at =
          std::find(cat.names.begin(), cat.names.end(), preparation.categorical[f].name) - cat.names.begin();
      if (at == static_cast<long>(cat.names.size())) continue;
      ++checked;
      for (size_t row = 0; row < out.rows; ++row) {
        ASSERT_EQ(out.codes[row * 83 + f], cat.rows[row][at]) << cat.names[at] << " row " << row;
      }
    }
    EXPECT_EQ(checked, cat.names.size());
    checked = 0;
    for (size_t f = 0; f < preparation.numeric.size(); ++f) {
      const auto at =
          std::find(num.names.begin(), num.names.end(), preparation.numeric[f].name) - num.names.begin();
      if (at == static_cast<long>(num.names.size())) continue;
      ++checked;
      for (size_t row = 0; row < out.rows; ++row) {
        ASSERT_TRUE(agrees(out.numbers[row * 59 + f], num.rows[row][at])) << num.names[at] << " row " << row;
      }
    }
    EXPECT_EQ(checked, num.names.size());
    for (uint64_t unseen : out.counts.unseen) EXPECT_EQ(unseen, 0u);
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
  EXPECT_FALSE(broken("/categorical/0/column", "INT_RATE"));     // a number has no codes to look up
  EXPECT_FALSE(broken("/categorical/0/column", "DLNQ_1M_FLG"));  // the target
  EXPECT_FALSE(broken("/categorical/0/cardinality", 1e300));
  EXPECT_FALSE(broken("/categorical/0/cardinality", uint64_t{1} << 32 | 2));
  EXPECT_FALSE(broken("/categorical/0/name", "PRODUCT_GB"));  // twice
  // not UTF-8: could not be written as JSON again
  EXPECT_FALSE(broken("/categorical/0/vocabulary", {"\xb4\xe3"}));
  EXPECT_FALSE(broken("/numeric/0/low", std::numeric_limits<double>::infinity()));
  Json twice = good;
  twice["categorical"][0]["cardinality"] = 2;
  twice["categorical"][0]["vocabulary"] = {"a", "a"};
  EXPECT_FALSE(from_json(twice, spec));
}

TEST(Preparation, NeitherRolesNorTheTargetAreFeatures) {
  const auto spec = table::parse_dataset_spec(R"(name = "book"
day_counts = [ { name = "age", from = "opened", to = "as_of" } ]
columns = [
  { name = "loan", type = "number", nullable = true },
  { name = "borrower", type = "text", nullable = true },
  { name = "as_of", type = "date", nullable = true },
  { name = "opened", type = "date" },
  { name = "grade", type = "text" },
  { name = "amount", type = "number", nullable = true },
  { name = "bad", type = "number", nullable = true },
]
[target]
column = "bad"
positive = 1
[roles]
id = ["loan", "as_of"]
group = "borrower"
time = "as_of"
)",
                                              "book.toml");
  ASSERT_TRUE(spec) << spec.error().message;
  const auto preparation = unfitted(*spec);
  std::vector<std::string> names;
  for (const auto& f : preparation.categorical) names.push_back(f.name);
  for (const auto& f : preparation.numeric) names.push_back(f.name);
  EXPECT_EQ(names, (std::vector<std::string>{"grade", "amount_isnull", "amount", "age"}));
  // nor of a file that was made when they were none
  auto old = unfitted(*spec);
  old.categorical.push_back({"borrower", "borrower", false, {}, 1});
  for (auto& f : old.categorical) f.cardinality = 1;
  const auto refused = from_json(to_json(old), *spec);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("'borrower', which has a role in dataset book"), std::string::npos);
}

TEST(Transform, LabelsOfATargetOfAnyType) {
  const auto labels = [](const std::string& type, const std::string& target, const std::string& rows) {
    const auto spec = table::parse_dataset_spec(
        "name = \"y\"\ncolumns = [ { name = \"x\", type = \"number\" }, { name = \"y\", type = \"" + type +
            "\" } ]\n[target]\ncolumn = \"y\"\n" + target,
        "y.toml");
    EXPECT_TRUE(spec) << spec.error().message;
    std::vector<int8_t> out;
    EXPECT_TRUE(table::read_csv("x,y\n" + rows, "y.csv", *spec, {},
                                [&](Table&& chunk, const std::vector<uint64_t>&) -> Status {
                                  auto preparation = unfitted(*spec);
                                  preparation.numeric[0].iqr = 1;
                                  out = transform(*spec, preparation, chunk).labels;
                                  return {};
                                }));
    return out;
  };
  using Labels = std::vector<int8_t>;
  const std::string numbers = "1,1\n2,0\n3,1.0\n4,\n5,NA\n6,0.00\n7,1e0\n";
  EXPECT_EQ(labels("number", "positive = 1\n", numbers), (Labels{1, 0, 1, -1, -1, 0, 1}));
  EXPECT_EQ(labels("number", "positive = \"1\"\nnegative = 0.0\n", numbers), (Labels{1, 0, 1, -1, -1, 0, 1}));
  EXPECT_EQ(labels("number", "positive = 0\n", numbers), (Labels{0, 1, 0, -1, -1, 1, 0}));
  EXPECT_EQ(labels("text", "positive = true\n", "1,True\n2,FALSE\n3,true\n4,\n"), (Labels{1, 0, 1, -1}));
  EXPECT_EQ(labels("text", "positive = \"bad\"\n", "1,good\n2,bad\n3,good\n"), (Labels{0, 1, 0}));
  EXPECT_EQ(labels("text", "positive = \"bad\"\n", "1,good\n2,NA\n3,bad\n"), (Labels{0, -1, 1}));
  EXPECT_EQ(labels("text", "positive = \"NA\"\nnegative = \"N\"\n", "1,N\n2,NA\n3,\n"), (Labels{0, 1, -1}));
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

// 2,000 rows of made up values in the built-in dataset's columns, every eleventh missing.
std::string own_rows(const DatasetSpec& spec) {
  std::string out;
  for (const auto& column : spec.columns) out += (out.empty() ? "" : ",") + column.name;
  for (size_t i = 0; i < 2000; ++i) {
    for (size_t c = 0; c < spec.columns.size(); ++c) {
      const auto& column = spec.columns[c];
      out += c == 0 ? '\n' : ',';
      const uint64_t value = hash64("own rows", 2000 * c + i);
      if (column.name == spec.target)
        out += value % 10 == 0 ? spec.positive : spec.negative;
      else if (value % 11 == 0)
        continue;
      else if (column.type == table::SpecType::kNumber)
        out += fmt::format("{}", static_cast<double>(value % 100'000) / 8);
      else if (column.type == table::SpecType::kDate)
        out += fmt::format("20{:02}-{:02}-{:02}", value % 24, value / 24 % 12 + 1, value / 288 % 28 + 1);
      else
        out += fmt::format("label {}", value % (c % 20 + 2));
    }
  }
  return out + "\n";
}

// `csv` in pieces of `rows`, each with dictionaries of its own.
Loaded load_pieces(const std::string& csv, size_t rows) {
  Loaded out;
  const std::string header = csv.substr(0, csv.find('\n') + 1);
  for (size_t at = header.size(); at < csv.size();) {
    size_t end = at;
    for (size_t i = 0; i < rows && end < csv.size(); ++i) end = csv.find('\n', end) + 1;
    const auto read = table::read_csv(header + csv.substr(at, end - at), "piece", out.spec, {},
                                      [&](Table&& chunk, const std::vector<uint64_t>&) -> Status {
                                        out.chunks.push_back(std::move(chunk));
                                        return {};
                                      });
    EXPECT_TRUE(read && read->quarantined == 0) << (read ? "rows were set aside" : read.error().message);
    at = end;
  }
  return out;
}

TEST(Transform, UnseenMissingAndOutOfRangeHaveTheirPlaces) {
  auto data = load_pieces(own_rows(Loaded().spec), 2000);
  const auto preparation = fit(data);
  Table chunk = data.chunks[0];
  auto& seg = const_cast<Column&>(*chunk.find("seg"));
  for (auto& text : seg.dictionary) text = "new-" + text;
  auto& rate = const_cast<Column&>(*chunk.find("INT_RATE"));
  for (auto& x : rate.numbers) x = 1e9;
  const auto out = transform(data.spec, preparation, chunk);
  uint64_t present = 0;
  for (size_t row = 0; row < chunk.rows; ++row) {
    present += !seg.is_missing(row);
    EXPECT_EQ(out.codes[row * out.codes.size() / chunk.rows] == kUnknownCode, !seg.is_missing(row)) << row;
  }
  EXPECT_EQ(out.counts.unseen[0], present);
  EXPECT_LT(present, chunk.rows);
  EXPECT_EQ(out.counts.out_of_range[1], chunk.rows);  // INT_RATE is the second number
}

TEST(Preparation, ChunksAndThreadsDoNotMatter) {
  const std::string csv = own_rows(Loaded().spec);
  const auto whole = load_pieces(csv, 2000);
  const auto expected = fit(whole);
  const auto all = transform(whole.spec, expected, whole.chunks.at(0));
  for (const auto& [rows, threads] : {std::pair{1000, 1}, {333, 2}, {17, 5}}) {
    set_thread_count(threads);
    const auto pieces = load_pieces(csv, rows);
    const auto fitted = fit(pieces);
    EXPECT_EQ(feature_spec_hash(fitted), feature_spec_hash(expected)) << rows;
    Counts counts;
    std::vector<int32_t> codes;
    std::vector<double> numbers;
    std::vector<int8_t> labels;
    std::vector<std::vector<std::string>> dates(all.dates.size());
    for (const auto& chunk : pieces.chunks) {
      const auto part = transform(pieces.spec, fitted, chunk);
      add(counts, part.counts);
      codes.insert(codes.end(), part.codes.begin(), part.codes.end());
      numbers.insert(numbers.end(), part.numbers.begin(), part.numbers.end());
      labels.insert(labels.end(), part.labels.begin(), part.labels.end());
      for (size_t d = 0; d < dates.size(); ++d)
        dates[d].insert(dates[d].end(), part.dates[d].values.begin(), part.dates[d].values.end());
    }
    EXPECT_TRUE(codes == all.codes) << rows;
    EXPECT_TRUE(numbers == all.numbers) << rows;
    EXPECT_TRUE(labels == all.labels) << rows;
    for (size_t d = 0; d < dates.size(); ++d)
      EXPECT_TRUE(dates[d] == all.dates[d].values) << all.dates[d].name;
    EXPECT_EQ(counts.nulls, all.counts.nulls);
    EXPECT_EQ(counts.out_of_range, all.counts.out_of_range);
    EXPECT_EQ(counts.unseen, all.counts.unseen);
  }
  set_thread_count(0);
}

// A dataset with one of each kind, for what the real rows do not show.
const char* kKinds = R"(
name = "kinds"
day_counts = [ { name = "age", from = "born", to = "2024-01-01" } ]
columns = [
  { name = "code", type = "text", nullable = true, first_characters = 2, lower_case = true },
  { name = "amount", type = "number", nullable = true },
  { name = "born", type = "date", keep_date = true, missing_date = "2023-12-31" },
  { name = "seen", type = "date", keep_date = true },
  { name = "bad", type = "text" },
]
[target]
column = "bad"
negative = "N"
positive = "Y"
)";

struct Kinds {
  DatasetSpec spec = table::parse_dataset_spec(kKinds, "kinds.toml").value();
  Table read(const std::string& rows) {
    Table out;
    EXPECT_TRUE(table::read_csv("code,amount,born,seen,bad\n" + rows, "kinds.csv", spec, {},
                                [&](Table&& chunk, const std::vector<uint64_t>&) -> Status {
                                  out = std::move(chunk);
                                  return {};
                                }));
    return out;
  }
};

TEST(Transform, DatesOutsideTheTimestampsOfPandasAreMissing) {
  Kinds kinds;
  const Table rows = kinds.read(
      "A,1,31DEC2023,30dec2023,N\nA,2,31DEC9999,31DEC9999,Y\nA,3,,,\nA,4,12ABC2020,30FEB2020,N\nA,5,"
      "01JAN2024,11APR2262,N\n");
  Fitter fitter(kinds.spec);
  fitter.add(rows);
  const auto preparation = fitter.fit().value();
  const auto out = transform(kinds.spec, preparation, rows);
  EXPECT_EQ(out.dates.at(0).values,
            (std::vector<std::string>{"2023-12-31", "2023-12-31", "2023-12-31", "2023-12-31", "2024-01-01"}));
  EXPECT_EQ(out.dates.at(1).values, (std::vector<std::string>{"2023-12-30", "", "", "", "2262-04-11"}));
  EXPECT_EQ(out.labels, (std::vector<int8_t>{0, 1, -1, 0, 0}));
  EXPECT_EQ(preparation.numeric.at(1).name, "age");
  EXPECT_EQ(preparation.numeric[1].low, 0);
  EXPECT_EQ(preparation.numeric[1].high, 1);
}

TEST(Transform, DatesAreReadInEveryForm) {
  Kinds kinds;
  const Table rows = kinds.read(
      "A,1,2023-12-31,2024-05-31T12:34:56Z,N\nA,2,20231231,2024/05/31,N\nA,3,2023/12/31 "
      "23:59:59,31-May-2024,N\n"
      "A,4,31DEC2023,05/06/2024,N\nA,NULL,NaN,NA,N\n");
  Fitter fitter(kinds.spec);
  fitter.add(rows);
  const auto preparation = fitter.fit().value();
  EXPECT_EQ(preparation.numeric.at(1).name, "age");
  // each is 2023-12-31, the one that is missing by its missing_date
  EXPECT_EQ(preparation.numeric[1].low, 1);
  EXPECT_EQ(preparation.numeric[1].high, 1);
  const auto out = transform(kinds.spec, preparation, rows);
  EXPECT_EQ(out.dates.at(1).values,
            (std::vector<std::string>{"2024-05-31", "2024-05-31", "2024-05-31", "", ""}));
  EXPECT_EQ(out.counts.nulls.at(0), 1u);
}

TEST(Transform, AFormatOfTheSpecAloneIsRead) {
  Kinds kinds;
  for (auto& column : kinds.spec.columns) {
    if (column.name == "seen") column.format = table::DateFormat::parse("%d/%m/%Y").value();
  }
  const Table rows = kinds.read("A,1,,05/06/2024,N\nA,1,,2024-06-05,N\n");
  const auto out = transform(kinds.spec, unfitted(kinds.spec), rows);
  EXPECT_EQ(out.dates.at(1).values, (std::vector<std::string>{"2024-06-05", ""}));
}

TEST(Transform, RulesApplyToTextsAndToMissing) {
  Kinds kinds;
  Fitter fitter(kinds.spec);
  fitter.add(kinds.read("ABC,1,,,N\nabD,2,,,N\n담보대출,3,,,N\n,4,,,N\n"));
  const auto preparation = fitter.fit().value();
  EXPECT_EQ(preparation.categorical.at(0).vocabulary, (std::vector<std::string>{"ab", "na", "담보"}));
  EXPECT_EQ(preparation.categorical.at(1).vocabulary, (std::vector<std::string>{"Notnull", "Null"}));
  const auto out =
      transform(kinds.spec, preparation, kinds.read("AB,1,,,N\nzz,,,,N\n,1e308,,,N\n담보,-1e308,,,N\n"));
  EXPECT_EQ(out.codes, (std::vector<int32_t>{0, 0, 0, kUnknownCode, 0, 1, 1, 1, 0, 2, 0, 0}));
  EXPECT_EQ(out.counts.unseen, (std::vector<uint64_t>{1, 0, 0}));
  EXPECT_EQ(out.counts.nulls.at(0), 1u);
  EXPECT_EQ(out.counts.out_of_range.at(0), 2u);
  for (double x : out.numbers) EXPECT_LE(std::abs(x), kLargestScaled);  // never infinite
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
  for (uint64_t row = 0; row < 1000; ++row)
    moved += split_of(42, date, row) != split_of(42, date + std::chrono::days(1), row);
  EXPECT_GT(moved, 300);
}

TEST(Split, AFifthOfEachPartIsForValidationWhateverThePart) {
  const Days date = parse_date("2026-11-23").value();
  int rows[3] = {}, validation[3] = {};
  for (uint64_t row = 0; row < 100000; ++row) {
    const int part = static_cast<int>(split_of(42, date, row));
    ++rows[part];
    validation[part] += is_validation(42, date, row);
  }
  for (int part = 0; part < 3; ++part)
    EXPECT_NEAR(validation[part], 0.2 * rows[part], 5 * std::sqrt(0.16 * rows[part])) << part;
}

}  // namespace
}  // namespace maeil::prep
