#include "table/sdv_metadata.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/file.h"
#include "format/json.h"

namespace maeil::table {
namespace {

using Json = nlohmann::ordered_json;

Result<DatasetSpec> spec_from(const Json& document) {
  if (!document.is_object()) return bad_input("is no object");
  const auto version = document.find("METADATA_SPEC_VERSION");
  const std::string name =
      version != document.end() && version->is_string() ? version->get<std::string>() : "";
  if (name != "SINGLE_TABLE_V1" && name != "V1")
    return bad_input(fmt::format("METADATA_SPEC_VERSION '{}' is neither SINGLE_TABLE_V1 nor V1", name));
  DatasetSpec out;
  const Json* table = &document;
  if (name == "V1") {
    const auto tables = document.find("tables");
    if (tables == document.end() || !tables->is_object() || tables->size() != 1)
      return bad_input("it must have one table");
    out.name = tables->begin().key();
    table = &tables->begin().value();
  }
  const auto columns = table->find("columns");
  if (columns == table->end() || !columns->is_object() || columns->empty())
    return bad_input("its table has no columns");
  for (const auto& [column_name, entry] : columns->items()) {
    const auto type = entry.is_object() ? entry.find("sdtype") : entry.end();
    if (!entry.is_object() || type == entry.end() || !type->is_string())
      return bad_input(fmt::format("column '{}' has no sdtype", column_name));
    SpecColumn column;
    column.name = column_name;
    column.nullable = true;
    if (*type == "numerical") column.type = SpecType::kNumber;
    // What else SDV has are ids, and values of people that it makes anew with Faker (email, name,
    // phone_number ...).
    const auto pii = entry.find("pii");
    const bool learned = *type == "numerical" || *type == "datetime" || *type == "categorical" ||
                         *type == "boolean" || *type == "ordinal" || *type == "unknown";
    column.identifier = !learned || (pii != entry.end() && *pii == true);
    if (*type == "datetime") {
      const auto format = entry.find("datetime_format");
      const bool given = format != entry.end() && format->is_string();
      auto parsed = given ? DateFormat::parse(format->get<std::string>()) : Result<DateFormat>(DateFormat());
      if (!parsed) return with_context(fmt::format("column '{}'", column_name), parsed.error());
      // Times of day make no day: such a column is its texts.
      column.type = !given || parsed->has_year() ? SpecType::kDate : SpecType::kText;
      if (given && column.type == SpecType::kDate) column.format = std::move(*parsed);
    }
    out.columns.push_back(std::move(column));
  }
  return out;
}

}  // namespace

Result<DatasetSpec> parse_sdv_metadata(std::string_view json, const std::string& file_name) {
  MAEIL_ASSIGN(const Json document, parse_json<Json>(json, file_name));
  auto spec = spec_from(document);
  if (!spec) return with_context(file_name, spec.error());
  if (spec->name.empty()) spec->name = file_name;
  return spec;
}

Result<DatasetSpec> read_sdv_metadata(const std::filesystem::path& path) {
  MAEIL_ASSIGN(const std::string text, read_file(path, 1 << 24));
  return parse_sdv_metadata(text, path.string());
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
