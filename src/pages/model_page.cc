#include "pages/model_page.h"

#include <fmt/format.h>

#include <array>

#include "pages/metrics_blocks.h"
#include "store/field_rules.h"

namespace maeil::pages {
namespace {

using store::Document;
using store::field_at;
using store::text_field;
using Rows = std::vector<std::vector<std::string>>;

void append(Rows& out, Rows more) {
  for (auto& row : more) out.push_back(std::move(row));
}

// The scalar fields of an object, in its order.
Rows scalars_of(const Document& document) {
  Rows out;
  if (!document.is_object()) return out;
  for (const auto& [name, value] : document.items()) {
    if (value.is_primitive() || store::is_extended(value)) out.push_back({name, fact(value, "none")});
  }
  return out;
}

// A table of documents, a row each; a sentence where there are none.
void add_documents(Section& out, const char* collection, const std::vector<Document>& documents, Table table,
                   std::initializer_list<const char*> fields, const char* none) {
  for (const auto& document : documents) {
    add_source(out, collection, document);
    std::vector<std::string> row;
    for (const char* field : fields) {
      const std::string text = fact(field_at(document, field), "none");
      row.push_back(text.empty() ? "none" : text);
    }
    table.rows.push_back(std::move(row));
  }
  if (table.rows.empty())
    out.blocks.emplace_back(none);
  else
    out.blocks.emplace_back(std::move(table));
}

std::string sentence(std::string text) { return text.empty() || text.ends_with('.') ? text : text + "."; }

Section purpose(const ModelRecord& record) {
  Section out{"Purpose", {}, {}};
  add_source(out, "model_metadata", record.version);
  out.blocks.emplace_back(
      record.target.empty()
          ? "What is predicted is not known here: there is no description of the dataset."
          : fmt::format("It says of each row of {} how probable it is that {} is {} (by {} as it is now).",
                        record.dataset, record.target, record.positive, record.description));
  out.blocks.emplace_back(Table{"",
                                {},
                                facts_of(record.version, {{"model_version", "version"},
                                                          {"model_name", "model"},
                                                          {"model_family", "family"},
                                                          {"status", "status now"},
                                                          {"notes", "last note"},
                                                          {"created_at", "made"},
                                                          {"superseded_by", "made again as"},
                                                          {"sha256", "SHA-256 of the file"}})});
  return out;
}

Section data(const ModelRecord& record) {
  Section out{"Data", {}, {}};
  add_source(out, "model_metadata", record.version);
  const Document& history = field_at(record.version, "status_history");
  if (history.is_array() && !history.empty()) {
    if (const std::string note = text_field(history[0], "note"); !note.empty())
      out.blocks.emplace_back(sentence("When it was made: " + note));
  }
  if (record.training_data.is_null()) {
    out.blocks.emplace_back(
        "How its rows were split was not recorded: no training_data of the same doing was found.");
  } else {
    add_source(out, "training_data", record.training_data);
    out.blocks.emplace_back(
        Table{"Rows of the days that it learnt from",
              {},
              facts_of(record.training_data, {{"logical_date", "made on the date"},
                                              {"days", "days"},
                                              {"num_train_samples", "rows of the split train"},
                                              {"num_finetune_samples", "rows of the split fine"},
                                              {"num_validation_samples", "of them compared on"},
                                              {"num_test_samples", "rows of the split test, not learnt from"},
                                              {"num_categorical_features", "columns of texts"},
                                              {"num_numerical_features", "columns of numbers"}})});
  }
  add_documents(out, "raw_data", record.raw_data,
                {"The rows of these dates as they are now: a date that was done again may have had others",
                 {"date", "source", "SHA-256", "rows"},
                 {},
                 3},
                {"logical_date", "source", "sha256", "rows"},
                "The hash of the rows that it learnt from was not recorded.");
  return out;
}

Section method(const ModelRecord& record) {
  Section out{"Method", {}, {}};
  add_source(out, "model_metadata", record.version);
  Table settings{"Family and hyperparameters", {}, facts_of(record.version, {{"model_family", "family"}})};
  append(settings.rows, scalars_of(field_at(record.version, "hyperparameters")));
  out.blocks.emplace_back(std::move(settings));
  if (record.parent.is_null()) {
    out.blocks.emplace_back("It was not fine-tuned from another version.");
  } else {
    add_source(out, "model_metadata", record.parent);
    out.blocks.emplace_back(Table{"Fine-tuned from",
                                  {},
                                  facts_of(record.parent, {{"model_version", "version"},
                                                           {"model_family", "family"},
                                                           {"status", "status now"},
                                                           {"sha256", "SHA-256"}})});
  }
  add_source(out, "training_events", record.training_event);
  Table epochs{"Epochs", {"measured on", "loss", "F1", "ROC AUC"}, {}, 1};
  const Document& all = field_at(record.training_event, "epochs");
  if (all.is_array()) {
    for (const auto& epoch : all)
      epochs.rows.push_back({fact(field_at(epoch, "measured_on")), metric(epoch, "loss"),
                             metric(epoch, "f1_score"), metric(epoch, "roc_auc")});
  }
  if (epochs.rows.empty())
    out.blocks.emplace_back("How it learnt is not told: no training_events that counts names it.");
  else
    out.blocks.emplace_back(std::move(epochs));
  return out;
}

Section tests(const ModelRecord& record) {
  Section out{"Tests", {}, {}};
  const Document& metrics = field_at(record.version, "metrics");
  add_source(out, "model_metadata", record.version);
  if (!metrics.is_object() || metrics.empty()) {
    out.blocks.emplace_back(
        "The version itself has no metrics: no test has changed its status. What it was judged on stands "
        "below.");
    return out;
  }
  out.blocks.emplace_back(Table{"The rows of its last test that changed its status",
                                {},
                                facts_of(metrics, {{"measured_on", "which"},
                                                   {"judged_on", "of the dates"},
                                                   {"rows", "with a label"},
                                                   {"unlabelled", "left out: without a label"}})});
  add_metrics(metrics, out);
  return out;
}

Section calibration(const ModelRecord& record) {
  Section out{"Calibration and threshold", {}, {}};
  add_source(out, "model_metadata", record.version);
  const Document& decision = field_at(record.version, "decision");
  if (decision.is_null()) {
    out.blocks.emplace_back("None was fitted: probabilities are the model's own, and it decides at 0.5.");
  } else {
    out.blocks.emplace_back(Table{"Calibration", {}, scalars_of(field_at(decision, "calibration"))});
    out.blocks.emplace_back(Table{"Threshold", {}, scalars_of(field_at(decision, "threshold"))});
    const Document& candidates = field_at(decision, "choice.candidates");
    Table table{"How the calibration was chosen",
                {"method", "why it was not tried", "log loss", "above the best"},
                {},
                2};
    if (candidates.is_array()) {
      for (const auto& one : candidates)
        table.rows.push_back({fact(field_at(one, "method")), fact(field_at(one, "not_tried"), "it was tried"),
                              fact(field_at(one, "log_loss"), "none"),
                              fact(field_at(one, "above_best"), "none")});
    }
    if (!table.rows.empty()) out.blocks.emplace_back(std::move(table));
  }
  add_reliability(field_at(record.version, "metrics"), out);
  return out;
}

Section performance(const ModelRecord& record) {
  Section out{"Performance by date and segment", {}, {}};
  Table table{"By date",
              {"date", "rows", "F1, 95 % interval", "with a label", "F1", "ROC AUC", "rate of the target"},
              {},
              3};
  for (const auto& one : record.judgements) {
    add_source(out, "performance_metrics", one);
    const Document& metrics = field_at(one, "metrics");
    table.rows.push_back({fact(field_at(one, "logical_date")), fact(field_at(one, "dataset_name")),
                          interval(metrics, "f1_interval"), metric(metrics, "rows"),
                          metric(metrics, "f1_score"), metric(metrics, "roc_auc"),
                          metric(metrics, "default_rate")});
  }
  if (table.rows.empty())
    out.blocks.emplace_back(
        "No judgement of it counts: it was judged on no date, or the dates were done again.");
  else
    out.blocks.emplace_back(std::move(table));
  bool any = false;
  for (const auto& one : record.judgements) {
    const Document& comparison = field_at(one, "comparison");
    if (!comparison.is_object()) continue;
    any = true;
    add_comparison(comparison, fmt::format("On {}, the version", fact(field_at(one, "logical_date"))), out);
  }
  if (!any)
    out.blocks.emplace_back(
        "By segment nothing was recorded: no column is a segment, or it was compared with no other version.");
  return out;
}

Section stability(const ModelRecord& record) {
  Section out{"Stability", {}, {}};
  add_documents(
      out, "predictions", record.predictions,
      {"Scores by date", {"date", "rows", "set aside", "mean probability", "decided 0", "decided 1"}, {}, 1},
      {"logical_date", "rows", "quarantined", "mean_probability", "decisions.0", "decisions.1"},
      "No scores of it count: it has scored no date, or the dates were done again.");
  return out;
}

Section limits(const ModelRecord& record) {
  Section out{"Limits", {}, {}};
  add_source(out, "model_metadata", record.version);
  if (const std::string why = text_field(field_at(record.version, "metrics"), "undefined_reason");
      !why.empty())
    out.blocks.emplace_back(sentence("Of its last test a metric is undefined: " + why));
  std::vector<Document> not_judged;
  for (const auto& verdict : record.verdicts) {
    if (text_field(verdict, "status") == "not_judged") not_judged.push_back(verdict);
  }
  add_documents(out, "evaluation_events", not_judged,
                {"Dates on which it could not be judged", {"date", "why", "rows", "positives"}, {}, 2},
                {"logical_date", "reason", "rows", "positives"},
                "There is no date on which it could not be judged.");
  add_documents(out, "alerts", record.alerts,
                {"Alerts about it", {"date", "alert", "severity", "what it says"}, {}, 4},
                {"logical_date", "alert_type", "severity", "message"}, "No alert was raised about it.");
  return out;
}

Section rivals(const ModelRecord& record) {
  Section out{"Challengers and what was made of it", {}, {}};
  add_documents(
      out, "challenger_events", record.challengers,
      {"Champion and challenger",
       {"date", "challenger", "family", "against version", "outcome", "why", "F1", "F1 of that version"},
       {},
       6},
      {"logical_date", "model_version", "family", "comparison.champion_version", "status", "reason",
       "metrics.f1_score", "comparison.champion_f1_score"},
      "It was compared with no challenger, and challenged no other.");
  add_documents(out, "model_metadata", record.children,
                {"Versions that were fine-tuned from it", {"version", "status now", "last note"}, {}, 3},
                {"model_version", "status", "notes"}, "No version was fine-tuned from it.");
  return out;
}

Section monitoring(const ModelRecord& record) {
  Section out{"Monitoring plan", {}, {}};
  constexpr std::array kWatched = {
      "F1_THRESHOLD",  "GATE_RULE",         "MAX_SEGMENT_LOSS",     "MIN_POSITIVES",       "MIN_NEGATIVES",
      "JUDGE_DAYS",    "RETRAIN_DAYS",      "MAX_RETRAIN_ATTEMPTS", "CHALLENGERS",         "RETRAIN_EVERY",
      "APPROVAL",      "ALERT_REPEAT_DAYS", "ALERT_CLEAR_DAYS",     "ALERT_GIVE_UP_HOURS", "ALERT_ROUTES",
      "SCHEDULE_TIME", "TIMEZONE"};
  const Document& settings = field_at(record.settings, "settings");
  if (!settings.is_object()) {
    out.blocks.emplace_back("Not recorded: no day of the dataset has said its settings.");
    return out;
  }
  add_source(out, "audit_log", record.settings);
  out.blocks.emplace_back(
      "Each day judges the model in force on rows that it did not learn from, by these settings of the "
      "newest "
      "run; a model below the gate is retrained, and people hear of it when that does not help.");
  Table table{"", {}, {}};
  for (const char* name : kWatched) {
    if (const Document& value = field_at(settings, name); !value.is_null()) {
      const std::string text = fact(value);
      table.rows.push_back({name, text.empty() ? "not set" : text});
    }
  }
  out.blocks.emplace_back(std::move(table));
  return out;
}

Section approvals(const ModelRecord& record) {
  Section out{"Approvals", {}, {}};
  add_source(out, "model_metadata", record.version);
  const Document& history = field_at(record.version, "status_history");
  Table table{"How it came to its status", {"when", "status", "run", "note"}, {}, 4};
  if (history.is_array()) {
    for (const auto& entry : history)
      table.rows.push_back({fact(field_at(entry, "at")), fact(field_at(entry, "status")),
                            fact(field_at(entry, "run_id"), "none"), fact(field_at(entry, "note"), "none")});
  }
  if (table.rows.empty())
    out.blocks.emplace_back("How it came to its status was not recorded.");
  else
    out.blocks.emplace_back(std::move(table));
  add_documents(
      out, "audit_log", record.acts,
      {"Who acted", {"when", "who", "on the machine", "did", "from", "to", "comment", "run"}, {}, 8},
      {"timestamp", "actor.os_user", "actor.host", "act", "from", "to", "comment", "run_id"},
      "audit_log has no act about it: nobody has approved or deployed it.");
  add_documents(out, "deployment_events", record.deployment_events,
                {"Deployments", {"date", "when", "status", "unchanged", "in the place of", "error"}, {}, 6},
                {"logical_date", "timestamp", "status", "unchanged", "replaced", "error"},
                "No deployment of it counts: it was never deployed, or the dates were done again.");
  return out;
}

}  // namespace

Report model_report(const ModelRecord& record) {
  const std::string version = fact(field_at(record.version, "model_version"));
  return {
      fmt::format("Model {}, {}", version, record.dataset),
      fmt::format("Version {} is {} now. This document is made of what was recorded, and of nothing else.",
                  version, fact(field_at(record.version, "status"))),
      {purpose(record), data(record), method(record), tests(record), calibration(record), performance(record),
       stability(record), limits(record), rivals(record), monitoring(record), approvals(record)}};
}

Document to_document(const ModelRecord& record) {
  return {{"dataset", record.dataset},
          {"target", record.target},
          {"positive", record.positive},
          {"model_metadata", record.version},
          {"parent", record.parent},
          {"training_events", record.training_event},
          {"training_data", record.training_data},
          {"raw_data", record.raw_data},
          {"performance_metrics", record.judgements},
          {"evaluation_events", record.verdicts},
          {"children", record.children},
          {"challenger_events", record.challengers},
          {"predictions", record.predictions},
          {"deployment_events", record.deployment_events},
          {"alerts", record.alerts},
          {"audit_log", record.acts},
          {"settings", record.settings}};
}

}  // namespace maeil::pages
