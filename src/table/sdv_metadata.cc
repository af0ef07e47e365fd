#include "table/sdv_metadata.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "format/json.h"
#include "table/dates.h"

namespace maeil::table {
namespace {

using Json = nlohmann::ordered_json;

// A bound as its column's values are read: a number, or a date in ISO form as pandas.to_datetime takes it.
Result<std::optional<double>> bound(const Json& json, const char* key) {
  if (!json.contains(key)) return std::nullopt;
  if (json[key].is_number()) return json[key].get<double>();
  const auto date = json[key].is_string() ? read_date(json[key].get<std::string>()) : std::nullopt;
  if (!date) return bad_input(fmt::format("{} is neither a number nor an ISO date", key));
  return date;
}

// A category as the text that a pandas column of it has.
std::string category_text(const Json& json) {
  if (json.is_boolean()) return json.get<bool>() ? "True" : "False";
  if (json.is_number()) return fmt::format("{}", json.get<double>());
  return json.is_string() ? json.get<std::string>() : json.dump();
}

Status read_fields(const Json& json, MetadataColumn& out) {
  const auto wrong = [](const char* key, const char* type) {
    return bad_input(fmt::format("{} is no {}", key, type));
  };
  if (json.contains("datetime_format") && !json["datetime_format"].is_null()) {
    if (!json["datetime_format"].is_string()) return wrong("datetime_format", "text");
    MAEIL_ASSIGN(out.datetime_format, DateFormat::parse(json["datetime_format"].get<std::string>()));
  }
  if (json.contains("regex_format")) {
    if (!json["regex_format"].is_string()) return wrong("regex_format", "text");
    out.regex_format = json["regex_format"].get<std::string>();
  }
  MAEIL_ASSIGN(out.range_min, bound(json, "range_min"));
  MAEIL_ASSIGN(out.range_max, bound(json, "range_max"));
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
  out.pii = json.contains("pii") && json["pii"] == true;
  return {};
}

// The names in a key: a text, or an array of texts and of arrays of texts. What is nested deeper names
// nothing.
void append_names(const Json& json, std::vector<std::string>& out, int depth = 0) {
  if (json.is_string()) out.push_back(json.get<std::string>());
  if (json.is_array() && depth < 2) {
    for (const auto& part : json) append_names(part, out, depth + 1);
  }
}

std::string text_in(const Json& object, const char* key) {
  return object.contains(key) && object[key].is_string() ? object[key].get<std::string>() : std::string();
}

Result<SdvMetadata> metadata_from(const Json& document) {
  if (!document.is_object()) return bad_input("is no object");
  SdvMetadata out;
  const Json* table = &document;
  if (document.contains("tables")) {
    const Json& tables = document["tables"];
    if (!tables.is_object() || tables.size() != 1) return bad_input("it must have one table");
    out.table = tables.begin().key();
    table = &*tables.begin();
  }
  if (!table->is_object() || !table->contains("columns") || !(*table)["columns"].is_object())
    return bad_input("its table has no columns");
  for (const auto& [name, entry] : (*table)["columns"].items()) {
    if (!entry.is_object() || !entry.contains("sdtype") || !entry["sdtype"].is_string())
      return bad_input(fmt::format("column '{}' has no sdtype", name));
    MetadataColumn column{.name = name, .sdtype = entry["sdtype"].get<std::string>()};
    const auto read = read_fields(entry, column);
    if (!read) return with_context(fmt::format("column '{}'", name), read.error());
    out.columns.push_back(std::move(column));
  }
  if (table->contains("primary_key")) append_names((*table)["primary_key"], out.primary_key);
  if (table->contains("alternate_keys")) append_names((*table)["alternate_keys"], out.alternate_keys);
  out.sequence_index = text_in(*table, "sequence_index");
  return out;
}

SpecColumn spec_column(MetadataColumn&& from) {
  SpecColumn out;
  out.name = std::move(from.name);
  out.nullable = true;
  if (from.sdtype == "numerical") out.type = SpecType::kNumber;
  // What else SDV has are ids, and values of people that it makes anew with Faker (email, name,
  // phone_number ...).
  static constexpr std::string_view kLearned[] = {"numerical", "datetime", "categorical",
                                                  "boolean",   "ordinal",  "unknown"};
  out.identifier =
      from.pii || std::find(std::begin(kLearned), std::end(kLearned), from.sdtype) == std::end(kLearned);
  // Times of day make no day: such a column is its texts.
  if (from.sdtype == "datetime" && (!from.datetime_format || from.datetime_format->has_year())) {
    out.type = SpecType::kDate;
    out.format = std::move(from.datetime_format);
  }
  return out;
}

Result<DatasetSpec> spec_from(const Json& document) {
  const std::string version = document.is_object() ? text_in(document, "METADATA_SPEC_VERSION") : "";
  if (document.is_object() && version != "SINGLE_TABLE_V1" && version != "V1")
    return bad_input(fmt::format("METADATA_SPEC_VERSION '{}' is neither SINGLE_TABLE_V1 nor V1", version));
  MAEIL_ASSIGN(auto metadata, metadata_from(document));
  if (version == "V1" && !metadata.table) return bad_input("it must have one table");
  if (metadata.columns.empty()) return bad_input("its table has no columns");
  DatasetSpec out;
  out.name = metadata.table.value_or("");
  for (auto& column : metadata.columns) out.columns.push_back(spec_column(std::move(column)));
  return out;
}

}  // namespace

bool SdvMetadata::is_key(const std::string& column) const {
  return (primary_key.size() == 1 && primary_key.front() == column) ||
         std::find(alternate_keys.begin(), alternate_keys.end(), column) != alternate_keys.end();
}

Result<SdvMetadata> parse_sdv_metadata(std::string_view json, const std::string& name) {
  MAEIL_ASSIGN(const Json document, parse_json<Json>(json, name));
  auto out = metadata_from(document);
  if (!out) return with_context(name, out.error());
  return out;
}

Result<DatasetSpec> parse_sdv_spec(std::string_view json, const std::string& file_name) {
  MAEIL_ASSIGN(const Json document, parse_json<Json>(json, file_name));
  auto spec = spec_from(document);
  if (!spec) return with_context(file_name, spec.error());
  if (spec->name.empty()) spec->name = file_name;
  return spec;
}

Result<DatasetSpec> read_sdv_spec(const std::filesystem::path& path) {
  MAEIL_ASSIGN(const std::string text, read_file(path, 1 << 24));
  return parse_sdv_spec(text, path.string());
}

std::string to_sdv_metadata(const DatasetSpec& spec) {
  Json columns = Json::object();
  for (const auto& column : spec.columns) {
    const char* sdtype = column.identifier                  ? "id"
                         : column.type == SpecType::kNumber ? "numerical"
                         : column.type == SpecType::kDate   ? "datetime"
                                                            : "categorical";
    columns[column.name] = {{"sdtype", sdtype}};
    if (column.format) columns[column.name]["datetime_format"] = column.format->text();
  }
  const Json document{{"tables", {{spec.name, {{"columns", std::move(columns)}}}}},
                      {"relationships", Json::array()},
                      {"METADATA_SPEC_VERSION", "V1"}};
  return document.dump(4, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace maeil::table
