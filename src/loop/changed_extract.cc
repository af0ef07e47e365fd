#include "loop/changed_extract.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <span>
#include <vector>

#include "base/file.h"
#include "base/hash.h"
#include "prep/row_split.h"
#include "table/csv_table.h"

namespace maeil::loop {
namespace {

struct RowHash {
  uint64_t id, row;
  auto operator<=>(const RowHash&) const = default;
};

// A hash of each row's values, whatever the file's dialect: texts as texts, numbers by their value.
std::vector<uint64_t> row_hashes(const Table& chunk) {
  std::vector<uint64_t> out(chunk.rows, 0);
  const auto add = [](uint64_t& hash, std::string_view bytes) { hash = hash64(bytes, hash + 1); };
  for (const Column& column : chunk.columns) {
    for (size_t i = 0; i < chunk.rows; ++i) {
      if (column.is_missing(i)) {
        add(out[i], std::string_view("\0", 1));
      } else if (column.type == ColumnType::kNumber) {
        const double value = column.numbers[i] == 0 ? 0 : column.numbers[i];  // -0 is 0
        add(out[i], {reinterpret_cast<const char*>(&value), sizeof value});
      } else {
        add(out[i], column.text(i));
      }
    }
  }
  return out;
}

Result<std::vector<RowHash>> hashes_of(table::RowFile& file, const table::DatasetSpec& spec) {
  std::vector<RowHash> out;
  const bool has_ids = !spec.roles.id.empty();
  MAEIL_TRY(table::read_csv_file(file, spec, {.target_required = false, .any_target = true},
                                 [&](Table&& chunk, const std::vector<uint64_t>&) -> Status {
                                   const auto rows = row_hashes(chunk);
                                   std::vector<std::optional<uint64_t>> ids(chunk.rows);
                                   if (has_ids) ids = prep::id_hashes(spec, chunk);
                                   for (size_t i = 0; i < chunk.rows; ++i)
                                     out.push_back({ids[i].value_or(rows[i]), rows[i]});
                                   return {};
                                 }));
  std::ranges::sort(out);
  return out;
}

// One id's rows in both, each sorted: equal ones are the same, what is left pairs up as altered.
void count_id(std::span<const RowHash> before, std::span<const RowHash> now, ExtractChange& out) {
  uint64_t same = 0;
  for (size_t a = 0, b = 0; a < before.size() && b < now.size();) {
    if (before[a].row == now[b].row)
      ++same, ++a, ++b;
    else
      ++(before[a].row < now[b].row ? a : b);
  }
  const uint64_t gone = before.size() - same, come = now.size() - same;
  const uint64_t altered = std::min(gone, come);
  out.same += same;
  out.altered += altered;
  out.removed += gone - altered;
  out.added += come - altered;
}

ExtractChange compare(const std::vector<RowHash>& before, const std::vector<RowHash>& now) {
  ExtractChange out;
  const auto run = [](const std::vector<RowHash>& rows, size_t from, uint64_t id) {
    size_t end = from;
    while (end < rows.size() && rows[end].id == id) ++end;
    return std::span(rows).subspan(from, end - from);
  };
  for (size_t a = 0, b = 0; a < before.size() || b < now.size();) {
    const uint64_t id = a == before.size() ? now[b].id
                        : b == now.size()  ? before[a].id
                                           : std::min(before[a].id, now[b].id);
    const auto old_rows = run(before, a, id), new_rows = run(now, b, id);
    count_id(old_rows, new_rows, out);
    a += old_rows.size(), b += new_rows.size();
  }
  return out;
}

// The date's rows out of the store, in a file without a name.
Result<MappedFile> raw_bytes(store::Store& store, const Settings& settings, const store::Document& raw) {
  const std::string date = raw.value("logical_date", "");
  if (raw.contains("pruned"))
    return not_found(fmt::format("the rows of {} are past their retention (RETENTION_DAYS_RAW)", date));
  const auto path = std::filesystem::path(settings.data_dir) / "parts" / fmt::format("{}.before.csv", date);
  MAEIL_ASSIGN(AtomicFile file, AtomicFile::create(path, AtomicFile::Access::kPrivate));
  MAEIL_TRY(store.read_blob(store::id_text(raw.value("file_id", store::Document())),
                            [&](std::string_view bytes) { return file.write(bytes); }));
  return file.map();
}

}  // namespace

Result<ExtractChange> compare_extract(store::Store& store, const Settings& settings,
                                      const table::DatasetSpec& spec, const store::Document& raw,
                                      table::RowFile& file) {
  MAEIL_ASSIGN(MappedFile bytes, raw_bytes(store, settings, raw));
  auto stored = table::RowFile::own(std::move(bytes), "the rows of " + raw.value("logical_date", ""));
  MAEIL_ASSIGN(const auto before, hashes_of(stored, spec));
  MAEIL_ASSIGN(const auto now, hashes_of(file, spec));
  return compare(before, now);
}

std::string describe(const ExtractChange& change, const table::DatasetSpec& spec) {
  if (!change.any()) return fmt::format("the same {} rows, written otherwise", change.same);
  return fmt::format("{} row{} added, {} removed, {} altered, {} the same{}", change.added,
                     change.added == 1 ? "" : "s", change.removed, change.altered, change.same,
                     spec.roles.id.empty() ? "; [roles] names no id, so that an altered row counts as both"
                                           : fmt::format(" (by {})", fmt::join(spec.roles.id, ", ")));
}

}  // namespace maeil::loop
