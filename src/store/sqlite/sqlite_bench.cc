// The embedded store with a day's data: 10,000 prepared rows of 142 columns, a raw file of 40 MB, and small
// batches.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <cstdlib>

#include "store/sqlite/sqlite_store.h"
#include "store/test_support.h"

namespace maeil::store {
namespace {

template <class T>
T must(Result<T> result) {
  if (!result) std::abort();
  return std::move(*result);
}

RowChunk chunk(int64_t rows) {
  RowChunk columns;
  for (int c = 0; c < 83; ++c) {
    std::vector<int64_t> codes(static_cast<size_t>(rows));
    for (int64_t r = 0; r < rows; ++r) codes[static_cast<size_t>(r)] = (r * 31 + c) % (c % 5 == 0 ? 300 : 12);
    columns.push_back({fmt::format("category_{}", c), std::move(codes)});
  }
  for (int c = 0; c < 59; ++c) {
    std::vector<double> numbers(static_cast<size_t>(rows));
    for (int64_t r = 0; r < rows; ++r) numbers[static_cast<size_t>(r)] = 0.001 * static_cast<double>(r * c);
    columns.push_back({fmt::format("number_{}", c), std::move(numbers)});
  }
  return columns;
}

void publish(Store& store, const RowChunk& rows) {
  auto writer =
      must(store.write_rows("processed_data", "p", {{"logical_date", "2026-11-23"}, {"run_id", "r"}}));
  if (!writer->append(rows)) std::abort();
  Batch batch;
  batch.publishes.push_back({"processed_data", "p", must(writer->finish())});
  if (!store.commit(batch)) std::abort();
}

void BM_PublishRows(benchmark::State& state) {
  TempFolder folder;
  auto store = must(open_sqlite(folder / "maeil.db"));
  const RowChunk rows = chunk(state.range(0));
  for (auto _ : state) publish(*store, rows);
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_PublishRows)->Arg(10000)->Arg(100000)->Unit(benchmark::kMillisecond);

void BM_FindRows(benchmark::State& state) {
  TempFolder folder;
  auto store = must(open_sqlite(folder / "maeil.db"));
  publish(*store, chunk(10000));
  FindOptions options;
  options.limit = state.range(0);
  size_t found = 0;
  for (auto _ : state) found = must(store->find("processed_data", options)).size();
  if (found != static_cast<size_t>(state.range(0) ? state.range(0) : 10000))
    state.SkipWithError("wrong number of rows");
}
BENCHMARK(BM_FindRows)->Arg(5)->Arg(0)->Unit(benchmark::kMillisecond);

void BM_ReadRows(benchmark::State& state) {
  TempFolder folder;
  auto store = must(open_sqlite(folder / "maeil.db"));
  publish(*store, chunk(10000));
  for (auto _ : state) {
    if (!store->read_rows("processed_data", "p", {}, [](const RowChunk&) { return Status{}; })) std::abort();
  }
}
BENCHMARK(BM_ReadRows)->Unit(benchmark::kMillisecond);

void BM_WriteAndReadBlob(benchmark::State& state) {
  TempFolder folder;
  auto store = must(open_sqlite(folder / "maeil.db"));
  const std::string bytes(40'000'000, 'x');
  for (auto _ : state) {
    auto writer = must(store->write_blob("raw.csv", Document::object()));
    if (!writer->write(bytes)) std::abort();
    const std::string id = must(writer->finish());
    if (must(store->read_whole_blob(id, bytes.size())) != bytes) state.SkipWithError("the bytes differ");
    if (!store->erase_blob(id)) std::abort();
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(bytes.size()));
}
BENCHMARK(BM_WriteAndReadBlob)->Unit(benchmark::kMillisecond);

void BM_SmallBatch(benchmark::State& state) {
  TempFolder folder;
  auto store = must(open_sqlite(folder / "maeil.db"));
  int n = 0;
  for (auto _ : state) {
    Batch batch;
    batch.puts.push_back(
        {"events", {{"_id", id_value(fmt::format("{:024x}", n++))}, {"status", "approved"}}});
    if (!store->commit(batch)) std::abort();
  }
}
BENCHMARK(BM_SmallBatch)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace maeil::store
