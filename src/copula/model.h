// A Gaussian copula as plain data: what SDV's synthesizer holds, without its code.
//
// A row is drawn as z ~ N(0, correlation), u = Phi(z), x = F^-1(u) column by column, and x becomes the output
// through the column's `output`: a category by the interval of [0, 1] that x falls into, or a number that is
// clipped, rounded, made missing at random, and perhaps written as a date or replaced by a key. C is the
// number of columns everywhere in copula/. Values are data: copy them, share them between threads when const.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/error.h"
#include "copula/marginal.h"
#include "copula/text_form.h"
#include "table/number_format.h"

namespace maeil::copula {

// x in (upper[k-1], upper[k]] is category k; values outside [0, 1] belong to the first and the last.
struct CategoryOutput {
  // (K) as written in CSV; two intervals may have one label ("8" as text and as number)
  std::vector<std::string> labels;
  std::vector<double> upper;      // (K) ascending, the last is 1
  std::optional<size_t> missing;  // the interval that means "missing"; its label is ""
};

struct NumberOutput {
  NumberFormat format = NumberFormat::kFloat;
  double missing = 0;              // probability of a missing value, independent of everything else
  std::optional<int> digits;       // decimal digits kept, -15..15
  std::optional<double> min, max;  // clipped before rounding
  // a float32: the nearest single, written with as few digits as tell it from its neighbours
  bool single = false;
  std::optional<TextForm> text;  // the column is text, made of the number: a date, or a key
};

// The decimals that are kept: whole numbers have none, whether or not it is said.
inline std::optional<int> digits_of(const NumberOutput& out) {
  return out.format == NumberFormat::kInteger && !out.digits ? std::optional(0) : out.digits;
}

struct ColumnModel {
  std::string name;
  Marginal marginal;
  std::variant<CategoryOutput, NumberOutput> output;
};

inline bool is_text(const ColumnModel& column) {
  const auto* number = std::get_if<NumberOutput>(&column.output);
  return !number || number->text;
}

struct CopulaModel {
  std::string source;                // for people: where it was fitted, "" when unknown
  std::vector<ColumnModel> columns;  // (C) in output order
  std::vector<double> correlation;   // (C,C) row-major, symmetric, ones on the diagonal
  std::vector<std::string> notes;    // for people: what is drawn otherwise than where it was fitted

  double correlation_at(size_t row, size_t column) const {
    return correlation[row * columns.size() + column];
  }
};

// Numbers that a column may take: what 64 bits hold (the largest double below 2^63), and what can be summed
// and rounded without overflow.
inline constexpr double kMostWhole = 9223372036854774784.0, kMostReal = 1e300;
inline double most_of(NumberFormat format) {
  return format == NumberFormat::kInteger ? kMostWhole : kMostReal;
}

inline constexpr size_t kMaxColumns = 4096;        // a correlation of 128 MiB
inline constexpr size_t kMaxCategories = 1 << 24;  // in one column

// How each column's numbers are written, in column order (kFloat for a category, where it means nothing).
std::vector<NumberFormat> number_formats(const CopulaModel& model);

// kBadInput, naming the column, where a model breaks what this header and marginal.h promise. Every reader
// ends with it.
Status check_model(const CopulaModel& model);

// What read_mixture (mixture.h, the one reader of files) finds, when that is a single copula without shared
// flags and constraints; else kBadInput, saying so.
Result<CopulaModel> read_model(const std::filesystem::path& path);

// Our JSON; the same model gives the same bytes.
std::string to_json(const CopulaModel& model);
Result<CopulaModel> parse_model_json(const std::string& json, const std::string& file_name);

}  // namespace maeil::copula
