#include "loop/erase_documents.h"

#include <algorithm>

namespace maeil::loop {

Result<std::vector<std::string>> ids_of(store::Store& store, std::string_view collection,
                                        const store::Document& filter) {
  store::FindOptions find;
  find.filter = filter;
  find.projection = {"_id"};
  find.rows = false;
  std::vector<std::string> ids;
  MAEIL_TRY(store.find_each(collection, find, [&](store::Document&& document) {
    std::string id = store::id_text(document.value("_id", store::Document()));
    if (!id.empty()) ids.push_back(std::move(id));
    return true;
  }));
  return ids;
}

Status erase_documents(store::Store& store, std::string_view collection,
                       const std::vector<std::string>& ids) {
  constexpr size_t kBatch = 200;  // with parts of logs of 1 MB, an instant
  for (size_t at = 0; at < ids.size(); at += kBatch) {
    store::Batch batch;
    for (size_t i = at; i < std::min(ids.size(), at + kBatch); ++i)
      batch.erases.push_back({std::string(collection), ids[i]});
    MAEIL_TRY(store.commit(batch));
  }
  return {};
}

}  // namespace maeil::loop
