#include "loop/contract_draft.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "table/dates.h"

namespace maeil::loop {
namespace {

using table::ColumnContract;
using table::SpecColumn;
using table::SpecType;

constexpr size_t kFewestDays = 7;    // of which the smallest and the largest say something
constexpr double kUnknownDay = 200;  // rows of a day's file, where the history does not say
constexpr double kErrors = 5;        // standard errors that chance is given
constexpr double kSlack = 0.05;      // of the rows, that may be missing more than in the history
constexpr size_t kCategories = 20;   // values of a text that is a category
constexpr uint64_t kRareRows = 5;    // a value of fewer rows says that others may come

// To two digits, away from the values: down for a lower bound.
double rounded(double bound, bool down) {
  if (bound == 0) return 0;
  const double step = std::pow(10, std::floor(std::log10(std::abs(bound))) - 1);
  return (down ? std::floor(bound / step) : std::ceil(bound / step)) * step;
}

// Without the digits that a sum of powers of ten leaves behind: 0.30000000000000004.
double written(double value) { return std::stod(fmt::format("{:.12g}", value)); }

void draft_range(const table::ColumnSummary& summary, ColumnContract& out) {
  if (!summary.min) return;
  const double low = *summary.min, high = *summary.max;
  const double slack = high > low ? high - low : std::max(1.0, std::abs(low));
  double min = rounded(low - slack, true), max = rounded(high + slack, false);
  if (low >= 0) min = std::max(min, 0.0);
  if (high <= 0) max = std::min(max, 0.0);
  if (!std::isfinite(min) || !std::isfinite(max)) return;
  out.min = std::min(written(min), low);
  out.max = std::max(written(max), high);
}

void draft_allowed(const table::DistinctSample& values, ColumnContract& out) {
  const auto counts = values.counts();
  if (counts.empty() || counts.size() > kCategories) return;
  if (std::ranges::any_of(counts, [](const auto& one) { return one.second < kRareRows; })) return;
  for (const auto& [value, rows] : counts) out.allowed_texts.emplace_back(value);
  std::ranges::sort(out.allowed_texts);
}

double standard_error(double share, double rows) { return std::sqrt(share * (1 - share) / rows); }

std::optional<double> draft_missing(double share, double day) {
  const double most = share + std::max({kSlack, kErrors * standard_error(share, day), kErrors / day});
  const double out = std::ceil(most * 100 - 1e-9) / 100;
  return out < 1 ? std::optional(written(out)) : std::nullopt;
}

table::DatasetSpec with_unique_ids(const table::DatasetSpec& spec) {
  table::DatasetSpec out = spec;
  out.contract = {};
  out.contract.unique_id = !spec.roles.id.empty();
  return out;
}

}  // namespace

ContractDraft::ContractDraft(const table::DatasetSpec& spec)
    : spec_(with_unique_ids(spec)), ids_(spec_, std::vector<bool>(spec.columns.size())), summarizing_(spec_) {
  for (size_t c = 0; c < spec.columns.size(); ++c) {
    if (spec.columns[c].name == spec.roles.time) time_ = c;
  }
}

void ContractDraft::add(const Table& chunk, const std::vector<uint64_t>& row_index) {
  table::ContractCheck::Piece checked;
  ids_.look(chunk, checked);
  ids_.add(checked, row_index);
  table::Summarizing::Piece summary;
  summarizing_.look(chunk, row_index, std::vector<uint8_t>(chunk.rows), summary);
  summarizing_.add(summary);
  rows_ += chunk.rows;
  if (time_ == SIZE_MAX) return;
  const Column& time = chunk.columns[time_];
  std::vector<uint64_t> counts(time.dictionary.size());
  for (const uint32_t code : time.codes) {
    if (code != kMissing) ++counts[code];
  }
  for (size_t k = 0; k < counts.size(); ++k) {
    if (const auto day = table::read_day(time.dictionary[k], spec_.columns[time_].format))
      by_day_[*day] += counts[k];
  }
}

// Of which chance is reckoned: the median day of the history, at least one row.
double ContractDraft::rows_of_a_day() const {
  if (by_day_.empty()) return std::min(kUnknownDay, static_cast<double>(std::max<uint64_t>(rows_, 1)));
  std::vector<uint64_t> rows;
  for (const auto& [day, count] : by_day_) rows.push_back(count);
  std::ranges::nth_element(rows, rows.begin() + static_cast<std::ptrdiff_t>(rows.size() / 2));
  return static_cast<double>(std::max<uint64_t>(rows[rows.size() / 2], 1));
}

table::Contract ContractDraft::finish(const table::DatasetSpec& spec, const table::InferredColumns& inferred,
                                      uint64_t positives, uint64_t labelled) const {
  table::Contract out;
  const double day = rows_of_a_day();
  out.unique_id = spec_.contract.unique_id && ids_.set_aside().empty();
  if (by_day_.size() >= kFewestDays) {
    const auto [least, most] =
        std::ranges::minmax_element(by_day_, {}, [](const auto& one) { return one.second; });
    out.min_rows = std::max<uint64_t>(1, least->second / 2);
    out.max_rows = most->second * 2;
  }
  if (labelled > 0) {
    const double rate = static_cast<double>(positives) / static_cast<double>(labelled);
    const double error = kErrors * standard_error(rate, day);
    const double low = std::max(0.0, std::floor(std::min(rate / 4, rate - error) * 1000) / 1000);
    const double high = std::min(1.0, std::ceil(std::max(4 * rate, rate + error) * 1000) / 1000);
    if (low > 0 || high < 1) out.min_target_rate = written(low), out.max_target_rate = written(high);
  }
  const auto summaries = summarizing_.summaries();
  for (size_t c = 0; c < spec.columns.size(); ++c) {
    const SpecColumn& column = spec.columns[c];
    const bool is_id = std::ranges::find(spec.roles.id, column.name) != spec.roles.id.end();
    if (column.drop || is_id || column.name == spec.target) continue;
    ColumnContract rules;
    rules.column = column.name;
    if (!column.role && column.type == SpecType::kNumber) draft_range(summaries[c], rules);
    if (!column.role && column.type == SpecType::kText) draft_allowed(inferred.values[c], rules);
    rules.max_missing = draft_missing(summaries[c].missing, day);
    if (rules.has_row_rules() || rules.max_missing) out.columns.push_back(std::move(rules));
  }
  return out;
}

}  // namespace maeil::loop
