#include "loop/alerts/heartbeat.h"

#include <fmt/format.h>

#include "alerting/channels.h"
#include "dag/dag_state.h"
#include "dag/task_record.h"
#include "loop/pipelines.h"
#include "loop/verdict_record.h"

namespace maeil::loop {
namespace {

Result<bool> is_good_day(store::Store& store, const Settings& settings, Days date) {
  MAEIL_ASSIGN(const auto newest, newest_verdict(store));
  if (newest && *newest > date) return false;
  MAEIL_ASSIGN(const Instant at, store.time());
  for (const auto& dag : pipelines(settings)) {
    MAEIL_ASSIGN(const auto records, dag::read_records(store, date, dag.id));
    if (dag::state_of_date(&dag, records, at).first != dag::TaskState::kSuccess) return false;
  }
  return true;
}

}  // namespace

std::string beat_after(store::Store& store, const Settings& settings, Days date) {
  if (settings.heartbeat_url.empty()) return "";
  const auto good = is_good_day(store, settings, date);
  if (!good) return "warning: HEARTBEAT_URL was not called: " + good.error().message;
  return *good ? beat(settings) : "";
}

std::string beat(const Settings& settings) {
  if (settings.heartbeat_url.empty()) return "";
  alerting::Answer answer;
  for (int tries = 0; tries < 2; ++tries) {
    answer = alerting::call(settings.heartbeat_url, settings.alert_ca_file, std::chrono::seconds(5));
    if (answer.kind == alerting::Answer::Kind::kDelivered) return "";
  }
  return fmt::format("warning: HEARTBEAT_URL was not reached: {}", answer.text);
}

}  // namespace maeil::loop
