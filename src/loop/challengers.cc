#include "loop/challengers.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/split.h"
#include "loop/pipelines.h"
#include "store/field_rules.h"

namespace maeil::loop {
namespace {

struct LastTraining {
  Days on;
  const char* what;
};

Result<LastTraining> last_training(const dag::TaskContext& context) {
  store::FindOptions before;
  before.filter = {{"logical_date", {{"$lt", format_date(context.logical_date)}}},
                   {"status", {{"$ne", "not_judged"}}},
                   {"superseded_by", {{"$exists", false}}}};
  before.sort = {{"logical_date", -1}};
  before.limit = 1;
  MAEIL_ASSIGN(const auto event, context.store.find_one(kChallengerEvents, before));
  if (!event.is_null()) {
    const auto on = parse_date(store::text_field(event, "logical_date"));
    if (!on) return with_context("challenger_events: the newest event is damaged", on.error());
    return LastTraining{*on, "the last challenger was judged"};
  }
  MAEIL_ASSIGN(const auto loaded, result_of(context, kEvaluationDag, "load_latest_model"));
  store::FindOptions first;
  // Not what a training says of its own test rows, on a day of the clock (`gate`).
  first.filter = {
      {"model_id", loaded.value("model_id", "")}, {"dataset_name", "test"}, {"gate", {{"$exists", false}}}};
  first.sort = {{"logical_date", 1}};
  first.limit = 1;
  MAEIL_ASSIGN(const auto judged, context.store.find_one("performance_metrics", first));
  const auto on = parse_date(store::text_field(judged, "logical_date"));
  return LastTraining{on ? *on : context.logical_date, "the model in force was first judged"};
}

// The record of the date's verdict, a pass or an alert; nullopt: there is none.
Result<std::optional<store::Document>> verdict_result(const dag::TaskContext& context) {
  for (const char* task : {"send_evaluation_results", "send_alert", "skip_evaluation"}) {
    MAEIL_ASSIGN(const auto state, state_of(context, kEvaluationDag, task));
    if (state != dag::TaskState::kSuccess) continue;
    MAEIL_ASSIGN(auto result, result_of(context, kEvaluationDag, task));
    return std::optional(std::move(result));
  }
  return std::optional<store::Document>();
}

bool announces_challenger(const store::Document& verdict) {
  const auto announced = verdict.value("announces", store::Document::array());
  return std::ranges::find(announced, store::Document(kTrainChallenger)) != announced.end();
}

}  // namespace

std::vector<std::string> challenger_families(const Settings& settings) {
  std::vector<std::string> out;
  for (const auto family : split(settings.challengers, ',')) out.emplace_back(family);
  return out;
}

Result<ChallengerDue> challenger_due(const dag::TaskContext& context, const Settings& settings) {
  MAEIL_ASSIGN(const auto verdict, verdict_result(context));
  if (!verdict || !announces_challenger(*verdict))
    return ChallengerDue{false, "the date was judged without CHALLENGERS"};
  MAEIL_ASSIGN(const auto gate, result_of(context, kEvaluationDag, "check_model_performance"));
  if (gate.contains("not_judged")) return ChallengerDue{false, "the date could not be judged"};
  if (!gate.value("passed", false)) return ChallengerDue{true, "the model in force failed the gate"};
  MAEIL_ASSIGN(const auto last, last_training(context));
  const auto days = (context.logical_date - last.on).count();
  return ChallengerDue{days >= settings.retrain_every,
                       fmt::format("{} on {} (RETRAIN_EVERY is {} days)", last.what, format_date(last.on),
                                   settings.retrain_every)};
}

Result<std::optional<bool>> challenger_passed(const dag::TaskContext& context, const Settings& settings) {
  using Answer = std::optional<bool>;
  MAEIL_ASSIGN(const auto verdict, verdict_result(context));
  if (!verdict || !announces_challenger(*verdict)) return Answer(false);
  MAEIL_ASSIGN(const auto judged, state_of(context, kEvaluationDag, kEvaluateChallenger));
  if (judged == dag::TaskState::kSuccess) {
    MAEIL_ASSIGN(const auto result, result_of(context, kEvaluationDag, kEvaluateChallenger));
    return Answer(result.value("passed", false));
  }
  MAEIL_ASSIGN(const auto trained, state_of(context, kEvaluationDag, kTrainChallenger));
  if (trained == dag::TaskState::kSkipped || settings.challengers.empty()) return Answer(false);
  // Failed, or dead, a part of it perhaps. On a first question that may be about to be done again.
  MAEIL_ASSIGN(const auto failure, failure_of(context, kEvaluationDag));
  return failure && context.asked_before ? Answer(false) : Answer();
}

Result<registry::ModelVersion> champion_of_the_date(const dag::TaskContext& context) {
  MAEIL_ASSIGN(const auto verdict, state_of(context, kEvaluationDag, "send_evaluation_results"));
  const char* from = verdict == dag::TaskState::kSuccess ? "send_evaluation_results" : "load_latest_model";
  MAEIL_ASSIGN(const auto result, result_of(context, kEvaluationDag, from));
  return registry::find_version(context.store, result.value("model_id", ""));
}

}  // namespace maeil::loop
