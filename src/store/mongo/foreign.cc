#include "store/mongo/foreign.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "store/mongo/batch_plan.h"
#include "store/mongo/reading.h"

namespace maeil::store::mongo {
namespace {

bool is_own(const std::string& name) {
  return std::ranges::find(kOwnCollections, name) != kOwnCollections.end();
}

int64_t count_not_finite(bson_iter_t* at, int depth) {
  int64_t count = 0;
  while (depth > 0 && bson_iter_next(at)) {
    bson_iter_t child;
    if (BSON_ITER_HOLDS_DOUBLE(at))
      count += std::isfinite(bson_iter_double(at)) ? 0 : 1;
    else if ((BSON_ITER_HOLDS_DOCUMENT(at) || BSON_ITER_HOLDS_ARRAY(at)) && bson_iter_recurse(at, &child))
      count += count_not_finite(&child, depth - 1);
  }
  return count;
}

Status add_numbers(Connection& connection, const std::string& collection, std::vector<std::string>& out) {
  int64_t count = 0;
  MAEIL_TRY(visit_raw(connection, collection, [&](const bson_t& one) -> Result<bool> {
    bson_iter_t at;
    if (bson_iter_init(&at, &one)) count += count_not_finite(&at, 250);
    return true;
  }));
  if (count > 0)
    out.push_back(
        fmt::format("{} numbers of {} that are NaN or infinite and are read as null", count, collection));
  return {};
}

Status add_files(Connection& connection, std::vector<std::string>& out) {
  const Bson everything;
  return connection.find(
      kFiles, *everything.get(), {{"projection", {{"filename", 1}}}},
      [&](const bson_t& file) -> Result<bool> {
        MAEIL_ASSIGN(const Document document, from_bson(file));
        const Document id = document.value("_id", Document()), name = document.value("filename", Document());
        if (!id_text(id).empty()) return true;
        out.push_back(fmt::format("the GridFS file {} whose _id {} is no ObjectId",
                                  name.dump(-1, ' ', false, Document::error_handler_t::replace),
                                  id.dump(-1, ' ', false, Document::error_handler_t::replace)));
        return true;
      });
}

Result<bool> holds_a_document(Connection& connection, const std::string& collection) {
  const Bson everything;
  bool any = false;
  MAEIL_TRY(connection.find(collection, *everything.get(), {{"limit", 1}, {"projection", {{"_id", 1}}}},
                            [&](const bson_t&) -> Result<bool> {
                              any = true;
                              return false;
                            }));
  return any;
}

}  // namespace

Result<bool> holds_anything(Connection& connection) {
  MAEIL_ASSIGN(const auto names, connection.collections());
  for (const auto& name : names) {
    if (is_own(name) || name.starts_with("system.")) continue;
    MAEIL_ASSIGN(const bool any, holds_a_document(connection, name));
    if (any) return true;
  }
  return false;
}

Result<std::vector<std::string>> list_foreign(Connection& connection) {
  std::vector<std::string> out;
  MAEIL_TRY(add_files(connection, out));
  MAEIL_ASSIGN(const auto names, connection.collections());
  for (const auto& name : names) {
    if (is_public_collection(name)) {
      MAEIL_TRY(add_numbers(connection, name, out));
    } else if (!is_own(name) && !name.starts_with("system.") && name != kFiles && name != kChunks) {
      MAEIL_ASSIGN(const bool any, holds_a_document(connection, name));
      if (any) out.push_back(fmt::format("the collection {}, whose name is not for documents", name));
    }
  }
  return out;
}

}  // namespace maeil::store::mongo
