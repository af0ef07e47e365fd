// `maeil model scorecard V`: a scorecard's bins, points and coefficients, as text, JSON or a page.
#include <fmt/format.h>

#include <cmath>
#include <filesystem>

#include "base/file.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "loop/import.h"
#include "model/scorecard_table.h"
#include "quality/scorecard_page.h"

namespace maeil::cli {
namespace {

using store::Document;

constexpr size_t kNamedValues = 4;  // of a bin's categories, on a line of a terminal

Document optional(const std::optional<double>& value) { return value ? Document(*value) : Document(); }

Document estimate_document(const model::Estimate& estimate) {
  return {{"coefficient", estimate.coefficient},
          {"standard_error", estimate.standard_error},
          {"z", estimate.z},
          {"p_value", estimate.p_value}};
}

Document bin_document(const model::BinLine& bin, bool categorical) {
  Document out = categorical ? Document{{"values", bin.values}}
                             : Document{{"from", optional(bin.from)}, {"below", optional(bin.below)}};
  out[categorical ? "never_seen" : "missing"] = bin.without;
  out.update({{"rows", bin.counts.rows},
              {"share", bin.share},
              {"events", bin.counts.events},
              {"event_rate", optional(bin.event_rate)},
              {"weight_of_evidence", bin.weight_of_evidence},
              {"information_value", bin.information_value},
              {"exact_points", optional(bin.points)},
              {"points", bin.points ? Document(std::llround(*bin.points)) : Document()}});
  return out;
}

Document card_document(const model::ScorecardTable& card) {
  Document out = {{"rows", card.learnt.rows},
                  {"events", card.learnt.events},
                  {"base_points", card.scale.base_points},
                  {"base_odds", card.scale.base_odds},
                  {"points_to_double_odds", card.scale.points_to_double},
                  {"least_points", card.least_points},
                  {"most_points", card.most_points},
                  {"penalty", card.penalty},
                  {"intercept", estimate_document(card.intercept)},
                  {"features", Document::array()}};
  for (const auto& feature : card.features) {
    Document of = {{"feature", feature.name},
                   {"kind", feature.categorical ? "category" : "number"},
                   {"information_value", feature.information_value},
                   {"left_out", feature.left_out.empty() ? Document() : Document(feature.left_out)},
                   {"estimate", feature.estimate ? estimate_document(*feature.estimate) : Document()},
                   {"bins", Document::array()}};
    for (const auto& bin : feature.bins) of["bins"].push_back(bin_document(bin, feature.categorical));
    out["features"].push_back(std::move(of));
  }
  return out;
}

void print_card(const model::ScorecardTable& card) {
  print_line(fmt::format(
      "learnt from {} rows, {} of them events; {} points are odds of {}:1 before calibration, {} points more "
      "double them; a row has {:.0f} to {:.0f}",
      card.learnt.rows, card.learnt.events, card.scale.base_points, card.scale.base_odds,
      card.scale.points_to_double, card.least_points, card.most_points));
  if (card.penalty > 0)
    print_line("the rows are told apart without an error: the coefficients are held small by a penalty");
  std::vector<std::vector<std::string>> estimates, bins;
  const auto add = [&](const std::string& name, const model::Estimate& of) {
    estimates.push_back({name, fmt::format("{:.4f}", of.coefficient),
                         fmt::format("{:.4f}", of.standard_error), fmt::format("{:.2f}", of.z),
                         fmt::format("{:.4g}", of.p_value)});
  };
  add("intercept", card.intercept);
  for (const auto& feature : card.features) {
    if (feature.estimate) add(feature.name, *feature.estimate);
    for (const auto& bin : feature.bins) {
      const bool is_first = &bin == &feature.bins.front();
      bins.push_back({is_first ? feature.name : "", model::describe(bin, feature.categorical, kNamedValues),
                      fmt::format("{}", bin.counts.rows), fmt::format("{:.2f} %", 100 * bin.share),
                      fmt::format("{}", bin.counts.events),
                      bin.event_rate ? fmt::format("{:.2f} %", 100 * *bin.event_rate) : "-",
                      fmt::format("{:.4f}", bin.weight_of_evidence),
                      fmt::format("{:.4f}", bin.information_value),
                      bin.points ? fmt::format("{}", std::llround(*bin.points)) : "-"});
    }
  }
  print_line("");
  print_table({"feature", "coefficient of the WoE", "standard error", "z", "p"}, estimates);
  print_line("");
  print_table({"feature", "bin", "rows", "share", "events", "event rate", "WoE", "IV", "points"}, bins);
  print_line("");
  for (const auto& feature : card.features)
    if (!feature.left_out.empty())
      print_line(fmt::format("{} has no part in the score: {}", feature.name, feature.left_out));
}

}  // namespace

Result<int> model_scorecard(Context& context, const ModelOptions& options) {
  MAEIL_TRY(check_output(options.html, {options.version}));
  MAEIL_ASSIGN(const table::DatasetSpec& spec, context.spec());
  MAEIL_ASSIGN(const auto model, loop::open_model([&] { return context.store_to_read(); }, context.settings,
                                                  spec, options.version, true));
  const auto* scorecard = dynamic_cast<const model::Scorecard*>(model.predictor.get());
  if (!scorecard)
    return bad_input(fmt::format("{} is of the family {}, not {}: `maeil train --family {}` makes one",
                                 options.version, model.predictor->family(), model::kScorecard,
                                 model::kScorecard));
  const auto card = model::table_of(*scorecard, *model.preparation);
  if (!options.html.empty()) {
    const std::string name = std::filesystem::path(options.version).filename().string();
    MAEIL_TRY(write_file_atomically(options.html, quality::scorecard_page(name, card)));
  }
  if (context.json) {
    print_json(card_document(card));
  } else {
    print_card(card);
    if (!options.html.empty()) print_line("the page: " + options.html);
  }
  return 0;
}

}  // namespace maeil::cli
