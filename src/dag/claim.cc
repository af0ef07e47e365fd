#include "dag/claim.h"

#include <fmt/format.h>

#include <algorithm>

#include "store/field_rules.h"

namespace maeil::dag {
namespace {

using std::chrono::milliseconds;

// A living task renews its claim every 10 s: twice a second is soon enough to see it.
constexpr milliseconds kLook{500};

std::string who(const store::Document& record) {
  const store::Document pid = record.value("pid", store::Document());
  return fmt::format("run {}, process {} on {}", store::text_field(record, "run_id"),
                     pid.is_number() ? pid.dump() : "unknown", store::text_field(record, "hostname"));
}

std::string what(const TaskName& name, const TaskRecord& record) {
  return fmt::format("{}.{} of {} {}", name.dag_id, name.task_id, format_date(name.logical_date),
                     record.state == TaskState::kRunning
                         ? "is running elsewhere"
                         : "has failed elsewhere and will be tried again there");
}

}  // namespace

bool is_claimed(const TaskRecord& record, Instant at) {
  const bool open = record.state == TaskState::kRunning || record.state == TaskState::kUpForRetry;
  return open && record.alive_until && *record.alive_until > at;
}

tl::unexpected<Error> claimed_by(const TaskName& name, const store::Document& record) {
  return fail(ErrorCode::kConflict,
              fmt::format("{} ({}): let that run finish the day, or run this again once it has ended",
                          what(name, record_from(record)), who(record)));
}

Result<std::optional<TaskRecord>> wait_until_free(store::Store& store, const TaskName& name,
                                                  const RunOptions& options) {
  store::FindOptions by_id;
  by_id.filter = {{"_id", store::id_value(record_id(name))}};
  std::optional<Instant> until;  // of the claim that was met
  for (;;) {
    MAEIL_ASSIGN(const store::Document document, store.find_one(kTaskInstances, by_id));
    if (document.is_null()) return std::nullopt;
    TaskRecord record = record_from(document);
    MAEIL_ASSIGN(const Instant at, store.time());
    if (!is_claimed(record, at)) return record;
    if (until && *record.alive_until != *until) return claimed_by(name, document);
    if (!until && options.on_event) {
      Event event;
      event.kind = Event::Kind::kSensorWaiting;
      event.dag_id = name.dag_id;
      event.task_id = name.task_id;
      event.state = record.state;
      event.text = fmt::format("{} ({}); unless it is heard of again, it is taken up at {}",
                               what(name, record), who(document), format_instant(*record.alive_until));
      options.on_event(event);
    }
    until = record.alive_until;
    const auto left = std::chrono::ceil<milliseconds>(*until - at);
    if (!sleep_unless_cancelled(std::min(kLook, left), options.cancelled)) {
      return fail(ErrorCode::kCancelled,
                  fmt::format("stopped by a signal while waiting: {}", what(name, record)));
    }
  }
}

}  // namespace maeil::dag
