// Rows on their way out. A partition's columns, number of rows and number of pieces are known beforehand, so
// a piece that is missing or does not match its hash is found before anything of it is used.
#include "store/sqlite/rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "base/hash.h"
#include "store/row_shape.h"
#include "store/sqlite/columns.h"
#include "store/sqlite/documents.h"

namespace maeil::store::sqlite {
namespace {

struct Partition {
  std::string collection, name, constants;
  int64_t generation = 0, rows = 0, pieces = 0;
  std::vector<std::string> columns;
};

tl::unexpected<Error> damaged(Connection& connection, const Partition& partition, std::string_view what) {
  return bad_input(fmt::format("store {}: the rows of {} {} are damaged ({}): run their task again",
                               connection.path(), partition.collection, partition.name, what));
}

constexpr const char* kAll =
    R"(SELECT p.collection, p.partition, p.constants, p.generation, g.rows, g.pieces, g.columns
    FROM partitions p LEFT JOIN generations g ON g.key = p.generation ORDER BY p.seq)";
constexpr const char* kOfCollection =
    R"(SELECT p.collection, p.partition, p.constants, p.generation, g.rows, g.pieces, g.columns
    FROM partitions p LEFT JOIN generations g ON g.key = p.generation WHERE p.collection = ? ORDER BY p.seq)";

Result<std::vector<Partition>> read_partitions(Connection& connection, Query& query) {
  std::vector<Partition> partitions;
  for (;;) {
    MAEIL_ASSIGN(const bool row, query.step());
    if (!row) return partitions;
    Partition p{query.text(0),
                query.text(1),
                query.text(2),
                query.integer(3),
                query.integer(4),
                query.integer(5),
                {}};
    const Document columns = parse_document(query.bytes(6));
    if (!columns.is_array() || p.rows < 0 || p.pieces < 0) return damaged(connection, p, "no description");
    for (const auto& column : columns) {
      const auto name = column.is_object() ? column.find("name") : column.end();
      if (name == column.end() || !name->is_string()) return damaged(connection, p, "its description");
      p.columns.push_back(name->get<std::string>());
    }
    partitions.push_back(std::move(p));
  }
}

Result<std::vector<Partition>> partitions_of(Connection& connection, std::string_view collection) {
  MAEIL_ASSIGN(Query query, connection.query(kOfCollection));
  query.bind(1, collection);
  return read_partitions(connection, query);
}

// Piece n of the columns with these numbers.
Result<RowChunk> read_piece(Connection& connection, const Partition& partition, int64_t n,
                            const std::vector<size_t>& columns) {
  MAEIL_ASSIGN(
      Query query,
      connection.query(
          R"(SELECT rows, bytes, hash FROM row_pieces WHERE generation = ? AND n = ? AND "column" = ?)"));
  RowChunk chunk;
  int64_t rows = -1;
  for (const size_t column : columns) {
    query.reset().bind(1, partition.generation).bind(2, n).bind(3, static_cast<int64_t>(column));
    MAEIL_ASSIGN(const bool found, query.step());
    if (!found)
      return damaged(connection, partition,
                     fmt::format("piece {} of column {} is missing", n, partition.columns[column]));
    const auto bytes = query.bytes(1);
    if (rows < 0) rows = query.integer(0);
    if (rows < 1 || rows > static_cast<int64_t>(kPieceRows) || rows != query.integer(0) ||
        static_cast<int64_t>(hash64(bytes)) != query.integer(2)) {
      return damaged(connection, partition,
                     fmt::format("piece {} of column {}", n, partition.columns[column]));
    }
    auto values = decode_column(bytes, static_cast<size_t>(rows));
    if (!values)
      return damaged(connection, partition,
                     fmt::format("piece {} of column {}", n, partition.columns[column]));
    chunk.push_back({partition.columns[column], std::move(*values)});
  }
  return chunk;
}

struct Piece {
  int64_t n = 0;
  uint64_t first = 0;  // the rows before it
};

// The piece that holds row `row`, from the pieces' sizes alone: their bytes are not read. A piece may be
// smaller than others.
Result<Piece> piece_with(Connection& connection, const Partition& partition, uint64_t row) {
  Piece piece;
  if (row == 0) return piece;
  MAEIL_ASSIGN(
      Query query,
      connection.query(R"(SELECT n, rows FROM row_pieces WHERE generation = ? AND "column" = 0 ORDER BY n)"));
  query.bind(1, partition.generation);
  for (;; ++piece.n) {
    MAEIL_ASSIGN(const bool found, query.step());
    const int64_t rows = found ? query.integer(1) : 0;
    if (!found || query.integer(0) != piece.n || rows < 1 || rows > static_cast<int64_t>(kPieceRows)) {
      return damaged(connection, partition,
                     fmt::format("piece {} of column {}", piece.n, partition.columns[0]));
    }
    if (piece.first + static_cast<uint64_t>(rows) > row) return piece;
    piece.first += static_cast<uint64_t>(rows);
  }
}

