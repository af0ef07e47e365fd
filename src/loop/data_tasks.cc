// data_pipeline_dag: wait_for_source -> generate_data -> validate_data (validate_data.h) -> preprocess_data.
#include <fmt/format.h>

#include <filesystem>

#include "loop/arriving_file.h"
#include "loop/day_file.h"
#include "loop/file_rows.h"
#include "loop/labels/day_labels.h"
#include "loop/own_file.h"
#include "loop/pipelines.h"
#include "loop/prepared/prepare.h"
#include "loop/prepared/raw_data.h"
#include "loop/query_rows.h"
#include "loop/raw_lines.h"
#include "loop/rehearsal.h"
#include "loop/run_in_shards.h"
#include "loop/source.h"
#include "loop/tasks.h"
#include "loop/validate_data.h"
#include "loop/wait_for_source.h"
#include "registry/version_file.h"
#include "registry/versions.h"

namespace maeil::loop {
namespace {

using dag::TaskContext;
using dag::TaskOutcome;

// What it holds must outlive it.
class TakingIn : public RowWork<std::string_view, LineOffsets> {
 public:
  TakingIn(TaskContext& context, const RawLines& raw) : context_(context), raw_(raw) {}
  Result<LineOffsets> make(RowRange rows, const Sink& sink) override {
    return raw_.lines(rows, [&](std::string_view piece) { return sink(piece); });
  }
  RowCuts cuts() const override { return {raw_.rows, raw_step(raw_.rows)}; }
  Result<store::Document> inputs() const override { return raw_.inputs(); }
  // A part is the lines themselves, and no frames.
  Status write(const std::string_view& lines, PartWriter& part) const override { return part.write(lines); }
  PartSummary summary(const LineOffsets& lines, RowRange rows) const override {
    return {{{"offsets", lines.offsets}, {"bytes", lines.bytes}},
            fmt::format("rows {} to {} of {}", rows.first, rows.first + rows.count, raw_.rows)};
  }
  Status read(const store::Document& part, const Sink& sink, LineOffsets& lines) const override {
    for (const auto& offset : part.value("offsets", store::Document::array()))
      lines.offsets.push_back(lines.bytes + offset.get<uint64_t>());
    lines.bytes += part.value("bytes", uint64_t{0});
    return read_part(context_, part, [&](std::string_view bytes) { return sink(bytes); });
  }

