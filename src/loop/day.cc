#include "loop/day.h"

#include <fmt/format.h>

#include "base/dataset_name.h"
#include "dag/task_record.h"
#include "loop/tasks.h"
#include "store/field_rules.h"

namespace maeil::loop {
namespace {

// Every field of a result that a later task reads, by its name: the record may have been changed by a hand.
Status check_result(Days date, std::string_view dag, std::string_view task, const store::Document& result) {
  using Kind = store::FieldKind;
  const store::Document record = {
      {"_id", store::id_value(dag::record_id({date, std::string(dag), std::string(task)}))},
      {"result", result}};
  return store::check_fields(dag::kTaskInstances, record,
                             {{"result", Kind::kObject},
                              {"result.model_id", Kind::kText},
                              {"result.parent_id", Kind::kText},
                              {"result.model_version", Kind::kText},
                              {"result.model_status", Kind::kText},
                              {"result.fine_f1_score", Kind::kNumber},
                              {"result.passed", Kind::kFlag},
                              {"result.was_retrained", Kind::kFlag},
                              {"result.unchanged", Kind::kFlag},
                              {"result.raw_data_id", Kind::kText},
                              {"result.validation_id", Kind::kText},
                              {"result.set_aside_file_id", Kind::kText},
                              {"result.fallback", Kind::kFlag},
                              {"result.judged_on[]", Kind::kText},
                              {"result.days[]", Kind::kText},
                              {"result.kept", Kind::kNumber},
                              {"result.labels_of", Kind::kText},
                              {"result.labels_due", Kind::kText},
                              {"result.overdue", Kind::kFlag},
                              {"result.metrics", Kind::kObject}});
}

// What a task reads is checked where it is read; a kind that was forgotten there must not end the process.
dag::TaskFunction guarded(std::string dag, std::string task, dag::TaskFunction function) {
  return [dag = std::move(dag), task = std::move(task),
          function = std::move(function)](dag::TaskContext& context) -> Result<dag::TaskOutcome> {
    try {
      return function(context);
    } catch (const nlohmann::json::exception& error) {
      return bad_input(
          fmt::format("{}.{}: a document that it reads is not as maeil writes it ({}): `maeil logs {}` shows "
                      "what the tasks before it recorded",
                      dag, task, error.what(), format_date(context.logical_date)));
    }
  };
}

}  // namespace

store::Document stamped(const dag::TaskContext& context, std::string_view collection,
                        store::Document document, int n) {
  store::Document out = {{"_id", store::id_value(store::task_object_id(context.task_key(), collection, n))}};
  out.update(document);
  out["timestamp"] = store::date_value(now());
  out["run_id"] = context.run_id;
  out["logical_date"] = format_date(context.logical_date);
  out["task_key"] = context.task_key();
  return out;
}

dag::TaskOutcome outcome(dag::TaskState state, std::string message) {
  dag::TaskOutcome out;
  out.state = state;
  out.message = std::move(message);
  return out;
}

Result<std::optional<registry::ModelVersion>> model_of_the_date(const dag::TaskContext& context) {
  const auto named = context.earlier_result.find("model_id");
  if (named == context.earlier_result.end() || !named->is_string())
    return registry::model_in_force(context.store);
  MAEIL_ASSIGN(auto version, registry::find_version(context.store, named->get<std::string>()));
  return std::optional(std::move(version));
}

Result<store::Document> result_of(const dag::TaskContext& context, std::string_view dag,
                                  std::string_view task) {
  MAEIL_ASSIGN(const auto record,
               dag::read_record(context.store,
                                {context.logical_date, context.store.name_here(dag), std::string(task)}));
  if (!record || record->state != dag::TaskState::kSuccess) {
    return not_found(fmt::format("{} of {} has not succeeded for {}: run it first", task, dag,
                                 format_date(context.logical_date)));
  }
  MAEIL_TRY(check_result(context.logical_date, dag, task, record->result));
  return record->result;
}

Result<std::optional<std::string>> failure_of(const dag::TaskContext& context, std::string_view dag) {
  MAEIL_ASSIGN(const auto records,
               dag::read_records(context.store, context.logical_date, context.store.name_here(dag)));
  MAEIL_ASSIGN(const Instant at, context.store.time());
  for (const auto& [id, record] : records) {
    if (record.state == dag::TaskState::kFailed) return fmt::format("{}: {}", id, record.message);
    if (dag::is_dead(record, at)) {
      return fmt::format("{}: the process of its last try died (it has not been heard of since {})", id,
                         format_instant(*record.alive_until));
    }
  }
  return std::nullopt;
}

dag::TaskState state_after_failure(const dag::TaskContext& context) {
  return context.asked_before ? dag::TaskState::kFailed : dag::TaskState::kWaiting;
}

Result<dag::TaskState> state_of(const dag::TaskContext& context, std::string_view dag,
                                std::string_view task) {
  return dag::task_state(context.store, context.logical_date, context.store.name_here(dag), task);
}

dag::TaskTable make_tasks(const Day& day) {
  dag::TaskTable table;
  add_data_tasks(day, table);
  add_evaluation_tasks(day, table);
  add_retraining_tasks(day, table);
  add_challenger_tasks(day, table);
  add_deployment_tasks(day, table);
  add_scoring_tasks(day, table);
  add_training_tasks(day, table);
  dag::TaskTable named;
  for (auto& [name, function] : table) {
    const auto& [dag, task] = name;
    const std::string own = name_in_dataset(day.settings.dataset, dag);
    named[{own, task}] = guarded(own, task, std::move(function));
  }
  return named;
}

}  // namespace maeil::loop
