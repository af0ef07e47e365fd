// Constraints that drawn rows keep: orders, sums, "only when"; dates and digits keep their form.
#include "table/constraint.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "table/csv_table.h"
#include "table/dataset_spec.h"

namespace maeil::table {
namespace {

TEST(Constraint, DatesAreOrderedByTheirDays) {
  Table rows;
  rows.rows = 5;
  rows.columns = {
      {"opened", ColumnType::kText, {0, 1, 0, 2, kMissing}, {"31MAY2024", "01JAN2020", "soon"}, {}},
      {"closed", ColumnType::kText, {0, 0, 1, 0, 0}, {"15FEB2021", "30JUN2024"}, {}}};
  const Constraint order{Constraint::Kind::kOrder, {"opened", "closed"}, ""};
  EXPECT_EQ(count_broken(order, rows).value(), 1u);
  ASSERT_TRUE(apply_constraints({order}, rows));
  EXPECT_EQ(count_broken(order, rows).value(), 0u);
  EXPECT_EQ(rows.columns[0].text(0), "15FEB2021");  // swapped, though neither column knew the other's label
  EXPECT_EQ(rows.columns[1].text(0), "31MAY2024");
  EXPECT_EQ(rows.columns[0].text(1), "01JAN2020");
  EXPECT_EQ(rows.columns[0].text(3), "soon");
  EXPECT_TRUE(rows.columns[0].is_missing(4));
  rows.columns.push_back({"x", ColumnType::kNumber, {}, {}, std::vector<double>(5)});
  EXPECT_FALSE(apply_constraints({{Constraint::Kind::kOrder, {"opened", "x"}, ""}}, rows));
}

// Rows of number columns; each list is a row.
Table numbers(const std::vector<std::string>& names, const std::vector<std::vector<double>>& rows) {
  Table out;
  out.rows = rows.size();
  for (size_t c = 0; c < names.size(); ++c) {
    out.columns.push_back({names[c], ColumnType::kNumber, {}, {}, {}});
    for (const auto& row : rows) out.columns.back().numbers.push_back(row[c]);
  }
  return out;
}

std::vector<double> row_of(const Table& rows, size_t row) {
  std::vector<double> out;
  for (const auto& column : rows.columns) out.push_back(column.numbers[row]);
  return out;
}

const Constraint kSum{Constraint::Kind::kSum, {"t", "a", "b"}, ""};

TEST(Constraint, DatesKeepTheirColumnsFormat) {
  Table rows;
  rows.rows = 3;
  rows.columns = {{"iso", ColumnType::kText, {0, 1, 0}, {"2024-05-31", "2020-01-01"}, {}},
                  {"sas", ColumnType::kText, {1, 0, 0}, {"30JUN2024", "15FEB2021"}, {}},
                  {"pandas", ColumnType::kText, {0, 0, 1}, {"02Jan2024", "1Jul2025"}, {}}};
  const std::vector<Constraint> orders = {{Constraint::Kind::kOrder, {"sas", "pandas"}, ""},
                                          {Constraint::Kind::kOrder, {"iso", "sas"}, ""}};
  ASSERT_TRUE(apply_constraints(orders, rows));
  for (const auto& order : orders) EXPECT_EQ(count_broken(order, rows).value(), 0u);
  const auto texts = [&](size_t row) {
    std::string out;
    for (const auto& column : rows.columns) out += std::string(column.text(row)) + " ";
    return out;
  };
  EXPECT_EQ(texts(0), "2021-02-15 02JAN2024 31May2024 ");
  EXPECT_EQ(texts(1), "2020-01-01 02JAN2024 30Jun2024 ");
  EXPECT_EQ(texts(2), "2024-05-31 30JUN2024 1Jul2025 ");  // in order: not touched
}

TEST(Constraint, ChainsOfOrdersHoldInAnyFileOrderAndOnlyCirclesAreRefused) {
  const auto order = [](const char* low, const char* high) {
    return Constraint{Constraint::Kind::kOrder, {low, high}, ""};
  };
  std::vector<Constraint> chain = {order("a", "b"), order("b", "c"), order("c", "d"), order("x", "c")};
  std::sort(chain.begin(), chain.end(), [](const auto& p, const auto& q) { return p.columns < q.columns; });
  do {
    ASSERT_EQ(check_constraints(chain), "");
    Table rows = numbers({"d", "b", "a", "c", "x"},
                         {{1, 3, 4, 2, 9}, {1, NAN, 4, 2, 0}, {4, 2, 1, 3, 3}, {NAN, NAN, 4, 2, NAN}});
    ASSERT_TRUE(apply_constraints(chain, rows));
    for (const auto& one : chain) EXPECT_EQ(count_broken(one, rows).value(), 0u) << describe(one);
    EXPECT_EQ(row_of(rows, 2), (std::vector<double>{4, 2, 1, 3, 3}));
    // values are sorted, none is made up
    EXPECT_EQ(rows.columns[0].numbers[0], 9);
    EXPECT_TRUE(rows.columns[1].is_missing(1));
  } while (std::next_permutation(chain.begin(), chain.end(),
                                 [](const auto& p, const auto& q) { return p.columns < q.columns; }));
  EXPECT_NE(check_constraints({order("z", "a"), order("a", "b"), order("b", "c"), order("c", "a")})
                .find("circle: a <= b <= c <= a"),
            std::string::npos);
}

TEST(Constraint, OrderedValuesKeepTheirColumnsDigitsAndEnds) {
  const Constraint order{Constraint::Kind::kOrder, {"fine", "whole"}, ""};
  const std::vector<ValueRange> ranges = {{1, 0, 10}, {0, 0, 10}};
  Table rows = numbers({"fine", "whole"}, {{3.5, 3}, {9.7, 2}, {0.2, 0}, {3, 3}, {0.5, 0.5}});
  ASSERT_TRUE(apply_constraints({order}, rows, ranges));
  EXPECT_EQ(count_broken(order, rows).value(), 0u);
  EXPECT_EQ(row_of(rows, 0), (std::vector<double>{3, 4}));
  EXPECT_EQ(row_of(rows, 1), (std::vector<double>{2, 10}));
  EXPECT_EQ(row_of(rows, 2), (std::vector<double>{0, 0}));
  // A column that ends lower pulls those before it down; where no end is left the order counts.
  Table low = numbers({"fine", "whole"}, {{9, 7.5}});
  ASSERT_TRUE(apply_constraints({order}, low, {{1, 0, 10}, {0, 0, 8}}));
  EXPECT_EQ(row_of(low, 0), (std::vector<double>{7.5, 8}));
  Table contrary = numbers({"fine", "whole"}, {{7.5, 2}});
  ASSERT_TRUE(apply_constraints({order}, contrary, {{1, 5, 10}, {0, 0, 3}}));
  EXPECT_EQ(count_broken(order, contrary).value(), 0u);
}

TEST(Constraint, ASumHoldsToTheLastDigitWhereItsTotalCannotTakeIt) {
  // A whole total of parts with decimals: the parts move, by less than one.
  const std::vector<ValueRange> ranges = {{0, 0, 60}, {1, 0, 30}, {2, 0, 30}};
  Table rows = numbers({"t", "a", "b"}, {{31, 9.5, 21.25}, {40, 0, 21.25}, {1, 30, 29.99}, {7, 3, 4}});
  ASSERT_TRUE(apply_constraints({kSum}, rows, ranges));
  for (size_t i = 0; i < rows.rows; ++i) {
    const auto row = row_of(rows, i);
    EXPECT_EQ(row[0], std::round(row[0])) << i;
    EXPECT_EQ(std::llround(row[0] * 100), std::llround(row[1] * 100) + std::llround(row[2] * 100)) << i;
    EXPECT_EQ(row[1], std::round(row[1] * 10) / 10) << i;
    EXPECT_EQ(row[2], std::round(row[2] * 100) / 100) << i;
    for (size_t c = 0; c < 3; ++c)
      EXPECT_TRUE(row[c] >= *ranges[c].min && row[c] <= *ranges[c].max) << i << " " << c;
  }
  EXPECT_EQ(row_of(rows, 0)[0], 31);
  EXPECT_EQ(row_of(rows, 1), (std::vector<double>{21, 0, 21}));  // what is 0 stays so
  EXPECT_EQ(row_of(rows, 3), (std::vector<double>{7, 3, 4}));
  // Beyond the total's ends the parts give way.
  Table large = numbers({"t", "a", "b"}, {{0, 30, 20}});
  ASSERT_TRUE(apply_constraints({kSum}, large, {{0, 0, 40}, {1, 0, 30}, {2, 0, 30}}));
  EXPECT_EQ(row_of(large, 0), (std::vector<double>{40, 24, 16}));
}

TEST(Constraint, AFixedTotalStaysAndTheSharesKeepTheirRatio) {
  const std::vector<ValueRange> ranges = {{0, 100, 100}, {1, 0, 100}, {1, 0, 100}};
  Table rows = numbers({"t", "a", "b"}, {{100, 30, 50}, {100, 0, 80}, {100, 90, 90}, {100, 0, 0}});
  ASSERT_TRUE(apply_constraints({kSum}, rows, ranges));
  EXPECT_EQ(row_of(rows, 0), (std::vector<double>{100, 37.5, 62.5}));
  EXPECT_EQ(row_of(rows, 1), (std::vector<double>{100, 0, 100}));
  EXPECT_EQ(row_of(rows, 2), (std::vector<double>{100, 50, 50}));
  EXPECT_EQ(count_broken(kSum, rows).value(), 0u);
  // The same with a number in place of the column.
  const Constraint fixed{Constraint::Kind::kSum, {"a", "b"}, "", 100};
  Table shares = numbers({"a", "b"}, {{30, 50}, {33.3, 33.3}, {100, 0}});
  EXPECT_EQ(count_broken(fixed, shares).value(), 2u);
  ASSERT_TRUE(apply_constraints({fixed}, shares, {{1, 0, 100}, {1, 0, 100}}));
  EXPECT_EQ(count_broken(fixed, shares).value(), 0u);
  EXPECT_EQ(row_of(shares, 0), (std::vector<double>{37.5, 62.5}));
  EXPECT_EQ(row_of(shares, 1), (std::vector<double>{50, 50}));
  // Where the parts' ends leave no way they leave them; the total does not.
  ASSERT_TRUE(apply_constraints({fixed}, shares, {{1, 0, 40}, {1, 0, 40}}));
  EXPECT_EQ(count_broken(fixed, shares).value(), 0u);
}

TEST(Constraint, ASumSaysNothingOfRowsThatLackATerm) {
  Table rows = numbers({"t", "a", "b"}, {{5, NAN, 3}, {NAN, 1, 3}, {5, 1, 3}});
  EXPECT_EQ(count_broken(kSum, rows).value(), 1u);
  ASSERT_TRUE(apply_constraints({kSum}, rows));
  EXPECT_EQ(rows.columns[0].numbers[0], 5);
  EXPECT_TRUE(rows.columns[0].is_missing(1));
  EXPECT_EQ(rows.columns[0].numbers[2], 4);
}

// Sums that share columns, and orders between a sum's terms and others, all at once and on awkward digits.
TEST(Constraint, OrdersAndSumsHoldTogether) {
  const std::vector<Constraint> all = {{Constraint::Kind::kSum, {"g", "t", "fee"}, ""},
                                       {Constraint::Kind::kSum, {"t", "a", "b"}, ""},
                                       {Constraint::Kind::kOrder, {"a", "b"}, ""},
                                       {Constraint::Kind::kOrder, {"paid", "t"}, ""},
                                       {Constraint::Kind::kOrder, {"a", "t"}, ""}};
  ASSERT_EQ(check_constraints(all), "");
  const std::vector<ValueRange> ranges = {{0, 0, 80}, {1, 0, 60}, {2, 0, 20},
                                          {2, 0, 30}, {2, 0, 30}, {2, 0, 60}};
  std::vector<std::vector<double>> values;
  for (int64_t i = 0; i < 2000; ++i) {
    const auto at = [&](int64_t prime, int64_t below) {
      return static_cast<double>(i * prime % below) / 100;
    };
    values.push_back({std::floor(at(7919, 8001)), std::floor(at(104729, 6001) * 10) / 10, at(1299709, 2001),
                      at(15485863, 3001), at(32452843, 3001), at(86028121, 6001)});
  }
  Table rows = numbers({"g", "t", "fee", "a", "b", "paid"}, values);
  ASSERT_TRUE(apply_constraints(all, rows, ranges));
  for (const auto& one : all) EXPECT_EQ(count_broken(one, rows).value(), 0u) << describe(one);
  for (size_t c = 0; c < ranges.size(); ++c) {
    const Rounding rounding(ranges[c].digits);
    for (size_t i = 0; i < rows.rows; ++i)
      ASSERT_EQ(rounding(rows.columns[c].numbers[i]), rows.columns[c].numbers[i])
          << rows.columns[c].name << " " << i;
  }
  const Constraint back{Constraint::Kind::kSum, {"a", "g", "x"}, ""};
  EXPECT_NE(check_constraints({all[0], all[1], back}).find("circle"), std::string::npos);
}

TEST(Constraint, OnlyWhenNeedsAValueThatTheColumnHas) {
  Table rows = numbers({"a", "b"}, {{1, 2}, {3, NAN}, {4, 5}});
  rows.columns.push_back({"y", ColumnType::kText, {0, 1, kMissing}, {"N", "Y"}, {}});
  const Constraint nope{Constraint::Kind::kOnlyWhen, {"a", "y"}, "NOPE", std::nullopt, "s.toml:9"};
  const auto refused = check_values({nope}, rows);
  ASSERT_FALSE(refused);
  for (const char* part : {"s.toml:9", "equals = \"NOPE\"", "N, Y"})
    EXPECT_NE(refused.error().message.find(part), std::string::npos) << refused.error().message;
  // Without a value: where the other is there, whatever its type. What one empties is missing for the next.
  const std::vector<Constraint> present = {{Constraint::Kind::kOnlyWhen, {"b", "a"}, ""},
                                           {Constraint::Kind::kOnlyWhen, {"a", "y"}, ""}};
  EXPECT_TRUE(check_values(present, rows));
  EXPECT_EQ(count_broken(present[1], rows).value(), 1u);
  ASSERT_TRUE(apply_constraints(present, rows));
  EXPECT_EQ(rows.columns[0].numbers[1], 3);
  EXPECT_TRUE(rows.columns[0].is_missing(2));
  EXPECT_TRUE(rows.columns[1].is_missing(2));
}

TEST(Constraint, DatesKeepTheirFormAndTheirTime) {
  Table rows;
  rows.rows = 3;
  rows.columns = {{"opened", ColumnType::kText, {0, 1, 2}, {"20240531", "20200101", "20240601"}, {}},
                  {"closed",
                   ColumnType::kText,
                   {0, 1, 2},
                   {"2021-02-15 13:30", "2024-06-30 00:00", "2024-06-01 08:15"},
                   {}}};
  const Constraint order{Constraint::Kind::kOrder, {"opened", "closed"}, ""},
      reversed{Constraint::Kind::kOrder, {"closed", "opened"}, ""};
  EXPECT_EQ(count_broken(order, rows).value(), 1u);
  EXPECT_EQ(count_broken(reversed, rows).value(), 2u);  // 08:15 is after the day's begin
  ASSERT_TRUE(apply_constraints({order}, rows));
  EXPECT_EQ(count_broken(order, rows).value(), 0u);
  EXPECT_EQ(rows.columns[0].text(0), "20210215");
  EXPECT_EQ(rows.columns[1].text(0), "2024-05-31 00:00");
}

}  // namespace
}  // namespace maeil::table
