// The parts that apply_constraints is made of; only for constraint.cc and the files that keep one kind each.
#pragma once

#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "table/constraint.h"
#include "table/table.h"

namespace maeil::table {

struct Edge {
  size_t before = 0, after = 0;
};

// 0 .. n-1 in an order in which every edge goes forward, the smallest of those that could come next first.
// Where edges go round in a circle the result is shorter than n, and `circle` gets the nodes of one.
std::vector<size_t> sort_forward(size_t n, const std::vector<Edge>& edges, std::vector<size_t>& circle);

// What a column's values are ordered by: numbers, or the seconds since 1970 of a text that is a date
// (dates.h); NaN where there is neither. They are kept by label.
class OrderedValues {
 public:
  explicit OrderedValues(const Column& column) : column_(column) {}
  double operator()(size_t row);

 private:
  const Column& column_;
  std::vector<std::optional<double>> times_;
};

// Writes such a value back as the column writes its own: a date like the first one among its labels, new
// labels behind the others.
class OrderedWriter {
 public:
  explicit OrderedWriter(Column& column) : column_(column) {}
  void put(size_t row, double value);

 private:
  void put_text(size_t row, const std::string& text);
  std::string write_date(double seconds) const;

  Column& column_;
  size_t indexed_ = 0;
  std::unordered_map<std::string, uint32_t> known_;
};

// All orders of a table: `columns` are places in the table, sorted so that each edge goes forward; edges are
// places in `columns`.
struct OrderPlan {
  std::vector<size_t> columns;
  std::vector<Edge> edges;
};

// `rounding`, `ranges`: by column of the table.
void keep_orders(const OrderPlan& plan, const std::vector<Rounding>& rounding,
                 const std::vector<ValueRange>& ranges, Table& rows);

struct SumPlan {
  std::optional<size_t> total;  // a column; else `fixed`
  double fixed = 0;
  std::vector<size_t> parts;
};

// One sum after the other, each without moving a column that an earlier one uses, and within the orders.
void keep_sums(const std::vector<SumPlan>& sums, const OrderPlan& orders,
               const std::vector<ValueRange>& ranges, Table& rows);

}  // namespace maeil::table
