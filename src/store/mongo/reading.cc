#include "store/mongo/reading.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "base/hash.h"
#include "store/indexes.h"
#include "store/mongo/batch_plan.h"

namespace maeil::store::mongo {
namespace {

// as the embedded store's pieces: 142 columns of numbers are 4.6 MB at a time
constexpr size_t kChunkRows = 4096;

// {"$and": [both]}; either may be empty.
Document both(const Document& a, const Document& b) {
  if (a.empty()) return b;
  if (b.empty()) return a;
  return {{"$and", Document::array({a, b})}};
}

// What is a document: no row, and nothing of a batch that was taken back.
Document documents_only(const Server& server) {
  Document filter = without_rows();
  Document refused = Document::array();
  for (const auto& batch : server.refused()) refused.push_back(id_value(batch));
  if (!refused.empty()) filter[kBatchField] = {{"$nin", refused}};
  return filter;
}

bool mentions_id(const Filter& filter) {
  std::vector<std::string> fields;
  filter.add_fields(fields);
  return std::ranges::find(fields, "_id") != fields.end();
}

// The server's projection for the fields that a find looks at; empty when it cannot be said there.
Document projection(const Server& server, const std::vector<std::string>& fields) {
  Document out = Document::object();
  for (const auto& field : fields) {
    if (field.empty() || field.starts_with('$') || field.find('.') != std::string::npos)
      return Document::object();
    out[server.codec().restricted ? escape_name(field) : field] = 1;
  }
  return out;
}

// A value with a whole number beyond int64 has no BSON; such a filter stays here.
Result<Bson> server_filter(const Document& asked, const Document& ours) {
  if (auto bson = to_bson(both(ours, asked))) return bson;
  return to_bson(ours);
}

// The server's sort; empty when there is none, or it is ours. FerretDB's order of values of several types is
// not MongoDB's.
Document server_sort(const Server& server, const FindOptions& options) {
  Document sort = Document::object();
  if (server.codec().restricted) return sort;
  for (const auto& [path, direction] : options.sort) {
    if (path.empty() || path.starts_with('$')) return Document::object();
    if (!sort.contains(path)) sort[path] = direction < 0 ? -1 : 1;
  }
  if (!sort.empty() && !sort.contains("_id")) sort["_id"] = options.sort.back().second < 0 ? -1 : 1;
  return sort;
}

// Whether an index finds what this filter asks for; a server would take one for a range of dates that is
// nearly everything, too.
bool has_index(std::string_view collection, const Filter& filter) {
  const auto asked = [&](const std::string& field) {
    const Filter::Bounds bounds = filter.bounds(field);
    return filter.required(field) || bounds.low || bounds.high;
  };
  return filter.required("_id") || filter.required("task_key") || filter.required("logical_date") ||
         std::ranges::any_of(indexes_of(collection),
                             [&](const Index* index) { return asked(index->fields[0]); });
}

// Sort or limit that this server cannot do: two arrays in one sort key, no memory left, not made.
bool refused_sort(int code) { return code == kNotImplemented || code == 2 || code == 96 || code == 292; }

class Plain {
 public:
  Plain(Connection& connection, const std::string& collection, const FindOptions& options,
        const Filter& filter)
      : connection_(connection),
        collection_(collection),
        options_(options),
        filter_(filter),
        ours_(documents_only(connection.server())) {
    if (Document fields = projection(connection.server(), fields_needed(options, filter)); !fields.empty()) {
      find_["projection"] = std::move(fields);
    }
  }

  // All matches, in any order or that of insertion.
  Status visit(const Take& take, bool& stopped) {
    Document find = find_;
    if (!has_index(collection_, filter_)) find["hint"] = {{"$natural", 1}};
    MAEIL_ASSIGN(const Bson asked, server_filter(options_.filter, ours_));
    const Status done = run(asked, find, take, stopped);
    if (done || stopped || connection_.fault().code != kNotImplemented) return done;
    // An operator that this server does not know (FerretDB): all documents, and the filter is ours.
    MAEIL_ASSIGN(const Bson all, to_bson(ours_));
    return run(all, find, take, stopped);
  }

