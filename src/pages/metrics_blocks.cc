#include "pages/metrics_blocks.h"

#include <string_view>

#include "pages/svg.h"
#include "store/field_rules.h"

namespace maeil::pages {
namespace {

using store::Document;
using store::field_at;
using store::text_field;

constexpr const char* kUndefined = "undefined";

double number_in(const Document& document, const char* field) {
  const Document& value = field_at(document, field);
  return value.is_number() ? value.get<double>() : 0;
}

}  // namespace

std::string metric(const Document& metrics, const char* name) {
  return fact(field_at(metrics, name), kUndefined);
}

std::string interval(const Document& metrics, const char* name) {
  const Document& both = field_at(metrics, name);
  if (!both.is_array() || both.size() != 2) return kUndefined;
  return fact(both[0]) + " to " + fact(both[1]);
}

void add_metrics(const Document& metrics, Section& out) {
  constexpr std::pair<const char*, const char*> kMetrics[] = {
      {"f1_score", "F1"},
      {"roc_auc", "ROC AUC"},
      {"precision", "precision"},
      {"recall", "recall"},
      {"pr_auc", "PR AUC"},
      {"ks", "KS"},
      {"gini", "Gini"},
      {"accuracy", "accuracy"},
      {"brier", "Brier score"},
      {"log_loss", "log loss"},
      {"expected_calibration_error", "expected calibration error"},
      {"default_rate", "rate of the target"},
      {"threshold", "decides 1 from a probability of"}};
  Table table{"Metrics", {"metric", "value"}, {}, 1};
  for (const auto& [name, said] : kMetrics) {
    table.rows.push_back({said, metric(metrics, name)});
    if (std::string_view(name) == "f1_score")
      table.rows.push_back({"F1, 95 % interval", interval(metrics, "f1_interval")});
  }
  out.blocks.emplace_back(std::move(table));
  if (const std::string reason = text_field(metrics, "undefined_reason"); !reason.empty())
    out.blocks.emplace_back("Undefined, since " + reason + ".");
  const Document& matrix = field_at(metrics, "confusion_matrix");
  if (matrix.is_array() && matrix.size() == 2 && matrix[0].is_array() && matrix[0].size() == 2 &&
      matrix[1].is_array() && matrix[1].size() == 2) {
    out.blocks.emplace_back(Table{"Confusion matrix",
                                  {"rows with", "decided 0", "decided 1"},
                                  {{"label 0", fact(matrix[0][0]), fact(matrix[0][1])},
                                   {"label 1", fact(matrix[1][0]), fact(matrix[1][1])}},
                                  1});
  }
}

void add_reliability(const Document& metrics, Section& out) {
  const Document& bins = field_at(metrics, "reliability");
  if (!bins.is_array() || bins.empty()) return;
  Table table{"Reliability: what was said of rows, and what came of them",
              {"mean probability", "observed rate", "95 % interval", "rows"},
              {},
              0};
  std::vector<Observed> seen;
  for (const auto& bin : bins) {
    table.rows.push_back({metric(bin, "mean_probability"), metric(bin, "observed_rate"),
                          metric(bin, "low") + " to " + metric(bin, "high"), metric(bin, "rows")});
    seen.push_back({number_in(bin, "mean_probability"), number_in(bin, "observed_rate"),
                    number_in(bin, "low"), number_in(bin, "high")});
  }
  out.blocks.emplace_back(
      Picture{"Reliability", reliability_svg("Observed rate against mean probability, with 95 % intervals; "
                                             "the diagonal is where both are equal. The table below has "
                                             "the numbers.",
                                             seen)});
  out.blocks.emplace_back(std::move(table));
}

void add_comparison(const Document& comparison, const std::string& who, Section& out) {
  if (!comparison.is_object()) return;
  Table facts{who + " on the same rows as the one whose place it would take",
              {},
              facts_of(comparison, {{"champion_version", "against version"},
                                    {"rows", "rows"},
                                    {"champion_f1_score", "F1 of that version"},
                                    {"f1_difference", "difference of F1"},
                                    {"small_segments", "segments with too few positives to say"},
                                    {"unknown_segments", "segment columns that it does not know"}})};
  facts.rows.push_back({"95 % interval of the difference", interval(comparison, "f1_difference_interval")});
  out.blocks.emplace_back(std::move(facts));
  const Document& segments = field_at(comparison, "segments");
  if (!segments.is_array() || segments.empty()) return;
  Table table{"By segment",
              {"column", "value", "rows", "positives", "F1", "F1 of that version", "difference"},
              {},
              2};
  for (const auto& one : segments) {
    table.rows.push_back({fact(field_at(one, "column")), fact(field_at(one, "value")), metric(one, "rows"),
                          metric(one, "positives"), metric(one, "f1_score"), metric(one, "champion_f1_score"),
                          metric(one, "f1_difference")});
  }
  out.blocks.emplace_back(std::move(table));
}

}  // namespace maeil::pages
