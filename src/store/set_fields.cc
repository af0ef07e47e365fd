#include "store/set_fields.h"

#include <fmt/format.h>

#include "store/order.h"

namespace maeil::store {
namespace {

// One step of a dotted path into `value`, which becomes an object where there was nothing.
Result<Document*> enter(Document& value, const std::string& step, const std::string& path) {
  if (value.is_null()) value = Document::object();
  if (value.is_object() && !is_extended(value)) return &value[step];
  if (value.is_array() && !step.empty() && step.size() < 7 &&
      step.find_first_not_of("0123456789") == std::string::npos) {
    const size_t at = std::stoul(step);
    if (at < value.size()) return &value[at];
  }
  return bad_input(fmt::format("cannot set {}: there is no place for \"{}\" in it", path, step));
}

}  // namespace

Status set_paths(Document& document, const Document& fields) {
  if (!fields.is_object()) return bad_input("the fields to set are no object");
  for (const auto& [path, value] : fields.items()) {
    if (path == "_id" || path.starts_with("_id.")) return bad_input("the _id cannot be set");
    Document* place = &document;
    for (const auto& step : split_path(path)) {
      MAEIL_ASSIGN(place, enter(*place, step, path));
    }
    *place = value;
  }
  return {};
}

Status check_expected(const Document& found, const Batch::Expect& expected) {
  if (expected.fields.is_null()) {
    if (found.is_null()) return {};
    return fail(ErrorCode::kConflict,
                fmt::format("document {} of {} is there already", expected.id, expected.collection));
  }
  bool same = found.is_object();
  for (const auto& [name, value] : expected.fields.items()) {
    const auto field = same ? found.find(name) : found.end();
    same = same && (field != found.end() ? *field == value : value.is_null());
  }
  if (same) return {};
  return fail(ErrorCode::kConflict,
              fmt::format("document {} of {} has changed meanwhile", expected.id, expected.collection));
}

}  // namespace maeil::store
