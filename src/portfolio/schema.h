// The 99 columns of the corporate-loan book: names in the order of the file, number formats, what may be
// missing, and how each is read off a Record. After them the realistic book's truth, which is no column of
// the book's: what knows the 99 passes over it.
#pragma once

#include <span>
#include <string_view>

#include "portfolio/record.h"
#include "table/number_format.h"

namespace maeil::portfolio {

// Exactly one of the three readers is set.
struct ColumnSpec {
  std::string_view name;
  bool nullable;
  NumberFormat format = NumberFormat::kFloat;
  double (*number)(const Record&) = nullptr;           // NaN: missing
  std::string_view (*label)(const Record&) = nullptr;  // empty: missing
  Date (*date)(const Record&) = nullptr;               // written as 31MAY2024; nullopt: missing
};

// The 99 columns; with_truth: and true_pd, the probability of default that the flag was drawn with.
std::span<const ColumnSpec> schema(bool with_truth = false);

// Stands for a date nobody knows, as the source system writes it.
constexpr Days kUnknownDate = Days{std::chrono::year{9999} / 12 / 31};

}  // namespace maeil::portfolio
