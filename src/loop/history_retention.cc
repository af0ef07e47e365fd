#include "loop/history_retention.h"

#include <algorithm>
#include <array>
#include <set>
#include <string_view>

#include "dag/dag_run.h"
#include "dag/dag_state.h"
#include "dag/task_history.h"
#include "dag/task_log.h"
#include "loop/erase_documents.h"
#include "loop/pipelines.h"
#include "store/field_rules.h"

namespace maeil::loop {
namespace {

using store::Document;

constexpr size_t kBatch = 200;  // documents of one commit: with parts of logs of 1 MB, an instant
// The runs last: the dates that are still to be done are found by them.
constexpr std::array<std::string_view, 3> kRemoved = {dag::kTaskHistory, dag::kTaskLogs, dag::kDagRuns};
// Where and with which program and settings it ran (most of a record's bytes): what no later run goes by.
constexpr std::array<const char*, 3> kCut = {"program", "hostname", "pid"};

// Whether the date has ended and nobody is to go on with it: each DAG is over, or one has failed and those
// after it never began. A date that a maeil without the scoring DAG ran has no records of that, and nobody is
// to make its scores so long after.
Result<bool> is_over(store::Store& store, const std::vector<dag::DagSpec>& dags, Days date) {
  MAEIL_ASSIGN(const Instant at, store.time());
  bool any = false;
  for (const auto& dag : dags) {
    MAEIL_ASSIGN(const auto records, dag::read_records(store, date, dag.id));
    if (records.empty()) return any && dag.id == store.name_here(kScoringDag);
    any = true;
    const auto state = dag::state_of_date(&dag, records, at).first;
    if (state == dag::TaskState::kRunning) return false;
    if (state == dag::TaskState::kFailed) break;
  }
  return any;
}

// The date's records that have not been cut; kConflict: one changed meanwhile (a task of the date began).
Result<int64_t> cut_records(store::Store& store, const std::string& date, bool dry_run) {
  store::FindOptions find;
  find.filter = {{"logical_date", date}, {"pruned", {{"$exists", false}}}};
  MAEIL_ASSIGN(auto records, store.find(dag::kTaskInstances, find));
  for (size_t at = 0; at < records.size() && !dry_run; at += kBatch) {
    store::Batch batch;
    for (size_t i = at; i < std::min(records.size(), at + kBatch); ++i) {
      Document& record = records[i];
      Document as_read;
      for (const char* field : {"try_id", "completions", "state"})
        as_read[field] = record.value(field, Document());
      batch.expects.push_back(
          {dag::kTaskInstances, store::id_text(record.value("_id", Document())), std::move(as_read)});
      // A record of an older maeil does not say how often it was finished, which counts as once
      // (dag/task_record.cc).
      for (const char* field : kCut) record.erase(field);
      record["pruned"] = store::date_value(now());
      batch.puts.push_back({dag::kTaskInstances, std::move(record)});
    }
    MAEIL_TRY(store.commit(batch));
  }
  return static_cast<int64_t>(records.size());
}

}  // namespace

Result<PrunedHistory> prune_history(store::Store& store, const std::vector<dag::DagSpec>& dags, Days before,
                                    bool dry_run) {
  std::set<std::string> dates;
  for (const std::string_view collection : kRemoved) {
    store::FindOptions old;
    old.filter = {{"logical_date", {{"$lt", format_date(before)}}}};
    old.projection = {"logical_date"};
    MAEIL_TRY(store.find_each(collection, old, [&](Document&& document) {
      dates.insert(store::text_field(document, "logical_date"));
      return true;
    }));
  }
  PrunedHistory out;
  for (const auto& text : dates) {
    const auto date = parse_date(text);
    if (!date) continue;  // not of ours
    MAEIL_ASSIGN(const bool over, is_over(store, dags, *date));
    if (!over) {
      out.open.push_back(text);
      continue;
    }
    const auto records = cut_records(store, text, dry_run);
    if (!records && records.error().code == ErrorCode::kConflict) {  // a task of the date has just begun
      out.open.push_back(text);
      continue;
    }
    if (!records) return tl::make_unexpected(records.error());
    out.records += *records;
    out.dates.push_back(text);
    for (const std::string_view collection : kRemoved) {
      MAEIL_ASSIGN(const auto ids, ids_of(store, collection, {{"logical_date", text}}));
      const auto count = static_cast<int64_t>(ids.size());
      (collection == dag::kTaskLogs  ? out.logs
       : collection == dag::kDagRuns ? out.runs
                                     : out.records) += count;
      if (!dry_run) MAEIL_TRY(erase_documents(store, collection, ids));
    }
  }
  return out;
}

}  // namespace maeil::loop
