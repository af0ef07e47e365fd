#include "loop/verdict_record.h"

#include <algorithm>

#include "loop/challengers.h"
#include "loop/pipelines.h"
#include "store/field_rules.h"

namespace maeil::loop {
namespace {

using dag::TaskOutcome;
using store::Document;

constexpr const char* kEvents = "evaluation_events";
constexpr const char* kAlerts = "alerts";

}  // namespace

Result<TaskOutcome> as_verdict(const dag::TaskContext& context, Result<TaskOutcome> outcome) {
  if (!outcome) return outcome;
  auto& batch = outcome->batch;
  const auto event = std::ranges::find(batch.puts, kEvents, &store::Batch::Put::collection);
  if (event == batch.puts.end()) return outcome;
  for (const char* collection : {kEvents, kAlerts, kChallengerEvents}) {
    store::FindOptions present;
    present.filter = {{"logical_date", format_date(context.logical_date)},
                      {"superseded_by", {{"$exists", false}}}};
    // An alert about something else (labels that were not taken in) is no verdict, and none stands for it.
    if (collection == std::string_view(kAlerts))
      present.filter["alert_type"] = {
          {"$in", {"MODEL_PERFORMANCE_FAILURE", "MODEL_NOT_JUDGED", "CHALLENGER_NOT_TRAINED"}}};
    MAEIL_ASSIGN(const auto documents, context.store.find(collection, present));
    for (const auto& document : documents) {
      const std::string key = store::text_field(document, "task_key");
      // What this task itself wrote is linked when it commits (dag/task_history.h); what no task wrote is
      // somebody else's.
      if (key.empty() || key.substr(0, key.find('#')) == context.name().key()) continue;
      if (collection == std::string_view(kEvents)) event->document["supersedes"] = document.at("_id");
      batch.sets.push_back(
          {collection, store::id_text(document.at("_id")), {{"superseded_by", event->document.at("_id")}}});
    }
  }
  return outcome;
}

Result<std::optional<Days>> newest_verdict(store::Store& store) {
  // events stay, whatever is done again; those without a task's key are not maeil's
  store::FindOptions newest;
  newest.filter = {{"task_key", {{"$exists", true}}}};
  newest.sort = {{"logical_date", -1}};
  newest.limit = 1;
  newest.projection = {"logical_date"};
  MAEIL_ASSIGN(const Document found, store.find_one(kEvents, newest));
  if (found.is_null()) return std::optional<Days>();
  const auto date = found.find("logical_date");
  auto parsed = date != found.end() && date->is_string() ? parse_date(date->get<std::string>())
                                                         : bad_input("it has no logical_date");
  if (!parsed) return with_context("evaluation_events: the newest event is damaged", parsed.error());
  return std::optional(*parsed);
}

}  // namespace maeil::loop
