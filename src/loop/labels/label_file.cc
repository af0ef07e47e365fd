#include "loop/labels/label_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "format/csv.h"
#include "loop/arriving_file.h"
#include "loop/file_rows.h"
#include "loop/query_rows.h"
#include "table/csv_table.h"
#include "table/dates.h"

namespace maeil::loop {
namespace {

constexpr const char* kLogicalDate = "logical_date";
constexpr const char* kObservedAt = "observed_at";

// 64 bytes and an id each: less than a hundred MB beside a day.
constexpr uint64_t kLabelsInMemory = 1 << 20;

table::DatasetSpec label_file_spec(const table::DatasetSpec& spec) {
  table::DatasetSpec out = id_and_target(spec);
  if (spec.roles.id.empty()) out.columns.push_back({.name = kRowColumn});
  const auto add = [&](const std::string& name) {
    if (name.empty() || out.find(name)) return;
    const table::SpecColumn* known = spec.find(name);
    table::SpecColumn column{.name = name, .type = table::SpecType::kDate};
    if (known && known->type == table::SpecType::kDate) column.format = known->format;
    column.optional = true;
    out.columns.push_back(std::move(column));
  };
  for (const auto& name : {std::string(kLogicalDate), spec.roles.time, std::string(kObservedAt)}) add(name);
  return out;
}

// The days of a column's rows; nothing where it is missing. kBadInput: a text that is no date.
std::function<Result<std::optional<Days>>(size_t row)> days_of(const table::DatasetSpec& spec,
                                                               const Table& chunk, const std::string& name) {
  const Column* column = name.empty() ? nullptr : chunk.find(name);
  if (!column) return [](size_t) -> Result<std::optional<Days>> { return std::optional<Days>(); };
  return [column, of_text = table::days_of_texts(column->dictionary, spec.find(name)->format)](
             size_t row) -> Result<std::optional<Days>> {
    if (column->is_missing(row)) return std::optional<Days>();
    if (const auto& day = of_text[column->codes[row]]) return day;
    return bad_input(fmt::format("'{}' of column {} is no date that can be read",
                                 format::clip_utf8(column->text(row), 40), column->name));
  };
}

Result<table::RowFile> own_rows(const AtomicFile& copy, const std::string& name) {
  MAEIL_ASSIGN(MappedFile bytes, copy.map());
  return table::RowFile::own(std::move(bytes), name);
}

}  // namespace

Result<LabelFile> read_label_file(const Settings& settings, const table::DatasetSpec& spec,
                                  const LabelRequest& request, const std::string& scratch,
                                  const Watcher& watcher) {
  const table::DatasetSpec narrow = label_file_spec(spec);
  LabelFile out;
  out.labels = std::make_shared<LabelSpool>(scratch + ".spool", kLabelsInMemory);
  TakenFiles copy;
  if (is_query(request.in)) {
    MAEIL_ASSIGN(TakenQuery taken, take_query(settings, request.in,
                                              request.asked_for ? request.asked_for : request.date, scratch));
    out.facts = std::move(taken.facts);
    out.facts["source_dialect"] = std::move(taken.how);
    copy = {request.in, {}, taken.sha256};
    copy.files.push_back({request.in, request.in, {std::move(taken.copy), taken.sha256}});
  } else {
    MAEIL_ASSIGN(copy, take_files(request.in, scratch));
  }
  out.sha256 = copy.sha256;
  out.copy = std::make_shared<const TakenFiles>(std::move(copy));
  auto opened = is_query(request.in) ? own_rows(out.copy->files.front().bytes.copy, request.in)
                                     : out.copy->open(&narrow);
  if (!opened) return tl::make_unexpected(opened.error());
  table::RowFile file = std::move(*opened);
  const auto columns = id_columns(spec);
  std::string id;
  uint64_t positives = 0;
  const auto wrong = [&](uint64_t record, const std::string& what) {
    return bad_input(fmt::format("{}: row {}: {}", request.in, record + 1, what));
  };
  MAEIL_ASSIGN(
      out.read,
      table::read_csv_file(
          file, narrow, {}, [&](Table&& chunk, const std::vector<uint64_t>& records) -> Status {
            const RowIds ids(narrow, columns, chunk);
            const Column& target = *chunk.find(spec.target);
            const auto date = days_of(narrow, chunk, kLogicalDate),
                       time = days_of(narrow, chunk, spec.roles.time),
                       observed = days_of(narrow, chunk, kObservedAt);
            for (size_t i = 0; i < chunk.rows; ++i) {
              if (target.is_missing(i) || !ids.text(i, records[i], id)) {
                ++out.left_out;
                continue;
              }
              FileLabel label;
              for (const auto& [day_of, to] :
                   {std::pair(&time, &label.date), {&date, &label.date}, {&observed, &label.observed}}) {
                const auto day = (*day_of)(i);
                if (!day) return wrong(records[i], day.error().message);
                if (*day) *to = *day;
              }
              if (request.date && label.date && *label.date != *request.date) {
                return usage_error(fmt::format("{}: row {} is of {}, and --date says {}", request.in,
                                               records[i] + 1, format_date(*label.date),
                                               format_date(*request.date)));
              }
              if (request.date) label.date = request.date;
              if (!label.observed) label.observed = request.observed;
              if (label.observed && *label.observed > request.today) {
                return wrong(records[i],
                             fmt::format("its label is known on {}, which is after {}",
                                         format_date(*label.observed), format_date(request.today)));
              }
              label.key = row_key(id);
              label.label = target.text(i) == narrow.positive;
              positives += label.label;
              label.record = records[i];
              if (out.rows++ == 0) out.first_id = id;
              MAEIL_TRY(out.labels->add(label, id));
            }
            return {};
          }));
  note_read(out.read, request.in, watcher);
  MAEIL_TRY(table::check_read(out.read, request.in));
  // One word for all, where the spec does not name the negative value, may be the positive one in other
  // letters.
  if (positives == 0 && !out.read.negative.empty()) {
    watcher.note(
        fmt::format("{}: column '{}': no label is '{}', which is positive, and all that are '{}' count "
                    "as negative ([target] of {} names none)",
                    request.in, spec.target, spec.positive, format::clip_utf8(out.read.negative, 40),
                    spec.file),
        true);
  }
  return out;
}

}  // namespace maeil::loop
