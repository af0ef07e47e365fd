// scoring_pipeline: wait_for_deployment -> score_data. What the next system reads of a day: a probability and
// a decision for each row, in scores_<date>.csv and in the store, and the document of `predictions` that says
// by which model.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <deque>
#include <filesystem>
#include <optional>
#include <string_view>
#include <utility>

#include "format/csv.h"
#include "loop/day_scores.h"
#include "loop/labels/day_labels.h"
#include "loop/own_file.h"
#include "loop/pipelines.h"
#include "loop/query_rows.h"
#include "loop/tasks.h"
#include "loop/wait_for_source.h"

namespace maeil::loop {
namespace {

using dag::TaskContext;
using dag::TaskOutcome;
using dag::TaskState;

constexpr const char* kPredictions = "predictions";
constexpr size_t kHistogramSteps = 20;  // of 0.05: a day's picture, and small beside its document

// A deployment that was skipped leaves what was deployed in force, and the day is scored with that. One that
// failed leaves open what should be in force, so nothing is scored until it is mended.
Result<TaskOutcome> wait_for_deployment(TaskContext& context) {
  MAEIL_ASSIGN(const bool nothing_comes, nothing_is_due(context));
  if (nothing_comes)
    return outcome(TaskState::kSkipped, "no file is due that day: there is nothing to score");
  MAEIL_ASSIGN(const TaskState deployed, state_of(context, kDeploymentDag, "deploy_model"));
  if (deployed == TaskState::kSuccess)
    return outcome(TaskState::kSuccess, "the deployment of the date is done");
  // Airflow writes no record for a task that it skips because of the one before it.
  MAEIL_ASSIGN(const TaskState waited, state_of(context, kDeploymentDag, "wait_for_evaluation"));
  if (deployed == TaskState::kSkipped || waited == TaskState::kSkipped)
    return outcome(TaskState::kSuccess, "nothing was deployed for the date: what is in force stays");
  MAEIL_ASSIGN(const auto failure, failure_of(context, kDeploymentDag));
  if (failure)
    return outcome(state_after_failure(context),
                   fmt::format("the deployment failed, nothing is scored: {}", *failure));
  return outcome(TaskState::kWaiting, "the deployment of the date is not done yet");
}

struct ScoringModel {
  std::optional<registry::ModelVersion> version;  // nullopt: there is none
  std::string status;                             // when it was chosen
};

// The date's own records say it: the version that the date deployed, else the one that was in force when its
// evaluation began. So a date that is scored again, or while later dates are deployed already, has the scores
// that it would have alone, and a model never scores rows of before it was there. What a person deploys while
// a date runs counts from the next date on.
Result<ScoringModel> model_of_scores(const TaskContext& context) {
  for (const auto& [dag, task] :
       {std::pair(kDeploymentDag, "deploy_model"), std::pair(kEvaluationDag, "load_latest_model")}) {
    MAEIL_ASSIGN(const TaskState state, state_of(context, dag, task));
    if (state != TaskState::kSuccess) continue;
    MAEIL_ASSIGN(const auto named, result_of(context, dag, task));
    MAEIL_ASSIGN(auto version, registry::find_version(context.store, named.value("model_id", "")));
    const bool deployed = std::string_view(dag) == kDeploymentDag;
    std::string status = deployed ? "deployed" : named.value("model_status", version.status);
    return ScoringModel{std::move(version), std::move(status)};
  }
  // By hand, without the DAGs before.
  ScoringModel out;
  MAEIL_ASSIGN(out.version, registry::model_in_force(context.store));
  if (out.version) out.status = out.version->status;
  return out;
}

// SCORES_TABLE, by what is in the day's file. Before the task's own batch: where that fails, the next try
// writes the same again, and where this fails, so does the task.
Result<std::string> write_scores_table(const Day& day, Days date, const std::string& version,
                                       const MappedFile& scores) {
  if (day.settings.scores_table.empty()) return std::string();
  format::CsvReader reader(scores.bytes(), "the day's scores");
  format::CsvRecord record;
  MAEIL_TRY(reader.next(record));  // the names
  std::vector<std::string_view> fields;
  std::deque<std::string> unescaped;
  const auto next = [&](database::Connection::Row& row) -> Result<bool> {
    MAEIL_ASSIGN(const bool more, reader.next(record));
    if (!more) return false;
    unescaped.clear();
    if (const auto wrong = format::split_record(record.bytes, fields, unescaped); !wrong.empty())
      return internal_error(fmt::format("line {} of the day's scores has {}", record.line, wrong));
    row.clear();
    // What stands before the version: the database has the version as its own column, and no reasons.
    for (size_t i = 0; i < std::max<size_t>(1, day.spec.roles.id.size()) + 2; ++i)
      row.push_back(fields[i].empty() ? std::nullopt : std::optional(fields[i]));
    return true;
  };
  return database::replace_scores(database_access(day.settings), scores_table(day.settings, day.spec), date,
                                  version, next);
}

// The scores of all lines: as this machine's file, in the store, and as a document of `predictions`.
Result<TaskOutcome> write_scores(const Day& day, TaskContext& context, const ScoringModel& model,
                                 const DayScores& scores, const DayScores::Rows& all) {
  const registry::ModelVersion& version = *model.version;
  const std::string path = scores_path(day.settings, context.logical_date);
  const std::string name = std::filesystem::path(path).filename().string();
  MAEIL_ASSIGN(OwnFile file, OwnFile::begin(path, kScoresFile, [&] { return std::ref(context.store); }));
  MAEIL_ASSIGN(const auto blob,
               context.store.write_blob(name, {{"type", "scores"}, {"dataset", day.spec.name}}));
  const auto write = [&](std::string_view bytes) -> Status {
    MAEIL_TRY(file.write(bytes));
    return blob->write(bytes);
  };
  MAEIL_TRY(write(scores_header(day.spec, day.settings.score_reasons)));
  // Added up row by row, so that the sum does not depend on where pieces and shards were cut.
  const double threshold = scores.threshold();
  double sum = 0;
  uint64_t rows = 0, ones = 0;
  std::vector<uint64_t> histogram(kHistogramSteps, 0);
  std::vector<uint64_t> all_ids;
  MAEIL_ASSIGN(const table::ReadReport report, all([&](ScoredPiece& piece) -> Status {
                 for (const double p : piece.probabilities) {
                   sum += p;
                   ones += p >= threshold;
                   ++histogram[static_cast<size_t>(
                       std::min(p > 0 ? p * kHistogramSteps : 0.0, kHistogramSteps - 1.0))];
                 }
                 rows += piece.probabilities.size();
                 all_ids.insert(all_ids.end(), piece.ids.begin(), piece.ids.end());
                 return write(piece.lines);
               }));
  MAEIL_TRY(table::check_read(report, day.settings.data_path));
  MAEIL_ASSIGN(const MappedFile lines, file.map());
  MAEIL_TRY(file.commit());
  MAEIL_ASSIGN(const std::string file_id, blob->finish());
  MAEIL_ASSIGN(const std::string in_table,
               write_scores_table(day, context.logical_date, version.version, lines));

  const store::Document& raw = scores.raw();
  const store::Document mean = rows > 0 ? store::Document(sum / static_cast<double>(rows)) : nullptr;
  store::Document document = {{"dataset_name", day.spec.name},
                              {"model_id", version.id},
                              {"model_version", version.version},
                              {"model_status", model.status},
                              {"model_sha256", version.sha256},
                              {"raw_data_id", raw.at("_id")},
                              {"raw_sha256", raw.value("sha256", "")},
                              {"rows", rows},
                              {"quarantined", report.quarantined},
                              {"filename", name},
                              {"file_id", store::id_value(file_id)},
                              {"path", path},
                              {"sha256", file.sha256()},
                              {"threshold", threshold},
                              {"mean_probability", mean},
                              {"decisions", {{"0", rows - ones}, {"1", ones}}},
                              {"histogram", histogram}};
  if (!in_table.empty()) document["scores_table"] = day.settings.scores_table;
  if (raw.value("fallback", false)) document["fallback"] = true;  // made-up rows of the portfolio
  const IdCounts ids = day.spec.roles.id.empty() ? IdCounts{} : count_ids(all_ids, rows);
  if (ids.missing > 0) document["rows_without_id"] = ids.missing;
  if (ids.repeated > 0) document["repeated_ids"] = ids.repeated;
  if (ids.missing + ids.repeated > 0) {
    context.log(fmt::format(
        "warning: {}: {} rows lack an id and {} have one that a row before them has ({}): whoever joins by "
        "it finds none, or several",
        name, ids.missing, ids.repeated, fmt::join(day.spec.roles.id, ", ")));
  }
  if (const auto line = table::describe_other_labels(report, day.settings.data_path); !line.empty())
    context.log("warning: " + line);
  TaskOutcome out;
  out.message = fmt::format("{} rows scored with version {} ({}), {} set aside: {} decided 1", rows,
                            version.version, model.status, report.quarantined, ones);
  if (rows > 0) out.message += fmt::format(", mean probability {:.4f}", sum / static_cast<double>(rows));
  if (!in_table.empty()) out.message += "; " + in_table;
  if (raw.value("fallback", false)) out.message += "; the rows are made up (SOURCE_FALLBACK)";
  if (const auto before = context.earlier_result.find("sha256"); before != context.earlier_result.end()) {
    out.message += *before == store::Document(file.sha256())
                       ? "; as before, byte for byte"
                       : "; other scores than before, which stay in the store";
  }
  out.result = {{"rows", rows},
                {"quarantined", report.quarantined},
                {"model_id", version.id},
                {"model_version", version.version},
                {"model_status", model.status},
                {"path", path},
                {"sha256", file.sha256()}};
  document = stamped(context, kPredictions, std::move(document));
  out.batch.puts.push_back({kPredictions, document});
  MAEIL_TRY(judge_new_scores(day, context, document, out));
  return out;
}

Result<TaskOutcome> score_data(const Day& day, TaskContext& context) {
  MAEIL_ASSIGN(const ScoringModel model, model_of_scores(context));
  if (!model.version) {
    return outcome(TaskState::kSkipped,
                   "there is no model, so nothing is scored: `maeil train --pretrain --train` makes one, "
                   "`maeil model import F.pth` takes one in");
  }
  MAEIL_ASSIGN(auto scores, DayScores::begin(context, day, *model.version));
  if (scores.raw().contains("pruned")) {
    return outcome(TaskState::kSkipped,
                   fmt::format("the rows of {} are past their retention (RETENTION_DAYS_RAW): there is "
                               "nothing left to score",
                               format_date(context.logical_date)));
  }
  return run_in_shards<ScoredPiece, table::ReadReport>(context, scores, [&](const DayScores::Rows& all) {
    return write_scores(day, context, model, scores, all);
  });
}

}  // namespace

void add_scoring_tasks(const Day& day, dag::TaskTable& table) {
  table[{kScoringDag, "wait_for_deployment"}] = wait_for_deployment;
  table[{kScoringDag, "score_data"}] = [&day](TaskContext& context) { return score_data(day, context); };
}

}  // namespace maeil::loop
