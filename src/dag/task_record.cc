#include "dag/task_record.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "store/field_rules.h"

namespace maeil::dag {
namespace {

using store::Document;

constexpr std::array<std::string_view, 9> kCodes = {"usage",       "bad_input", "not_found", "conflict", "io",
                                                    "unavailable", "cancelled", "internal",  "failed"};

Document optional_date(const std::optional<Instant>& instant) {
  return instant ? store::date_value(*instant) : Document();
}

std::optional<Instant> date_field(const Document& document, const char* name) {
  const auto found = document.find(name);
  if (found == document.end()) return std::nullopt;
  const auto instant = store::instant_of(*found);
  return instant ? std::optional(*instant) : std::nullopt;
}

// A field of the wanted kind, or nothing: a record that a hand has changed must not end a run.
using store::text_field;

int int_field(const Document& document, const char* name) {
  const auto found = document.find(name);
  return found != document.end() && found->is_number_integer()
             ? static_cast<int>(std::clamp<int64_t>(found->get<int64_t>(), 0, 1'000'000))
             : 0;
}

}  // namespace

bool is_dead(const TaskRecord& record, Instant at) {
  return record.state == TaskState::kRunning && record.retries_left == 0 && record.alive_until &&
         *record.alive_until < at;
}

std::string host_name() {
  char host[256] = "";
  ::gethostname(host, sizeof host - 1);
  return host;
}

std::string record_id(const TaskName& name) { return store::task_object_id(name.key(), kTaskInstances, 0); }

Document record_fields(const TaskName& name, const TaskRecord& record) {
  Document duration, error;
  if (record.start && record.end)
    duration = std::chrono::duration<double>(*record.end - *record.start).count();
  if (record.error)
    error = {{"code", to_string(record.error->code)}, {"message", clean_text(record.error->message, 10000)}};
  return {
      {"logical_date", format_date(name.logical_date)},
      {"dag_id", name.dag_id},
      {"task_id", name.task_id},
      {"attempt", record.attempt},
      {"try_number", record.try_number},
      {"completions", record.completions},
      {"state", to_string(record.state)},
      {"start_date", optional_date(record.start)},
      {"end_date", optional_date(record.end)},
      {"duration", duration},
      {"message", clean_text(record.message, 10000)},
      {"error", error},
      {"next", record.next},
      {"result", record.result},
      {"skipped_by", record.skipped_by.empty() ? Document() : Document(record.skipped_by)},
      {"run_id", record.run_id},
      {"try_id", record.try_id},
      {"retries_left", record.retries_left},
      {"alive_until", optional_date(record.alive_until)},
      {"hostname", host_name()},
      {"pid", ::getpid()},
      {"timestamp", store::date_value(now())},
  };
}

TaskRecord record_from(const Document& document) {
  TaskRecord record;
  record.task_id = text_field(document, "task_id");
  record.state = task_state_from(text_field(document, "state"));
  record.attempt = int_field(document, "attempt");
  record.try_number = int_field(document, "try_number");
  // A record of an older maeil does not say how often it was finished: once counts too often rather than
  // never, so that what it recorded is not replaced. A gap in the keys does no harm.
  record.completions = document.contains("completions") ? int_field(document, "completions") : 1;
  record.run_id = text_field(document, "run_id");
  record.try_id = text_field(document, "try_id");
  record.start = date_field(document, "start_date");
  record.end = date_field(document, "end_date");
  record.retries_left = int_field(document, "retries_left");
  record.alive_until = date_field(document, "alive_until");
  record.message = text_field(document, "message");
  record.skipped_by = text_field(document, "skipped_by");
  if (const auto error = document.find("error"); error != document.end() && error->is_object()) {
    record.error = Error{error_code_from(text_field(*error, "code")), text_field(*error, "message")};
  }
  if (const auto next = document.find("next"); next != document.end() && next->is_array()) {
    for (const auto& id : *next) {
      if (id.is_string()) record.next.push_back(id.get<std::string>());
    }
  }
  if (const auto result = document.find("result"); result != document.end()) record.result = *result;
  return record;
}

Result<std::optional<TaskRecord>> read_record(store::Store& store, const TaskName& name) {
  store::FindOptions options;
  options.filter = {{"_id", store::id_value(record_id(name))}};
  MAEIL_ASSIGN(const Document found, store.find_one(kTaskInstances, options));
  if (found.is_null()) return std::nullopt;
  return record_from(found);
}

Result<std::map<std::string, TaskRecord>> read_records(store::Store& store, Days logical_date,
                                                       std::string_view dag_id) {
  store::FindOptions options;
  options.filter = {{"logical_date", format_date(logical_date)}, {"dag_id", dag_id}};
  std::map<std::string, TaskRecord> records;
  MAEIL_TRY(store.find_each(kTaskInstances, options, [&](Document&& document) {
    TaskRecord record = record_from(document);
    records[record.task_id] = std::move(record);
    return true;
  }));
  return records;
}

Result<TaskState> task_state(store::Store& store, Days logical_date, std::string_view dag_id,
                             std::string_view task_id) {
  MAEIL_ASSIGN(const auto record,
               read_record(store, {logical_date, std::string(dag_id), std::string(task_id)}));
  return record ? record->state : TaskState::kNone;
}

Result<std::optional<Days>> first_date(store::Store& store) {
  store::FindOptions first;
  // a text: what a hand has put there otherwise does not come first
  first.filter = {{"logical_date", {{"$gte", "0001-01-01"}}}};
  first.sort = {{"logical_date", 1}};
  first.projection = {"logical_date"};
  MAEIL_ASSIGN(const Document found, store.find_one(kTaskInstances, first));
  if (found.is_null()) return std::optional<Days>();
  const auto date = parse_date(text_field(found, "logical_date"));
  if (!date)
    return bad_input(
        fmt::format("task_instances: the earliest record's logical_date: {}", date.error().message));
  return std::optional(*date);
}

std::string clean_text(std::string_view text, size_t max_bytes) {
  const bool cut = text.size() > max_bytes;
  // Writing JSON with replacement and reading it again is the library's way to repair UTF-8.
  const std::string json = Document(std::string(text.substr(0, max_bytes)))
                               .dump(-1, ' ', false, Document::error_handler_t::replace);
  return Document::parse(json).get<std::string>() + (cut ? "..." : "");
}

std::string_view to_string(ErrorCode code) { return kCodes[static_cast<size_t>(code)]; }

ErrorCode error_code_from(std::string_view text) {
  const auto found = std::ranges::find(kCodes, text);
  return found == kCodes.end() ? ErrorCode::kInternal : static_cast<ErrorCode>(found - kCodes.begin());
}

}  // namespace maeil::dag
