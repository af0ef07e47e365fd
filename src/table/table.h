// A table in memory, column by column: text as codes into the column's own dictionary, numbers as doubles.
//
// A Table is a value: copy it and nothing is shared. Missing is a code of kMissing, or a NaN number; a NaN
// never means anything else: "nan" in a CSV file is missing, as pandas has it, and other numbers must be
// finite. Big data never lives in one Table: readers and samplers hand out tables of a few thousand rows
// each, one after another ("chunks"), with dictionaries of their own.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace maeil {

enum class ColumnType { kText, kNumber };

constexpr uint32_t kMissing = UINT32_MAX;

struct Column {
  std::string name;
  ColumnType type = ColumnType::kText;
  std::vector<uint32_t> codes;          // kText: index into dictionary, or kMissing
  std::vector<std::string> dictionary;  // kText: distinct values in order of first appearance
  std::vector<double> numbers;          // kNumber: NaN where missing

  bool is_missing(size_t row) const {
    return type == ColumnType::kText ? codes[row] == kMissing : numbers[row] != numbers[row];
  }
  std::string_view text(size_t row) const { return dictionary[codes[row]]; }  // REQUIRES: kText, not missing
};

struct Table {
  size_t rows = 0;
  std::vector<Column> columns;

  const Column* find(std::string_view name) const {
    for (const auto& column : columns) {
      if (column.name == name) return &column;
    }
    return nullptr;
  }
};

}  // namespace maeil
