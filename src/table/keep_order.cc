// Orders between columns, all at once. A row that breaks one is sorted along the orders, so that its values
// stay as they were drawn, and then each value is put into the digits of the column that it came into:
// downwards from the highest ends, which says how high each column may go for those above it, then upwards,
// each column no lower than those below it.
#include <algorithm>
#include <cmath>
#include <limits>

#include "table/constraint_plan.h"
#include "table/dates.h"

namespace maeil::table {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// The first of a column's labels that is a date.
std::string_view date_example(const Column& column) {
  const auto found = std::find_if(column.dictionary.begin(), column.dictionary.end(),
                                  [](const auto& text) { return read_date(text).has_value(); });
  return found == column.dictionary.end() ? "2024-05-31" : std::string_view(*found);
}

// One row's values in the plan's columns; NaN where there is none, which no comparison with it is true for.
class OrderedRow {
 public:
  OrderedRow(const OrderPlan& plan, const std::vector<const Rounding*>& rounding,
             const std::vector<const ValueRange*>& ranges)
      : plan_(plan),
        rounding_(rounding),
        ranges_(ranges),
        values_(plan.columns.size()),
        highest_(plan.columns.size()) {}
  double& operator[](size_t k) { return values_[k]; }

  bool is_broken() const {
    return std::any_of(plan_.edges.begin(), plan_.edges.end(),
                       [&](const Edge& edge) { return values_[edge.before] > values_[edge.after]; });
  }

  void put_in_order() {
    sort();
    find_highest();
    std::vector<double> lowest(values_.size(), -kInfinity);
    for (size_t k = 0; k < values_.size(); ++k) {
      if (values_[k] != values_[k]) continue;
      // In this order: a lower end gives way to the columns above, and everything to the columns below.
      const double own = std::max((*rounding_[k])(values_[k]), ranges_[k]->min.value_or(-kInfinity));
      values_[k] = std::max(std::min(own, highest_[k]), rounding_[k]->up(lowest[k]));
      for (const Edge& edge : plan_.edges) {
        if (edge.before == k) lowest[edge.after] = std::max(lowest[edge.after], values_[k]);
      }
    }
  }

 private:
  // Ends: each swap moves a larger value to a later column.
  void sort() {
    for (bool again = true; again;) {
      again = false;
      for (const Edge& edge : plan_.edges) {
        if (!(values_[edge.before] > values_[edge.after])) continue;
        std::swap(values_[edge.before], values_[edge.after]);
        again = true;
      }
    }
  }

  void find_highest() {
    for (size_t k = values_.size(); k-- > 0;) {
      highest_[k] = ranges_[k]->max.value_or(kInfinity);
      for (const Edge& edge : plan_.edges) {
        if (edge.before == k && values_[edge.after] == values_[edge.after])
          highest_[k] = std::min(highest_[k], rounding_[k]->down(highest_[edge.after]));
      }
    }
  }

  const OrderPlan& plan_;
  const std::vector<const Rounding*>& rounding_;
  const std::vector<const ValueRange*>& ranges_;
  std::vector<double> values_, highest_;
};

}  // namespace

double OrderedValues::operator()(size_t row) {
  if (column_.type == ColumnType::kNumber) return column_.numbers[row];
  const uint32_t code = column_.codes[row];
  if (code == kMissing) return kNaN;
  if (times_.size() < column_.dictionary.size()) times_.resize(column_.dictionary.size());
  if (!times_[code]) times_[code] = read_date(column_.dictionary[code]).value_or(kNaN);
  return *times_[code];
}

void OrderedWriter::put(size_t row, double value) {
  if (column_.type == ColumnType::kNumber)
    column_.numbers[row] = value;
  else
    put_text(row, write_date(value));
}

void OrderedWriter::put_text(size_t row, const std::string& text) {
  for (; indexed_ < column_.dictionary.size(); ++indexed_)
    known_.emplace(column_.dictionary[indexed_], static_cast<uint32_t>(indexed_));
  const auto [found, fresh] = known_.emplace(text, static_cast<uint32_t>(column_.dictionary.size()));
  if (fresh) column_.dictionary.push_back(text);
  column_.codes[row] = found->second;
}

std::string OrderedWriter::write_date(double seconds) const {
  return write_date_like(date_example(column_), seconds);
}

void keep_orders(const OrderPlan& plan, const std::vector<Rounding>& rounding,
                 const std::vector<ValueRange>& ranges, Table& rows) {
  std::vector<OrderedValues> values;
  std::vector<OrderedWriter> writers;
  std::vector<Rounding> steps;  // of dates; numbers have theirs in `rounding`
  steps.reserve(plan.columns.size());
  std::vector<const Rounding*> roundings;
  std::vector<const ValueRange*> ends;
  for (const size_t c : plan.columns) {
    values.emplace_back(rows.columns[c]);
    writers.emplace_back(rows.columns[c]);
    const bool dates = rows.columns[c].type == ColumnType::kText;
    if (dates) steps.push_back(Rounding::to_steps(date_step(date_example(rows.columns[c]))));
    roundings.push_back(dates ? &steps.back() : &rounding[c]);
    ends.push_back(&ranges[c]);
  }
  OrderedRow row(plan, roundings, ends);
  for (size_t i = 0; i < rows.rows; ++i) {
    for (size_t k = 0; k < plan.columns.size(); ++k) row[k] = values[k](i);
    if (!row.is_broken()) continue;
    row.put_in_order();
    for (size_t k = 0; k < plan.columns.size(); ++k) {
      if (const double before = values[k](i); before == before && row[k] != before) writers[k].put(i, row[k]);
    }
  }
}

}  // namespace maeil::table
