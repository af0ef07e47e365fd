#include "copula/rare_values.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>
#include <unordered_map>

#include "base/threads.h"
#include "table/dates.h"

namespace maeil::copula {
namespace {

using Kind = RareValues::Kind;
using Counts = std::vector<size_t>;

Counts count_rows(const Column& column) {
  Counts out(column.dictionary.size(), 0);
  for (const uint32_t code : column.codes) {
    if (code != kMissing) ++out[code];
  }
  return out;
}

// Each code k becomes to[k]; the dictionary keeps what occurs, in its order.
void recode(Column& column, const std::vector<uint32_t>& to) {
  std::vector<uint32_t> place(column.dictionary.size(), kMissing);
  for (uint32_t& code : column.codes) {
    if (code != kMissing && (code = to[code]) != kMissing) place[code] = 0;
  }
  std::vector<std::string> kept;
  for (size_t k = 0; k < place.size(); ++k) {
    if (place[k] == kMissing) continue;
    place[k] = static_cast<uint32_t>(kept.size());
    kept.push_back(std::move(column.dictionary[k]));
  }
  for (uint32_t& code : column.codes) {
    if (code != kMissing) code = place[code];
  }
  column.dictionary = std::move(kept);
}

// The mean of the middle half of the rows of labels[first..last), which ascend: one row of another century
// does not move it.
double middle_mean(const std::vector<std::pair<double, uint32_t>>& labels, size_t first, size_t last,
                   const Counts& counts) {
  size_t rows = 0, before = 0;
  for (size_t i = first; i < last; ++i) rows += counts[labels[i].second];
  const size_t from = rows / 4, to = rows - rows / 4;
  double sum = 0;
  for (size_t i = first; i < last; ++i) {
    const size_t begin = before, end = before += counts[labels[i].second];
    const size_t taken = std::min(end, to) - std::min(std::max(begin, from), std::min(end, to));
    sum += (labels[i].first - labels[first].first) * static_cast<double>(taken);
  }
  return labels[first].first + sum / static_cast<double>(to - from);
}

std::optional<RareValues> group_dates(Column& column, const std::optional<table::DateFormat>& format) {
  const auto write_like = [&](const std::string& example, double seconds) {
    return format && !format->is_plain() ? format->write(seconds, example)
                                         : table::write_date_like(example, seconds);
  };
  const Counts counts = count_rows(column);
  std::vector<std::pair<double, uint32_t>> rare;  // readable
  std::vector<uint32_t> to(counts.size());
  std::iota(to.begin(), to.end(), 0u);
  RareValues out{Kind::kDates, column.name, "", 0, 0};
  size_t present = 0;
  for (uint32_t k = 0; k < counts.size(); ++k) {
    present += counts[k];
    if (counts[k] == 0 || counts[k] >= kFewRows) continue;
    ++out.values, out.rows += counts[k];
    if (const auto seconds = table::read_date(column.dictionary[k], format))
      rare.emplace_back(*seconds, k);
    else
      to[k] = kMissing;
  }
  if (out.values == 0) return std::nullopt;
  if (present < kFewRows) {
    recode(column, std::vector<uint32_t>(counts.size(), kMissing));
    return RareValues{Kind::kEmptied, column.name, "", out.values, present};
  }
  std::sort(rare.begin(), rare.end());
  std::unordered_map<std::string, uint32_t> known;
  for (uint32_t k = 0; k < counts.size(); ++k) {
    if (counts[k] >= kFewRows) known.emplace(column.dictionary[k], k);
  }
  size_t left = 0;  // rows of the labels that have no group yet
  for (const auto& [seconds, k] : rare) left += counts[k];
  for (size_t first = 0; first < rare.size();) {
    size_t last = first, rows = 0;
    while (last < rare.size() && (rows < kFewRows || left - rows < kFewRows))
      rows += counts[rare[last++].second];
    left -= rows;
    const double middle = middle_mean(rare, first, last, counts);
    std::string text = write_like(column.dictionary[rare[first].second], middle);
    if (rows < kFewRows) {
      // All rare rows of the column together are too few for a group: they get the nearest frequent day.
      double nearest = std::numeric_limits<double>::infinity();
      for (const auto& [other, k] : known) {
        const double distance = std::abs(table::read_date(other, format).value_or(nearest) - middle);
        if (distance < nearest || (distance == nearest && other < text)) nearest = distance, text = other;
      }
    }
    const auto [found, fresh] = known.emplace(text, static_cast<uint32_t>(column.dictionary.size()));
    if (fresh) column.dictionary.push_back(text), to.push_back(found->second);
    for (; first < last; ++first) to[rare[first].second] = found->second;
  }
  recode(column, to);
  return out;
}

Result<std::optional<RareValues>> pool_labels(Column& column, bool target) {
  const Counts counts = count_rows(column);
  RareValues out{Kind::kPooled, column.name, "", 0, 0};
  size_t present = 0;
  uint32_t most = 0;
  for (uint32_t k = 0; k < counts.size(); ++k) {
    present += counts[k];
    if (counts[k] > counts[most] ||
        (counts[k] == counts[most] && column.dictionary[k] < column.dictionary[most]))
      most = k;
    if (counts[k] > 0 && counts[k] < kFewRows) ++out.values, out.rows += counts[k];
  }
  if (out.values == 0) return std::nullopt;
  if (target) {
    const auto rare = [&](size_t k) { return counts[k] > 0 && counts[k] < kFewRows; };
    size_t first = 0;
    while (!rare(first)) ++first;
    return bad_input(
        fmt::format("the target '{}' has {} class{} of fewer than {} rows ('{}', {} row{}{}), of which "
                    "nothing can be learned without giving rows away, and which are "
                    "no rows of another class: leave those rows out, or give them the label of the class "
                    "that they belong to",
                    column.name, out.values, out.values == 1 ? "" : "es", kFewRows, column.dictionary[first],
                    counts[first], counts[first] == 1 ? "" : "s", out.values == 1 ? "" : ", the first"));
  }
  if (present < kFewRows) {
    recode(column, std::vector<uint32_t>(counts.size(), kMissing));
    return RareValues{Kind::kEmptied, column.name, "", out.values, present};
  }
  if (counts[most] < kFewRows) {
    return bad_input(
        fmt::format("column '{}': none of its {} values is borne by {} rows, so nothing can be learned of it "
                    "without giving rows away: leave it out",
                    column.name, out.values, kFewRows));
  }
  out.into = column.dictionary[most];
  std::vector<uint32_t> to(counts.size());
  for (uint32_t k = 0; k < counts.size(); ++k) to[k] = counts[k] < kFewRows ? most : k;
  recode(column, to);
  return out;
}

std::optional<RareValues> empty_number(Column& column) {
  const auto present = static_cast<size_t>(
      std::count_if(column.numbers.begin(), column.numbers.end(), [](double x) { return x == x; }));
  if (present == 0 || present >= kFewRows) return std::nullopt;
  std::fill(column.numbers.begin(), column.numbers.end(), std::numeric_limits<double>::quiet_NaN());
  return RareValues{Kind::kEmptied, column.name, "", 0, present};
}

}  // namespace

std::string describe(const RareValues& rare) {
  const auto many = [](size_t n, std::string_view one) {
    return fmt::format("{} {}{}", n, one, n == 1 ? "" : "s");
  };
  switch (rare.kind) {
    case Kind::kPooled:
      return fmt::format(
          "{} of column '{}' borne by fewer than {} rows {} pooled: {} taken for '{}', the most frequent "
          "label",
          many(rare.values, "label"), rare.column, kFewRows, rare.values == 1 ? "was" : "were",
          rare.rows == 1 ? "its row is" : fmt::format("their {} rows are", rare.rows), rare.into);
    case Kind::kDates:
      return fmt::format(
          "{} of column '{}' borne by fewer than {} rows {} replaced by the mean day of {} rows or more next "
          "to each other ({})",
          many(rare.values, "date"), rare.column, kFewRows, rare.values == 1 ? "was" : "were", kFewRows,
          many(rare.rows, "row"));
    case Kind::kEmptied:
      break;
  }
  return fmt::format("column '{}' has values in fewer than {} rows: it is drawn as missing throughout",
                     rare.column, kFewRows);
}

Result<std::vector<RareValues>> withhold_rare_values(Table& all, const std::string& target,
                                                     const std::vector<DateColumn>& dates,
                                                     const std::vector<bool>& generated) {
  const size_t C = all.columns.size();
  std::vector<std::optional<RareValues>> found(C);
  std::vector<Status> status(C);
  parallel_for(C, 1, [&](size_t first, size_t last) {
    for (size_t c = first; c < last; ++c) {
      Column& column = all.columns[c];
      if (generated[c]) continue;
      if (column.type == ColumnType::kNumber) {
        found[c] = empty_number(column);
      } else if (const auto date = std::ranges::find(dates, column.name, &DateColumn::name);
                 date != dates.end()) {
        found[c] = group_dates(column, date->format);
      } else {
        auto pooled = pool_labels(column, column.name == target);
        if (pooled)
          found[c] = std::move(*pooled);
        else
          status[c] = tl::make_unexpected(pooled.error());
      }
    }
  });
  std::vector<RareValues> out;
  for (size_t c = 0; c < C; ++c) {
    MAEIL_TRY(status[c]);
    if (found[c]) out.push_back(std::move(*found[c]));
  }
  return out;
}

}  // namespace maeil::copula
