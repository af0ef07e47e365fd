#include "loop/prepare_rows.h"

#include <fmt/format.h>

#include "base/hash.h"
#include "loop/own_file.h"
#include "loop/processed_csv.h"
#include "prep/split.h"
#include "store/field_rules.h"

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
  chunk.push_back({day.spec.target, std::vector<int64_t>(prepared.labels.begin(), prepared.labels.end())});
  for (const auto& date : prepared.dates) chunk.push_back({date.name, date.values});
  return chunk;
}

store::Document counts_by_name(const std::vector<uint64_t>& counts, const auto& features) {
  store::Document out = store::Document::object();
  for (size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] > 0) out[features[i].name] = counts[i];
  }
  return out;
}

store::Document metadata_document(const Day& day, const prep::Preparation& preparation,
                                  const table::ReadReport& report, const prep::Counts& counts) {
  auto categorical = store::Document::array(), numeric = store::Document::array();
  store::Document cat_max = store::Document::object(), scaler = store::Document::object(),
                  imputer = store::Document::object();
  for (size_t i = 0; i < preparation.categorical.size(); ++i) {
    categorical.push_back(preparation.categorical[i].name);
    cat_max[std::to_string(i)] = preparation.categorical[i].cardinality;
  }
  for (const auto& f : preparation.numeric) {
    numeric.push_back(f.name);
    scaler[f.name] = {{"median", f.median}, {"iqr", f.iqr}};
    imputer[f.name] = f.most_frequent;
  }
  auto examples = store::Document::array();
  for (const auto& row : report.examples) examples.push_back({{"line", row.line}, {"reason", row.reason}});
  store::Document unreadable = store::Document::object();  // dates, by column
  for (const auto& dates : report.dates) {
    if (dates.unreadable > 0) unreadable[dates.column] = dates.unreadable;
  }
  return {{"dataset_name", day.spec.name},
          {"num_records", report.rows - report.quarantined},
          {"num_categorical_features", preparation.categorical.size()},
          {"num_numerical_features", preparation.numeric.size()},
          {"categorical_features", categorical},
          {"numerical_features", numeric},
          {"cat_max_dict", cat_max},
          {"status", "completed"},
          {"scaler", scaler},
          {"imputer", imputer},
          {"quarantined", {{"count", report.quarantined}, {"rows", examples}}},
          {"unseen", counts_by_name(counts.unseen, preparation.categorical)},
          {"nulls", counts_by_name(counts.nulls, preparation.numeric)},
          {"out_of_range", counts_by_name(counts.out_of_range, preparation.numeric)},
          {"unreadable", unreadable},
          {"feature_spec_hash", prep::feature_spec_hash(preparation)}};
}

}  // namespace

Result<store::Document> raw_document(const dag::TaskContext& context) {
  store::FindOptions options;
  options.filter = {{"logical_date", format_date(context.logical_date)},
                    {"superseded_by", {{"$exists", false}}}};
  MAEIL_ASSIGN(auto raw, context.store.find_one("raw_data", options));
  if (raw.is_null())
    return not_found(fmt::format("there is no raw data for {}: run generate_data first",
                                 format_date(context.logical_date)));
  using Kind = store::FieldKind;
  MAEIL_TRY(store::check_fields("raw_data", raw,
                                {{"filename", Kind::kFileName},
                                 {"file_id", Kind::kId},
                                 {"rows", Kind::kCount},
                                 {"sha256", Kind::kSha256},
                                 {"row_offsets.every", Kind::kCount},
                                 {"row_offsets.bytes[]", Kind::kCount}}));
  return raw;
}

Result<MappedFile> raw_file(dag::TaskContext& context, const store::Document& raw, const std::string& path) {
  const std::string wanted = raw.value("sha256", "");
  if (auto copy = MappedFile::open(path); copy && sha256_hex(copy->bytes()) == wanted) return copy;
  MAEIL_ASSIGN(OwnFile file, OwnFile::begin(path, [&] { return std::ref(context.store); }));
  MAEIL_TRY(context.store.read_blob(store::id_text(raw.value("file_id", store::Document())),
                                    [&](std::string_view bytes) { return file.write(bytes); }));
  if (file.sha256() != wanted)
    return bad_input(fmt::format("the raw data of {} in {} does not match its sha256",
                                 format_date(context.logical_date), context.store.description()));
  MAEIL_ASSIGN(MappedFile mapped, file.map());
  MAEIL_TRY(file.commit());
  return mapped;
}

