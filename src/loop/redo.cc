#include "loop/redo.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "dag/claim.h"
#include "dag/task_history.h"
#include "loop/day_file.h"
#include "loop/pipelines.h"
#include "loop/source.h"
#include "loop/verdict_record.h"
#include "loop/wait_for_source.h"
#include "registry/audit.h"
#include "store/certain_commit.h"

namespace maeil::loop {
namespace {

using dag::TaskRecord;
using dag::TaskState;

constexpr const char* kGenerateData = "generate_data";

// Done by itself: a task that the runner skipped, or that failed before it did anything, has nothing to do
// again.
bool was_done(const TaskRecord& record) {
  return record.state == TaskState::kSuccess || record.state == TaskState::kFailed ||
         (record.state == TaskState::kSkipped && record.skipped_by.empty());
}

struct Start {
  size_t dag = 0;
  std::string task;
};

// The first task of the date that was done: an older maeil's dates had fewer.
Result<Start> first_start(store::Store& store, Days date, const dag::DagSpec& first) {
  MAEIL_ASSIGN(const auto records, dag::read_records(store, date, first.id));
  for (const auto& task : first.tasks) {
    const auto record = records.find(task.id);
    if (record != records.end() && was_done(record->second)) return Start{0, task.id};
  }
  return Start{0, first.tasks.front().id};
}

// The task that `from` names; of a group its first.
Result<Start> find_start(const std::vector<dag::DagSpec>& dags, const std::string& from) {
  std::vector<std::string> ids;
  for (size_t d = 0; d < dags.size(); ++d) {
    const std::string prefix = dags[d].id + ".";
    const std::string wanted = from.starts_with(prefix) ? from.substr(prefix.size()) : from;
    for (const auto& task : dags[d].tasks) {
      if (task.id == wanted || task.id.starts_with(wanted + ".")) return Start{d, task.id};
      ids.push_back(task.id);
    }
  }
  return usage_error(
      fmt::format("--from {}: there is no such task; there are {}", from, fmt::join(ids, ", ")));
}

// What the settings of now say otherwise than the date's raw data: rows that are drawn again are others then.
Result<std::vector<std::string>> what_rows_differ_in(store::Store& store, const Settings& settings,
                                                     Days date) {
  store::FindOptions present;
  present.filter = {{"logical_date", format_date(date)}, {"superseded_by", {{"$exists", false}}}};
  MAEIL_ASSIGN(const store::Document raw, store.find_one("raw_data", present));
  std::vector<std::string> out;
  if (raw.is_null()) return out;
  const auto seed = raw.find("seed"), source = raw.find("source");
  if (seed != raw.end() && *seed != store::Document(settings.seed))
    out.push_back(fmt::format("the rows will be drawn with SEED {}, they were drawn with {}", settings.seed,
                              seed->dump()));
  if (source == raw.end() || !source->is_string()) return out;
  // What is wrong with a file is the task's to find and to record.
  const auto opened = open_source(day_source(settings));
  if (opened && opened->description != source->get<std::string>())
    out.push_back(fmt::format("the rows will be drawn from {}, they were drawn from {}", opened->description,
                              source->get<std::string>()));
  return out;
}

}  // namespace

Result<RedoPlan> plan_redo(store::Store& store, const Settings& settings, const table::DatasetSpec& spec,
                           Days date, const RedoOptions& options) {
  const auto dags = pipelines(settings);
  MAEIL_ASSIGN(const Start start, options.from.empty() ? first_start(store, date, dags.front())
                                                       : find_start(dags, options.from));
  MAEIL_ASSIGN(const auto recorded, begun_as(store, date));
  if (!recorded)
    return not_found(
        fmt::format("{} was never run: `maeil run --date {}` runs it", format_date(date), format_date(date)));

  RedoPlan plan;
  plan.from = dags[start.dag].id + "." + start.task;
  for (size_t d = start.dag; d < dags.size(); ++d) {
    MAEIL_ASSIGN(const auto records, dag::read_records(store, date, dags[d].id));
    std::vector<std::string> tasks;
    if (d == start.dag) {
      tasks = dag::followers_of(dags[d], {start.task});
      tasks.insert(tasks.begin(), start.task);
      const auto first = records.find(start.task);
      if (first == records.end() || !was_done(first->second)) {
        return usage_error(fmt::format(
            "--from {}: {} was not done on {} ({}): `maeil logs {}` shows what was", options.from, plan.from,
            format_date(date), first == records.end() ? "it never ran" : dag::to_string(first->second.state),
            format_date(date)));
      }
    } else {
      for (const auto& task : dags[d].tasks) tasks.push_back(task.id);
    }
    std::erase_if(tasks, [&](const std::string& id) {
      const auto record = records.find(id);
      return record == records.end() || !was_done(record->second);
    });
    if (!tasks.empty()) plan.tasks.emplace_back(dags[d].id, std::move(tasks));
  }

  const bool draws = start.dag == 0 && (start.task == kWaitForSource || start.task == kGenerateData);
  if (!draws && (options.asked.rows || options.asked.scenario || options.asked.file)) {
    return usage_error(fmt::format(
        "--rows, --scenario and --in are for rows that are made again: leave out --from, or take --from {}",
        kGenerateData));
  }
  plan.request = {recorded->number + 1, options.asked.rows.value_or(recorded->rows),
                  options.asked.scenario.value_or(recorded->scenario), options.deploy_older,
                  options.asked.file.value_or(recorded->file)};
  if (draws) {
    MAEIL_TRY(check_request(settings, spec, plan.request));
    if (options.asked.file) MAEIL_TRY(choose_date(settings, *options.asked.file, spec, date));
    if (plan.request.file.empty() && settings.day_data.empty()) {
      MAEIL_ASSIGN(plan.notes, what_rows_differ_in(store, settings, date));
    }
  }
  MAEIL_ASSIGN(const auto newest, newest_verdict(store));
  if (newest && *newest > date) plan.newer = newest;
  return plan;
}

Status begin_redo(store::Store& store, const Settings& settings, const table::DatasetSpec& spec, Days date,
                  const RedoOptions& options, const dag::RunOptions& run) {
  MAEIL_ASSIGN(const auto lock, dag::lock_runner(store, run));
  MAEIL_ASSIGN(const RedoPlan plan, plan_redo(store, settings, spec, date, options));
  const auto dags = pipelines(settings);
  store::Batch batch;
  batch.puts.push_back(request_document(store, date, plan.request, plan.from, run.run_id));
  batch.puts.push_back(registry::audit_entry({.act = "redo",
                                              .what = fmt::format("{} from {}", format_date(date), plan.from),
                                              .to = {{"rows", plan.request.rows},
                                                     {"scenario", plan.request.scenario},
                                                     {"deploy_older", plan.request.deploy_older}},
                                              .run_id = run.run_id},
                                             now()));
  const std::string message = fmt::format("redo from {}", plan.from);
  MAEIL_ASSIGN(const Instant at, store.time());
  bool reached = false;
  for (const auto& dag : dags) {
    const bool first = !reached && plan.from.starts_with(dag.id + ".");
    if (!first && !reached) continue;
    reached = true;
    const std::string start = first ? plan.from.substr(dag.id.size() + 1) : "";
    const auto following = dag::followers_of(dag, {start});
    MAEIL_ASSIGN(const auto documents, dag::record_documents(store, date, dag.id));
    for (const auto& document : documents) {
      const TaskRecord record = dag::record_from(document);
      const std::string whole(dag::whole_task_id(record.task_id));
      if (first && whole != start && std::ranges::find(following, whole) == following.end()) continue;
      if (dag::is_claimed(record, at)) {
        return fail(
            ErrorCode::kConflict,
            fmt::format("{}.{} of {} is running elsewhere, or will be tried again there: wait for its end",
                        dag.id, record.task_id, format_date(date)));
      }
      dag::take_back(document, message, batch);
    }
  }
  // The request is this redo's own: when it is there, all of it is.
  const auto is_there = [&]() -> Result<bool> {
    store::FindOptions own;
    own.filter = {{"_id", batch.puts.front().document.at("_id")}, {"run_id", run.run_id}};
    MAEIL_ASSIGN(const store::Document found, store.find_one(batch.puts.front().collection, own));
    return !found.is_null();
  };
  MAEIL_ASSIGN(const Status done,
               store::commit_for_certain(
                   store, batch, is_there,
                   fmt::format("`maeil run --date {}` goes on from what is recorded", format_date(date))));
  return done;
}

}  // namespace maeil::loop
