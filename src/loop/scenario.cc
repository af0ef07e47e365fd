#include "loop/scenario.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <toml++/toml.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>

#include "base/file.h"
#include "base/hash.h"
#include "base/philox.h"
#include "loop/row_filter.h"
#include "portfolio/simulate.h"
#include "table/toml_keys.h"

namespace maeil::loop {
namespace {

// Six decimals hold what a shifted rate or ratio means and drop the noise of binary arithmetic; beyond 1e9
// nothing is rounded.
double tidy(double x) { return std::abs(x) < 1e9 ? std::nearbyint(x * 1e6) / 1e6 : x; }

// One uniform number for each row of the block that `first_row` lies in.
class RowNumbers {
 public:
  RowNumbers(const std::string& what, uint64_t first_row, uint64_t seed)
      : random_(hash64(what, seed), RandomStream::kShift, first_row / kSourceRows) {
    for (uint64_t skip = first_row % kSourceRows; skip > 0; --skip) static_cast<void>(random_.next_uniform());
  }
  bool below(double share) { return random_.next_uniform() < share; }

 private:
  RandomSequence random_;
};

bool is_whole(const Source& source, const Column& column, const Table& rows) {
  return source.formats[static_cast<size_t>(&column - rows.columns.data())] == NumberFormat::kInteger;
}

Column& column_of(Table& rows, const std::string& name) {
  return *std::find_if(rows.columns.begin(), rows.columns.end(),
                       [&](const Column& column) { return column.name == name; });
}

// A whole number is written with 64 bits, any other as a double.
bool can_be_written(double x, bool whole) { return whole ? !(std::abs(x) >= 0x1p63) : !std::isinf(x); }

Status shift_column(const ScenarioConfig::Shift& shift, bool whole, Column& column) {
  for (double& x : column.numbers) {
    const double before = x, after = x * shift.multiply + shift.add;
    x = whole ? std::nearbyint(after) : tidy(after);
    if (can_be_written(x, whole)) continue;
    return at_entry(
        shift.place, "shift",
        {ErrorCode::kBadInput, fmt::format("{} of '{}' becomes {}, which is too large for a {}", before,
                                           shift.column, after, whole ? "whole number" : "number")});
  }
  return {};
}

// A sum of shifted numbers may be too large where none of them is.
Status check_sums(const ScenarioConfig& scenario, const Source& source, const Table& rows) {
  for (const auto& constraint : source.constraints) {
    if (constraint.kind != table::Constraint::Kind::kSum) continue;
    const Column& total = *rows.find(constraint.columns[0]);
    const bool whole = is_whole(source, total, rows);
    if (std::all_of(total.numbers.begin(), total.numbers.end(),
                    [&](double x) { return can_be_written(x, whole); }))
      continue;
    return bad_input(fmt::format("scenario {}: the sum '{}' becomes too large for a {}", scenario.name,
                                 total.name, whole ? "whole number" : "number"));
  }
  return {};
}

// `ranges` are what constraints keep afterwards (loosen).
Status perturb(const ScenarioConfig& scenario, const Source& source,
               const std::vector<table::ValueRange>& ranges, uint64_t first_row, uint64_t seed, Table& rows) {
  for (const auto& shift : scenario.shifts) {
    Column& column = column_of(rows, shift.column);
    MAEIL_TRY(shift_column(shift, is_whole(source, column, rows), column));
  }
  for (const auto& category : scenario.categories) {
    Column& column = column_of(rows, category.column);
    auto found = std::find(column.dictionary.begin(), column.dictionary.end(), category.value);
    if (found == column.dictionary.end()) found = column.dictionary.insert(found, category.value);
    const auto code = static_cast<uint32_t>(found - column.dictionary.begin());
    RowNumbers numbers("category " + category.column + "=" + category.value, first_row, seed);
    for (uint32_t& one : column.codes) {
      if (numbers.below(category.share)) one = code;
    }
  }
  for (const auto& nulls : scenario.nulls) {
    Column& column = column_of(rows, nulls.column);
    RowNumbers numbers("nulls " + nulls.column, first_row, seed);
    for (size_t i = 0; i < rows.rows; ++i) {
      if (!numbers.below(nulls.share)) continue;
      if (column.type == ColumnType::kText)
        column.codes[i] = kMissing;
      else
        column.numbers[i] = std::numeric_limits<double>::quiet_NaN();
    }
  }
  MAEIL_TRY(table::apply_constraints(source.constraints, rows, ranges));
  return check_sums(scenario, source, rows);
}

// What constraints may make of shifted rows: a shift may leave a column's ends, and so may all that
// constraints tie to it, but what is constant and not shifted stays so (a total that is always 100). Shifted
// numbers have the six decimals of tidy().
void loosen(const ScenarioConfig& scenario, Source& source) {
  if (scenario.shifts.empty()) return;
  source.ranges.resize(source.names.size());
  for (size_t c = 0; c < source.ranges.size(); ++c) {
    auto& range = source.ranges[c];
    const bool shifted = std::any_of(scenario.shifts.begin(), scenario.shifts.end(),
                                     [&](const auto& shift) { return shift.column == source.names[c]; });
    if (shifted && range.digits && source.formats[c] != NumberFormat::kInteger)
      range.digits = std::max(*range.digits, 6);
    if (shifted || range.min != range.max) range.min = range.max = std::nullopt;
  }
}

// Calls `read` with the keys and the place of each table of the array `key`.
template <class Read>
Status read_each(const toml::table& document, const char* key, const std::string& file, Read&& read) {
  const toml::node* node = document.get(key);
  if (!node) return {};
  const auto* array = node->as_array();
  if (!array)
    return bad_input(
        fmt::format("{}:{}: {} must be [[{}]] tables", file, node->source().begin.line, key, key));
  for (const auto& entry : *array) {
    if (!entry.is_table())
      return bad_input(
          fmt::format("{}:{}: {} must be [[{}]] tables", file, entry.source().begin.line, key, key));
    table::Keys keys(*entry.as_table(), fmt::format("[[{}]]", key), file);
    const std::string place = fmt::format("{}:{}", file, entry.source().begin.line);
    const double share = read(keys, place);
    MAEIL_TRY(keys.finish());
    if (!(share >= 0 && share <= 1))
      return bad_input(fmt::format("{}: 'share' of [[{}]] must lie in 0..1", place, key));
  }
  return {};
}

// The second rate of a column would change the share that the first one made.
Status check_rates(const std::vector<ScenarioConfig::Rate>& rates) {
  for (size_t i = 0; i < rates.size(); ++i) {
    for (size_t k = 0; k < i; ++k) {
      if (rates[k].column == rates[i].column)
        return bad_input(fmt::format("{}: 'column' of [[rate]]: '{}' has a rate already, at {}",
                                     rates[i].place, rates[i].column, rates[k].place));
    }
  }
  return {};
}

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

Result<ScenarioConfig> read_document(const toml::table& document, const std::string& file) {
  ScenarioConfig out;
  table::Keys top(document, "the scenario", file);
  out.name = top.text("name", true);
  if (const toml::node* base = document.get("base")) {
    out.base = top.text("base");
    const auto known = portfolio::parse_scenario(out.base);
    if (base->is_string() && !known)
      return bad_input(fmt::format("{}:{}: 'base' of the scenario: {}", file, base->source().begin.line,
                                   known.error().message));
  }
  for (const char* key : {"shift", "rate", "category", "nulls"}) top.know(key);
  MAEIL_TRY(top.finish());
  MAEIL_TRY(read_each(document, "shift", file, [&](table::Keys& keys, const std::string& place) {
    out.shifts.push_back({keys.text("column", true), keys.real("multiply", 1), keys.real("add", 0), place});
    return 0.0;
  }));
  for (const auto& shift : out.shifts) {
    for (const auto& [key, value] : {std::pair("multiply", shift.multiply), std::pair("add", shift.add)}) {
      if (!std::isfinite(value))
        return bad_input(fmt::format("{}: '{}' of [[shift]] must be a finite number", shift.place, key));
    }
  }
  MAEIL_TRY(read_each(document, "rate", file, [&](table::Keys& keys, const std::string& place) {
    out.rates.push_back(
        {keys.text("column", true), keys.text("value", true), keys.real("share", kNone), place});
    return out.rates.back().share;
  }));
  MAEIL_TRY(check_rates(out.rates));
  MAEIL_TRY(read_each(document, "category", file, [&](table::Keys& keys, const std::string& place) {
    out.categories.push_back(
        {keys.text("column", true), keys.text("value", true), keys.real("share", kNone), place});
    return out.categories.back().share;
  }));
  MAEIL_TRY(read_each(document, "nulls", file, [&](table::Keys& keys, const std::string& place) {
    out.nulls.push_back({keys.text("column", true), keys.real("share", kNone), place});
    return out.nulls.back().share;
  }));
  return out;
}

// "" or why an entry cannot change the column.
std::string what_is_wrong(const Source& source, const Table& rows, const std::string& name,
                          std::optional<ColumnType> type) {
  const Column* column = rows.find(name);
  if (!column) return fmt::format("there is no column '{}'", name);
  if (type && column->type != *type)
    return fmt::format("'{}' is no column of {}", name, *type == ColumnType::kText ? "text" : "numbers");
  for (const auto& constraint : source.constraints) {
    if (constraint.kind != table::Constraint::Kind::kSum || constraint.columns[0] != name) continue;
    const std::vector<std::string> parts(constraint.columns.begin() + 1, constraint.columns.end());
    return fmt::format("'{}' is the sum of {} in every row: change those", name, fmt::join(parts, ", "));
  }
  return "";
}

template <class Entry>
Status check_columns(const Source& source, const Table& rows, const std::vector<Entry>& entries,
                     std::string_view table, std::optional<ColumnType> type) {
  for (const auto& entry : entries) {
    if (const auto wrong = what_is_wrong(source, rows, entry.column, type); !wrong.empty()) {
      return bad_input(fmt::format("{}: 'column' of [[{}]]: {}", entry.place, table, wrong));
    }
  }
  return {};
}

}  // namespace

tl::unexpected<Error> at_entry(const std::string& place, std::string_view table, Error error) {
  if (error.code == ErrorCode::kUsage) error.code = ErrorCode::kBadInput;
  return with_context(fmt::format("{}: [[{}]]", place, table), std::move(error));
}

Result<ScenarioConfig> parse_scenario_config(std::string_view toml, const std::string& file_name) {
  try {
    return read_document(toml::parse(toml, file_name), file_name);
  } catch (const toml::parse_error& error) {
    return bad_input(fmt::format("{}:{}: {}", file_name, error.source().begin.line, error.description()));
  }
}

Result<ScenarioConfig> read_scenario_config(const std::filesystem::path& path) {
  MAEIL_ASSIGN(const std::string text, read_file(path, 1 << 20));
  return parse_scenario_config(text, path.string());
}

Result<Source> with_scenario(Source source, const ScenarioConfig& scenario) {
  for (const auto& rate : scenario.rates) {
    auto rated = with_rate(std::move(source), rate.column, rate.value, rate.share);
    if (!rated) return at_entry(rate.place, "rate", rated.error());
    source = std::move(*rated);
  }
  Table rows;
  MAEIL_TRY(source.draw(Days{}, 0, 1, 0, rows));
  MAEIL_TRY(check_columns(source, rows, scenario.shifts, "shift", ColumnType::kNumber));
  MAEIL_TRY(check_columns(source, rows, scenario.categories, "category", ColumnType::kText));
  MAEIL_TRY(check_columns(source, rows, scenario.nulls, "nulls", std::nullopt));
  const auto inner = std::make_shared<const Source>(source);
  loosen(scenario, source);
  source.draw = [inner, scenario, ranges = source.ranges](Days date, uint64_t first_row, uint64_t count,
                                                          uint64_t seed, Table& out) -> Status {
    MAEIL_TRY(inner->draw(date, first_row, count, seed, out));
    return perturb(scenario, *inner, ranges, first_row, seed, out);
  };
  return source;
}

}  // namespace maeil::loop
