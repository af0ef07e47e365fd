#include "loop/challengers.h"

#include <fmt/format.h>

#include "loop/pipelines.h"
#include "store/field_rules.h"

namespace maeil::loop {
namespace {

struct LastTraining {
  Days on;
  const char* what;
};

// nullopt: nobody knows, of a version that another program wrote.
Result<std::optional<LastTraining>> last_training(const dag::TaskContext& context) {
  store::FindOptions before;
  before.filter = {{"logical_date", {{"$lt", format_date(context.logical_date)}}}};
  before.sort = {{"logical_date", -1}};
  before.limit = 1;
  MAEIL_ASSIGN(const auto event, context.store.find_one(kChallengerEvents, before));
  if (!event.is_null()) {
    const auto on = parse_date(store::text_field(event, "logical_date"));
    if (!on) return with_context("challenger_events: the newest event is damaged", on.error());
    return std::optional(LastTraining{*on, "the last challenger was judged"});
  }
  MAEIL_ASSIGN(const auto loaded, result_of(context, kEvaluationDag, "load_latest_model"));
  MAEIL_ASSIGN(const auto version, registry::find_version(context.store, loaded.value("model_id", "")));
  const auto on = parse_date(store::text_field(version.document, "logical_date"));
  return on ? std::optional(LastTraining{*on, "the model in force was made"}) : std::nullopt;
}

}  // namespace

std::vector<std::string> challenger_families(const Settings& settings) {
  std::vector<std::string> out(1);
  for (const char c : settings.challengers) {
    if (c == ',')
      out.emplace_back();
    else if (c != ' ' && c != '\t')
      out.back() += c;
  }
  return out;
}

Result<ChallengerDue> challenger_due(const dag::TaskContext& context, const Settings& settings) {
  MAEIL_ASSIGN(const auto gate, result_of(context, kEvaluationDag, "check_model_performance"));
  if (gate.contains("not_judged")) return ChallengerDue{false, "the date could not be judged"};
  if (!gate.value("passed", false)) return ChallengerDue{true, "the model in force failed the gate"};
  MAEIL_ASSIGN(const auto last, last_training(context));
  if (!last) return ChallengerDue{true, "nobody knows when the model in force was made"};
  const auto days = (context.logical_date - last->on).count();
  return ChallengerDue{days >= settings.retrain_every,
                       fmt::format("{} on {} (RETRAIN_EVERY is {} days)", last->what, format_date(last->on),
                                   settings.retrain_every)};
}

Result<registry::ModelVersion> champion_of_the_date(const dag::TaskContext& context) {
  MAEIL_ASSIGN(const auto verdict, state_of(context, kEvaluationDag, "send_evaluation_results"));
  const char* from = verdict == dag::TaskState::kSuccess ? "send_evaluation_results" : "load_latest_model";
  MAEIL_ASSIGN(const auto result, result_of(context, kEvaluationDag, from));
  return registry::find_version(context.store, result.value("model_id", ""));
}

}  // namespace maeil::loop
