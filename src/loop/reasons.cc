#include "loop/reasons.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

#include "format/csv.h"

namespace maeil::loop {

ReasonWriter::ReasonWriter(const prep::Preparation& preparation, const table::DatasetSpec& spec,
                           int64_t count, std::string_view language)
    : count_(count) {
  std::vector<std::string> names;
  const auto add = [&](const std::string& name) {
    const auto found = std::ranges::find(names, name);
    column_of_.push_back(static_cast<size_t>(found - names.begin()));
    if (found != names.end()) return;
    names.push_back(name);
    format::append_csv_text(words_.emplace_back(), table::words_of(spec.reasons, name, language));
  };
  for (const auto& feature : preparation.categorical) add(feature.column);
  for (const auto& feature : preparation.numeric) add(feature.name);
}

std::string ReasonWriter::header() const {
  std::string out;
  for (int64_t k = 1; k <= count_; ++k)
    fmt::format_to(std::back_inserter(out), ",reason_{0},reason_{0}_log_odds", k);
  return out;
}

std::vector<columnar::OutColumn> ReasonWriter::columns() const {
  std::vector<columnar::OutColumn> out;
  for (int64_t k = 1; k <= count_; ++k) {
    out.push_back({fmt::format("reason_{}", k), columnar::OutKind::kText});
    out.push_back({fmt::format("reason_{}_log_odds", k), columnar::OutKind::kNumber});
  }
  return out;
}

Result<std::vector<std::string>> ReasonWriter::of(const model::ModelFile& model,
                                                  const prep::Prepared& rows) const {
  std::vector<std::string> out(rows.rows);
  if (count_ == 0) return out;
  const std::vector<float> numbers(rows.numbers.begin(), rows.numbers.end());
  MAEIL_ASSIGN(const auto told, model.predictor->contributions({rows.codes, numbers, rows.rows}));
  std::vector<double> added(words_.size());
  std::vector<size_t> order(words_.size());
  const auto most = std::min(static_cast<size_t>(count_), order.size());
  for (size_t row = 0; row < rows.rows; ++row) {
    std::ranges::fill(added, 0.0);
    for (size_t f = 0; f < told.features; ++f) added[column_of_[f]] += told.values[row * told.features + f];
    for (size_t k = 0; k < order.size(); ++k) order[k] = k;
    std::ranges::partial_sort(order, order.begin() + static_cast<ptrdiff_t>(most), [&](size_t a, size_t b) {
      return std::abs(added[a]) != std::abs(added[b]) ? std::abs(added[a]) > std::abs(added[b]) : a < b;
    });
    for (size_t k = 0; k < static_cast<size_t>(count_); ++k) {
      if (k < most && added[order[k]] != 0)
        fmt::format_to(std::back_inserter(out[row]), ",{},{:.6g}", words_[order[k]], added[order[k]]);
      else
        out[row] += ",,";
    }
  }
  return out;
}

}  // namespace maeil::loop
