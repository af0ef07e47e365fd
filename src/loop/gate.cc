#include "loop/gate.h"

#include <fmt/format.h>

#include "loop/comparison.h"
#include "loop/evaluation.h"
#include "loop/prepared/raw_data.h"
#include "registry/audit.h"

namespace maeil::loop {

const char* compared_name(const Settings& settings) {
  return settings.gate_rule == "point" ? "F1" : "lower bound of F1";
}

LabelCounts label_counts(const store::Document& metrics) {
  LabelCounts out;
  const auto cells = metrics.value("confusion_matrix", store::Document());
  const auto cell = [&](size_t actual, size_t decided) -> int64_t {
    if (!cells.is_array() || cells.size() != 2 || !cells[actual].is_array() || cells[actual].size() != 2)
      return 0;
    return cells[actual][decided].is_number() ? cells[actual][decided].get<int64_t>() : 0;
  };
  out.negatives = cell(0, 0) + cell(0, 1);
  out.positives = cell(1, 0) + cell(1, 1);
  out.unlabelled = metrics.value("unlabelled", int64_t{0});
  return out;
}

Judgement judge(const store::Document& metrics, const Settings& settings) {
  Judgement out;
  out.counts = label_counts(metrics);
  out.f1 = metric_of(metrics, "f1_score");
  const auto& [positives, negatives, unlabelled] = out.counts;
  const auto few = [&](int64_t found, const char* what, const char* setting, int64_t wanted) {
    return fmt::format("{} of the {} labelled rows {} {}: {} asks for {}", found, out.counts.rows(),
                       found == 1 ? "is" : "are", what, setting, wanted);
  };
  if (out.counts.rows() == 0) {
    out.reason = fmt::format("none of the {} rows has a label", unlabelled);
  } else if (positives < settings.min_positives) {
    out.reason = few(positives, "positive", "MIN_POSITIVES", settings.min_positives);
  } else if (negatives < settings.min_negatives) {
    out.reason = few(negatives, "negative", "MIN_NEGATIVES", settings.min_negatives);
  } else if (!out.f1) {
    out.reason = "F1 is undefined";
  } else if (settings.gate_rule == "point") {
    out.compared = "F1 " + metric_text(out.f1);
    out.gate = *out.f1 >= settings.f1_threshold ? Gate::kPassed : Gate::kFailed;
  } else if (const auto interval = metrics.value("f1_interval", store::Document());
             interval.is_array() && interval.size() == 2 && interval[0].is_number()) {
    out.compared = fmt::format("F1 {}, at least {:.4f},", metric_text(out.f1), interval[0].get<double>());
    out.gate = interval[0].get<double>() >= settings.f1_threshold ? Gate::kPassed : Gate::kFailed;
  } else {
    out.reason = "F1 has no interval, whose lower end GATE_RULE asks for";
  }
  return out;
}

Judgement judge_evaluated(const store::Document& evaluated, const Settings& settings) {
  Judgement out = judge(evaluated.at("metrics"), settings);
  if (out.counts.rows() == 0 && evaluated.contains("labels_due")) {
    out.labels_due = evaluated.value("labels_due", "");
    out.overdue = evaluated.value("overdue", false);
    out.reason =
        fmt::format("no labels are known yet: those of {} {} due on {}{}", evaluated.value("labels_of", ""),
                    out.overdue ? "were" : "are", out.labels_due, out.overdue ? " and are overdue" : "");
  }
  if (const auto comparison = evaluated.find("comparison");
      out.gate == Gate::kPassed && comparison != evaluated.end()) {
    if (auto against = reason_against(*comparison, settings)) {
      out.gate = Gate::kFailed;
      out.failure = std::move(*against);
    }
  }
  if (!evaluated.value("fallback", false)) return out;
  out.labels_due.clear();
  out.failure.clear();
  out.gate = Gate::kNotJudged;
  out.reason =
      "the day's rows are the built-in portfolio's (SOURCE_FALLBACK), since the distribution model was "
      "absent: they approve nothing";
  return out;
}

std::string failure_text(const Judgement& judgement, const Settings& settings) {
  return judgement.failure.empty()
             ? fmt::format("{} < the gate of {}", judgement.compared, settings.f1_threshold)
             : judgement.failure;
}

Status check_evaluated(const dag::TaskContext& context, const store::Document& evaluated) {
  const auto raw = raw_document(context);
  if (!raw && raw.error().code == ErrorCode::kNotFound) return {};
  if (!raw) return tl::make_unexpected(raw.error());
  if (store::id_text(raw->at("_id")) == evaluated.value("raw_data_id", "")) return {};
  const std::string date = format_date(context.logical_date);
  return fail(
      ErrorCode::kFailed,
      fmt::format("the raw data of {} is not what evaluate_model read: clear evaluate_model first, so that "
                  "it is done again (`maeil redo {} --from evaluate_model`)",
                  date, date));
}

std::string verdict_text(const Judgement& judgement, const Settings& settings) {
  if (judgement.gate == Gate::kNotJudged) return "not judged: " + judgement.reason;
  if (judgement.gate == Gate::kFailed)
    return judgement.failure.empty() ? "rejected" : "rejected: " + judgement.failure;
  return settings.approval == "manual" ? "passed, proposed to a person (APPROVAL = manual)" : "approved";
}

Result<std::string> change_after_verdict(const Day& day, const dag::TaskContext& context,
                                         const registry::ModelVersion& version, registry::Judged judged,
                                         const Judgement& judgement, const VerdictNote& note,
                                         store::Batch& batch) {
  const auto approval =
      day.settings.approval == "manual" ? registry::Approval::kManual : registry::Approval::kAuto;
  const auto passed =
      judgement.gate == Gate::kNotJudged ? std::nullopt : std::optional(judgement.gate == Gate::kPassed);
  const auto status = registry::status_after_verdict(version, judged, passed, approval);
  if (!status) return version.status;
  const Instant when = now();
  MAEIL_TRY(
      registry::change_status(version, {*status, context.run_id, note.text, note.metrics}, when, batch));
  if (*status != "approved") return *status;
  // Not the n-th document of the collection itself: those are linked when the task is done again
  // (dag/task_history.h), and no entry changes.
  const std::string id = store::task_object_id(
      context.task_key(), fmt::format("{}/approve {}", registry::kAuditLog, version.version), 0);
  batch.puts.push_back(registry::audit_entry(
      {"approve", version.version, version.status, "approved", context.run_id, id}, when));
  return *status;
}

store::Document not_judged_document(const Judgement& judgement) {
  store::Document out = {{"reason", judgement.reason},
                         {"rows", judgement.counts.rows()},
                         {"positives", judgement.counts.positives},
                         {"negatives", judgement.counts.negatives}};
  if (!judgement.labels_due.empty())
    out.update({{"labels_due", judgement.labels_due}, {"overdue", judgement.overdue}});
  return out;
}

}  // namespace maeil::loop
