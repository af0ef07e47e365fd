// The scores of the day, and what became of them.
#include <fmt/format.h>

#include "pages/day_sections.h"
#include "pages/metrics_blocks.h"
#include "pages/svg.h"
#include "store/field_rules.h"

namespace maeil::pages {
namespace {

using store::Document;
using store::field_at;

void add_histogram(const Document& scores, Section& out) {
  const Document& counts = field_at(scores, "histogram");
  if (!counts.is_array() || counts.empty()) {
    out.blocks.emplace_back("How the probabilities are spread was not recorded (an older maeil).");
    return;
  }
  Table table{"Rows by probability; steps without a row are left out", {"from", "to", "rows"}, {}, 2};
  std::vector<double> heights;
  const double steps = static_cast<double>(counts.size());
  for (const auto& count : counts) {
    const double k = static_cast<double>(heights.size());
    heights.push_back(count.is_number() ? count.get<double>() : 0);
    if (heights.back() != 0)
      table.rows.push_back(
          {fmt::format("{:.2f}", k / steps), fmt::format("{:.2f}", (k + 1) / steps), fact(count)});
  }
  out.blocks.emplace_back(Picture{
      "Rows by probability",
      histogram_svg("Rows by their probability, from 0 to 1. The table below has the numbers.", heights)});
  out.blocks.emplace_back(std::move(table));
}

void add_matured(const DayRecord& record, Section& out) {
  if (record.matured.empty()) {
    out.blocks.emplace_back("No labels came later by which these scores were judged.");
    return;
  }
  Table table{"These scores, when labels of their rows came",
              {"when", "version", "F1, 95 % interval", "F1", "ROC AUC", "rows"},
              {},
              3};
  for (const auto& one : record.matured) {
    add_source(out, "performance_metrics", one);
    const Document& metrics = field_at(one, "metrics");
    table.rows.push_back({fact(field_at(one, "timestamp")), fact(field_at(one, "model_version")),
                          interval(metrics, "f1_interval"), metric(metrics, "f1_score"),
                          metric(metrics, "roc_auc"), metric(metrics, "rows")});
  }
  out.blocks.emplace_back(std::move(table));
}

}  // namespace

Section scores_section(const DayRecord& record) {
  Section out{"Scores", {}, {}};
  const Document& scores = record.predictions;
  if (scores.is_null()) {
    out.blocks.emplace_back("Nothing was scored. " + why_absent(record, "score_data"));
    return out;
  }
  add_source(out, "predictions", scores);
  note_earlier(record, "score_data", out);
  out.blocks.emplace_back(Table{"",
                                {},
                                facts_of(scores, {{"model_version", "with version"},
                                                  {"model_status", "which was"},
                                                  {"rows", "rows scored"},
                                                  {"quarantined", "rows set aside"},
                                                  {"mean_probability", "mean probability"},
                                                  {"decisions.0", "decided 0"},
                                                  {"decisions.1", "decided 1"},
                                                  {"threshold", "decides 1 from a probability of"},
                                                  {"rows_without_id", "rows without an id"},
                                                  {"repeated_ids", "rows whose id another row has"},
                                                  {"scores_table", "also in the table"},
                                                  {"filename", "file"},
                                                  {"sha256", "SHA-256 of the file"},
                                                  {"file_id", "kept as"}})});
  if (field_at(scores, "fallback") == true)
    out.blocks.emplace_back("The rows are made up (SOURCE_FALLBACK).");
  add_histogram(scores, out);
  add_matured(record, out);
  return out;
}

}  // namespace maeil::pages
