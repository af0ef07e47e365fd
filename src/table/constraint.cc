// What constraints are, and how rows are made to keep them: first values go that only_when does not allow, so
// that they move no others, then orders, then sums within the orders, and only_when again, since an order may
// have moved a date that it looks at. What goes missing breaks no order and no sum.
#include "table/constraint.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <utility>

#include "table/constraint_plan.h"

namespace maeil::table {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr size_t kMostNamed = 20;  // values that a message lists

using Kind = Constraint::Kind;

std::string name_of(const Constraint& constraint) {
  return fmt::format("{}{}the constraint {}", constraint.place, constraint.place.empty() ? "" : ": ",
                     describe(constraint));
}

// Which type columns[k] must have; nullopt: any.
std::optional<ColumnType> type_needed(const Constraint& constraint, size_t k, const Table& rows) {
  switch (constraint.kind) {
    case Kind::kSum:
      return ColumnType::kNumber;
    case Kind::kOrder:
      return k == 0 ? std::nullopt : std::optional(rows.find(constraint.columns[0])->type);
    case Kind::kOnlyWhen:
      return k == 0 || constraint.equals.empty() ? std::nullopt : std::optional(ColumnType::kText);
  }
  return std::nullopt;
}

Result<std::vector<size_t>> find_columns(const Constraint& constraint, const Table& rows) {
  std::vector<size_t> out;
  for (size_t k = 0; k < constraint.columns.size(); ++k) {
    const Column* column = rows.find(constraint.columns[k]);
    if (!column)
      return bad_input(fmt::format("{}: '{}' is no column", name_of(constraint), constraint.columns[k]));
    const auto type = type_needed(constraint, k, rows);
    if (type && column->type != *type) {
      return bad_input(fmt::format("{}: '{}' must be a column of {}", name_of(constraint),
                                   constraint.columns[k], *type == ColumnType::kText ? "text" : "numbers"));
    }
    out.push_back(static_cast<size_t>(column - rows.columns.data()));
  }
  return out;
}

// The sum without the noise of adding decimals in binary: 15 significant digits hold every sum of rounded
// values.
double tidy_sum(double sum) {
  if (sum == 0 || !std::isfinite(sum)) return sum;
  const int places = 14 - static_cast<int>(std::floor(std::log10(std::abs(sum))));
  if (places > 300 || places < 0) return sum;
  const double power = std::pow(10.0, std::min(places, 12));
  const double rounded = std::nearbyint(sum * power) / power;
  return std::isfinite(rounded) ? rounded : sum;
}

// False where a term is missing.
bool breaks_sum(const Constraint& constraint, const std::vector<size_t>& at, const Table& rows, size_t row) {
  double sum = 0;
  for (size_t k = constraint.total ? 0 : 1; k < at.size(); ++k) sum += rows.columns[at[k]].numbers[row];
  const double total = constraint.total.value_or(rows.columns[at[0]].numbers[row]);
  return std::abs(total - tidy_sum(sum)) > 1e-9 * std::max(1.0, std::abs(sum));
}

// The code of `text`, or kMissing - 1 when no row can have it.
uint32_t code_of(const Column& column, const std::string& text) {
  const auto found = std::find(column.dictionary.begin(), column.dictionary.end(), text);
  return found == column.dictionary.end() ? kMissing - 1
                                          : static_cast<uint32_t>(found - column.dictionary.begin());
}

// Whether only_when lets its first column be there.
class Condition {
 public:
  Condition(const Constraint& constraint, const Column& column)
      : column_(column),
        any_(constraint.equals.empty()),
        code_(any_ ? 0 : code_of(column, constraint.equals)) {}
  bool allows(size_t row) const { return any_ ? !column_.is_missing(row) : column_.codes[row] == code_; }

 private:
  const Column& column_;
  bool any_;
  uint32_t code_;
};

// A text that was emptied may have been another's condition: again until nothing goes.
void keep_conditions(const std::vector<std::pair<const Constraint*, std::vector<size_t>>>& constraints,
                     Table& rows) {
  for (bool again = true; again;) {
    again = false;
    for (const auto& [constraint, at] : constraints) {
      Column& column = rows.columns[at[0]];
      const Condition condition(*constraint, rows.columns[at[1]]);
      for (size_t i = 0; i < rows.rows; ++i) {
        if (column.is_missing(i) || condition.allows(i)) continue;
        if (column.type == ColumnType::kText)
          column.codes[i] = kMissing;
        else
          column.numbers[i] = kNaN;
        again = true;
      }
    }
  }
}

std::vector<const Constraint*> of_kind(const std::vector<Constraint>& constraints, Kind kind) {
  std::vector<const Constraint*> out;
  for (const auto& constraint : constraints) {
    if (constraint.kind == kind) out.push_back(&constraint);
  }
  return out;
}

// The columns of all orders by first mention, and the orders as edges between them.
struct NamedOrders {
  std::vector<std::string> names;
  std::vector<Edge> edges;

