#include "dag/task_runs.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "dag/plan.h"
#include "store/field_rules.h"

namespace maeil::dag {
namespace {

using store::Document;
using store::text_field;
using Records = std::map<std::string, TaskRecord>;  // of one DAG and date; those of shards among them

constexpr const char* kMigrations = "migrations";
// The id of the document that says that list_old_task_runs is done.
const std::string& migration_id() {
  static const std::string id = store::task_object_id("runs of tasks in dag_runs", kMigrations, 0);
  return id;
}

constexpr std::chrono::minutes kFirstRecord{
    1};  // a run whose process lives has its first task's record by then

bool has_failed(const TaskRecord& record, Instant at) {
  return record.state == TaskState::kFailed || record.state == TaskState::kUpstreamFailed ||
         is_dead(record, at);
}

// Whether every task of the DAG has ended, or will never begin because of how others ended.
bool is_over(const DagSpec& dag, Records records) {
  for (const auto& task : dag.tasks) {  // upstreams come first
    TaskRecord& record = records[task.id];
    if (is_finished(record.state)) continue;
    const auto ended = [&](const std::string& id) { return is_finished(records[id].state); };
    const bool settled = std::ranges::all_of(task.upstream, ended);
    if (record.state != TaskState::kNone || !settled || decide(dag, task, records) == Decision::kRun)
      return false;
    record.state = TaskState::kSkipped;
  }
  return true;
}

const DagSpec* find_dag(const std::vector<DagSpec>& dags, std::string_view id) {
  const auto found = std::ranges::find(dags, id, &DagSpec::id);
  return found == dags.end() ? nullptr : &*found;
}

std::string run_document_id(Days date, const std::string& dag_id, const std::string& run_id) {
  return store::task_object_id(store::make_task_key(date, dag_id, run_id), kDagRuns, 0);
}

std::optional<Instant> instant_field(const Document& document, const char* name) {
  const auto instant = store::instant_of(document.value(name, Document()));
  return instant ? std::optional(*instant) : std::nullopt;
}

// The fields that say how a run stands. Its own tasks say until when it was: one that ran again since belongs
// to its last run.
Document standing(const Records& records, const std::string& run_id, std::optional<Instant> start,
                  TaskState state, const std::string& message) {
  std::vector<Instant> ends;
  for (const auto& [id, record] : records) {
    if (record.run_id == run_id && record.end) ends.push_back(*record.end);
  }
  Document end, duration;
  if (!ends.empty() && state != TaskState::kRunning) {
    const Instant last = std::ranges::max(ends);
    end = store::date_value(last);
    if (start) duration = std::chrono::duration<double>(last - *start).count();
  }
  return {{"state", to_string(state)},
          {"end_date", end},
          {"duration", duration},
          {"message", clean_text(message, 10000)}};
}

Document run_document(Days date, const std::string& dag_id, const std::string& run_id, Instant start) {
  return {{"_id", store::id_value(run_document_id(date, dag_id, run_id))},
          {"logical_date", format_date(date)},
          {"dag_id", dag_id},
          {"run_id", run_id},
          {"run_type", kTaskByTask},
          {"state", to_string(TaskState::kRunning)},
          {"start_date", store::date_value(start)},
          {"end_date", nullptr},
          {"duration", nullptr},
          {"message", ""},
          {"timestamp", store::date_value(now())}};
}

// Somebody else was quicker, and wrote the same or knows better.
Status unless_conflict(Status done) {
  return !done && done.error().code == ErrorCode::kConflict ? Status{} : done;
}

// What documents that say running really are. Remembers who holds the lock.
class Present {
 public:
  Present(store::Store& store, const std::vector<DagSpec>& dags) : store_(store), dags_(dags) {}