// Leaves `count` rows from `first` on.
void keep_rows(RowChunk& chunk, size_t first, size_t count) {
  for (auto& column : chunk) {
    std::visit(
        [&](auto& values) {
          values.erase(values.begin() + static_cast<std::ptrdiff_t>(first + count), values.end());
          values.erase(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(first));
        },
        column.values);
  }
}

// The pieces that hold rows of the span, cut to it.
Status visit_pieces(Connection& connection, const Partition& partition, const std::vector<size_t>& columns,
                    const std::function<Result<bool>(RowChunk&&)>& visit, RowSpan span = {}) {
  const auto all = static_cast<uint64_t>(partition.rows);
  const uint64_t begin = std::min(span.first, all), wanted = std::min(span.count, all - begin);
  const bool whole = wanted == all;  // every piece is looked at, so that rows too many are found as well
  if (columns.empty() || (wanted == 0 && !whole)) return {};
  MAEIL_ASSIGN(Piece piece, piece_with(connection, partition, begin));
  uint64_t rows = 0;
  for (; piece.n < partition.pieces && (whole || rows < wanted); ++piece.n) {
    MAEIL_ASSIGN(RowChunk chunk, read_piece(connection, partition, piece.n, columns));
    const uint64_t size = row_count(chunk[0].values), from = begin > piece.first ? begin - piece.first : 0;
    if (from >= size)
      return damaged(connection, partition, fmt::format("piece {} has {} rows", piece.n, size));
    const uint64_t count = whole ? size : std::min(size - from, wanted - rows);
    if (count < size) keep_rows(chunk, from, count);
    rows += count;
    piece.first += size;
    MAEIL_ASSIGN(const bool go_on, visit(std::move(chunk)));
    if (!go_on) return {};
  }
  if (rows != wanted) return damaged(connection, partition, fmt::format("{} of {} rows", rows, wanted));
  return {};
}

Document value_at(const ColumnValues& values, size_t row) {
  if (const auto* numbers = std::get_if<std::vector<double>>(&values))
    return std::isfinite((*numbers)[row]) ? Document((*numbers)[row]) : Document();
  if (const auto* integers = std::get_if<std::vector<int64_t>>(&values)) return (*integers)[row];
  return std::get<std::vector<std::string>>(values)[row];
}

// Stable ids in the rows' order: 8 bytes of SHA-256 over the partition's name, then the row's number.
std::string row_id(std::string_view prefix, uint64_t row) {
  return fmt::format("{}{:08x}", prefix, static_cast<uint32_t>(row));
}

bool wanted(const std::vector<std::string>& fields, const std::string& name) {
  return fields.empty() || std::ranges::find(fields, name) != fields.end();
}

// The rows of one partition as documents; false when visit asked to stop.
Result<bool> visit_partition(Connection& connection, const Partition& partition, const Filter& filter,
                             const std::vector<std::string>& fields,
                             const std::function<bool(Document&&)>& visit) {
  const Document constants = parse_document(partition.constants);
  if (!constants.is_object()) return damaged(connection, partition, "its constants");
  const std::string prefix =
      sha256_hex(fmt::format("{}\n{}", partition.collection, partition.name)).substr(0, 16);
  Document begin = Document::object({{"_id", nullptr}});
  std::vector<size_t> columns;
  for (size_t i = 0; i < partition.columns.size(); ++i) {
    if (wanted(fields, partition.columns[i])) columns.push_back(i);
  }
  for (const auto& [name, value] : constants.items()) {
    const bool also_column = std::ranges::find(partition.columns, name) != partition.columns.end();
    if (name != "_id" && !also_column && wanted(fields, name)) begin[name] = value;
  }
  // to count the rows; projection drops it again
  if (columns.empty() && !partition.columns.empty()) columns.push_back(0);
  uint64_t number = 0;
  bool go_on = true;
  MAEIL_TRY(visit_pieces(connection, partition, columns, [&](RowChunk&& chunk) -> Result<bool> {
    const size_t rows = chunk.empty() ? 0 : row_count(chunk[0].values);
    for (size_t row = 0; go_on && row < rows; ++row) {
      Document document = begin;
      // The names are distinct, so no look-up is needed (142 look-ups of 71 comparisons a row otherwise).
      std::vector<std::pair<const std::string, Document>>& members = document.get_ref<Document::object_t&>();
      members.reserve(members.size() + chunk.size());
      members[0].second = id_value(row_id(prefix, number++));
      for (const auto& column : chunk) members.emplace_back(column.name, value_at(column.values, row));
      if (filter.matches(document)) go_on = visit(std::move(document));
    }
    return go_on;
  }));
  return go_on;
}

}  // namespace

