#include "loop/day.h"

#include <fmt/format.h>

#include "dag/journal.h"
#include "loop/tasks.h"

namespace maeil::loop {
store::Document stamped(const dag::TaskContext& context, std::string_view collection, store::Document document, int n) {
  store::Document out = {{"_id", store::id_value(store::task_object_id(context.task_key(), collection, n))}};
  out.update(document);
  out["timestamp"] = store::date_value(now());
  out["run_id"] = context.run_id;
  out["logical_date"] = format_date(context.logical_date);
  out["task_key"] = context.task_key();
  return out;
}

Result<std::optional<registry::ModelVersion>> model_of_the_date(const dag::TaskContext& context) {
  const auto named = context.earlier_result.find("model_id");
  if (named == context.earlier_result.end() || !named->is_string()) return registry::model_in_force(context.store);
  MAEIL_ASSIGN(auto version, registry::find_version(context.store, named->get<std::string>()));
  return std::optional(std::move(version));
}

Result<store::Document> result_of(const dag::TaskContext& context, std::string_view dag, std::string_view task) {
  MAEIL_ASSIGN(const auto record, dag::read_record(context.store, {context.logical_date, std::string(dag), std::string(task)}));
  if (!record || record->state != dag::TaskState::kSuccess) {
    return not_found(fmt::format("{} of {} has not succeeded for {}: run it first", task, dag, format_date(context.logical_date)));
  }
  return record->result;
}

Result<std::optional<std::string>> failure_of(const dag::TaskContext& context, std::string_view dag) {
  MAEIL_ASSIGN(const auto records, dag::read_records(context.store, context.logical_date, dag));
  for (const auto& [id, record] : records) {
    if (record.state == dag::TaskState::kFailed) return fmt::format("{}: {}", id, record.message);
    if (dag::is_dead(record, now())) {
      return fmt::format("{}: the process of its last try died (it has not been heard of since {})", id, format_instant(*record.alive_until));
    }
  }
  return std::nullopt;
}

dag::TaskState state_after_failure(const dag::TaskContext& context) {
  return context.asked_before ? dag::TaskState::kFailed : dag::TaskState::kWaiting;
}

Result<dag::TaskState> state_of(const dag::TaskContext& context, std::string_view dag, std::string_view task) {
  return dag::task_state(context.store, context.logical_date, dag, task);
}

dag::TaskTable make_tasks(const Day& day) {
  dag::TaskTable table;
  add_data_tasks(day, table);
  add_evaluation_tasks(day, table);
  add_retraining_tasks(day, table);
  add_deployment_tasks(day, table);
  add_training_tasks(day, table);
  return table;
}

}  // namespace maeil::loop
