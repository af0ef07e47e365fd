#include "table/constraint.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

namespace maeil::table {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

Result<std::vector<size_t>> find_columns(const Constraint& constraint, const Table& rows) {
  std::vector<size_t> out;
  for (size_t k = 0; k < constraint.columns.size(); ++k) {
    const Column* column = rows.find(constraint.columns[k]);
    if (!column) return bad_input(fmt::format("a constraint names '{}', which is no column", constraint.columns[k]));
    const bool any_type = constraint.kind == Constraint::Kind::kOnlyWhen && k == 0;
    const bool text = constraint.kind == Constraint::Kind::kOnlyWhen;
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
      for (size_t i = 0; i < rows.rows; ++i) {
        if (first.numbers[i] > second.numbers[i]) std::swap(first.numbers[i], second.numbers[i]);
      }
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
  size_t broken = 0;
  for (size_t i = 0; i < rows.rows; ++i) {
    switch (constraint.kind) {
      case Constraint::Kind::kOrder: broken += first.numbers[i] > second.numbers[i]; break;
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
