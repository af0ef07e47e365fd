#include "loop/prepared/prepare.h"

#include <fmt/format.h>

#include <optional>

#include "dag/task_history.h"
#include "loop/prepared/processed_csv.h"
#include "loop/prepared/raw_data.h"
#include "prep/row_split.h"

namespace maeil::loop {
namespace {

store::RowChunk row_chunk(const Day& day, const prep::Preparation& preparation,
                          const prep::Prepared& prepared, const std::vector<uint64_t>& row_index,
                          const std::vector<prep::Split>& splits) {
  const size_t B = prepared.rows, C = preparation.categorical.size(), N = preparation.numeric.size();
  store::RowChunk chunk;
  std::vector<int64_t> rows(row_index.begin(), row_index.end());
  chunk.push_back({"row", std::move(rows)});
  std::vector<std::string> split_names;
  for (const prep::Split split : splits) split_names.emplace_back(prep::to_string(split));
  chunk.push_back({"split", std::move(split_names)});
  for (size_t f = 0; f < C; ++f) {
    std::vector<int64_t> values(B);
    for (size_t i = 0; i < B; ++i) values[i] = prepared.codes[i * C + f];
    chunk.push_back({preparation.categorical[f].name, std::move(values)});
  }
  for (size_t f = 0; f < N; ++f) {
    std::vector<double> values(B);
    for (size_t i = 0; i < B; ++i) values[i] = prepared.numbers[i * N + f];
    chunk.push_back({preparation.numeric[f].name, std::move(values)});
  }
  chunk.push_back({prep::spec_of(preparation, day.spec).target,
                   std::vector<int64_t>(prepared.labels.begin(), prepared.labels.end())});
  for (const auto& date : prepared.dates) chunk.push_back({date.name, date.values});
  return chunk;
}

bool splits_by_key(const table::DatasetSpec& spec) {
  return !spec.roles.group.empty() || !spec.roles.id.empty();
}

}  // namespace

Result<Preparing> Preparing::begin(dag::TaskContext& context, const Day& day,
                                   const prep::Preparation& preparation, std::string csv_path) {
  MAEIL_ASSIGN(store::Document raw, raw_document(context));
  MAEIL_ASSIGN(ValidatedRows validated, validated_rows(context.store, context.logical_date, day.spec, raw));
  return Preparing(context, day, preparation, std::move(csv_path), std::move(raw), std::move(validated));
}

Result<PreparedTotals> Preparing::make(RowRange range, const Sink& sink) {
  if (range.count == 0) return PreparedTotals();
  MAEIL_ASSIGN(auto from, rows_to_read(context_, day_.settings, raw_, range));
  const uint64_t first_row = from.first_row;
  const table::DatasetSpec& spec = prep::spec_of(preparation_, day_.spec);
  PreparedTotals out;
  uint64_t done = 0;
  auto csv = table::RowFile::own(std::move(from.file), from.name);
  MAEIL_ASSIGN(
      out.report,
      table::read_csv_file_as<PreparedPiece>(
          csv, spec,
          {.target_required = !raw_.contains("source_sha256"),
           .other_label_is_none = true,
           .set_aside = &validated_.set_aside,
           .first_row = first_row},
          [&](const table::CsvChunk& rows, PreparedPiece& piece) -> Status {
            std::vector<uint64_t> row_index = rows.row_index;
            for (uint64_t& row : row_index) row += first_row;
            const prep::Prepared prepared = prep::transform(spec, preparation_, rows.table);
            const auto seed = static_cast<uint64_t>(day_.settings.seed);
            const prep::Keys keys = prep::key_hashes(spec, rows.table);
            const auto splits = prep::splits_of(keys, seed, context_.logical_date, row_index);
            piece.rows = prepared.rows;
            piece.counts = prepared.counts;
            piece.chunk = row_chunk(day_, preparation_, prepared, row_index, splits);
            if (splits_by_key(spec)) {
              const auto kept = prep::validation_of(keys, seed, context_.logical_date, row_index);
              piece.chunk.push_back({kValidationField, std::vector<int64_t>(kept.begin(), kept.end())});
            }
            piece.text.clear();
            if (!csv_path_.empty()) append_processed_rows(prepared, splits, piece.text);
            return {};
          },
          [&](PreparedPiece& piece) -> Status {
            MAEIL_TRY(sink(piece));
            prep::add(out.counts, piece.counts);
            context_.progress("prepare", done += piece.rows, from.expected);
            return {};
          }));
  table::shift_lines(out.report, first_row);
  return out;
}

Result<PreparedDay> Preparing::store_rows(const Rows& all) {
  std::optional<DayWriter> writer;  // once there is something to write: a part may be missing
  const auto begin_writer = [&]() -> Status {
    if (writer) return {};
    MAEIL_ASSIGN(DayWriter begun,
                 DayWriter::begin(context_, day_, preparation_, raw_, validated_.validation_id, csv_path_));
    writer.emplace(std::move(begun));
    return {};
  };
  MAEIL_ASSIGN(const PreparedTotals totals, all([&](PreparedPiece& piece) -> Status {
                 MAEIL_TRY(begin_writer());
                 return writer->add(piece.chunk, piece.text.view());
               }));
  MAEIL_TRY(begin_writer());
  return writer->finish(context_, day_, preparation_, totals, raw_);
}

bool are_rows_of(const store::Document& rows, const store::Document& raw, const Validated& by) {
  return rows.value("raw_data_id", store::Document()) == raw.at("_id") &&
         store::id_text(rows.value("validation_id", store::Document())) == by.id;
}

Status ensure_prepared(dag::TaskContext& context, const Day& day, const prep::Preparation& preparation) {
  MAEIL_ASSIGN(const store::Document raw, raw_document(context));
  const auto rows = context.store.row_constants(kRows, partition_of(context.logical_date, preparation));
  if (!rows && rows.error().code != ErrorCode::kNotFound) return tl::make_unexpected(rows.error());
  MAEIL_ASSIGN(const Validated by, validated(context.store, context.logical_date, day.spec, raw));
  if (rows && are_rows_of(*rows, raw, by)) return {};
  context.log(rows
                  ? "the prepared rows are of other raw data, or others were set aside: preparing them again"
                  : "this model has other fitted values than the prepared rows: preparing them again for it");
  MAEIL_ASSIGN(auto work, Preparing::begin(context, day, preparation, ""));
  MAEIL_ASSIGN(auto prepared, work.store_rows([&](const auto& sink) { return work.make(kAllRows, sink); }));
  // Committed before the task is done, under the task's own ids: a try that is repeated writes the same
  // again.
  MAEIL_TRY(dag::link_to_earlier(context.store, context.name(), context.completions, prepared.batch));
  if (context.fence) context.fence(prepared.batch);
  return context.store.commit(prepared.batch);
}

}  // namespace maeil::loop
