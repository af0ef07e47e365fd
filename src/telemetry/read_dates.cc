// The newest dates' tasks, and what they recorded: rows, what was set aside, what the model never saw, what
// the contract found, the retraining attempts, how far labels are behind.
//
// What a task recorded is taken from the newest date on which it succeeded, so that a day that is under way
// leaves no gap.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "dag/task_record.h"
#include "loop/pipelines.h"
#include "store/field_rules.h"
#include "telemetry/read_metrics.h"
#include "telemetry/reading.h"

namespace maeil::telemetry {
namespace {

using dag::kTaskInstances;
using store::Document;
using store::text_field;

struct Date {
  Days day;
  std::map<std::pair<std::string, std::string>, Document> records;  // by plain DAG and task; shards left out
};

// What a task recorded when it last succeeded.
struct Done {
  Days day;
  Document record;
};

Result<std::vector<Date>> newest_dates(const Reading& reading) {
  std::vector<Date> out;
  store::FindOptions newest;
  newest.sort = {{"logical_date", -1}};
  newest.projection = {"logical_date"};
  while (out.size() < kDates) {
    MAEIL_ASSIGN(const auto found, reading.view.find_one(kTaskInstances, newest));
    const std::string text = text_field(found, "logical_date");
    if (text.empty()) break;
    newest.filter = {{"logical_date", {{"$lt", text}}}};
    const auto day = parse_date(text);
    if (!day) {
      (void)date_at(reading.out, kTaskInstances, found, "logical_date");
      continue;
    }
    Date& date = out.emplace_back(Date{*day, {}});
    store::FindOptions own;
    own.filter = {{"logical_date", text}};
    own.projection = {"dag_id", "task_id", "state", "duration", "try_number", "completions", "result"};
    MAEIL_TRY(reading.view.find_each(kTaskInstances, own, [&](Document&& record) {
      const std::string dag = plain_dag(reading, text_field(record, "dag_id"));
      const std::string task = text_field(record, "task_id");
      if (!task.ends_with(']')) date.records[{dag, task}] = std::move(record);
      return true;
    }));
  }
  return out;
}

std::optional<Done> newest_success(const std::vector<Date>& dates, const char* dag, const char* task) {
  for (const auto& date : dates) {
    const auto found = date.records.find({dag, task});
    if (found != date.records.end() && text_field(found->second, "state") == "success")
      return Done{date.day, found->second};
  }
  return std::nullopt;
}

// The document that the task wrote when it was last finished; null: there is none.
Result<Document> written(const Reading& reading, const Done& done, const char* dag, const char* task,
                         const char* collection, std::vector<std::string> fields) {
  const dag::TaskName name{done.day, reading.view.name_here(dag), task};
  const int completions = std::max(1, dag::record_from(done.record).completions);
  store::FindOptions find;
  find.filter = {{"_id", store::id_value(store::task_object_id(name.key(completions - 1), collection, 0))}};
  find.projection = std::move(fields);
  return reading.view.find_one(collection, find);
}

void add_tasks(const Reading& reading, const Date& date) {
  auto& out = reading.out;
  out.add(Metric::kNewestDate, {reading.dataset}, seconds_of(date.day));
  for (const auto& [name, record] : date.records) {
    const auto& [dag, task] = name;
    out.add(Metric::kTaskState, {reading.dataset, dag, task, text_field(record, "state")}, 1);
    out.add(Metric::kTaskDuration, {reading.dataset, dag, task},
            number_at(out, kTaskInstances, record, "duration"));
    out.add(Metric::kTaskTries, {reading.dataset, dag, task},
            number_at(out, kTaskInstances, record, "try_number"));
  }
}

void add_rows(const Reading& reading, const std::vector<Date>& dates) {
  struct Stage {
    const char *name, *dag, *task;
  };
  constexpr Stage kStages[] = {{"generated", loop::kDataDag, "generate_data"},
                               {"validated", loop::kDataDag, "validate_data"},
                               {"prepared", loop::kDataDag, "preprocess_data"},
                               {"scored", loop::kScoringDag, "score_data"}};
  auto& out = reading.out;
  for (const auto& [name, dag, task] : kStages) {
    const auto done = newest_success(dates, dag, task);
    if (!done) continue;
    out.add(Metric::kRows, {reading.dataset, name},
            number_at(out, kTaskInstances, done->record, "result.rows"));
    out.add(Metric::kQuarantined, {reading.dataset, name},
            number_at(out, kTaskInstances, done->record, "result.quarantined"));
  }
}

// Descending by count; of equal ones by name.
template <class Key>
std::vector<std::pair<Key, double>> most(const std::map<Key, double>& counts, size_t many) {
  std::vector<std::pair<Key, double>> out(counts.begin(), counts.end());
  std::ranges::stable_sort(out, std::greater(), &std::pair<Key, double>::second);
  if (out.size() > many) out.resize(many);
  return out;
}

// What validate_data recorded of the date, also where the contract is broken: the task is recorded as failed
// then. Null: nothing.
Result<Document> validation_of(const Reading& reading, const Date& date, const char* field) {
  const auto record = date.records.find({loop::kDataDag, "validate_data"});
  if (record == date.records.end()) return Document();
  const Document& id = field_at(record->second, "result.validation_id");
  if (!id.is_string()) return Document();
  store::FindOptions find;
  find.filter = {{"_id", store::id_value(id.get<std::string>())}};
  find.projection = {field};
  return reading.view.find_one("data_validations", find);
}

void add_findings(const Reading& reading, const Document& validation) {
  auto& out = reading.out;
  std::map<std::string, double> by_severity = {{"error", 0}, {"warning", 0}};
  std::map<std::pair<std::string, std::string>, double> by_rule;
  const Document& findings = field_at(validation, "findings");
  for (const auto& finding : findings.is_array() ? findings : Document::array()) {
    const std::string severity = text_field(finding, "severity");
    if (!by_severity.contains(severity)) {
      out.unreadable(fmt::format("data_validations, document {}: the severity of a finding",
                                 store::id_text(validation.at("_id"))));
      continue;
    }
    ++by_severity[severity];
    ++by_rule[{text_field(finding, "rule"), severity}];
  }
  for (const auto& [severity, count] : by_severity)
    out.add(Metric::kFindings, {reading.dataset, severity}, count);
  for (const auto& [rule, count] : most(by_rule, kRules))
    out.add(Metric::kFindingsByRule, {reading.dataset, rule.first, rule.second}, count);
}

Status read_findings(const Reading& reading, const std::vector<Date>& dates) {
  for (const auto& date : dates) {
    MAEIL_ASSIGN(const auto validation, validation_of(reading, date, "findings"));
    if (validation.is_null()) continue;
    add_findings(reading, validation);
    break;
  }
  return {};
}

// Labels that came with the rows of a date, of at least half of them, and those that a date was judged on.
Status read_labelled(const Reading& reading, const std::vector<Date>& dates) {
  if (const auto scored = newest_success(dates, loop::kScoringDag, "score_data"))
    reading.labels.scored = scored->day;
  if (const auto judged = newest_success(dates, loop::kEvaluationDag, "evaluate_model")) {
    const Document& on = field_at(judged->record, "result.judged_on");
    for (const auto& day : on.is_array() ? on : Document::array()) {
      const auto date = parse_date(day.is_string() ? day.get<std::string>() : "");
      if (date) reading.labels.note_labelled(*date);
    }
  }
  for (const auto& date : dates) {
    MAEIL_ASSIGN(const auto validation, validation_of(reading, date, "statistics"));
    const auto rows = number_at(reading.out, "data_validations", validation, "statistics.rows"),
               labelled = number_at(reading.out, "data_validations", validation, "statistics.labelled");
    if (!rows || !labelled || *labelled <= 0 || 2 * *labelled < *rows) continue;
    reading.labels.note_labelled(date.day);
    break;
  }
  return {};
}

Status read_unknown_values(const Reading& reading, const std::vector<Date>& dates) {
  auto& out = reading.out;
  const auto done = newest_success(dates, loop::kDataDag, "preprocess_data");
  if (!done) return {};
  MAEIL_ASSIGN(const auto document,
               written(reading, *done, loop::kDataDag, "preprocess_data", "processing_metadata", {"unseen"}));
  const Document& unseen = field_at(document, "unseen");
  if (!unseen.is_object()) return {};
  std::map<std::string, double> by_feature;
  double sum = 0;
  for (const auto& [feature, count] : unseen.items()) {
    if (!count.is_number()) {
      out.unreadable(fmt::format("processing_metadata, document {}: a count of `unseen`",
                                 store::id_text(document.at("_id"))));
      continue;
    }
    if (count.get<double>() <= 0) continue;
    by_feature[feature] = count.get<double>();
    sum += count.get<double>();
  }
  out.add(Metric::kUnknownValues, {reading.dataset}, sum);
  for (const auto& [feature, count] : most(by_feature, kFeatures))
    out.add(Metric::kFeatureUnknown, {reading.dataset, feature}, count);
  return {};
}

Status read_scores(const Reading& reading, const std::vector<Date>& dates) {
  auto& out = reading.out;
  const auto done = newest_success(dates, loop::kScoringDag, "score_data");
  if (!done) return {};
  MAEIL_ASSIGN(const auto scores, written(reading, *done, loop::kScoringDag, "score_data", "predictions",
                                          {"mean_probability", "decisions"}));
  out.add(Metric::kMeanProbability, {reading.dataset},
          number_at(out, "predictions", scores, "mean_probability"));
  const auto no = number_at(out, "predictions", scores, "decisions.0"),
             yes = number_at(out, "predictions", scores, "decisions.1");
  if (no && yes && *no + *yes > 0) out.add(Metric::kPositiveShare, {reading.dataset}, *yes / (*no + *yes));
  return {};
}

void add_attempts(const Reading& reading, const std::vector<Date>& dates) {
  auto& out = reading.out;
  if (const auto gate = newest_success(dates, loop::kEvaluationDag, "check_model_performance"))
    out.add(Metric::kThreshold, {reading.dataset},
            number_at(out, kTaskInstances, gate->record, "result.f1_threshold"));
  for (const auto& date : dates) {
    const auto gate = date.records.find({loop::kEvaluationDag, "check_model_performance"});
    if (gate == date.records.end() || text_field(gate->second, "state") != "success") continue;
    double passed = 0, failed = 0;
    for (const auto& [name, record] : date.records) {
      if (!name.second.ends_with(".evaluate_finetuned_model") || text_field(record, "state") != "success")
        continue;
      ++(field_at(record, "result.passed") == Document(true) ? passed : failed);
    }
    out.add(Metric::kAttempts, {reading.dataset, "passed"}, passed);
    out.add(Metric::kAttempts, {reading.dataset, "failed"}, failed);
    return;
  }
}

}  // namespace

Status read_dates(const Reading& reading) {
  MAEIL_ASSIGN(const auto dates, newest_dates(reading));
  if (dates.empty()) return {};
  add_tasks(reading, dates.front());
  add_rows(reading, dates);
  add_attempts(reading, dates);
  MAEIL_TRY(read_findings(reading, dates));
  MAEIL_TRY(read_labelled(reading, dates));
  MAEIL_TRY(read_unknown_values(reading, dates));
  return read_scores(reading, dates);
}

}  // namespace maeil::telemetry
