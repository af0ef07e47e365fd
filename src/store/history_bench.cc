// What maeil asks of a long history: a store with many runs, ten task records and one log for each, made
// once, then timed find by find.
//
// MAEIL_HISTORY_RUNS is the number of runs (100000: a million records); MAEIL_HISTORY_URI names a MongoDB
// server instead of SQLite in a temporary folder. Each benchmark verifies its answer.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <cstdlib>

#include "store/mongo/mongo_store.h"
#include "store/sqlite/sqlite_store.h"
#include "store/test_support.h"

namespace maeil::store {
namespace {

constexpr int kTasks = 10;

template <class T>
T must(Result<T> result) {
  if (!result) {
    std::fprintf(stderr, "%s\n", result.error().message.c_str());
    std::abort();
  }
  return std::move(*result);
}

std::string id_of(int64_t n) { return fmt::format("{:08x}{:016x}", (n * 2654435761) & 0xffffffff, n); }

class History {
 public:
  static History& shared() {
    static History one;
    return one;
  }
  int64_t runs() const { return runs_; }
  Store& store() { return *store_; }
  // Ten runs a date, each of a DAG of its own.
  std::string date(int64_t run) const { return format_date(Days(std::chrono::days(10000 + run / 10))); }
  std::string run_id(int64_t run) const { return fmt::format("scheduled__{}_{}", date(run), run % 10); }
  static std::string dag(int64_t run) { return fmt::format("dag_{}", run % 10); }
  static std::string record_id(int64_t run, int64_t task) { return id_of(run * kTasks + task); }

 private:
  History() {
    if (const char* runs = std::getenv("MAEIL_HISTORY_RUNS")) runs_ = std::atoll(runs);
    const char* uri = std::getenv("MAEIL_HISTORY_URI");
    store_ = uri ? must(open_mongo(uri, fmt::format("history_{}", ::getpid())))
                 : must(open_sqlite(folder_ / "maeil.db"));
    Batch batch;
    for (int64_t run = 0; run < runs_; ++run) {
      const Instant start{
          std::chrono::milliseconds((10000 + run / 10) * INT64_C(86400000) + run % 10 * 60000)};
      batch.puts.push_back({"dag_runs",
                            {{"_id", id_value(id_of(run))},
                             {"run_id", run_id(run)},
                             {"dag_id", dag(run)},
                             {"logical_date", date(run)},
                             {"state", run % 50 == 7 ? "failed" : "success"},
                             {"start_date", date_value(start)}}});
      for (int task = 0; task < kTasks; ++task) {
        batch.puts.push_back(
            {"task_instances",
             {{"_id", id_value(record_id(run, task))},
              {"run_id", run_id(run)},
              {"dag_id", dag(run)},
              {"task_id", fmt::format("task_{}", task)},
              {"logical_date", date(run)},
              {"state", "success"},
              {"start_date", date_value(start)},
              {"result", {{"rows", 10000}, {"f1", 0.8134}, {"message", std::string(200, 'x')}}}}});
      }
      batch.puts.push_back({"task_logs",
                            {{"_id", id_value(id_of(run))},
                             {"run_id", run_id(run)},
                             {"task_id", "task_1"},
                             {"logical_date", date(run)},
                             {"timestamp", date_value(start)},
                             {"lines", Document::array({"begun", "done"})}}});
      if (batch.puts.size() < 10000 && run + 1 < runs_) continue;
      if (const Status done = store_->commit(batch); !done) {
        std::fprintf(stderr, "%s\n", done.error().message.c_str());
        std::abort();
      }
      batch.puts.clear();
    }
  }

  int64_t runs_ = 100000;
  TempFolder folder_;
  std::unique_ptr<Store> store_;
};

void time_find(benchmark::State& state, const char* collection, const FindOptions& options, size_t expected) {
  History::shared();  // made outside the time
  size_t found = 0;
  for (auto _ : state) found = must(History::shared().store().find(collection, options)).size();
  if (found != expected) state.SkipWithError("wrong number of documents");
  state.counters["runs"] = static_cast<double>(History::shared().runs());
}

void BM_NewestRuns(benchmark::State& state) {
  FindOptions options;
  options.sort = {{"start_date", -1}};
  options.limit = 20;
  time_find(state, "dag_runs", options, 20);
}
BENCHMARK(BM_NewestRuns)->Unit(benchmark::kMillisecond);

void BM_FailedRunsOfARange(benchmark::State& state) {
  const History& history = History::shared();
  FindOptions options;
  options.filter = {{"state", "failed"}, {"logical_date", {{"$gte", history.date(history.runs() / 2)}}}};
  options.sort = {{"start_date", -1}};
  options.limit = 20;
  time_find(state, "dag_runs", options, std::min<size_t>(20, static_cast<size_t>(history.runs() / 100)));
}
BENCHMARK(BM_FailedRunsOfARange)->Unit(benchmark::kMillisecond);

void BM_RecordsOfADateAndDag(benchmark::State& state) {
  const History& history = History::shared();
  FindOptions options;
  options.filter = {{"logical_date", history.date(history.runs() / 2)},
                    {"dag_id", history.dag(history.runs() / 2)}};
  time_find(state, "task_instances", options, kTasks);
}
BENCHMARK(BM_RecordsOfADateAndDag)->Unit(benchmark::kMillisecond);

void BM_RecordsOfARun(benchmark::State& state) {
  const History& history = History::shared();
  FindOptions options;
  options.filter = {{"run_id", history.run_id(history.runs() / 3)}};
  time_find(state, "task_instances", options, kTasks);
}
BENCHMARK(BM_RecordsOfARun)->Unit(benchmark::kMillisecond);

void BM_OneRecord(benchmark::State& state) {
  FindOptions options;
  options.filter = {{"_id", id_value(History::record_id(History::shared().runs() / 3, 3))}};
  time_find(state, "task_instances", options, 1);
}
BENCHMARK(BM_OneRecord)->Unit(benchmark::kMillisecond);

void BM_LogsOfARun(benchmark::State& state) {
  const History& history = History::shared();
  FindOptions options;
  options.filter = {{"run_id", history.run_id(history.runs() / 3)}};
  options.sort = {{"timestamp", 1}};
  time_find(state, "task_logs", options, 1);
}
BENCHMARK(BM_LogsOfARun)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace maeil::store
