// `maeil task | dag`: the DAGs piece by piece. What they left behind is shown by runs.cc.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <charconv>
#include <csignal>

#include "base/file.h"
#include "base/progress.h"
#include "cli/commands.h"
#include "cli/datasets.h"
#include "cli/metrics.h"
#include "cli/output.h"
#include "dag/execute.h"
#include "dag/export.h"
#include "dag/old_task_runs.h"
#include "dag/task_record.h"
#include "dag/task_runs.h"
#include "loop/alerts/failed_tasks.h"
#include "loop/alerts/heartbeat.h"
#include "loop/alerts/ring_alerts.h"
#include "loop/day_request.h"
#include "loop/deployment.h"
#include "loop/pipelines.h"
#include "loop/run_record.h"

namespace maeil::cli {
namespace {

constexpr int kMaxShards = 65536;  // as SHARDS
// A process is given up after six beats, a minute: longer than a pause of a busy machine, shorter than a poke
// interval.
constexpr std::chrono::seconds kHeartbeat{10};

Result<dag::DagSpec> find_dag(const Settings& settings, const std::string& id) {
  std::vector<std::string> ids;
  for (auto& dag : loop::pipelines(settings)) {
    if (dag.id == id) return std::move(dag);
    ids.push_back(dag.id);
  }
  return usage_error(fmt::format("there is no DAG '{}'; there are {}", id, fmt::join(ids, ", ")));
}

Status write_result(const std::string& path, const char* state, const std::vector<std::string>& next,
                    const std::string& message) {
  if (path.empty()) return {};
  const store::Document document = {{"state", state}, {"next", next}, {"message", message}};
  return write_file_atomically(path, document.dump(2) + "\n");
}

// "2/7" or "merge/7".
Result<dag::Shard> parse_shard(const std::string& text) {
  dag::Shard shard;
  if (text.empty()) return shard;
  const size_t slash = std::min(text.find('/'), text.size());
  const std::string which = text.substr(0, slash), of = text.substr(std::min(slash + 1, text.size()));
  const auto number = [](const std::string& digits, int& out) {
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), out);
    return error == std::errc() && end == digits.data() + digits.size() && out >= 1;
  };
  const bool known = number(of, shard.count) &&
                     (which == "merge" || (number(which, shard.index) && shard.index <= shard.count));
  if (!known || shard.count > kMaxShards)
    return usage_error(fmt::format("--shard {}: I/N with 1 <= I <= N <= {}, or merge/N", text, kMaxShards));
  return shard;
}

// The kernel ends this process with its parent (Linux). A worker that was killed would else leave it running
// beside the next try.
Status end_with_parent(int parent) {
  if (parent == 0) return {};
  // Behind a wrapper the parent is another process, and nothing more than its death is seen.
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || ::getppid() == parent || ::kill(parent, 0) == 0) return {};
  return fail(ErrorCode::kCancelled, fmt::format("process {}, which started this one, is gone", parent));
}

// The record that an earlier try of the same run left when it had finished and its caller did not hear of it
// (a kill between commit and exit): the caller tries again, and nothing is done twice. A task that people
// clear begins with all its retries left, and runs.
Result<std::optional<dag::TaskRecord>> done_in_an_earlier_try(store::Store& store, const dag::DagSpec& dag,
                                                              Days date, const std::string& id,
                                                              const TaskOptions& options,
                                                              const dag::RunOptions& run) {
  using Done = std::optional<dag::TaskRecord>;
  const dag::TaskSpec* spec = dag::find_task(dag, id);
  if (options.retries_left < 0 || !spec || options.retries_left >= spec->retries) return Done();
  MAEIL_ASSIGN(auto record, dag::read_record(store, {date, dag.id, id + run.shard.suffix()}));
  const bool finished = record && (record->state == dag::TaskState::kSuccess ||
                                   (record->state == dag::TaskState::kSkipped && record->skipped_by.empty()));
  return finished && record->run_id == run.run_id ? std::move(record) : Done();
}

}  // namespace

