// Generations of rows: a partition's rows are documents of its collection whose ids share their first 8 bytes with the
// generation's id and end with the row's number, so a generation is one range of _id and needs no field and no index of its own.
//
// maeil_partitions  {_id: hash of collection and partition, collection, partition, generation, rows, nulled, columns: [{name, kind}],
//                    constants, task_key}: the switch; readers believe nothing else
// maeil_generations {_id, collection, partition, created, dropped}: there before a generation's first row and until long after its
//                    last one (a write that was under way when its process died may still arrive), so what a range holds
//                    is known to be rows even while nobody may see them
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>

#include "store/mongo/connection.h"
#include "store/mongo/spool.h"

namespace maeil::store::mongo {

struct Partition {
  std::string collection, name, generation;
  int64_t rows = 0;
  std::vector<std::pair<std::string, char>> columns;  // name and kind: i, d, s
  Document constants;
  Document document() const;          // as stored, without _id; constants with escaped names where the server needs it
};

std::string partition_id(std::string_view collection, std::string_view partition);
Result<Partition> partition_from(const Server& server, const Document& document);
Result<std::vector<Partition>> partitions(Connection& connection, const Document& filter);  // in order of first publishing
Result<std::optional<Partition>> find_partition(Connection& connection, std::string_view collection, std::string_view partition);

// {"_id": {"$gte": first, "$lte": last}} of a generation's rows.
Document row_range(const std::string& generation);
std::string row_oid(const std::string& generation, uint32_t row);

// The generations of one collection, whether published or not.
class Generations {
 public:
  static Result<Generations> of(Connection& connection, std::string_view collection);
  bool empty() const { return prefixes_.empty(); }
  bool owns(const bson_oid_t& id) const;
  Document excluding() const;         // a filter that matches everything but rows

 private:
  std::vector<std::string> prefixes_;  // 16 hex digits
};

// Finished rows that wait in this process for their batch. Thread safe.
struct Waiting {
  std::string collection, partition;
  Instant created;
  Spool spool;
  std::mutex mutex{};  // one commit at a time reads the spool
};
class Shelf {
 public:
  void put(const std::string& generation, std::shared_ptr<Waiting> rows);
  std::shared_ptr<Waiting> find(const std::string& generation) const;
  void remove(const std::string& generation);
  int64_t remove_older(Instant before);

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Waiting>> waiting_;
};

// Writes a generation's rows, registered first. `constants` are ready BSON members. May be done twice.
Status insert_rows(Connection& connection, const std::string& generation, Waiting& rows, std::string_view constants);

std::unique_ptr<RowWriter> begin_rows(std::shared_ptr<Server> server, std::shared_ptr<Shelf> shelf, std::string_view collection, std::string_view partition);

}  // namespace maeil::store::mongo
