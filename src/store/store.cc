#include "store/store.h"

#include <fmt/format.h>

namespace maeil::store {

Result<std::unique_ptr<Lock>> Store::wait_for_lock(std::string_view name, std::string_view holder,
                                                   const std::function<bool(std::string_view)>&) {
  return lock(name, holder);
}

Result<std::vector<Document>> Store::find(std::string_view collection, const FindOptions& options) {
  std::vector<Document> found;
  MAEIL_TRY(find_each(collection, options, [&](Document&& document) {
    found.push_back(std::move(document));
    return true;
  }));
  return found;
}

Result<Document> Store::find_one(std::string_view collection, const FindOptions& options) {
  FindOptions first = options;
  first.limit = 1;
  MAEIL_ASSIGN(auto found, find(collection, first));
  return found.empty() ? Document() : std::move(found.front());
}

Result<std::string> Store::read_whole_blob(std::string_view id, uint64_t max_bytes) {
  MAEIL_ASSIGN(const BlobInfo info, blob_info(id));
  if (static_cast<uint64_t>(info.length) > max_bytes) {
    return bad_input(fmt::format("blob {} ({}) has {} bytes, more than the {} it may have here", id,
                                 info.filename, info.length, max_bytes));
  }
  std::string bytes;
  bytes.reserve(static_cast<size_t>(info.length));
  MAEIL_TRY(read_blob(id, [&](std::string_view piece) -> Status {
    bytes += piece;
    return {};
  }));
  return bytes;
}

}  // namespace maeil::store
