#include "loop/alerts/evidence.h"

#include <fmt/format.h>

#include <algorithm>

#include "alerting/count_alerts.h"
#include "dag/task_record.h"
#include "loop/day_request.h"
#include "loop/evaluation.h"
#include "loop/pipelines.h"
#include "loop/validate_data.h"
#include "registry/versions.h"
#include "store/field_rules.h"

namespace maeil::loop {
namespace {

using monitor::DateFacts;
using store::Document;

constexpr int kMostAttempts = 20;  // MAX_RETRAIN_ATTEMPTS

std::optional<double> metric_in(const Document& metrics, const char* name) {
  const Document& value = store::field_at(metrics, name);
  return value.is_number() ? std::optional(value.get<double>()) : std::nullopt;
}

// Null: there is none, or the task has not finished.
Result<Document> result_at(store::Store& store, Days date, std::string_view dag, const std::string& task) {
  MAEIL_ASSIGN(const auto record, dag::read_record(store, {date, store.name_here(dag), task}));
  return record && dag::is_finished(record->state) ? record->result : Document();
}

Result<Document> document_of(store::Store& store, const char* collection, const std::string& id,
                             std::vector<std::string> fields = {}) {
  if (id.empty()) return Document();
  store::FindOptions by_id;
  by_id.filter = {{"_id", store::id_value(id)}};
  by_id.projection = std::move(fields);
  return store.find_one(collection, by_id);
}

// What validate_data recorded of a date; null: nothing.
Result<Document> validation_of(store::Store& store, Days date) {
  MAEIL_ASSIGN(const Document result, result_at(store, date, kDataDag, "validate_data"));
  return document_of(store, kValidations, store::text_field(result, "validation_id"));
}

Status read_rows_of(store::Store& store, const Document& validation, DateFacts& out) {
  if (const Document statistics = store::field_at(validation, "statistics"); statistics.is_object())
    out.rows = monitor::summary_from(statistics);
  MAEIL_ASSIGN(const auto record,
               dag::read_record(store, {out.rows_of, store.name_here(kDataDag), "preprocess_data"}));
  if (!record || record->state != dag::TaskState::kSuccess) return {};
  const auto rows = metric_in(record->result, "rows");
  const dag::TaskName name{out.rows_of, store.name_here(kDataDag), "preprocess_data"};
  MAEIL_ASSIGN(const Document prepared,
               document_of(store, "processing_metadata",
                           store::task_object_id(name.key(std::max(1, record->completions) - 1),
                                                 "processing_metadata", 0),
                           {"unseen"}));
  const Document unseen = store::field_at(prepared, "unseen");
  if (!rows || *rows < 1 || !unseen.is_object()) return {};
  for (const auto& [feature, count] : unseen.items()) {
    if (count.is_number()) out.unseen[feature] = count.get<double>() / *rows;
  }
  return {};
}

DateFacts::Judged judged_by(std::string version, const Document& metrics) {
  return {std::move(version), metric_in(metrics, "f1_score"), metric_in(metrics, "roc_auc")};
}

// Of the model in force of the date, and of the rows that it was judged by.
Result<DateFacts> facts_of(store::Store& store, Days date) {
  DateFacts out{.date = date, .rows_of = date};
  MAEIL_ASSIGN(const Document evaluated, result_at(store, date, kEvaluationDag, "evaluate_model"));
  const Document metrics = store::field_at(evaluated, "metrics"),
                 judged_on = store::field_at(evaluated, "judged_on");
  out.judged = judged_by(store::text_field(evaluated, "model_version"), metrics);
  out.rate = metric_in(metrics, "default_rate");
  out.labelled = static_cast<uint64_t>(std::max(0.0, metric_in(metrics, "rows").value_or(0)));
  if (judged_on.is_array()) {
    for (const auto& day : judged_on) {
      const auto parsed = day.is_string() ? parse_date(day.get<std::string>()) : bad_input("");
      if (parsed) out.rows_of = out.rows_of == date ? *parsed : std::max(out.rows_of, *parsed);
    }
  }
  MAEIL_ASSIGN(const Document validation, validation_of(store, out.rows_of));
  MAEIL_TRY(read_rows_of(store, validation, out));
  return out;
}

Result<std::optional<DateFacts>> good_day_before(store::Store& store, Days date) {
  store::FindOptions newest;
  newest.filter = {{"logical_date", {{"$lt", format_date(date)}}},
                   {"status", {{"$in", {"approved", "retrained", "pending_approval"}}}},
                   {"superseded_by", {{"$exists", false}}}};
  newest.sort = {{"logical_date", -1}};
  MAEIL_ASSIGN(const Document event, store.find_one("evaluation_events", newest));
  const auto found = parse_date(store::text_field(event, "logical_date"));
  if (!found) return std::optional<DateFacts>();
  MAEIL_ASSIGN(DateFacts out, facts_of(store, *found));
  out.passed = judged_by(store::text_field(event, "model_version"), store::field_at(event, "metrics"));
  out.waits = store::text_field(event, "status") == "pending_approval";
  return std::optional(std::move(out));
}

std::vector<table::Finding> findings_from(const Document& findings) {
  std::vector<table::Finding> out;
  if (!findings.is_array()) return out;
  for (const auto& one : findings) {
    if (!one.is_object()) continue;
    out.push_back({.rule = store::text_field(one, "rule"),
                   .column = store::text_field(one, "column"),
                   .severity = store::text_field(one, "severity") == "error" ? table::Severity::kError
                                                                             : table::Severity::kWarning,
                   .examples = {},
                   .message = store::text_field(one, "message")});
  }
  return out;
}

// The segment that lost most against the model in force.
std::string worst_segment(const Document& comparison) {
  const Document segments = store::field_at(comparison, "segments");
  std::string out;
  double least = 0;
  for (const auto& segment : segments.is_array() ? segments : Document::array()) {
    const auto f1 = metric_in(segment, "f1_score"), before = metric_in(segment, "champion_f1_score");
    if (!f1 || !before || *f1 - *before >= least) continue;
    least = *f1 - *before;
    out = fmt::format("{} = {}: F1 {:.4f} ({:.4f} before)", store::text_field(segment, "column"),
                      store::text_field(segment, "value"), *f1, *before);
  }
  return out;
}

Status read_attempts(store::Store& store, Days date, monitor::Evidence& out) {
  for (int k = 1; k <= kMostAttempts; ++k) {
    MAEIL_ASSIGN(const Document attempt,
                 result_at(store, date, kEvaluationDag, retrain_task(k, "evaluate_finetuned_model")));
    const Document metrics = store::field_at(attempt, "metrics");
    if (!metrics.is_object()) break;
    out.attempts.push_back({metric_in(metrics, "f1_score"), metric_in(metrics, "roc_auc"),
                            store::text_field(attempt, "failure"),
                            worst_segment(store::field_at(attempt, "comparison"))});
  }
  MAEIL_ASSIGN(const Document gate, result_at(store, date, kEvaluationDag, "check_model_performance"));
  out.f1_threshold = metric_in(gate, "f1_threshold").value_or(0);
  return {};
}

}  // namespace

Result<monitor::Evidence> evidence_of(store::Store& store, const Document& alert) {
  monitor::Evidence out;
  out.rule = store::text_field(alert, "alert_type");
  const auto date = parse_date(store::text_field(alert, "logical_date"));
  if (!date) return store::wrong_field(alerting::kAlerts, alert, "logical_date", "no date");
  out.task = store::text_field(alert, "task_id");
  out.version = store::text_field(alert, "model_version");
  MAEIL_ASSIGN(out.today, facts_of(store, *date));
  MAEIL_ASSIGN(out.good, good_day_before(store, *date));
  MAEIL_TRY(read_attempts(store, *date, out));
  MAEIL_ASSIGN(const Document validation, validation_of(store, out.today.rows_of));
  out.findings = findings_from(store::field_at(validation, "findings"));
  MAEIL_ASSIGN(const Document raw,
               document_of(store, "raw_data", store::id_text(store::field_at(validation, "raw_data_id")),
                           {"source", "source_sha256"}));
  if (raw.contains("source_sha256")) out.source = store::text_field(raw, "source");
  if (const auto request = begun_as(store, *date); request && *request) out.scenario = (*request)->scenario;
  MAEIL_ASSIGN(const auto deployed, registry::deployed_version(store));
  if (deployed) out.deployed = deployed->version;
  return out;
}

}  // namespace maeil::loop
