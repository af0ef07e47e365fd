#include "dag/execute.h"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <new>
#include <optional>
#include <stop_token>
#include <thread>

#include "dag/claim.h"
#include "dag/task_history.h"
#include "dag/task_log.h"
#include "store/certain_commit.h"

namespace maeil::dag {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

bool is_cancelled(const RunOptions& options) { return options.cancelled && options.cancelled->load(); }

// The function's answer; an exception of a library becomes an error.
Result<TaskOutcome> call(const TaskFunction& function, TaskContext& context) {
  try {
    return function(context);
  } catch (const std::bad_alloc&) {
    return io_error("not enough memory");
  } catch (const std::exception& error) {
    return internal_error(fmt::format("an exception left the task: {}", error.what()));
  } catch (...) {
    return internal_error("an exception of an unknown kind left the task");
  }
}

// Says in the record of a task, until it is destroyed, that the process lives. A beat that cannot be written
// is left out.
class Heartbeat {
 public:
  Heartbeat(store::Store& store, store::Batch::Expect own_try, milliseconds interval)
      : thread_([&store, own_try = std::move(own_try), interval](const std::stop_token& stop) {
          std::mutex mutex;
          std::condition_variable_any wake;
          std::unique_lock lock(mutex);
          while (!wake.wait_for(lock, stop, interval, [&] { return stop.stop_requested(); })) {
            const auto at = store.time();
            if (!at) continue;
            store::Batch batch;
            batch.expects.push_back(own_try);
            const auto until = store::date_value(*at + kHeartbeatsMissed * interval);
            batch.sets.push_back({kTaskInstances, own_try.id, {{"alive_until", until}}});
            (void)store.commit(batch);
          }
        }) {}

 private:
  std::jthread thread_;
};

bool may_retry(const Error& error) {
  return exit_code(error.code) == 1 && error.code != ErrorCode::kCancelled &&
         error.code != ErrorCode::kFailed;
}

// One execution of one task: its name, its record in the making, and where its words go.
class Execution {
 public:
  Execution(store::Store& store, const DagSpec& dag, const TaskSpec& task, TaskFunction function,
            Days logical_date, const RunOptions& options)
      : store_(store),
        dag_(dag),
        task_(task),
        function_(std::move(function)),
        options_(options),
        name_{logical_date, dag.id, task.id + options.shard.suffix()} {}

  Result<TaskRecord> run(bool wait) {
    for (int tries = 1;; ++tries) {
      MAEIL_TRY(begin_try());
      auto answer = ask(wait);
      if (answer && answer->state == TaskState::kWaiting) return record_;
      Status done = answer ? Status() : Status(tl::unexpected<Error>(answer.error()));
      if (answer) {
        MAEIL_ASSIGN(done, finish(std::move(*answer)));
      }
      if (done) return record_;
      if (done.error().code == ErrorCode::kConflict) MAEIL_TRY(still_ours(done.error()));
      const bool again =
          may_retry(done.error()) && !gave_up_ && tries <= task_.retries && !is_cancelled(options_);
      MAEIL_TRY(fail_try(done.error(), again || (may_retry(done.error()) && options_.retries_left > 0)));
      if (!again) {
        finished();
        return record_;
      }
      event(Event::Kind::kTaskRetried, done.error().message);
      if (!sleep_unless_cancelled(options_.retry_delay * (1 << std::min(tries - 1, 10)),
                                  options_.cancelled)) {
        finished();
        return record_;
      }
    }
  }

 private:
  // Begins a try; again when the record changed between its reading and its writing (another process ended or
  // began it).
  Status begin_try() {
    constexpr int kTimes = 10;
    for (int times = 1;; ++times) {
      const Status begun = begin_try_once();
      if (begun || begun.error().code != ErrorCode::kConflict || times == kTimes) return begun;
    }
  }

