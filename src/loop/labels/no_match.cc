#include "loop/labels/no_match.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "loop/labels/labelled_days.h"
#include "loop/labels/stored_labels.h"
#include "loop/prepared/raw_data.h"
#include "table/csv_table.h"

namespace maeil::loop {
namespace {

using store::Document;

// How many dates have scores that count.
Result<size_t> scored_dates(store::Store& store) {
  store::FindOptions present;
  present.filter = {{"superseded_by", {{"$exists", false}}}};
  present.projection = {"logical_date"};
  MAEIL_ASSIGN(const auto found, store.find("predictions", present));
  return found.size();
}

// The id of a date's first row that has one; "": none has.
Result<std::string> first_stored_id(store::Store& store, const Settings& settings,
                                    const table::DatasetSpec& spec, Days date) {
  MAEIL_ASSIGN(const Document raw, raw_document(store, date));
  const RowRange some{0, raw_step(raw.value("rows", uint64_t{0}))};
  MAEIL_ASSIGN(auto bytes, raw_rows(store, raw, some, scratch_file(settings, date, "ids")));
  auto rows = table::RowFile::own(std::move(bytes), fmt::format("the raw data of {}", format_date(date)));
  const table::DatasetSpec narrow = id_and_target(spec);
  std::string out, id;
  MAEIL_TRY(table::read_csv_file(rows, narrow, {.target_required = false, .other_label_is_none = true},
                                 [&](Table&& chunk, const std::vector<uint64_t>& numbers) -> Status {
                                   const RowIds ids(narrow, spec.roles.id, chunk);
                                   for (size_t i = 0; i < chunk.rows && out.empty(); ++i) {
                                     if (ids.text(i, numbers[i], id)) out = id;
                                   }
                                   return {};
                                 }));
  return out;
}

}  // namespace

std::string shape_of(std::string_view id) {
  constexpr size_t kMost = 40;
  std::string out;
  for (const char c : id) {
    if (out.size() == kMost) return out + "...";
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x80 && byte < 0xC0) continue;  // of a letter that is no ASCII, behind its first byte
    const bool letter = byte >= 0x80 || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    out += letter ? 'A' : c >= '0' && c <= '9' ? '9' : c;
  }
  return out;
}

Result<std::string> why_nothing_matched(store::Store& store, const Settings& settings,
                                        const table::DatasetSpec& spec, const LabelRequest& request,
                                        const LabelFile& file, const std::vector<Days>& dates,
                                        uint64_t of_pruned_days) {
  if (file.rows == 0)
    return fmt::format("{}: none of its {} rows has an id and a label", request.in, file.left_out);
  MAEIL_ASSIGN(const auto stored, stored_days(store, kEndOfTime));
  MAEIL_ASSIGN(const size_t scored, scored_dates(store));
  std::string out =
      fmt::format("{}: none of its {} labels is of a row that is stored. ", request.in, file.rows);
  out += fmt::format("Compared were {} and the day, which is {}; ", fmt::join(id_columns(spec), ", "),
                     dates.empty() ? "that of the only day with such an id (no logical_date, no --date)"
                                   : fmt::format("that of {}", describe_dates(dates)));
  if (of_pruned_days > 0)
    out += fmt::format("{} are of days past their retention (RETENTION_DAYS_RAW); ", of_pruned_days);
  if (stored.empty()) return out + "no day's rows are stored";
  out += fmt::format("stored are the rows of {}, {} scored", describe_dates({stored.rbegin(), stored.rend()}),
                     scored);
  // A day that both have tells most.
  const auto both =
      std::ranges::find_if(stored, [&](Days date) { return std::ranges::binary_search(dates, date); });
  MAEIL_ASSIGN(const std::string known,
               first_stored_id(store, settings, spec, both == stored.end() ? stored.front() : *both));
  return out + fmt::format(". An id of the file looks like {}, a stored one like {} (A a letter, 9 a digit)",
                           shape_of(file.first_id), known.empty() ? "none" : shape_of(known));
}

}  // namespace maeil::loop
