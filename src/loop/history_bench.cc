// What maeil asks of a long history: MAEIL_HISTORY_RUNS runs (100000), ten a date, each with ten task records
// and one log, and for each date a model version, its name, a verdict, a request and an entry of the audit
// log. Timed: the listings of `maeil runs` and `maeil logs`, what a task asks when it begins, and a whole
// task that does nothing, its commits included. Each benchmark verifies its answer: with less than 2000 runs
// the listings of 20 failed ones find fewer, and say so.
//
// The store is SQLite in a temporary folder (TMPDIR), or the file MAEIL_HISTORY_STORE, which is kept and used
// again, or the MongoDB server MAEIL_HISTORY_URI. dag_runs and `migrations` are as list_old_task_runs leaves
// them: before it has run once, `maeil runs` reads all records.
#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "dag/dag_run.h"
#include "dag/execute.h"
#include "dag/old_task_runs.h"
#include "dag/run_list.h"
#include "dag/task_log.h"
#include "dag/task_runs.h"
#include "loop/day_request.h"
#include "loop/verdict_record.h"
#include "registry/audit.h"
#include "registry/version_names.h"
#include "registry/versions.h"
#include "store/mongo/mongo_store.h"
#include "store/sqlite/sqlite_store.h"
#include "store/test_support.h"

namespace maeil::loop {
namespace {

using store::Document;

constexpr int kTasks = 10, kDags = 10;
constexpr size_t kBatch = 50000;  // documents of one commit

void must(const Status& done) {
  if (done) return;
  std::fprintf(stderr, "%s\n", done.error().message.c_str());
  std::abort();
}

template <class T>
T must(Result<T> result) {
  if (!result) must(Status(tl::make_unexpected(result.error())));
  return std::move(*result);
}

class History {
 public:
  static History& shared() {
    static History one;
    return one;
  }
  int64_t runs() const { return runs_; }
  int64_t dates() const { return (runs_ + kDags - 1) / kDags; }
  store::Store& store() { return *store_; }

  static Days day(int64_t n) { return Days(std::chrono::days(10000 + n)); }
  static Instant start_of(int64_t run) {
    return Instant(
        std::chrono::milliseconds((10000 + run / kDags) * INT64_C(86400000) + run % kDags * 60000));
  }
  static Days date_of(int64_t run) { return day(run / kDags); }
  static std::string dag_of(int64_t run) { return fmt::format("dag_{}", run % kDags); }
  static std::string run_id(int64_t run) {
    return fmt::format("scheduled__{}_{}", format_date(date_of(run)), run % kDags);
  }
  static std::string task(int n) { return fmt::format("task_{}", n); }
  static std::string version_name(int64_t date) { return format_version(start_of(date * kDags)); }
  static std::string version_id(int64_t date) {
    return store::task_object_id(version_name(date), "version", 0);
  }

 private:
  History() {
    if (const char* runs = std::getenv("MAEIL_HISTORY_RUNS")) runs_ = std::atoll(runs);
    const char* uri = std::getenv("MAEIL_HISTORY_URI");
    const char* file = std::getenv("MAEIL_HISTORY_STORE");
    store_ = uri ? must(store::open_mongo(uri, fmt::format("history_{}", ::getpid())))
                 : must(store::open_sqlite(file ? std::filesystem::path(file) : folder_ / "maeil.db"));
    store::FindOptions first;
    first.limit = 1;
    if (!must(store_->find_one("migrations", first)).is_null()) return;  // kept by an earlier run
    const auto begun = std::chrono::steady_clock::now();
    for (int64_t run = 0; run < runs_; ++run) {
      add_run(run);
      if (run % kDags == 0) add_date(run / kDags);
      if (batch_.puts.size() >= kBatch) commit();
    }
    commit();
    must(dag::list_old_task_runs(*store_, {}));
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begun;
    std::fprintf(stderr, "%lld documents written in %.1f s to %s\n", static_cast<long long>(documents_),
                 taken.count(), store_->description().c_str());
  }

  void put(const char* collection, Document document) {
    batch_.puts.push_back({collection, std::move(document)});
  }

  void commit() {
    must(store_->commit(batch_));
    documents_ += batch_.puts.size();
    batch_.puts.clear();
  }

