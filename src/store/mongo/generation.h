// Generations of rows: a partition's rows are documents of its collection whose ids begin with kRowPrefix, go
// on with the generation's number and end with the row's, so a generation is one range of _id, and all rows
// of a collection are one range, too. No other document has such an id: an ObjectId's first four bytes are a
// time, and these would be the year 2106.
//
// maeil_partitions  {_id: hash of collection and partition, collection, partition, generation, rows, nulled,
//                    columns: [{name, kind}], constants}: the switch; readers believe nothing else
// maeil_generations {_id, collection, partition, created, owner, leases, nonce; once all its rows are there
//                    also the fields of maeil_partitions; published; dropped}: there before a generation's
//                    first row, until its rows are removed
#pragma once

#include <optional>

#include "store/mongo/connection.h"
#include "store/store.h"

namespace maeil::store::mongo {

inline constexpr std::string_view kRowPrefix = "ffffffff";

struct Generation {
  std::string collection, id;
};

struct Partition {
  std::string collection, name, generation;
  int64_t rows = 0;
  std::vector<std::pair<std::string, char>> columns;  // name and kind: i, d, s
  Document constants;
};

std::string partition_id(std::string_view collection, std::string_view partition);
Result<Partition> partition_from(const Server& server, const Document& document);
// in order of first publishing
Result<std::vector<Partition>> partitions(Connection& connection, const Document& filter);
Result<std::optional<Partition>> find_partition(Connection& connection, std::string_view collection,
                                                std::string_view partition);

// {"_id": {"$gte": first, "$lte": last}} of a generation's rows, or of those with the numbers `first` to
// `last`.
Document row_range(const std::string& generation, uint32_t first = 0, uint32_t last = UINT32_MAX);
std::string row_oid(const std::string& generation, uint32_t row);
Document without_rows();  // a filter that matches everything but rows

// A generation of its own, noted on the server. Its id.
Result<std::string> begin_generation(Connection& connection, std::string_view collection,
                                     std::string_view partition);
// It is being written: its age, by which garbage collection takes what is left, begins anew. kConflict: it
// has been taken.
Status keep_generation(Connection& connection, const std::string& generation);
// All rows are there. `partition`: with the generation's id. kConflict as before.
Status finish_generation(Connection& connection, const Partition& partition, int64_t nulled);
// What maeil_partitions holds of a finished generation, without _id; `entry`: its document. kNotFound when
// there is none; kInternal when it was written for another partition.
Result<Document> finished_generation(const Server& server, Document entry, const std::string& collection,
                                     const std::string& partition, const std::string& generation);

// The generations of a partition that will never be published: dropped before, or their writer is a process
// of this machine that is gone, or lost a lock that it held. Garbage collection finds the others by their
// age.
Result<std::vector<std::string>> abandoned_generations(Connection& connection, const std::string& collection,
                                                       const std::string& partition,
                                                       const std::string& published);

// Notes that it is none any more, and removes its rows, some thousands at a time. REQUIRES: no batch that
// counts publishes it.
Status drop_generation(Connection& connection, const Generation& generation);

}  // namespace maeil::store::mongo
