// Sums of columns, in whole units of the finest decimal that a row's terms have, so that a sum holds to the
// last digit.
//
// The total becomes the nearest number to the sum of its parts that it can be: one with its digits, between
// its ends, and one that the parts can reach. Mostly that is the sum itself. Else the difference is given to
// the parts, in proportion to their size (a part that is 0 stays 0, shares of 100 keep their ratios), cut to
// each part's digits and ends; what the cutting leaves over goes to the largest that can take it. All parts
// then move one way, so that orders between them stay.
//
// Data of which one row keeps the sum have such a total. Where they do not, or decimals and ends fit badly,
// ends give way: first the parts', then the total's.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <set>

#include "table/constraint_plan.h"

namespace maeil::table {
namespace {

// just below 2^53: doubles hold every whole number up to here
constexpr int64_t kEndless = 9'000'000'000'000'000;
constexpr int kMostDecimals = 22;  // 10^22 is the last power of ten that is a double

int64_t floor_to(int64_t x, int64_t step) { return x - ((x % step) + step) % step; }
int64_t ceil_to(int64_t x, int64_t step) { return -floor_to(-x, step); }
// Sums of many ends stay far from overflow.
int64_t add(int64_t a, int64_t b) { return std::clamp(a + b, -100 * kEndless, 100 * kEndless); }

// A column of one row, in units.
struct Term {
  int64_t value = 0, step = 1;               // it moves by multiples of step
  int64_t low = -kEndless, high = kEndless;  // multiples of step, if its value is one

  int64_t room(bool up) const {
    return std::max<int64_t>(0, floor_to(up ? high - value : value - low, step));
  }
  void move(bool up, int64_t by) { value += up ? by : -by; }
};

// Gives the difference to the parts; false when they cannot take it.
bool distribute(int64_t difference, std::vector<Term>& parts) {
  const bool up = difference > 0;
  int64_t left = std::abs(difference);
  double size = 0;
  for (const Term& part : parts) size += static_cast<double>(std::abs(part.value)) * (part.room(up) > 0);
  std::vector<size_t> largest_first(parts.size());
  std::iota(largest_first.begin(), largest_first.end(), size_t{0});
  std::stable_sort(largest_first.begin(), largest_first.end(),
                   [&](size_t a, size_t b) { return std::abs(parts[a].value) > std::abs(parts[b].value); });
  for (const size_t k : largest_first) {
    if (size <= 0 || parts[k].room(up) == 0) continue;
    const double share =
        static_cast<double>(std::abs(difference)) * (static_cast<double>(std::abs(parts[k].value)) / size);
    const int64_t by = std::min({floor_to(static_cast<int64_t>(share), parts[k].step), parts[k].room(up),
                                 floor_to(left, parts[k].step)});
    parts[k].move(up, by);
    left -= by;
  }
  for (const size_t k : largest_first) {
    const int64_t by = std::min(floor_to(left, parts[k].step), parts[k].room(up));
    parts[k].move(up, by);
    left -= by;
  }
  return left == 0;
}

// Which ends count.
enum class Ends { kAll, kTotals, kNone };

// One sum of a table.
class SumKeeper {
 public:
  // `frozen`: columns that earlier sums use.
  SumKeeper(const SumPlan& plan, const OrderPlan& orders, const std::vector<ValueRange>& ranges,
            const std::set<size_t>& frozen, Table& rows)
      : plan_(plan),
        ranges_(ranges),
        frozen_(frozen),
        rows_(rows),
        before_(rows.columns.size()),
        after_(rows.columns.size()) {
    for (const Edge& edge : orders.edges) {
      const size_t low = orders.columns[edge.before], high = orders.columns[edge.after];
      if (rows.columns[low].type != ColumnType::kNumber) continue;
      before_[high].push_back(low);
      after_[low].push_back(high);
    }
    const auto finest = [&](size_t c) {
      return std::min(ranges[c].digits.value_or(kMostDecimals), kMostDecimals);
    };
    for (const size_t c : plan.parts) digits_ = std::max(digits_, finest(c));
    if (plan.total)
      digits_ = std::max(digits_, finest(*plan.total));
    else
      digits_ = std::max(digits_, kMostDecimals);
  }

  void keep(size_t row) {
    if (!is_there(row)) return;
    choose_units(row);
    for (const Ends ends : {Ends::kAll, Ends::kTotals, Ends::kNone}) {
      if (keep_sum(row, ends)) return;
    }
    // Every part belongs to other sums, or orders forbid it: the total alone can be right.
    if (plan_.total && !frozen_.contains(*plan_.total)) {
      int64_t sum = 0;
      for (const size_t c : plan_.parts) sum += units(rows_.columns[c].numbers[row]);
      rows_.columns[*plan_.total].numbers[row] = number(sum);
    }
  }

 private:
  bool is_there(size_t row) const {
    const auto there = [&](size_t c) { return !rows_.columns[c].is_missing(row); };
    return std::all_of(plan_.parts.begin(), plan_.parts.end(), there) &&
           (!plan_.total || there(*plan_.total));
  }

