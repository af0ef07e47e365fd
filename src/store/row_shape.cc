#include "store/row_shape.h"

#include <fmt/format.h>

namespace maeil::store {
namespace {

constexpr size_t kMaxColumns = 10000;

Status check_name(const std::string& label, const std::string& name) {
  const Document as_field = Document::object({{name, 0}});
  if (const Status valid = check_document(as_field); !valid) return with_context(label, valid.error());
  try {
    (void)as_field.dump();
  } catch (const nlohmann::json::exception&) {
    return bad_input(fmt::format("{}: a column's name is not UTF-8", label));
  }
  return {};
}

}  // namespace

size_t row_count(const decltype(RowColumn::values)& values) {
  return std::visit([](const auto& v) { return v.size(); }, values);
}

Status check_row_shape(const std::string& label, const RowChunk& columns, bool first, const RowChunk& chunk) {
  if (chunk.size() > kMaxColumns)
    return bad_input(fmt::format("{}: {} columns, more than {}", label, chunk.size(), kMaxColumns));
  if (!first && chunk.size() != columns.size()) {
    return internal_error(
        fmt::format("{}: a chunk has {} columns, the first one {}", label, chunk.size(), columns.size()));
  }
  for (size_t i = 0; i < chunk.size(); ++i) {
    const auto& column = chunk[i];
    if (row_count(column.values) != row_count(chunk[0].values))
      return internal_error(
          fmt::format("{}: column {} has another length than the first", label, column.name));
    if (!first) {
      if (column.name == columns[i].name && column.values.index() == columns[i].values.index()) continue;
      return internal_error(fmt::format("{}: column {} is not the first chunk's column {}", label,
                                        column.name, columns[i].name));
    }
    if (column.name == "_id") return bad_input(fmt::format("{}: a column may not be called _id", label));
    for (size_t j = 0; j < i; ++j) {
      if (chunk[j].name == column.name)
        return bad_input(fmt::format("{}: two columns are called {}", label, column.name));
    }
    MAEIL_TRY(check_name(label, column.name));
  }
  return {};
}

}  // namespace maeil::store
