#include "loop/retention.h"

#include <fmt/format.h>

#include "loop/parts.h"

namespace maeil::loop {

Result<Pruned> prune(store::Store& store, const Settings& settings, Days today, bool dry_run) {
  Pruned out;
  const std::string processed_before = format_date(today - std::chrono::days(settings.retention_days_processed));
  const std::string raw_before = format_date(today - std::chrono::days(settings.retention_days_raw));

  // A partition is "<logical date>/<feature spec hash>"; ISO dates compare as text.
  MAEIL_ASSIGN(const auto partitions, store.row_partitions("processed_data"));
  for (const auto& partition : partitions) {
    const std::string date = partition.substr(0, partition.find('/'));
    if (date >= processed_before) continue;
    if (out.processed.empty() || out.processed.back() != date) out.processed.push_back(date);
    if (!dry_run) MAEIL_TRY(store.erase_rows("processed_data", partition));
  }

  store::FindOptions old;
  old.filter = {{"logical_date", {{"$lt", raw_before}}}, {"pruned", {{"$exists", false}}}};
  old.sort = {{"logical_date", 1}};
  MAEIL_ASSIGN(const auto raw, store.find("raw_data", old));
  for (const auto& document : raw) {
    out.raw.push_back(document.value("logical_date", ""));
    if (dry_run) continue;
    // The document first: a crash in between leaves bytes that nobody needs, never a promise without bytes.
    store::Batch batch;
    batch.sets.push_back({"raw_data", store::id_text(document.value("_id", store::Document())),
                          {{"pruned", store::date_value(now())}}});
    MAEIL_TRY(store.commit(batch));
    const auto erased = store.erase_blob(store::id_text(document.value("file_id", store::Document())));
    if (!erased && erased.error().code != ErrorCode::kNotFound) return tl::make_unexpected(erased.error());
  }
  // Merged or abandoned: nobody waits for a shard's part a day later.
  store::FindOptions parts;
  parts.filter = {{"timestamp", {{"$lt", store::date_value(now() - std::chrono::hours(24))}}}};
  parts.projection = {"timestamp"};
  MAEIL_ASSIGN(const auto old_parts, store.find(kParts, parts));
  out.parts = static_cast<int64_t>(old_parts.size());
  if (!dry_run && !old_parts.empty()) {
    store::Batch batch;
    for (const auto& part : old_parts) batch.erases.push_back({kParts, store::id_text(part.value("_id", store::Document()))});
    MAEIL_TRY(store.commit(batch));
  }
  if (!dry_run) {
    // An hour's grace: a task that runs right now has bytes that no batch names yet.
    MAEIL_ASSIGN(out.garbage, store.collect_garbage(now() - std::chrono::hours(1)));
  }
  return out;
}

}  // namespace maeil::loop