  // In the order of a sort; false, and nothing was taken, when the server refuses it.
  Result<bool> visit_sorted(const Document& sort, const Take& take, bool& in_order, bool& stopped) {
    Document find = find_;
    find["sort"] = sort;
    MAEIL_ASSIGN(const Bson asked, server_filter(options_.filter, ours_));
    const bool limited =
        options_.limit > 0 && options_.limit <= kMostLimited && options_.skip <= kMostLimited;
    if (limited) {
      // The server's limit is believed when our filter agrees with its own on all of these.
      find["limit"] = options_.skip + options_.limit;
      std::vector<Document> found;
      int64_t seen = 0;
      const Status done = run(
          asked, find,
          [&](Document&& document) {
            found.push_back(std::move(document));
            return true;
          },
          stopped, &seen);
      if (!done && refused_sort(static_cast<int>(connection_.fault().code))) return false;
      MAEIL_TRY(done);
      if (static_cast<size_t>(seen) == found.size() || seen < options_.skip + options_.limit) {
        in_order = true;
        for (auto& document : found) {
          if (!take(std::move(document))) {
            stopped = true;
            break;
          }
        }
        return true;
      }
      find.erase("limit");
    }
    in_order = true;
    bool any = false;
    const Status done = run(
        asked, find,
        [&](Document&& document) {
          any = true;
          return take(std::move(document));
        },
        stopped);
    if (!done && !any && refused_sort(static_cast<int>(connection_.fault().code))) {
      in_order = false;
      return false;
    }
    MAEIL_TRY(done);
    return true;
  }

 private:
  static constexpr int64_t kMostLimited = 10000;  // documents that wait here for the answer's end

  Status run(const Bson& filter, const Document& find, const Take& take, bool& stopped,
             int64_t* seen = nullptr) {
    return connection_.find(collection_, *filter.get(), find, [&](const bson_t& one) -> Result<bool> {
      if (seen) ++*seen;
      MAEIL_ASSIGN(Document document, from_bson(one, connection_.server().codec()));
      if (!filter_.matches(document)) return true;
      stopped = !take(std::move(document));
      return !stopped;
    });
  }

  Connection& connection_;
  const std::string& collection_;
  const FindOptions& options_;
  const Filter& filter_;
  const Document ours_;
  Document find_ = Document::object();
};

// Ids that people see, the same for every generation of a partition and in every store.
class StableIds {
 public:
  explicit StableIds(const Partition& partition)
      : prefix_(sha256_hex(fmt::format("{}\n{}", partition.collection, partition.name)).substr(0, 16)),
        generation_(partition.generation) {}
  std::string stable(const bson_oid_t& id) const { return prefix_ + hex_of(id).substr(16); }
  // The stored id for a stable one; "" when it is no row of this partition.
  std::string stored(const std::string& stable) const {
    return stable.starts_with(prefix_) ? generation_.substr(0, 16) + stable.substr(16) : "";
  }