  void add_run(int64_t run) {
    const Instant start = start_of(run);
    const std::string date = format_date(date_of(run)), dag_id = dag_of(run), id = run_id(run);
    const std::string key = store::make_task_key(date_of(run), dag_id, id);
    put(dag::kDagRuns, {{"_id", store::id_value(store::task_object_id(key, dag::kDagRuns, 0))},
                        {"logical_date", date},
                        {"dag_id", dag_id},
                        {"run_id", id},
                        {"run_type", "scheduled"},
                        {"state", run % 50 == 7 ? "failed" : "success"},
                        {"start_date", store::date_value(start)},
                        {"end_date", store::date_value(start + std::chrono::seconds(50))},
                        {"duration", 50.0},
                        {"message", ""},
                        {"timestamp", store::date_value(start)}});
    for (int n = 0; n < kTasks; ++n) {
      dag::TaskRecord record;
      record.task_id = task(n);
      record.state = dag::TaskState::kSuccess;
      record.try_number = record.completions = 1;
      record.run_id = id;
      record.try_id = store::task_object_id(id, "try", n);
      record.start = start + std::chrono::seconds(5 * n);
      record.end = *record.start + std::chrono::seconds(5);
      record.message = "10000 rows";
      record.result = {{"rows", 10000}, {"f1", 0.8134}, {"note", std::string(200, 'x')}};
      const dag::TaskName name{date_of(run), dag_id, record.task_id};
      Document fields = dag::record_fields(name, record);
      fields["_id"] = store::id_value(dag::record_id(name));
      put(dag::kTaskInstances, std::move(fields));
    }
    put(dag::kTaskLogs, {{"_id", store::id_value(store::task_object_id(id, dag::kTaskLogs, 0))},
                         {"run_id", id},
                         {"dag_id", dag_id},
                         {"task_id", task(1)},
                         {"logical_date", date},
                         {"timestamp", store::date_value(start)},
                         {"lines", Document::array({"begun", "done"})}});
  }

  void add_date(int64_t n) {
    const Instant at = start_of(n * kDags);
    const std::string date = format_date(day(n)), name = version_name(n);
    registry::NewVersion version;
    version.id = version_id(n);
    version.model_name = registry::kClassifier;
    version.version = name;
    version.sha256 = std::string(64, 'a');
    version.file_id = version.id;
    version.metrics = {{"f1", 0.8}};
    Document model = registry::make_version_document(version, at);
    model["status"] = n == dates() / 2 ? "deployed" : n % 3 == 0 ? "rejected" : "retired";
    put(registry::kCollection, std::move(model));
    put("version_names", {{"_id", store::id_value(store::task_object_id(name, "version_names", 0))},
                          {"model_version", name},
                          {"taken_by", fmt::format("training of {}", date)},
                          {"timestamp", store::date_value(at)}});
    put("evaluation_events", {{"_id", store::id_value(store::task_object_id(date, "evaluation_events", 0))},
                              {"logical_date", date},
                              {"task_key", store::make_task_key(day(n), "evaluation", "evaluate")},
                              {"timestamp", store::date_value(at)}});
    put("day_requests", {{"_id", store::id_value(store::task_object_id(date, "day_requests", 0))},
                         {"logical_date", date},
                         {"number", 1},
                         {"rows", 10000},
                         {"scenario", "calm"},
                         {"timestamp", store::date_value(at)}});
    auto entry = registry::audit_entry(
        {n % 100 == 0 ? "settings" : "deploy", name, nullptr, name, run_id(n * kDags)}, at);
    batch_.puts.push_back(std::move(entry));
  }

