// `maeil prune`: what is past its retention goes. What that is: loop/retention.h.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/commands.h"
#include "cli/output.h"
#include "loop/retention.h"

namespace maeil::cli {

Result<int> prune(Context& context, const PruneOptions& options) {
  MAEIL_ASSIGN(store::Store & store, options.dry_run ? context.store_to_read() : context.existing_store());
  MAEIL_ASSIGN(const Days today, date_in_zone(now(), context.settings.time_zone));
  std::unique_ptr<store::Lock> lock;
  if (!options.dry_run) {
    MAEIL_ASSIGN(lock, store.lock("runner", "maeil prune"));
  }
  MAEIL_ASSIGN(const table::DatasetSpec& spec, context.spec_to_fit());
  MAEIL_ASSIGN(const auto pruned,
               loop::prune(store, context.settings, today, options.dry_run, spec.delay_days.value_or(0)));
  if (context.json) {
    const auto& history = pruned.history;
    print_json({{"dry_run", options.dry_run},
                {"processed_data", pruned.processed},
                {"raw_data", pruned.raw},
                {"scores", pruned.scores},
                {"labels", pruned.labels},
                {"parts", pruned.parts},
                {"history",
                 {{"dates", history.dates},
                  {"runs", history.runs},
                  {"logs", history.logs},
                  {"records", history.records},
                  {"open", history.open}}},
                {"files", pruned.files},
                {"garbage", pruned.garbage}});
    return 0;
  }
  const char* verb = options.dry_run ? "would remove" : "removed";
  print_line(fmt::format("{} prepared rows of {} dates{}{}", verb, pruned.processed.size(),
                         pruned.processed.empty() ? "" : ": ", fmt::join(pruned.processed, ", ")));
  print_line(fmt::format("{} raw bytes of {} dates{}{}", verb, pruned.raw.size(),
                         pruned.raw.empty() ? "" : ": ", fmt::join(pruned.raw, ", ")));
  print_line(fmt::format("{} scores of {} dates{}{}", verb, pruned.scores.size(),
                         pruned.scores.empty() ? "" : ": ", fmt::join(pruned.scores, ", ")));
  if (!pruned.labels.empty())
    print_line(fmt::format("{} imported labels of {} dates: {}", verb, pruned.labels.size(),
                           fmt::join(pruned.labels, ", ")));
  print_line(fmt::format("{} {} parts of shards", verb, pruned.parts));
  if (context.settings.retention_days_history == 0) {
    print_line("runs, logs and task records are kept for ever (RETENTION_DAYS_HISTORY 0)");
  } else {
    const auto& history = pruned.history;
    print_line(
        fmt::format("{} the runs ({}) and logs ({}) of {} dates, and what their task records ({}) say of how "
                    "they ran{}{}",
                    verb, history.runs, history.logs, history.dates.size(), history.records,
                    history.dates.empty() ? "" : ": ", fmt::join(history.dates, ", ")));
    if (!history.open.empty())
      print_line(fmt::format("kept {} older dates that are not over: {}", history.open.size(),
                             fmt::join(history.open, ", ")));
  }
  print_line(fmt::format("{} {} half-written files of killed runs{}{}", verb, pruned.files.size(),
                         pruned.files.empty() ? "" : ": ", fmt::join(pruned.files, ", ")));
  if (!options.dry_run)
    print_line(fmt::format("removed {} pieces that killed runs had left", pruned.garbage));
  return 0;
}

}  // namespace maeil::cli
