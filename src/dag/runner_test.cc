// The runner over a day of three small DAGs with branches, a retraining loop and sensors: resumed, killed at
// every point, retried, cancelled, and kept from running twice at a time.
#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <thread>

#include "base/file.h"
#include "dag/task_history.h"
#include "dag/task_log.h"
#include "dag/test_support.h"
#include "store/forwarding_store.h"
#include "store/sqlite/sqlite_store.h"
#include "store/test_must.h"
#include "store/test_support.h"

namespace maeil::dag {
namespace {

using store::Child;
using store::Signpost;
using store::TempFolder;

const Days kDate = parse_date("2026-11-23").value();

TaskSpec task(std::string id, std::vector<std::string> upstream = {}, TaskKind kind = TaskKind::kAction,
              TriggerRule rule = TriggerRule::kAllSuccess) {
  TaskSpec spec;
  spec.id = std::move(id);
  spec.upstream = std::move(upstream);
  spec.kind = kind;
  spec.trigger_rule = rule;
  if (spec.id.starts_with("retrain_")) spec.attempt = spec.id[8] - '0';
  return spec;
}

std::vector<DagSpec> day_dags() {
  return {
      {"data", "", {task("generate"), task("prepare", {"generate"})}},
      {"evaluation",
       "",
       {task("wait_for_data", {}, TaskKind::kSensor), task("evaluate", {"wait_for_data"}),
        task("check", {"evaluate"}, TaskKind::kBranch), task("retrain_1.tune", {"check"}),
        task("retrain_1.judge", {"retrain_1.tune"}, TaskKind::kBranch),
        task("retrain_2.tune", {"retrain_1.judge"}),
        task("retrain_2.judge", {"retrain_2.tune"}, TaskKind::kBranch),
        task("send", {"check", "retrain_1.judge", "retrain_2.judge"}, TaskKind::kAction,
             TriggerRule::kNoneFailedMinOneSuccess),
        task("alert", {"retrain_2.judge"})}},
      {"deployment",
       "",
       {task("wait_for_evaluation", {}, TaskKind::kSensor), task("deploy", {"wait_for_evaluation"})}},
  };
}

// The day's functions. What the day does is set by `passes` (0: the first check, 1 or 2: that attempt, 3:
// none) and `break_task`.
struct Day {
  TempFolder folder;
  int passes = 2;
  std::string break_task;  // "evaluation.evaluate" answers with this error
  Error broken{ErrorCode::kIo, "the disk is full"};
  int broken_tries = 1'000'000;  // how often
  int waits = 0;                 // questions before the data sensor answers
  int kill_at = 0;               // the process dies at this tick; 0: never
  int ticks = 0;
  std::function<void(const std::string&)> inside;

