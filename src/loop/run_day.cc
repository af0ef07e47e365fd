#include "loop/run_day.h"

#include <fmt/format.h>

#include "dag/task_record.h"
#include "loop/alerts/failed_tasks.h"
#include "loop/arriving_file.h"
#include "loop/challengers.h"
#include "loop/day_file.h"
#include "loop/deployment.h"
#include "loop/pipelines.h"
#include "loop/query_rows.h"
#include "loop/run_record.h"
#include "loop/training.h"
#include "loop/wait_for_source.h"
#include "registry/versions.h"
#include "store/field_rules.h"

namespace maeil::loop {
namespace {

Result<Verdict> verdict_of(store::Store& store, Days date, const dag::DayResult& result) {
  if (result.cancelled) return Verdict::kCancelled;
  if (result.state != dag::TaskState::kSuccess) return Verdict::kFailed;
  MAEIL_ASSIGN(const auto source, dag::task_state(store, date, store.name_here(kDataDag), kWaitForSource));
  if (source == dag::TaskState::kSkipped) return Verdict::kNothingDue;
  MAEIL_ASSIGN(const auto alert, dag::task_state(store, date, store.name_here(kEvaluationDag), "send_alert"));
  if (alert == dag::TaskState::kSuccess) return Verdict::kAlert;
  MAEIL_ASSIGN(const auto not_judged,
               dag::task_state(store, date, store.name_here(kEvaluationDag), "skip_evaluation"));
  if (not_judged == dag::TaskState::kSuccess) return Verdict::kNotJudged;
  MAEIL_ASSIGN(const auto record,
               dag::read_record(store, {date, store.name_here(kEvaluationDag), "send_evaluation_results"}));
  const bool retrained = record && record->state == dag::TaskState::kSuccess && record->result.is_object() &&
                         record->result.value("was_retrained", store::Document()) == true;
  return retrained ? Verdict::kRetrained : Verdict::kApproved;
}

// Whether the date's file, or the one that was `asked` for, is another than was taken in; not where it is
// gone, or rows were drawn.
Status look_at_file(store::Store& store, const Day& day, Days date, const std::optional<std::string>& asked,
                    DayReport& out) {
  const std::string pattern = asked.value_or(day_file(day, date));
  if (pattern.empty()) return {};
  store::FindOptions newest;
  newest.filter = {{"logical_date", format_date(date)}, {"superseded_by", {{"$exists", false}}}};
  MAEIL_ASSIGN(const auto raw, store.find_one("raw_data", newest));
  if (raw.is_null()) return {};
  std::string sha256;
  auto file = open_rows(day.settings, pattern, &day.spec, date, &sha256);
  if (sha256.empty() || sha256 == raw.value("source_sha256", "")) return {};
  const auto files =
      is_query(pattern) ? std::vector{pattern} : files_of(pattern).value_or(std::vector{pattern});
  const std::string path = files.size() == 1 ? files.front() : pattern;
  std::string in_what;
  const auto change = file ? compare_extract(store, day.settings, day.spec, raw, *file)
                           : Result<ExtractChange>(tl::make_unexpected(file.error()));
  if (change) {
    out.change = *change;
    in_what = describe(*change, day.spec);
  } else {
    in_what = "it cannot be compared: " + change.error().message;
  }
  out.other_file = fmt::format(
      "{} {} than was taken in for {}: {}. Nothing was done again; `maeil redo {}{}` does, and "
      "keeps both",
      path, is_query(path) ? "gives other rows" : "is another file", format_date(date), in_what,
      format_date(date), asked && *asked != day.file ? " --in " + *asked : "");
  return {};
}

}  // namespace

Result<DayReport> run_day(store::Store& store, const Day& settings_and_spec, Days logical_date,
                          const AskedDay& asked, const dag::RunOptions& options) {
  DayReport out;
  Day day = settings_and_spec;
  auto dags = pipelines(day.settings);
  dag::RunOptions described = options;
  {
    MAEIL_ASSIGN(const auto lock, dag::lock_runner(store, options));
    out.reconciled = follow_registry(store, day.settings);
    MAEIL_ASSIGN(const auto in_force, registry::model_in_force(store));
    day.file = asked.file.value_or("");
    if (!in_force && (!day.file.empty() || is_due(day.settings, day.spec, logical_date))) {
      // A first model of drawn rows would know nothing of a team's own.
      if (const auto file = day_file(day, logical_date); !file.empty()) {
        return not_found(
            fmt::format("there is no model yet that could judge the rows of {}: `maeil train --in "
                        "history.csv` makes one from labelled rows",
                        file));
      }
      dags.insert(dags.begin(), first_day_dag(day.settings));
    }
    // A date that is finished runs nothing, so its settings count for nothing, and another file is looked at.
    MAEIL_ASSIGN(const bool finished, dag::is_finished(store, dags, logical_date));
    MAEIL_ASSIGN(const DayRequest request,
                 request_day(store, day.settings, day.spec, logical_date, asked, options.run_id, finished));
    day.rows = request.rows;
    day.scenario = request.scenario;
    day.deploy_older = request.deploy_older;
    day.file = request.file;
    if (!finished || options.clear) MAEIL_TRY(describe_run(store, day, described));
    tell_failures(store, described);
  }
  MAEIL_ASSIGN(out.result, dag::run_dags(store, dags, make_tasks(day), logical_date, described));
  out.already_finished = out.result.already_finished;
  if (out.already_finished) MAEIL_TRY(look_at_file(store, day, logical_date, asked.file, out));
  MAEIL_ASSIGN(out.verdict, verdict_of(store, logical_date, out.result));
  return out;
}

Result<store::Document> summarize(store::Store& store, const Day& day, Days date, const DayReport& report) {
  static const std::map<Verdict, const char*> names = {
      {Verdict::kApproved, "approved"},     {Verdict::kRetrained, "retrained"},
      {Verdict::kAlert, "alert"},           {Verdict::kNotJudged, "not_judged"},
      {Verdict::kFailed, "failed"},         {Verdict::kCancelled, "cancelled"},
      {Verdict::kNothingDue, "nothing_due"}};
  store::Document out = {{"logical_date", format_date(date)},
                         {"verdict", names.at(report.verdict)},
                         {"already_finished", report.already_finished}};
  if (!report.other_file.empty()) {
    out["other_file"] = {{"message", report.other_file}};
    if (report.change) {
      out["other_file"].update({{"added", report.change->added},
                                {"removed", report.change->removed},
                                {"altered", report.change->altered},
                                {"same", report.change->same}});
    }
  }
  // Each line is a task's own message: what people see is what the store holds.
  const auto add = [&](const char* key, std::string_view dag, const std::string& task) -> Status {
    MAEIL_ASSIGN(const auto record, dag::read_record(store, {date, store.name_here(dag), task}));
    // A task that another's choice skipped says nothing; one that skipped itself has a reason.
    if (record && !record->message.empty() && record->skipped_by.empty() &&
        record->state != dag::TaskState::kNone) {
      const bool counts = record->state == dag::TaskState::kSuccess;
      out[key] = {{"state", dag::to_string(record->state)},
                  {"message", record->message},
                  {"result", counts ? record->result : store::Document::object()}};
    }
    return {};
  };
  MAEIL_TRY(add("trained", kFirstDayDag, "train_classifier"));
  if (report.verdict == Verdict::kNothingDue) MAEIL_TRY(add("source", kDataDag, kWaitForSource));
  MAEIL_TRY(add("generated", kDataDag, "generate_data"));
  // Where nothing was found there is nothing to say.
  MAEIL_ASSIGN(const auto validated,
               dag::read_record(store, {date, store.name_here(kDataDag), "validate_data"}));
  if (validated && store::text_field(validated->result, "status") != "passed")
    MAEIL_TRY(add("validated", kDataDag, "validate_data"));
  MAEIL_TRY(add("prepared", kDataDag, "preprocess_data"));
  MAEIL_TRY(add("model", kEvaluationDag, "load_latest_model"));
  MAEIL_TRY(add("evaluated", kEvaluationDag, "evaluate_model"));
  for (int k = 1; k <= day.settings.max_retrain_attempts; ++k) {
    MAEIL_TRY(add(fmt::format("retrained {}", k).c_str(), kEvaluationDag,
                  retrain_task(k, "evaluate_finetuned_model")));
  }
  MAEIL_TRY(add("decided", kEvaluationDag, "send_evaluation_results"));
  MAEIL_TRY(add("alert", kEvaluationDag, "send_alert"));
  MAEIL_TRY(add("not judged", kEvaluationDag, "skip_evaluation"));
  MAEIL_TRY(add("challenger", kEvaluationDag, kTrainChallenger));
  MAEIL_TRY(add("challenger", kEvaluationDag, kEvaluateChallenger));
  MAEIL_TRY(add("deployed", kDeploymentDag, "deploy_model"));
  MAEIL_TRY(add("scored", kScoringDag, "score_data"));
  return out;
}

std::string verdict_text(const store::Document& summary) {
  const std::string verdict = summary.value("verdict", "");
  if (verdict == "nothing_due")
    return summary.value("source", store::Document::object()).value("message", "");
  return verdict == "not_judged"
             ? "not judged: " + summary.value("not judged", store::Document::object()).value("message", "")
             : verdict;
}

}  // namespace maeil::loop
