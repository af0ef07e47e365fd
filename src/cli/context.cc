#include <fmt/format.h>

#include <utility>

#include "base/dataset_name.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "loop/rehearsal.h"
#include "store/dataset_store.h"
#include "store/empty_store.h"

namespace maeil::cli {
namespace {

// A maeil that knew one dataset wrote days of this one without its name: they would not be seen, and a new
// history would begin beside them.
Status check_unnamed_days(store::Store& whole, store::Store& view, const std::string& dataset) {
  if (dataset == kBuiltinDataset) return {};
  MAEIL_ASSIGN(const auto own, view.find_one("raw_data", {}));
  if (!own.is_null()) return {};
  store::FindOptions unnamed;
  unnamed.filter = {{"dataset", nullptr}, {"metadata.dataset", dataset}};
  MAEIL_ASSIGN(const auto found, whole.find_one("raw_data", unnamed));
  if (found.is_null()) return {};
  return usage_error(
      fmt::format("{} holds days of dataset '{}' that do not say so: a maeil made them that kept one dataset "
                  "in a store. They would not be seen; STORE_PATH or MONGODB_DATABASE of another name begins "
                  "anew (docs/datasets.md)",
                  whole.description(), dataset));
}

}  // namespace

// A command asks for one kind of access only, so the first one counts.
Result<std::reference_wrapper<store::Store>> Context::whole_store(Access access) {
  if (!whole_) {
    MAEIL_ASSIGN(const StoreName name, store_of_settings(settings));
    auto opened = open_store(name, access);
    const bool absent = !opened && opened.error().code == ErrorCode::kNotFound && access != Access::kCreate;
    if (!opened && !absent) return tl::make_unexpected(opened.error());
    whole_ = absent ? store::make_empty_store(name.shown()) : std::move(*opened);
  }
  return std::ref(*whole_);
}

Result<std::reference_wrapper<store::Store>> Context::store_for(Access access) {
  if (!store_) {
    if (settings.dataset.empty() && settings.dataset_error)
      return tl::make_unexpected(*settings.dataset_error);
    MAEIL_ASSIGN(store::Store & whole, whole_store(access));
    auto view = store::dataset_view(whole, settings.dataset);
    if (access == Access::kCreate) MAEIL_TRY(check_unnamed_days(whole, *view, settings.dataset));
    store_ = std::move(view);
  }
  return std::ref(*store_);
}

Status Context::ready_rehearsal() {
  if (settings.rehearsal_of.empty()) return {};
  MAEIL_ASSIGN(store::Store & rehearsal, store());
  MAEIL_ASSIGN(store::Store & whole, whole_store(Access::kCreate));
  const auto real = store::dataset_view(whole, settings.rehearsal_of);
  MAEIL_ASSIGN(const std::string said, loop::take_model_in_force(*real, rehearsal, settings));
  if (!said.empty()) note_task_line(said);
  return {};
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
    note(fmt::format("dataset {} ({})", spec.new_name.empty() ? spec.name : spec.new_name,
                     settings.dataset_spec));
  return std::cref(spec);
}

}  // namespace maeil::cli