  Status mend(Document& run) {
    if (text_field(run, "state") != to_string(TaskState::kRunning)) return {};
    const auto date = parse_date(text_field(run, "logical_date"));
    const std::string dag_id = text_field(run, "dag_id");
    if (!date) return {};
    const bool by_task = text_field(run, "run_type") == kTaskByTask;
    if (!by_task) {
      MAEIL_ASSIGN(const bool held, holds_lock(run));
      if (held) return {};
      // It may have ended, and given the lock up, since it was read.
      store::FindOptions again;
      again.filter = {{"_id", run.value("_id", Document())}};
      MAEIL_ASSIGN(Document present, store_.find_one(kDagRuns, again));
      if (present.is_object() && text_field(present, "state") != to_string(TaskState::kRunning)) {
        run = std::move(present);
        return {};
      }
    }
    MAEIL_ASSIGN(const Records records, read_records(store_, *date, dag_id));
    MAEIL_ASSIGN(const Instant at, store_.time());
    auto [state, message] = state_of_date(find_dag(dags_, dag_id), records, at);
    const auto start = instant_field(run, "start_date");
    if (!by_task) {
      message = state == TaskState::kSuccess ? "its process died after the last task" : "its process died";
      if (state != TaskState::kSuccess) state = TaskState::kFailed;
    } else if (records.empty()) {
      const bool died = start && *start + kFirstRecord < at;
      state = died ? TaskState::kFailed : TaskState::kRunning;
      message = died ? "its process died before its first task" : "";
    }
    run.update(standing(records, text_field(run, "run_id"), start, state, message));
    return {};
  }

  // Of a run whose document does not say by whom it is (an older maeil's): whether anybody holds it.
  Result<bool> holds_lock(const Document& run) {
    if (!asked_) {
      MAEIL_ASSIGN(holder_, store_.lock_holder("runner"));
      asked_ = true;
    }
    if (!holder_) return false;
    const auto pid = run.find("pid");
    if (pid == run.end() || !pid->is_number_integer()) return true;
    return std::to_string(pid->get<int64_t>()) == holder_->pid &&
           text_field(run, "hostname") == holder_->host;
  }