  std::unique_ptr<store::Store> open() { return must(store::open_sqlite(folder / "maeil.db")); }
  void tick() {
    if (++ticks == kill_at) ::kill(::getpid(), SIGKILL);
  }
  // Every call of a function, in a file that survives the process.
  void note(const std::string& line) {
    const int file = ::open((folder / "calls").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
    (void)!::write(file, (line + "\n").data(), line.size() + 1);
    ::close(file);
  }
  std::vector<std::string> calls() {
    std::vector<std::string> lines;
    std::ifstream file(folder / "calls");
    for (std::string line; std::getline(file, line);) lines.push_back(line);
    return lines;
  }

  Result<TaskOutcome> work(TaskContext& context) {
    const std::string name = context.dag_id + "." + context.task_id;
    note(name);
    tick();
    if (inside) inside(name);
    context.log("working on " + name);
    if (name == break_task && broken_tries-- > 0) return tl::unexpected<Error>(broken);
    TaskOutcome out;
    MAEIL_ASSIGN(auto blob, context.store.write_blob(name, store::Document::object()));
    MAEIL_TRY(blob->write(name));
    MAEIL_ASSIGN(const std::string blob_id, blob->finish());
    tick();
    for (int n = 0; n < 2; ++n) {
      out.batch.puts.push_back(
          {"work",
           {{"_id", store::id_value(store::task_object_id(context.task_key(), "work", n))},
            {"name", name},
            {"n", n},
            {"file_id", blob_id},
            {"task_key", context.task_key()}}});
    }
    out.message = "did " + name;
    out.result = {{"attempt", context.attempt}};
    if (context.task_id == "check") out.next = {passes == 0 ? "send" : "retrain_1.tune"};
    if (context.task_id == "retrain_1.judge") out.next = {passes == 1 ? "send" : "retrain_2.tune"};
    if (context.task_id == "retrain_2.judge") out.next = {passes == 2 ? "send" : "alert"};
    if (context.task_id == "wait_for_data" && waits-- > 0) {
      out.state = TaskState::kWaiting;
      out.message = "waiting for data";
    }
    if (context.task_id == "wait_for_evaluation") {
      MAEIL_ASSIGN(const TaskState send,
                   task_state(context.store, context.logical_date, "evaluation", "send"));
      out.state = send == TaskState::kSuccess   ? TaskState::kSuccess
                  : send == TaskState::kSkipped ? TaskState::kSkipped
                                                : TaskState::kFailed;
    }
    tick();
    return out;
  }

  TaskTable table() {
    TaskTable table;
    for (const auto& dag : day_dags()) {
      for (const auto& spec : dag.tasks) {
        const size_t dot = spec.id.find('.');
        table[{dag.id, dot == std::string::npos ? spec.id : spec.id.substr(dot + 1)}] =
            [this](TaskContext& context) { return work(context); };
      }
    }
    return table;
  }
  RunOptions options(const std::string& run_id = "run") {
    RunOptions options;
    options.run_id = run_id;
    options.poke_interval = std::chrono::milliseconds{1};
    options.retry_delay = std::chrono::milliseconds{1};
    options.on_event = [this](const Event& event) {
      if (event.kind != Event::Kind::kTaskKept) tick();
    };
    return options;
  }
  DayResult run(store::Store& store, const std::string& run_id = "run") {
    return must(run_dags(store, day_dags(), table(), kDate, options(run_id)));
  }
};

// "data.generate:success ..." of every record, and the names in `work`.
std::string states(store::Store& store) {
  std::string text;
  for (const auto& dag : day_dags()) {
    const auto records = must(read_records(store, kDate, dag.id));
    for (const auto& spec : dag.tasks) {
      const auto found = records.find(spec.id);
      text += fmt::format("{}.{}:{}\n", dag.id, spec.id,
                          found == records.end() ? "none" : to_string(found->second.state));
    }
  }
  return text;
}
std::vector<std::string> work_done(store::Store& store) {
  std::vector<std::string> names;
  for (const auto& document : must(store.find("work", {}))) {
    names.push_back(fmt::format("{} {}", document["name"].get<std::string>(), document["n"].get<int>()));
    EXPECT_TRUE(store.read_whole_blob(document["file_id"].get<std::string>(), 1000))
        << "a document names a blob that is gone";
  }
  std::ranges::sort(names);
  return names;
}

TEST(Runner, ADayWithTwoAttempts) {
  Day day;
  const auto store = day.open();
  std::string told;
  RunOptions options = day.options();
  options.on_event = [&](const Event& event) {
    if (event.kind == Event::Kind::kTaskFinished)
      told += fmt::format("{}:{} ", event.task_id, to_string(event.state));
  };
  const DayResult result = must(run_dags(*store, day_dags(), day.table(), kDate, options));
  EXPECT_EQ(result.state, TaskState::kSuccess);
  EXPECT_FALSE(result.already_finished);
  EXPECT_EQ(told,
            "generate:success prepare:success wait_for_data:success evaluate:success check:success "
            "retrain_1.tune:success retrain_1.judge:success "
            "retrain_2.tune:success retrain_2.judge:success send:success alert:skipped "
            "wait_for_evaluation:success deploy:success ");
  EXPECT_EQ(day.calls().size(), 12u);

  const auto record = must(read_record(*store, {kDate, "evaluation", "retrain_2.judge"})).value();
  EXPECT_EQ(record.attempt, 2);
  EXPECT_EQ(record.try_number, 1);
  EXPECT_EQ(record.next, std::vector<std::string>{"send"});
  EXPECT_EQ(record.message, "did evaluation.retrain_2.judge");
  EXPECT_EQ(record.result["attempt"], 2);
  EXPECT_TRUE(record.start && record.end && *record.start <= *record.end);
  const auto lines = must(logs(*store, "run", "check"));
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(lines[0]["lines"][0], "working on evaluation.check");
  EXPECT_EQ(must(logs(*store, "run")).size(), 12u);
  EXPECT_EQ(logs(*store, "other").error().code, ErrorCode::kNotFound);
  const auto all_runs = must(runs(*store));
  ASSERT_EQ(all_runs.size(), 3u);
  for (const auto& run : all_runs) {
    EXPECT_EQ(run["state"], "success");
    EXPECT_EQ(run["run_type"], "manual");
  }
  EXPECT_TRUE(must(is_finished(*store, day_dags(), kDate)));
  EXPECT_FALSE(must(is_finished(*store, day_dags(), kDate + std::chrono::days{1})));
}

TEST(Runner, AFinishedDayIsLeftAlone) {
  Day day;
  const auto store = day.open();
  day.run(*store, "first");
  const std::string before = must(store->find(kTaskInstances, {})).back().dump();
  const size_t calls = day.calls().size();
  const DayResult again = day.run(*store, "second");
  EXPECT_TRUE(again.already_finished);
  EXPECT_EQ(again.state, TaskState::kSuccess);
  EXPECT_EQ(day.calls().size(), calls);
  EXPECT_EQ(must(store->find(kTaskInstances, {})).back().dump(), before);
  EXPECT_EQ(must(runs(*store)).size(), 3u);

  RunOptions clear = day.options("third");
  clear.clear = true;
  const DayResult third = must(run_dags(*store, day_dags(), day.table(), kDate, clear));
  EXPECT_FALSE(third.already_finished);
  EXPECT_EQ(day.calls().size(), 2 * calls);
  EXPECT_EQ(must(read_record(*store, {kDate, "data", "generate"}))->try_number, 2);
  EXPECT_EQ(must(read_record(*store, {kDate, "data", "generate"}))->completions, 2);
  EXPECT_EQ(work_done(*store).size(), 48u);  // what the first run wrote stays beside what this one adds
}

TEST(Task, WhatIsDoneAgainIsAddedAndLinkedAndNothingElseChanges) {
  Day day;
  const auto store = day.open();
  const DagSpec dag = day_dags()[0];
  const auto generate = [&] {
    return must(execute_task(*store, dag, day.table(), kDate, "generate", day.options(), false));
  };
  std::vector<store::Document> before;
  for (int completions = 1; completions <= 3; ++completions) {
    EXPECT_EQ(generate().completions, completions);
    const auto after = must(store->find("work", {}));
    ASSERT_EQ(after.size(), 2u * completions);
    for (size_t i = 0; i < before.size(); ++i) {
      store::Document old = after[i];
      EXPECT_TRUE(old.contains("superseded_by"));
      if (!before[i].contains("superseded_by")) old.erase("superseded_by");
      EXPECT_EQ(old, before[i]);
    }
    for (size_t i = before.size(); i < after.size() && i >= 2; ++i) {
      EXPECT_EQ(after[i]["supersedes"], after[i - 2]["_id"]);
      EXPECT_EQ(after[i - 2]["superseded_by"], after[i]["_id"]);
    }
    before = after;
  }
  EXPECT_EQ(must(store->find(kTaskHistory, {})).size(), 2u);  // the two records that were taken back
}

TEST(Task, WhatAnOlderMaeilRecordedIsNotReplaced) {
  Day day;
  const auto store = day.open();
  const DagSpec dag = day_dags()[0];
  must(execute_task(*store, dag, day.table(), kDate, "generate", day.options(), false));
  const auto before = must(store->find("work", {}));
  store::Document record = must(store->find(kTaskInstances, {})).at(0);
  record.erase("completions");
  store::Batch batch;
  batch.puts.push_back({kTaskInstances, record});
  ASSERT_TRUE(store->commit(batch));
  must(execute_task(*store, dag, day.table(), kDate, "generate", day.options(), false));
  const auto after = must(store->find("work", {}));
  ASSERT_EQ(after.size(), 2 * before.size());
  for (size_t i = 0; i < before.size(); ++i) EXPECT_EQ(after[i]["name"], before[i]["name"]);
}

// A date whose tasks somebody else ran: what their branches skipped has no record.
TEST(Runner, ADateThatOthersFinishedIsNotDoneAgain) {
  Day day;
  day.passes = 0;
  const auto store = day.open();
  for (const auto& dag : day_dags()) {
    for (const auto& spec : dag.tasks) {
      if (spec.id.starts_with("retrain_") || spec.id == "alert") continue;
      must(execute_task(*store, dag, day.table(), kDate, spec.id, day.options("scheduled"), false));
    }
  }
  const auto work = work_done(*store);
  const size_t calls = day.calls().size();
  EXPECT_EQ(day.run(*store, "again").state, TaskState::kSuccess);
  EXPECT_EQ(day.calls().size(), calls);
  EXPECT_EQ(work_done(*store), work);
}

// A resumed day whose task fails again leaves what follows it as failed, not as never asked.
TEST(Runner, ATaskThatFailsAgainSettlesWhatFollowsAgain) {
  Day day;
  day.break_task = "evaluation.evaluate";
  day.broken = {ErrorCode::kBadInput, "no good"};
  const auto store = day.open();
  EXPECT_EQ(day.run(*store).state, TaskState::kFailed);
  const std::string once = states(*store);
  EXPECT_EQ(day.run(*store, "again").state, TaskState::kFailed);
  EXPECT_EQ(states(*store), once);
}

// A batch that a task commits before it is finished counts only while the try does.
TEST(Task, AFencedBatchOfAnOvertakenTryIsRefused) {
  Day day;
  const auto store = day.open();
  const DagSpec dag = day_dags()[0];
  int calls = 0;
  TaskTable table = day.table();
  Status late;
  table[{"data", "generate"}] = [&](TaskContext& context) -> Result<TaskOutcome> {
    if (++calls == 1) {
      // another takes it up, and finishes it
      must(execute_task(*store, dag, table, kDate, "generate", day.options(), false));
      store::Batch batch;
      batch.puts.push_back({"early", {{"_id", store::id_value(store::new_object_id(now()))}}});
      context.fence(batch);
      late = context.store.commit(batch);
    }
    return TaskOutcome{};
  };
  EXPECT_FALSE(execute_task(*store, dag, table, kDate, "generate", day.options(), false));
  EXPECT_EQ(late.error().code, ErrorCode::kConflict);
  EXPECT_TRUE(must(store->find("early", {})).empty());
  EXPECT_EQ(must(read_record(*store, {kDate, "data", "generate"}))->completions, 1);
}

// A commit that arrived and whose answer did not: the task is done, once.
TEST(Task, ACommitThatIsThereThoughItFailedCounts) {
  Day day;
  const auto file = day.open();
  store::DeafStore store(*file);
  store.at = 2;  // the first commit says that the task runs
  const TaskRecord record =
      must(execute_task(store, day_dags()[0], day.table(), kDate, "generate", day.options(), false));
  EXPECT_EQ(store.at, 0);
  EXPECT_EQ(record.state, TaskState::kSuccess);
  EXPECT_EQ(must(read_record(*file, {kDate, "data", "generate"}))->state, TaskState::kSuccess);
  EXPECT_EQ(work_done(*file).size(), 2u);
}

TEST(Runner, EveryWayThroughTheDay) {
  const char* deploy[] = {"success", "success", "success", "skipped"};
  for (int passes = 0; passes <= 3; ++passes) {
    Day day;
    day.passes = passes;
    const auto store = day.open();
    EXPECT_EQ(day.run(*store).state, TaskState::kSuccess);
    const std::string all = states(*store);
    EXPECT_NE(all.find(fmt::format("deployment.deploy:{}", deploy[passes])), std::string::npos)
        << passes << "\n"
        << all;
    EXPECT_NE(all.find(fmt::format("evaluation.alert:{}", passes == 3 ? "success" : "skipped")),
              std::string::npos)
        << passes << "\n"
        << all;
    EXPECT_TRUE(day.run(*store, "again").already_finished);
  }
}

TEST(Runner, KilledAnywhereItGoesOnWithoutDoingFinishedWorkTwice) {
  Day calm;
  const auto calm_store = calm.open();
  calm.run(*calm_store);
  const std::string wanted_states = states(*calm_store);
  const auto wanted_work = work_done(*calm_store);
  ASSERT_GT(calm.ticks, 60);
  for (int at = 1; at <= calm.ticks; ++at) {
    SCOPED_TRACE(fmt::format("killed at tick {}", at));
    Day day;
    {
      Child child([&] {
        day.kill_at = at;
        const auto store = day.open();
        return run_dags(*store, day_dags(), day.table(), kDate, day.options("killed")) ? 0 : 1;
      });
      ASSERT_EQ(child.wait(), -SIGKILL);
    }
    const auto store = day.open();
    ASSERT_TRUE(store->check());
    std::vector<std::string> finished;
    for (const auto& record : must(store->find(kTaskInstances, {}))) {
      const std::string state = record["state"].get<std::string>();
      if (state == "success")
        finished.push_back(
            fmt::format("{}.{}", record["dag_id"].get<std::string>(), record["task_id"].get<std::string>()));
    }
    EXPECT_EQ(work_done(*store).size(), 2 * finished.size());  // finished work is there, unfinished is not
    const size_t calls_before = day.calls().size();
    const DayResult result = day.run(*store, "resumed");
    EXPECT_EQ(result.state, TaskState::kSuccess);
    EXPECT_EQ(states(*store), wanted_states);
    EXPECT_EQ(work_done(*store), wanted_work);
    const auto calls = day.calls();
    for (size_t i = calls_before; i < calls.size(); ++i) {
      EXPECT_EQ(std::ranges::find(finished, calls[i]), finished.end()) << calls[i] << " was done twice";
    }
    for (const auto& run : must(runs(*store))) EXPECT_NE(run["state"], "running");
    if (HasFailure()) break;
  }
}

TEST(Runner, KilledAgainAndAgain) {
  Day calm;
  const auto calm_store = calm.open();
  calm.run(*calm_store);
  Day day;
  for (int round = 0;; ++round) {
    ASSERT_LT(round, 200);
    Child child([&] {
      day.kill_at = 11;
      const auto store = day.open();
      const auto result =
          run_dags(*store, day_dags(), day.table(), kDate, day.options(fmt::format("run {}", round)));
      return result && result->state == TaskState::kSuccess ? 0 : 1;
    });
    const int status = child.wait();
    if (status == 0) break;
    ASSERT_EQ(status, -SIGKILL);
  }
  const auto store = day.open();
  EXPECT_EQ(states(*store), states(*calm_store));
  EXPECT_EQ(work_done(*store), work_done(*calm_store));
}

TEST(Runner, ARetryableErrorIsTriedAgain) {
  Day day;
  day.break_task = "evaluation.evaluate";
  day.broken_tries = 2;
  auto dags = day_dags();
  dags[1].tasks[1].retries = 2;
  const auto store = day.open();
  int retried = 0;
  RunOptions options = day.options();
  options.on_event = [&](const Event& event) { retried += event.kind == Event::Kind::kTaskRetried; };
  EXPECT_EQ(must(run_dags(*store, dags, day.table(), kDate, options)).state, TaskState::kSuccess);
  EXPECT_EQ(retried, 2);
  const auto record = must(read_record(*store, {kDate, "evaluation", "evaluate"})).value();
  EXPECT_EQ(record.try_number, 3);
  EXPECT_FALSE(record.error);
  const auto tries = must(logs(*store, "run", "evaluate"));
  ASSERT_EQ(tries.size(), 3u);
  EXPECT_EQ(tries[0]["lines"].back(), "error: the disk is full");
}

TEST(Runner, AFailureStopsTheDayAndTheNextRunGoesOn) {
  for (const ErrorCode code :
       {ErrorCode::kIo, ErrorCode::kBadInput, ErrorCode::kUsage, ErrorCode::kNotFound}) {
    Day day;
    day.break_task = "evaluation.evaluate";
    day.broken = {code, "no good"};
    auto dags = day_dags();
    dags[1].tasks[1].retries = 2;
    const auto store = day.open();
    const DayResult result = must(run_dags(*store, dags, day.table(), kDate, day.options()));
    EXPECT_EQ(result.state, TaskState::kFailed);
    ASSERT_TRUE(result.error);
    EXPECT_EQ(result.error->code, code);
    EXPECT_EQ(result.error->message, "evaluation.evaluate: no good");
    EXPECT_EQ(must(read_record(*store, {kDate, "evaluation", "evaluate"}))->try_number,
              code == ErrorCode::kIo ? 3 : 1);
    const std::string all = states(*store);
    EXPECT_NE(all.find("evaluation.check:upstream_failed"), std::string::npos);
    EXPECT_NE(all.find("evaluation.send:upstream_failed"), std::string::npos);
    EXPECT_NE(all.find("deployment.deploy:none"), std::string::npos);
    EXPECT_FALSE(must(is_finished(*store, dags, kDate)));
    day.break_task.clear();
    const DayResult next = day.run(*store, "next");
    EXPECT_EQ(next.state, TaskState::kSuccess);
    EXPECT_EQ(std::ranges::count(day.calls(), "data.generate"), 1);
    EXPECT_EQ(states(*store).find("upstream_failed"), std::string::npos);
    int next_runs = 0;
    for (const auto& run : must(runs(*store))) {
      if (run["run_id"] != "next") continue;
      ++next_runs;
      EXPECT_EQ(run["state"], "success") << run.dump();
    }
    EXPECT_EQ(next_runs, 2);  // the data's DAG was finished
  }
}

DagSpec one(TaskSpec spec) { return {"one", "", {std::move(spec)}}; }
TaskTable table_of(TaskFunction function) { return {{{"one", "t"}, std::move(function)}}; }

TEST(Runner, AFailedOutcomeKeepsItsBatch) {
  Day day;
  const auto store = day.open();
  const TaskTable table = table_of([](TaskContext& context) -> Result<TaskOutcome> {
    TaskOutcome out;
    out.state = TaskState::kFailed;
    out.message = "the deployment failed";
    out.batch.puts.push_back(
        {"events",
         {{"_id", store::id_value(store::task_object_id(context.task_key(), "events", 0))},
          {"status", "failed"}}});
    return out;
  });
  const DagResult result = must(run_dag(*store, one(task("t")), table, kDate, day.options()));
  EXPECT_EQ(result.state, TaskState::kFailed);
  EXPECT_EQ(result.error->message, "one.t: the deployment failed");
  EXPECT_EQ(must(store->find("events", {})).size(), 1u);
}

TEST(Runner, WhatATaskMayNotDoFailsIt) {
  const std::pair<const char*, TaskFunction> cases[] = {
      {"an exception left the task: boom",
       [](TaskContext&) -> Result<TaskOutcome> { throw std::runtime_error("boom"); }},
      {"unknown kind", [](TaskContext&) -> Result<TaskOutcome> { throw 5; }},
      {"not enough memory", [](TaskContext&) -> Result<TaskOutcome> { throw std::bad_alloc(); }},
      {"state waiting",
       [](TaskContext&) {
         TaskOutcome out;
         out.state = TaskState::kWaiting;
         return out;
       }},
      {"no branch",
       [](TaskContext&) {
         TaskOutcome out;
         out.next = {"x"};
         return out;
       }},
      {"its _id is no",
       [](TaskContext&) {
         TaskOutcome out;
         out.batch.puts.push_back({"c", {{"x", 1}}});
         return out;
       }},
      {"not UTF-8",
       [](TaskContext&) {
         TaskOutcome out;
         out.result = {{"x", "\xff"}};
         return out;
       }},
  };
  for (const auto& [wanted, function] : cases) {
    Day day;
    const auto store = day.open();
    const DagResult result = must(run_dag(*store, one(task("t")), table_of(function), kDate, day.options()));
    EXPECT_EQ(result.state, TaskState::kFailed);
    ASSERT_TRUE(result.error) << wanted;
    EXPECT_NE(result.error->message.find(wanted), std::string::npos) << result.error->message;
    EXPECT_EQ(must(task_state(*store, kDate, "one", "t")), TaskState::kFailed);
  }
}

TEST(Runner, HostileLogsAreCutAndCleaned) {
  Day day;
  const auto store = day.open();
  const TaskTable table = table_of([](TaskContext& context) {
    context.log(std::string(100000, 'x'));
    context.log("\xff\xfe not UTF-8");
    for (size_t i = 0; i < TaskLog::kFirstLines + TaskLog::kLastLines + 5; ++i) context.log("line");
    return TaskOutcome{};
  });
  RunOptions quiet = day.options();
  quiet.on_event = nullptr;
  EXPECT_EQ(must(run_dag(*store, one(task("t")), table, kDate, quiet)).state, TaskState::kSuccess);
  const auto log = must(logs(*store, "run", "t")).at(0);
  EXPECT_EQ(log["lines"].size(), TaskLog::kFirstLines + TaskLog::kLastLines + 1);
  EXPECT_EQ(log["lines"][0].get<std::string>().size(), TaskLog::kMaxLineBytes + 3);
  EXPECT_EQ(log["lines"][TaskLog::kFirstLines], "... 7 lines were not kept");
  EXPECT_EQ(log["lines"].back(), "line");
}

TEST(Runner, ARecordKeepsWhatATaskSetOnIt) {
  Day day;
  const auto store = day.open();
  int calls = 0;
  const TaskTable table = table_of([&](TaskContext& context) -> Result<TaskOutcome> {
    if (++calls == 1) {
      store::Batch batch;
      batch.sets.push_back({kTaskInstances,
                            record_id({context.logical_date, context.dag_id, context.task_id}),
                            {{"version", "20261123_001500"}}});
      MAEIL_TRY(context.store.commit(batch));
      return bad_input("killed, say");
    }
    return TaskOutcome{};
  });
  must(run_dag(*store, one(task("t")), table, kDate, day.options()));
  must(run_dag(*store, one(task("t")), table, kDate, day.options()));
  const auto record = must(store->find_one(kTaskInstances, {}));
  EXPECT_EQ(record["version"], "20261123_001500");
  EXPECT_EQ(record["state"], "success");
  EXPECT_TRUE(record["error"].is_null());
}

TEST(Runner, SensorsAreAskedUntilTheyAnswerOrTimeIsUp) {
  Day day;
  day.waits = 3;
  const auto store = day.open();
  EXPECT_EQ(day.run(*store).state, TaskState::kSuccess);
  EXPECT_EQ(std::ranges::count(day.calls(), "evaluation.wait_for_data"), 4);
  EXPECT_EQ(must(read_record(*store, {kDate, "evaluation", "wait_for_data"}))->try_number, 1);

  Day late;
  late.waits = 1'000'000;
  const auto late_store = late.open();
  RunOptions options = late.options();
  options.sensor_timeout = std::chrono::milliseconds{20};
  const DayResult result = must(run_dags(*late_store, day_dags(), late.table(), kDate, options));
  EXPECT_EQ(result.state, TaskState::kFailed);
  EXPECT_NE(result.error->message.find("waiting for data"), std::string::npos) << result.error->message;
}

TEST(Runner, ASensorAskedOnceIsOneTry) {
  Day day;
  day.waits = 2;
  const auto store = day.open();
  const DagSpec dag = day_dags()[1];
  for (const TaskState wanted : {TaskState::kWaiting, TaskState::kWaiting, TaskState::kSuccess}) {
    const TaskRecord record =
        must(execute_task(*store, dag, day.table(), kDate, "wait_for_data", day.options(), false));
    EXPECT_EQ(record.state, wanted);
    EXPECT_EQ(record.try_number, 1);
    EXPECT_EQ(must(task_state(*store, kDate, "evaluation", "wait_for_data")), wanted);
  }
  EXPECT_EQ(execute_task(*store, dag, day.table(), kDate, "nonsense", day.options(), false).error().code,
            ErrorCode::kUsage);
}

// What a caller that tries again itself (Airflow) is told, try by try.
TEST(Task, AFailedTryIsUpForRetryUntilTheLast) {
  Day day;
  day.break_task = "evaluation.evaluate";
  const auto store = day.open();
  const DagSpec dag = day_dags()[1];
  RunOptions options = day.options();
  options.takes_over = true;  // as `maeil task`
  for (const auto& [left, wanted] :
       {std::pair{2, TaskState::kUpForRetry}, {1, TaskState::kUpForRetry}, {0, TaskState::kFailed}}) {
    options.retries_left = left;
    const TaskRecord record = must(execute_task(*store, dag, day.table(), kDate, "evaluate", options, false));
    EXPECT_EQ(record.state, wanted);
    EXPECT_EQ(record.try_number, 3 - left);
    EXPECT_EQ(record.error->message, "the disk is full");
    EXPECT_EQ(must(task_state(*store, kDate, "evaluation", "evaluate")), wanted);
    EXPECT_FALSE(is_finished(TaskState::kUpForRetry));
  }
  day.broken = {ErrorCode::kBadInput, "no good"};  // trying again is useless, whatever the caller would do
  options.retries_left = 2;
  EXPECT_EQ(must(execute_task(*store, dag, day.table(), kDate, "evaluate", options, false)).state,
            TaskState::kFailed);
  day.break_task.clear();
  const TaskRecord record = must(execute_task(*store, dag, day.table(), kDate, "evaluate", options, false));
  EXPECT_EQ(record.state, TaskState::kSuccess);
  EXPECT_FALSE(record.error);
  EXPECT_EQ(record.try_number, 5);
}

TEST(Task, ATaskThatRunsAgainTakesBackWhatFollowsIt) {
  Day day;
  day.passes = 1;
  const auto store = day.open();
  EXPECT_EQ(day.run(*store).state, TaskState::kSuccess);
  const auto wanted_work = work_done(*store);
  const DagSpec dag = day_dags()[1];
  const auto state = [&](const char* id) { return must(task_state(*store, kDate, "evaluation", id)); };
  day.inside = [&](const std::string& name) {
    if (name != "evaluation.retrain_1.tune") return;
    // While it runs, what it said before and what followed from that is gone; what came before it stays.
    EXPECT_EQ(state("retrain_1.tune"), TaskState::kRunning);
    for (const char* id : {"retrain_1.judge", "retrain_2.tune", "retrain_2.judge", "send", "alert"})
      EXPECT_EQ(state(id), TaskState::kNone) << id;
    for (const char* id : {"wait_for_data", "evaluate", "check"})
      EXPECT_EQ(state(id), TaskState::kSuccess) << id;
  };
  EXPECT_EQ(must(execute_task(*store, dag, day.table(), kDate, "retrain_1.tune", day.options(), false)).state,
            TaskState::kSuccess);
  const auto taken_back = must(read_record(*store, {kDate, "evaluation", "retrain_1.judge"})).value();
  EXPECT_TRUE(taken_back.next.empty());
  EXPECT_EQ(taken_back.message, "retrain_1.tune runs again");
  EXPECT_EQ(must(task_state(*store, kDate, "deployment", "deploy")), TaskState::kSuccess);  // another DAG's
  day.inside = nullptr;
  EXPECT_EQ(day.run(*store, "again").state, TaskState::kSuccess);
  // Beside what was there: retrain_1.tune, what followed it, and nothing of what came before it.
  const auto work = work_done(*store);
  EXPECT_TRUE(std::ranges::includes(work, wanted_work));
  EXPECT_EQ(work.size(), wanted_work.size() + 2 * 3);
}

TEST(Task, AKilledTryIsTakenUpByTheNextWithNothingDoubled) {
  Day day;
  const auto store = day.open();
  const DagSpec dag = day_dags()[0];
  for (int at = 1; at <= 3; ++at) {
    Child child([&] {
      day.ticks = 0;
      day.kill_at = at;
      const auto own = day.open();
      RunOptions quiet = day.options();
      quiet.on_event = nullptr;
      return execute_task(*own, dag, day.table(), kDate, "generate", quiet, false) ? 0 : 1;
    });
    ASSERT_EQ(child.wait(), -SIGKILL) << at;
    EXPECT_EQ(must(task_state(*store, kDate, "data", "generate")), TaskState::kRunning);
    EXPECT_TRUE(work_done(*store).empty());
  }
  const TaskRecord record =
      must(execute_task(*store, dag, day.table(), kDate, "generate", day.options(), false));
  EXPECT_EQ(record.state, TaskState::kSuccess);
  EXPECT_EQ(record.try_number, 4);
  EXPECT_EQ(work_done(*store).size(), 2u);
}

// A process that was paused wakes up after another has done its task.
TEST(Task, ATryThatWasOvertakenWritesNothing) {
  for (const bool fails : {false, true}) {
    Day day;
    const auto store = day.open();
    const auto write = [&](TaskContext& context, const char* who) -> Result<TaskOutcome> {
      TaskOutcome out;
      out.result = {{"who", who}};
      out.batch.puts.push_back(
          {"work",
           {{"_id", store::id_value(store::task_object_id(context.task_key(), "work", 0))},
            {"who", who},
            {"task_key", context.task_key()}}});
      return out;
    };
    const TaskTable quick = table_of([&](TaskContext& context) { return write(context, "the second"); });
    const TaskTable paused = table_of([&](TaskContext& context) -> Result<TaskOutcome> {
      RunOptions other = day.options("second");
      other.heartbeat = std::chrono::milliseconds{5};
      other.takes_over = true;
      EXPECT_EQ(must(execute_task(*store, one({.id = "t"}), quick, kDate, "t", other, false)).state,
                TaskState::kSuccess);
      if (fails) return io_error("the disk was full");
      return write(context, "the first");
    });
    RunOptions options = day.options("first");
    options.heartbeat = std::chrono::milliseconds{5};
    const auto first = execute_task(*store, one({.id = "t"}), paused, kDate, "t", options, false);
    ASSERT_FALSE(first);
    EXPECT_EQ(first.error().code, ErrorCode::kConflict);
    EXPECT_NE(first.error().message.find(fails ? "could not be recorded" : "taken up by another try"),
              std::string::npos)
        << first.error().message;
    const TaskRecord record = must(read_record(*store, {kDate, "one", "t"})).value();
    EXPECT_EQ(record.state, TaskState::kSuccess);
    EXPECT_EQ(record.result["who"], "the second");
    EXPECT_EQ(record.try_number, 2);
    EXPECT_EQ(must(store->find_one("work", {}))["who"], "the second");
  }
}

TEST(Task, AnotherCutTakesTheOldPartsBack) {
  Day day;
  const auto store = day.open();
  DagSpec dag = day_dags()[0];
  for (auto& task : dag.tasks) task.shardable = true;
  const auto run_part = [&](const char* task, int index, int count) {
    RunOptions options = day.options();
    options.shard = {index, count};
    EXPECT_TRUE(execute_task(*store, dag, day.table(), kDate, task, options, false));
  };
  const auto state = [&](const std::string& id) { return must(task_state(*store, kDate, "data", id)); };
  const std::string first = dag.tasks[0].id, second = dag.tasks[1].id;
  for (int i = 1; i <= 3; ++i) run_part(first.c_str(), i, 3);
  run_part(second.c_str(), 3, 3);
  EXPECT_EQ(state(second + "[3/3]"), TaskState::kSuccess);
  run_part(first.c_str(), 2, 3);  // again: the other parts of this cut stay, what follows goes
  EXPECT_EQ(state(first + "[1/3]"), TaskState::kSuccess);
  EXPECT_EQ(state(second + "[3/3]"), TaskState::kNone);
  run_part(first.c_str(), 0, 1);  // in one piece
  for (int i = 1; i <= 3; ++i) EXPECT_EQ(state(fmt::format("{}[{}/3]", first, i)), TaskState::kNone) << i;
}

TEST(Task, AHeartbeatTellsADeadLastTryFromALongOne) {
  using std::chrono::milliseconds;
  const DagSpec dag = day_dags()[0];
  const TaskName name{kDate, "data", "generate"};
  const milliseconds beat{20};
  for (const int left : {0, 1}) {
    Day day;
    const auto store = day.open();
    Signpost inside;
    Child child([&] {
      day.inside = [&](const std::string&) {
        inside.raise();
        ::pause();
      };
      const auto own = day.open();
      RunOptions options = day.options();
      options.heartbeat = beat;
      options.retries_left = left;
      return execute_task(*own, dag, day.table(), kDate, "generate", options, false) ? 0 : 1;
    });
    inside.await();
    const TaskRecord first = must(read_record(*store, name)).value();
    ASSERT_TRUE(first.alive_until);
    EXPECT_EQ(first.retries_left, left);
    EXPECT_FALSE(is_dead(first, *first.alive_until));
    // with a try left it is not over
    EXPECT_EQ(is_dead(first, *first.alive_until + milliseconds{1}), left == 0);
    TaskRecord later = first;
    for (int i = 0; i < 500 && *later.alive_until == *first.alive_until; ++i) {
      std::this_thread::sleep_for(beat);
      later = must(read_record(*store, name)).value();
    }
    EXPECT_GT(*later.alive_until, *first.alive_until);
    ASSERT_EQ(child.kill(), -SIGKILL);
    const TaskRecord last = must(read_record(*store, name)).value();
    EXPECT_EQ(is_dead(last, now() + std::chrono::hours{1}), left == 0);
    RunOptions options = day.options();
    options.takes_over = true;
    options.heartbeat = beat;
    const TaskRecord done = must(execute_task(*store, dag, day.table(), kDate, "generate", options, false));
    EXPECT_EQ(done.state, TaskState::kSuccess);
    EXPECT_FALSE(must(read_record(*store, name))->alive_until);
  }
  Day builtin;
  const auto store = builtin.open();
  builtin.inside = [&](const std::string&) { EXPECT_FALSE(must(read_record(*store, name))->alive_until); };
  must(execute_task(*store, dag, builtin.table(), kDate, "generate", builtin.options(), false));
}

TEST(Task, AShardHasARecordAndALogOfItsOwn) {
  Day day;
  const auto store = day.open();
  DagSpec dag = day_dags()[0];
  RunOptions options = day.options();
  options.shard = {2, 3};
  // cannot be cut
  EXPECT_EQ(execute_task(*store, dag, day.table(), kDate, "generate", options, false).error().code,
            ErrorCode::kUsage);
  dag.tasks[0].shardable = true;
  options.shard = {};
  must(execute_task(*store, dag, day.table(), kDate, "generate", options, false));
  options.shard = {2, 3};
  must(execute_task(*store, dag, day.table(), kDate, "generate", options, false));
  EXPECT_EQ(must(task_state(*store, kDate, "data", "generate[2/3]")), TaskState::kSuccess);
  // what it said was about other parts
  EXPECT_EQ(must(task_state(*store, kDate, "data", "generate")), TaskState::kNone);
  EXPECT_EQ(must(logs(*store, "run", "generate[2/3]")).size(), 1u);
  options.shard = {0, 3};
  must(execute_task(*store, dag, day.table(), kDate, "generate", options, false));
  EXPECT_EQ(must(task_state(*store, kDate, "data", "generate")), TaskState::kSuccess);
  EXPECT_EQ(must(task_state(*store, kDate, "data", "generate[2/3]")), TaskState::kSuccess);
}

TEST(Runner, ASignalStopsBetweenTasks) {
  Day day;
  std::atomic<bool> cancelled = false;
  day.inside = [&](const std::string& name) { cancelled = name == "evaluation.evaluate"; };
  const auto store = day.open();
  RunOptions options = day.options();
  options.cancelled = &cancelled;
  const DayResult result = must(run_dags(*store, day_dags(), day.table(), kDate, options));
  EXPECT_TRUE(result.cancelled);
  EXPECT_EQ(result.error->code, ErrorCode::kCancelled);
  EXPECT_EQ(must(task_state(*store, kDate, "evaluation", "evaluate")), TaskState::kSuccess);
  EXPECT_EQ(must(task_state(*store, kDate, "evaluation", "check")), TaskState::kNone);
  EXPECT_EQ(must(runs(*store, 1))[0]["state"], "cancelled");
  cancelled = false;
  day.inside = nullptr;
  EXPECT_EQ(day.run(*store, "on").state, TaskState::kSuccess);
  EXPECT_EQ(std::ranges::count(day.calls(), "evaluation.evaluate"), 1);
  EXPECT_EQ(must(runs(*store, 1))[0]["run_type"], "manual");  // deployment had not begun before
}

TEST(Runner, ASignalEndsAWaitingSensor) {
  Day day;
  day.waits = 1'000'000;
  std::atomic<bool> cancelled = false;
  const auto store = day.open();
  RunOptions options = day.options();
  options.cancelled = &cancelled;
  options.poke_interval = std::chrono::hours{1};
  options.on_event = [&](const Event& event) { cancelled = event.kind == Event::Kind::kSensorWaiting; };
  const DayResult result = must(run_dags(*store, day_dags(), day.table(), kDate, options));
  EXPECT_TRUE(result.cancelled);
  EXPECT_EQ(must(task_state(*store, kDate, "evaluation", "wait_for_data")), TaskState::kFailed);
}

TEST(Runner, ASecondRunIsToldWhoRuns) {
  Day day;
  Signpost inside;
  Child child([&] {
    day.inside = [&](const std::string&) {
      inside.raise();
      ::pause();
    };
    const auto store = day.open();
    RunOptions options = day.options();
    options.holder = "maeil run --date 2026-11-23";
    return run_dags(*store, day_dags(), day.table(), kDate, options) ? 0 : 1;
  });
  inside.await();
  const auto store = day.open();
  const auto second = run_dags(*store, day_dags(), day.table(), kDate, day.options("second"));
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::kConflict);
  EXPECT_NE(second.error().message.find("maeil run --date 2026-11-23"), std::string::npos)
      << second.error().message;
  EXPECT_NE(second.error().message.find(std::to_string(child.pid())), std::string::npos);
  ASSERT_EQ(child.kill(), -SIGKILL);
  EXPECT_EQ(day.run(*store, "third").state, TaskState::kSuccess);
}

TEST(Runner, AMissingFunctionOrAWrongDagIsFoundBeforeAnythingRuns) {
  Day day;
  const auto store = day.open();
  TaskTable table = day.table();
  table.erase({"evaluation", "alert"});
  EXPECT_EQ(run_dag(*store, day_dags()[1], table, kDate, day.options()).error().code, ErrorCode::kInternal);
  EXPECT_TRUE(day.calls().empty());
  EXPECT_TRUE(must(runs(*store)).empty());
}

}  // namespace
}  // namespace maeil::dag
