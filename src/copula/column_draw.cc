#include "copula/column_draw.h"

#include <algorithm>
#include <limits>

#include "copula/single_precision.h"

namespace maeil::copula {
namespace {

std::variant<QuantileTable, EmpiricalTable> make_table(const Marginal& marginal, const NumberOutput& out) {
  const double min = std::max(out.min.value_or(-most_of(out.format)), -most_of(out.format)),
               max = std::min(out.max.value_or(most_of(out.format)), most_of(out.format));
  if (const auto* empirical = std::get_if<Empirical>(&marginal)) return EmpiricalTable(*empirical, min, max);
  return QuantileTable(marginal, min, max);
}

bool is_whole(const NumberOutput& out) { return out.format == NumberFormat::kInteger; }

}  // namespace

NumberDraw::NumberDraw(const Marginal& marginal, const NumberOutput& out)
    : table(make_table(marginal, out)),
      rounding(digits_of(out)),
      minus_zero(is_whole(out) ? 0.0 : -0.0),
      single(out.single),
      missing_below(static_cast<uint64_t>(std::llround(out.missing * 0x1p32))) {}

void NumberDraw::operator()(const float* z, const uint32_t* null_words, size_t n, double* out) const {
  std::visit(
      [&](const auto& quantile) {
        for (size_t i = 0; i < n; ++i) {
          out[i] = null_words && null_words[i] < missing_below ? std::numeric_limits<double>::quiet_NaN()
                                                               : rounding(quantile(z[i])) + minus_zero;
        }
      },
      table);
  if (!single) return;
  for (size_t i = 0; i < n; ++i) out[i] = as_single(out[i]);
}

CategoryDraw::CategoryDraw(const Marginal& marginal, const CategoryOutput& out,
                           std::vector<std::string>& dictionary,
                           std::unordered_map<std::string, uint32_t>& known)
    : table(marginal, out) {
  for (size_t k = 0; k < out.labels.size(); ++k) {
    if (out.missing == k) {
      codes.push_back(kMissing);
      continue;
    }
    const auto [found, added] = known.emplace(out.labels[k], static_cast<uint32_t>(dictionary.size()));
    if (added) dictionary.push_back(out.labels[k]);
    codes.push_back(found->second);
  }
}

TextDraws::TextDraws(const std::vector<ColumnModel>& columns, size_t C) {
  for (size_t c = 0; c < C; ++c) {
    const auto* number = std::get_if<NumberOutput>(&columns[c].output);
    if (number && number->text) columns_.emplace_back(c, TextDraw(*number->text));
  }
}

void TextDraws::begin(Table& rows) const {
  for (const auto& [c, draw] : columns_) rows.columns[c].type = ColumnType::kNumber;
}

void TextDraws::end(uint64_t first_row, Table& rows) const {
  for (const auto& [c, draw] : columns_) {
    Column& column = rows.columns[c];
    draw(first_row, column.numbers, column.codes, column.dictionary);
    column.type = ColumnType::kText;
    column.numbers.clear();
  }
}

}  // namespace maeil::copula
