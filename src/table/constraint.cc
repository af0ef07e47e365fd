#include "table/constraint.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <unordered_map>
#include <utility>

#include "base/time.h"

namespace maeil::table {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

Result<std::vector<size_t>> find_columns(const Constraint& constraint, const Table& rows) {
  std::vector<size_t> out;
  for (size_t k = 0; k < constraint.columns.size(); ++k) {
    const Column* column = rows.find(constraint.columns[k]);
    if (!column) return bad_input(fmt::format("a constraint names '{}', which is no column", constraint.columns[k]));
    const bool any_type = k == 0 && constraint.kind != Constraint::Kind::kSum;
    const bool text = constraint.kind == Constraint::Kind::kOnlyWhen || (constraint.kind == Constraint::Kind::kOrder && rows.find(constraint.columns[0])->type == ColumnType::kText);
    if (!any_type && (column->type == ColumnType::kText) != text) {
      return bad_input(fmt::format("a constraint needs '{}' to be a column of {}", constraint.columns[k], text ? "text" : "numbers"));
    }
    out.push_back(static_cast<size_t>(column - rows.columns.data()));
  }
  return out;
}

// The sum without the noise of adding decimals in binary: 15 significant digits hold every sum of rounded values.
double tidy_sum(double sum) {
  if (sum == 0 || !std::isfinite(sum)) return sum;
  const int places = 14 - static_cast<int>(std::floor(std::log10(std::abs(sum))));
  if (places > 300 || places < 0) return sum;
  const double power = std::pow(10.0, std::min(places, 12));
  const double rounded = std::nearbyint(sum * power) / power;
  return std::isfinite(rounded) ? rounded : sum;
}

double sum_of_parts(const Table& rows, const std::vector<size_t>& at, size_t row) {
  double sum = 0;
  for (size_t k = 1; k < at.size(); ++k) sum += rows.columns[at[k]].numbers[row];
  return tidy_sum(sum);
}

// What a column's values are ordered by: numbers, or the day of a text that is a date; NaN where there is neither. Days are kept by label.
class OrderedValues {
 public:
  explicit OrderedValues(const Column& column) : column_(column) {}
  double operator()(size_t row) {
    if (column_.type == ColumnType::kNumber) return column_.numbers[row];
    const uint32_t code = column_.codes[row];
    if (code == kMissing) return kNaN;
    if (days_.size() < column_.dictionary.size()) days_.resize(column_.dictionary.size());
    if (!days_[code]) days_[code] = day_of(column_.dictionary[code]);
    return *days_[code];
  }

 private:
  static double day_of(const std::string& text) {
    const auto day = parse_day_month_year(text);
    const auto date = day ? Result<Days>(*day) : parse_date(text);
    return date ? static_cast<double>(date->time_since_epoch().count()) : kNaN;
  }

  const Column& column_;
  std::vector<std::optional<double>> days_;
};

// Writes texts into a column, new ones behind its labels.
class TextWriter {
 public:
  explicit TextWriter(Column& column) : column_(column) {}
  void put(size_t row, const std::string& text) {
    for (; indexed_ < column_.dictionary.size(); ++indexed_) known_.emplace(column_.dictionary[indexed_], static_cast<uint32_t>(indexed_));
    const auto [found, fresh] = known_.emplace(text, static_cast<uint32_t>(column_.dictionary.size()));
    if (fresh) column_.dictionary.push_back(text);
    column_.codes[row] = found->second;
  }

 private:
  Column& column_;
  size_t indexed_ = 0;
  std::unordered_map<std::string, uint32_t> known_;
};

void put_in_order(Column& first, Column& second, size_t rows) {
  OrderedValues low(first), high(second);
  TextWriter into_first(first), into_second(second);
  for (size_t i = 0; i < rows; ++i) {
    if (!(low(i) > high(i))) continue;
    if (first.type == ColumnType::kNumber) {
      std::swap(first.numbers[i], second.numbers[i]);
    } else {
      const std::string earlier = second.dictionary[second.codes[i]], later = first.dictionary[first.codes[i]];
      into_first.put(i, earlier);
      into_second.put(i, later);
    }
  }
}

// The code of `text`, or kMissing - 1 when no row can have it.
uint32_t code_of(const Column& column, const std::string& text) {
  const auto found = std::find(column.dictionary.begin(), column.dictionary.end(), text);
  return found == column.dictionary.end() ? kMissing - 1 : static_cast<uint32_t>(found - column.dictionary.begin());
}

}  // namespace