Result<PreparedTotals> prepare_rows(dag::TaskContext& context, const Day& day,
                                    const prep::Preparation& preparation, MappedFile file,
                                    const std::string& name, uint64_t first_row, uint64_t expected,
                                    bool with_text, const std::function<Status(PreparedPiece&)>& sink) {
  PreparedTotals out;
  uint64_t done = 0;
  MAEIL_ASSIGN(out.report, table::read_csv_file_as<PreparedPiece>(
                               std::move(file), name, day.spec, {},
                               [&](const table::CsvChunk& raw_rows, PreparedPiece& piece) -> Status {
                                 std::vector<uint64_t> row_index = raw_rows.row_index;
                                 for (uint64_t& row : row_index) row += first_row;
                                 const prep::Prepared prepared =
                                     prep::transform(day.spec, preparation, raw_rows.table);
                                 const auto splits = splits_of(static_cast<uint64_t>(day.settings.seed),
                                                               context.logical_date, row_index);
                                 piece.rows = prepared.rows;
                                 piece.counts = prepared.counts;
                                 piece.chunk = row_chunk(day, preparation, prepared, row_index, splits);
                                 piece.text.clear();
                                 if (with_text) append_processed_rows(prepared, splits, piece.text);
                                 return {};
                               },
                               [&](PreparedPiece& piece) -> Status {
                                 MAEIL_TRY(sink(piece));
                                 prep::add(out.counts, piece.counts);
                                 context.progress("prepare", done += piece.rows, expected);
                                 return {};
                               }));
  for (auto& row : out.report.examples) row.line += first_row;
  for (auto& dates : out.report.dates) dates.line += first_row;
  return out;
}

Result<DayWriter> DayWriter::begin(dag::TaskContext& context, const Day& day,
                                   const prep::Preparation& preparation, const store::Document& raw,
                                   const std::string& csv_path) {
  DayWriter out;
  out.partition_ = partition_of(context.logical_date, preparation);
  const store::Document constants = {{"processing_timestamp", store::date_value(now())},
                                     {"dataset_name", day.spec.name},
                                     {"raw_data_id", raw.at("_id")},
                                     {"timestamp", store::date_value(now())},
                                     {"run_id", context.run_id},
                                     {"logical_date", format_date(context.logical_date)}};
  MAEIL_ASSIGN(out.rows_, context.store.write_rows(kRows, out.partition_, constants));
  if (!csv_path.empty()) {
    MAEIL_ASSIGN(AtomicFile file, AtomicFile::create(csv_path));
    out.csv_.emplace(std::move(file));
    MAEIL_TRY(out.csv_->write(processed_csv_header(day.spec, preparation)));
  }
  return out;
}

Status DayWriter::add(const store::RowChunk& chunk, std::string_view text) {
  MAEIL_TRY(rows_->append(chunk));
  return csv_ ? csv_->write(text) : Status{};
}

Result<PreparedDay> DayWriter::finish(dag::TaskContext& context, const Day& day,
                                      const prep::Preparation& preparation, const PreparedTotals& totals,
                                      const store::Document& raw) {
  const auto& report = totals.report;
  MAEIL_TRY(table::check_read(report, day.settings.data_path));
  if (csv_) MAEIL_TRY(csv_->commit());

  PreparedDay out;
  out.rows = report.rows - report.quarantined;
  out.quarantined = report.quarantined;
  for (const uint64_t count : totals.counts.unseen) out.unseen += count;
  for (const auto& row : report.examples)
    context.log(fmt::format("{}:{}: set aside: {}", day.settings.data_path, row.line, row.reason));
  for (const auto& line : table::describe_unreadable(report, day.settings.data_path)) context.log(line);
  MAEIL_ASSIGN(const std::string generation, rows_->finish());
  out.batch.publishes.push_back({kRows, partition_, generation});
  store::Document metadata = metadata_document(day, preparation, report, totals.counts);
  metadata["raw_data_id"] = raw.at("_id");
  metadata["raw_sha256"] = raw.value("sha256", "");
  out.batch.puts.push_back(
      {"processing_metadata", stamped(context, "processing_metadata", std::move(metadata))});
  return out;
}

}  // namespace maeil::loop
