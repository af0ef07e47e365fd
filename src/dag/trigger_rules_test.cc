// DAG checks, decisions, schedule and export: all without a store.
#include "dag/trigger_rules.h"

#include <gtest/gtest.h>

#include "dag/export.h"
#include "dag/schedule.h"

namespace maeil::dag {
namespace {

TaskSpec task(std::string id, std::vector<std::string> upstream = {}, TaskKind kind = TaskKind::kAction,
              TriggerRule rule = TriggerRule::kAllSuccess) {
  TaskSpec spec;
  spec.id = std::move(id);
  spec.upstream = std::move(upstream);
  spec.kind = kind;
  spec.trigger_rule = rule;
  return spec;
}

// check -> (r1 -> e1 -> (r2 -> e2)) | send, the shape of the evaluation DAG.
DagSpec loop_dag() {
  return {"loop",
          "",
          {task("check", {}, TaskKind::kBranch), task("r1", {"check"}), task("e1", {"r1"}, TaskKind::kBranch),
           task("r2", {"e1"}), task("e2", {"r2"}, TaskKind::kBranch),
           task("send", {"check", "e1", "e2"}, TaskKind::kAction, TriggerRule::kNoneFailedMinOneSuccess),
           task("alert", {"e2"})}};
}

// Walks the DAG: branches choose as given, tasks named in `failing` fail; gives "check:success r1:skipped
// ...".
std::string walk(const DagSpec& dag, const std::map<std::string, std::vector<std::string>>& choices,
                 const std::string& failing = "") {
  std::map<std::string, TaskRecord> records;
  std::string text;
  for (const auto& spec : dag.tasks) {
    TaskRecord record;
    const Decision decision = decide(dag, spec, records);
    record.state = decision == Decision::kSkip             ? TaskState::kSkipped
                   : decision == Decision::kUpstreamFailed ? TaskState::kUpstreamFailed
                   : spec.id == failing                    ? TaskState::kFailed
                                                           : TaskState::kSuccess;
    if (const auto choice = choices.find(spec.id); choice != choices.end()) record.next = choice->second;
    text += (text.empty() ? "" : " ") + spec.id + ":" + std::string(to_string(record.state));
    records[spec.id] = record;
  }
  return text;
}

TEST(TriggerRules, TheWaysThroughALoop) {
  const DagSpec dag = loop_dag();
  ASSERT_TRUE(check_dag(dag));
  EXPECT_EQ(walk(dag, {{"check", {"send"}}}),
            "check:success r1:skipped e1:skipped r2:skipped e2:skipped send:success alert:skipped");
  EXPECT_EQ(walk(dag, {{"check", {"r1"}}, {"e1", {"send"}}}),
            "check:success r1:success e1:success r2:skipped e2:skipped send:success alert:skipped");
  EXPECT_EQ(walk(dag, {{"check", {"r1"}}, {"e1", {"r2"}}, {"e2", {"send"}}}),
            "check:success r1:success e1:success r2:success e2:success send:success alert:skipped");
  EXPECT_EQ(walk(dag, {{"check", {"r1"}}, {"e1", {"r2"}}, {"e2", {"alert"}}}),
            "check:success r1:success e1:success r2:success e2:success send:skipped alert:success");
  EXPECT_EQ(walk(dag, {{"check", {}}}),
            "check:success r1:skipped e1:skipped r2:skipped e2:skipped send:skipped alert:skipped");
}

TEST(TriggerRules, FailuresSpread) {
  const DagSpec dag = loop_dag();
  EXPECT_EQ(walk(dag, {}, "check"),
            "check:failed r1:upstream_failed e1:upstream_failed r2:upstream_failed e2:upstream_failed "
            "send:upstream_failed alert:upstream_failed");
  EXPECT_EQ(walk(dag, {{"check", {"r1"}}, {"e1", {"r2"}}}, "r2"),
            "check:success r1:success e1:success r2:failed e2:upstream_failed send:upstream_failed "
            "alert:upstream_failed");
}

TEST(Dag, WrongDagsAreRefusedByName) {
  const auto refused = [](std::vector<TaskSpec> tasks, std::string_view about) {
    const Status status = check_dag({"d", "", std::move(tasks)});
    ASSERT_FALSE(status) << about;
    EXPECT_NE(status.error().message.find(about), std::string::npos) << status.error().message;
  };
  refused({}, "no tasks");
  refused({task("a b")}, "a b");
  refused({task("a"), task("a")}, "twice");
  refused({task("a", {"b"})}, "no upstream");
  refused({task("a", {"b"}), task("b", {"a"})}, "cycle");
  refused({task("a", {"a"})}, "cycle");
  refused({task("a"), task("b", {"a", "a"})}, "named twice");
  refused({task("a", {}, TaskKind::kBranch)}, "downstream");
  EXPECT_FALSE(check_dag({"", "", {task("a")}}));
}

TEST(Dag, StatesRoundTrip) {
  for (int i = 0; i < 7; ++i)
    EXPECT_EQ(task_state_from(to_string(static_cast<TaskState>(i))), static_cast<TaskState>(i));
  EXPECT_EQ(task_state_from("bogus"), TaskState::kNone);
  EXPECT_TRUE(is_finished(TaskState::kUpstreamFailed));
  EXPECT_FALSE(is_finished(TaskState::kWaiting));
}

TEST(Schedule, TheDateIsTheClocks) {
  const auto run = next_run(parse_instant("2026-11-22T20:00:00Z").value(), "00:15", "UTC").value();
  EXPECT_EQ(format_instant(run.at), "2026-11-23T00:15:00.000Z");
  EXPECT_EQ(format_date(run.logical_date), "2026-11-23");
  const auto seoul = next_run(parse_instant("2026-11-22T20:00:00Z").value(), "06:00", "Asia/Seoul");
  if (!seoul) GTEST_SKIP() << "skipped: needs the system's time zones (tzdata)";
  EXPECT_EQ(format_instant(seoul->at), "2026-11-22T21:00:00.000Z");
  EXPECT_EQ(format_date(seoul->logical_date), "2026-11-23");
}

TEST(Schedule, Dates) {
  const Days from = parse_date("2026-02-27").value(), to = parse_date("2026-03-01").value();
  EXPECT_EQ(dates_between(from, to)->size(), 3u);
  EXPECT_EQ(dates_between(from, from)->size(), 1u);
  EXPECT_FALSE(dates_between(to, from));
  EXPECT_FALSE(dates_between(from, from + std::chrono::days{4000}));
}

TEST(Export, IsAsDocumented) {
  DagSpec dag{"d",
              "what for",
              {task("a"), task("g_1.b", {"a"}, TaskKind::kBranch, TriggerRule::kNoneFailedMinOneSuccess),
               task("c", {"g_1.b"}, TaskKind::kSensor)}};
  dag.tasks[1].attempt = 1;
  dag.tasks[1].retries = 2;
  const auto exported = export_dags({{{"book", "02:30", "Asia/Seoul", 5, 60}, {dag}}}).value();
  EXPECT_EQ(
      exported.dump(),
      R"({"format":"maeil-dags","version":2,"dags":[{"dag_id":"d","dataset":"book",)"
      R"("description":"what for","schedule":"30 2 * * *","time_zone":"Asia/Seoul",)"
      R"("poke_interval":5,"sensor_timeout":60,"shards":1,"tasks":[)"
      R"({"task_id":"a","group":null,"kind":"action","upstream":[],"trigger_rule":"all_success",)"
      R"("attempt":0,"retries":0,"shardable":false,"produces":[],"description":""},)"
      R"({"task_id":"g_1.b","group":"g_1","kind":"branch","upstream":["a"],)"
      R"("trigger_rule":"none_failed_min_one_success","attempt":1,"retries":2,"shardable":false,)"
      R"("produces":[],"description":""},)"
      R"({"task_id":"c","group":null,"kind":"sensor","upstream":["g_1.b"],"trigger_rule":"all_success",)"
      R"("attempt":0,"retries":0,"shardable":false,"produces":[],"description":""}]}]})");
  EXPECT_FALSE(export_dags({{{"book", "25:00", "UTC", 5, 60}, {dag}}}));
}

}  // namespace
}  // namespace maeil::dag
