#include "loop/labels/row_ids.h"

#include <algorithm>

#include "base/hash.h"
#include "format/csv.h"
#include "table/dates.h"

namespace maeil::loop {

RowKey row_key(std::string_view id) { return {hash64(id, 1), hash64(id, 2)}; }

std::vector<std::string> id_columns(const table::DatasetSpec& spec) {
  return spec.roles.id.empty() ? std::vector<std::string>{kRowColumn} : spec.roles.id;
}

table::DatasetSpec id_and_target(const table::DatasetSpec& spec) {
  table::DatasetSpec out = spec;
  std::erase_if(out.columns, [&](const table::SpecColumn& column) {
    return column.name != spec.target && std::ranges::find(spec.roles.id, column.name) == spec.roles.id.end();
  });
  out.day_counts.clear();
  out.constraints.clear();
  return out;
}

RowIds::RowIds(const table::DatasetSpec& spec, const std::vector<std::string>& columns, const Table& chunk) {
  for (const auto& name : columns) {
    Id id{chunk.find(name), {}};
    const table::SpecColumn* column = spec.find(name);
    if (column && column->type == table::SpecType::kDate) {
      const auto& texts = id.column->dictionary;
      const auto days = table::days_of_texts(texts, column->format);
      for (size_t i = 0; i < texts.size(); ++i) id.days.push_back(days[i] ? format_date(*days[i]) : texts[i]);
    }
    ids_.push_back(std::move(id));
  }
}

bool RowIds::text(size_t row, uint64_t number, std::string& out) const {
  out.clear();
  if (ids_.empty()) {
    out = std::to_string(number);
    return true;
  }
  for (const Id& id : ids_) {
    if (id.column->is_missing(row)) return false;
    if (&id != &ids_.front()) out += ',';
    const uint32_t code = id.column->codes[row];
    const std::string& text = id.days.empty() ? id.column->dictionary[code] : id.days[code];
    if (ids_.size() == 1)
      out += text;
    else
      format::append_csv_text(out, text);
  }
  return true;
}

}  // namespace maeil::loop
