// `maeil train`: an encoder, a classifier, or both.
#include <fmt/format.h>

#include <algorithm>

#include "base/progress.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "loop/manual_training.h"
#include "model/boosted_trees.h"

namespace maeil::cli {

Result<int> train(Context& context, const TrainOptions& options) {
  const bool both = !options.in.empty() && !options.pretrain && !options.train;
  // The built-in recipe is the contract's: a TabTransformer. Of a team's own rows both are tried.
  std::vector<std::string> families = options.families;
  if (families.empty()) families.emplace_back(model::kTabTransformer);
  if (options.families.empty() && both) {
    if (const Status can = model::can_learn_trees(); can)
      families.emplace_back(model::kBoostedTrees);
    else
      note("no trees are trained beside the network: " + can.error().message, LogLevel::kWarning);
  }
  const bool network = std::ranges::count(families, model::kTabTransformer) > 0;
  const bool train = options.train || both || !options.families.empty();
  if (!options.pretrain && !train)
    return usage_error(
        "train on what? --in F.csv for your own rows; or on drawn ones: --pretrain for the encoder, --train "
        "for the classifier, or both");
  MAEIL_ASSIGN(store::Store & store, context.store());
  MAEIL_ASSIGN(const table::DatasetSpec& spec, context.spec());
  if (!options.in.empty() && context.settings.dataset_spec.empty()) {
    note(fmt::format(
        "there is no ./dataset.toml, so {} is read as the built-in {}: `maeil init --in {}` drafts one",
        options.in, spec.name, options.in));
  }
  Progress progress;
  auto results = store::Document::array();
  MAEIL_TRY(loop::train_manually(
      store, context.settings, spec,
      {.pretrain = options.pretrain || (both && network),
       .train = train,
       .families = families,
       .epochs = options.epochs,
       .rows = options.rows,
       .history = options.in},
      [&](std::string_view line) {
        progress.finish();
        note_task_line(line);
      },
      [&](std::string_view what, uint64_t done, uint64_t total) { progress.update(what, done, total); },
      [&](const dag::TaskOutcome& outcome) {
        progress.finish();
        if (!context.json) print_line(outcome.message);
        results.push_back({{"message", outcome.message}, {"result", outcome.result}});
      }));
  if (context.json)
    print_json(results);
  else
    print_line(
        "`maeil model list` shows it; `maeil run` evaluates the newest classifier while none is deployed or "
        "approved, then `maeil model approve V` and `deploy V` put another in force");
  return 0;
}

}  // namespace maeil::cli
