// Summaries of columns: exact where they count, the same however rows are cut into chunks, and silent of ids.
#include "table/column_summary.h"

#include <gtest/gtest.h>

#include <cmath>

namespace maeil::table {
namespace {

DatasetSpec spec() {
  auto parsed = parse_dataset_spec(R"(name = "t"
columns = [
  { name = "id", type = "text" }, { name = "x", type = "number" }, { name = "kind", type = "text" },
  { name = "note", type = "text" }, { name = "flag", type = "number" },
]
[roles]
id = "id"
)",
                                   "t.toml");
  EXPECT_TRUE(parsed);
  return *parsed;
}

// Row i: id i, x i or missing in every tenth, kind A or B, a note of its own, flag 0 or 1.
Table rows(const DatasetSpec& spec, uint64_t first, uint64_t count) {
  Table out;
  out.rows = count;
  out.columns.resize(spec.columns.size());
  for (size_t c = 0; c < spec.columns.size(); ++c) {
    Column& column = out.columns[c];
    column.name = spec.columns[c].name;
    column.type = spec.columns[c].type == SpecType::kNumber ? ColumnType::kNumber : ColumnType::kText;
    if (column.name == "kind") column.dictionary = {"A", "B"};
    for (uint64_t i = first; i < first + count; ++i) {
      if (column.type == ColumnType::kNumber) {
        const double x = i % 10 == 0 ? std::nan("") : static_cast<double>(i);
        column.numbers.push_back(column.name == "x" ? x : static_cast<double>(i % 2));
      } else if (column.name == "kind") {
        column.codes.push_back(i % 4 == 0);
      } else {
        column.codes.push_back(static_cast<uint32_t>(column.dictionary.size()));
        column.dictionary.push_back("S" + std::to_string(i));
      }
    }
  }
  return out;
}

std::vector<ColumnSummary> summarize(const DatasetSpec& spec, uint64_t all, uint64_t chunk) {
  Summarizing summarizing(spec);
  Summarizing::Piece piece;
  for (uint64_t first = 0; first < all; first += chunk) {
    const Table table = rows(spec, first, std::min(chunk, all - first));
    std::vector<uint64_t> index(table.rows);
    for (uint64_t i = 0; i < table.rows; ++i) index[i] = first + i;
    summarizing.look(table, index, std::vector<uint8_t>(table.rows), piece);
    summarizing.add(piece);
  }
  return summarizing.summaries();
}

TEST(ColumnSummary, CountsAndSamples) {
  const auto dataset = spec();
  const auto all = summarize(dataset, 40000, 1000);
  EXPECT_EQ(all[0].missing, 0);
  EXPECT_TRUE(all[0].shares.empty()) << "an id is never told";
  EXPECT_DOUBLE_EQ(all[1].missing, 0.1);
  EXPECT_NEAR(*all[1].mean, 20000, 1);
  EXPECT_EQ(*all[1].max, 39999);
  for (size_t q = 0; q < 3; ++q) {  // of 4096 rows: within four standard errors
    const double p = 0.25 * static_cast<double>(q + 1);
    EXPECT_NEAR(*all[1].quartiles[q], 40000 * p, 4 * 40000 * std::sqrt(p * (1 - p) / 3686));
  }
  ASSERT_EQ(all[2].shares.size(), 2u);
  EXPECT_EQ(all[2].shares[0], (std::pair<std::string, double>{"A", 0.75}));
  EXPECT_TRUE(all[2].all_shares);
  EXPECT_TRUE(all[3].shares.empty()) << "texts of their own are no categories";
  EXPECT_DOUBLE_EQ(*all[4].mean, 0.5);
  EXPECT_FALSE(all[4].quartiles[1]) << "half of the rows have that value";
  // However the rows are cut.
  const auto other = summarize(dataset, 40000, 333);
  for (size_t q = 0; q < 3; ++q) EXPECT_EQ(*all[1].quartiles[q], *other[1].quartiles[q]);
}

TEST(ColumnSummary, OfNothing) {
  const auto none = summarize(spec(), 0, 10);
  EXPECT_EQ(none[1].missing, 0);
  EXPECT_FALSE(none[1].mean);
}

}  // namespace
}  // namespace maeil::table
