// Rows on their way in: chunks of any length are cut into pieces of kPieceRows, one transaction per piece, so
// memory is bounded and nothing blocks other writers for long.
#include <fmt/format.h>

#include <algorithm>

#include "base/hash.h"
#include "store/row_shape.h"
#include "store/sqlite/columns.h"
#include "store/sqlite/documents.h"
#include "store/sqlite/rows.h"

namespace maeil::store::sqlite {
namespace {

char kind_of(const ColumnValues& values) { return "ids"[values.index()]; }

class SqliteRowWriter : public RowWriter {
 public:
  SqliteRowWriter(std::shared_ptr<Database> database, std::string label, int64_t key, std::string id)
      : database_(std::move(database)), label_(std::move(label)), key_(key), id_(std::move(id)) {}

  Status append(const RowChunk& chunk) override {
    if (finished_) return internal_error(fmt::format("{}: append after finish", label_));
    MAEIL_TRY(check_row_shape(label_, pending_, pending_.empty(), chunk));
    if (pending_.empty()) {
      for (const auto& column : chunk)
        pending_.push_back(
            {column.name, std::visit([](const auto& v) { return ColumnValues(std::decay_t<decltype(v)>()); },
                                     column.values)});
    }
    const size_t rows = chunk.empty() ? 0 : row_count(chunk[0].values);
    for (size_t first = 0; first < rows;) {
      const size_t count = std::min(rows - first, kPieceRows - pending_rows_);
      for (size_t i = 0; i < chunk.size(); ++i)
        append_slice(pending_[i].values, chunk[i].values, first, count);
      pending_rows_ += count;
      first += count;
      if (pending_rows_ == kPieceRows) MAEIL_TRY(flush());
    }
    return {};
  }

  Result<std::string> finish() override {
    if (finished_) return internal_error(fmt::format("{}: finish twice", label_));
    if (pending_rows_ > 0) MAEIL_TRY(flush());
    Document columns = Document::array();
    for (const auto& column : pending_)
      columns.push_back({{"name", column.name}, {"kind", std::string(1, kind_of(column.values))}});
    const std::string text = columns.dump();
    MAEIL_TRY(database_->write([&](Connection& connection) -> Status {
      MAEIL_ASSIGN(
          Query seal,
          connection.query(
              "UPDATE generations SET columns = ?, rows = ?, pieces = ? WHERE key = ? AND created > 0"));
      MAEIL_TRY(seal.bind(1, text).bind(2, rows_).bind(3, pieces_).bind(4, key_).run());
      if (connection.changes() != 1)
        return not_found(fmt::format("{}: its generation was removed meanwhile", label_));
      return {};
    }));
    finished_ = true;
    return id_;
  }

 private:
  static void append_slice(ColumnValues& to, const ColumnValues& from, size_t first, size_t count) {
    std::visit(
        [&](auto& target) {
          const auto& source = std::get<std::decay_t<decltype(target)>>(from);
          target.insert(target.end(), source.begin() + static_cast<std::ptrdiff_t>(first),
                        source.begin() + static_cast<std::ptrdiff_t>(first + count));
        },
        to);
  }

  Status flush() {
    MAEIL_TRY(database_->write([&](Connection& connection) -> Status {
      {  // shows that it is under way: garbage is what has not been written to for long
        MAEIL_ASSIGN(Query renew,
                     connection.query("UPDATE generations SET created = ? WHERE key = ? AND created > 0"));
        MAEIL_TRY(renew.bind(1, now().time_since_epoch().count()).bind(2, key_).run());
        if (connection.changes() != 1)
          return not_found(fmt::format("{}: its generation was removed meanwhile", label_));
      }
      for (size_t i = 0; i < pending_.size(); ++i) {
        const std::string bytes = encode_column(pending_[i].values, 0, pending_rows_);
        MAEIL_ASSIGN(
            Query insert,
            connection.query(
                R"(INSERT INTO row_pieces(generation, n, "column", rows, bytes, hash) VALUES(?, ?, ?, ?, ?, )"
                R"(?))"));
        insert.bind(1, key_)
            .bind(2, pieces_)
            .bind(3, static_cast<int64_t>(i))
            .bind(4, static_cast<int64_t>(pending_rows_));
        insert.bind_bytes(5, bytes).bind(6, static_cast<int64_t>(hash64(bytes)));
        MAEIL_TRY(insert.run());
      }
      return {};
    }));
    rows_ += static_cast<int64_t>(pending_rows_);
    pieces_ += 1;
    pending_rows_ = 0;
    for (auto& column : pending_) std::visit([](auto& values) { values.clear(); }, column.values);
    return {};
  }

  std::shared_ptr<Database> database_;
  std::string label_;
  int64_t key_;
  std::string id_;
  RowChunk pending_;  // the columns, and less than kPieceRows rows of them
  size_t pending_rows_ = 0;
  int64_t rows_ = 0, pieces_ = 0;
  bool finished_ = false;
};

}  // namespace

Result<std::unique_ptr<RowWriter>> begin_rows(std::shared_ptr<Database> database, std::string_view collection,
                                              std::string_view partition, const Document& constants) {
  MAEIL_ASSIGN(const std::string carried,
               encode_document(collection, constants.is_null() ? Document::object() : constants));
  const Instant created = now();
  const std::string id = new_object_id(created);
  int64_t key = 0;
  MAEIL_TRY(database->write([&](Connection& connection) -> Status {
    MAEIL_ASSIGN(
        Query insert,
        connection.query(
            "INSERT INTO generations(id, collection, partition, created, constants) VALUES(?, ?, ?, ?, ?)"));
    insert.bind(1, id)
        .bind(2, collection)
        .bind(3, partition)
        .bind(4, created.time_since_epoch().count())
        .bind(5, carried);
    MAEIL_TRY(insert.run());
    key = connection.last_row_id();
    return {};
  }));
  return std::make_unique<SqliteRowWriter>(std::move(database),
                                           fmt::format("rows of {} {}", collection, partition), key, id);
}

}  // namespace maeil::store::sqlite