std::string_view to_string(Constraint::Kind kind) {
  return kind == Constraint::Kind::kOrder ? "order" : kind == Constraint::Kind::kSum ? "sum" : "only_when";
}

std::optional<Constraint::Kind> parse_constraint_kind(std::string_view text) {
  for (const auto kind : {Constraint::Kind::kOrder, Constraint::Kind::kSum, Constraint::Kind::kOnlyWhen}) {
    if (to_string(kind) == text) return kind;
  }
  return std::nullopt;
}

std::string check_constraints(const std::vector<Constraint>& constraints) {
  std::set<std::string> used;
  for (const auto& constraint : constraints) {
    const bool sum = constraint.kind == Constraint::Kind::kSum;
    if (sum ? constraint.columns.size() < 3 : constraint.columns.size() != 2) {
      return fmt::format("a constraint of kind {} needs {} columns", to_string(constraint.kind), sum ? "3 or more" : "2");
    }
    if (std::set<std::string>(constraint.columns.begin(), constraint.columns.end()).size() != constraint.columns.size()) {
      return fmt::format("a constraint of kind {} names a column twice", to_string(constraint.kind));
    }
    const size_t written = constraint.kind == Constraint::Kind::kOrder ? 2 : 1;
    for (size_t k = 0; k < written; ++k) {
      if (used.contains(constraint.columns[k])) {
        return fmt::format("a constraint of kind {} writes '{}', which an earlier constraint uses: put it first", to_string(constraint.kind), constraint.columns[k]);
      }
    }
    used.insert(constraint.columns.begin(), constraint.columns.end());
  }
  return "";
}

Status apply_constraints(const std::vector<Constraint>& constraints, Table& rows) {
  for (const auto& constraint : constraints) {
    MAEIL_ASSIGN(const auto at, find_columns(constraint, rows));
    Column& first = rows.columns[at[0]];
    Column& second = rows.columns[at[1]];
    if (constraint.kind == Constraint::Kind::kOrder) {
      put_in_order(first, second, rows.rows);
    } else if (constraint.kind == Constraint::Kind::kSum) {
      for (size_t i = 0; i < rows.rows; ++i) first.numbers[i] = sum_of_parts(rows, at, i);
    } else {
      const uint32_t code = code_of(second, constraint.equals);
      for (size_t i = 0; i < rows.rows; ++i) {
        if (second.codes[i] == code) continue;
        if (first.type == ColumnType::kText) first.codes[i] = kMissing;
        else first.numbers[i] = kNaN;
      }
    }
  }
  return {};
}

Result<size_t> count_broken(const Constraint& constraint, const Table& rows) {
  MAEIL_ASSIGN(const auto at, find_columns(constraint, rows));
  const Column& first = rows.columns[at[0]];
  const Column& second = rows.columns[at[1]];
  const uint32_t code = constraint.kind == Constraint::Kind::kOnlyWhen ? code_of(second, constraint.equals) : 0;
  OrderedValues low(first), high(second);
  size_t broken = 0;
  for (size_t i = 0; i < rows.rows; ++i) {
    switch (constraint.kind) {
      case Constraint::Kind::kOrder: broken += low(i) > high(i); break;
      case Constraint::Kind::kSum: {
        const double total = first.numbers[i], sum = sum_of_parts(rows, at, i);
        broken += (total != total) != (sum != sum) || std::abs(total - sum) > 1e-9 * std::max(1.0, std::abs(sum));
        break;
      }
      case Constraint::Kind::kOnlyWhen: broken += !first.is_missing(i) && second.codes[i] != code; break;
    }
  }
  return broken;
}

}  // namespace maeil::table
