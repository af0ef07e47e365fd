#include "loop/row_filter.h"

#include <fast_float/fast_float.h>
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <unordered_map>

#include "base/hash.h"
#include "base/philox.h"

namespace maeil::loop {
namespace {

using Test = Condition::Test;
constexpr std::pair<std::string_view, Test> kTests[] = {{"!=", Test::kNotEqual}, {"<=", Test::kLessOrEqual}, {">=", Test::kGreaterOrEqual},
                                                        {"=", Test::kEqual},     {"<", Test::kLess},         {">", Test::kGreater}};

// Sets keep[i] of a block of candidates; `seed` is the one they were drawn under.
using Keep = std::function<void(const Table& rows, uint64_t block, uint64_t seed, std::vector<uint8_t>& keep)>;

std::optional<double> parse_number(std::string_view text) {
  double value = 0;
  const auto [end, error] = fast_float::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

bool holds(Test test, double left, double right) {
  switch (test) {
    case Test::kEqual: return left == right;
    case Test::kNotEqual: return left != right;
    case Test::kLess: return left < right;
    case Test::kLessOrEqual: return left <= right;
    case Test::kGreater: return left > right;
    case Test::kGreaterOrEqual: return left >= right;
  }
  return false;
}

void apply(const Condition& condition, const Column& column, std::vector<uint8_t>& keep) {
  const bool same = condition.test == Test::kEqual;
  if (condition.value.empty()) {
    for (size_t i = 0; i < keep.size(); ++i) keep[i] &= column.is_missing(i) == same;
  } else if (column.type == ColumnType::kText) {
    const auto found = std::find(column.dictionary.begin(), column.dictionary.end(), condition.value);
    const auto code = found == column.dictionary.end() ? kMissing - 1 : static_cast<uint32_t>(found - column.dictionary.begin());
    for (size_t i = 0; i < keep.size(); ++i) keep[i] &= (column.codes[i] == code) == same;
  } else {
    const double value = *parse_number(condition.value);
    for (size_t i = 0; i < keep.size(); ++i) keep[i] &= holds(condition.test, column.numbers[i], value);
  }
}

// The rows of `from` that are kept, as rows `begin`, `begin` + 1 ... of a block: those of number first..last - 1 go behind `to`.
// Returns how many the block then has.
size_t take_rows(const Table& from, const std::vector<uint8_t>& keep, size_t begin, size_t first, size_t last, Table& to,
                 std::vector<std::unordered_map<std::string, uint32_t>>& known) {
  std::vector<uint32_t> rows;
  for (size_t i = 0; i < from.rows && begin < last; ++i) {
    if (!keep[i]) continue;
    if (begin++ >= first) rows.push_back(static_cast<uint32_t>(i));
  }
  for (size_t c = 0; c < from.columns.size(); ++c) {
    const Column& source = from.columns[c];
    Column& out = to.columns[c];
    for (const uint32_t row : rows) {
      if (source.type == ColumnType::kNumber) {
        out.numbers.push_back(source.numbers[row]);
      } else if (source.codes[row] == kMissing) {
        out.codes.push_back(kMissing);
      } else {
        const auto& text = source.dictionary[source.codes[row]];
        const auto [found, fresh] = known[c].emplace(text, static_cast<uint32_t>(out.dictionary.size()));
        if (fresh) out.dictionary.push_back(text);
        out.codes.push_back(found->second);
      }
    }
  }
  to.rows += rows.size();
  return begin;
}

Source filter(Source source, std::string what, Keep keep) {
  const auto inner = std::make_shared<const Source>(source);
  source.draw = [inner, what = std::move(what), keep = std::move(keep)](Days date, uint64_t first_row, uint64_t rows, uint64_t seed, Table& out) -> Status {
    const uint64_t block = first_row / kSourceRows, first = first_row % kSourceRows, last = first + rows;
    Table candidates;
    std::vector<uint8_t> kept;
    std::vector<std::unordered_map<std::string, uint32_t>> known(inner->names.size());
    out = {};
    size_t found = 0;
    for (uint64_t attempt = 0; attempt < kMostTries; ++attempt) {
      const uint64_t own_seed = attempt == 0 ? seed : hash64(fmt::format("try {}", attempt), seed);
      MAEIL_TRY(inner->draw(date, block * kSourceRows, kSourceRows, own_seed, candidates));
      kept.assign(candidates.rows, 1);
      keep(candidates, block, own_seed, kept);
      if (out.columns.empty()) {
        for (const auto& column : candidates.columns) out.columns.push_back({column.name, column.type, {}, {}, {}});
      }
      found = take_rows(candidates, kept, found, first, last, out, known);
      if (found >= last) return {};
    }
    return usage_error(fmt::format("{} rows were drawn and only {} have {}: ask for something less rare", kMostTries * kSourceRows, found, what));
  };
  return source;
}

// Calls body for the blocks of the first kProbeRows rows.
Status probe(const Source& source, const std::function<void(const Table& rows, uint64_t block)>& body) {
  Table rows;
  for (uint64_t block = 0; block < kProbeRows / kSourceRows; ++block) {
    MAEIL_TRY(source.draw(Days{}, block * kSourceRows, kSourceRows, 0, rows));
    body(rows, block);
  }
  return {};
}

Status check_column(const Source& source, const std::string& column) {
  if (std::find(source.names.begin(), source.names.end(), column) != source.names.end()) return {};
  return usage_error(fmt::format("{} has no column '{}'", source.description, column));
}

}  // namespace

Result<Condition> parse_condition(std::string_view text) {
  const size_t at = text.find_first_of("!<>=");
  if (at != std::string_view::npos && at > 0) {
    for (const auto& [sign, test] : kTests) {
      if (!text.substr(at).starts_with(sign)) continue;
      Condition out{std::string(text.substr(0, at)), test, std::string(text.substr(at + sign.size()))};
      if (test == Test::kEqual || test == Test::kNotEqual || parse_number(out.value)) return out;
      return usage_error(fmt::format("the condition '{}' needs a number behind {}", text, sign));
    }
  }
  return usage_error(fmt::format("'{}' is no condition: COLUMN=VALUE, or !=, <, <=, >, >= instead of =", text));
}

std::string to_string(const Condition& condition) {
  const auto* found = std::find_if(std::begin(kTests), std::end(kTests), [&](const auto& one) { return one.second == condition.test; });
  return condition.column + std::string(found->first) + condition.value;
}

Result<Source> keep_where(Source source, const std::vector<Condition>& conditions) {
  if (conditions.empty()) return source;
  std::string what;
  for (const auto& condition : conditions) {
    MAEIL_TRY(check_column(source, condition.column));
    what += (what.empty() ? "" : " and ") + to_string(condition);
  }
  Table first;
  MAEIL_TRY(source.draw(Days{}, 0, kSourceRows, 0, first));
  for (const auto& condition : conditions) {
    const bool text = first.find(condition.column)->type == ColumnType::kText;
    if (text && condition.test != Test::kEqual && condition.test != Test::kNotEqual) {
      return usage_error(fmt::format("{}: '{}' is text, which has no order", to_string(condition), condition.column));
    }
    if (!text && !condition.value.empty() && !parse_number(condition.value)) {
      return usage_error(fmt::format("{}: '{}' holds numbers", to_string(condition), condition.column));
    }
  }
  const Keep keep = [conditions](const Table& rows, uint64_t, uint64_t, std::vector<uint8_t>& kept) {
    for (const auto& condition : conditions) apply(condition, *rows.find(condition.column), kept);
  };
  uint64_t good = 0;
  std::vector<uint8_t> kept;
  MAEIL_TRY(probe(source, [&](const Table& rows, uint64_t block) {
    kept.assign(rows.rows, 1);
    keep(rows, block, 0, kept);
    good += static_cast<uint64_t>(std::count(kept.begin(), kept.end(), 1));
  }));
  if (good < kProbeRowsNeeded) {
    return usage_error(fmt::format("{} of {} rows from {} have {}: too few to draw from (one in {} is needed)", good == 0 ? "none" : fmt::format("only {}", good),
                                   kProbeRows, source.description, what, kProbeRows / kProbeRowsNeeded));
  }
  return filter(std::move(source), what, keep);
}

Result<Source> with_rate(Source source, const std::string& column, const std::string& value, double share) {
  MAEIL_TRY(check_column(source, column));
  if (!(share > 0 && share < 1)) return usage_error(fmt::format("the share of {}={} must lie between 0 and 1", column, value));
  const Condition condition{column, Test::kEqual, value};
  uint64_t good = 0;
  bool text = true;
  std::vector<uint8_t> kept;
  MAEIL_TRY(probe(source, [&](const Table& rows, uint64_t) {
    const Column& values = *rows.find(column);
    text = values.type == ColumnType::kText;
    kept.assign(rows.rows, 1);
    if (text) apply(condition, values, kept);
    good += static_cast<uint64_t>(std::count(kept.begin(), kept.end(), 1));
  }));
  if (!text) return usage_error(fmt::format("a rate needs a text column, and '{}' holds numbers", column));
  if (good < kProbeRowsNeeded || good > kProbeRows - kProbeRowsNeeded) {
    return usage_error(fmt::format("{} of {} rows from {} have {}={}: its share cannot be changed", good, kProbeRows, source.description, column, value));
  }
  const double now = static_cast<double>(good) / static_cast<double>(kProbeRows), odds = share * (1 - now) / (now * (1 - share));
  if (std::min(now / share, (1 - now) / (1 - share)) < static_cast<double>(kProbeRowsNeeded) / static_cast<double>(kProbeRows)) {
    return usage_error(fmt::format("{}={} has {:.2g} of the rows: too few to become {}", column, value, now, share));
  }
  const double keep_value = std::min(1.0, odds), keep_other = std::min(1.0, 1 / odds);
  const Keep keep = [condition, keep_value, keep_other](const Table& rows, uint64_t block, uint64_t seed, std::vector<uint8_t>& out) {
    apply(condition, *rows.find(condition.column), out);
    RandomSequence random(hash64("rate " + to_string(condition), seed), RandomStream::kShift, block);
    for (auto& one : out) one = random.next_uniform() < (one ? keep_value : keep_other);
  };
  return filter(std::move(source), fmt::format("{}={} at {}", column, value, share), keep);
}

}  // namespace maeil::loop
