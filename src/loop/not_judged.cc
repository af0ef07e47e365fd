#include "loop/not_judged.h"

#include <fmt/format.h>

#include "loop/pipelines.h"

namespace maeil::loop {

Result<store::Document> what_was_not_judged(const dag::TaskContext& context, int max_attempts) {
  // The last branch that ran decides: an attempt, else the gate.
  for (int k = max_attempts; k >= 0; --k) {
    const std::string task = k > 0 ? retrain_task(k, "evaluate_finetuned_model") : "check_model_performance";
    MAEIL_ASSIGN(const auto state, state_of(context, kEvaluationDag, task));
    if (state != dag::TaskState::kSuccess) continue;
    MAEIL_ASSIGN(const auto branch, result_of(context, kEvaluationDag, task));
    if (!branch.contains("not_judged")) continue;
    MAEIL_ASSIGN(const auto evaluated, result_of(context, kEvaluationDag, k > 0 ? task : "evaluate_model"));
    store::Document out = {{"model_id", evaluated.value("model_id", "")},
                           {"model_version", evaluated.value("model_version", "")}};
    out.update(branch["not_judged"]);
    return out;
  }
  return not_found(fmt::format(
      "no branch of {} says that the model could not be judged: run check_model_performance first",
      format_date(context.logical_date)));
}

Result<dag::TaskOutcome> skip_evaluation(const Day& day, dag::TaskContext& context) {
  MAEIL_ASSIGN(const auto found,
               what_was_not_judged(context, static_cast<int>(day.settings.max_retrain_attempts)));
  dag::TaskOutcome out;
  out.message = found.value("reason", "");
  out.result = found;
  store::Document event = {{"event_type", "evaluation_skipped"}, {"status", "not_judged"}};
  // Labels that are not due yet are no news to anybody.
  if (!found.contains("labels_due") || found.value("overdue", false)) {
    store::Document alert = {{"alert_type", "MODEL_NOT_JUDGED"}, {"severity", "WARNING"}};
    alert.update(found);
    alert["message"] = fmt::format(
        "Version {} was not judged: {}. Nothing was retrained or deployed, what is deployed stays; "
        "docs/operations.md says what to look at.",
        found.value("model_version", ""), out.message);
    alert = stamped(context, "alerts", std::move(alert));
    event["alert_id"] = out.result["alert_id"] = store::id_text(alert["_id"]);
    out.batch.puts.push_back({"alerts", std::move(alert)});
    out.message += " (alert MODEL_NOT_JUDGED)";
  }
  event.update(found);
  out.batch.puts.push_back({"evaluation_events", stamped(context, "evaluation_events", std::move(event))});
  return out;
}

}  // namespace maeil::loop