  explicit NamedOrders(const std::vector<Constraint>& constraints) {
    for (const Constraint* order : of_kind(constraints, Kind::kOrder))
      edges.push_back({place(order->columns[0]), place(order->columns[1])});
  }

 private:
  size_t place(const std::string& name) {
    const auto found = static_cast<size_t>(std::find(names.begin(), names.end(), name) - names.begin());
    if (found == names.size()) names.push_back(name);
    return found;
  }
};

// A sum comes before those that its total is a part of, so that inner totals are right first.
std::vector<Edge> edges_of_sums(const std::vector<const Constraint*>& sums) {
  std::vector<Edge> edges;
  for (size_t inner = 0; inner < sums.size(); ++inner) {
    if (sums[inner]->total) continue;
    for (size_t outer = 0; outer < sums.size(); ++outer) {
      const auto& columns = sums[outer]->columns;
      const auto parts = columns.begin() + (sums[outer]->total ? 0 : 1);
      if (std::find(parts, columns.end(), sums[inner]->columns[0]) != columns.end())
        edges.push_back({inner, outer});
    }
  }
  return edges;
}

OrderPlan plan_orders(const std::vector<Constraint>& constraints, const Table& rows) {
  const NamedOrders named(constraints);
  std::vector<size_t> circle;
  const auto sorted = sort_forward(named.names.size(), named.edges, circle);
  OrderPlan out;
  std::vector<size_t> place(named.names.size());
  for (const size_t k : sorted) {
    place[k] = out.columns.size();
    out.columns.push_back(static_cast<size_t>(rows.find(named.names[k]) - rows.columns.data()));
  }
  for (const Edge& edge : named.edges) out.edges.push_back({place[edge.before], place[edge.after]});
  return out;
}

std::vector<SumPlan> plan_sums(const std::vector<Constraint>& constraints, const Table& rows) {
  const auto sums = of_kind(constraints, Kind::kSum);
  std::vector<size_t> circle;
  std::vector<SumPlan> out;
  for (const size_t k : sort_forward(sums.size(), edges_of_sums(sums), circle)) {
    SumPlan plan;
    for (const auto& name : sums[k]->columns)
      plan.parts.push_back(static_cast<size_t>(rows.find(name) - rows.columns.data()));
    if (sums[k]->total) {
      plan.fixed = *sums[k]->total;
    } else {
      plan.total = plan.parts.front();
      plan.parts.erase(plan.parts.begin());
    }
    out.push_back(std::move(plan));
  }
  return out;
}

std::string check_columns(const Constraint& constraint) {
  const bool sum = constraint.kind == Kind::kSum;
  if (sum ? constraint.columns.size() < (constraint.total ? 2 : 3) : constraint.columns.size() != 2) {
    return fmt::format("a constraint of kind {} needs {}", to_string(constraint.kind),
                       sum ? "a total and 2 or more parts" : "2 columns");
  }
  if (std::set<std::string>(constraint.columns.begin(), constraint.columns.end()).size() !=
      constraint.columns.size()) {
    return fmt::format("a constraint of kind {} names a column twice", to_string(constraint.kind));
  }
  return "";
}

std::string check_circles(const std::vector<Constraint>& constraints) {
  std::vector<size_t> circle;
  const NamedOrders orders(constraints);
  sort_forward(orders.names.size(), orders.edges, circle);
  if (!circle.empty()) {
    std::string path;
    for (const size_t k : circle) path += orders.names[k] + " <= ";
    return fmt::format("the constraints of kind order go round in a circle: {}{}", path,
                       orders.names[circle.front()]);
  }
  const auto sums = of_kind(constraints, Kind::kSum);
  sort_forward(sums.size(), edges_of_sums(sums), circle);
  if (circle.empty()) return "";
  std::vector<std::string> totals;
  for (const size_t k : circle) totals.push_back(sums[k]->columns[0]);
  return fmt::format(
      "the constraints of kind sum go round in a circle: each of {} is a part of the next and the last one "
      "of the first",
      fmt::join(totals, ", "));
}

}  // namespace

std::string_view to_string(Kind kind) {
  return kind == Kind::kOrder ? "order" : kind == Kind::kSum ? "sum" : "only_when";
}

std::optional<Kind> parse_constraint_kind(std::string_view text) {
  for (const auto kind : {Kind::kOrder, Kind::kSum, Kind::kOnlyWhen}) {
    if (to_string(kind) == text) return kind;
  }
  return std::nullopt;
}

