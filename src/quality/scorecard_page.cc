#include "quality/scorecard_page.h"

#include <fmt/format.h>

#include <cmath>

#include "pages/html.h"

namespace maeil::quality {
namespace {

constexpr size_t kNamedValues = 30;  // of a bin's categories

using pages::escape_html;

std::vector<std::string> estimate_cells(const std::string& name, const model::Estimate& estimate) {
  return {name, fmt::format("{:.4f}", estimate.coefficient), fmt::format("{:.4f}", estimate.standard_error),
          fmt::format("{:.2f}", estimate.z), fmt::format("{:.4g}", estimate.p_value)};
}

std::string feature_part(const model::FeatureTable& feature) {
  std::string out = fmt::format(
      "<h2>{}</h2>\n<p>Information value {:.4f}. {}</p>\n", escape_html(feature.name),
      feature.information_value,
      feature.left_out.empty() ? "" : escape_html("It has no part in the score: " + feature.left_out + "."));
  std::vector<std::vector<std::string>> rows;
  for (const auto& bin : feature.bins) {
    rows.push_back(
        {model::describe(bin, feature.categorical, kNamedValues), fmt::format("{}", bin.counts.rows),
         fmt::format("{:.2f} %", 100 * bin.share), fmt::format("{}", bin.counts.events),
         bin.event_rate ? fmt::format("{:.2f} %", 100 * *bin.event_rate) : "–",
         fmt::format("{:.4f}", bin.weight_of_evidence), fmt::format("{:.4f}", bin.information_value),
         bin.points ? fmt::format("{}", std::llround(*bin.points)) : "–"});
  }
  return out + pages::table_html({"",
                                  {"bin", "rows", "share", "events", "event rate", "WoE", "IV", "points"},
                                  std::move(rows),
                                  1});
}

}  // namespace

std::string scorecard_page(const std::string& name, const model::ScorecardTable& card) {
  const auto& scale = card.scale;
  std::string out =
      pages::page_begin("Scorecard " + name) + "<h1>Scorecard " + escape_html(name) + "</h1>\n" +
      fmt::format(
          "<p>Learnt from {} rows, {} of them events. {} points are odds of {}:1 for a row without an "
          "event, before calibration; {} points more double them. WoE is ln(share of rows without an "
          "event / share of events).</p>\n",
          card.learnt.rows, card.learnt.events, scale.base_points, scale.base_odds, scale.points_to_double);
  if (card.penalty > 0)
    out += "<p>The rows are told apart without an error; the coefficients are held small by a penalty.</p>\n";
  size_t used = 0;
  std::vector<std::vector<std::string>> estimates = {estimate_cells("intercept", card.intercept)};
  for (const auto& feature : card.features) {
    if (!feature.estimate) continue;
    ++used;
    estimates.push_back(estimate_cells(feature.name, *feature.estimate));
  }
  out +=
      pages::tiles_html(
          {{fmt::format("{} of {}", used, card.features.size()), "features have a part"},
           {fmt::format("{:.0f} to {:.0f}", card.least_points, card.most_points), "points of a row"}}) +
      "<h2>Coefficients</h2>\n" +
      pages::table_html(
          {"", {"feature", "coefficient of the WoE", "standard error", "z", "p"}, std::move(estimates), 1});
  for (const auto& feature : card.features) out += feature_part(feature);
  return out + pages::page_end();
}

}  // namespace maeil::quality
