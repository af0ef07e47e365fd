// model_evaluation_pipeline without its retraining groups: who is in force, how good it is, what follows from
// that. not_judged.cc has what follows when that cannot be said.
#include <fmt/format.h>

#include "loop/challengers.h"
#include "loop/evaluation.h"
#include "loop/gate.h"
#include "loop/labels/labelled_days.h"
#include "loop/labels/overdue_labels.h"
#include "loop/not_judged.h"
#include "loop/pipelines.h"
#include "loop/tasks.h"
#include "loop/verdict_record.h"
#include "loop/wait_for_source.h"
#include "registry/status.h"

namespace maeil::loop {
namespace {

using dag::TaskContext;
using dag::TaskOutcome;
using dag::TaskState;

Result<TaskOutcome> wait_for_data(TaskContext& context) {
  MAEIL_ASSIGN(const TaskState state, state_of(context, kDataDag, "preprocess_data"));
  MAEIL_ASSIGN(const auto failure, failure_of(context, kDataDag));
  MAEIL_ASSIGN(const bool nothing_comes, nothing_is_due(context));
  TaskOutcome out;
  if (nothing_comes) {
    out.state = TaskState::kSkipped;
    out.message = "no file is due that day: there is nothing to evaluate";
  } else if (state == TaskState::kSuccess) {
    out.message = "the day's data is prepared";
  } else if (failure) {
    out.state = state_after_failure(context);
    out.message = fmt::format("the day's data is not there: {} failed in {}", *failure,
                              context.store.name_here(kDataDag));
  } else {
    out.state = TaskState::kWaiting;
    out.message = fmt::format("preprocess_data of {} is not done yet", format_date(context.logical_date));
  }
  return out;
}

Result<TaskOutcome> load_latest_model(TaskContext& context) {
  MAEIL_ASSIGN(const auto version, model_of_the_date(context));
  if (!version)
    return not_found(
        "there is no classifier: `maeil train --pretrain --train` makes one, `maeil model import F.pth` "
        "takes one in");
  TaskOutcome out;
  out.message =
      fmt::format("version {} ({}) {}", version->version, version->status,
                  context.completions == 0 ? "is in force" : "was in force when this date was judged first");
  out.result = {
      {"model_id", version->id}, {"model_version", version->version}, {"model_status", version->status}};
  return out;
}

// Of labels that come late: since when the first are due where none is known yet, which ends the day's
// verdict (not_judged.cc); else which days' are overdue.
Status note_labels_due(const Day& day, TaskContext& context, const LabelledDays& judged, TaskOutcome& out) {
  if (judged.any || label_counts(out.result["metrics"]).rows() > 0) {
    MAEIL_ASSIGN(const auto overdue, overdue_days(context.store, day, context.logical_date));
    return note_overdue(day, context, overdue, out);
  }
  MAEIL_ASSIGN(const auto due, labels_due(context.store, day, context.logical_date));
  if (!due) return {};
  out.result["labels_of"] = format_date(due->of);
  out.result["labels_due"] = format_date(due->on);
  out.result["overdue"] = due->overdue;
  return {};
}

Result<TaskOutcome> evaluate_model(const Day& day, TaskContext& context) {
  MAEIL_ASSIGN(const auto loaded, result_of(context, kEvaluationDag, "load_latest_model"));
  MAEIL_ASSIGN(const auto version, registry::find_version(context.store, loaded.value("model_id", "")));
  MAEIL_ASSIGN(const auto judged, days_to_judge(context.store, day, context.logical_date));
  return evaluate_version(
      context, day, {version, "test", judged.dates}, [&](store::Document evaluated) -> Result<TaskOutcome> {
        TaskOutcome out;
        out.result = std::move(evaluated);
        out.message = describe(out.result["metrics"]);
        MAEIL_TRY(note_labels_due(day, context, judged, out));
        const store::Document& metrics = out.result["metrics"];
        out.batch.puts.push_back(
            {"performance_metrics",
             stamped(context, "performance_metrics",
                     {{"model_id", version.id}, {"dataset_name", "test"}, {"metrics", metrics}})});
        return out;
      });
}

store::Document f1_of(const store::Document& result) {
  return result.at("metrics").at("f1_score");
}  // null where undefined

Result<TaskOutcome> check_model_performance(const Day& day, TaskContext& context) {
  MAEIL_ASSIGN(const auto evaluated, result_of(context, kEvaluationDag, "evaluate_model"));
  MAEIL_TRY(check_evaluated(context, evaluated));
  const Judgement judged = judge_evaluated(evaluated, day.settings);
  TaskOutcome out;
  const double threshold = day.settings.f1_threshold;
  out.result = {
      {"passed", judged.gate == Gate::kPassed}, {"f1_score", f1_of(evaluated)}, {"f1_threshold", threshold}};
  if (day.settings.gate_rule != "point") out.result["gate_rule"] = day.settings.gate_rule;
  switch (judged.gate) {
    case Gate::kPassed:
      out.message = fmt::format("{} >= the gate of {}: passed", judged.compared, threshold);
      out.next = {"send_evaluation_results"};
      break;
    case Gate::kFailed:
      out.message = failure_text(judged, day.settings) + ": retrain";
      out.next = {retrain_task(1, "prepare_retraining_data")};
      break;
    case Gate::kNotJudged:
      out.message = "not judged: " + judged.reason;
      out.next = {"skip_evaluation"};
      out.result["not_judged"] = not_judged_document(judged);
  }
  return out;
}

// The attempt that passed; 0 when the model in force did.
Result<int> passed_attempt(const Day& day, TaskContext& context) {
  for (int k = 1; k <= day.settings.max_retrain_attempts; ++k) {
    const auto task = retrain_task(k, "evaluate_finetuned_model");
    MAEIL_ASSIGN(const TaskState state, state_of(context, kEvaluationDag, task));
    if (state != TaskState::kSuccess) continue;
    MAEIL_ASSIGN(const auto result, result_of(context, kEvaluationDag, task));
    if (result.value("passed", false)) return k;
  }
  return 0;
}

store::Document improvement(const store::Document& before, const store::Document& after) {
  return before.is_number() && after.is_number() ? store::Document(after.get<double>() - before.get<double>())
                                                 : store::Document();
}

std::string f1_text(const store::Document& result) {
  return metric_text(metric_of(result.at("metrics"), "f1_score"));
}

Result<TaskOutcome> send_evaluation_results(const Day& day, TaskContext& context) {
  MAEIL_ASSIGN(const auto original, result_of(context, kEvaluationDag, "evaluate_model"));
  MAEIL_ASSIGN(const int attempt, passed_attempt(day, context));
  store::Document passed = original;
  if (attempt > 0) {
    MAEIL_ASSIGN(passed,
                 result_of(context, kEvaluationDag, retrain_task(attempt, "evaluate_finetuned_model")));
  }
  MAEIL_ASSIGN(const auto version, registry::find_version(context.store, passed.value("model_id", "")));

  store::Document info;
  if (attempt > 0) {
    info = {{"was_retrained", true},
            {"original_model_id", original.value("model_id", "")},
            {"original_f1_score", f1_of(original)},
            {"finetuned_model_id", version.id},
            {"finetuned_f1_score", f1_of(passed)},
            {"improvement", improvement(f1_of(original), f1_of(passed))}};
    if (passed.contains("comparison")) info["comparison"] = passed["comparison"];
  } else {
    info = {
        {"was_retrained", false}, {"f1_score", f1_of(original)}, {"f1_threshold", day.settings.f1_threshold}};
  }
  const bool waits = day.settings.approval == "manual" && registry::waits_for_approval(version);
  TaskOutcome out;
  out.message = attempt > 0 ? fmt::format("version {} {} after {} retraining attempt{}: F1 {}, was {}",
                                          version.version, waits ? "passed" : "approved", attempt,
                                          attempt > 1 ? "s" : "", f1_text(passed), f1_text(original))
                            : fmt::format("version {} passed: F1 {}", version.version, f1_text(original));
  if (waits) out.message += "; it waits for a person's approval (APPROVAL = manual)";
  out.result = {{"model_id", version.id}, {"model_version", version.version}, {"was_retrained", attempt > 0}};
  // An import or a first model that passes on its own; an attempt was approved by its own task.
  const Judgement judged = judge_evaluated(passed, day.settings);
  const std::string note =
      fmt::format("F1 Score: {}, Threshold: {}, Retry: 0", f1_text(passed), day.settings.f1_threshold);
  MAEIL_TRY(change_after_verdict(day, context, version, registry::Judged::kInForce, judged,
                                 {note, passed.at("metrics")}, out.batch));
  out.batch.puts.push_back({"evaluation_events", stamped(context, "evaluation_events",
                                                         {{"event_type", "evaluation_complete"},
                                                          {"model_id", version.id},
                                                          {"model_version", version.version},
                                                          {"status", waits         ? "pending_approval"
                                                                     : attempt > 0 ? "retrained"
                                                                                   : "approved"},
                                                          {"metrics", passed.at("metrics")},
                                                          {"retraining_info", info}})});
  return out;
}

Result<TaskOutcome> send_alert(const Day& day, TaskContext& context) {
  const int attempts = static_cast<int>(day.settings.max_retrain_attempts);
  MAEIL_ASSIGN(const auto original, result_of(context, kEvaluationDag, "evaluate_model"));
  MAEIL_ASSIGN(const auto last,
               result_of(context, kEvaluationDag, retrain_task(attempts, "evaluate_finetuned_model")));
  const Judgement judged = judge_evaluated(last, day.settings);
  store::Document alert = {
      {"alert_type", "MODEL_PERFORMANCE_FAILURE"},
      {"severity", "CRITICAL"},
      {"model_id", last.value("model_id", "")},
      {"original_model_id", original.value("model_id", "")},
      {"f1_score", f1_of(last)},
      {"f1_threshold", day.settings.f1_threshold},
      {"retry_attempts", attempts},
      {"max_retries", attempts},
      {"message", fmt::format("Model performance is {} after {} retraining attempts: {}. "
                              "{}; docs/operations.md says what to look at.",
                              judged.failure.empty() ? "below the threshold" : "not good enough", attempts,
                              judged.failure.empty()
                                  ? fmt::format("{} < {}", judged.compared, day.settings.f1_threshold)
                                  : fmt::format("of the last one, {}, {}", judged.compared, judged.failure),
                              day.settings.challengers.empty()
                                  ? "What is deployed stays"
                                  : "What is deployed stays unless a challenger is shown to be better")}};
  if (day.settings.gate_rule != "point") alert["gate_rule"] = day.settings.gate_rule;
  TaskOutcome out;
  out.message = alert["message"];
  alert = stamped(context, "alerts", std::move(alert));
  const std::string alert_id = store::id_text(alert["_id"]);
  out.result = {{"alert_id", alert_id}, {"f1_score", f1_of(last)}};
  out.batch.puts.push_back({"alerts", std::move(alert)});
  out.batch.puts.push_back({"evaluation_events", stamped(context, "evaluation_events",
                                                         {{"event_type", "evaluation_failed"},
                                                          {"model_id", last.value("model_id", "")},
                                                          {"status", "failed_max_retries"},
                                                          {"metrics", {{"f1_score", f1_of(last)}}},
                                                          {"retry_attempts", attempts},
                                                          {"alert_id", alert_id}})});
  return out;
}

// With what follows the verdict where CHALLENGERS is set: a date that was judged without is over without.
Result<TaskOutcome> announced(const Day& day, Result<TaskOutcome> verdict) {
  if (verdict && !day.settings.challengers.empty()) verdict->result["announces"] = {kTrainChallenger};
  return verdict;
}

}  // namespace

void add_evaluation_tasks(const Day& day, dag::TaskTable& table) {
  table[{kEvaluationDag, "wait_for_data"}] = wait_for_data;
  table[{kEvaluationDag, "load_latest_model"}] = load_latest_model;
  table[{kEvaluationDag, "evaluate_model"}] = [&day](TaskContext& c) { return evaluate_model(day, c); };
  table[{kEvaluationDag, "check_model_performance"}] = [&day](TaskContext& c) {
    return check_model_performance(day, c);
  };
  table[{kEvaluationDag, "send_evaluation_results"}] = [&day](TaskContext& c) {
    return announced(day, as_verdict(c, send_evaluation_results(day, c)));
  };
  table[{kEvaluationDag, "send_alert"}] = [&day](TaskContext& c) {
    return announced(day, as_verdict(c, send_alert(day, c)));
  };
  table[{kEvaluationDag, "skip_evaluation"}] = [&day](TaskContext& c) {
    return announced(day, as_verdict(c, skip_evaluation(day, c)));
  };
}

}  // namespace maeil::loop
