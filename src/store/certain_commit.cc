#include "store/certain_commit.h"

#include <fmt/format.h>

namespace maeil::store {

Result<Status> commit_for_certain(Store& store, const Batch& batch,
                                  const std::function<Result<bool>()>& is_there, std::string_view where) {
  Status done = store.commit(batch);
  if (done) return done;
  const Result<bool> there = is_there();
  if (!there) {
    return fail(there.error().code,
                fmt::format("it may or may not have been recorded ({}; reading it: {}): {}",
                            done.error().message, there.error().message, where));
  }
  if (*there) return Status();
  return done;
}

Result<bool> has_document(Store& store, std::string_view collection, std::string_view id) {
  FindOptions by_id;
  by_id.filter = {{"_id", id_value(id)}};
  by_id.projection = {"_id"};
  MAEIL_ASSIGN(const Document found, store.find_one(collection, by_id));
  return !found.is_null();
}

}  // namespace maeil::store
