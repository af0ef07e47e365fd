#include "loop/row_filter.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>
#include <unordered_map>

#include "base/hash.h"
#include "base/philox.h"
#include "table/dates.h"
#include "table/field_values.h"

namespace maeil::loop {
namespace {

using Test = Condition::Test;
constexpr std::pair<std::string_view, Test> kTests[] = {
    {"!=", Test::kNotEqual}, {"<=", Test::kLessOrEqual}, {">=", Test::kGreaterOrEqual},
    {"=", Test::kEqual},     {"<", Test::kLess},         {">", Test::kGreater}};

// Sets keep[i] of a block of candidates; `seed` is the one they were drawn under.
using Keep =
    std::function<void(const Table& rows, uint64_t block, uint64_t seed, std::vector<uint8_t>& keep)>;

// Days since 1970 of a text that is a date.
std::optional<double> parse_days(const std::string& text) {
  const auto day = table::read_day(text);
  return day ? std::optional(static_cast<double>(day->time_since_epoch().count())) : std::nullopt;
}

bool is_order(Test test) { return test != Test::kEqual && test != Test::kNotEqual; }

bool holds(Test test, double left, double right) {
  switch (test) {
    case Test::kEqual:
      return left == right;
    case Test::kNotEqual:
      return left != right;
    case Test::kLess:
      return left < right;
    case Test::kLessOrEqual:
      return left <= right;
    case Test::kGreater:
      return left > right;
    case Test::kGreaterOrEqual:
      return left >= right;
  }
  return false;
}

// The condition on a text column's values, each label looked at once.
void apply_to_text(const Condition& condition, const Column& column, std::vector<uint8_t>& keep) {
  constexpr uint8_t kUnknown = 2;
  std::vector<uint8_t> good(column.dictionary.size(), kUnknown);
  const uint8_t missing = meets(condition, "");
  for (size_t i = 0; i < keep.size(); ++i) {
    const uint32_t code = column.codes[i];
    if (code != kMissing && good[code] == kUnknown) good[code] = meets(condition, column.dictionary[code]);
    keep[i] &= code == kMissing ? missing : good[code];
  }
}

void apply(const Condition& condition, const Column& column, std::vector<uint8_t>& keep) {
  if (column.type == ColumnType::kText) {
    apply_to_text(condition, column, keep);
  } else if (condition.value.empty()) {
    for (size_t i = 0; i < keep.size(); ++i)
      keep[i] &= column.is_missing(i) == (condition.test == Test::kEqual);
  } else {
    const double value = *table::read_number(condition.value);
    for (size_t i = 0; i < keep.size(); ++i) keep[i] &= holds(condition.test, column.numbers[i], value);
  }
}

// Numbers the values of the column whose shares are to be kept, from 0; without one every row is of the same
// kind.
class Strata {
 public:
  explicit Strata(std::string column) : column_(std::move(column)) {}

  // The stratum of each row; the vector is used again.
  const std::vector<uint32_t>& of(const Table& rows) {
    rows_.assign(rows.rows, 0);
    const Column* column = column_.empty() ? nullptr : rows.find(column_);
    for (size_t i = 0; column && i < rows.rows; ++i) {
      const auto [found, fresh] =
          known_.try_emplace(column->is_missing(i) ? std::string() : std::string(column->text(i)),
                             static_cast<uint32_t>(known_.size()));
      rows_[i] = found->second;
    }
    return rows_;
  }

  // "" or " with Y=N", for messages.
  std::string name(uint32_t stratum) const {
    const auto found =
        std::find_if(known_.begin(), known_.end(), [&](const auto& one) { return one.second == stratum; });
    return found == known_.end() ? "" : fmt::format(" with {}={}", column_, found->first);
  }

 private:
  std::string column_;
  std::unordered_map<std::string, uint32_t> known_;
  std::vector<uint32_t> rows_;
};

// The rows of a block that are still to be found: those of a stratum in their order.
class Slots {
 public:
  explicit Slots(const std::vector<uint32_t>& strata) {
    for (size_t row = 0; row < strata.size(); ++row) {
      if (strata[row] >= rows_.size()) rows_.resize(strata[row] + 1);
      rows_[strata[row]].push_back(static_cast<uint32_t>(row));
    }
    next_.resize(rows_.size());
  }
  // The row of the block that a candidate becomes, if one of its stratum is still missing.
  std::optional<uint32_t> take(uint32_t stratum) {
    if (stratum >= rows_.size() || next_[stratum] == rows_[stratum].size()) return std::nullopt;
    return rows_[stratum][next_[stratum]++];
  }

