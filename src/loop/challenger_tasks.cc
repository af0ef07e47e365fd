// train_challenger -> evaluate_challenger of model_evaluation_pipeline, where CHALLENGERS names families: a
// model of another kind, or one that starts anew, against the day's champion.
#include <fmt/format.h>

#include "loop/challengers.h"
#include "loop/evaluation.h"
#include "loop/gate.h"
#include "loop/labels/labelled_days.h"
#include "loop/labels/stored_rows.h"
#include "loop/pipelines.h"
#include "loop/tasks.h"
#include "loop/training.h"
#include "model/boosted_trees.h"

namespace maeil::loop {
namespace {

using dag::TaskContext;
using dag::TaskOutcome;
using dag::TaskState;

Result<TaskOutcome> fit_challenger(const Day& day, TaskContext& context, const std::string& reason) {
  MAEIL_ASSIGN(auto learnt, days_to_learn(context.store, day, context.logical_date));
  if (learnt.dates.empty()) learnt.dates = {context.logical_date};
  MAEIL_ASSIGN(const LearningRows rows, stored_rows(context.store, day, learnt.dates, context.logical_date));
  const auto families = challenger_families(day.settings);
  TrainingPlan plan;
  plan.epochs = static_cast<int>(day.settings.epochs);
  plan.compared = families.size() > 1;
  std::vector<FittedClassifier> fitted;
  for (const auto& family : families) {
    if (family == model::kBoostedTrees)
      MAEIL_TRY(model::can_learn_trees(", or take boosted_trees out of CHALLENGERS"));
    MAEIL_ASSIGN(auto one, fit_on(day, plan, rows, family, "", context));
    if (plan.compared)
      context.log(fmt::format("{}: log loss {} on {} held-out rows", family, metric_text(held_out_loss(one)),
                              one.held_out));
    fitted.push_back(std::move(one));
  }
  const FittedClassifier& best = fitted[best_of(fitted, day.spec)];
  MAEIL_ASSIGN(auto out, register_fitted(day, rows, best, "candidate", context));
  out.message = fmt::format("challenger, since {}: {}", reason, out.message);
  out.result.update({{"family", best.learner->family()}, {"reason", reason}});
  return out;
}

// What goes wrong with it is said, and keeps nothing of what the verdict passed from being deployed.
TaskOutcome not_trained(TaskContext& context, const Error& why) {
  TaskOutcome out;
  out.state = TaskState::kSkipped;
  out.message = "no challenger could be trained: " + why.message;
  context.log("warning: " + out.message);
  out.batch.puts.push_back(
      {"alerts",
       stamped(context, "alerts",
               {{"alert_type", "CHALLENGER_NOT_TRAINED"},
                {"severity", "WARNING"},
                {"reason", why.message},
                {"message", fmt::format("A challenger was due and could not be trained: {}. The day "
                                        "goes on without it; the next one tries again.",
                                        why.message)}})});
  return out;
}

Result<TaskOutcome> train_challenger(const Day& day, TaskContext& context) {
  MAEIL_ASSIGN(const auto due, challenger_due(context, day.settings));
  if (!due.is_due) return outcome(TaskState::kSkipped, "no challenger is trained: " + due.reason);
  context.log("a challenger is trained: " + due.reason);
  auto trained = fit_challenger(day, context, due.reason);
  if (trained) return trained;
  // No library, rows that say nothing, a training that diverged: the same again gives the same. What else is
  // wrong (a disk, a server) is tried again, as of every task.
  const ErrorCode code = trained.error().code;
  const bool is_final =
      code == ErrorCode::kNotFound || code == ErrorCode::kBadInput || code == ErrorCode::kFailed;
  if (is_final) return not_trained(context, trained.error());
  return trained;
}

// The event of a challenger's judgement, with all numbers that decided. `status`: the version's, behind it.
store::Document challenger_event(const Day& day, const store::Document& trained,
                                 const store::Document& evaluated, const Judgement& judged,
                                 const std::string& status) {
  const bool passed = judged.gate == Gate::kPassed;
  return {{"event_type", "challenger_evaluated"},
          {"model_id", evaluated.value("model_id", "")},
          {"model_version", evaluated.value("model_version", "")},
          {"family", trained.value("family", "")},
          {"trained_because", trained.value("reason", "")},
          {"status", judged.gate == Gate::kNotJudged ? "not_judged"
                     : status == "candidate"         ? "pending_approval"
                                                     : status},
          {"reason", judged.gate == Gate::kNotJudged ? judged.reason
                     : passed                        ? ""
                                                     : failure_text(judged, day.settings)},
          {"f1_threshold", day.settings.f1_threshold},
          {"gate_rule", day.settings.gate_rule},
          {"max_segment_loss", day.settings.max_segment_loss},
          {"metrics", evaluated.at("metrics")},
          {"comparison", evaluated.at("comparison")}};
}

Result<TaskOutcome> evaluate_challenger(const Day& day, TaskContext& context) {
  MAEIL_ASSIGN(const auto trained, result_of(context, kEvaluationDag, kTrainChallenger));
  MAEIL_ASSIGN(const auto version, registry::find_version(context.store, trained.value("model_id", "")));
  MAEIL_ASSIGN(const auto original, result_of(context, kEvaluationDag, "evaluate_model"));
  Evaluation what{version, "test"};
  MAEIL_ASSIGN(what.dates, dates_of(original, "judged_on"));
  MAEIL_ASSIGN(what.champion, champion_of_the_date(context));
  what.must_be_better = true;
  return evaluate_version(context, day, what, [&](store::Document evaluated) -> Result<TaskOutcome> {
    TaskOutcome out;
    const Judgement judged = judge_evaluated(evaluated, day.settings);
    out.message = fmt::format("challenger {} ({}) against version {}: {}: {}", version.version,
                              trained.value("family", ""), what.champion->version,
                              describe(evaluated.at("metrics")), verdict_text(judged, day.settings));
    const std::string note = fmt::format("challenger of version {}: {}", what.champion->version,
                                         judged.gate == Gate::kFailed ? failure_text(judged, day.settings)
                                                                      : verdict_text(judged, day.settings));
    MAEIL_ASSIGN(const std::string status,
                 change_after_verdict(day, context, version, registry::Judged::kAttempt, judged,
                                      {note, evaluated.at("metrics")}, out.batch));
    out.batch.puts.push_back({"performance_metrics", stamped(context, "performance_metrics",
                                                             {{"model_id", version.id},
                                                              {"dataset_name", "challenger_test"},
                                                              {"metrics", evaluated.at("metrics")},
                                                              {"comparison", evaluated.at("comparison")}})});
    out.batch.puts.push_back(
        {kChallengerEvents,
         stamped(context, kChallengerEvents, challenger_event(day, trained, evaluated, judged, status))});
    evaluated["passed"] = judged.gate == Gate::kPassed;
    out.result = std::move(evaluated);
    return out;
  });
}

}  // namespace

void add_challenger_tasks(const Day& day, dag::TaskTable& table) {
  table[{kEvaluationDag, kTrainChallenger}] = [&day](TaskContext& c) { return train_challenger(day, c); };
  table[{kEvaluationDag, kEvaluateChallenger}] = [&day](TaskContext& c) {
    return evaluate_challenger(day, c);
  };
}

}  // namespace maeil::loop
