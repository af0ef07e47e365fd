#include "loop/prepared_day.h"

#include <fmt/format.h>

#include <filesystem>

#include "base/file.h"
#include "base/hash.h"
#include "loop/processed_csv.h"
#include "prep/split.h"

namespace maeil::loop {
namespace {

constexpr const char* kRows = "processed_data";

// This machine's copy of the raw CSV, fetched from the store when it is not the same bytes.
Status ensure_raw_file(dag::TaskContext& context, const store::Document& raw, const std::string& path) {
  const std::string wanted = raw.value("sha256", "");
  if (const auto file = MappedFile::open(path); file && sha256_hex(file->bytes()) == wanted) return {};
  MAEIL_ASSIGN(AtomicFile file, AtomicFile::create(path));
  Sha256 hash;
  MAEIL_TRY(context.store.read_blob(store::id_text(raw.value("file_id", store::Document())), [&](std::string_view bytes) -> Status {
    hash.update(bytes);
    return file.write(bytes);
  }));
  if (hash.hex() != wanted) return bad_input(fmt::format("the raw data of {} in {} does not match its sha256", format_date(context.logical_date), context.store.description()));
  return file.commit();
}

store::RowChunk row_chunk(const Day& day, const prep::Preparation& preparation, const prep::Prepared& prepared,
                          const std::vector<uint64_t>& row_index, const std::vector<prep::Split>& splits) {
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

store::Document metadata_document(const Day& day, const prep::Preparation& preparation, const table::ReadReport& report,
                                  const prep::Counts& counts) {
  auto categorical = store::Document::array(), numeric = store::Document::array();
  store::Document cat_max = store::Document::object(), scaler = store::Document::object(), imputer = store::Document::object();
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
          {"feature_spec_hash", prep::feature_spec_hash(preparation)}};
}

template <class T>
const std::vector<T>& values_of(const store::RowColumn& column) {
  return std::get<std::vector<T>>(column.values);
}

// Calls visit(samples) for each stored chunk with the labelled rows of one split.
Status for_each_sample_chunk(store::Store& store, Days date, const prep::Preparation& preparation, std::string_view split,
                             const std::function<Status(const Samples&)>& visit) {
  const size_t C = preparation.categorical.size(), N = preparation.numeric.size();
  Samples samples;
  return store.read_rows(kRows, partition_of(date, preparation), {}, [&](const store::RowChunk& chunk) -> Status {
    // Columns are in the order of row_chunk: row, split, C codes, N numbers, label, dates.
    if (chunk.size() < 3 + C + N) return bad_input("processed_data: the stored rows have other columns than the model reads");
    const auto& splits = values_of<std::string>(chunk[1]);
    const auto& labels = values_of<int64_t>(chunk[2 + C + N]);
    std::vector<size_t> picked;
    samples.labels.clear();
    for (size_t i = 0; i < splits.size(); ++i) {
      if (splits[i] != split || labels[i] < 0) continue;
      picked.push_back(i);
      samples.labels.push_back(static_cast<int32_t>(labels[i]));
    }
    samples.codes.resize(picked.size() * C);
    samples.numbers.resize(picked.size() * N);
    for (size_t f = 0; f < C; ++f) {
      const auto& values = values_of<int64_t>(chunk[2 + f]);
      for (size_t i = 0; i < picked.size(); ++i) samples.codes[i * C + f] = static_cast<int32_t>(values[picked[i]]);
    }
    for (size_t f = 0; f < N; ++f) {
      const auto& values = values_of<double>(chunk[2 + C + f]);
      for (size_t i = 0; i < picked.size(); ++i) samples.numbers[i * N + f] = static_cast<float>(values[picked[i]]);
    }
    return visit(samples);
  });
}

}  // namespace

std::string partition_of(Days date, const prep::Preparation& preparation) {
  return fmt::format("{}/{}", format_date(date), prep::feature_spec_hash(preparation).substr(0, 16));
}

Result<PreparedDay> prepare_day(dag::TaskContext& context, const Day& day, const prep::Preparation& preparation, const std::string& csv_path) {
  store::FindOptions options;
  options.filter = {{"logical_date", format_date(context.logical_date)}};
  MAEIL_ASSIGN(const store::Document raw, context.store.find_one("raw_data", options));
  if (raw.is_null()) return not_found(fmt::format("there is no raw data for {}: run generate_data first", format_date(context.logical_date)));
  const std::string raw_path = day.settings.data_path;
  MAEIL_TRY(ensure_raw_file(context, raw, raw_path));
  const uint64_t total = raw.value("rows", uint64_t{0});

  const std::string partition = partition_of(context.logical_date, preparation);
  MAEIL_ASSIGN(const auto writer, context.store.write_rows(kRows, partition));
  std::optional<AtomicFile> csv;
  if (!csv_path.empty()) {
    MAEIL_ASSIGN(AtomicFile file, AtomicFile::create(csv_path));
    csv.emplace(std::move(file));
    MAEIL_TRY(csv->write(processed_csv_header(day.spec, preparation)));
  }
  struct Piece {
    uint64_t rows = 0;
    store::RowChunk chunk;
    format::TextBuffer text;
    prep::Counts counts;
  };
  prep::Counts counts;
  uint64_t done = 0;
  MAEIL_ASSIGN(const auto report,
               table::read_csv_file_as<Piece>(
                   raw_path, day.spec, {},
                   [&](const table::CsvChunk& raw_rows, Piece& piece) -> Status {
                     const prep::Prepared prepared = prep::transform(day.spec, preparation, raw_rows.table);
                     const auto splits = splits_of(static_cast<uint64_t>(day.settings.seed), context.logical_date, raw_rows.row_index);
                     piece.rows = prepared.rows;
                     piece.counts = prepared.counts;
                     piece.chunk = row_chunk(day, preparation, prepared, raw_rows.row_index, splits);
                     piece.text.clear();
                     if (csv) append_processed_rows(prepared, splits, piece.text);
                     return {};
                   },
                   [&](Piece& piece) -> Status {
                     MAEIL_TRY(writer->append(piece.chunk));
                     if (csv) MAEIL_TRY(csv->write(piece.text.view()));
                     prep::add(counts, piece.counts);
                     context.progress("prepare", done += piece.rows, total);
                     return {};
                   }));
  MAEIL_TRY(table::check_quarantine(report, raw_path));
  if (csv) MAEIL_TRY(csv->commit());

  PreparedDay out;
  out.rows = report.rows - report.quarantined;
  out.quarantined = report.quarantined;
  for (const uint64_t count : counts.unseen) out.unseen += count;
  for (const auto& row : report.examples) context.log(fmt::format("{}:{}: set aside: {}", raw_path, row.line, row.reason));
  MAEIL_ASSIGN(const std::string generation, writer->finish());
  out.batch.publishes.push_back({kRows, partition, generation,
                                 {{"processing_timestamp", store::date_value(now())},
                                  {"dataset_name", day.spec.name},
                                  {"timestamp", store::date_value(now())},
                                  {"run_id", context.run_id},
                                  {"logical_date", format_date(context.logical_date)}}});
  out.batch.puts.push_back({"processing_metadata", stamped(context, "processing_metadata",
                                                           metadata_document(day, preparation, report, counts))});
  return out;
}

Status ensure_prepared(dag::TaskContext& context, const Day& day, const prep::Preparation& preparation) {
  MAEIL_ASSIGN(const auto partitions, context.store.row_partitions(kRows));
  const std::string wanted = partition_of(context.logical_date, preparation);
  for (const auto& partition : partitions) {
    if (partition == wanted) return {};
  }
  context.log("this model has other fitted values than the prepared rows: preparing them again for it");
  MAEIL_ASSIGN(const auto prepared, prepare_day(context, day, preparation, ""));
  return context.store.commit(prepared.batch);
}

Result<Samples> read_split(store::Store& store, Days date, const prep::Preparation& preparation, std::string_view split) {
  Samples out;
  MAEIL_TRY(for_each_sample_chunk(store, date, preparation, split, [&](const Samples& chunk) -> Status {
    out.codes.insert(out.codes.end(), chunk.codes.begin(), chunk.codes.end());
    out.numbers.insert(out.numbers.end(), chunk.numbers.begin(), chunk.numbers.end());
    out.labels.insert(out.labels.end(), chunk.labels.begin(), chunk.labels.end());
    return {};
  }));
  return out;
}

Result<Scores> score_split(store::Store& store, Days date, const prep::Preparation& preparation, std::string_view split,
                           const nn::Scorer& scorer) {
  Scores out;
  MAEIL_TRY(for_each_sample_chunk(store, date, preparation, split, [&](const Samples& chunk) -> Status {
    MAEIL_ASSIGN(const auto probabilities, predict_default(scorer, chunk.view().rows));
    out.probabilities.insert(out.probabilities.end(), probabilities.begin(), probabilities.end());
    out.labels.insert(out.labels.end(), chunk.labels.begin(), chunk.labels.end());
    return {};
  }));
  return out;
}

Result<SplitSizes> split_sizes(store::Store& store, Days date, const prep::Preparation& preparation) {
  SplitSizes out;
  MAEIL_TRY(store.read_rows(kRows, partition_of(date, preparation), {"split"}, [&](const store::RowChunk& chunk) -> Status {
    for (const auto& split : values_of<std::string>(chunk[0])) ++(split == "train" ? out.train : split == "fine" ? out.fine : out.test);
    return {};
  }));
  return out;
}

Result<std::vector<double>> predict_default(const nn::Scorer& scorer, const nn::Rows& rows) {
  std::vector<float> logits(rows.count * 2);
  MAEIL_TRY(scorer.score(rows, logits));
  std::vector<double> out(rows.count);
  nn::probabilities(logits, out);
  return out;
}

}  // namespace maeil::loop
