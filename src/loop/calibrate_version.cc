#include "loop/calibrate_version.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "loop/decide.h"
#include "loop/evaluation.h"
#include "loop/file_rows.h"
#include "loop/register_version.h"
#include "model/calibration_choice.h"
#include "registry/version_file.h"

namespace maeil::loop {

Result<store::Document> calibrate_version(store::Store& store, const Settings& settings,
                                          const table::DatasetSpec& spec,
                                          const registry::ModelVersion& version, const std::string& in,
                                          const Watcher& watcher) {
  MAEIL_ASSIGN(auto model, registry::load_version(store, version, spec, static_cast<int>(settings.nhead)));
  const double prior_weight = model.decision ? model.decision->calibration.prior_weight : 1;
  model.decision.reset();  // the rows are scored as the model itself says
  MAEIL_ASSIGN(auto scored, score_rows({settings, in, spec, model, version.version}, watcher));
  Scores& scores = scored.scores;
  const auto positives = static_cast<size_t>(std::ranges::count(scores.labels, 1));
  if (positives == 0 || positives == scores.labels.size()) {
    return bad_input(
        fmt::format("{}: {} of {} labelled rows are positive: a calibration needs rows of both classes", in,
                    positives, scores.labels.size()));
  }
  const auto seed = static_cast<uint64_t>(settings.seed);
  MAEIL_ASSIGN(const auto choice,
               model::choose_calibration(scores.probabilities, scores.labels, prior_weight, seed));
  model::Decision decision{.calibration = choice.calibration, .choice = model::to_json(choice)};
  model::calibrate(decision.calibration, scores.probabilities);
  const auto request =
      threshold_request(settings, spec)
          .value_or(model::ThresholdRequest{.rule = model::ThresholdRule::kFixed,
                                            .fixed = model::calibrated(decision.calibration, 0.5)});
  MAEIL_ASSIGN(decision.threshold, model::choose_threshold(request, scores.probabilities, scores.labels));
  scores.threshold = decision.threshold.value;
  model.decision = std::move(decision);
  const std::string file = std::filesystem::path(in).filename().string();
  registry::NewVersion made{
      .model_name = version.model_name,
      // One that is in force by nobody's word stays so.
      .status = version.status == "candidate" || version.status == "rejected" ? "candidate" : "registered",
      .hyperparameters = version.document.value("hyperparameters", store::Document::object()),
      .notes =
          fmt::format("version {} calibrated on {} rows of {}", version.version, scores.labels.size(), file)};
  MAEIL_ASSIGN(made.metrics, evaluate_scores(scores, seed, file));
  return register_version(store, settings, model, std::move(made),
                          {.act = "calibrate",
                           .from = version.version,
                           .more = {{"calibrated_from", store::id_value(version.id)}}});
}

}  // namespace maeil::loop
