// Storing a day on a MongoDB server against a plain loop over the driver: processor time of this process and
// wall time.
//
//   MAEIL_MONGO_URI=mongodb://127.0.0.1:27017/bench build/release/store_bench --benchmark_filter=Mongo
//
// Every run writes majority and journaled, reads back what it wrote and compares.
// benchmarks/peers/mongo_speed.py starts servers, runs this and the Python peers beside it.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <cstdlib>

#include "base/hash.h"
#include "store/mongo/driver.h"
#include "store/mongo/mongo_store.h"

namespace maeil::store::mongo {
namespace {

constexpr int64_t kRows = 10'000;
constexpr int kCodes = 83, kNumbers = 59;
constexpr size_t kCsvBytes = 100 << 20;

std::string bench_uri() {
  const char* uri = std::getenv("MAEIL_MONGO_URI");
  return uri ? uri : "";
}

template <class T>
T must(Result<T> result) {
  if (!result) std::fprintf(stderr, "%s\n", result.error().message.c_str()), std::abort();
  return std::move(*result);
}
void must(const Status& status) {
  if (!status) std::fprintf(stderr, "%s\n", status.error().message.c_str()), std::abort();
}

std::string column_name(int c) {
  return c < kCodes ? fmt::format("category_{:03d}", c) : fmt::format("number_{:03d}", c);
}

RowChunk make_rows() {
  RowChunk chunk;
  for (int c = 0; c < kCodes; ++c) {
    std::vector<int64_t> values(kRows);
    for (int64_t i = 0; i < kRows; ++i) values[i] = (i * (c + 7)) % 97;
    chunk.push_back({column_name(c), std::move(values)});
  }
  for (int c = 0; c < kNumbers; ++c) {
    std::vector<double> values(kRows);
    for (int64_t i = 0; i < kRows; ++i)
      values[i] = static_cast<double>((i * 7919 + c * 104729) % 100003) / 1000.0 - 50.0;
    chunk.push_back({column_name(kCodes + c), std::move(values)});
  }
  return chunk;
}

void expect_rows(benchmark::State& state, int64_t found) {
  if (found != kRows) state.SkipWithError(fmt::format("{} rows were found", found).c_str());
}

// What a task does: rows written, and published by one batch.
void MongoRows(benchmark::State& state) {
  if (bench_uri().empty()) return state.SkipWithError("MAEIL_MONGO_URI is not set");
  const auto store = must(open_mongo(bench_uri(), ""));
  const RowChunk rows = make_rows();
  static int tries = 0;
  // a new one, as the plain loop drops its own
  const std::string collection = fmt::format("rows_{}", ++tries);
  for (auto _ : state) {
    const auto writer = must(store->write_rows(
        collection, "p", {{"logical_date", "2026-11-23"}, {"timestamp", date_value(now())}}));
    must(writer->append(rows));
    Batch batch;
    batch.publishes.push_back({collection, "p", must(writer->finish())});
    must(store->commit(batch));
  }
  int64_t found = 0;
  must(store->read_rows(collection, "p", {}, [&](const RowChunk& chunk) -> Status {
    return found += static_cast<int64_t>(std::get<0>(chunk[0].values).size()), Status{};
  }));
  expect_rows(state, found);
  must(store->erase_rows(collection, "p"));
}
BENCHMARK(MongoRows)->Unit(benchmark::kMillisecond)->MeasureProcessCPUTime()->UseRealTime()->Iterations(1);

// Reading rows from one on, of the whole day: all of them, the last of ten shards' rows, the last row.
void MongoReadRows(benchmark::State& state) {
  if (bench_uri().empty()) return state.SkipWithError("MAEIL_MONGO_URI is not set");
  const auto store = must(open_mongo(bench_uri(), ""));
  const auto writer = must(store->write_rows("rows_read", "p"));
  must(writer->append(make_rows()));
  Batch batch;
  batch.publishes.push_back({"rows_read", "p", must(writer->finish())});
  must(store->commit(batch));
  const auto first = static_cast<uint64_t>(state.range(0));
  int64_t found = 0;
  for (auto _ : state) {
    found = state.range(0);
    must(store->read_rows("rows_read", "p", {},
                          [&](const RowChunk& chunk) -> Status {
                            return found += static_cast<int64_t>(std::get<0>(chunk[0].values).size()),
                                   Status{};
                          },
                          {first, UINT64_MAX}));
  }
  expect_rows(state, found);
  must(store->erase_rows("rows_read", "p"));
}
BENCHMARK(MongoReadRows)
    ->Arg(0)
    ->Arg(kRows * 9 / 10)
    ->Arg(kRows - 1)
    ->Unit(benchmark::kMillisecond)
    ->MeasureProcessCPUTime()
    ->UseRealTime()
    ->Iterations(3);

struct Plain {
  Plain() {
    must(load_driver());
    client = mongoc_client_new(bench_uri().c_str());
    mongoc_write_concern_t* concern = mongoc_write_concern_new();
    mongoc_write_concern_set_wmajority(concern, 30'000);
    mongoc_write_concern_set_journal(concern, true);
    mongoc_client_set_write_concern(client, concern);
    mongoc_write_concern_destroy(concern);
  }
  ~Plain() { mongoc_client_destroy(client); }
  mongoc_client_t* client = nullptr;
};

// The same rows by the book: bson_append for each cell, bulk operations of 1,000.
void MongoRowsPlainDriver(benchmark::State& state) {
  if (bench_uri().empty()) return state.SkipWithError("MAEIL_MONGO_URI is not set");
  const RowChunk rows = make_rows();
  Plain plain;
  mongoc_collection_t* to = mongoc_client_get_collection(plain.client, "bench_plain", "rows");
  bson_error_t error;
  for (auto _ : state) {
    state.PauseTiming();
    mongoc_collection_drop(to, nullptr);
    state.ResumeTiming();
    for (int64_t first = 0; first < kRows; first += 1000) {
      mongoc_bulk_operation_t* bulk = mongoc_collection_create_bulk_operation_with_opts(to, nullptr);
      for (int64_t i = first; i < first + 1000; ++i) {
        bson_t document = BSON_INITIALIZER;
        bson_oid_t id;
        bson_oid_init(&id, nullptr);
        BSON_APPEND_OID(&document, "_id", &id);
        BSON_APPEND_UTF8(&document, "logical_date", "2026-11-23");
        BSON_APPEND_DATE_TIME(&document, "timestamp", 0);
        for (const auto& column : rows) {
          if (const auto* codes = std::get_if<std::vector<int64_t>>(&column.values))
            BSON_APPEND_INT32(&document, column.name.c_str(), static_cast<int32_t>((*codes)[i]));
          else
            BSON_APPEND_DOUBLE(&document, column.name.c_str(),
                               std::get<std::vector<double>>(column.values)[i]);
        }
        mongoc_bulk_operation_insert(bulk, &document);
        bson_destroy(&document);
      }
      if (!mongoc_bulk_operation_execute(bulk, nullptr, &error)) state.SkipWithError(error.message);
      mongoc_bulk_operation_destroy(bulk);
    }
  }
  bson_t all = BSON_INITIALIZER;
  expect_rows(state, mongoc_collection_count_documents(to, &all, nullptr, nullptr, nullptr, &error));
  mongoc_collection_drop(to, nullptr);
  mongoc_collection_destroy(to);
}
BENCHMARK(MongoRowsPlainDriver)
    ->Unit(benchmark::kMillisecond)
    ->MeasureProcessCPUTime()
    ->UseRealTime()
    ->Iterations(1);

const std::string& csv() {
  static const std::string bytes = [] {
    std::string out(kCsvBytes, '0');
    uint64_t state = 1;
    for (char& c : out)
      c = static_cast<char>('0' + ((state = state * 6364136223846793005u + 1442695040888963407u) >> 60));
    return out;
  }();
  return bytes;
}

void MongoBlobUp(benchmark::State& state) {
  if (bench_uri().empty()) return state.SkipWithError("MAEIL_MONGO_URI is not set");
  const auto store = must(open_mongo(bench_uri(), ""));
  std::string id;
  for (auto _ : state) {
    const auto writer = must(store->write_blob("raw.csv", Document::object()));
    for (size_t at = 0; at < csv().size(); at += 1 << 20)
      must(writer->write(std::string_view(csv()).substr(at, 1 << 20)));
    id = must(writer->finish());
    state.PauseTiming();
    if (must(store->blob_info(id)).sha256 != sha256_hex(csv())) state.SkipWithError("other bytes");
    must(store->erase_blob(id));
    state.ResumeTiming();
  }
}
BENCHMARK(MongoBlobUp)->Unit(benchmark::kMillisecond)->MeasureProcessCPUTime()->UseRealTime()->Iterations(1);

void MongoBlobDown(benchmark::State& state) {
  if (bench_uri().empty()) return state.SkipWithError("MAEIL_MONGO_URI is not set");
  const auto store = must(open_mongo(bench_uri(), ""));
  const auto writer = must(store->write_blob("raw.csv", Document::object()));
  must(writer->write(csv()));
  const std::string id = must(writer->finish());
  for (auto _ : state) {
    size_t bytes = 0;
    must(store->read_blob(id,
                          [&](std::string_view piece) -> Status { return bytes += piece.size(), Status{}; }));
    if (bytes != csv().size()) state.SkipWithError("other bytes");
  }
  must(store->erase_blob(id));
}
BENCHMARK(MongoBlobDown)
    ->Unit(benchmark::kMillisecond)
    ->MeasureProcessCPUTime()
    ->UseRealTime()
    ->Iterations(1);

void MongoBlobPlainDriver(benchmark::State& state) {
  if (bench_uri().empty()) return state.SkipWithError("MAEIL_MONGO_URI is not set");
  const bool up = state.range(0) == 1;
  Plain plain;
  mongoc_database_t* database = mongoc_client_get_database(plain.client, "bench_plain");
  mongoc_database_drop(database, nullptr);
  mongoc_gridfs_bucket_t* bucket = mongoc_gridfs_bucket_new(database, nullptr, nullptr, nullptr);
  bson_error_t error;
  bson_value_t id{};
  const auto upload = [&] {
    mongoc_stream_t* stream =
        mongoc_gridfs_bucket_open_upload_stream(bucket, "raw.csv", nullptr, &id, &error);
    for (size_t at = 0; at < csv().size(); at += 1 << 20) {
      mongoc_stream_write(stream, const_cast<char*>(csv().data()) + at,
                          std::min<size_t>(1 << 20, csv().size() - at), 0);
    }
    mongoc_stream_destroy(stream);
  };
  if (!up) upload();
  std::string buffer(1 << 20, '\0');
  for (auto _ : state) {
    if (up) {
      upload();
      continue;
    }
    mongoc_stream_t* stream = mongoc_gridfs_bucket_open_download_stream(bucket, &id, &error);
    size_t bytes = 0;
    Sha256 hash;
    for (ssize_t n; (n = mongoc_stream_read(stream, buffer.data(), buffer.size(), 0, 0)) > 0;) {
      bytes += static_cast<size_t>(n);
      if (state.range(1)) hash.update(std::string_view(buffer).substr(0, static_cast<size_t>(n)));
    }
    if (bytes != csv().size()) state.SkipWithError("other bytes");
    mongoc_stream_destroy(stream);
  }
  mongoc_database_drop(database, nullptr);
  mongoc_gridfs_bucket_destroy(bucket);
  mongoc_database_destroy(database);
}
BENCHMARK(MongoBlobPlainDriver)
    ->ArgNames({"up", "sha256"})
    ->Args({1, 0})
    ->Args({0, 0})
    ->Args({0, 1})
    ->Unit(benchmark::kMillisecond)
    ->MeasureProcessCPUTime()
    ->UseRealTime()
    ->Iterations(1);

}  // namespace
}  // namespace maeil::store::mongo
