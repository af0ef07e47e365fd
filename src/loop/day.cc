#include "loop/day.h"

#include <fmt/format.h>

namespace maeil::loop {
namespace {

Result<store::Document> record_of(const dag::TaskContext& context, std::string_view dag, std::string_view task) {
  store::FindOptions options;
  options.filter = {{"logical_date", format_date(context.logical_date)}, {"dag_id", dag}, {"task_id", task}};
  return context.store.find_one("task_instances", options);
}

}  // namespace

store::Document stamped(const dag::TaskContext& context, std::string_view collection, store::Document document, int n) {
  store::Document out = {{"_id", store::id_value(store::task_object_id(context.task_key(), collection, n))}};
  out.update(document);
  out["timestamp"] = store::date_value(now());
  out["run_id"] = context.run_id;
  out["logical_date"] = format_date(context.logical_date);
  out["task_key"] = context.task_key();
  return out;
}

Result<store::Document> result_of(const dag::TaskContext& context, std::string_view dag, std::string_view task) {
  MAEIL_ASSIGN(const store::Document record, record_of(context, dag, task));
  if (record.is_null() || record.value("state", "") != "success") {
    return not_found(fmt::format("{} of {} has not succeeded for {}: run it first", task, dag, format_date(context.logical_date)));
  }
  return record.value("result", store::Document::object());
}

Result<dag::TaskState> state_of(const dag::TaskContext& context, std::string_view dag, std::string_view task) {
  MAEIL_ASSIGN(const store::Document record, record_of(context, dag, task));
  return record.is_null() ? dag::TaskState::kNone : dag::task_state_from(record.value("state", ""));
}

}  // namespace maeil::loop