std::string describe(const Constraint& constraint) {
  const auto& columns = constraint.columns;
  switch (constraint.kind) {
    case Kind::kOrder:
      return fmt::format("order: {}", fmt::join(columns, " <= "));
    case Kind::kSum:
      if (constraint.total) return fmt::format("sum: {} = {}", *constraint.total, fmt::join(columns, " + "));
      return fmt::format("sum: {} = {}", columns[0], fmt::join(columns.begin() + 1, columns.end(), " + "));
    case Kind::kOnlyWhen:
      return fmt::format("only_when: {} when {} is {}", columns[0], columns[1],
                         constraint.equals.empty() ? "there" : "'" + constraint.equals + "'");
  }
  return "";
}

std::vector<size_t> sort_forward(size_t n, const std::vector<Edge>& edges, std::vector<size_t>& circle) {
  std::vector<bool> done(n);
  // A node that an edge leads to `node` from, and that is not done; n when there is none.
  const auto waits_for = [&](size_t node) {
    for (const Edge& edge : edges) {
      if (edge.after == node && !done[edge.before]) return edge.before;
    }
    return n;
  };
  std::vector<size_t> out;
  circle.clear();
  while (out.size() < n) {
    size_t next = 0;
    while (next < n && (done[next] || waits_for(next) != n)) ++next;
    if (next == n) break;
    done[next] = true;
    out.push_back(next);
  }
  if (out.size() == n) return out;
  // Every node left waits for another: walking back comes to one that was passed before.
  size_t node = static_cast<size_t>(std::find(done.begin(), done.end(), false) - done.begin());
  while (std::find(circle.begin(), circle.end(), node) == circle.end()) {
    circle.push_back(node);
    node = waits_for(node);
  }
  circle.erase(circle.begin(), std::find(circle.begin(), circle.end(), node));
  std::reverse(circle.begin(), circle.end());
  std::rotate(circle.begin(), std::min_element(circle.begin(), circle.end()), circle.end());
  return out;
}

std::string check_constraints(const std::vector<Constraint>& constraints) {
  for (const auto& constraint : constraints) {
    if (std::string wrong = check_columns(constraint); !wrong.empty()) return wrong;
  }
  return check_circles(constraints);
}

Status check_values(const std::vector<Constraint>& constraints, const Table& rows) {
  for (const auto& constraint : constraints) {
    MAEIL_ASSIGN(const auto at, find_columns(constraint, rows));
    if (constraint.kind != Kind::kOnlyWhen || constraint.equals.empty()) continue;
    std::vector<std::string> known = rows.columns[at[1]].dictionary;
    if (std::find(known.begin(), known.end(), constraint.equals) != known.end()) continue;
    std::sort(known.begin(), known.end());
    const size_t more = known.size() - std::min(known.size(), kMostNamed);
    known.resize(known.size() - more);
    return bad_input(fmt::format("{}: equals = \"{}\" is no value of '{}', which has {}{}",
                                 name_of(constraint), constraint.equals, constraint.columns[1],
                                 known.empty() ? "none" : fmt::format("{}", fmt::join(known, ", ")),
                                 more == 0 ? "" : fmt::format(" and {} more", more)));
  }
  return {};
}

Status apply_constraints(const std::vector<Constraint>& constraints, Table& rows,
                         const std::vector<ValueRange>& ranges) {
  std::vector<std::pair<const Constraint*, std::vector<size_t>>> conditions;
  for (const auto& constraint : constraints) {
    MAEIL_ASSIGN(auto at, find_columns(constraint, rows));
    if (constraint.kind == Kind::kOnlyWhen) conditions.emplace_back(&constraint, std::move(at));
  }
  std::vector<ValueRange> all = ranges;
  all.resize(rows.columns.size());
  std::vector<Rounding> rounding;
  for (const auto& range : all) rounding.emplace_back(range.digits);
  const OrderPlan orders = plan_orders(constraints, rows);
  keep_conditions(conditions, rows);
  keep_orders(orders, rounding, all, rows);
  keep_sums(plan_sums(constraints, rows), orders, all, rows);
  keep_conditions(conditions, rows);
  return {};
}

Result<size_t> count_broken(const Constraint& constraint, const Table& rows) {
  MAEIL_ASSIGN(const auto at, find_columns(constraint, rows));
  const Column& first = rows.columns[at[0]];
  const Column& second = rows.columns[at[1]];
  OrderedValues low(first), high(second);
  const Condition condition(constraint, second);
  size_t broken = 0;
  for (size_t i = 0; i < rows.rows; ++i) {
    switch (constraint.kind) {
      case Kind::kOrder:
        broken += low(i) > high(i);
        break;
      case Kind::kSum:
        broken += breaks_sum(constraint, at, rows, i);
        break;
      case Kind::kOnlyWhen:
        broken += !first.is_missing(i) && !condition.allows(i);
        break;
    }
  }
  return broken;
}

}  // namespace maeil::table