  int64_t runs_ = 100000;
  size_t documents_ = 0;
  store::TempFolder folder_;
  std::unique_ptr<store::Store> store_;
  store::Batch batch_;
};

// `ask` says whether its answer is right.
template <class Ask>
void time(benchmark::State& state, const Ask& ask) {
  History& history = History::shared();  // made outside the time
  bool right = true;
  for (auto _ : state) right = ask(history) && right;
  if (!right) state.SkipWithError("a wrong answer");
  state.counters["runs"] = static_cast<double>(history.runs());
}

void list(benchmark::State& state, const dag::RunQuery& query, size_t expected) {
  time(state, [&](History& history) {
    return must(dag::list_runs(history.store(), {}, query)).runs.size() == expected;
  });
}

void find(benchmark::State& state, const char* collection, const store::FindOptions& options,
          size_t expected) {
  time(state,
       [&](History& history) { return must(history.store().find(collection, options)).size() == expected; });
}

dag::RunQuery between(int64_t from, int64_t to) {
  return {.from = History::day(from), .to = History::day(to), .limit = 20};
}

#define MAEIL_BENCHMARK(name) BENCHMARK(name)->Unit(benchmark::kMillisecond)

void BM_NewestRuns(benchmark::State& state) { list(state, {.limit = 20}, 20); }
MAEIL_BENCHMARK(BM_NewestRuns);

void BM_NewestFailedRuns(benchmark::State& state) { list(state, {.state = "failed", .limit = 20}, 20); }
MAEIL_BENCHMARK(BM_NewestFailedRuns);

void BM_RunsOfAnOldMonth(benchmark::State& state) { list(state, between(10, 40), 20); }
MAEIL_BENCHMARK(BM_RunsOfAnOldMonth);

void BM_RunsOfTheOlderHalf(benchmark::State& state) {
  list(state, between(0, History::shared().dates() / 2), 20);
}
MAEIL_BENCHMARK(BM_RunsOfTheOlderHalf);

void BM_FailedRunsOfTheOlderHalf(benchmark::State& state) {
  dag::RunQuery query = between(0, History::shared().dates() / 2);
  query.state = "failed";
  list(state, query, 20);
}
MAEIL_BENCHMARK(BM_FailedRunsOfTheOlderHalf);

void BM_RecordsOfADate(benchmark::State& state) {
  time(state, [](History& history) {
    const int64_t run = history.runs() / 2;
    return must(dag::read_records(history.store(), history.date_of(run), history.dag_of(run))).size() ==
           kTasks;
  });
}
MAEIL_BENCHMARK(BM_RecordsOfADate);

void BM_RecordsOfARun(benchmark::State& state) {
  find(state, dag::kTaskInstances, {.filter = {{"run_id", History::run_id(History::shared().runs() / 3)}}},
       kTasks);
}
MAEIL_BENCHMARK(BM_RecordsOfARun);

void BM_LogsOfARun(benchmark::State& state) {
  find(state, dag::kTaskLogs,
       {.filter = {{"run_id", History::run_id(History::shared().runs() / 3)}}, .sort = {{"timestamp", 1}}},
       1);
}
MAEIL_BENCHMARK(BM_LogsOfARun);

void BM_OneRecord(benchmark::State& state) {
  time(state, [](History& history) {
    const int64_t run = history.runs() / 3;
    return must(dag::read_record(history.store(), {history.date_of(run), history.dag_of(run), "task_3"}))
        .has_value();
  });
}
MAEIL_BENCHMARK(BM_OneRecord);

void BM_FirstDate(benchmark::State& state) {
  time(state, [](History& history) { return must(dag::first_date(history.store())) == history.day(0); });
}
MAEIL_BENCHMARK(BM_FirstDate);

void BM_LastSettings(benchmark::State& state) {
  find(state, registry::kAuditLog, {.filter = {{"act", "settings"}}, .sort = {{"timestamp", -1}}, .limit = 1},
       1);
}
MAEIL_BENCHMARK(BM_LastSettings);

void BM_RequestOfADate(benchmark::State& state) {
  time(state, [](History& history) {
    return must(begun_as(history.store(), history.day(history.dates() / 2))).has_value();
  });
}
MAEIL_BENCHMARK(BM_RequestOfADate);

void BM_NewestVerdict(benchmark::State& state) {
  time(state, [](History& history) {
    return must(newest_verdict(history.store())) == history.day(history.dates() - 1);
  });
}
MAEIL_BENCHMARK(BM_NewestVerdict);

void BM_OneVersion(benchmark::State& state) {
  time(state, [](History& history) {
    const int64_t date = history.dates() / 3;
    return must(registry::find_version(history.store(), history.version_name(date))).id ==
               history.version_id(date) &&
           must(registry::find_version(history.store(), history.version_id(date))).version ==
               history.version_name(date);
  });
}
MAEIL_BENCHMARK(BM_OneVersion);

void BM_DeployedVersion(benchmark::State& state) {
  time(state, [](History& history) {
    const auto found = must(registry::deployed_version(history.store()));
    return found && found->id == history.version_id(history.dates() / 2);
  });
}
MAEIL_BENCHMARK(BM_DeployedVersion);

void BM_ModelInForce(benchmark::State& state) {
  time(state, [](History& history) { return must(registry::model_in_force(history.store())).has_value(); });
}
MAEIL_BENCHMARK(BM_ModelInForce);

void BM_ANewVersionsName(benchmark::State& state) {
  int n = 0;
  time(state, [&](History& history) {
    const std::string owner = fmt::format("{} {}", ::getpid(), n++);
    return !must(registry::take_version_name(history.store(), owner, now() + std::chrono::hours(n))).empty();
  });
}
MAEIL_BENCHMARK(BM_ANewVersionsName);

// A task that does nothing, from its start to its end: a date's only one, of a run of its own.
void BM_AWholeTask(benchmark::State& state) {
  const dag::DagSpec dag{"bench", "", {{.id = "nothing"}}};
  const dag::TaskTable table = {{{"bench", "nothing"}, [](dag::TaskContext&) -> Result<dag::TaskOutcome> {
                                   return dag::TaskOutcome();
                                 }}};
  int64_t n = 0;
  time(state, [&](History& history) {
    dag::RunOptions options;
    options.run_id = fmt::format("bench__{}_{}", ::getpid(), n);
    const Days date = history.day(history.dates() + n++);
    must(dag::note_task_begins(history.store(), dag.id, date, options.run_id, nullptr));
    const auto record = must(dag::execute_task(history.store(), dag, table, date, "nothing", options, false));
    must(dag::note_task_ended(history.store(), dag, date, options.run_id));
    return record.state == dag::TaskState::kSuccess;
  });
}
MAEIL_BENCHMARK(BM_AWholeTask);

}  // namespace
}  // namespace maeil::loop
