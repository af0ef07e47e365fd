#include <fmt/format.h>

#include <utility>

#include "cli/commands.h"
#include "cli/output.h"
#include "store/empty_store.h"

namespace maeil::cli {

// A command asks for one kind of access only, so the first one counts.
Result<std::reference_wrapper<store::Store>> Context::store_for(Access access) {
  if (!store_) {
    MAEIL_ASSIGN(const StoreName name, store_of_settings(settings));
    auto opened = open_store(name, access);
    const bool absent = !opened && opened.error().code == ErrorCode::kNotFound && access != Access::kCreate;
    if (!opened && !absent) return tl::make_unexpected(opened.error());
    store_ = absent ? store::make_empty_store(name.shown()) : std::move(*opened);
  }
  return std::ref(*store_);
}

Result<std::reference_wrapper<store::Store>> Context::store() { return store_for(Access::kCreate); }
Result<std::reference_wrapper<store::Store>> Context::existing_store() {
  return store_for(Access::kExisting);
}
Result<std::reference_wrapper<store::Store>> Context::store_to_read() { return store_for(Access::kRead); }

Result<std::reference_wrapper<const table::DatasetSpec>> Context::spec_to_fit() {
  if (!spec_) {
    MAEIL_ASSIGN(spec_, settings.dataset_spec.empty() ? table::builtin_dataset_spec()
                                                      : table::read_dataset_spec(settings.dataset_spec));
  }
  return std::cref(*spec_);
}

Result<std::reference_wrapper<const table::DatasetSpec>> Context::spec() {
  MAEIL_ASSIGN(const table::DatasetSpec& spec, spec_to_fit());
  MAEIL_TRY(table::require_target(spec));
  if (!std::exchange(said_, true) && !settings.dataset_spec.empty())
    note(fmt::format("dataset {} ({})", spec.name, settings.dataset_spec));
  return std::cref(spec);
}

}  // namespace maeil::cli
