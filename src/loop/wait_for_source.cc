#include "loop/wait_for_source.h"

#include <fmt/format.h>

#include <chrono>
#include <thread>

#include "loop/arriving_file.h"
#include "loop/day_file.h"
#include "loop/pipelines.h"
#include "loop/query_rows.h"

namespace maeil::loop {
namespace {

using dag::TaskOutcome;
using dag::TaskState;

// A writer that is at work writes more often than this; what it leaves out longer is the same to us as its
// end. A file that grows is watched for some looks, so that a short copy costs no SENSOR_POKE_INTERVAL.
constexpr std::chrono::seconds kBetweenLooks{1};
constexpr int kLooks = 5;

Result<TaskOutcome> wait_for_file(const std::string& pattern) {
  MAEIL_ASSIGN(auto seen, look_at(pattern));
  if (!seen) return outcome(TaskState::kWaiting, fmt::format("{} is not there yet (DAY_DATA)", pattern));
  if (const auto* empty = seen->empty())
    return outcome(TaskState::kWaiting, fmt::format("{} is empty yet", empty->path));
  for (int look = 0; look < kLooks; ++look) {
    std::this_thread::sleep_for(kBetweenLooks);
    MAEIL_ASSIGN(auto again, look_at(pattern));
    if (!again) return outcome(TaskState::kWaiting, fmt::format("{} is gone again", pattern));
    const bool rests = is_same(*seen, *again);
    seen = std::move(again);
    if (!rests) continue;
    const std::string parts = seen->files.size() == 1 ? "" : fmt::format(" in {} parts", seen->files.size());
    TaskOutcome out = outcome(TaskState::kSuccess,
                              fmt::format("{} is there, {} bytes{}", seen->path, seen->bytes(), parts));
    out.result = {{"path", seen->path}, {"bytes", seen->bytes()}};
    return out;
  }
  return outcome(TaskState::kWaiting, fmt::format("{} is still being written to", seen->path));
}

// One row is enough, whatever else is still being written: a load that is one transaction shows all or
// nothing.
Result<TaskOutcome> wait_for_query(const Day& day, const std::string& name, dag::TaskContext& context) {
  const Days date = context.logical_date;
  const auto any = query_gives_rows(day.settings, name, date);
  if (!any && any.error().code == ErrorCode::kUnavailable)  // a database at its nightly maintenance, say
    return outcome(TaskState::kWaiting, fmt::format("{} cannot be asked now: {}", name, any.error().message));
  if (!any) return tl::make_unexpected(any.error());
  if (!*any)
    return outcome(TaskState::kWaiting, fmt::format("{} gives no rows for {} yet", name, format_date(date)));
  TaskOutcome out =
      outcome(TaskState::kSuccess, fmt::format("{} gives rows for {}", name, format_date(date)));
  out.result = {{"path", name}};
  return out;
}

}  // namespace

bool is_due(const Settings& settings, const table::DatasetSpec& spec, Days date) {
  return settings.day_data.empty() || spec.due.on(date);
}

std::string not_due_text(const table::DatasetSpec& spec, Days date) {
  return fmt::format("no file is due on {}, a {} ([calendar] of {})", format_date(date),
                     table::weekday_name(date), spec.file);
}

Result<TaskOutcome> wait_for_source(const Day& day, dag::TaskContext& context) {
  const Days date = context.logical_date;
  if (!day.file.empty())
    return outcome(TaskState::kSuccess, fmt::format("the rows are those of {} (--in)", day.file));
  if (day.settings.day_data.empty())
    return outcome(TaskState::kSuccess, "the rows are drawn: there is no file to wait for");
  if (!is_due(day.settings, day.spec, date))
    return outcome(TaskState::kSkipped, not_due_text(day.spec, date));
  const std::string file = day_file(day, date);
  return is_query(file) ? wait_for_query(day, file, context) : wait_for_file(file);
}

Result<bool> nothing_is_due(const dag::TaskContext& context) {
  MAEIL_ASSIGN(const TaskState state, state_of(context, kDataDag, kWaitForSource));
  return state == TaskState::kSkipped;
}

}  // namespace maeil::loop
