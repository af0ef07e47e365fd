#include "loop/labels/stored_labels.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "loop/prepared/raw_data.h"
#include "loop/validate_data.h"
#include "prep/columns.h"
#include "store/field_rules.h"
#include "table/csv_table.h"

namespace maeil::loop {

using store::Document;

std::string label_partition(Days date, std::string_view import_id) {
  return fmt::format("{}/{}", format_date(date), import_id);
}

namespace {

// Whether an import's labels are of the present rows of a date: without ids they are by the rows' numbers.
bool is_of(const Document& import, Days date, const std::string& raw_data_id) {
  for (const auto& day : import.value("days", Document::array())) {
    if (day.value("logical_date", "") == format_date(date))
      return store::id_text(day.value("raw_data_id", Document())) == raw_data_id;
  }
  return false;
}

}  // namespace

Result<std::vector<Document>> imports_of(store::Store& store, const table::DatasetSpec& spec, Days date) {
  store::FindOptions options;
  options.filter = {{"logical_dates", format_date(date)}};
  options.sort = {{"number", 1}};
  MAEIL_ASSIGN(auto found, store.find(kLabels, options));
  using Kind = store::FieldKind;
  constexpr auto kRefused = store::FieldRule::Missing::kRefused;
  for (const auto& document : found) {
    MAEIL_TRY(store::check_fields(kLabels, document,
                                  {{"_id", Kind::kId, kRefused},
                                   {"number", Kind::kCount, kRefused},
                                   {"observed_from", Kind::kText, kRefused},
                                   {"observed_to", Kind::kText, kRefused},
                                   {"logical_dates[]", Kind::kText},
                                   {"days[].logical_date", Kind::kText},
                                   {"days[].matched", Kind::kCount},
                                   {"days[].added", Kind::kCount},
                                   {"days[].changed", Kind::kCount}}));
    // A label is 0 or 1 as the dataset's target was then.
    const std::string positive = store::text_field(document, "positive");
    if (!positive.empty() && positive != spec.positive) {
      return bad_input(
          fmt::format("{}: positive of [target] is '{}', and labels of {} were imported where it was '{}': "
                      "they would mean "
                      "the opposite; put it back, or use another store for the new target",
                      spec.file, spec.positive, format_date(date), positive));
    }
  }
  if (found.empty() || !spec.roles.id.empty()) return found;
  MAEIL_ASSIGN(const Document raw, raw_document(store, date));
  const std::string raw_data_id = store::id_text(raw.at("_id"));
  std::erase_if(found, [&](const Document& import) { return !is_of(import, date, raw_data_id); });
  return found;
}

Status add_labels(store::Store& store, Days date, const std::vector<Document>& imports,
                  LabelHistory& history) {
  for (const auto& import : imports) {
    const std::string partition = label_partition(date, store::id_text(import.at("_id")));
    const auto wrong = [&](std::string_view what) {
      return bad_input(fmt::format("{}: the rows of {} are damaged ({})", kLabelRows, partition, what));
    };
    MAEIL_TRY(store.read_rows(
        kLabelRows, partition, {"id", "label", "observed_at"}, [&](const store::RowChunk& chunk) -> Status {
          if (chunk.size() != 3) return wrong("other columns");
          const auto* ids = std::get_if<std::vector<std::string>>(&chunk[0].values);
          const auto* labels = std::get_if<std::vector<int64_t>>(&chunk[1].values);
          const auto* observed = std::get_if<std::vector<std::string>>(&chunk[2].values);
          if (!ids || !labels || !observed) return wrong("other columns");
          for (size_t i = 0; i < ids->size(); ++i) {
            const auto day = parse_date((*observed)[i]);
            if (!day || ((*labels)[i] != 0 && (*labels)[i] != 1)) return wrong("a label or its day");
            history.add_label(row_key((*ids)[i]), *day, static_cast<int>((*labels)[i]));
          }
          return {};
        }));
  }
  return {};
}

namespace {

// Of a day that broke its contract, or was not held against it, none is set aside.
Result<table::SetAside> rows_set_aside(store::Store& store, Days date, const table::DatasetSpec& spec,
                                       const Document& raw) {
  const auto said = validated(store, date, spec, raw);
  if (!said && (said.error().code == ErrorCode::kBadInput || said.error().code == ErrorCode::kNotFound))
    return table::SetAside();
  MAEIL_ASSIGN(auto rows, validated_rows(store, date, spec, raw));
  return std::move(rows.set_aside);
}

}  // namespace

Status add_rows(store::Store& store, const Settings& settings, const table::DatasetSpec& spec, Days date,
                const Document& raw, LabelHistory& history) {
  const table::DatasetSpec narrow = id_and_target(spec);
  const RowRange all{0, raw.value("rows", uint64_t{0})};
  MAEIL_ASSIGN(auto bytes, raw_rows(store, raw, all, scratch_file(settings, date, "ids")));
  auto file = table::RowFile::own(std::move(bytes), fmt::format("the raw data of {}", format_date(date)));
  const size_t target = prep::column_index(narrow, narrow.target);
  MAEIL_ASSIGN(const auto aside, rows_set_aside(store, date, spec, raw));
  std::string id;
  MAEIL_TRY(table::read_csv_file(file, narrow, {.target_required = false, .other_label_is_none = true},
                                 [&](Table&& chunk, const std::vector<uint64_t>& numbers) -> Status {
                                   const RowIds ids(narrow, spec.roles.id, chunk);
                                   const Column& labels = chunk.columns[target];
                                   for (size_t i = 0; i < chunk.rows; ++i) {
                                     if (!ids.text(i, numbers[i], id)) continue;
                                     const int label = labels.is_missing(i)                ? kNoLabel
                                                       : labels.text(i) == narrow.positive ? 1
                                                                                           : 0;
                                     // Of two rows of one id the one that is left out says nothing of the
                                     // other.
                                     const bool out = std::ranges::binary_search(aside.rows, numbers[i]);
                                     history.add_row(row_key(id), date, out ? kNoLabel : label, out);
                                   }
                                   return {};
                                 }));
  return {};
}

Result<LabelHistory> history_of(store::Store& store, const Settings& settings, const table::DatasetSpec& spec,
                                Days date, const Document& raw) {
  LabelHistory out;
  MAEIL_TRY(add_rows(store, settings, spec, date, raw, out));
  MAEIL_ASSIGN(const auto imports, imports_of(store, spec, date));
  MAEIL_TRY(add_labels(store, date, imports, out));
  out.sort();
  return out;
}

std::string scratch_file(const Settings& settings, Days date, std::string_view what) {
  return std::filesystem::path(settings.data_dir) / "parts" /
         fmt::format("{}.{}.csv", format_date(date), what);
}

}  // namespace maeil::loop
