// Reference rows: what is held out is fitted on by nothing, and a row without a label is no row without a
// default.
#include "loop/reference_rows.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/hash.h"
#include "prep/split.h"

namespace maeil::loop {
namespace {

const Days kReferenceDate = parse_date("2026-11-23").value();
constexpr uint64_t kSeed = 42, kReferenceRowCount = 3000;

bool is_held_out(uint64_t row) {
  return prep::split_of(hash64("reference", kSeed), kReferenceDate, row) == prep::Split::kTest;
}

enum class Label { kNo, kYes, kMissing };

// Rows of grade, amount and label; those held out have a grade and an amount of their own.
Source source_of(std::function<Label(uint64_t row)> label) {
  Source out;
  out.description = "rows";
  out.names = {"grade", "amount", "bad"};
  out.formats = {NumberFormat::kFloat, NumberFormat::kInteger, NumberFormat::kFloat};
  out.check = [](uint64_t, uint64_t) -> Status { return {}; };
  out.draw = [label](Days, uint64_t first, uint64_t rows, uint64_t, Table& table) -> Status {
    table = {};
    table.rows = rows;
    table.columns = {{"grade", ColumnType::kText, {}, {"learnt", "held"}, {}},
                     {"amount", ColumnType::kNumber, {}, {}, {}},
                     {"bad", ColumnType::kText, {}, {"N", "Y"}, {}}};
    for (uint64_t row = first; row < first + rows; ++row) {
      table.columns[0].codes.push_back(is_held_out(row) ? 1 : 0);
      table.columns[1].numbers.push_back(is_held_out(row) ? 1000000 : static_cast<double>(row % 7));
      const Label value = label(row);
      table.columns[2].codes.push_back(value == Label::kMissing ? kMissing : value == Label::kYes);
    }
    return {};
  };
  return out;
}

table::DatasetSpec spec() {
  return table::parse_dataset_spec(R"(name = "rows"
columns = [ { name = "grade", type = "text" }, { name = "amount", type = "number" },
            { name = "bad", type = "text" } ]
[target]
column = "bad"
negative = "N"
positive = "Y"
)",
                                   "rows.toml")
      .value();
}

TEST(ReferenceRows, NothingIsFittedOnWhatIsHeldOut) {
  const auto dataset = spec();
  const Source source = source_of([](uint64_t row) { return row % 5 == 0 ? Label::kYes : Label::kNo; });
  const auto plan = reference_rows(
      {std::make_shared<const Source>(source), dataset, kReferenceDate, kSeed, kReferenceRowCount});
  const auto preparation = fit_preparation(dataset, plan).value();
  EXPECT_EQ(preparation.categorical.at(0).vocabulary, std::vector<std::string>{"learnt"});
  EXPECT_EQ(preparation.numeric.at(0).high, 6);
  EXPECT_EQ(preparation.numeric.at(0).median, 3);
  const auto rows = read_samples(dataset, plan, preparation).value();
  EXPECT_NEAR(static_cast<double>(rows.held_out.rows()), 0.15 * kReferenceRowCount, 100);
  EXPECT_EQ(rows.learn.rows() + rows.held_out.rows(), kReferenceRowCount);
  for (const auto code : rows.learn.codes) EXPECT_EQ(code, 0);
  for (const auto code : rows.held_out.codes) EXPECT_EQ(code, prep::kUnknownCode);
}

TEST(ReferenceRows, FewerRowsAreTheFirstOnesInTheSameParts) {
  const auto dataset = spec();
  const Source source = source_of([](uint64_t row) { return row % 5 == 0 ? Label::kYes : Label::kNo; });
  const auto preparation =
      fit_preparation(dataset, reference_rows({std::make_shared<const Source>(source), dataset,
                                               kReferenceDate, kSeed, kReferenceRowCount}))
          .value();
  const auto all = read_samples(dataset,
                                reference_rows({std::make_shared<const Source>(source), dataset,
                                                kReferenceDate, kSeed, kReferenceRowCount}),
                                preparation)
                       .value();
  const auto some = read_samples(dataset,
                                 reference_rows({std::make_shared<const Source>(source), dataset,
                                                 kReferenceDate, kSeed, kReferenceRowCount / 3}),
                                 preparation)
                        .value();
  ASSERT_LT(some.learn.rows(), all.learn.rows());
  EXPECT_TRUE(std::equal(some.learn.numbers.begin(), some.learn.numbers.end(), all.learn.numbers.begin()));
}

TEST(ReferenceRows, RowsWithoutALabelAreLeftOutAndCounted) {
  const auto dataset = spec();
  // Every third label is missing; of the others every second is a default.
  const Source source = source_of([](uint64_t row) {
    return row % 3 == 0 ? Label::kMissing : row % 3 == 1 ? Label::kYes : Label::kNo;
  });
  const auto plan = reference_rows(
      {std::make_shared<const Source>(source), dataset, kReferenceDate, kSeed, kReferenceRowCount});
  const auto rows = read_samples(dataset, plan, fit_preparation(dataset, plan).value()).value();
  EXPECT_EQ(rows.unlabelled, kReferenceRowCount / 3);
  EXPECT_EQ(rows.learn.rows() + rows.held_out.rows() + rows.unlabelled, kReferenceRowCount);
  const auto defaults = std::count(rows.learn.labels.begin(), rows.learn.labels.end(), 1) +
                        std::count(rows.held_out.labels.begin(), rows.held_out.labels.end(), 1);
  EXPECT_EQ(defaults, kReferenceRowCount / 3);
  EXPECT_EQ(std::count(rows.learn.labels.begin(), rows.learn.labels.end(), -1), 0);
}

TEST(ReferenceRows, WithoutAnyLabelThereIsNothingToLearn) {
  const auto dataset = spec();
  const Source source = source_of([](uint64_t) { return Label::kMissing; });
  const auto fitted =
      fit_preparation(dataset, reference_rows({std::make_shared<const Source>(source), dataset,
                                               kReferenceDate, kSeed, kReferenceRowCount}));
  ASSERT_FALSE(fitted);
  EXPECT_EQ(fitted.error().code, ErrorCode::kBadInput);
  EXPECT_NE(fitted.error().message.find("'bad'"), std::string::npos);
}

}  // namespace
}  // namespace maeil::loop
