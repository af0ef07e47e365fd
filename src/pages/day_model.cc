// How good the model was, what retraining made of it, and what was decided.
#include <fmt/format.h>

#include <map>

#include "pages/day_sections.h"
#include "pages/metrics_blocks.h"
#include "store/field_rules.h"

namespace maeil::pages {
namespace {

using store::Document;
using store::field_at;
using store::text_field;

constexpr int kMostAttempts = 20;  // MAX_RETRAIN_ATTEMPTS

const Document& attempt_task(const DayRecord& record, int k, const char* task) {
  return task_of(record, fmt::format("retrain_{}.{}", k, task));
}

// Ids of the versions of the day by their names, for whom one learnt from.
std::map<std::string, std::string> versions_of(const DayRecord& record) {
  std::map<std::string, std::string> out;
  const auto add = [&](const Document& result) {
    out[fact(field_at(result, "model_id"), "")] = fact(field_at(result, "model_version"), "");
  };
  add(field_at(task_of(record, "load_latest_model"), "result"));
  for (int k = 1; k <= kMostAttempts; ++k) add(field_at(attempt_task(record, k, "finetune_model"), "result"));
  return out;
}

}  // namespace

Section judged_section(const DayRecord& record) {
  Section out{"How good the model was", {}, {}};
  const Document& loaded = task_of(record, "load_latest_model");
  if (text_field(record.verdict, "status") == "not_judged") {
    add_source(out, "evaluation_events", record.verdict);
    out.blocks.emplace_back("Not judged: " + fact(field_at(record.verdict, "reason")) + ".");
  }
  if (record.evaluated.is_null()) {
    out.blocks.emplace_back("The model in force was not evaluated. " + why_absent(record, "evaluate_model"));
    return out;
  }
  const Document& metrics = field_at(record.evaluated, "metrics");
  add_source(out, "performance_metrics", record.evaluated);
  add_source(out, "model_metadata", record.model);
  add_source(out, "task_instances", loaded);
  note_earlier(record, "evaluate_model", out);
  Table model{"The model in force",
              {},
              facts_of(record.model, {{"model_version", "version"},
                                      {"model_family", "family"},
                                      {"created_at", "made"},
                                      {"finetuned_from", "fine-tuned from"},
                                      {"sha256", "SHA-256"}})};
  for (auto& row : facts_of(loaded, {{"result.model_status", "status when the date began"}}))
    model.rows.push_back(std::move(row));
  out.blocks.emplace_back(std::move(model));
  Table rows{"The rows that it was judged on",
             {},
             facts_of(metrics, {{"measured_on", "which"},
                                {"judged_on", "of the dates"},
                                {"rows", "with a label"},
                                {"unlabelled", "left out: without a label"}})};
  out.blocks.emplace_back(std::move(rows));
  add_metrics(metrics, out);
  add_reliability(metrics, out);
  return out;
}

Section attempts_section(const DayRecord& record) {
  Section out{"Retraining and challengers", {}, {}};
  const auto versions = versions_of(record);
  const Document& loaded = task_of(record, "load_latest_model");
  Table table{"Attempts",
              {"attempt", "fine-tuned from", "version", "outcome", "what was said",
               "rows learnt from and compared on", "F1", "F1, 95 % interval", "ROC AUC"},
              {},
              5};
  std::vector<std::pair<std::string, const Document*>> compared;
  for (int k = 1; k <= kMostAttempts; ++k) {
    const Document& prepared = attempt_task(record, k, "prepare_retraining_data");
    const std::string state = text_field(prepared, "state");
    if (state.empty() || state == "skipped" || state == "none" || state == "upstream_failed") break;
    const Document &tuned = attempt_task(record, k, "finetune_model"),
                   &judged = attempt_task(record, k, "evaluate_finetuned_model");
    for (const Document* task : {&loaded, &prepared, &tuned, &judged})
      add_source(out, "task_instances", *task);
    const Document &result = field_at(judged, "result"), &metrics = field_at(result, "metrics");
    const std::string parent = fact(field_at(prepared, "result.parent_id"));
    const auto named = versions.find(parent);
    const bool done = text_field(judged, "state") == "success";
    const std::string outcome = !done                                ? "not judged: it did not end"
                                : result.contains("not_judged")      ? "not judged"
                                : field_at(result, "passed") == true ? "passed"
                                                                     : "failed";
    table.rows.push_back({fmt::format("{}", k), named == versions.end() ? parent : named->second,
                          fact(field_at(tuned, "result.model_version")), outcome,
                          done ? fact(field_at(judged, "message"))
                               : why_absent(record, fmt::format("retrain_{}.finetune_model", k)),
                          fact(field_at(prepared, "result.fine")), metric(metrics, "f1_score"),
                          interval(metrics, "f1_interval"), metric(metrics, "roc_auc")});
    if (const Document& comparison = field_at(result, "comparison"); comparison.is_object())
      compared.emplace_back(fmt::format("Attempt {}", k), &comparison);
  }
  const Document& gate = task_of(record, "check_model_performance");
  if (!table.rows.empty())
    out.blocks.emplace_back(std::move(table));
  else if (field_at(gate, "result.passed") == true)
    out.blocks.emplace_back("Nothing was retrained: the model in force passed.");
  else if (text_field(record.verdict, "status") == "not_judged")
    out.blocks.emplace_back("Nothing was retrained: the model in force was not judged.");
  else
    out.blocks.emplace_back("Nothing was retrained. " + why_absent(record, "check_model_performance"));
  for (const auto& [who, comparison] : compared) add_comparison(*comparison, who, out);
  if (record.challenger.is_null()) {
    const bool asked = !task_of(record, "train_challenger").is_null();
    out.blocks.emplace_back("No challenger was judged." +
                            (asked ? " " + why_absent(record, "train_challenger") : std::string()));
    return out;
  }
  add_source(out, "challenger_events", record.challenger);
  Table challenger{"Challenger",
                   {},
                   facts_of(record.challenger, {{"model_version", "version"},
                                                {"family", "family"},
                                                {"trained_because", "trained because"},
                                                {"status", "outcome"},
                                                {"reason", "why"},
                                                {"metrics.f1_score", "F1"},
                                                {"metrics.roc_auc", "ROC AUC"}})};
  std::erase_if(challenger.rows, [](const auto& row) { return row[1].empty(); });
  out.blocks.emplace_back(std::move(challenger));
  add_comparison(field_at(record.challenger, "comparison"), "The challenger", out);
  return out;
}

Section decided_section(const DayRecord& record) {
  Section out{"What was decided, and deployed", {}, {}};
  const Document& gate = task_of(record, "check_model_performance");
  add_source(out, "task_instances", gate);
  if (record.verdict.is_null()) {
    out.blocks.emplace_back("There is no verdict. " + why_absent(record, "check_model_performance"));
  } else {
    add_source(out, "evaluation_events", record.verdict);
    Table verdict{"Verdict",
                  {},
                  facts_of(record.verdict, {{"status", "verdict"},
                                            {"model_version", "version"},
                                            {"reason", "why"},
                                            {"metrics.f1_score", "F1"},
                                            {"retraining_info.original_f1_score", "F1 before retraining"},
                                            {"retry_attempts", "attempts that failed"},
                                            {"timestamp", "when"}})};
    for (auto& row : facts_of(gate, {{"result.f1_threshold", "gate: F1 of at least"},
                                     {"result.gate_rule", "rule of the gate"},
                                     {"message", "what the gate said of the model in force"}}))
      verdict.rows.push_back(std::move(row));
    out.blocks.emplace_back(std::move(verdict));
  }
  if (record.deployment_events.empty()) {
    out.blocks.emplace_back("Nothing was deployed. " + why_absent(record, "deploy_model"));
    return out;
  }
  Table table{"Deployments",
              {"version", "status", "changed what is deployed", "in the place of", "error", "run", "when"},
              {},
              7};
  for (const auto& event : record.deployment_events) {
    add_source(out, "deployment_events", event);
    const bool deployed = text_field(event, "status") == "deployed";
    const Document& unchanged = field_at(event, "unchanged");
    table.rows.push_back({fact(field_at(event, "model_version")), fact(field_at(event, "status")),
                          !deployed || unchanged == true ? "no, what was deployed stays"
                          : unchanged == false           ? "yes"
                                                         : "not recorded",
                          fact(field_at(event, "replaced"), "none"), fact(field_at(event, "error"), "none"),
                          fact(field_at(event, "run_id")), fact(field_at(event, "timestamp"))});
    if (text_field(event, "event_type") == "pending_approval")
      out.blocks.emplace_back("Version " + fact(field_at(event, "model_version")) +
                              " waited for a person's approval; what was deployed stayed.");
  }
  out.blocks.emplace_back(std::move(table));
  return out;
}

}  // namespace maeil::pages
