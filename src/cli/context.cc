#include <algorithm>
#include <chrono>

#include "cli/commands.h"
#include "store/mongo/mongo_store.h"
#include "store/sqlite/sqlite_store.h"

namespace maeil::cli {

namespace {

// A server when any MONGODB_ setting is there, as the Python project's users have them; else the embedded file.
Result<std::unique_ptr<store::Store>> open_store(const Settings& settings) {
  const auto set = [&](const char* name) { return is_set(settings, name); };
  const char* const names[] = {"MONGODB_URI", "MONGODB_HOST", "MONGODB_PORT", "MONGODB_DATABASE", "MONGODB_USERNAME", "MONGODB_PASSWORD"};
  if (std::ranges::none_of(names, set)) return store::open_sqlite(settings.store_path);
  std::string uri = settings.mongodb_uri;
  if (uri.empty()) {
    if (settings.mongodb_username.empty() && !settings.mongodb_password.empty()) return usage_error("MONGODB_PASSWORD is set, MONGODB_USERNAME is not");
    uri = store::make_mongo_uri(settings.mongodb_host, settings.mongodb_port, settings.mongodb_username, settings.mongodb_password);
  }
  store::MongoOptions options;
  options.lease = std::chrono::seconds(settings.lease_seconds);
  // The database that the URI names counts unless MONGODB_DATABASE was said.
  return store::open_mongo(uri, set("MONGODB_DATABASE") ? settings.mongodb_database : "", options);
}

}  // namespace

Result<std::reference_wrapper<store::Store>> Context::store() {
  if (!store_) {
    MAEIL_ASSIGN(store_, open_store(settings));
  }
  return std::ref(*store_);
}

Result<std::reference_wrapper<const table::DatasetSpec>> Context::spec_to_fit() {
  if (!spec_) {
    MAEIL_ASSIGN(spec_, settings.dataset_spec.empty() ? table::builtin_dataset_spec() : table::read_dataset_spec(settings.dataset_spec));
  }
  return std::cref(*spec_);
}

Result<std::reference_wrapper<const table::DatasetSpec>> Context::spec() {
  MAEIL_ASSIGN(const table::DatasetSpec& spec, spec_to_fit());
  MAEIL_TRY(table::require_target(spec));
  return std::cref(spec);
}

}  // namespace maeil::cli