 private:
  store::Store& store_;
  const std::vector<DagSpec>& dags_;
  bool asked_ = false;
  std::optional<store::LockHolder> holder_;
};

std::string run_key(const std::string& date, const std::string& dag_id, const std::string& run_id) {
  return fmt::format("{}/{}/{}", date, dag_id, run_id);
}

// The documents that dag_runs should have beside those that it has, by the records alone.
Result<std::vector<Document>> missing_task_runs(store::Store& store, const std::vector<DagSpec>& dags) {
  std::set<std::string> known;
  store::FindOptions ids;
  ids.projection = {"logical_date", "dag_id", "run_id"};
  MAEIL_TRY(store.find_each(kDagRuns, ids, [&](Document&& run) {
    known.insert(
        run_key(text_field(run, "logical_date"), text_field(run, "dag_id"), text_field(run, "run_id")));
    return true;
  }));
  std::map<std::pair<std::string, std::string>, Records> dates;  // by logical date and DAG
  store::FindOptions fields;
  fields.projection = {"logical_date", "dag_id",   "task_id",      "run_id",      "state",  "next",
                       "start_date",   "end_date", "retries_left", "alive_until", "message"};
  fields.filter = {{"pruned", {{"$exists", false}}}};
  MAEIL_TRY(store.find_each(kTaskInstances, fields, [&](Document&& document) {
    TaskRecord record = record_from(document);
    const std::string id = record.task_id;
    dates[{text_field(document, "logical_date"), text_field(document, "dag_id")}][id] = std::move(record);
    return true;
  }));
  MAEIL_ASSIGN(const Instant at, store.time());
  std::vector<Document> out;
  for (const auto& [name, records] : dates) {
    const auto date = parse_date(name.first);
    if (!date) continue;
    const auto [state, message] = state_of_date(find_dag(dags, name.second), records, at);
    std::map<std::string, Instant> starts;  // by run
    for (const auto& [id, record] : records) {
      if (record.state == TaskState::kNone || known.contains(run_key(name.first, name.second, record.run_id)))
        continue;
      const Instant start = record.start.value_or(record.end.value_or(Instant{}));
      const auto [begun, first] = starts.try_emplace(record.run_id, start);
      if (!first) begun->second = std::min(begun->second, start);
    }
    for (const auto& [run_id, start] : starts) {
      out.push_back(run_document(*date, name.second, run_id, start));
      out.back().update(standing(records, run_id, start, state, message));
    }
  }
  return out;
}

Result<bool> old_runs_are_listed(store::Store& store) {
  store::FindOptions by_id;
  by_id.filter = {{"_id", store::id_value(migration_id())}};
  MAEIL_ASSIGN(const Document done, store.find_one(kMigrations, by_id));
  return !done.is_null();
}

}  // namespace

std::pair<TaskState, std::string> state_of_date(const DagSpec* dag, const Records& records, Instant at) {
  const auto failed =
      std::ranges::find_if(records, [&](const auto& item) { return has_failed(item.second, at); });
  if (failed != records.end())
    return {TaskState::kFailed, fmt::format("{}: {}", failed->first, failed->second.message)};
  const bool all_ended = std::ranges::all_of(records, [](const auto& item) {
    return item.second.state == TaskState::kNone || is_finished(item.second.state);
  });
  return {all_ended && (!dag || is_over(*dag, records)) ? TaskState::kSuccess : TaskState::kRunning, ""};
}

Result<RunList> list_runs(store::Store& store, const std::vector<DagSpec>& dags, const RunQuery& query) {
  store::FindOptions find;
  if (query.from) find.filter["logical_date"]["$gte"] = format_date(*query.from);
  if (query.to) find.filter["logical_date"]["$lte"] = format_date(*query.to);
  // Of dates long ago an index in the order of starting would pass by all that ran since.
  const bool by_date = query.from || query.to;
  if (by_date) find.sort = {{"logical_date", -1}};
  find.sort.emplace_back("start_date", -1);
  const std::string running(to_string(TaskState::kRunning));
  std::vector<Document> found;
  Present present(store, dags);
  const auto matches = [&](const Document& run) {
    const std::string date = text_field(run, "logical_date");
    return (query.state.empty() || text_field(run, "state") == query.state) &&
           (!query.from || date >= format_date(*query.from)) && (!query.to || date <= format_date(*query.to));
  };
  if (!query.state
           .empty()) {  // what says running may be something else by now; the few that do are all looked at
    store::FindOptions open = find;
    open.filter["state"] = running;
    MAEIL_ASSIGN(found, store.find(kDagRuns, open));
    for (auto& run : found) MAEIL_TRY(present.mend(run));
    std::erase_if(found, [&](const Document& run) { return !matches(run); });
  }
  if (query.state != running) {
    if (!query.state.empty()) find.filter["state"] = query.state;
    find.limit = query.limit > 0 ? query.limit + 1 : 0;
    MAEIL_ASSIGN(auto ended, store.find(kDagRuns, find));
    std::ranges::move(ended, std::back_inserter(found));
  }
  MAEIL_ASSIGN(const bool listed, old_runs_are_listed(store));
  if (!listed) {
    MAEIL_ASSIGN(auto old, missing_task_runs(store, dags));
    std::erase_if(old, [&](const Document& run) { return !matches(run); });
    std::ranges::move(old, std::back_inserter(found));
  }
  const auto place = [&](const Document& run) {
    return std::pair(by_date ? text_field(run, "logical_date") : "",
                     instant_field(run, "start_date").value_or(Instant{}));
  };
  std::ranges::stable_sort(found, std::ranges::greater{}, place);
  RunList out;
  out.more = query.limit > 0 && static_cast<int64_t>(found.size()) > query.limit;
  if (out.more) found.resize(static_cast<size_t>(query.limit));
  for (auto& run : found) MAEIL_TRY(present.mend(run));
  out.runs = std::move(found);
  return out;
}

Result<bool> is_going_on(store::Store& store, const std::vector<DagSpec>& dags, const std::string& field,
                         const std::string& value) {
  store::FindOptions of_run;
  of_run.filter = {{field, value}};
  MAEIL_ASSIGN(auto found, store.find(kDagRuns, of_run));
  // The newest of all: the built-in runner has the lock between two DAGs of a day, too, and for the next
  // day's runs.
  store::FindOptions newest;
  newest.sort = {{"start_date", -1}};
  newest.limit = 1;
  MAEIL_ASSIGN(const Document last, store.find_one(kDagRuns, newest));
  Present present(store, dags);
  if (last.is_object() && text_field(last, field.c_str()) == value &&
      text_field(last, "run_type") != kTaskByTask) {
    MAEIL_ASSIGN(const bool held, present.holds_lock(last));
    if (held) return true;
  }
  for (auto& run : found) {
    MAEIL_TRY(present.mend(run));
    if (text_field(run, "state") == to_string(TaskState::kRunning)) return true;
  }
  return false;
}

Status note_task_begins(store::Store& store, const std::string& dag_id, Days logical_date,
                        const std::string& run_id, const Document& program) {
  const std::string id = run_document_id(logical_date, dag_id, run_id);
  store::FindOptions by_id;
  by_id.filter = {{"_id", store::id_value(id)}};
  MAEIL_ASSIGN(const Document found, store.find_one(kDagRuns, by_id));
  store::Batch batch;
  if (found.is_null()) {
    Document run = run_document(logical_date, dag_id, run_id, now());
    if (!program.is_null()) run["program"] = program;
    batch.expects.push_back({kDagRuns, id, Document()});
    batch.puts.push_back({kDagRuns, std::move(run)});
  } else {
    const std::string state = text_field(found, "state");
    if (text_field(found, "run_type") != kTaskByTask || state == to_string(TaskState::kRunning)) return {};
    batch.expects.push_back({kDagRuns, id, {{"state", state}}});
    batch.sets.push_back({kDagRuns,
                          id,
                          {{"state", to_string(TaskState::kRunning)},
                           {"end_date", nullptr},
                           {"duration", nullptr},
                           {"message", ""}}});
  }
  return unless_conflict(store.commit(batch));
}

Status note_task_ended(store::Store& store, const DagSpec& dag, Days logical_date,
                       const std::string& run_id) {
  MAEIL_ASSIGN(const Records records, read_records(store, logical_date, dag.id));
  MAEIL_ASSIGN(const Instant at, store.time());
  const auto [state, message] = state_of_date(&dag, records, at);
  if (state == TaskState::kRunning) return {};
  const std::string running(to_string(TaskState::kRunning));
  store::FindOptions of_date;
  of_date.filter = {
      {"logical_date", format_date(logical_date)}, {"dag_id", dag.id}, {"run_type", kTaskByTask}};
  MAEIL_ASSIGN(const auto runs, store.find(kDagRuns, of_date));
  for (const auto& run : runs) {
    // Those that are open, and this task's own: another worker may have seen the date as over before this
    // task began.
    const std::string before = text_field(run, "state");
    if (before != running && (text_field(run, "run_id") != run_id || before == to_string(state))) continue;
    const std::string id = store::id_text(run.value("_id", Document()));
    store::Batch batch;
    batch.expects.push_back({kDagRuns, id, {{"state", before}}});
    batch.sets.push_back(
        {kDagRuns, id,
         standing(records, text_field(run, "run_id"), instant_field(run, "start_date"), state, message)});
    MAEIL_TRY(unless_conflict(store.commit(batch)));
  }
  return {};
}

Status list_old_task_runs(store::Store& store, const std::vector<DagSpec>& dags) {
  MAEIL_ASSIGN(const bool listed, old_runs_are_listed(store));
  if (listed) return {};
  MAEIL_ASSIGN(auto missing, missing_task_runs(store, dags));
  for (size_t at = 0; at < missing.size(); ++at) {
    // Each on its own, and only where there is none: other workers begin runs meanwhile.
    store::Batch batch;
    batch.expects.push_back({kDagRuns, store::id_text(missing[at].value("_id", Document())), Document()});
    batch.puts.push_back({kDagRuns, std::move(missing[at])});
    MAEIL_TRY(unless_conflict(store.commit(batch)));
  }
  store::Batch done;
  done.puts.push_back({kMigrations,
                       {{"_id", store::id_value(migration_id())},
                        {"name", "runs of tasks in dag_runs"},
                        {"timestamp", store::date_value(now())}}});
  return store.commit(done);
}

}  // namespace maeil::dag
