// `maeil runs | logs`: what runs left behind, and what one says while it runs. Reads only.
#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <map>
#include <thread>

#include "cli/commands.h"
#include "cli/output.h"
#include "dag/run_list.h"
#include "dag/task_log.h"
#include "loop/pipelines.h"

namespace maeil::cli {
namespace {

constexpr std::chrono::milliseconds kPoll{500};
// Lines are asked for from so long before the newest that was seen: other machines' clocks and commits are
// late.
constexpr std::chrono::minutes kOverlap{5};

// A field as it is, whatever its kind: what is only shown need not be right.
std::string shown(const store::Document& document, const char* field) {
  return plain(document.value(field, store::Document()));
}

Result<std::optional<Days>> optional_date(const char* option, const std::string& text) {
  if (text.empty()) return std::optional<Days>();
  const auto date = parse_date(text);
  if (!date) return usage_error(fmt::format("{}: {}", option, date.error().message));
  return std::optional(*date);
}

// Prints the parts of a run's logs as they come. Ends with the run, or when nobody reads any more.
Result<int> follow(store::Store& store, const std::vector<dag::DagSpec>& dags, const std::string& field,
                   const LogsOptions& options) {
  std::map<std::string, size_t> printed;  // by part: its lines; one may be written again, with more
  std::optional<Instant> newest;
  std::string said_by;
  for (;;) {
    // Asked before the lines are read, so that none is missed that was written before the end.
    MAEIL_ASSIGN(const bool going_on, dag::is_going_on(store, dags, field, options.run));
    store::FindOptions find;
    find.filter = {{field, options.run}};
    if (!options.task.empty()) find.filter["task_id"] = options.task;
    if (newest) find.filter["timestamp"] = {{"$gte", store::date_value(*newest - kOverlap)}};
    find.sort = {{"timestamp", 1}};
    MAEIL_ASSIGN(const auto parts, store.find(dag::kTaskLogs, find));
    if (parts.empty() && printed.empty() && !going_on) {
      return not_found(fmt::format("nothing of '{}' has run; `maeil runs` lists the runs", options.run));
    }
    for (const auto& part : parts) {
      if (const auto at = store::instant_of(part.value("timestamp", store::Document())))
        newest = std::max(newest.value_or(*at), *at);
      const store::Document lines = part.value("lines", store::Document());
      size_t& done = printed[plain(part.value("_id", store::Document()))];
      if (!lines.is_array() || lines.size() <= done) continue;
      const std::string task = fmt::format("{}.{}", shown(part, "dag_id"), shown(part, "task_id"));
      if (task != said_by) print_line(task);
      said_by = task;
      for (; done < lines.size(); ++done) print_line("    " + plain(lines[done]));
    }
    if (std::fflush(stdout) != 0 || !going_on) return 0;
    std::this_thread::sleep_for(kPoll);
  }
}

}  // namespace

Result<int> runs(Context& context, const RunsOptions& options) {
  dag::RunQuery query;
  query.state = options.state;
  query.limit = options.limit;
  MAEIL_ASSIGN(query.from, optional_date("--from", options.from));
  MAEIL_ASSIGN(query.to, optional_date("--to", options.to));
  MAEIL_ASSIGN(store::Store & store, context.store_to_read());
  MAEIL_ASSIGN(const auto found, dag::list_runs(store, loop::pipelines(context.settings), query));
  if (found.more)
    note(fmt::format("{} of more are shown: --limit N shows N, --limit 0 all", found.runs.size()));
  if (context.json) {
    print_json(store::Document(found.runs));
    return 0;
  }
  std::vector<std::vector<std::string>> rows;
  for (const auto& d : found.runs) {
    rows.push_back({shown(d, "logical_date"), shown(d, "dag_id"), shown(d, "state"), shown(d, "start_date"),
                    shown(d, "duration"), shown(d, "run_type"), shown(d, "run_id")});
  }
  print_table({"date", "DAG", "state", "started", "seconds", "type", "run"}, rows);
  return 0;
}

// A run is named by its id or by its logical date.
Result<int> logs(Context& context, const LogsOptions& options) {
  const std::string field = parse_date(options.run) ? "logical_date" : "run_id";
  if (options.follow && context.json)
    return usage_error("logs --follow prints lines as they come: it has no --json");
  MAEIL_ASSIGN(store::Store & store, context.store_to_read());
  if (options.follow) return follow(store, loop::pipelines(context.settings), field, options);
  store::FindOptions find;
  find.filter = {{field, options.run}};
  if (!options.task.empty()) find.filter["task_id"] = options.task;
  find.sort = {{"timestamp", 1}};
  MAEIL_ASSIGN(const auto instances, store.find(dag::kTaskInstances, find));
  MAEIL_ASSIGN(auto parts, store.find(dag::kTaskLogs, find));
  const auto documents = dag::join_parts(std::move(parts));
  if (instances.empty() && documents.empty()) {
    return not_found(fmt::format("no task {}of '{}' has run; `maeil runs` lists the runs",
                                 options.task.empty() ? "" : options.task + " ", options.run));
  }
  if (context.json) {
    print_json({{"tasks", instances}, {"logs", documents}});
    return 0;
  }
  for (const auto& instance : instances) {
    print_line(fmt::format("{}.{}  {}  {} s  {}", shown(instance, "dag_id"), shown(instance, "task_id"),
                           shown(instance, "state"), shown(instance, "duration"),
                           shown(instance, "message")));
    if (const auto error = instance.find("error"); error != instance.end() && error->is_object()) {
      print_line(fmt::format("    error: {}", shown(*error, "message")));
    }
    for (const auto& log : documents) {
      if (shown(log, "task_id") != shown(instance, "task_id") ||
          shown(log, "dag_id") != shown(instance, "dag_id"))
        continue;
      for (const auto& text : log.value("lines", store::Document())) print_line("    " + plain(text));
    }
  }
  return 0;
}

}  // namespace maeil::cli