  // The record's new try, with what an earlier try had set on it beside the runner's own fields. kConflict:
  // the record is no more what was read.
  Status begin_try_once() {
    store::FindOptions by_id;
    by_id.filter = {{"_id", store::id_value(record_id(name_))}};
    MAEIL_ASSIGN(store::Document document, store_.find_one(kTaskInstances, by_id));
    const TaskRecord before = document.is_null() ? TaskRecord{} : record_from(document);
    MAEIL_ASSIGN(const Instant at, store_.time());
    // the try before, of this very execution
    const bool ours = !record_.try_id.empty() && before.try_id == record_.try_id;
    if (!options_.takes_over && !ours && is_claimed(before, at)) return claimed_by(name_, document);
    // a sensor that is asked again
    const bool goes_on =
        before.state == TaskState::kWaiting && before.run_id == options_.run_id && !before.try_id.empty();
    record_ = TaskRecord{};
    record_.task_id = name_.task_id;
    record_.attempt = task_.attempt;
    record_.run_id = options_.run_id;
    record_.state = goes_on ? TaskState::kWaiting : TaskState::kRunning;
    record_.try_number = before.try_number + (goes_on ? 0 : 1);
    record_.completions = completions_before_ = before.completions;
    record_.result = before.result;
    record_.try_id = goes_on ? before.try_id : store::new_object_id(now());
    record_.start = goes_on ? before.start : now();
    if (options_.heartbeat > milliseconds{0}) {
      record_.retries_left = options_.retries_left;
      record_.alive_until = at + kHeartbeatsMissed * options_.heartbeat;
    }
    LogPlace place;
    if (goes_on) {
      MAEIL_ASSIGN(place, end_of_log(store_, name_, record_.try_number));
    }
    log_.emplace(store_, name_, record_.try_number, options_.run_id, place);
    if (!goes_on) {
      store::Batch batch;
      batch.expects.push_back(as_read(document));
      if (document.is_null())
        document = {{"_id", store::id_value(record_id(name_))}};
      else
        keep_in_history(document, batch);
      document.erase("pruned");  // by the retention of history: what follows is new
      document.update(record_fields(name_, record_));
      if (!options_.program.is_null()) document["program"] = options_.program;
      batch.puts.push_back({kTaskInstances, std::move(document)});
      MAEIL_TRY(take_back_followers(batch));
      MAEIL_ASSIGN(const Status begun, commit(batch));
      if (!begun) return begun;
    }
    recorded_state_ = record_.state;
    event(Event::Kind::kTaskStarted, task_.description);
    return {};
  }

  // The record is still the one that was read; null: there is still none.
  store::Batch::Expect as_read(const store::Document& document) const {
    store::Document fields;
    if (!document.is_null()) {
      for (const char* field : {"try_id", "completions", "state"})
        fields[field] = document.value(field, store::Document());
    }
    return {kTaskInstances, record_id(name_), std::move(fields)};
  }

  // Records of what follows this task, parts of shards included; of the task itself the parts of another
  // count, and when a part runs, the whole.
  Status take_back_followers(store::Batch& batch) const {
    MAEIL_ASSIGN(const auto documents, record_documents(store_, name_.logical_date, dag_.id));
    const auto following = followers_of(dag_, {task_.id});
    const std::string same_count = fmt::format("/{}]", options_.shard.count);
    for (const auto& document : documents) {
      const std::string id = record_from(document).task_id;
      const std::string_view whole = whole_task_id(id);
      const bool is_part = whole.size() < id.size();
      const bool own = whole == task_.id && (is_part ? options_.shard.count == 1 || !id.ends_with(same_count)
                                                     : options_.shard.is_part());
      if (own || std::ranges::find(following, whole) != following.end())
        take_back(document, fmt::format("{} runs again", task_.id), batch);
    }
    return {};
  }

  // The function's outcome; for a sensor that shall be waited for, the first that is not kWaiting.
  Result<TaskOutcome> ask(bool wait) {
    const auto deadline = steady_clock::now() + options_.sensor_timeout;
    for (bool asked_before = record_.state == TaskState::kWaiting;; asked_before = true) {
      TaskContext context{
          store_,
          name_.logical_date,
          options_.run_id,
          name_.dag_id,
          task_.id,
          task_.attempt,
          record_.try_number,
          options_.shard,
          [this](std::string_view line) { log_line(line); },
          [this](std::string_view what, uint64_t done, uint64_t total) { progress(what, done, total); },
          asked_before};
      context.completions = record_.completions;
      context.earlier_result = record_.result;
      context.fence = [this](store::Batch& batch) {
        batch.expects.push_back(own_try());
        batch.sets.push_back({kTaskInstances, record_id(name_), {{"timestamp", store::date_value(now())}}});
      };
      MAEIL_ASSIGN(TaskOutcome outcome, call_alive(context));
      MAEIL_TRY(check(outcome));
      if (outcome.state != TaskState::kWaiting) return outcome;
      MAEIL_TRY(note_waiting(outcome.message));
      if (!wait) return outcome;
      event(Event::Kind::kSensorWaiting, outcome.message);
      const auto left = std::chrono::duration_cast<milliseconds>(deadline - steady_clock::now());
      if (left <= milliseconds{0}) {
        gave_up_ = true;
        return fail(
            ErrorCode::kUnavailable,
            fmt::format("waited {:.0f} s (SENSOR_TIMEOUT) in vain: {}",
                        std::chrono::duration<double>(options_.sensor_timeout).count(), outcome.message));
      }
      if (!sleep_unless_cancelled(std::min(options_.poke_interval, left), options_.cancelled)) {
        return fail(ErrorCode::kCancelled,
                    fmt::format("stopped by a signal while waiting: {}", outcome.message));
      }
    }
  }

