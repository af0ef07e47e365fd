#include "dag/task_history.h"

#include <algorithm>

namespace maeil::dag {

using store::Document;

std::string_view whole_task_id(std::string_view id) { return id.substr(0, id.find('[')); }

void keep_in_history(const Document& document, store::Batch& batch) {
  if (!is_finished(record_from(document).state)) return;
  Document kept = document;
  kept["record_id"] = document.value("_id", Document());
  kept["_id"] = store::id_value(store::new_object_id(now()));
  batch.puts.push_back({kTaskHistory, std::move(kept)});
}

void take_back(const Document& document, std::string_view message, store::Batch& batch) {
  TaskRecord none = record_from(document);
  if (none.state == TaskState::kNone) return;
  keep_in_history(document, batch);
  batch.sets.push_back({kTaskInstances,
                        store::id_text(document.value("_id", Document())),
                        {{"state", to_string(TaskState::kNone)},
                         {"message", message},
                         {"error", nullptr},
                         {"next", Document::array()},
                         {"skipped_by", nullptr},
                         {"try_id", ""},  // a try that is under way is about the old answer
                         {"timestamp", store::date_value(now())}}});
}

Result<std::vector<Document>> record_documents(store::Store& store, Days logical_date,
                                               std::string_view dag_id) {
  store::FindOptions options;
  options.filter = {{"logical_date", format_date(logical_date)}, {"dag_id", dag_id}};
  return store.find(kTaskInstances, options);
}

Status link_to_earlier(store::Store& store, const TaskName& name, int completions, store::Batch& batch) {
  if (completions == 0) return {};
  std::vector<store::Batch::Set> superseded;
  for (auto& put : batch.puts) {
    const std::string id = store::id_text(put.document.value("_id", Document()));
    for (int n = 0; n < static_cast<int>(batch.puts.size()); ++n) {
      if (store::task_object_id(name.key(completions), put.collection, n) != id) continue;
      for (int before = completions - 1; before >= 0; --before) {
        const std::string old_id = store::task_object_id(name.key(before), put.collection, n);
        store::FindOptions by_id;
        by_id.filter = {{"_id", store::id_value(old_id)}};
        MAEIL_ASSIGN(const Document old, store.find_one(put.collection, by_id));
        if (old.is_null()) continue;  // that doing took another way, or retention has removed it
        if (old.contains("superseded_by") || put.document.contains("supersedes")) break;
        put.document["supersedes"] = store::id_value(old_id);
        superseded.push_back({put.collection, old_id, {{"superseded_by", store::id_value(id)}}});
        break;
      }
      break;
    }
  }
  std::ranges::move(superseded, std::back_inserter(batch.sets));
  return {};
}

}  // namespace maeil::dag
