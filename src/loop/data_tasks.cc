// data_pipeline_dag: generate_data -> preprocess_data.
#include <fmt/format.h>

#include <filesystem>

#include "base/file.h"
#include "base/hash.h"
#include "loop/own_file.h"
#include "loop/parts.h"
#include "loop/pipelines.h"
#include "loop/prepared_day.h"
#include "loop/source.h"
#include "loop/tasks.h"
#include "registry/model_file.h"
#include "registry/versions.h"

namespace maeil::loop {
namespace {

using dag::TaskContext;
using dag::TaskOutcome;

// Where in the raw CSV each `every`-th row begins, so that a shard can read its own rows: about a thousand
// places at most.
class RowOffsets {
 public:
  explicit RowOffsets(uint64_t rows) : every_(raw_step(rows)) {}
  void row_begins(uint64_t row, uint64_t offset) {
    if (row % every_ == 0) offsets_.push_back(offset);
  }
  store::Document document() const {
    return {{"every", every_},
            {"bytes", offsets_.empty() ? store::Document::array() : store::Document(offsets_)}};
  }

 private:
  const uint64_t every_;
  std::vector<uint64_t> offsets_;
};

// What the parts of a day's raw data must agree in: files by their bytes, since workers may have different
// ones of one name.
Result<store::Document> generate_inputs(const Day& day, const Source& source) {
  store::Document out = {{"rows", day.rows}, {"seed", day.settings.seed}, {"source", source.description}};
  if (!source.scenario.empty()) out["scenario"] = source.scenario;
  for (const auto& [key, path] : source.files) {
    MAEIL_ASSIGN(const auto file, MappedFile::open(path));
    out[key] = sha256_hex(file.bytes());
  }
  return out;
}

// The lines of this shard's rows, and where they begin in its part.
Result<TaskOutcome> generate_part(const Day& day, TaskContext& context, const Source& source) {
  const auto total = static_cast<uint64_t>(day.rows);
  const RowRange range = range_of(context.shard, total, raw_step(total));
  MAEIL_ASSIGN(const auto inputs, generate_inputs(day, source));
  MAEIL_ASSIGN(auto part, PartWriter::begin(context));
  RowOffsets offsets(total);
  uint64_t bytes = 0;
  MAEIL_TRY(write_csv_lines(
      source, context.logical_date, range.first, range.count, static_cast<uint64_t>(day.settings.seed),
      [&](std::string_view piece) {
        bytes += piece.size();
        return part.write(piece);
      },
      [&](uint64_t row) { offsets.row_begins(row, bytes); },
      [&](uint64_t done) { context.progress("generate", done, range.count); }));
  return part.finish(context, inputs, {{"offsets", offsets.document()["bytes"]}, {"bytes", bytes}},
                     fmt::format("rows {} to {} of {}", range.first, range.first + range.count, total));
}

// The whole CSV: drawn here, or put together from the parts of the shards.
Status write_whole(const Day& day, TaskContext& context, const Source& source, RowOffsets& offsets,
                   const ByteSink& sink) {
  const auto total = static_cast<uint64_t>(day.rows);
  const std::string header = csv_header(source);
  MAEIL_TRY(sink(header));
  uint64_t bytes = header.size();
  if (!context.shard.merges()) {
    return write_csv_lines(
        source, context.logical_date, 0, total, static_cast<uint64_t>(day.settings.seed),
        [&](std::string_view piece) {
          bytes += piece.size();
          return sink(piece);
        },
        [&](uint64_t row) { offsets.row_begins(row, bytes); },
        [&](uint64_t done) { context.progress("generate", done, total); });
  }
  MAEIL_ASSIGN(const auto inputs, generate_inputs(day, source));
  MAEIL_ASSIGN(const auto parts, read_parts(context, inputs));
  uint64_t row = 0;
  for (const auto& part : parts) {
    for (const auto& offset : part.value("offsets", store::Document::array())) {
      offsets.row_begins(row, bytes + offset.get<uint64_t>());
      row += raw_step(total);
    }
    MAEIL_TRY(read_part(context, part, sink));
    bytes += part.value("bytes", uint64_t{0});
    context.progress("merge", static_cast<uint64_t>(part.value("shard", 0)), parts.size());
  }
  return {};
}

Result<TaskOutcome> generate_data(const Day& day, TaskContext& context) {
  SourcePlan plan = day_source(day.settings);
  plan.scenario = day.scenario;
  MAEIL_ASSIGN(const Source source, open_source(plan));
  if (!source.warning.empty()) context.log("warning: " + source.warning);
  if (context.shard.is_part()) return generate_part(day, context, source);
  const std::string path = day.settings.data_path;
  MAEIL_ASSIGN(OwnFile file, OwnFile::begin(path, [&] { return std::ref(context.store); }));
  store::Document metadata = {{"type", "raw_data"}, {"dataset", day.spec.name}};
  if (source.quality_score) metadata["quality_score"] = *source.quality_score;
  MAEIL_ASSIGN(const auto blob,
               context.store.write_blob(std::filesystem::path(path).filename().string(), metadata));
  RowOffsets offsets(static_cast<uint64_t>(day.rows));
  MAEIL_TRY(write_whole(day, context, source, offsets, [&](std::string_view bytes) -> Status {
    MAEIL_TRY(file.write(bytes));
    return blob->write(bytes);
  }));
  MAEIL_TRY(file.commit());
  MAEIL_ASSIGN(const std::string file_id, blob->finish());

  TaskOutcome out;
  out.message = fmt::format("{} rows from {}{}", day.rows, source.description,
                            source.scenario.empty() ? "" : ", " + source.scenario);
  out.result = {{"rows", day.rows}, {"source", source.description}, {"path", path}};
  if (!source.scenario.empty()) out.result["scenario"] = source.scenario;
  store::Document document = {{"filename", std::filesystem::path(path).filename().string()},
                              {"metadata", metadata},
                              {"file_id", store::id_value(file_id)},
                              {"rows", day.rows},
                              {"columns", source.names.size()},
                              {"sha256", file.sha256()},
                              {"source", source.description},
                              {"seed", day.settings.seed},
                              {"row_offsets", offsets.document()}};
  if (!source.scenario.empty()) document["scenario"] = source.scenario;
  if (source.fallback) document["fallback"] = true;  // judging.h: such a day approves nothing
  out.batch.puts.push_back({"raw_data", stamped(context, "raw_data", std::move(document))});
  return out;
}

Result<TaskOutcome> preprocess_data(const Day& day, TaskContext& context) {
  MAEIL_ASSIGN(const auto version, model_of_the_date(context));
  if (!version) {
    return not_found(
        "there is no model whose fitted values could prepare the data: `maeil train --pretrain --train` "
        "makes one, "
        "`maeil model import F.pth` takes one in");
  }
  MAEIL_ASSIGN(const auto model, registry::load_version(context.store, *version, day.spec,
                                                        static_cast<int>(day.settings.nhead)));
  const auto csv_path = std::filesystem::path(day.settings.data_dir) / "processed" / "processed_data.csv";
  if (context.shard.is_part()) return prepare_part(context, day, *model.preparation);
  MAEIL_ASSIGN(auto prepared, context.shard.merges()
                                  ? merge_day(context, day, *model.preparation, csv_path.string())
                                  : prepare_day(context, day, *model.preparation, csv_path.string()));
  TaskOutcome out;
  out.batch = std::move(prepared.batch);
  out.message = fmt::format("{} rows for model {}, {} set aside, {} values the model never saw",
                            prepared.rows, version->version, prepared.quarantined, prepared.unseen);
  out.result = {{"rows", prepared.rows},
                {"quarantined", prepared.quarantined},
                {"model_id", version->id},
                {"path", csv_path.string()}};
  return out;
}

}  // namespace

void add_data_tasks(const Day& day, dag::TaskTable& table) {
  table[{kDataDag, "generate_data"}] = [&day](TaskContext& context) { return generate_data(day, context); };
  table[{kDataDag, "preprocess_data"}] = [&day](TaskContext& context) {
    return preprocess_data(day, context);
  };
}

}  // namespace maeil::loop
