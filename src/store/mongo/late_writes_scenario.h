// For tests: two batches that meet in the same documents and rows, and what a store shows of them. Everything
// is written by somebody: "s" at the start, "v", the victim, whose batch expects what "s" wrote, and "w", the
// other.
#pragma once

#include <fmt/format.h>

#include <chrono>

#include "store/mongo/mongo_store.h"

namespace maeil::store {

inline const std::string kRuns = "runs", kModels = "models", kAlerts = "alerts", kRows = "rows";
inline const std::string kA = "00000000000000000000000a", kB = "00000000000000000000000b";
inline const std::string kC = "00000000000000000000000c", kD = "00000000000000000000000d";
inline const std::string kPlain = "00000000000000000000000e";

// Short waits. A protocol that waits for a writer's right to run out waits less.
template <class Options>
Options with_short_waits(Options options) {
  if constexpr (requires { options.slot; }) options.slot = std::chrono::milliseconds{800};
  options.lease = std::chrono::milliseconds{1000};
  options.transactions = false;
  return options;
}

inline Result<std::unique_ptr<Store>> open_quickly(const std::string& uri, const std::string& database,
                                                   std::chrono::milliseconds retry) {
  MongoOptions options = with_short_waits(MongoOptions());
  options.retry = retry;
  return open_mongo(uri, database, options);
}

// Who wrote what: 2 rows are of "s", 3 of "v", 4 of "w".
struct Seen {
  std::string a, b, c, d, rows;
  bool operator==(const Seen&) const = default;
};
inline void PrintTo(const Seen& seen, std::ostream* out) {
  *out << fmt::format("A:{} B:{} C:{} D:{} rows:{}", seen.a, seen.b, seen.c, seen.d, seen.rows);
}
inline std::string rows_of(const std::string& by, int rows) {
  std::string all;
  for (int i = 0; i < rows; ++i) all += by;
  return fmt::format("{} of {}, found {}, beside 1", all, by, all);
}
inline const Seen kOld{"s", "s", "-", "s", rows_of("s", 2)}, kNew{"v", "v", "v", "-", rows_of("v", 3)},
    kOthers{"w", "w", "w", "w", rows_of("w", 4)};

inline Result<std::string> writer_of(Store& store, const std::string& collection, const std::string& id) {
  FindOptions options;
  options.filter = {{"_id", id_value(id)}};
  MAEIL_ASSIGN(const auto found, store.find(collection, options));
  if (found.size() > 1) return std::string("twice");
  return found.empty() ? "-" : found[0].value("by", "?");
}

// The rows as rows, their constants, the same as documents, and how many documents beside them are no rows.
inline Result<std::string> writer_of_rows(Store& store) {
  std::string read, found;
  MAEIL_TRY(store.read_rows(kRows, "p", {"by"}, [&](const RowChunk& chunk) -> Status {
    for (const auto& one : std::get<std::vector<std::string>>(chunk[0].values)) read += one;
    return {};
  }));
  MAEIL_ASSIGN(const Document constants, store.row_constants(kRows, "p"));
  FindOptions options;
  MAEIL_ASSIGN(const auto documents, store.find(kRows, options));
  options.rows = false;
  MAEIL_ASSIGN(const auto plain, store.find(kRows, options));
  for (const auto& one : documents) found += one.value("by", "");
  return fmt::format("{} of {}, found {}, beside {}", read, constants.value("of", "?"), found, plain.size());
}

inline Result<Seen> look(Store& store) {
  Seen seen;
  MAEIL_ASSIGN(seen.a, writer_of(store, kRuns, kA));
  MAEIL_ASSIGN(seen.b, writer_of(store, kModels, kB));
  MAEIL_ASSIGN(seen.c, writer_of(store, kAlerts, kC));
  MAEIL_ASSIGN(seen.d, writer_of(store, kModels, kD));
  MAEIL_ASSIGN(seen.rows, writer_of_rows(store));
  return seen;
}

inline Document document(const std::string& id, const std::string& by) {
  return {{"_id", id_value(id)}, {"by", by}};
}

// Rows of a writer, ready to be published, in a batch that expects A as it was left by `after`.
inline Result<Batch> begin_batch(Store& store, const std::string& by, int rows, const std::string& after) {
  MAEIL_ASSIGN(const auto writer, store.write_rows(kRows, "p", {{"of", by}}));
  for (int i = 0; i < rows; ++i) {
    MAEIL_TRY(writer->append({{"by", std::vector<std::string>{by}}, {"n", std::vector<int64_t>{i}}}));
  }
  MAEIL_ASSIGN(const std::string generation, writer->finish());
  Batch batch;
  if (!after.empty()) batch.expects.push_back({kRuns, kA, {{"by", after}}});
  batch.publishes.push_back({kRows, "p", generation});
  return batch;
}

inline Status make_base(Store& store) {
  MAEIL_ASSIGN(Batch batch, begin_batch(store, "s", 2, ""));
  batch.puts = {{kRuns, document(kA, "s")},
                {kModels, document(kB, "s")},
                {kModels, document(kD, "s")},
                {kRows, document(kPlain, "")}};
  return store.commit(batch);
}

// kNew of kOld.
inline Status victims_batch(Store& store) {
  MAEIL_ASSIGN(Batch batch, begin_batch(store, "v", 3, "s"));
  batch.puts = {{kAlerts, document(kC, "v")}};
  batch.sets = {{kRuns, kA, {{"by", "v"}}}, {kModels, kB, {{"by", "v"}}}};
  batch.erases = {{kModels, kD}};
  return store.commit(batch);
}

// kOthers of anything.
inline Status others_batch(Store& store, const std::string& after, bool touches_all) {
  MAEIL_ASSIGN(Batch batch, begin_batch(store, "w", 4, after));
  if (touches_all) batch.puts = {{kAlerts, document(kC, "w")}, {kModels, document(kD, "w")}};
  batch.sets = {{kRuns, kA, {{"by", "w"}}}, {kModels, kB, {{"by", "w"}}}};
  return store.commit(batch);
}

}  // namespace maeil::store
