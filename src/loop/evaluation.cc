#include "loop/evaluation.h"

#include <fmt/format.h>

#include <memory>

#include "loop/comparison.h"
#include "loop/gate.h"
#include "loop/labels/labelled_days.h"
#include "loop/scoring.h"
#include "metrics/bootstrap.h"
#include "metrics/calibration.h"

namespace maeil::loop {
namespace {

store::Document metrics_document(const metrics::ClassificationMetrics& m,
                                 const std::optional<metrics::Interval>& interval) {
  const auto optional = [](const std::optional<double>& value) {
    return value ? store::Document(*value) : store::Document();
  };
  const auto& c = m.confusion;
  return {
      {"accuracy", m.accuracy},
      {"roc_auc", optional(m.roc_auc)},
      {"f1_score", optional(m.f1_score)},
      {"precision", optional(m.precision)},
      {"recall", optional(m.recall)},
      {"pr_auc", optional(m.pr_auc)},
      {"ks", optional(m.ks)},
      {"gini", optional(m.gini)},
      {"brier", m.brier},
      {"log_loss", m.log_loss},
      {"confusion_matrix",
       store::Document::array({store::Document::array({c.true_negative, c.false_positive}),
                               store::Document::array({c.false_negative, c.true_positive})})},
      {"default_rate", m.default_rate},
      {"f1_interval", interval ? store::Document::array({interval->low, interval->high}) : store::Document()},
      {"rows", c.total()}};
}

store::Document reliability_document(const std::vector<metrics::ReliabilityBin>& bins) {
  auto out = store::Document::array();
  for (const auto& bin : bins) {
    out.push_back({{"rows", bin.rows},
                   {"mean_probability", bin.mean_probability},
                   {"observed_rate", bin.observed_rate},
                   {"low", bin.interval.low},
                   {"high", bin.interval.high}});
  }
  return out;
}

}  // namespace

Result<store::Document> evaluate_scores(const Scores& scores, uint64_t seed, std::string_view measured_on) {
  store::Document out;
  std::string undefined;
  if (scores.labels.empty()) {
    out = metrics_document({}, std::nullopt);
    for (const char* name : {"accuracy", "brier", "log_loss", "default_rate", "expected_calibration_error"})
      out[name] = nullptr;
    undefined = "there is no row with a label";
  } else {
    MAEIL_ASSIGN(const auto m,
                 metrics::classification_metrics(scores.probabilities, scores.labels, scores.threshold));
    out = metrics_document(m, metrics::bootstrap_f1_interval(m.confusion, seed));
    undefined = m.undefined_reason;
    MAEIL_ASSIGN(const auto bins, metrics::reliability_table(scores.probabilities, scores.labels));
    out["expected_calibration_error"] = metrics::expected_calibration_error(bins);
    out["reliability"] = reliability_document(bins);
  }
  out["threshold"] = scores.threshold;
  out["measured_on"] = measured_on;
  if (scores.unlabelled > 0) out["unlabelled"] = scores.unlabelled;
  if (!undefined.empty()) out["undefined_reason"] = undefined;
  return out;
}

Result<dag::TaskOutcome> evaluate_version(
    dag::TaskContext& context, const Day& day, const Evaluation& what,
    const std::function<Result<dag::TaskOutcome>(store::Document evaluated)>& then) {
  MAEIL_ASSIGN(
      auto whole,
      Scoring::begin(context, day, {what.version, what.split, what.champion ? &*what.champion : nullptr}));
  std::unique_ptr<Scoring> scoring;
  // Prepared rows have no group, raw ones do: which rows belong together matters where two are compared.
  const bool by_group = what.champion && what.dates.empty() && !day.spec.roles.group.empty();
  if (by_group)
    scoring = std::make_unique<ScoringOfDays>(std::move(whole), std::vector<Days>{context.logical_date});
  else if (what.dates.empty())
    scoring = std::make_unique<Scoring>(std::move(whole));
  else
    scoring = std::make_unique<ScoringOfDays>(std::move(whole), what.dates);
  const auto seed = static_cast<uint64_t>(day.settings.seed);
  return run_in_shards<Scores, ScoreTotal>(
      context, *scoring, [&](const Scoring::Rows& all) -> Result<dag::TaskOutcome> {
        MAEIL_ASSIGN(const Scores scores, collect(*scoring, all));
        MAEIL_ASSIGN(auto metrics, evaluate_scores(scores, seed, what.split));
        const store::Document& raw = scoring->raw();
        if (!what.dates.empty()) metrics["judged_on"] = date_texts(what.dates);
        store::Document evaluated = {{"model_id", what.version.id},
                                     {"model_version", what.version.version},
                                     {"metrics", std::move(metrics)},
                                     {"raw_data_id", store::id_text(raw.at("_id"))},
                                     {"fallback", raw.value("fallback", false)}};
        if (!what.dates.empty()) evaluated["judged_on"] = date_texts(what.dates);
        if (what.champion)
          evaluated["comparison"] = compare(scores, scoring->segments(), scoring->preparation(),
                                            *what.champion, what.must_be_better, seed);
        return then(std::move(evaluated));
      });
}

std::optional<double> metric_of(const store::Document& metrics, std::string_view name) {
  const auto found = metrics.is_object() ? metrics.find(name) : metrics.end();
  return found != metrics.end() && found->is_number() ? std::optional(found->get<double>()) : std::nullopt;
}

std::string metric_text(const std::optional<double>& metric) {
  return metric ? fmt::format("{:.4f}", *metric) : "undefined";
}

std::string describe(const store::Document& metrics) {
  const LabelCounts counts = label_counts(metrics);
  const auto interval = metrics.value("f1_interval", store::Document());
  std::string out = "F1 " + metric_text(metric_of(metrics, "f1_score"));
  if (interval.is_array() && interval.size() == 2)
    out += fmt::format(" ({:.3f} to {:.3f})", interval[0].get<double>(), interval[1].get<double>());
  out += fmt::format(", AUC {}, {} positives in {} rows", metric_text(metric_of(metrics, "roc_auc")),
                     counts.positives, counts.rows());
  if (const auto days = dates_of(metrics, "judged_on"); days && !days->empty())
    out += " of " + describe_dates(*days);
  if (counts.unlabelled > 0) out += fmt::format(", {} rows without a label left out", counts.unlabelled);
  return out;
}

}  // namespace maeil::loop