  Result<TaskOutcome> call_alive(TaskContext& context) {
    std::optional<Heartbeat> heartbeat;
    if (options_.heartbeat > milliseconds{0}) heartbeat.emplace(store_, own_try(), options_.heartbeat);
    return call(function_, context);
  }

  Status check(const TaskOutcome& outcome) const {
    const bool known = outcome.state == TaskState::kSuccess || outcome.state == TaskState::kSkipped ||
                       outcome.state == TaskState::kFailed ||
                       (outcome.state == TaskState::kWaiting && task_.kind == TaskKind::kSensor);
    if (!known)
      return internal_error(fmt::format("the task answered with state {}", to_string(outcome.state)));
    if (task_.kind != TaskKind::kBranch && !outcome.next.empty())
      return internal_error("the task chose what follows but is no branch");
    const auto downstream = downstream_of(dag_, task_.id);
    for (const auto& id : outcome.next) {
      if (std::ranges::find(downstream, id) == downstream.end())
        return internal_error(fmt::format("the branch chose \"{}\", which does not follow it", id));
    }
    return {};
  }

  Status note_waiting(const std::string& message) {
    if (record_.state == TaskState::kWaiting && record_.message == message) return {};
    record_.state = TaskState::kWaiting;
    record_.message = message;
    store::Batch batch;
    batch.expects.push_back(own_try());
    batch.sets.push_back(set());
    MAEIL_ASSIGN(const Status noted, commit(batch));
    if (noted) recorded_state_ = record_.state;
    return noted;
  }

  // The batch, the record and the log in one step. What the task wrote when it was finished before stays: see
  // link_to_earlier. An error outside: nobody knows whether the step was done, so nothing is said about the
  // task.
  Result<Status> finish(TaskOutcome&& outcome) {
    const auto held = std::move(outcome.lock);
    const TaskRecord before = record_;
    record_.state = outcome.state;
    record_.message = outcome.message;
    record_.next = std::move(outcome.next);
    record_.result = std::move(outcome.result);
    if (outcome.state == TaskState::kFailed) record_.error = std::move(outcome.error);
    // what failed is repeated under the same ids
    if (outcome.state != TaskState::kFailed) ++record_.completions;
    note_end();
    store::Batch batch = std::move(outcome.batch);
    Status done = link_to_earlier(store_, name_, before.completions, batch);
    if (done) {
      batch.expects.push_back(own_try());
      batch.sets.push_back(set());
      log_->finish(batch);
      if (record_.state == TaskState::kFailed) note_failure(batch);
      MAEIL_ASSIGN(done, commit(batch));
    }
    if (!done) {
      record_ = before;
      return done;
    }
    finished();
    return Status();
  }

  // A batch that leaves the record as `record_` is; as commit_for_certain.
  Result<Status> commit(const store::Batch& batch) const {
    const auto is_there = [this]() -> Result<bool> {
      MAEIL_ASSIGN(const auto found, read_record(store_, name_));
      return found && found->try_id == record_.try_id && found->state == record_.state &&
             found->completions == record_.completions;
    };
    auto done = store::commit_for_certain(
        store_, batch, is_there,
        fmt::format("`maeil logs {}` shows what is recorded", format_date(name_.logical_date)));
    if (!done) return with_context(fmt::format("{}.{}", name_.dag_id, name_.task_id), done.error());
    return done;
  }

  Status fail_try(const Error& error, bool another_follows) {
    log_->add("error: " + error.message);
    record_.state = another_follows ? TaskState::kUpForRetry : TaskState::kFailed;
    record_.message = error.message;
    record_.error = error;
    note_end();
    // Whoever called will try again: until then the task is his (claim.h).
    if (const auto at = store_.time(); at && another_follows && options_.retries_left > 0) {
      record_.retries_left = options_.retries_left;
      record_.alive_until = *at + kNextTryExpected;
    }
    store::Batch batch;
    batch.expects.push_back(own_try());
    batch.sets.push_back(set());
    log_->finish(batch);
    if (!another_follows) note_failure(batch);
    const auto done = commit(batch);
    if (!done) return with_context(error.message, done.error());
    if (!*done) return with_context(error.message + "; and this could not be recorded", done->error());
    return {};
  }

  // A task's own answer is tried again by who called, as an error of it is. A sensor's own answer is about
  // another task, whose failure was noted.
  void note_failure(store::Batch& batch) const {
    const auto& error = record_.error;
    const bool is_tried_again = options_.retries_left > 0 && (!error || may_retry(*error));
    const bool is_anothers = !error && task_.kind == TaskKind::kSensor;
    const bool was_cancelled = error && error->code == ErrorCode::kCancelled;
    if (options_.on_failure && !is_tried_again && !is_anothers && !was_cancelled)
      options_.on_failure(name_, record_, batch);
  }