  // As many decimals as the finest column has, but so few that all that is added stays below kEndless units.
  void choose_units(size_t row) {
    double largest = std::abs(plan_.fixed);
    for (const size_t c : plan_.parts) largest += std::abs(rows_.columns[c].numbers[row]);
    if (plan_.total)
      largest += std::max(std::abs(ranges_[*plan_.total].min.value_or(0)),
                          std::abs(ranges_[*plan_.total].max.value_or(0)));
    unit_digits_ = digits_;
    if (largest > 0)
      unit_digits_ = std::min(
          unit_digits_, static_cast<int>(std::floor(std::log10(static_cast<double>(kEndless) / largest))));
    power_ = std::pow(10.0, std::abs(unit_digits_));
  }
  double scaled(double x) const {
    return std::clamp(unit_digits_ >= 0 ? x * power_ : x / power_, -static_cast<double>(kEndless),
                      static_cast<double>(kEndless));
  }
  int64_t units(double x) const { return std::llround(scaled(x)); }
  double number(int64_t x) const {
    return unit_digits_ >= 0 ? static_cast<double>(x) / power_ : static_cast<double>(x) * power_;
  }
  // The outermost whole number of units that is not above (below) x.
  int64_t units_below(double x) const { return number(units(x)) <= x ? units(x) : units(x) - 1; }
  int64_t units_above(double x) const { return number(units(x)) >= x ? units(x) : units(x) + 1; }

  bool is_own(size_t c) const {
    return c == plan_.total || std::find(plan_.parts.begin(), plan_.parts.end(), c) != plan_.parts.end();
  }

  // A column with the ends that its own range (if `ranged`) and the columns that it is ordered with leave it.
  // The sum's other kind of terms (parts for the total, the total for a part) are left out: they move with
  // it.
  Term term(size_t row, size_t c, bool ranged) const {
    Term out;
    out.value = units(rows_.columns[c].numbers[row]);
    if (frozen_.contains(c)) {
      out.low = out.high = out.value;
      return out;
    }
    const int coarser = unit_digits_ - ranges_[c].digits.value_or(unit_digits_);
    if (coarser > 0) out.step = static_cast<int64_t>(std::pow(10.0, std::min(coarser, 18)));
    if (ranged && ranges_[c].min) out.low = std::max(out.low, units_above(*ranges_[c].min));
    if (ranged && ranges_[c].max) out.high = std::min(out.high, units_below(*ranges_[c].max));
    const bool total = c == plan_.total;
    const auto counts = [&](size_t other) {
      return !rows_.columns[other].is_missing(row) && (total ? !is_own(other) : other != plan_.total);
    };
    for (const size_t other : before_[c]) {
      if (counts(other)) out.low = std::max(out.low, units_above(rows_.columns[other].numbers[row]));
    }
    for (const size_t other : after_[c]) {
      if (counts(other)) out.high = std::min(out.high, units_below(rows_.columns[other].numbers[row]));
    }
    out.low = ceil_to(out.low, out.step);
    out.high = floor_to(out.high, out.step);
    return out;
  }

  Term total_term(size_t row, bool ranged) const {
    if (plan_.total) return term(row, *plan_.total, ranged);
    Term out;
    out.value = out.low = out.high = units(plan_.fixed);
    return out;
  }

  bool keep_sum(size_t row, Ends ends) {
    Term total = total_term(row, ends != Ends::kNone);
    std::vector<Term> parts;
    int64_t sum = 0, low = 0, high = 0;
    for (const size_t c : plan_.parts) {
      parts.push_back(term(row, c, ends == Ends::kAll));
      sum = add(sum, parts.back().value);
      low = add(low, parts.back().low);
      high = add(high, parts.back().high);
    }
    low = ceil_to(std::max(low, total.low), total.step);
    high = floor_to(std::min(high, total.high), total.step);
    if (low > high) return false;
    total.value = std::clamp(floor_to(sum + total.step / 2, total.step), low, high);
    int64_t difference = total.value;
    for (size_t k = 0; k < parts.size(); ++k) {
      keep_beside_total(plan_.parts[k], total.value, parts[k]);
      if (parts[k].low > parts[k].high) return false;
      parts[k].value = std::clamp(parts[k].value, parts[k].low, parts[k].high);
      difference -= parts[k].value;
    }
    if (difference != 0 && !distribute(difference, parts)) return false;
    if (plan_.total) put(row, *plan_.total, total.value);
    for (size_t k = 0; k < parts.size(); ++k) put(row, plan_.parts[k], parts[k].value);
    return true;
  }

  void keep_beside_total(size_t c, int64_t total, Term& part) const {
    if (!plan_.total || frozen_.contains(c)) return;
    const auto has = [&](const std::vector<size_t>& others) {
      return std::find(others.begin(), others.end(), *plan_.total) != others.end();
    };
    if (has(before_[c])) part.low = std::max(part.low, ceil_to(total, part.step));
    if (has(after_[c])) part.high = std::min(part.high, floor_to(total, part.step));
  }

  // A value that did not move keeps what lies below the unit.
  void put(size_t row, size_t c, int64_t value) {
    double& x = rows_.columns[c].numbers[row];
    if (value != units(x)) x = number(value);
  }

  const SumPlan& plan_;
  const std::vector<ValueRange>& ranges_;
  const std::set<size_t>& frozen_;
  Table& rows_;
  std::vector<std::vector<size_t>> before_, after_;  // by column: those that it may not be below, above
  int digits_ = -kMostDecimals, unit_digits_ = 0;
  double power_ = 1;
};

}  // namespace

void keep_sums(const std::vector<SumPlan>& sums, const OrderPlan& orders,
               const std::vector<ValueRange>& ranges, Table& rows) {
  std::set<size_t> frozen;
  for (const auto& sum : sums) {
    SumKeeper keeper(sum, orders, ranges, frozen, rows);
    for (size_t i = 0; i < rows.rows; ++i) keeper.keep(i);
    frozen.insert(sum.parts.begin(), sum.parts.end());
    if (sum.total) frozen.insert(*sum.total);
  }
}

}  // namespace maeil::table
