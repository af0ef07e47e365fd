// The newest verdicts of the gate, and the alerts that are not resolved.
#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>

#include "dag/task_record.h"
#include "store/field_rules.h"
#include "telemetry/read_metrics.h"
#include "telemetry/reading.h"

namespace maeil::telemetry {
namespace {

using store::Document;
using store::text_field;

constexpr const char* kEvents = "evaluation_events";
constexpr std::array<const char*, 4> kVerdictNames = {"approved", "retrained", "failed_max_retries",
                                                      "not_judged"};
constexpr std::array<const char*, 3> kSeverities = {"CRITICAL", "ERROR", "WARNING"};
constexpr int64_t kMostAlerts = 1000;

// Of states of alerts where there are any, else the newest date's alerts. nullopt: no day has run.
Result<std::optional<std::vector<Document>>> open_alerts(const Reading& reading) {
  store::FindOptions find;
  find.projection = {"state"};
  MAEIL_ASSIGN(const auto any, reading.view.find_one("alert_states", find));
  find.limit = kMostAlerts;
  if (!any.is_null()) {
    find.filter = {{"state", {{"$ne", "resolved"}}}};
    find.projection = {"rule", "severity", "last_seen"};
    return reading.view.find("alert_states", find);
  }
  store::FindOptions newest;
  newest.sort = {{"logical_date", -1}};
  newest.projection = {"logical_date"};
  MAEIL_ASSIGN(const auto task, reading.view.find_one(dag::kTaskInstances, newest));
  if (task.is_null()) return std::nullopt;
  find.filter = {{"logical_date", text_field(task, "logical_date")}, {"superseded_by", {{"$exists", false}}}};
  find.projection = {"alert_type", "severity", "logical_date"};
  return reading.view.find("alerts", find);
}

}  // namespace

Status read_verdicts(const Reading& reading) {
  auto& out = reading.out;
  store::FindOptions newest;
  newest.filter = {{"superseded_by", {{"$exists", false}}}};
  newest.sort = {{"logical_date", -1}};
  newest.limit = 2 * kVerdicts;  // a date has one, unless another program wrote there
  newest.projection = {"logical_date", "status", "timestamp"};
  MAEIL_ASSIGN(const auto events, reading.view.find(kEvents, newest));
  std::map<std::string, double> counts;
  for (const char* name : kVerdictNames) counts[name] = 0;
  std::set<std::string> dates;
  for (const auto& event : events) {
    if (dates.size() == kVerdicts) break;
    const std::string verdict = text_field(event, "status");
    if (!counts.contains(verdict)) {
      out.unreadable("evaluation_events, document " + store::id_text(event.at("_id")) + ": its status");
      continue;
    }
    if (!dates.insert(text_field(event, "logical_date")).second) continue;
    ++counts[verdict];
    if (dates.size() > 1) continue;
    out.add(Metric::kVerdict, {reading.dataset, verdict}, 1);
    out.add(Metric::kVerdictTime, {reading.dataset}, seconds_at(out, kEvents, event, "timestamp"));
  }
  if (dates.empty()) return {};
  for (const auto& [verdict, count] : counts)
    out.add(Metric::kRecentVerdicts, {reading.dataset, verdict}, count);
  return {};
}

Status read_alerts(const Reading& reading) {
  auto& out = reading.out;
  MAEIL_ASSIGN(const auto alerts, open_alerts(reading));
  if (!alerts) return {};
  std::map<std::string, double> by_severity;
  for (const char* severity : kSeverities) by_severity[severity] = 0;
  std::map<std::pair<std::string, std::string>, double> last_seen;
  for (const auto& alert : *alerts) {
    const bool state = alert.contains("rule");
    const std::string type = text_field(alert, state ? "rule" : "alert_type");
    const std::string severity = text_field(alert, "severity");
    if (!by_severity.contains(severity) || type.empty()) {
      out.unreadable("an alert, document " + store::id_text(alert.at("_id")) + ": its severity or its type");
      continue;
    }
    ++by_severity[severity];
    const auto last =
        date_at(out, state ? "alert_states" : "alerts", alert, state ? "last_seen" : "logical_date");
    if (!last) continue;
    auto& newest = last_seen[{type, severity}];
    newest = std::max(newest, *last);
  }
  for (const auto& [severity, count] : by_severity)
    out.add(Metric::kAlertsOpen, {reading.dataset, severity}, count);
  size_t shown = 0;
  for (const auto& [name, seconds] : last_seen) {
    if (++shown > kAlertTypes) break;
    out.add(Metric::kAlertLastSeen, {reading.dataset, name.first, name.second}, seconds);
  }
  return {};
}

}  // namespace maeil::telemetry