 private:
  std::string prefix_, generation_;
};

Status visit_rows(Connection& connection, const Partition& partition, const FindOptions& options,
                  const Filter& filter, const Take& take, bool& stopped) {
  const Codec& codec = connection.server().codec();
  const StableIds ids(partition);
  Document find = {{"sort", {{"_id", 1}}}};
  if (Document fields = projection(connection.server(), fields_needed(options, filter)); !fields.empty())
    find["projection"] = std::move(fields);
  Document range = row_range(partition.generation);
  const Document* id = filter.required("_id");
  if (id) {
    const std::string stored = ids.stored(id_text(*id));
    if (stored.empty()) return {};
    range = {{"_id", id_value(stored)}};
  }
  const auto visit = [&](const bson_t& one) -> Result<bool> {
    MAEIL_ASSIGN(Document document, from_bson(one, codec));
    bson_iter_t at;
    if (bson_iter_init_find(&at, &one, "_id") && BSON_ITER_HOLDS_OID(&at))
      document["_id"] = id_value(ids.stable(*bson_iter_oid(&at)));
    if (!filter.matches(document)) return true;
    stopped = !take(std::move(document));
    return !stopped;
  };
  MAEIL_ASSIGN(const Bson bson, mentions_id(filter) ? to_bson(range) : server_filter(options.filter, range));
  const Status done = connection.find(partition.collection, *bson.get(), find, visit);
  if (done || stopped || connection.fault().code != kNotImplemented) return done;
  MAEIL_ASSIGN(const Bson all, to_bson(range));
  return connection.find(partition.collection, *all.get(), find, visit);
}

tl::unexpected<Error> replaced(const Server& server, std::string_view collection,
                               std::string_view partition) {
  return fail(ErrorCode::kConflict,
              fmt::format("{}: the rows of {} {} were replaced while they were read: read them again",
                          server.label(), collection, partition));
}

tl::unexpected<Error> damaged(const Server& server, const Partition& partition, const std::string& what) {
  return bad_input(fmt::format("{}: the rows of {} {} are damaged ({}): run their task again", server.label(),
                               partition.collection, partition.name, what));
}

// Rows into columns. The wanted columns come in the documents' own order, so each name is looked for where it
// was last time.
class Columns {
 public:
  Columns(const Partition& partition, const std::vector<size_t>& wanted, const Codec& codec)
      : partition_(partition) {
    for (const size_t column : wanted) {
      const auto& [name, kind] = partition.columns[column];
      RowColumn values{name, std::vector<double>()};
      if (kind == 'i') values.values = std::vector<int64_t>();
      if (kind == 's') values.values = std::vector<std::string>();
      chunk_.push_back(std::move(values));
      stored_names_.push_back(codec.restricted ? escape_name(name) : name);
      order_.push_back(column);
    }
    by_place_.resize(chunk_.size());
    for (size_t i = 0; i < by_place_.size(); ++i) by_place_[i] = i;
    std::ranges::sort(by_place_, [&](size_t a, size_t b) { return order_[a] < order_[b]; });
  }

  Status add(const Server& server, const bson_t& row) {
    bson_iter_t at;
    if (!bson_iter_init(&at, &row)) return damaged(server, partition_, "a row is not readable");
    size_t next = 0;
    while (next < by_place_.size() && bson_iter_next(&at)) {
      const size_t column = by_place_[next];
      const std::string& name = stored_names_[column];
      if (name != std::string_view(bson_iter_key(&at), bson_iter_key_len(&at))) continue;
      if (!take(at, chunk_[column].values))
        return damaged(server, partition_, fmt::format("column {} of row {}", chunk_[column].name, rows_));
      // A column may be asked for twice.
      while (++next < by_place_.size() && stored_names_[by_place_[next]] == name) {
        if (!take(at, chunk_[by_place_[next]].values))
          return damaged(server, partition_, fmt::format("column {}", name));
      }
    }
    if (next < by_place_.size())
      return damaged(server, partition_,
                     fmt::format("row {} has no column {}", rows_, chunk_[by_place_[next]].name));
    ++rows_;
    return {};
  }

  const RowChunk& chunk() const { return chunk_; }
  size_t rows() const { return rows_; }
  void clear() {
    for (auto& column : chunk_) std::visit([](auto& values) { values.clear(); }, column.values);
    rows_ = 0;
  }

 private:
  static bool take(const bson_iter_t& at, decltype(RowColumn::values)& to) {
    if (auto* numbers = std::get_if<std::vector<double>>(&to)) {
      if (!BSON_ITER_HOLDS_NUMBER(&at) && !BSON_ITER_HOLDS_NULL(&at)) return false;
      numbers->push_back(BSON_ITER_HOLDS_NULL(&at) ? std::numeric_limits<double>::quiet_NaN()
                                                   : bson_iter_as_double(&at));
      return true;
    }
    if (auto* integers = std::get_if<std::vector<int64_t>>(&to)) {
      if (!BSON_ITER_HOLDS_INT(&at)) return false;
      integers->push_back(bson_iter_as_int64(&at));
      return true;
    }
    if (!BSON_ITER_HOLDS_UTF8(&at)) return false;
    uint32_t length = 0;
    const char* text = bson_iter_utf8(&at, &length);
    std::get<std::vector<std::string>>(to).emplace_back(text, length);
    return true;
  }

