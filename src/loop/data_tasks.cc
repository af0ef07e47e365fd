// data_pipeline_dag: generate_data -> preprocess_data.
#include <fmt/format.h>

#include <filesystem>

#include "base/file.h"
#include "base/hash.h"
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

Result<TaskOutcome> generate_data(const Day& day, TaskContext& context) {
  MAEIL_ASSIGN(const Source source, open_source({.distribution_model = day.settings.distribution_model, .scenario = day.scenario}));
  if (!source.warning.empty()) context.log("warning: " + source.warning);
  const std::string path = day.settings.data_path;
  MAEIL_ASSIGN(AtomicFile file, AtomicFile::create(path));
  const store::Document metadata = {{"type", "raw_data"}, {"dataset", day.spec.name}};
  MAEIL_ASSIGN(const auto blob, context.store.write_blob(std::filesystem::path(path).filename().string(), metadata));
  Sha256 hash;
  const auto seed = static_cast<uint64_t>(day.settings.seed);
  MAEIL_TRY(write_rows_csv(
      source, context.logical_date, static_cast<uint64_t>(day.rows), seed,
      [&](std::string_view bytes) -> Status {
        hash.update(bytes);
        MAEIL_TRY(file.write(bytes));
        return blob->write(bytes);
      },
      [&](uint64_t done) { context.progress("generate", done, static_cast<uint64_t>(day.rows)); }));
  MAEIL_TRY(file.commit());
  MAEIL_ASSIGN(const std::string file_id, blob->finish());

  TaskOutcome out;
  const bool has_scenario = source.description.starts_with("portfolio") || day.scenario != "calm";
  out.message = fmt::format("{} rows from {}{}", day.rows, source.description, has_scenario ? fmt::format(", {}", day.scenario) : "");
  out.result = {{"rows", day.rows}, {"source", source.description}, {"path", path}};
  if (has_scenario) out.result["scenario"] = day.scenario;
  store::Document document = {{"filename", std::filesystem::path(path).filename().string()},
                              {"metadata", metadata},
                              {"file_id", store::id_value(file_id)},
                              {"rows", day.rows},
                              {"columns", source.names.size()},
                              {"sha256", hash.hex()},
                              {"source", source.description},
                              {"seed", day.settings.seed}};
  if (has_scenario) document["scenario"] = day.scenario;
  out.batch.puts.push_back({"raw_data", stamped(context, "raw_data", std::move(document))});
  return out;
}

Result<TaskOutcome> preprocess_data(const Day& day, TaskContext& context) {
  MAEIL_ASSIGN(const auto version, registry::model_in_force(context.store));
  if (!version) {
    return not_found("there is no model whose fitted values could prepare the data: `maeil train --pretrain --train` makes one, "
                     "`maeil model import F.pth` takes one in");
  }
  MAEIL_ASSIGN(const auto model, registry::load_version(context.store, *version, day.spec, static_cast<int>(day.settings.nhead)));
  const auto csv_path = std::filesystem::path(day.settings.data_dir) / "processed" / "processed_data.csv";
  MAEIL_ASSIGN(auto prepared, prepare_day(context, day, *model.preparation, csv_path.string()));
  TaskOutcome out;
  out.batch = std::move(prepared.batch);
  out.message = fmt::format("{} rows for model {}, {} set aside, {} values the model never saw", prepared.rows, version->version,
                            prepared.quarantined, prepared.unseen);
  out.result = {{"rows", prepared.rows}, {"quarantined", prepared.quarantined}, {"model_id", version->id}, {"path", csv_path.string()}};
  return out;
}

}  // namespace

void add_data_tasks(const Day& day, dag::TaskTable& table) {
  table[{kDataDag, "generate_data"}] = [&day](TaskContext& context) { return generate_data(day, context); };
  table[{kDataDag, "preprocess_data"}] = [&day](TaskContext& context) { return preprocess_data(day, context); };
}

}  // namespace maeil::loop
