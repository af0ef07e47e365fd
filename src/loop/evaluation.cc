#include "loop/evaluation.h"

#include <fmt/format.h>

namespace maeil::loop {

store::Document metrics_document(const metrics::ClassificationMetrics& m, const metrics::Interval& interval) {
  const auto optional = [](const std::optional<double>& value) { return value ? store::Document(*value) : store::Document(); };
  const auto& c = m.confusion;
  store::Document out = {{"accuracy", m.accuracy},
                         {"roc_auc", optional(m.roc_auc)},
                         {"f1_score", m.f1_score},
                         {"precision", m.precision},
                         {"recall", m.recall},
                         {"pr_auc", optional(m.pr_auc)},
                         {"ks", optional(m.ks)},
                         {"gini", optional(m.gini)},
                         {"brier", m.brier},
                         {"log_loss", m.log_loss},
                         {"confusion_matrix", store::Document::array({store::Document::array({c.true_negative, c.false_positive}),
                                                                      store::Document::array({c.false_negative, c.true_positive})})},
                         {"default_rate", m.default_rate},
                         {"f1_interval", store::Document::array({interval.low, interval.high})},
                         {"rows", c.total()}};
  if (!m.undefined_reason.empty()) out["undefined_reason"] = m.undefined_reason;
  return out;
}

Result<Evaluation> evaluate_scores(const Scores& scores, uint64_t seed) {
  MAEIL_ASSIGN(auto m, metrics::classification_metrics(scores.probabilities, scores.labels));
  const auto interval = metrics::bootstrap_f1_interval(m.confusion, seed);
  auto document = metrics_document(m, interval);
  return Evaluation{std::move(m), std::move(document)};
}

Result<Evaluation> evaluate_version(dag::TaskContext& context, const Day& day, const registry::ModelVersion& version, std::string_view split) {
  MAEIL_ASSIGN(auto model, registry::load_version(context.store, version, day.spec, static_cast<int>(day.settings.nhead)));
  if (context.shard.merges()) {
    MAEIL_ASSIGN(const auto merged, merge_scores(context, version, *model.preparation, split));
    return evaluate_scores(merged, static_cast<uint64_t>(day.settings.seed));
  }
  MAEIL_TRY(ensure_prepared(context, day, *model.preparation));
  MAEIL_ASSIGN(const auto scorer, nn::Scorer::make(std::move(model.parameters), model.unknown));
  MAEIL_ASSIGN(const auto scores, score_split(context.store, context.logical_date, *model.preparation, split, scorer));
  return evaluate_scores(scores, static_cast<uint64_t>(day.settings.seed));
}

std::string describe(const metrics::ClassificationMetrics& m, const store::Document& document) {
  return fmt::format("F1 {:.4f} ({:.3f} to {:.3f}), AUC {}, {} defaults in {} rows", m.f1_score, document["f1_interval"][0].get<double>(),
                     document["f1_interval"][1].get<double>(), m.roc_auc ? fmt::format("{:.4f}", *m.roc_auc) : "undefined",
                     m.confusion.true_positive + m.confusion.false_negative, m.confusion.total());
}

}  // namespace maeil::loop
