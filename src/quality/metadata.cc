#include "quality/metadata.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "format/json.h"

namespace maeil::quality {
namespace {

using Json = nlohmann::ordered_json;

// A bound as its column's values are read: a number, or a date in ISO form as pandas.to_datetime takes it.
Result<std::optional<double>> bound(const Json& json, const char* key, const std::string& column) {
  if (!json.contains(key)) return std::nullopt;
  if (json[key].is_number()) return json[key].get<double>();
  const auto date = json[key].is_string() ? table::read_date(json[key].get<std::string>()) : std::nullopt;
  if (!date)
    return bad_input(
        fmt::format("the metadata: column '{}': {} is neither a number nor an ISO date", column, key));
  return date;
}

// A category as the text that a pandas column of it has.
std::string category_text(const Json& json) {
  if (json.is_boolean()) return json.get<bool>() ? "True" : "False";
  if (json.is_number()) return fmt::format("{}", json.get<double>());
  return json.is_string() ? json.get<std::string>() : json.dump();
}

Result<ColumnMeta> column_meta(const std::string& name, const Json& json) {
  ColumnMeta out;
  out.name = name;
  out.sdtype = json["sdtype"].get<std::string>();
  const auto wrong = [&](const char* key, const char* type) {
    return bad_input(fmt::format("the metadata: column '{}': {} is no {}", name, key, type));
  };
  if (json.contains("datetime_format")) {
    if (!json["datetime_format"].is_string()) return wrong("datetime_format", "text");
    auto format = table::DateFormat::parse(json["datetime_format"].get<std::string>());
    if (!format) return with_context(fmt::format("the metadata: column '{}'", name), format.error());
    out.datetime_format = std::move(*format);
  }
  if (json.contains("regex_format")) {
    if (!json["regex_format"].is_string()) return wrong("regex_format", "text");
    out.regex_format = json["regex_format"].get<std::string>();
  }
  MAEIL_ASSIGN(out.range_min, bound(json, "range_min", name));
  MAEIL_ASSIGN(out.range_max, bound(json, "range_max", name));
  if (json.contains("range_is_nullable")) {
    if (!json["range_is_nullable"].is_boolean()) return wrong("range_is_nullable", "boolean");
    out.range_is_nullable = json["range_is_nullable"].get<bool>();
  }
  if (json.contains("range_values")) {
    if (!json["range_values"].is_array()) return wrong("range_values", "array");
    out.range_values.emplace();
    for (const auto& value : json["range_values"]) {
      if (value.is_structured()) return wrong("range_values", "array of values");
      if (value.is_null())
        out.range_is_nullable = out.range_is_nullable.value_or(true);
      else
        out.range_values->push_back(category_text(value));
    }
  }
  return out;
}

// The names in a key: a text, or an array of texts and of arrays of texts. What is nested deeper names
// nothing.
void append_names(const Json& json, std::vector<std::string>& out, int depth = 0) {
  if (json.is_string()) out.push_back(json.get<std::string>());
  if (json.is_array() && depth < 2) {
    for (const auto& part : json) append_names(part, out, depth + 1);
  }
}

}  // namespace

bool Metadata::is_key(const std::string& column) const {
  return (primary_key.size() == 1 && primary_key.front() == column) ||
         std::find(alternate_keys.begin(), alternate_keys.end(), column) != alternate_keys.end();
}

Result<Metadata> parse_metadata(std::string_view text) {
  MAEIL_ASSIGN(const Json json, parse_json<Json>(text, "the metadata"));
  const auto bad = [] {
    return bad_input(
        "the metadata is not SDV's JSON of one table: it needs \"columns\" with an \"sdtype\" each");
  };
  if (!json.is_object()) return bad();
  const Json* table = &json;
  if (json.contains("tables")) {
    if (!json["tables"].is_object() || json["tables"].size() != 1) return bad();
    table = &*json["tables"].begin();
  }
  if (!table->is_object() || !table->contains("columns") || !(*table)["columns"].is_object()) return bad();
  Metadata out;
  for (const auto& [name, meta] : (*table)["columns"].items()) {
    if (!meta.is_object() || !meta.contains("sdtype") || !meta["sdtype"].is_string()) return bad();
    MAEIL_ASSIGN(auto column, column_meta(name, meta));
    out.columns.push_back(std::move(column));
  }
  if (table->contains("primary_key")) append_names((*table)["primary_key"], out.primary_key);
  if (table->contains("alternate_keys")) append_names((*table)["alternate_keys"], out.alternate_keys);
  if (table->contains("sequence_index") && (*table)["sequence_index"].is_string())
    out.sequence_index = (*table)["sequence_index"].get<std::string>();
  return out;
}

}  // namespace maeil::quality
