#include "loop/manual_training.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "loop/evaluation.h"
#include "loop/history_rows.h"
#include "loop/recipes.h"
#include "loop/training.h"
#include "model/boosted_trees.h"
#include "registry/version_file.h"
#include "registry/versions.h"
#include "store/certain_commit.h"

namespace maeil::loop {
namespace {

// The newest encoder of the dataset that has its bytes and the settings' shape; "" when there is none.
Result<std::string> newest_encoder(store::Store& store, const Settings& settings,
                                   const table::DatasetSpec& spec) {
  MAEIL_ASSIGN(const auto versions, registry::list_versions(store));
  for (const auto& version : versions) {
    const auto h = version.document.value("hyperparameters", store::Document());
    const auto is = [&](const char* name, int64_t wanted) {
      return h.is_object() && h.value(name, store::Document()) == wanted;
    };
    const bool fits = is("d_model", settings.d_model) && is("num_layers", settings.num_layers) &&
                      is("nhead", settings.nhead) && is("dim_feedforward", settings.dim_feedforward);
    if (version.model_name != registry::kEncoder || version.file_id.empty() || !fits) continue;
    // Of another dataset: refused for its preparation.
    const auto model = registry::load_version(store, version, spec, static_cast<int>(settings.nhead));
    // What it prepares by is another than the rows are read by.
    if (model && model->preparation->spec && model->preparation->spec->text != spec.text) continue;
    if (model) return version.id;
    if (model.error().code != ErrorCode::kBadInput) return tl::make_unexpected(model.error());
  }
  return "";
}

Status commit(store::Store& store, const dag::TaskOutcome& outcome) {
  const auto is_there = [&]() -> Result<bool> {  // each version has an id of this command's own
    const auto& put = outcome.batch.puts.front();
    return store::has_document(store, put.collection, store::id_text(put.document.at("_id")));
  };
  MAEIL_ASSIGN(const Status committed,
               store::commit_for_certain(store, outcome.batch, is_there,
                                         "`maeil model list` shows the version if it was"));
  return committed;
}

std::string describe(const History& history, const std::string& path) {
  const auto rows = [&](Part part) { return history.labelled[static_cast<size_t>(part)]; };
  auto out = fmt::format("{}: {} labelled rows to learn from, {} held out, {} for the test", path,
                         rows(Part::kLearn), rows(Part::kHeldOut), rows(Part::kTest));
  if (history.out_of_time)
    out += fmt::format(", {} for the out-of-time test ({} to {})", rows(Part::kOutOfTime),
                       format_date(*history.out_of_time), format_date(*history.newest));
  if (rows(Part::kLeftOut) > 0)
    out += fmt::format(", {} of groups that are learnt from are left out of that", rows(Part::kLeftOut));
  if (history.unlabelled > 0) out += fmt::format("; {} have no label", history.unlabelled);
  if (history.undated > 0) out += fmt::format("; {} have no date and count as old", history.undated);
  return out;
}

}  // namespace

Status train_manually(store::Store& store, const Settings& settings, const table::DatasetSpec& spec,
                      const ManualTraining& wanted, const std::function<void(std::string_view)>& log,
                      const std::function<void(std::string_view, uint64_t, uint64_t)>& progress,
                      const std::function<void(const dag::TaskOutcome&)>& done) {
  const Day day{settings, spec, "calm", settings.data_quantity};
  TrainingPlan plan;
  plan.rows = wanted.rows > 0 ? wanted.rows : 2 * settings.data_quantity;
  plan.pretrain_rows = plan.rows;
  plan.compared = wanted.families.size() > 1;
  plan.epochs = static_cast<int>(wanted.epochs > 0 ? wanted.epochs : settings.epochs);
  plan.pretrain_epochs = static_cast<int>(wanted.epochs > 0 ? wanted.epochs : settings.pretrain_epochs);
  const auto trains = [&](std::string_view family) {
    return wanted.train && std::ranges::count(wanted.families, family) > 0;
  };
  // Before anything is trained that would be lost.
  for (const auto& family : wanted.families) MAEIL_TRY(first_learner(day, family, 1));
  if (trains(model::kBoostedTrees)) MAEIL_TRY(model::can_learn_trees());
  MAEIL_ASSIGN(const Days today, date_in_zone(now(), settings.time_zone));
  std::optional<History> history;
  if (!wanted.history.empty()) {
    const auto cap = static_cast<uint64_t>(wanted.rows > 0 ? wanted.rows : settings.row_cap);
    MAEIL_ASSIGN(history,
                 open_history(wanted.history, spec, settings, cap,
                              {[&](std::string_view line, bool warning) {
                                 log(warning ? fmt::format("warning: {}", line) : std::string(line));
                               },
                               [&](uint64_t read, uint64_t total) { progress("rows", read, total); }}));
    log(describe(*history, wanted.history));
  }
  dag::TaskContext task{store, today, "manual", store.name_here("maeil_train"), "", 0, 1, {}, log, progress};
  std::string encoder_id;
  if (wanted.pretrain) {
    task.task_id = "pretrain@" + format_instant(now());
    MAEIL_ASSIGN(const auto outcome, history ? pretrain_on(day, plan, history->rows, history->rows, task)
                                             : pretrain_encoder(day, plan, task));
    encoder_id = outcome.result.value("model_id", "");
    MAEIL_TRY(commit(store, outcome));
    done(outcome);
  }
  if (!wanted.train) return {};
  if (trains(model::kTabTransformer) && encoder_id.empty() && !history) {
    MAEIL_ASSIGN(encoder_id,
                 newest_encoder(store, settings, spec));  // of a history it prepares by other rows
  }
  LearningRows rows;
  if (history) {
    rows = history->rows;
  } else {
    MAEIL_ASSIGN(rows, rows_to_draw(day, plan.rows, task));
  }
  std::vector<FittedClassifier> fitted;
  for (const auto& family : wanted.families) {
    if (wanted.families.size() > 1) log(fmt::format("training {}", family));
    MAEIL_ASSIGN(auto one, fit_on(day, plan, rows, family,
                                  family == model::kTabTransformer ? encoder_id : std::string(), task));
    fitted.push_back(std::move(one));
  }
  if (trains(model::kTabTransformer) &&
      std::ranges::any_of(spec.columns, [](const auto& column) { return column.monotone != 0; }))
    log(fmt::format("warning: a {} does not keep what {} says is monotone", model::kTabTransformer,
                    spec.file));
  const auto best = fitted.begin() + static_cast<std::ptrdiff_t>(best_of(fitted, spec));
  std::rotate(best, best + 1, fitted.end());  // the best one last
  MAEIL_ASSIGN(const auto present, registry::model_in_force(store));
  const std::string stays =
      present && present->status != "registered"
          ? fmt::format("the better one; version {} ({}) stays in force", present->version, present->status)
          : "in force, the better one";
  for (const auto& one : fitted) {
    const bool is_best = &one == &fitted.back();
    task.task_id = "train@" + format_instant(now());
    MAEIL_ASSIGN(auto outcome, register_fitted(day, rows, one, is_best ? "registered" : "candidate", task));
    if (fitted.size() > 1)
      outcome.message +=
          fmt::format("\n{}: {}, log loss {} on {} held-out rows", one.learner->family(),
                      is_best ? stays : "kept as a candidate", metric_text(held_out_loss(one)), one.held_out);
    MAEIL_TRY(commit(store, outcome));
    done(outcome);
  }
  return {};
}

}  // namespace maeil::loop
