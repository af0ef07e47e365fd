#include "table/spec_text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace maeil::table {
namespace {

// On one line, and without what TOML forbids in a comment.
std::string comment(std::string_view text) {
  std::string out;
  for (const char c : text) out += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;
  return out;
}

const char* type_name(SpecType type) {
  return type == SpecType::kText ? "text" : type == SpecType::kNumber ? "number" : "date";
}

std::string column_text(const SpecColumn& column) {
  std::string out =
      fmt::format("{{ name = {}, type = \"{}\"", toml_text(column.name), type_name(column.type));
  if (column.format) out += fmt::format(", format = {}", toml_text(column.format->text()));
  if (column.thousands) out += ", thousands = \",\"";
  if (column.nullable) out += ", nullable = true";
  if (column.drop) out += ", drop = true";
  return out + " }";
}

// As people write it: a number or true bare, all else as a text.
std::string value_text(const std::string& value) {
  const TargetForms forms = target_forms(value);
  return forms.numbers || forms.words ? value : toml_text(value);
}

// A name as a key, bare where TOML takes it so.
std::string key_text(const std::string& name) {
  const bool bare = !name.empty() && name.find_first_not_of(
                                         "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                         "0123456789_-") == std::string::npos;
  return bare ? name : toml_text(name);
}

std::string roles_text(const Roles& roles) {
  if (roles.id.empty() && roles.group.empty() && roles.time.empty()) return "";
  std::string out = "\n[roles]\n";
  std::vector<std::string> ids;
  for (const auto& id : roles.id) ids.push_back(toml_text(id));
  if (ids.size() == 1) out += fmt::format("id = {}\n", ids[0]);
  if (ids.size() > 1) out += fmt::format("id = [{}]\n", fmt::join(ids, ", "));
  if (!roles.group.empty()) out += fmt::format("group = {}\n", toml_text(roles.group));
  if (!roles.time.empty()) out += fmt::format("time = {}\n", toml_text(roles.time));
  return out;
}

std::string rules_text(const DatasetSpec& spec, const ColumnContract& rules) {
  std::vector<std::string> parts, allowed;
  const bool date = spec.find(rules.column)->type == SpecType::kDate;
  if (rules.min) parts.push_back("min = " + bound_text(*rules.min, date));
  if (rules.max) parts.push_back("max = " + bound_text(*rules.max, date));
  for (const auto& value : rules.allowed_texts) allowed.push_back(toml_text(value));
  for (const double value : rules.allowed_numbers) allowed.push_back(bound_text(value, false));
  if (!allowed.empty()) parts.push_back(fmt::format("allowed = [{}]", fmt::join(allowed, ", ")));
  if (rules.max_missing) parts.push_back(fmt::format("max_missing = {}", *rules.max_missing));
  if (rules.mostly) parts.push_back(fmt::format("mostly = {}", *rules.mostly));
  return fmt::format("{} = {{ {} }}\n", key_text(rules.column), fmt::join(parts, ", "));
}

std::string contract_text(const DatasetSpec& spec) {
  const Contract& contract = spec.contract;
  if (!contract.has_rules() && !contract.schema_only) return "";
  std::string out =
      "\n# What a day's file must keep. A row outside of min, max or allowed is set aside; more than 5 % of "
      "them, and\n# all else here, end the day. Drafted wide: make it narrower where you know better.\n"
      "[contract]\n";
  if (contract.schema_only) out += "schema_only = true\n";
  if (contract.min_rows) out += fmt::format("min_rows = {}\n", *contract.min_rows);
  if (contract.max_rows) out += fmt::format("max_rows = {}\n", *contract.max_rows);
  if (contract.min_target_rate)
    out += fmt::format("target_rate = [{}, {}]\n", *contract.min_target_rate, *contract.max_target_rate);
  if (contract.unique_id) out += "unique_id = true\n";
  if (contract.unique_file) out += "unique_file = true\n";
  if (contract.mostly != kMostly) out += fmt::format("mostly = {}\n", contract.mostly);
  if (!contract.columns.empty()) out += "\n[contract.columns]\n";
  for (const auto& rules : contract.columns) out += rules_text(spec, rules);
  return out;
}

}  // namespace

std::string toml_text(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\')
      (out += '\\') += c;
    else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
      out += fmt::format("\\u{:04X}", static_cast<unsigned char>(c));
    else
      out += c;
  }
  return out + '"';
}

std::string dataset_spec_text(const DatasetSpec& spec, const std::string& head,
                              const std::vector<std::string>& comments) {
  std::string out;
  for (size_t at = 0; at < head.size();) {
    const size_t end = std::min(head.find('\n', at), head.size());
    out += "# " + comment(std::string_view(head).substr(at, end - at)) + "\n";
    at = end + 1;
  }
  out += fmt::format("name = {}\ncolumns = [\n", toml_text(spec.name));
  for (size_t c = 0; c < spec.columns.size(); ++c) {
    out += "  " + column_text(spec.columns[c]) + ",";
    if (c < comments.size() && !comments[c].empty()) out += "  # " + comment(comments[c]);
    out += '\n';
  }
  out += "]\n";
  if (!spec.day_counts.empty()) {
    out += "day_counts = [\n";
    for (const auto& count : spec.day_counts)
      out += fmt::format("  {{ name = {}, from = {}, to = {} }},\n", toml_text(count.name),
                         toml_text(count.from), toml_text(count.to));
    out += "]\n";
  }
  if (!spec.target.empty()) {
    out += fmt::format("\n[target]\ncolumn = {}\npositive = {}\n", toml_text(spec.target),
                       value_text(spec.positive));
    if (spec.delay_days) out += fmt::format("delay_days = {}\n", *spec.delay_days);
    if (!spec.negative.empty()) out += fmt::format("negative = {}\n", value_text(spec.negative));
  }
  return out + roles_text(spec.roles) + contract_text(spec);
}

}  // namespace maeil::table
