// For tests of this folder: simulated rows by column name, and where two sets of rows differ.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "portfolio/record.h"
#include "portfolio/simulate.h"
#include "table/dates.h"

namespace maeil::portfolio {

inline const Days kDate = Days{std::chrono::year{2026} / 1 / 5};

// All rows of a range by column name: numbers (NaN missing) or texts ("" missing).
struct Rows {
  size_t rows = 0;
  std::map<std::string, std::vector<double>> number;
  std::map<std::string, std::vector<std::string>> text;

  Date date(const std::string& column, size_t row) const { return table::read_day(text.at(column)[row]); }
  bool defaulted(size_t row) const { return text.at("DLNQ_1M_FLG")[row] == "Y"; }
  double defaults() const {
    const auto& flag = text.at("DLNQ_1M_FLG");
    return static_cast<double>(std::count(flag.begin(), flag.end(), "Y")) / static_cast<double>(rows);
  }
  bool missing(const std::string& column, size_t row) const {
    const auto found = number.find(column);
    return found != number.end() ? std::isnan(found->second[row]) : text.at(column)[row].empty();
  }
};

inline Rows rows_of(const RowsPlan& plan, uint64_t first, uint64_t rows, uint64_t seed = 42,
                    Days date = kDate) {
  Rows out;
  const Status status = simulate(plan, date, first, rows, seed, [&](const Table& chunk) -> Status {
    EXPECT_LE(chunk.rows, 1024u);
    for (const Column& column : chunk.columns) {
      if (column.type == ColumnType::kNumber) {
        EXPECT_EQ(column.numbers.size(), chunk.rows);
        auto& all = out.number[column.name];
        all.insert(all.end(), column.numbers.begin(), column.numbers.end());
      } else {
        EXPECT_EQ(column.codes.size(), chunk.rows);
        auto& all = out.text[column.name];
        for (size_t row = 0; row < chunk.rows; ++row)
          all.emplace_back(column.is_missing(row) ? "" : column.text(row));
      }
    }
    out.rows += chunk.rows;
    return {};
  });
  EXPECT_TRUE(status) << status.error().message;
  return out;
}

// The first difference between `part` and `whole` from its row `offset` on, or "".
inline std::string difference(const Rows& part, const Rows& whole, size_t offset) {
  if (part.number.size() != whole.number.size() || part.text.size() != whole.text.size()) return "columns";
  for (const auto& [name, values] : part.number) {
    for (size_t i = 0; i < values.size(); ++i) {
      if (offset + i >= whole.rows) return "rows";
      const double other = whole.number.at(name)[offset + i];
      if (std::memcmp(&values[i], &other, sizeof other) != 0) return name + " row " + std::to_string(i);
    }
  }
  for (const auto& [name, values] : part.text) {
    for (size_t i = 0; i < values.size(); ++i) {
      if (offset + i >= whole.rows) return "rows";
      if (values[i] != whole.text.at(name)[offset + i]) return name + " row " + std::to_string(i);
    }
  }
  return "";
}

// 20,000 calm rows of each book, made once.
inline const Rows& calm(Book book = Book::kSeparable) {
  if (book == Book::kRealistic) {
    static const Rows realistic = rows_of({.book = Book::kRealistic, .with_truth = true}, 0, 20000);
    return realistic;
  }
  static const Rows separable = rows_of({}, 0, 20000);
  return separable;
}

}  // namespace maeil::portfolio
