// For tests of dag/: a day of three small DAGs with branches, a retraining loop and sensors, whose functions
// note every call in a file, and can fail, wait or be killed at any point. Only for tests.
#pragma once

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "dag/test_support.h"

namespace maeil::dag {

using store::Child;
using store::Signpost;
using store::TempFolder;

inline const Days kDate = parse_date("2026-11-23").value();

inline TaskSpec task(std::string id, std::vector<std::string> upstream = {},
                     TaskKind kind = TaskKind::kAction, TriggerRule rule = TriggerRule::kAllSuccess) {
  TaskSpec spec;
  spec.id = std::move(id);
  spec.upstream = std::move(upstream);
  spec.kind = kind;
  spec.trigger_rule = rule;
  if (spec.id.starts_with("retrain_")) spec.attempt = spec.id[8] - '0';
  return spec;
}

// A DAG of one task, "t", and its function.
inline DagSpec one(TaskSpec spec) { return {"one", "", {std::move(spec)}}; }
inline TaskTable table_of(TaskFunction function) { return {{{"one", "t"}, std::move(function)}}; }

inline std::vector<DagSpec> day_dags() {
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
inline std::string states(store::Store& store) {
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
inline std::vector<std::string> work_done(store::Store& store) {
  std::vector<std::string> names;
  for (const auto& document : must(store.find("work", {}))) {
    names.push_back(fmt::format("{} {}", document["name"].get<std::string>(), document["n"].get<int>()));
    EXPECT_TRUE(store.read_whole_blob(document["file_id"].get<std::string>(), 1000))
        << "a document names a blob that is gone";
  }
  std::ranges::sort(names);
  return names;
}

}  // namespace maeil::dag
