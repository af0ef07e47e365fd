// Preparing and scoring a day in shards: what one shard makes, and the parts put together.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "loop/evaluation.h"
#include "loop/parts.h"
#include "loop/prepare_rows.h"
#include "loop/source.h"

namespace maeil::loop {
namespace {

namespace fs = std::filesystem;

// What the parts of a preparation must agree in.
store::Document prepare_inputs(const Day& day, const prep::Preparation& preparation,
                               const store::Document& raw) {
  return {{"raw_sha256", raw.value("sha256", "")},
          {"feature_spec_hash", prep::feature_spec_hash(preparation)},
          {"seed", day.settings.seed}};
}

// The header and the rows of `range` of the raw CSV, read from the store into a file that never gets its
// name: its bytes are passed in order and left as soon as the last row is there.
Result<MappedFile> fetch_rows(dag::TaskContext& context, const store::Document& raw, RowRange range,
                              const std::string& path) {
  const uint64_t total = raw.value("rows", uint64_t{0});
  const auto index = raw.value("row_offsets", store::Document());
  if (!index.is_object() || index.value("every", uint64_t{0}) != raw_step(total) ||
      !index.contains("bytes")) {
    return not_found(
        fmt::format("the raw data of {} does not say where its rows begin: run generate_data again",
                    format_date(context.logical_date)));
  }
  const auto& offsets = index["bytes"];
  const auto offset_of = [&](uint64_t row) -> Result<uint64_t> {
    const uint64_t at = row / raw_step(total);
    if (row >= total) return UINT64_MAX;
    if (!offsets.is_array() || at >= offsets.size() || !offsets[at].is_number_integer())
      return bad_input("raw_data: row_offsets is damaged: run generate_data again");
    return offsets[at].get<uint64_t>();
  };
  MAEIL_ASSIGN(const uint64_t header, offset_of(0));
  MAEIL_ASSIGN(const uint64_t first, offset_of(range.first));
  MAEIL_ASSIGN(const uint64_t last, offset_of(range.first + range.count));
  MAEIL_ASSIGN(AtomicFile file, AtomicFile::create(path, AtomicFile::Access::kPrivate));
  uint64_t at = 0;
  bool done = false;
  // the part of `bytes` in from .. to
  const auto piece = [&](std::string_view bytes, uint64_t from, uint64_t to) -> Status {
    const uint64_t begin = std::max(from, at), end = std::min(to, at + bytes.size());
    return begin < end ? file.write(bytes.substr(begin - at, end - begin)) : Status{};
  };
  const Status read = context.store.read_blob(
      store::id_text(raw.value("file_id", store::Document())), [&](std::string_view bytes) -> Status {
        MAEIL_TRY(piece(bytes, 0, std::min(header, last)));
        MAEIL_TRY(piece(bytes, first, last));
        at += bytes.size();
        done = at >= last;
        return done ? fail(ErrorCode::kCancelled, "enough") : Status{};
      });
  if (!read && !done) return tl::make_unexpected(read.error());
  return file.map();
}

// The numbers of a part's document, added up element by element.
std::vector<uint64_t> counts_from(const store::Document& part, const char* name) {
  std::vector<uint64_t> out;
  for (const auto& value : part.at("counts").value(name, store::Document::array()))
    out.push_back(value.get<uint64_t>());
  return out;
}

store::Document frame_of(const PreparedPiece& piece) {
  store::Document columns = store::Document::array();
  for (const auto& column : piece.chunk) {
    store::Document values;
    if (const auto* whole = std::get_if<std::vector<int64_t>>(&column.values))
      values = packed(*whole);
    else if (const auto* real = std::get_if<std::vector<double>>(&column.values))
      values = packed(*real);
    else
      values = std::get<std::vector<std::string>>(column.values);
    columns.push_back({{"name", column.name},
                       {"kind", std::string(1, "ids"[column.values.index()])},
                       {"values", std::move(values)}});
  }
  const std::string_view text = piece.text.view();
  return {{"text", store::Document::binary({text.begin(), text.end()})}, {"columns", std::move(columns)}};
}

Result<store::RowChunk> chunk_of(const store::Document& frame) {
  store::RowChunk chunk;
  for (const auto& column : frame.value("columns", store::Document::array())) {
    store::RowColumn out;
    out.name = column.value("name", "");
    const std::string kind = column.value("kind", "");
    if (kind == "i") {
      MAEIL_ASSIGN(out.values, unpacked<int64_t>(column.at("values")));
    } else if (kind == "d") {
      MAEIL_ASSIGN(out.values, unpacked<double>(column.at("values")));
    } else {
      out.values = column.at("values").get<std::vector<std::string>>();
    }
    chunk.push_back(std::move(out));
  }
  return chunk;
}

store::Document score_inputs(const dag::TaskContext& context, const registry::ModelVersion& version,
                             const prep::Preparation& preparation, std::string_view split,
                             const store::Document& raw) {
  return {{"model_sha256", version.sha256},
          {"rows", partition_of(context.logical_date, preparation)},
          {"raw_data_id", store::id_text(raw.at("_id"))},
          {"raw_sha256", raw.value("sha256", "")},
          {"split", split}};
}

}  // namespace

uint64_t raw_step(uint64_t rows) { return kSourceRows * std::max<uint64_t>(1, rows / (kSourceRows * 1024)); }

Result<dag::TaskOutcome> prepare_part(dag::TaskContext& context, const Day& day,
                                      const prep::Preparation& preparation) {
  MAEIL_ASSIGN(const store::Document raw, raw_document(context));
  const uint64_t total = raw.value("rows", uint64_t{0});
  const RowRange range = range_of(context.shard, total, raw_step(total));
  MAEIL_ASSIGN(auto part, PartWriter::begin(context));
  PreparedTotals totals;
  if (range.count > 0) {
    const std::string path = fs::path(day.settings.data_dir) / "parts" /
                             fmt::format("{}.{}-{}.{}.csv", format_date(context.logical_date),
                                         context.shard.index, context.shard.count, context.try_number);
    MAEIL_ASSIGN(MappedFile file, fetch_rows(context, raw, range, path));
    MAEIL_ASSIGN(
        totals, prepare_rows(context, day, preparation, std::move(file), path, range.first, range.count, true,
                             [&](PreparedPiece& piece) { return part.write_frame(frame_of(piece)); }));
  }
  store::Document examples = store::Document::array();
  for (const auto& row : totals.report.examples)
    examples.push_back({{"line", row.line}, {"reason", row.reason}});
  store::Document dates = store::Document::array();
  for (const auto& read : totals.report.dates) {
    dates.push_back({{"column", read.column},
                     {"any_read", read.any_read},
                     {"unreadable", read.unreadable},
                     {"line", read.line},
                     {"why", read.why}});
  }
  const auto& counts = totals.counts;
  return part.finish(
      context, prepare_inputs(day, preparation, raw),
      {{"rows", totals.report.rows},
       {"quarantined", totals.report.quarantined},
       {"examples", examples},
       {"dates", dates},
       {"counts",
        {{"unseen", counts.unseen}, {"nulls", counts.nulls}, {"out_of_range", counts.out_of_range}}}},
      fmt::format("rows {} to {} of {}", range.first, range.first + range.count, total));
}

Result<PreparedDay> merge_day(dag::TaskContext& context, const Day& day, const prep::Preparation& preparation,
                              const std::string& csv_path) {
  MAEIL_ASSIGN(const store::Document raw, raw_document(context));
  MAEIL_ASSIGN(const auto parts, read_parts(context, prepare_inputs(day, preparation, raw)));
  MAEIL_ASSIGN(auto writer, DayWriter::begin(context, day, preparation, raw, csv_path));
  PreparedTotals totals;
  auto& report = totals.report;
  for (const auto& part : parts) {
    MAEIL_TRY(read_part_frames(context, part, [&](const store::Document& frame) -> Status {
      MAEIL_ASSIGN(const auto chunk, chunk_of(frame));
      const auto& text = frame.at("text").get_binary();
      return writer.add(chunk, {reinterpret_cast<const char*>(text.data()), text.size()});
    }));
    report.rows += part.value("rows", uint64_t{0});
    report.quarantined += part.value("quarantined", uint64_t{0});
    for (const auto& row : part.value("examples", store::Document::array())) {
      if (report.examples.size() < table::kMaxExamples)
        report.examples.push_back({row.value("line", uint64_t{0}), row.value("reason", "")});
    }
    std::vector<table::DatesRead> dates;
    for (const auto& read : part.value("dates", store::Document::array())) {
      dates.push_back({read.value("column", ""), read.value("any_read", false),
                       read.value("unreadable", uint64_t{0}), read.value("line", uint64_t{0}),
                       read.value("why", "")});
    }
    table::add_dates(report.dates, std::move(dates));
    if (part.value("rows", uint64_t{0}) > 0)
      prep::add(totals.counts,
                {counts_from(part, "unseen"), counts_from(part, "nulls"), counts_from(part, "out_of_range")});
    context.progress("merge", static_cast<uint64_t>(part.value("shard", 0)), parts.size());
  }
  return writer.finish(context, day, preparation, totals, raw);
}

Result<dag::TaskOutcome> score_part(dag::TaskContext& context, const Day& day,
                                    const registry::ModelVersion& version, std::string_view split) {
  MAEIL_ASSIGN(auto model, registry::load_version(context.store, version, day.spec,
                                                  static_cast<int>(day.settings.nhead)));
  const auto& preparation = *model.preparation;
  MAEIL_ASSIGN(const store::Document raw, raw_document(context));
  MAEIL_TRY(ensure_prepared(context, day, preparation));
  // Cut by raw rows, whose number is known: prepared ones, less those set aside, would have to be read to be
  // counted.
  const RowRange range = range_of(context.shard, raw.value("rows", uint64_t{0}), 1);
  MAEIL_ASSIGN(const auto scorer, nn::Scorer::make(std::move(model.parameters), model.unknown));
  MAEIL_ASSIGN(const auto scores, score_split(context.store, context.logical_date, preparation, split, scorer,
                                              range.first, range.count));
  MAEIL_TRY(check_rows_of(context, preparation, raw));
  MAEIL_ASSIGN(auto part, PartWriter::begin(context));
  MAEIL_TRY(
      part.write_frame({{"probabilities", packed(scores.probabilities)}, {"labels", packed(scores.labels)}}));
  return part.finish(context, score_inputs(context, version, preparation, split, raw),
                     {{"rows", scores.labels.size()}, {"unlabelled", scores.unlabelled}},
                     fmt::format("{} rows of the {} split scored", scores.labels.size(), split));
}

Result<Scores> merge_scores(dag::TaskContext& context, const registry::ModelVersion& version,
                            const prep::Preparation& preparation, std::string_view split,
                            const store::Document& raw) {
  const store::Document inputs = score_inputs(context, version, preparation, split, raw);
  MAEIL_ASSIGN(const auto parts, read_parts(context, inputs));
  Scores out;
  for (const auto& part : parts) {
    MAEIL_TRY(read_part_frames(context, part, [&](const store::Document& frame) -> Status {
      MAEIL_ASSIGN(const auto probabilities,
                   unpacked<double>(frame.value("probabilities", store::Document())));
      MAEIL_ASSIGN(const auto labels, unpacked<uint8_t>(frame.value("labels", store::Document())));
      out.probabilities.insert(out.probabilities.end(), probabilities.begin(), probabilities.end());
      out.labels.insert(out.labels.end(), labels.begin(), labels.end());
      return {};
    }));
    out.unlabelled += part.value("unlabelled", uint64_t{0});
  }
  return out;
}

}  // namespace maeil::loop
