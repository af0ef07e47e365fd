// data_pipeline_dag: generate_data -> preprocess_data.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "base/file.h"
#include "base/hash.h"
#include "loop/own_file.h"
#include "loop/pipelines.h"
#include "loop/prepared/prepare.h"
#include "loop/prepared/raw_data.h"
#include "loop/run_in_shards.h"
#include "loop/source.h"
#include "loop/tasks.h"
#include "registry/model_file.h"
#include "registry/versions.h"

namespace maeil::loop {
namespace {

using dag::TaskContext;
using dag::TaskOutcome;

// Where in a run of CSV lines each raw_step-th row begins, and how long it is: so that a shard can read its
// own rows, about a thousand places at most.
struct LineOffsets {
  std::vector<uint64_t> offsets;
  uint64_t bytes = 0;
};

// The lines of the raw CSV, drawn from a source. What it holds must outlive it.
class Generating : public RowWork<std::string_view, LineOffsets> {
 public:
  Generating(TaskContext& context, const Day& day, const Source& source)
      : context_(context), day_(day), source_(source), total_(static_cast<uint64_t>(day.rows)) {}

  Result<LineOffsets> make(RowRange rows, const Sink& sink) override {
    const uint64_t count = std::min(rows.count, total_ - rows.first);
    LineOffsets out;
    MAEIL_TRY(write_csv_lines(
        source_, context_.logical_date, rows.first, count, static_cast<uint64_t>(day_.settings.seed),
        [&](std::string_view piece) {
          out.bytes += piece.size();
          return sink(piece);
        },
        [&](uint64_t row) {
          if (row % raw_step(total_) == 0) out.offsets.push_back(out.bytes);
        },
        [&](uint64_t done) { context_.progress("generate", done, count); }));
    return out;
  }

  RowCuts cuts() const override { return {total_, raw_step(total_)}; }
  // Files by their bytes, since workers may have different ones of one name.
  Result<store::Document> inputs() const override {
    store::Document out = {
        {"rows", day_.rows}, {"seed", day_.settings.seed}, {"source", source_.description}};
    if (!source_.scenario.empty()) out["scenario"] = source_.scenario;
    for (const auto& [key, path] : source_.files) {
      MAEIL_ASSIGN(const auto file, MappedFile::open(path));
      out[key] = sha256_hex(file.bytes());
    }
    return out;
  }
  // A part is the lines themselves, and no frames.
  Status write(const std::string_view& lines, PartWriter& part) const override { return part.write(lines); }
  PartSummary summary(const LineOffsets& lines, RowRange rows) const override {
    return {{{"offsets", lines.offsets}, {"bytes", lines.bytes}},
            fmt::format("rows {} to {} of {}", rows.first, rows.first + rows.count, total_)};
  }
  Status read(const store::Document& part, const Sink& sink, LineOffsets& lines) const override {
    for (const auto& offset : part.value("offsets", store::Document::array()))
      lines.offsets.push_back(lines.bytes + offset.get<uint64_t>());
    lines.bytes += part.value("bytes", uint64_t{0});
    return read_part(context_, part, [&](std::string_view bytes) { return sink(bytes); });
  }

 private:
  TaskContext& context_;
  const Day& day_;
  const Source& source_;
  const uint64_t total_;
};

// The raw CSV of all lines: as this machine's copy, in the store, and as a document of raw_data.
Result<TaskOutcome> write_raw_data(const Day& day, TaskContext& context, const Source& source,
                                   const Generating::Rows& all) {
  const std::string path = day.settings.data_path;
  MAEIL_ASSIGN(OwnFile file, OwnFile::begin(path, kRawDataFile, [&] { return std::ref(context.store); }));
  store::Document metadata = {{"type", "raw_data"}, {"dataset", day.spec.name}};
  if (source.quality_score) metadata["quality_score"] = *source.quality_score;
  MAEIL_ASSIGN(const auto blob,
               context.store.write_blob(std::filesystem::path(path).filename().string(), metadata));
  const auto write = [&](std::string_view bytes) -> Status {
    MAEIL_TRY(file.write(bytes));
    return blob->write(bytes);
  };
  const std::string header = csv_header(source);
  MAEIL_TRY(write(header));
  MAEIL_ASSIGN(LineOffsets lines, all(write));
  for (uint64_t& offset : lines.offsets) offset += header.size();
  MAEIL_TRY(file.commit());
  MAEIL_ASSIGN(const std::string file_id, blob->finish());

  TaskOutcome out;
  out.message = fmt::format("{} rows from {}{}", day.rows, source.description,
                            source.scenario.empty() ? "" : ", " + source.scenario);
  out.result = {{"rows", day.rows}, {"source", source.description}, {"path", path}};
  if (!source.scenario.empty()) out.result["scenario"] = source.scenario;
  store::Document document = {
      {"filename", std::filesystem::path(path).filename().string()},
      {"metadata", metadata},
      {"file_id", store::id_value(file_id)},
      {"rows", day.rows},
      {"columns", source.names.size()},
      {"sha256", file.sha256()},
      {"source", source.description},
      {"seed", day.settings.seed},
      {"row_offsets", {{"every", raw_step(static_cast<uint64_t>(day.rows))}, {"bytes", lines.offsets}}}};
  if (!source.scenario.empty()) document["scenario"] = source.scenario;
  if (source.fallback) document["fallback"] = true;  // gate.h: such a day approves nothing
  out.batch.puts.push_back({"raw_data", stamped(context, "raw_data", std::move(document))});
  return out;
}

Result<TaskOutcome> generate_data(const Day& day, TaskContext& context) {
  SourcePlan plan = day_source(day.settings);
  plan.scenario = day.scenario;
  MAEIL_ASSIGN(const Source source, open_source(plan));
  if (!source.warning.empty()) context.log("warning: " + source.warning);
  Generating generating(context, day, source);
  return run_in_shards<std::string_view, LineOffsets>(context, generating, [&](const Generating::Rows& all) {
    return write_raw_data(day, context, source, all);
  });
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
        return out;
      });
}

}  // namespace

void add_data_tasks(const Day& day, dag::TaskTable& table) {
  table[{kDataDag, "generate_data"}] = [&day](TaskContext& context) { return generate_data(day, context); };
  table[{kDataDag, "preprocess_data"}] = [&day](TaskContext& context) {
    return preprocess_data(day, context);
  };
}

}  // namespace maeil::loop
