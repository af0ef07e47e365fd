#include "pages/day_page.h"

#include <fmt/format.h>

#include "pages/day_sections.h"
#include "store/field_rules.h"

namespace maeil::pages {
namespace {

using store::Document;
using store::field_at;
using store::text_field;

bool failed(const Document& task) { return text_field(task, "state") == "failed"; }

// Whether what a task wrote is about the date as it was done last: before it succeeds again its documents are
// of an earlier doing. Two of them write when they fail, or are skipped, too.
bool is_of_last_doing(const DayRecord& record, std::string_view task) {
  const Document& found = task_of(record, task);
  const std::string state = text_field(found, "state");
  if (found.is_null() || state == "success") return true;  // retention removes records before what they made
  return (task == "validate_data" && state == "failed") ||
         (task == "deploy_model" && (state == "failed" || state == "skipped"));
}

// Of the tasks that give one the last one to have run has.
bool verdict_is_of_last_doing(const DayRecord& record) {
  bool any = false;
  for (const char* task : {"send_evaluation_results", "send_alert", "skip_evaluation"}) {
    const Document& found = task_of(record, task);
    if (text_field(found, "state") == "success") return true;
    any = any || !found.is_null();
  }
  return record.verdict.is_null() || !any;
}

// What became of the date, in a sentence.
std::string verdict_sentence(const DayRecord& record) {
  const std::string status = text_field(record.verdict, "status");
  if (status == "approved") return "The model in force passed.";
  if (status == "retrained") return "The model in force failed the gate, and a retrained one passed.";
  if (status == "pending_approval") return "A model passed and waited for a person's approval.";
  if (status == "failed_max_retries")
    return "The model in force failed the gate, and so did what was retrained: an alert was raised.";
  if (status == "not_judged")
    return "The model in force was not judged: " + fact(field_at(record.verdict, "reason")) + ".";
  if (text_field(task_of(record, "wait_for_source"), "state") == "skipped")
    return "Nothing was due: " + fact(field_at(task_of(record, "wait_for_source"), "message")) + ".";
  return "The date has no verdict.";
}

std::string lead_of(const DayRecord& record) {
  std::string out = verdict_sentence(record);
  if (!verdict_is_of_last_doing(record))
    out = "The date was begun again and has no verdict yet; what it said before: " + out;
  for (const auto& task : record.tasks) {
    if (failed(task))
      out += fmt::format(" {} failed: {}.", fact(field_at(task, "task_id")),
                         fact(field_at(task, "error.message"), "it said nothing"));
  }
  return out;
}

Section short_section(const DayRecord& record) {
  Section out{"In short", {}, {}};
  std::vector<Tile> tiles;
  const auto tile = [&](const char* collection, const Document& document, const char* path,
                        const std::string& name, const char* absent, bool stands = true) {
    add_source(out, collection, document);
    const bool before = !stands && !document.is_null();
    tiles.push_back(
        {fact(field_at(document, path), absent), before ? name + ", before it was begun again" : name});
  };
  const auto stands = [&](const char* task) { return is_of_last_doing(record, task); };
  tile("evaluation_events", record.verdict, "status", "verdict", "none", verdict_is_of_last_doing(record));
  tile("task_instances", task_of(record, "load_latest_model"), "result.model_version", "model in force",
       "not looked for", stands("load_latest_model"));
  tile("raw_data", record.raw_data, "rows", "rows that came in", "none", stands("generate_data"));
  tile("data_validations", record.data_validations, "quarantined", "of them cannot be used", "not looked at",
       stands("validate_data"));
  tile("performance_metrics", record.evaluated, "metrics.f1_score", "F1 of the model in force",
       record.evaluated.is_null() ? "not judged" : "undefined", stands("evaluate_model"));
  tile("performance_metrics", record.evaluated, "metrics.roc_auc", "ROC AUC of the model in force",
       record.evaluated.is_null() ? "not judged" : "undefined", stands("evaluate_model"));
  const Document& gate = task_of(record, "check_model_performance");
  const bool by_bound = text_field(field_at(gate, "result"), "gate_rule") == "lower_bound";
  tile("task_instances", gate, "result.f1_threshold",
       by_bound ? "gate: lower end of F1's interval of at least" : "gate: F1 of at least", "not asked",
       stands("check_model_performance"));
  const Document none;
  tile("deployment_events", record.deployment_events.empty() ? none : record.deployment_events.back(),
       "status", "deployment", "none", stands("deploy_model"));
  tile("predictions", record.predictions, "rows", "rows scored", "none", stands("score_data"));
  tile("predictions", record.predictions, "mean_probability", "mean probability", "none",
       stands("score_data"));
  std::string rang;
  for (const auto& alert : record.alerts) {
    add_source(out, "alerts", alert);
    rang += (rang.empty() ? "" : ", ") + fact(field_at(alert, "alert_type"));
  }
  tiles.push_back({rang.empty() ? "none" : rang, "alerts"});
  out.blocks.emplace_back(std::move(tiles));
  return out;
}

}  // namespace

const Document& task_of(const DayRecord& record, std::string_view task) {
  static const Document none;
  for (const auto& one : record.tasks) {
    if (text_field(one, "task_id") == task) return one;
  }
  return none;
}

std::string why_absent(const DayRecord& record, std::string_view task) {
  const Document* found = &task_of(record, task);
  if (found->is_null()) return fmt::format("{} never ran.", task);
  // What a branch or a sensor skipped is explained by that one.
  for (size_t steps = 0; steps < record.tasks.size(); ++steps) {
    const Document& by = task_of(record, text_field(*found, "skipped_by"));
    if (by.is_null()) break;
    found = &by;
  }
  const std::string error = fact(field_at(*found, "error.message"), ""),
                    message = text_field(*found, "message");
  const std::string& said = error.empty() ? message : error;
  return fmt::format("{} ended as {}{}.", fact(field_at(*found, "task_id")), fact(field_at(*found, "state")),
                     said.empty() ? "" : ": " + said);
}

void note_earlier(const DayRecord& record, std::string_view task, Section& section) {
  if (is_of_last_doing(record, task)) return;
  const std::string state = text_field(task_of(record, task), "state");
  section.blocks.emplace_back(
      fmt::format("This is what the date said before it was begun again: the state of {} is {}.", task,
                  state.empty() ? "not recorded" : state));
}

Report day_report(const DayRecord& record) {
  return {fmt::format("{}, {}", record.date, record.dataset),
          lead_of(record),
          {short_section(record), rows_section(record), findings_section(record), alerts_section(record),
           judged_section(record), attempts_section(record), decided_section(record), scores_section(record),
           tasks_section(record), acts_section(record), program_section(record)}};
}

Document to_document(const DayRecord& record) {
  return {{"logical_date", record.date},
          {"dataset", record.dataset},
          {"raw_data", record.raw_data},
          {"data_validations", record.data_validations},
          {"processing_metadata", record.processing_metadata},
          {"model_metadata", record.model},
          {"performance_metrics", record.evaluated},
          {"evaluation_events", record.verdict},
          {"challenger_events", record.challenger},
          {"deployment_events", record.deployment_events},
          {"predictions", record.predictions},
          {"matured", record.matured},
          {"alerts", record.alerts},
          {"alert_states", record.alert_states},
          {"task_instances", record.tasks},
          {"audit_log", record.acts}};
}

}  // namespace maeil::pages
