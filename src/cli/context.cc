#include "cli/commands.h"
#include "cli/store_name.h"

namespace maeil::cli {

Result<std::reference_wrapper<store::Store>> Context::store() {
  if (!store_) {
    MAEIL_ASSIGN(const StoreName name, store_of_settings(settings));
    MAEIL_ASSIGN(store_, open_store(name));
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
