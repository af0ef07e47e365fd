#include "loop/retention.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <set>

#include "base/file.h"
#include "loop/day_scores.h"
#include "loop/labels/stored_labels.h"
#include "loop/own_file.h"
#include "loop/part_store.h"
#include "loop/pipelines.h"
#include "loop/validate_data.h"
#include "store/field_rules.h"

namespace maeil::loop {
namespace fs = std::filesystem;
namespace {

// An hour's grace: a task that runs right now has bytes that no batch names yet, and files that no name shows
// yet.
constexpr std::chrono::hours kGrace{1};

// Every folder in which maeil begins files, each once.
std::set<fs::path> written_folders(const Settings& settings) {
  const fs::path data = settings.data_dir, models = settings.model_save_path,
                 deployments = models / "deployments";
  const fs::path raw = fs::path(settings.data_path).parent_path();
  std::vector<fs::path> named = {raw.empty() ? "." : raw, data,  data / "processed", data / "parts",
                                 data / "scores",         models};
  std::error_code absent;
  for (const auto& entry : fs::directory_iterator(deployments, absent)) named.push_back(entry.path());
  std::set<fs::path> out;
  for (const auto& folder : named) {
    std::error_code unreadable;
    const fs::path real = fs::weakly_canonical(folder, unreadable);
    out.insert(unreadable ? folder : real);
  }
  return out;
}

// Removes the bytes that documents of `collection` name, of dates before `before`; the documents stay, with
// `pruned`. The dates of these. `also` is called for each date before its document is marked.
Result<std::vector<std::string>> prune_bytes(store::Store& store, const char* collection,
                                             const std::string& before, bool dry_run,
                                             const std::function<Status(Days date)>& also) {
  store::FindOptions old;
  old.filter = {{"logical_date", {{"$lt", before}}},
                {"pruned", {{"$exists", false}}},
                {"file_id", {{"$exists", true}}}};
  old.sort = {{"logical_date", 1}};
  MAEIL_ASSIGN(const auto documents, store.find(collection, old));
  std::vector<std::string> out;
  for (const auto& document : documents) {
    MAEIL_TRY(store::check_fields(collection, document,
                                  {{"_id", store::FieldKind::kId, store::FieldRule::Missing::kRefused},
                                   {"logical_date", store::FieldKind::kText}}));
    out.push_back(document.value("logical_date", ""));
    if (dry_run) continue;
    if (const auto date = parse_date(out.back()); date && also) MAEIL_TRY(also(*date));
    // The document first: a crash in between leaves bytes that nobody needs, never a promise without bytes.
    store::Batch batch;
    batch.sets.push_back({collection,
                          store::id_text(document.value("_id", store::Document())),
                          {{"pruned", store::date_value(now())}}});
    MAEIL_TRY(store.commit(batch));
    for (const char* field : {"file_id", "source_file_id"}) {
      if (!document.contains(field)) continue;
      const auto erased = store.erase_blob(store::id_text(document.value(field, store::Document())));
      if (!erased && erased.error().code != ErrorCode::kNotFound) return tl::make_unexpected(erased.error());
    }
  }
  return out;
}

}  // namespace

Result<std::vector<std::string>> left_by_killed_runs(const Settings& settings, Instant at) {
  std::vector<std::string> out;
  for (const auto& folder : written_folders(settings)) {
    MAEIL_ASSIGN(const auto files, left_behind(folder, at - kGrace));
    for (const auto& file : files) out.push_back(file.string());
  }
  return out;
}

Result<Pruned> prune(store::Store& store, const Settings& settings, Days today, bool dry_run,
                     int64_t delay_days) {
  Pruned out;
  const std::string processed_before =
      format_date(today - std::chrono::days(settings.retention_days_processed));
  const int64_t raw_days = std::max(settings.retention_days_raw,
                                    delay_days + std::max(settings.judge_days, settings.retrain_days));
  const std::string raw_before = format_date(today - std::chrono::days(raw_days));

  // A partition is "<logical date>/<feature spec hash>"; ISO dates compare as text.
  MAEIL_ASSIGN(const auto partitions, store.row_partitions("processed_data"));
  for (const auto& partition : partitions) {
    const std::string date = partition.substr(0, partition.find('/'));
    if (date >= processed_before) continue;
    if (out.processed.empty() || out.processed.back() != date) out.processed.push_back(date);
    if (!dry_run) MAEIL_TRY(store.erase_rows("processed_data", partition));
  }

  MAEIL_ASSIGN(out.raw, prune_bytes(store, "raw_data", raw_before, dry_run, {}));
  MAEIL_TRY(prune_bytes(store, kValidations, raw_before, dry_run, {}));  // which rows were set aside
  // One of raw_data is overwritten every day; of scores each date has its own file.
  MAEIL_ASSIGN(out.scores, prune_bytes(store, "predictions", raw_before, dry_run, [&](Days date) {
                 return OwnFile::remove(scores_path(settings, date), kScoresFile,
                                        [&] { return std::ref(store); });
               }));
  MAEIL_ASSIGN(const auto labels, store.row_partitions(kLabelRows));
  for (const auto& partition : labels) {
    const std::string date = partition.substr(0, partition.find('/'));
    if (date >= raw_before) continue;
    if (std::ranges::find(out.labels, date) == out.labels.end()) out.labels.push_back(date);
    if (!dry_run) MAEIL_TRY(store.erase_rows(kLabelRows, partition));
  }
  MAEIL_TRY(prune_bytes(store, kLabels, raw_before, dry_run, {}));  // the files that were imported
  // Merged or abandoned: nobody waits for a shard's part a day later.
  MAEIL_ASSIGN(const Instant at, store.time());  // whatever other machines' clocks say
  store::FindOptions parts;
  parts.filter = {{"timestamp", {{"$lt", store::date_value(at - std::chrono::hours(24))}}}};
  parts.projection = {"timestamp"};
  MAEIL_ASSIGN(const auto old_parts, store.find(kParts, parts));
  out.parts = static_cast<int64_t>(old_parts.size());
  if (!dry_run && !old_parts.empty()) {
    store::Batch batch;
    for (const auto& part : old_parts)
      batch.erases.push_back({kParts, store::id_text(part.value("_id", store::Document()))});
    MAEIL_TRY(store.commit(batch));
  }
  if (settings.retention_days_history > 0) {
    const auto dags = pipelines(settings);
    const Days before = today - std::chrono::days(settings.retention_days_history);
    MAEIL_ASSIGN(out.history, prune_history(store, dags, before, dry_run));
  }
  MAEIL_ASSIGN(out.files, left_by_killed_runs(settings, now()));
  if (!dry_run) {
    MAEIL_ASSIGN(out.garbage, store.collect_garbage(at - kGrace));
    for (const auto& file : out.files) {
      std::error_code error;
      fs::remove(file, error);
      if (error) return io_error(fmt::format("cannot remove {}: {}", file, error.message()));
    }
  }
  return out;
}

}  // namespace maeil::loop
