#include "loop/run_record.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/file.h"
#include "base/hash.h"
#include "base/version.h"
#include "kernels/instruction_set.h"
#include "registry/audit.h"
#include "store/certain_commit.h"
#include "table/builtin_dataset.h"

namespace maeil::loop {
namespace {

using store::Document;

constexpr const char* kSettingsAct = "settings";

// Where things lie, how long others wait, how fast it goes: a result is the same.
bool matters(std::string_view name) {
  constexpr std::array<std::string_view, 13> kElsewhere = {
      "MODEL_SAVE_PATH",      "DATA_PATH", "DATA_DIR",    "STORE_PATH", "SENSOR_TIMEOUT",
      "SENSOR_POKE_INTERVAL", "SHARDS",    "THREADS",     "LOG_LEVEL",  "LEASE_SECONDS",
      "DATABASE_URL",         "CATCHUP",   "METRICS_FILE"};
  return !name.starts_with("MONGODB_") && std::ranges::find(kElsewhere, name) == kElsewhere.end();
}

Document settings_of(const Settings& settings) {
  Document out = Document::object();
  for (const auto& [name, value] : describe_settings(settings)) {
    if (matters(name)) out[name] = value;
  }
  return out;
}

// The bytes that describe the dataset: two runs with one hash read their columns alike.
Result<std::string> dataset_sha256(const Settings& settings) {
  if (settings.dataset_spec.empty()) return sha256_hex(table::kCorporateLoanToml);
  MAEIL_ASSIGN(const std::string text, read_file(settings.dataset_spec, 1 << 26));
  return sha256_hex(text);
}

// The entry of the last run whose settings were new; null before the first.
Result<Document> last_entry(store::Store& store) {
  store::FindOptions newest;
  newest.filter = {{"act", kSettingsAct}};
  newest.sort = {{"timestamp", -1}};
  return store.find_one(registry::kAuditLog, newest);
}

// Of `settings` what `other` has not, or has otherwise; null when that is nothing.
Document different(const Document& settings, const Document& other) {
  Document out;
  for (const auto& [name, value] : settings.items()) {
    if (!other.contains(name) || other[name] != value) out[name] = value;
  }
  return out;
}

}  // namespace

Result<Document> program_record(const Day& day) {
  MAEIL_ASSIGN(const std::string sha256, dataset_sha256(day.settings));
  return Document{{"maeil", kVersion},
                  {"instruction_set", kernels::instruction_set()},
                  {"settings", settings_of(day.settings)},
                  {"dataset", {{"name", day.spec.name}, {"sha256", sha256}}},
                  {"rows", day.rows},
                  {"scenario", day.scenario}};
}

Status describe_run(store::Store& store, const Day& day, dag::RunOptions& options) {
  MAEIL_ASSIGN(options.program, program_record(day));
  MAEIL_ASSIGN(const Document last, last_entry(store));
  const auto found = last.is_object() ? last.find(kSettingsAct) : last.end();
  const Document before = last.is_object() && found != last.end() && found->is_object() ? *found : Document();
  const Document& settings = options.program["settings"];
  if (settings == before) return {};
  const std::string previous = last.is_object() ? store::id_text(last.value("_id", Document())) : "";
  // Runs that begin together (shards) follow the same entry with the same settings: theirs is one, by its id.
  const std::string id = sha256_hex(fmt::format("{} {}", previous, settings.dump())).substr(0, 24);
  const Document from = before.is_null() ? Document() : different(before, settings);
  const Document to = before.is_null() ? settings : different(settings, before);
  MAEIL_ASSIGN(const Instant at, store.time());  // the last entry is found by it, whichever machine wrote it
  auto entry = registry::audit_entry({kSettingsAct, day.spec.name, from, to, options.run_id, id}, at);
  entry.document[kSettingsAct] = settings;
  store::Batch batch;
  batch.expects.push_back({registry::kAuditLog, id, Document()});
  batch.puts.push_back(std::move(entry));
  MAEIL_ASSIGN(
      const Status written,
      store::commit_for_certain(
          store, batch, [&] { return store::has_document(store, registry::kAuditLog, id); }, "run it again"));
  return written || written.error().code == ErrorCode::kConflict ? Status{} : written;
}

}  // namespace maeil::loop
