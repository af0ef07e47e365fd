#include "loop/scenario.h"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>

#include "base/file.h"
#include "base/hash.h"
#include "base/philox.h"
#include "loop/row_filter.h"
#include "table/toml_keys.h"

namespace maeil::loop {
namespace {

// Six decimals hold what a shifted rate or ratio means and drop the noise of binary arithmetic; beyond 1e9 nothing is rounded.
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

Column& column_of(Table& rows, const std::string& name) {
  return *std::find_if(rows.columns.begin(), rows.columns.end(), [&](const Column& column) { return column.name == name; });
}

void perturb(const ScenarioConfig& scenario, const Source& source, uint64_t first_row, uint64_t seed, Table& rows) {
  for (const auto& shift : scenario.shifts) {
    Column& column = column_of(rows, shift.column);
    const bool whole = source.formats[static_cast<size_t>(&column - rows.columns.data())] == NumberFormat::kInteger;
    for (double& x : column.numbers) x = whole ? std::nearbyint(x * shift.multiply + shift.add) : tidy(x * shift.multiply + shift.add);
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
      if (column.type == ColumnType::kText) column.codes[i] = kMissing;
      else column.numbers[i] = std::numeric_limits<double>::quiet_NaN();
    }
  }
}

// What constraints may make of shifted rows: a shift may leave a column's ends, and so may all that constraints tie to it, but what is
// constant and not shifted stays so (a total that is always 100). Shifted numbers have the six decimals of tidy().
void loosen(const ScenarioConfig& scenario, Source& source) {
  if (scenario.shifts.empty()) return;
  source.ranges.resize(source.names.size());
  for (size_t c = 0; c < source.ranges.size(); ++c) {
    auto& range = source.ranges[c];
    const bool shifted = std::any_of(scenario.shifts.begin(), scenario.shifts.end(), [&](const auto& shift) { return shift.column == source.names[c]; });
    if (shifted && range.digits && source.formats[c] != NumberFormat::kInteger) range.digits = std::max(*range.digits, 6);
    if (shifted || range.min != range.max) range.min = range.max = std::nullopt;
  }
}

// Calls `read` for each table of the array `key`.
template <class Read>
Status read_each(const toml::table& document, const char* key, const std::string& file, Read&& read) {
  const toml::node* node = document.get(key);
  if (!node) return {};
  const auto* array = node->as_array();
  if (!array) return bad_input(fmt::format("{}:{}: {} must be [[{}]] tables", file, node->source().begin.line, key, key));
  for (const auto& entry : *array) {
    if (!entry.is_table()) return bad_input(fmt::format("{}:{}: {} must be [[{}]] tables", file, entry.source().begin.line, key, key));
    table::Keys keys(*entry.as_table(), fmt::format("[[{}]]", key), file);
    const double share = read(keys);
    MAEIL_TRY(keys.finish());
    if (!(share >= 0 && share <= 1)) return bad_input(fmt::format("{}:{}: the share must lie in 0..1", file, entry.source().begin.line));
  }
  return {};
}

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

Result<ScenarioConfig> read_document(const toml::table& document, const std::string& file) {
  ScenarioConfig out;
  table::Keys top(document, "the scenario", file);
  out.name = top.text("name", true);
  if (document.contains("base")) out.base = top.text("base");
  for (const char* key : {"shift", "rate", "category", "nulls"}) top.know(key);
  MAEIL_TRY(top.finish());
  MAEIL_TRY(read_each(document, "shift", file, [&](table::Keys& keys) {
    out.shifts.push_back({keys.text("column", true), keys.real("multiply", 1), keys.real("add", 0)});
    return 0.0;
  }));
  MAEIL_TRY(read_each(document, "rate", file, [&](table::Keys& keys) {
    out.rates.push_back({keys.text("column", true), keys.text("value", true), keys.real("share", kNone)});
    return out.rates.back().share;
  }));
  MAEIL_TRY(read_each(document, "category", file, [&](table::Keys& keys) {
    out.categories.push_back({keys.text("column", true), keys.text("value", true), keys.real("share", kNone)});
    return out.categories.back().share;
  }));
  MAEIL_TRY(read_each(document, "nulls", file, [&](table::Keys& keys) {
    out.nulls.push_back({keys.text("column", true), keys.real("share", kNone)});
    return out.nulls.back().share;
  }));
  return out;
}

Status check_column(const Table& rows, const std::string& name, std::optional<ColumnType> type, const ScenarioConfig& scenario) {
  const Column* column = rows.find(name);
  if (!column) return usage_error(fmt::format("scenario {}: there is no column '{}'", scenario.name, name));
  if (type && column->type != *type) {
    return usage_error(fmt::format("scenario {}: '{}' is no column of {}", scenario.name, name, *type == ColumnType::kText ? "text" : "numbers"));
  }
  return {};
}

}  // namespace

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
    MAEIL_ASSIGN(source, with_rate(std::move(source), rate.column, rate.value, rate.share));
  }
  Table rows;
  MAEIL_TRY(source.draw(Days{}, 0, 1, 0, rows));
  for (const auto& shift : scenario.shifts) MAEIL_TRY(check_column(rows, shift.column, ColumnType::kNumber, scenario));
  for (const auto& category : scenario.categories) MAEIL_TRY(check_column(rows, category.column, ColumnType::kText, scenario));
  for (const auto& nulls : scenario.nulls) MAEIL_TRY(check_column(rows, nulls.column, std::nullopt, scenario));
  const auto inner = std::make_shared<const Source>(source);
  loosen(scenario, source);
  source.draw = [inner, scenario, ranges = source.ranges](Days date, uint64_t first_row, uint64_t count, uint64_t seed, Table& out) -> Status {
    MAEIL_TRY(inner->draw(date, first_row, count, seed, out));
    perturb(scenario, *inner, first_row, seed, out);
    return table::apply_constraints(inner->constraints, out, ranges);
  };
  return source;
}

}  // namespace maeil::loop