  const Partition& partition_;
  RowChunk chunk_;
  std::vector<std::string> stored_names_;
  std::vector<size_t> order_, by_place_;
  size_t rows_ = 0;
};

Result<std::vector<size_t>> column_numbers(const Partition& partition,
                                           const std::vector<std::string>& names) {
  std::vector<size_t> numbers;
  for (const auto& name : names) {
    const auto found =
        std::ranges::find(partition.columns, name, [](const auto& column) { return column.first; });
    if (found == partition.columns.end())
      return not_found(
          fmt::format("the rows of {} {} have no column {}", partition.collection, partition.name, name));
    numbers.push_back(static_cast<size_t>(found - partition.columns.begin()));
  }
  for (size_t i = 0; names.empty() && i < partition.columns.size(); ++i) numbers.push_back(i);
  return numbers;
}

}  // namespace

Status visit_documents(Connection& connection, std::string_view collection, const FindOptions& options,
                       const Filter& filter, const Take& take, bool& in_order) {
  const std::string name(collection);
  if (!is_public_collection(name)) return {};
  bool stopped = false;
  std::vector<Partition> published;
  if (options.rows) {
    MAEIL_ASSIGN(published, partitions(connection, {{"collection", name}}));
  }
  Plain plain(connection, name, options, filter);
  const Document sort = published.empty() ? server_sort(connection.server(), options) : Document::object();
  bool sorted = false;
  if (!sort.empty()) {
    MAEIL_ASSIGN(sorted, plain.visit_sorted(sort, take, in_order, stopped));
  }
  if (!sorted) MAEIL_TRY(plain.visit(take, stopped));
  if (stopped || published.empty()) return {};
  for (const auto& partition : published) {
    MAEIL_TRY(visit_rows(connection, partition, options, filter, take, stopped));
    if (stopped) return {};
  }
  MAEIL_ASSIGN(const auto after, partitions(connection, {{"collection", name}}));
  for (const auto& partition : published) {
    const auto same = std::ranges::find_if(after, [&](const auto& other) {
      return other.name == partition.name && other.generation == partition.generation;
    });
    if (same == after.end()) return replaced(connection.server(), collection, partition.name);
  }
  return {};
}

Status visit_row_chunks(Connection& connection, std::string_view collection, std::string_view partition,
                        const std::vector<std::string>& columns,
                        const std::function<Status(const RowChunk&)>& visit, RowSpan span) {
  MAEIL_ASSIGN(const auto found, find_partition(connection, collection, partition));
  if (!found) return not_found(fmt::format("there are no rows of {} {}", collection, partition));
  MAEIL_ASSIGN(const auto numbers, column_numbers(*found, columns));
  Columns chunk(*found, numbers, connection.server().codec());
  Document find = {{"sort", {{"_id", 1}}}};
  if (!columns.empty()) {
    if (Document fields = projection(connection.server(), columns); !fields.empty())
      find["projection"] = std::move(fields);
  }
  // Rows are numbered from 0 without gaps. Up to the last one means to the end: rows too many are found as
  // well.
  const auto all = static_cast<uint64_t>(found->rows), begin = std::min(span.first, all);
  const uint64_t wanted = std::min(span.count, all - begin);
  if (wanted == 0 && all > 0) return {};
  const uint64_t last = begin + wanted < all ? begin + wanted - 1 : UINT32_MAX;
  MAEIL_ASSIGN(const Bson range, to_bson(row_range(found->generation, static_cast<uint32_t>(begin),
                                                   static_cast<uint32_t>(last))));
  uint64_t rows = 0;
  MAEIL_TRY(connection.find(found->collection, *range.get(), find, [&](const bson_t& row) -> Result<bool> {
    MAEIL_TRY(chunk.add(connection.server(), row));
    ++rows;
    if (chunk.rows() == kChunkRows) {
      MAEIL_TRY(visit(chunk.chunk()));
      chunk.clear();
    }
    return true;
  }));
  if (chunk.rows() > 0) MAEIL_TRY(visit(chunk.chunk()));
  if (rows == wanted) return {};
  MAEIL_ASSIGN(const auto after, find_partition(connection, collection, partition));
  if (!after || after->generation != found->generation)
    return replaced(connection.server(), collection, partition);
  return damaged(connection.server(), *found, fmt::format("{} of {} rows", rows, wanted));
}

Status visit_raw(Connection& connection, std::string_view collection,
                 const std::function<Result<bool>(const bson_t&)>& visit) {
  MAEIL_ASSIGN(const Bson filter, to_bson(documents_only(connection.server())));
  return connection.find(std::string(collection), *filter.get(), Document::object(), visit);
}

}  // namespace maeil::store::mongo
