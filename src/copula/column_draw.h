// From a column's normal scores to its values: what a sampler prepares once for each column and then applies
// to blocks. Immutable once made, so threads may share it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "copula/category_table.h"
#include "copula/empirical_table.h"
#include "copula/model.h"
#include "copula/quantile_table.h"
#include "table/rounding.h"
#include "table/table.h"

namespace maeil::copula {

struct NumberDraw {
  NumberDraw(const Marginal& marginal, const NumberOutput& out);

  std::variant<QuantileTable, EmpiricalTable> table;
  table::Rounding rounding;
  double minus_zero;       // added last: 0.0 turns the -0.0 of a whole number into 0
  bool single;             // values of a float32
  uint64_t missing_below;  // a null word below it means missing; 2^32 for always

  // out[i] for z[i], i < n; `null_words` may be null when nothing is missing.
  void operator()(const float* z, const uint32_t* null_words, size_t n, double* out) const;
};

struct CategoryDraw {
  // Labels get codes of `dictionary`, which receives those it lacks; `known` is its index.
  CategoryDraw(const Marginal& marginal, const CategoryOutput& out, std::vector<std::string>& dictionary,
               std::unordered_map<std::string, uint32_t>& known);

  CategoryTable table;
  std::vector<uint32_t> codes;  // (K) interval -> dictionary code or kMissing

  void operator()(const float* z, size_t n, uint32_t* out) const {
    for (size_t i = 0; i < n; ++i) out[i] = codes[table(z[i])];
  }
};

using ColumnDraw = std::variant<CategoryDraw, NumberDraw>;

// The columns that are drawn as numbers and handed out as text, after each draw. `model` is what the columns
// of a table are drawn from.
class TextDraws {
 public:
  TextDraws() = default;
  TextDraws(const std::vector<ColumnModel>& columns, size_t C);  // the first C columns

  // Called before the rows are drawn: these columns are numbers then.
  void begin(Table& rows) const;
  void end(uint64_t first_row, Table& rows) const;

 private:
  std::vector<std::pair<size_t, TextDraw>> columns_;
};

}  // namespace maeil::copula
