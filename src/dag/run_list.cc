#include "dag/run_list.h"

#include <algorithm>
#include <map>
#include <utility>

#include "dag/dag_run.h"
#include "dag/dag_state.h"
#include "dag/old_task_runs.h"
#include "store/field_rules.h"

namespace maeil::dag {
namespace {

using store::Document;
using store::text_field;

constexpr std::chrono::minutes kFirstRecord{
    1};  // a run whose process lives has its first task's record by then

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
    MAEIL_ASSIGN(const auto records, read_records(store_, *date, dag_id));
    MAEIL_ASSIGN(const Instant at, store_.time());
    auto [state, message] = state_of_date(find_dag(dags_, dag_id), records, at);
    const auto start = start_of(run);
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

}  // namespace

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
  MAEIL_ASSIGN(auto old, old_task_runs(store, dags));
  std::erase_if(old, [&](const Document& run) { return !matches(run); });
  std::ranges::move(old, std::back_inserter(found));
  const auto place = [&](const Document& run) {
    return std::pair(by_date ? text_field(run, "logical_date") : "", start_of(run).value_or(Instant{}));
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

}  // namespace maeil::dag