  void note_end() {
    record_.end = now();
    record_.retries_left = 0;
    record_.alive_until.reset();
  }

  // What every commit of this try expects: a process that was paused, or outlived whoever started it, writes
  // nothing once the task has been taken up again, and nothing once the try is finished, though it may not
  // know: a commit that arrives after the try was given up for failed finds another state.
  store::Batch::Expect own_try() const {
    return {kTaskInstances,
            record_id(name_),
            {{"try_id", record_.try_id},
             {"completions", completions_before_},
             {"state", to_string(recorded_state_)}}};
  }

  // Says so when a commit was refused because the task is another try's now.
  Status still_ours(const Error& refused) const {
    MAEIL_ASSIGN(const auto record, read_record(store_, name_));
    if (record && record->try_id == record_.try_id) return {};
    return fail(
        ErrorCode::kConflict,
        fmt::format("{} was taken up by another try meanwhile: what this one (try {}) made was dropped ({})",
                    name_.task_id, record_.try_number, refused.message));
  }

  store::Batch::Set set() const { return {kTaskInstances, record_id(name_), record_fields(name_, record_)}; }

  void finished() {
    Event told = about(Event::Kind::kTaskFinished, record_.message);
    told.state = record_.state;
    told.seconds = std::chrono::duration<double>(*record_.end - *record_.start).count();
    tell(told);
  }

  void log_line(std::string_view line) { event(Event::Kind::kLog, log_->add(line)); }

  void progress(std::string_view what, uint64_t done, uint64_t total) {
    Event told = about(Event::Kind::kProgress, std::string(what));
    told.done = done;
    told.total = total;
    tell(told);
  }

  Event about(Event::Kind kind, std::string text) const {
    Event told;
    told.kind = kind;
    told.dag_id = dag_.id;
    told.task_id = task_.id;
    told.state = record_.state;
    told.attempt = task_.attempt;
    told.try_number = record_.try_number;
    told.text = std::move(text);
    return told;
  }
  void event(Event::Kind kind, std::string text) { tell(about(kind, std::move(text))); }
  void tell(const Event& told) {
    std::lock_guard lock(event_mutex_);
    if (options_.on_event) options_.on_event(told);
  }

  store::Store& store_;
  const DagSpec& dag_;
  const TaskSpec& task_;
  const TaskFunction function_;
  const RunOptions& options_;
  const TaskName name_;
  TaskRecord record_;
  int completions_before_ = 0;                   // this try
  TaskState recorded_state_ = TaskState::kNone;  // of this try, as it is in the store
  bool gave_up_ = false;                         // a sensor after SENSOR_TIMEOUT, which is not for each try
  std::optional<TaskLog> log_;
  std::mutex event_mutex_;
};

}  // namespace

bool sleep_unless_cancelled(milliseconds time, const std::atomic<bool>* cancelled) {
  const auto until = steady_clock::now() + time;
  for (;;) {
    if (cancelled && cancelled->load()) return false;
    const auto left = until - steady_clock::now();
    if (left <= steady_clock::duration::zero()) return true;
    std::this_thread::sleep_for(std::min<steady_clock::duration>(left, milliseconds{100}));
  }
}

Result<TaskFunction> find_function(const TaskTable& table, std::string_view dag_id,
                                   std::string_view task_id) {
  std::string id(task_id);
  if (const size_t dot = id.find('.'); dot != std::string::npos) id = id.substr(dot + 1);
  const auto found = table.find({std::string(dag_id), id});
  if (found == table.end())
    return internal_error(fmt::format("DAG {}: there is no function for task {}", dag_id, task_id));
  return found->second;
}

Result<TaskRecord> execute_task(store::Store& store, const DagSpec& dag, const TaskTable& table,
                                Days logical_date, std::string_view task_id, const RunOptions& options,
                                bool wait) {
  const TaskSpec* task = find_task(dag, task_id);
  if (!task)
    return fail(ErrorCode::kUsage, fmt::format("DAG {} has no task \"{}\": `maeil dag show {}` lists them",
                                               dag.id, task_id, dag.id));
  if (options.shard.count != 1 && !task->shardable) {
    return fail(ErrorCode::kUsage,
                fmt::format("{} of {} cannot be cut into shards: `maeil dag export` says which tasks can",
                            task_id, dag.id));
  }
  MAEIL_ASSIGN(TaskFunction function, find_function(table, dag.id, task_id));
  Execution execution(store, dag, *task, std::move(function), logical_date, options);
  return execution.run(wait);
}

}  // namespace maeil::dag