 private:
  TaskContext& context_;
  const RawLines& raw_;
};

// A file that is no plain CSV, byte for byte: {source_file_id}; nothing where the lines are its bytes.
Result<store::Document> keep_original(TaskContext& context, const RawLines& raw,
                                      const store::Document& metadata) {
  if (!raw.original) return store::Document::object();
  MAEIL_ASSIGN(const auto blob, context.store.write_blob(raw.facts.value("source", ""), metadata));
  MAEIL_TRY(raw.original([&](std::string_view bytes) { return blob->write(bytes); }));
  MAEIL_ASSIGN(const std::string file_id, blob->finish());
  return store::Document{{"source_file_id", store::id_value(file_id)}};
}

// The raw CSV of all lines: as this machine's copy, in the store, and as a document of raw_data.
Result<TaskOutcome> write_raw_data(const Day& day, TaskContext& context, const RawLines& raw,
                                   store::Document metadata, const TakingIn::Rows& all) {
  const std::string path = day.settings.data_path;
  MAEIL_ASSIGN(OwnFile file, OwnFile::begin(path, kRawDataFile, [&] { return std::ref(context.store); }));
  MAEIL_ASSIGN(const auto blob,
               context.store.write_blob(std::filesystem::path(path).filename().string(), metadata));
  const auto write = [&](std::string_view bytes) -> Status {
    MAEIL_TRY(file.write(bytes));
    return blob->write(bytes);
  };
  MAEIL_TRY(write(raw.header));
  MAEIL_ASSIGN(LineOffsets lines, all(write));
  for (uint64_t& offset : lines.offsets) offset += raw.header.size();
  MAEIL_TRY(file.commit());
  MAEIL_ASSIGN(const std::string file_id, blob->finish());

  MAEIL_ASSIGN(const store::Document original, keep_original(context, raw, metadata));

  TaskOutcome out;
  out.message = fmt::format("{} rows from {}", raw.rows, raw.description);
  out.result = {{"rows", raw.rows}, {"path", path}};
  out.result.update(raw.result);
  store::Document document = {{"filename", std::filesystem::path(path).filename().string()},
                              {"metadata", metadata},
                              {"file_id", store::id_value(file_id)},
                              {"rows", raw.rows},
                              {"columns", raw.columns},
                              {"sha256", file.sha256()},
                              {"row_offsets", {{"every", raw_step(raw.rows)}, {"bytes", lines.offsets}}}};
  document.update(raw.facts);
  document.update(original);
  out.batch.puts.push_back({"raw_data", stamped(context, "raw_data", std::move(document))});
  return out;
}

Result<TaskOutcome> store_lines(const Day& day, TaskContext& context, const RawLines& raw,
                                const store::Document& metadata) {
  TakingIn taking(context, raw);
  return run_in_shards<std::string_view, LineOffsets>(context, taking, [&](const TakingIn::Rows& all) {
    return write_raw_data(day, context, raw, metadata, all);
  });
}

// Takes in the day's own file, or draws the day's rows.
Result<TaskOutcome> generate_data(const Day& day, TaskContext& context) {
  store::Document metadata = {{"type", "raw_data"}, {"dataset", day.spec.name}};
  if (const std::string pattern = day_file(day, context.logical_date); !pattern.empty()) {
    const bool asks = is_query(pattern);
    const std::string scratch = std::filesystem::path(day.settings.data_dir) / "parts" /
                                fmt::format("{}.taken.{}-{}.{}.csv", format_date(context.logical_date),
                                            context.shard.index, context.shard.count, context.try_number);
    if (!asks) {
      const auto found = files_of(pattern);
      if (!found && found.error().code == ErrorCode::kNotFound && day.file.empty())
        return fail(ErrorCode::kUnavailable, fmt::format("{} is not there any more (DAY_DATA)", pattern));
      if (!found) return tl::make_unexpected(found.error());
    }
    MAEIL_ASSIGN(const auto raw,
                 asks ? query_lines(day.settings, pattern, day.spec, context.logical_date, scratch)
                      : file_lines(pattern, day.spec, context.logical_date, scratch));
    if (!raw.warning.empty()) context.log("warning: " + raw.warning);
    return store_lines(day, context, raw, metadata);
  }
  SourcePlan plan = day_source(day.settings);
  plan.scenario = day.scenario;
  MAEIL_ASSIGN(Source source, open_source(plan));
  if (day.settings.synthetic_day == 1) {
    if (day.spec.roles.time.empty())
      context.log(fmt::format(
          "warning: {} has no time in [roles]: the rows drawn keep the dates of the history", day.spec.file));
    MAEIL_ASSIGN(source, on_the_day(std::move(source), day.spec));
  }
  if (!source.warning.empty()) context.log("warning: " + source.warning);
  if (source.quality_score) metadata["quality_score"] = *source.quality_score;
  const RawLines raw =
      drawn_lines(source, context.logical_date, static_cast<uint64_t>(day.rows), day.settings.seed,
                  [&](uint64_t done, uint64_t total) { context.progress("generate", done, total); });
  return store_lines(day, context, raw, metadata);
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
  for (const auto& line :
       model_differences(*model.preparation, day.spec, fmt::format("version {}", version->version)))
    context.log("warning: " + line);
  const auto csv_path = std::filesystem::path(day.settings.data_dir) / "processed" / "processed_data.csv";
  MAEIL_ASSIGN(auto preparing, Preparing::begin(context, day, *model.preparation, csv_path.string()));
  return run_in_shards<PreparedPiece, PreparedTotals>(
      context, preparing, [&](const Preparing::Rows& all) -> Result<TaskOutcome> {
        MAEIL_ASSIGN(auto prepared, preparing.store_rows(all));
        TaskOutcome out;
        out.batch = std::move(prepared.batch);
        out.message = fmt::format("{} rows for model {}, {} set aside, {} values the model never saw",
                                  prepared.rows, version->version, prepared.quarantined, prepared.unseen);
        out.result = {{"rows", prepared.rows},
                      {"quarantined", prepared.quarantined},
                      {"model_id", version->id},
                      {"path", csv_path.string()}};
        if (prepared.unlabelled > 0) out.result["unlabelled"] = prepared.unlabelled;
        MAEIL_TRY(take_day_labels(day, context, out));
        return out;
      });
}

}  // namespace

void add_data_tasks(const Day& day, dag::TaskTable& table) {
  table[{kDataDag, kWaitForSource}] = [&day](TaskContext& context) { return wait_for_source(day, context); };
  table[{kDataDag, "generate_data"}] = [&day](TaskContext& context) { return generate_data(day, context); };
  table[{kDataDag, "validate_data"}] = [&day](TaskContext& context) { return validate_data(day, context); };
  table[{kDataDag, "preprocess_data"}] = [&day](TaskContext& context) {
    return preprocess_data(day, context);
  };
}

}  // namespace maeil::loop