 private:
  std::vector<std::vector<uint32_t>> rows_;
  std::vector<size_t> next_;
};

// Copies rows of one table to places of another with the same columns, whose texts are joined.
class RowCopier {
 public:
  struct Move {
    uint32_t from, to;
  };
  explicit RowCopier(size_t columns) : known_(columns) {}

  void copy(const Table& from, const std::vector<Move>& moves, Table& to) {
    for (size_t c = 0; c < from.columns.size(); ++c) {
      const Column& source = from.columns[c];
      Column& out = to.columns[c];
      for (const auto& move : moves) {
        if (source.type == ColumnType::kNumber)
          out.numbers[move.to] = source.numbers[move.from];
        else
          out.codes[move.to] = source.codes[move.from] == kMissing
                                   ? kMissing
                                   : code_of(c, source.dictionary[source.codes[move.from]], out);
      }
    }
  }

 private:
  uint32_t code_of(size_t column, const std::string& text, Column& out) {
    const auto [found, fresh] = known_[column].emplace(text, static_cast<uint32_t>(out.dictionary.size()));
    if (fresh) out.dictionary.push_back(text);
    return found->second;
  }
  std::vector<std::unordered_map<std::string, uint32_t>> known_;
};

Table empty_like(const Table& table, uint64_t rows) {
  Table out;
  out.rows = rows;
  for (const auto& column : table.columns) {
    out.columns.push_back({column.name, column.type, {}, {}, {}});
    if (column.type == ColumnType::kText)
      out.columns.back().codes.resize(rows);
    else
      out.columns.back().numbers.resize(rows);
  }
  return out;
}

Source filter(Source source, std::string what, Keep keep) {
  const auto inner = std::make_shared<const Source>(source);
  source.draw = [inner, what = std::move(what), keep = std::move(keep)](
                    Days date, uint64_t first_row, uint64_t rows, uint64_t seed, Table& out) -> Status {
    const uint64_t block = first_row / kSourceRows, first = first_row % kSourceRows, last = first + rows;
    Table candidates;
    std::vector<uint8_t> kept;
    std::vector<RowCopier::Move> moves;
    Strata strata(inner->shares_of);
    std::optional<Slots> slots;
    RowCopier copier(inner->names.size());
    uint64_t found = 0;
    for (uint64_t attempt = 0; attempt < kMostTries; ++attempt) {
      const uint64_t own_seed = attempt == 0 ? seed : hash64(fmt::format("try {}", attempt), seed);
      MAEIL_TRY(inner->draw(date, block * kSourceRows, kSourceRows, own_seed, candidates));
      kept.assign(candidates.rows, 1);
      keep(candidates, block, own_seed, kept);
      const auto& stratum = strata.of(candidates);
      if (attempt == 0) {
        slots.emplace(stratum);
        out = empty_like(candidates, rows);
      }
      moves.clear();
      for (uint32_t i = 0; i < candidates.rows && found + moves.size() < rows; ++i) {
        const auto slot = kept[i] ? slots->take(stratum[i]) : std::nullopt;
        if (slot && *slot >= first && *slot < last)
          moves.push_back({i, static_cast<uint32_t>(*slot - first)});
      }
      copier.copy(candidates, moves, out);
      found += moves.size();
      if (found == rows) return {};
    }
    return usage_error(
        fmt::format("{} rows were drawn and only {} of {} have {}: ask for something less rare",
                    kMostTries * kSourceRows, found, rows, what));
  };
  return source;
}

// Of the rows looked at, how many there were of a stratum and how many of them were kept.
struct Counts {
  uint64_t rows = 0, good = 0;
  double share() const { return static_cast<double>(good) / static_cast<double>(rows); }
  bool enough() const { return good * (kProbeRows / kProbeRowsNeeded) >= rows && good > 0; }
};

// By stratum, from kProbeRows rows, and more while `more` says so.
Result<std::vector<Counts>> probe(
    const Source& source, Strata& strata,
    const std::function<void(const Table& rows, std::vector<uint8_t>& keep)>& keep,
    const std::function<bool(const Counts&)>& more) {
  std::vector<Counts> out;
  Table rows;
  std::vector<uint8_t> kept;
  for (uint64_t first = 0;
       first < kProbeRows || (first < kMostProbeRows && std::any_of(out.begin(), out.end(), more));
       first += kSourceRows) {
    MAEIL_TRY(source.draw(Days{}, first, kSourceRows, 0, rows));
    kept.assign(rows.rows, 1);
    keep(rows, kept);
    const auto& stratum = strata.of(rows);
    for (size_t i = 0; i < rows.rows; ++i) {
      if (stratum[i] >= out.size()) out.resize(stratum[i] + 1);
      ++out[stratum[i]].rows;
      out[stratum[i]].good += kept[i];
    }
  }
  return out;
}

Status check_column(const Source& source, const std::string& column) {
  if (std::find(source.names.begin(), source.names.end(), column) != source.names.end()) return {};
  return usage_error(fmt::format("{} has no column '{}'", source.description, column));
}

// Whether the condition can be asked of the column, seen from its first rows; so may two conditions of one
// column.
Status check_type(const Condition& condition, const Column& column) {
  if (column.type == ColumnType::kNumber) {
    if (condition.value.empty() || table::read_number(condition.value)) return {};
    return usage_error(fmt::format("{}: '{}' holds numbers", to_string(condition), condition.column));
  }
  if (!is_order(condition.test)) return {};
  const bool dates = std::any_of(column.dictionary.begin(), column.dictionary.end(),
                                 [](const auto& text) { return parse_days(text).has_value(); });
  if (!dates)
    return usage_error(
        fmt::format("{}: '{}' is text, which has no order", to_string(condition), condition.column));
  if (!parse_days(condition.value))
    return usage_error(fmt::format("{}: '{}' holds dates, as 2024-05-31 or 31MAY2024; {}{}",
                                   to_string(condition), condition.column, condition.value,
                                   table::why_no_date(condition.value, {})));
  return {};
}

bool same_value(const Condition& a, const Condition& b) {
  const auto x = table::read_number(a.value), y = table::read_number(b.value);
  return meets({a.column, Test::kEqual, a.value}, b.value) || (x && y && *x == *y);
}

// Two conditions that no row can meet both, whatever the source: two values of a column, or a value and all
// but it.
Status check_agreement(const std::vector<Condition>& conditions) {
  for (const auto& a : conditions) {
    if (a.test != Test::kEqual) continue;
    for (const auto& b : conditions) {
      if (a.column != b.column || is_order(b.test) || same_value(a, b) == (b.test == Test::kEqual)) continue;
      return usage_error(fmt::format("{} and {} contradict each other", to_string(a), to_string(b)));
    }
  }
  return {};
}

// The share of the value among the rows kept when the odds of keeping a row with it are multiplied by `odds`.
double share_at(double odds, const std::vector<Counts>& strata) {
  double with_value = 0, rows = 0;
  for (const auto& one : strata) {
    if (one.rows == 0) continue;
    const double p = one.share();
    with_value += static_cast<double>(one.rows) * p * odds / (p * odds + 1 - p);
    rows += static_cast<double>(one.rows);
  }
  return with_value / rows;
}

// The odds that bring the value to `share`; the share grows with them, so that halving finds them. 1e6 either
// way is beyond what rejection can do.
double odds_for(double share, const std::vector<Counts>& strata) {
  double low = std::log(1e-6), high = std::log(1e6);
  for (int step = 0; step < 64; ++step) {
    const double middle = (low + high) / 2;
    (share_at(std::exp(middle), strata) < share ? low : high) = middle;
  }
  return std::exp((low + high) / 2);
}

}  // namespace

bool meets(const Condition& condition, const std::string& text) {
  // A missing value is no date, so that it meets only what is asked of missing ones.
  const auto day = parse_days(condition.value), own = day ? parse_days(text) : std::nullopt;
  if (own) return holds(condition.test, *own, *day);
  return condition.test == Test::kNotEqual ? text != condition.value
                                           : condition.test == Test::kEqual && text == condition.value;
}

Result<Condition> parse_condition(std::string_view text) {
  const size_t at = text.find_first_of("!<>=");
  if (at != std::string_view::npos && at > 0) {
    for (const auto& [sign, test] : kTests) {
      if (!text.substr(at).starts_with(sign)) continue;
      Condition out{std::string(text.substr(0, at)), test, std::string(text.substr(at + sign.size()))};
      if (!is_order(test) || table::read_number(out.value) || parse_days(out.value)) return out;
      return usage_error(fmt::format("the condition '{}' needs a number or a date behind {}", text, sign));
    }
  }
  return usage_error(
      fmt::format("'{}' is no condition: COLUMN=VALUE, or !=, <, <=, >, >= instead of =", text));
}

std::string to_string(const Condition& condition) {
  const auto* found = std::find_if(std::begin(kTests), std::end(kTests),
                                   [&](const auto& one) { return one.second == condition.test; });
  return condition.column + std::string(found->first) + condition.value;
}

std::string to_string(const std::vector<Condition>& conditions) {
  std::string out;
  for (const auto& condition : conditions) out += (out.empty() ? "" : " and ") + to_string(condition);
  return out;
}

Result<Source> keep_where(Source source, const std::vector<Condition>& conditions) {
  if (conditions.empty()) return source;
  for (const auto& condition : conditions) MAEIL_TRY(check_column(source, condition.column));
  MAEIL_TRY(check_agreement(conditions));
  Table first;
  MAEIL_TRY(source.draw(Days{}, 0, kSourceRows, 0, first));
  for (const auto& condition : conditions) MAEIL_TRY(check_type(condition, *first.find(condition.column)));
  const Keep keep = [conditions](const Table& rows, uint64_t, uint64_t, std::vector<uint8_t>& kept) {
    for (const auto& condition : conditions) apply(condition, *rows.find(condition.column), kept);
  };
  const std::string what = to_string(conditions);
  Strata strata(source.shares_of);
  MAEIL_ASSIGN(
      const auto counts,
      probe(
          source, strata, [&](const Table& rows, std::vector<uint8_t>& kept) { keep(rows, 0, 0, kept); },
          [](const Counts& one) { return one.rows < kProbeRows / 2 && !one.enough(); }));
  for (uint32_t k = 0; k < counts.size(); ++k) {
    const auto& [rows, good] = counts[k];
    if (counts[k].enough() || rows == 0) continue;
    return usage_error(
        fmt::format("{} of {} rows{} from {} have {}: too few to draw from (one in {} is needed)",
                    good == 0 ? "none" : fmt::format("only {}", good), rows, strata.name(k),
                    source.description, what, kProbeRows / kProbeRowsNeeded));
  }
  return filter(std::move(source), what, keep);
}

Result<Source> with_rate(Source source, const std::string& column, const std::string& value, double share) {
  MAEIL_TRY(check_column(source, column));
  if (!(share > 0 && share < 1))
    return usage_error(fmt::format("the share of {}={} must lie between 0 and 1", column, value));
  const Condition condition{column, Test::kEqual, value};
  bool text = true;
  Strata strata(source.shares_of);
  MAEIL_ASSIGN(const auto counts, probe(
                                      source, strata,
                                      [&](const Table& rows, std::vector<uint8_t>& kept) {
                                        const Column& values = *rows.find(column);
                                        text = values.type == ColumnType::kText;
                                        if (text) apply(condition, values, kept);
                                      },
                                      [](const Counts&) { return false; }));
  if (!text) return usage_error(fmt::format("a rate needs a text column, and '{}' holds numbers", column));
  Counts all;
  for (const auto& one : counts) all = {all.rows + one.rows, all.good + one.good};
  if (all.good < kProbeRowsNeeded || all.good > kProbeRows - kProbeRowsNeeded) {
    return usage_error(fmt::format("{} of {} rows from {} have {}={}: its share cannot be changed", all.good,
                                   kProbeRows, source.description, column, value));
  }
  const double odds = odds_for(share, counts), keep_value = std::min(1.0, odds),
               keep_other = std::min(1.0, 1 / odds);
  double least = 1;  // of the rows that a stratum keeps
  for (const auto& one : counts) {
    if (one.rows > 0) least = std::min(least, one.share() * keep_value + (1 - one.share()) * keep_other);
  }
  // Where a value's share is kept, it may leave no room: all rows of a class have the value, or none.
  if (std::abs(share_at(odds, counts) - share) > 1e-6 ||
      least * static_cast<double>(kProbeRows) < static_cast<double>(kProbeRowsNeeded)) {
    return usage_error(fmt::format(
        "{}={} has {:.2g} of the rows: too {} to become {}{}", column, value, all.share(),
        all.share() < share ? "few" : "many", share,
        source.shares_of.empty() ? "" : fmt::format(" while {} keeps its shares", source.shares_of)));
  }
  const Keep keep = [condition, keep_value, keep_other](const Table& rows, uint64_t block, uint64_t seed,
                                                        std::vector<uint8_t>& out) {
    apply(condition, *rows.find(condition.column), out);
    RandomSequence random(hash64("rate " + to_string(condition), seed), RandomStream::kShift, block);
    for (auto& one : out) one = random.next_uniform() < (one ? keep_value : keep_other);
  };
  return filter(std::move(source), fmt::format("{}={} at {}", column, value, share), keep);
}

}  // namespace maeil::loop