Status publish_rows(Connection& connection, const Batch::Publish& publish) {
  const std::string label = fmt::format("rows of {} {}", publish.collection, publish.partition);
  int64_t generation = 0;
  {
    MAEIL_ASSIGN(
        Query find,
        connection.query(
            "SELECT key, collection, partition, pieces FROM generations WHERE id = ? AND created > 0"));
    find.bind(1, publish.generation);
    MAEIL_ASSIGN(const bool found, find.step());
    if (!found) return not_found(fmt::format("{}: there is no generation {}", label, publish.generation));
    if (find.bytes(1) != publish.collection || find.bytes(2) != publish.partition || find.is_null(3)) {
      return internal_error(fmt::format("{}: generation {} was written for {} {}{}", label,
                                        publish.generation, find.bytes(1), find.bytes(2),
                                        find.is_null(3) ? " and never finished" : ""));
    }
    generation = find.integer(0);
  }
  {
    MAEIL_ASSIGN(Query replaced, connection.query(R"(UPDATE generations SET created = 0 WHERE key IN
        (SELECT generation FROM partitions WHERE collection = ? AND partition = ? AND generation <> ?))"));
    MAEIL_TRY(replaced.bind(1, publish.collection).bind(2, publish.partition).bind(3, generation).run());
  }
  MAEIL_ASSIGN(Query put,
               connection.query(R"(INSERT INTO partitions(collection, partition, generation, constants)
      SELECT collection, partition, key, coalesce(constants, '{}') FROM generations WHERE key = ?
      ON CONFLICT(collection, partition) DO UPDATE SET
         generation = excluded.generation, constants = excluded.constants)"));
  return put.bind(1, generation).run();
}

Status erase_partition(Connection& connection, std::string_view collection, std::string_view partition) {
  for (const char* sql : {"UPDATE generations SET created = 0 WHERE key IN (SELECT generation FROM "
                          "partitions WHERE collection = ? AND partition = ?)",
                          "DELETE FROM partitions WHERE collection = ? AND partition = ?"}) {
    MAEIL_ASSIGN(Query erase, connection.query(sql));
    MAEIL_TRY(erase.bind(1, collection).bind(2, partition).run());
  }
  return {};
}

Result<Document> constants_of(Connection& connection, std::string_view collection,
                              std::string_view partition) {
  MAEIL_ASSIGN(const auto partitions, partitions_of(connection, collection));
  const auto found = std::ranges::find(partitions, partition, &Partition::name);
  if (found == partitions.end())
    return not_found(fmt::format("there are no rows of {} {}", collection, partition));
  Document constants = parse_document(found->constants);
  if (!constants.is_object()) return damaged(connection, *found, "its constants");
  return constants;
}

Status visit_row_chunks(Connection& connection, std::string_view collection, std::string_view partition,
                        const std::vector<std::string>& columns,
                        const std::function<Status(const RowChunk&)>& visit, RowSpan span) {
  MAEIL_ASSIGN(const auto partitions, partitions_of(connection, collection));
  const auto found = std::ranges::find(partitions, partition, &Partition::name);
  if (found == partitions.end())
    return not_found(fmt::format("there are no rows of {} {}", collection, partition));
  std::vector<size_t> numbers;
  for (const auto& name : columns) {
    const auto column = std::ranges::find(found->columns, name);
    if (column == found->columns.end())
      return not_found(fmt::format("the rows of {} {} have no column {}", collection, partition, name));
    numbers.push_back(static_cast<size_t>(column - found->columns.begin()));
  }
  for (size_t i = 0; columns.empty() && i < found->columns.size(); ++i) numbers.push_back(i);
  return visit_pieces(
      connection, *found, numbers,
      [&](RowChunk&& chunk) -> Result<bool> {
        MAEIL_TRY(visit(chunk));
        return true;
      },
      span);
}

Status visit_row_documents(Connection& connection, std::string_view collection, const Filter& filter,
                           const std::vector<std::string>& fields,
                           const std::function<bool(Document&&)>& visit, bool& stopped) {
  MAEIL_ASSIGN(const auto partitions, partitions_of(connection, collection));
  for (const auto& partition : partitions) {
    MAEIL_ASSIGN(const bool go_on, visit_partition(connection, partition, filter, fields, visit));
    if (!go_on) {
      stopped = true;
      return {};
    }
  }
  return {};
}

Status check_rows(Connection& connection) {
  std::vector<Partition> partitions;
  {
    MAEIL_ASSIGN(Query query, connection.query(kAll));
    MAEIL_ASSIGN(partitions, read_partitions(connection, query));
  }
  for (const auto& partition : partitions) {
    std::vector<size_t> all(partition.columns.size());
    for (size_t i = 0; i < all.size(); ++i) all[i] = i;
    MAEIL_TRY(visit_pieces(connection, partition, all, [](RowChunk&&) -> Result<bool> { return true; }));
  }
  return {};
}

}  // namespace maeil::store::sqlite
