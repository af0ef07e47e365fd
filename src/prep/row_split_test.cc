#include "prep/row_split.h"

#include <gtest/gtest.h>

#include <map>

namespace maeil::prep {
namespace {

const Days kDate = parse_date("2026-11-23").value(), kLater = parse_date("2027-01-05").value();

table::DatasetSpec spec_with(const std::string& roles) {
  return table::parse_dataset_spec(
             "name = \"loans\"\ncolumns = [ { name = \"loan\", type = \"text\" }, { name = \"part\", type = "
             "\"text\" }, { name = \"borrower\", type = \"text\" }, { name = \"bad\", type = \"text\" } ]\n"
             "[target]\ncolumn = \"bad\"\npositive = \"Y\"\n" +
                 roles,
             "loans.toml")
      .value();
}

Column texts(std::string name, const std::vector<std::string>& values) {
  Column out{std::move(name), ColumnType::kText, {}, {}, {}};
  std::map<std::string, uint32_t> codes;
  for (const auto& value : values) {
    if (value.empty()) {
      out.codes.push_back(kMissing);
      continue;
    }
    const auto [at, is_new] = codes.emplace(value, static_cast<uint32_t>(out.dictionary.size()));
    if (is_new) out.dictionary.push_back(value);
    out.codes.push_back(at->second);
  }
  return out;
}

// n loans, three of each borrower, the last without one.
Table loans(size_t n, size_t first = 0) {
  std::vector<std::string> loan, part, borrower, bad(n, "N");
  for (size_t i = first; i < first + n; ++i) {
    loan.push_back("L" + std::to_string(i));
    part.push_back(std::to_string(i % 2));
    borrower.push_back(i + 1 == first + n ? "" : "B" + std::to_string(i / 3));
  }
  return {n, {texts("loan", loan), texts("part", part), texts("borrower", borrower), texts("bad", bad)}};
}

std::vector<uint64_t> numbers(size_t n, uint64_t first = 0) {
  std::vector<uint64_t> out(n);
  for (size_t i = 0; i < n; ++i) out[i] = first + i;
  return out;
}

TEST(RowSplit, AGroupIsInOneSplitOnAllDaysWhereverItsRowsStand) {
  const auto spec = spec_with("[roles]\nid = \"loan\"\ngroup = \"borrower\"\n");
  const auto first = splits_of(spec, loans(3000), 42, kDate, numbers(3000));
  for (size_t i = 0; i + 3 < first.size(); i += 3) {
    EXPECT_EQ(first[i], first[i + 1]);
    EXPECT_EQ(first[i], first[i + 2]);
  }
  const auto later = splits_of(spec, loans(3000, 300), 42, kLater, numbers(3000, 7));
  EXPECT_TRUE(std::equal(first.begin() + 300, first.end() - 1, later.begin()));
  EXPECT_NEAR(std::ranges::count(first, Split::kTrain), 2100, 150);
  EXPECT_NEAR(std::ranges::count(first, Split::kTest), 450, 120);
  const auto other_seed = splits_of(spec, loans(3000), 43, kDate, numbers(3000));
  EXPECT_TRUE(std::equal(first.begin(), first.end() - 1, other_seed.begin()));
}

TEST(RowSplit, WithoutAGroupTheIdDecidesAndOfSeveralAllDo) {
  const auto one = spec_with("[roles]\nid = \"loan\"\n"),
             two = spec_with("[roles]\nid = [\"loan\", \"part\"]\n");
  const auto a = splits_of(one, loans(2000), 42, kDate, numbers(2000));
  EXPECT_EQ(a, splits_of(one, loans(2000), 42, kLater, numbers(2000, 99)));
  EXPECT_NE(a, splits_of(two, loans(2000), 42, kDate, numbers(2000)));
  // A row that has no group is where its id is.
  const auto both = spec_with("[roles]\nid = \"loan\"\ngroup = \"borrower\"\n");
  EXPECT_EQ(splits_of(both, loans(2000), 42, kDate, numbers(2000)).back(), a.back());
}

TEST(RowSplit, WithoutRolesItIsTheRowsNumberOfItsDay) {
  const auto spec = spec_with("");
  const auto some = splits_of(spec, loans(500), 42, kDate, numbers(500, 1000));
  for (size_t i = 0; i < some.size(); ++i) EXPECT_EQ(some[i], split_of(42, kDate, 1000 + i));
}

TEST(RowSplit, AGroupIsInOnePartOfFineToo) {
  const auto spec = spec_with("[roles]\nid = \"loan\"\ngroup = \"borrower\"\n");
  const auto kept = validation_of(spec, loans(30000), 42, kDate, numbers(30000));
  const auto splits = splits_of(spec, loans(30000), 42, kDate, numbers(30000));
  size_t fine = 0, validation = 0;
  for (size_t i = 0; i + 3 < kept.size(); i += 3) {
    EXPECT_EQ(kept[i], kept[i + 1]);
    EXPECT_EQ(kept[i], kept[i + 2]);
    fine += splits[i] == Split::kFine;
    validation += splits[i] == Split::kFine && kept[i];
  }
  EXPECT_NEAR(static_cast<double>(validation) / static_cast<double>(fine), 0.2, 0.04);  // 4 sigma
  const auto none = spec_with("");
  const auto by_row = validation_of(none, loans(500), 42, kDate, numbers(500));
  for (size_t i = 0; i < by_row.size(); ++i) EXPECT_EQ(by_row[i] != 0, is_validation(42, kDate, i));
}

}  // namespace
}  // namespace maeil::prep