Result<int> task(Context& context, const TaskOptions& options) {
  MAEIL_TRY(end_with_parent(options.parent));
  MAEIL_ASSIGN(const auto dag, find_dag(context.settings, options.dag));
  auto date = parse_date(std::string_view(options.logical_date).substr(0, 10));
  if (!date) return usage_error(fmt::format("--logical-date: {}", date.error().message));
  std::string id = options.task;
  const auto known = [&] {
    return std::any_of(dag.tasks.begin(), dag.tasks.end(), [&](const auto& t) { return t.id == id; });
  };
  if (!known() && options.attempt > 0) id = loop::retrain_task(options.attempt, options.task);
  if (!known())
    return usage_error(
        fmt::format("{} has no task '{}'; `maeil dag show {}` lists them", dag.id, id, dag.id));

  MAEIL_ASSIGN(store::Store & store, context.store());
  MAEIL_ASSIGN(const table::DatasetSpec& spec, context.spec());
  MAEIL_TRY(context.ready_rehearsal());
  loop::Day day{context.settings, spec, "calm", context.settings.data_quantity};
  // What the date was begun as. That a redo may deploy an older date's version is for the run of that redo
  // alone.
  MAEIL_ASSIGN(const auto request, loop::begun_as(store, *date));
  if (request) {
    day.rows = request->rows;
    day.scenario = request->scenario;
    day.file = request->file;
  }
  Progress progress;
  dag::RunOptions run;
  run.run_id = options.run_id;
  run.retries_left = std::max(0, options.retries_left);
  run.heartbeat = kHeartbeat;
  run.takes_over = true;  // who starts a task by name means it: Airflow knows that its last try is over
  MAEIL_ASSIGN(run.shard, parse_shard(options.shard));
  run.on_event = [&](const dag::Event& event) {
    if (event.kind == dag::Event::Kind::kProgress) progress.update(event.text, event.done, event.total);
    if (event.kind == dag::Event::Kind::kLog) note_task_line(event.text);
  };
  // Another machine may have deployed since this one's last task. Once a task is enough: not for each of its
  // shards.
  if (!run.shard.is_part()) {
    if (const std::string mended = loop::follow_registry(store, context.settings); !mended.empty())
      note_task_line(mended);
  }
  // Airflow tries again itself, with its own back-off.
  dag::DagSpec once = dag;
  for (auto& t : once.tasks) t.retries = 0;
  MAEIL_TRY(loop::describe_run(store, day, run));
  loop::tell_failures(store, run);
  MAEIL_ASSIGN(const auto done, done_in_an_earlier_try(store, dag, *date, id, options, run));
  MAEIL_TRY(dag::list_old_task_runs(store, loop::pipelines(context.settings)));
  if (!done) MAEIL_TRY(dag::note_task_begins(store, dag.id, *date, run.run_id, run.program));
  auto record = done ? Result<dag::TaskRecord>(*done)
                     : dag::execute_task(store, once, loop::make_tasks(day), *date, id, run, false);
  // What is listed as running is looked at again by whoever lists it: no reason to fail a task that is done.
  if (const Status noted = dag::note_task_ended(store, dag, *date, run.run_id); !noted)
    note_task_line("warning: " + noted.error().message);
  const bool part_failed = record && record->state == dag::TaskState::kFailed;  // no whole task may follow it
  if ((!run.shard.is_part() || part_failed) && record && dag::is_finished(record->state)) {
    for (const auto& line : loop::ring_alerts(store, day.settings, day.spec)) note_task_line(line);
    if (const std::string missed = loop::beat_after(store, day.settings, *date); !missed.empty())
      note_task_line(missed);
  }
  if (!run.shard.is_part()) keep_metrics_file(context);
  if (!record) {
    MAEIL_TRY(write_result(options.result, "failed", {}, record.error().message));
    return tl::make_unexpected(record.error());
  }
  const std::string message = record->error ? record->error->message : record->message;
  const std::string state(dag::to_string(
      record->state == dag::TaskState::kUpstreamFailed ? dag::TaskState::kFailed : record->state));
  MAEIL_TRY(write_result(options.result, state.c_str(), record->next, message));
  if (context.json)
    print_json({{"state", state}, {"next", record->next}, {"message", message}});
  else
    print_line(fmt::format("{}.{}  {}  {}", dag.id, id, state, message));
  switch (record->state) {
    case dag::TaskState::kSuccess:
      return 0;
    case dag::TaskState::kSkipped:
      return kSkipped;
    case dag::TaskState::kWaiting:
      return kNotYet;
    default:
      break;
  }
  if (record->error) return tl::make_unexpected(*record->error);
  // Without an error the failure is the task's own answer. A sensor's is final: what it waits for has failed.
  const bool sensor = dag::find_task(dag, id)->kind == dag::TaskKind::kSensor;
  return fail(sensor ? ErrorCode::kBadInput : ErrorCode::kIo, message);
}

Result<int> dag_list(Context& context) {
  std::vector<std::vector<std::string>> rows;
  auto list = store::Document::array();
  MAEIL_ASSIGN(const auto datasets, settings_of_all(context.settings));
  for (const auto& settings : datasets) {
    for (const auto& dag : loop::pipelines(settings)) {
      rows.push_back({dag.id, std::to_string(dag.tasks.size()), dag.description});
      list.push_back({{"dag_id", dag.id}, {"tasks", dag.tasks.size()}, {"description", dag.description}});
    }
  }
  if (context.json)
    print_json(list);
  else
    print_table({"DAG", "tasks", "what it does"}, rows);
  return 0;
}

Result<int> dag_show(Context& context, const DagOptions& options) {
  MAEIL_ASSIGN(const auto dag, find_dag(context.settings, options.dag));
  MAEIL_ASSIGN(store::Store & store, context.store_to_read());
  MAEIL_ASSIGN(const Days today, date_in_zone(now(), context.settings.time_zone));
  MAEIL_ASSIGN(const auto records, dag::read_records(store, today, dag.id));
  std::vector<std::vector<std::string>> rows;
  auto list = store::Document::array();
  for (const auto& task : dag.tasks) {
    const auto record = records.find(task.id);
    const std::string state(record == records.end() ? "-" : dag::to_string(record->second.state));
    rows.push_back({task.id, fmt::format("{}", fmt::join(task.upstream, ", ")), state, task.description});
    list.push_back({{"task_id", task.id},
                    {"upstream", task.upstream},
                    {"state", state},
                    {"description", task.description}});
  }
  if (context.json)
    print_json({{"dag_id", dag.id}, {"logical_date", format_date(today)}, {"tasks", list}});
  else
    print_table({"task", "after", format_date(today), "what it does"}, rows);
  return 0;
}

Result<int> dag_export(Context& context) {
  MAEIL_ASSIGN(const auto all, settings_of_all(context.settings));
  std::vector<dag::ExportedDataset> datasets;
  for (const auto& s : all) {
    datasets.push_back(
        {{s.dataset, s.schedule_time, s.time_zone, s.sensor_poke_interval, s.sensor_timeout, s.shards},
         loop::pipelines(s)});
  }
  MAEIL_ASSIGN(const auto document, dag::export_dags(datasets));
  print_json(document);
  return 0;
}

}  // namespace maeil::cli
