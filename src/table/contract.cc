#include "table/contract.h"

#include <fmt/format.h>

#include <cmath>

#include "base/hash.h"
#include "table/dataset_spec.h"

namespace maeil::table {

std::string bound_text(double bound, bool is_date) {
  if (is_date) return format_date(Days(std::chrono::days(std::llround(bound))));
  return fmt::format("{}", bound == 0 ? 0.0 : bound);
}

std::string contract_hash(const DatasetSpec& spec) {
  // A line for each thing that counts, its texts behind their lengths so that no two contracts have one text.
  std::string text;
  const auto say = [&](std::string_view key, std::string_view value) {
    text += fmt::format("{} {}:{}\n", key, value.size(), value);
  };
  const auto number = [&](std::string_view key, const auto& value) {
    if (value) say(key, fmt::format("{}", *value));
  };
  for (const auto& column : spec.columns) {
    say("column", column.name);
    say("type", fmt::format("{}{}{}{}", static_cast<int>(column.type), column.thousands ? " thousands" : "",
                            column.optional ? " optional" : "", column.missing_words ? " words" : ""));
    if (column.format) say("format", column.format->text());
  }
  say("target", spec.target);
  say("positive", spec.positive);
  say("negative", spec.negative);
  const Contract& contract = spec.contract;
  number("min_rows", contract.min_rows);
  number("max_rows", contract.max_rows);
  number("min_target_rate", contract.min_target_rate);
  number("max_target_rate", contract.max_target_rate);
  if (contract.unique_id) {
    for (const auto& id : spec.roles.id) say("unique_id", id);
  }
  if (contract.unique_file) say("unique_file", "");
  say("mostly", fmt::format("{}", contract.mostly));
  for (const auto& column : contract.columns) {
    say("rules", column.column);
    number("min", column.min);
    number("max", column.max);
    for (const double value : column.allowed_numbers) say("allowed", fmt::format("{}", value));
    for (const auto& value : column.allowed_texts) say("allowed", value);
    number("max_missing", column.max_missing);
    number("mostly", column.mostly);
  }
  return sha256_hex(text);
}

}  // namespace maeil::table
