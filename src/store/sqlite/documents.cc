#include "store/sqlite/documents.h"

#include <fmt/format.h>

#include "base/hash.h"
#include "store/set_fields.h"
#include "store/sqlite/keys.h"

namespace maeil::store::sqlite {
namespace {

int64_t body_hash(std::string_view body) { return static_cast<int64_t>(hash64(body)); }

std::string task_key_of(const Document& document) {
  const auto key = document.find("task_key");
  return key != document.end() && key->is_string() ? key->get<std::string>() : "";
}

Result<Document> decode_document(Connection& connection, std::string_view collection, std::string_view id,
                                 std::string_view body, int64_t hash) {
  Document document = body_hash(body) == hash ? parse_document(body) : Document();
  if (!document.is_object()) {
    return bad_input(fmt::format("store {}: document {} of {} is damaged: restore a copy of the database",
                                 connection.path(), id, collection));
  }
  return document;
}

// The body of a document of a collection with indexes; "" when there is none.
Result<std::string> stored_body(Connection& connection, std::string_view collection, std::string_view id) {
  if (indexes_of(collection).empty()) return std::string();
  MAEIL_ASSIGN(Query get, connection.query("SELECT body FROM documents WHERE collection = ? AND id = ?"));
  get.bind(1, collection).bind(2, id);
  MAEIL_ASSIGN(const bool found, get.step());
  return found ? get.text(0) : std::string();
}

// Of the keys of FF, too, which the caller's filter judges.
constexpr const char* kByKey = R"(SELECT id, body, hash FROM documents WHERE seq IN
    (SELECT seq FROM document_keys WHERE "index" = ?1 AND key >= ?2 AND key < ?3
     UNION ALL SELECT seq FROM document_keys WHERE "index" = ?1 AND key >= x'ff') ORDER BY seq)";

// Whether the range is all that the find looks at: no document has the key FF, and no rows of publishes come
// after.
Result<bool> comes_in_order(Connection& connection, std::string_view collection, const FindOptions& options,
                            const KeyRange& range) {
  if (!range.in_order) return false;
  MAEIL_ASSIGN(
      Query others,
      connection.query(R"(SELECT EXISTS(SELECT 1 FROM document_keys WHERE "index" = ?1 AND key >= x'ff')
      OR (?2 AND EXISTS(SELECT 1 FROM partitions WHERE collection = ?3)))"));
  others.bind(1, int64_t{range.index}).bind(2, int64_t{options.rows}).bind(3, collection);
  MAEIL_TRY(others.step());
  return others.integer(0) == 0;
}

}  // namespace

Result<std::string> encode_document(std::string_view collection, const Document& document) {
  const auto wrong = [&](std::string what) {
    return bad_input(fmt::format("document for {}: {}", collection, what));
  };
  if (const Status valid = check_document(document); !valid) return wrong(valid.error().message);
  std::string body;
  try {
    body = document.dump();
  } catch (const nlohmann::json::exception&) {
    return wrong("it holds text that is not UTF-8");
  }
  if (body.size() > kMaxDocumentBytes)
    return wrong(
        fmt::format("it has {} bytes, more than the {} a document may have", body.size(), kMaxDocumentBytes));
  return body;
}

Status put_document(Connection& connection, std::string_view collection, const Document& document) {
  const auto found = document.find("_id");
  const std::string id = found == document.end() ? "" : id_text(*found);
  if (id.empty())
    return bad_input(fmt::format("document for {}: its _id is no {{\"$oid\": 24 hex digits}}", collection));
  MAEIL_ASSIGN(const std::string body, encode_document(collection, document));
  const std::string task_key = task_key_of(document);
  MAEIL_ASSIGN(const std::string before, stored_body(connection, collection, id));
  int64_t seq = 0;
  {
    MAEIL_ASSIGN(
        Query put,
        connection.query(R"(INSERT INTO documents(collection, id, task_key, body, hash) VALUES(?, ?, ?, ?, ?)
        ON CONFLICT(collection, id) DO UPDATE SET task_key = excluded.task_key, body = excluded.body,
           hash = excluded.hash
        RETURNING seq)"));
    put.bind(1, collection).bind(2, id).bind(4, body).bind(5, body_hash(body));
    task_key.empty() ? put.bind_null(3) : put.bind(3, task_key);
    MAEIL_TRY(put.step());
    seq = put.integer(0);
    MAEIL_TRY(put.run());
  }
  return update_keys(connection, collection, id, seq, before, body);
}

Result<Document> get_document(Connection& connection, std::string_view collection, std::string_view id) {
  MAEIL_ASSIGN(Query get,
               connection.query("SELECT body, hash FROM documents WHERE collection = ? AND id = ?"));
  get.bind(1, collection).bind(2, id);
  MAEIL_ASSIGN(const bool found, get.step());
  if (!found) return Document();
  return decode_document(connection, collection, id, get.bytes(0), get.integer(1));
}

Status set_fields(Connection& connection, std::string_view collection, std::string_view id,
                  const Document& fields) {
  MAEIL_ASSIGN(Document document, get_document(connection, collection, id));
  if (document.is_null()) return not_found(fmt::format("there is no document {} in {}", id, collection));
  if (const Status set = set_paths(document, fields); !set)
    return with_context(fmt::format("document {} of {}", id, collection), set.error());
  return put_document(connection, collection, document);
}

Status erase_document(Connection& connection, std::string_view collection, std::string_view id) {
  MAEIL_ASSIGN(const std::string before, stored_body(connection, collection, id));
  if (!before.empty()) MAEIL_TRY(update_keys(connection, collection, id, 0, before, ""));
  MAEIL_ASSIGN(Query erase, connection.query("DELETE FROM documents WHERE collection = ? AND id = ?"));
  return erase.bind(1, collection).bind(2, id).run();
}

Status visit_documents(Connection& connection, std::string_view collection, const FindOptions& options,
                       const Filter& filter, const std::function<bool(Document&&)>& visit, bool& in_order,
                       bool& stopped) {
  // A nested read has a connection of its own, so each statement below is used once at a time.
  const Document* id = filter.required("_id");
  const Document* task_key = filter.required("task_key");
  const std::string wanted_id = id ? id_text(*id) : "";
  const bool by_id = !wanted_id.empty();
  const bool by_task =
      !by_id && task_key && task_key->is_string() && !task_key->get_ref<const std::string&>().empty();
  std::optional<KeyRange> range;
  const char* sql = "SELECT id, body, hash FROM documents WHERE collection = ? ORDER BY seq";
  if (by_id) {
    sql = "SELECT id, body, hash FROM documents WHERE collection = ? AND id = ?";
  } else if (by_task) {
    sql = "SELECT id, body, hash FROM documents WHERE collection = ? AND task_key = ? ORDER BY seq";
  } else if (connection.indexed()) {
    MAEIL_ASSIGN(range, choose_range(connection, collection, filter, options));
  }
  if (range) {
    MAEIL_ASSIGN(in_order, comes_in_order(connection, collection, options, *range));
    sql = !in_order ? kByKey
          : range->descending
              ? "SELECT id, body, hash FROM document_keys k CROSS JOIN documents d ON d.seq = k.seq "
                "WHERE \"index\" = ? AND key >= ? AND key < ? ORDER BY key DESC"
              : "SELECT id, body, hash FROM document_keys k CROSS JOIN documents d ON d.seq = k.seq "
                "WHERE \"index\" = ? AND key >= ? AND key < ? ORDER BY key";
  }
  MAEIL_ASSIGN(Query query, connection.query(sql));
  range ? query.bind(1, int64_t{range->index}).bind_bytes(2, range->from).bind_bytes(3, range->to)
        : query.bind(1, collection);
  if (by_id) query.bind(2, wanted_id);
  if (by_task) query.bind(2, task_key->get_ref<const std::string&>());
  for (;;) {
    MAEIL_ASSIGN(const bool row, query.step());
    if (!row) return {};
    MAEIL_ASSIGN(Document document,
                 decode_document(connection, collection, query.bytes(0), query.bytes(1), query.integer(2)));
    if (!filter.matches(document)) continue;
    if (!visit(std::move(document))) {
      stopped = true;
      return {};
    }
  }
}

Status check_documents(Connection& connection) {
  MAEIL_ASSIGN(Query query, connection.query("SELECT collection, id, body, hash, task_key FROM documents"));
  for (;;) {
    MAEIL_ASSIGN(const bool row, query.step());
    if (!row) return check_keys(connection);
    MAEIL_ASSIGN(const Document document, decode_document(connection, query.bytes(0), query.bytes(1),
                                                          query.bytes(2), query.integer(3)));
    const auto id = document.find("_id");
    if (id == document.end() || id_text(*id) != query.bytes(1) || task_key_of(document) != query.bytes(4)) {
      return bad_input(fmt::format("store {}: document {} of {} is filed under a wrong key",
                                   connection.path(), query.bytes(1), query.bytes(0)));
    }
  }
}

}  // namespace maeil::store::sqlite
