#include "table/contract_keys.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "table/toml_keys.h"

namespace maeil::table {
namespace {

using Bound = std::optional<double>;

std::string place_of(const std::string& file, const toml::node& node) {
  return fmt::format("{}:{}", file, node.source().begin.line);
}

// A finite number, whole or not.
Bound number_of(const toml::node& node) {
  if (const auto whole = node.value_exact<int64_t>()) return static_cast<double>(*whole);
  const auto real = node.value_exact<double>();
  return real && std::isfinite(*real) ? real : std::nullopt;
}

// A date of TOML or as a text, in days since 1970.
Bound day_of_node(const toml::node& node) {
  std::string text;
  if (const auto date = node.value_exact<toml::date>())
    text = fmt::format("{:04}-{:02}-{:02}", date->year, date->month, date->day);
  else
    text = node.value_exact<std::string>().value_or("");
  const auto day = parse_date(text);
  if (!day) return std::nullopt;
  return static_cast<double>(day->time_since_epoch().count());
}

Status read_share(const toml::table& table, const char* key, const std::string& file, const std::string& of,
                  bool may_be_zero, Bound& out) {
  const toml::node* node = table.get(key);
  if (!node) return {};
  out = number_of(*node);
  if (out && *out >= 0 && *out <= 1 && (may_be_zero || *out > 0)) return {};
  return bad_input(fmt::format("{}: {} of {} must be a share of the rows, {} to 1 (0.05 is 5 %)",
                               place_of(file, *node), key, of, may_be_zero ? "0" : "above 0"));
}

Status read_count(const toml::table& table, const char* key, const std::string& file,
                  std::optional<uint64_t>& out) {
  const toml::node* node = table.get(key);
  if (!node) return {};
  const auto count = node->value_exact<int64_t>();
  if (!count || *count < 1)
    return bad_input(fmt::format("{}: {} of [contract] must be a whole number of rows, 1 or more",
                                 place_of(file, *node), key));
  out = static_cast<uint64_t>(*count);
  return {};
}

Status read_bound(const toml::table& table, const char* key, const std::string& file, const std::string& of,
                  const SpecColumn& column, Bound& out) {
  const toml::node* node = table.get(key);
  if (!node) return {};
  const auto place = place_of(file, *node);
  if (column.type == SpecType::kText)
    return bad_input(
        fmt::format("{}: {} of {}: the column is read as text, and a text has no order: say "
                    "allowed = [...]",
                    place, key, of));
  const bool date = column.type == SpecType::kDate;
  out = date ? day_of_node(*node) : number_of(*node);
  if (out) return {};
  return bad_input(fmt::format("{}: {} of {} must be {}", place, key, of,
                               date ? "a date, YYYY-MM-DD" : "a finite number"));
}

Status read_allowed(const toml::table& table, const std::string& file, const std::string& of,
                    const SpecColumn& column, ColumnContract& out) {
  const toml::node* node = table.get("allowed");
  if (!node) return {};
  const auto place = place_of(file, *node);
  const bool text = column.type == SpecType::kText;
  if (column.type == SpecType::kDate)
    return bad_input(fmt::format("{}: allowed of {}: the column is a date: say min and max", place, of));
  const auto* list = node->as_array();
  if (!list || list->empty())
    return bad_input(fmt::format("{}: allowed of {} must be a list of at least one value", place, of));
  for (const auto& item : *list) {
    if (const auto value = item.value_exact<std::string>(); text && value && !value->empty()) {
      out.allowed_texts.push_back(*value);
    } else if (const auto number = number_of(item); !text && number) {
      out.allowed_numbers.push_back(*number);
    } else {
      return bad_input(
          fmt::format("{}: allowed of {} must hold {}", place_of(file, item), of,
                      text ? "texts that are not empty: the column is read as text, so write \"1\" and not 1"
                           : "finite numbers: the column is a number"));
    }
  }
  std::ranges::sort(out.allowed_texts);
  std::ranges::sort(out.allowed_numbers);
  return {};
}

Result<ColumnContract> read_column_contract(std::string_view name, const toml::node& node,
                                            const std::string& file, const DatasetSpec& spec) {
  const auto of = fmt::format("'{}' in [contract.columns]", name);
  const SpecColumn* column = spec.find(name);
  if (!column) return bad_input(fmt::format("{}: {} is no column of the dataset", place_of(file, node), of));
  if (name == spec.target) {
    return bad_input(
        fmt::format("{}: {} is the target: its values stand in [target], its rate is target_rate",
                    place_of(file, node), of));
  }
  if (!node.is_table())
    return bad_input(
        fmt::format("{}: {} must be a table: {{ min = 0, max_missing = 0.05 }}", place_of(file, node), of));
  const toml::table& table = *node.as_table();
  Keys keys(table, of, file);
  for (const char* key : {"min", "max", "allowed", "max_missing", "mostly"}) keys.know(key);
  MAEIL_TRY(keys.finish());
  ColumnContract out;
  out.column = name;
  MAEIL_TRY(read_bound(table, "min", file, of, *column, out.min));
  MAEIL_TRY(read_bound(table, "max", file, of, *column, out.max));
  MAEIL_TRY(read_allowed(table, file, of, *column, out));
  MAEIL_TRY(read_share(table, "max_missing", file, of, true, out.max_missing));
  MAEIL_TRY(read_share(table, "mostly", file, of, false, out.mostly));
  if (out.min && out.max && *out.min > *out.max)
    return bad_input(
        fmt::format("{}: min of {} is above its max: no value keeps both", place_of(file, node), of));
  if (out.mostly && !out.has_row_rules())
    return bad_input(fmt::format("{}: mostly of {} needs min, max or allowed", place_of(file, node), of));
  if (!out.has_row_rules() && !out.max_missing)
    return bad_input(
        fmt::format("{}: {} checks nothing: say min, max, allowed or max_missing", place_of(file, node), of));
  return out;
}

Status read_target_rate(const toml::table& table, const std::string& file, const DatasetSpec& spec,
                        Contract& out) {
  const toml::node* node = table.get("target_rate");
  if (!node) return {};
  const auto place = place_of(file, *node);
  if (spec.target.empty())
    return bad_input(fmt::format("{}: target_rate of [contract] needs a [target]", place));
  const auto* list = node->as_array();
  if (list && list->size() == 2) {
    out.min_target_rate = number_of((*list)[0]);
    out.max_target_rate = number_of((*list)[1]);
  }
  if (out.min_target_rate && out.max_target_rate && *out.min_target_rate >= 0 &&
      *out.min_target_rate <= *out.max_target_rate && *out.max_target_rate <= 1)
    return {};
  return bad_input(
      fmt::format("{}: target_rate of [contract] must be two shares, the least and the largest: "
                  "[0.01, 0.3]",
                  place));
}

}  // namespace

Result<Contract> parse_contract(const toml::table& document, const std::string& file,
                                const DatasetSpec& spec) {
  Contract out;
  const toml::node* node = document.get("contract");
  if (!node) return out;
  const auto place = place_of(file, *node);
  if (!node->is_table()) return bad_input(fmt::format("{}: contract must be a [contract] table", place));
  const toml::table& table = *node->as_table();
  Keys keys(table, "[contract]", file);
  out.schema_only = keys.flag("schema_only");
  out.unique_id = keys.flag("unique_id");
  out.unique_file = keys.flag("unique_file");
  for (const char* key : {"min_rows", "max_rows", "target_rate", "mostly", "columns"}) keys.know(key);
  MAEIL_TRY(keys.finish());
  MAEIL_TRY(read_count(table, "min_rows", file, out.min_rows));
  MAEIL_TRY(read_count(table, "max_rows", file, out.max_rows));
  if (out.min_rows && out.max_rows && *out.min_rows > *out.max_rows)
    return bad_input(fmt::format("{}: min_rows of [contract] is above max_rows: no file keeps both", place));
  MAEIL_TRY(read_target_rate(table, file, spec, out));
  Bound mostly;
  MAEIL_TRY(read_share(table, "mostly", file, "[contract]", false, mostly));
  out.mostly = mostly.value_or(kMostly);
  if (out.unique_id && spec.roles.id.empty())
    return bad_input(fmt::format("{}: unique_id of [contract] needs an id in [roles]", place));
  if (const toml::node* columns = table.get("columns")) {
    if (!columns->is_table())
      return bad_input(fmt::format("{}: columns of [contract] must be a [contract.columns] table",
                                   place_of(file, *columns)));
    for (const auto& [name, value] : *columns->as_table()) {
      MAEIL_ASSIGN(auto column, read_column_contract(name.str(), value, file, spec));
      out.columns.push_back(std::move(column));
    }
    const auto index = [&](const ColumnContract& one) { return spec.find(one.column) - spec.columns.data(); };
    std::ranges::sort(out.columns, {}, index);
  }
  if (out.schema_only && out.has_rules())
    return bad_input(
        fmt::format("{}: schema_only of [contract] says that there are no rules, and there are", place));
  if (!out.schema_only && !out.has_rules())
    return bad_input(
        fmt::format("{}: [contract] checks nothing: say what rows must keep, or schema_only = true "
                    "where the columns and their types are all there is",
                    place));
  return out;
}

}  // namespace maeil::table
