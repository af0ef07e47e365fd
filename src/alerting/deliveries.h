// The outbox: what was rung and has yet to reach a channel, one document of `alert_deliveries` for each ring
// and channel.
//
// A delivery is committed together with the state that rings (count_alerts.h), so that what rang is
// delivered, whoever dies. At least once: a process that dies between a channel's answer and its commit sends
// again. In order: of one alert and channel a later ring waits for the earlier ones. What is refused, or was
// tried for ALERT_GIVE_UP_HOURS, is failed, and `maeil doctor` says so; the next ring goes on.
//   {alert_key, ring, channel, message, status: pending | delivered | failed, created, next_attempt_at,
//    attempts: [{at, outcome: delivered | later | refused, text}]}
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "alerting/channels.h"
#include "store/store.h"

namespace maeil::alerting {

inline constexpr const char* kDeliveries = "alert_deliveries";

// Of the `ring`-th ring of a state, by one channel; its id is made of these.
store::Document new_delivery(const Message& message, int64_t ring, const std::string& channel, Instant when);

// How long after the n-th attempt (1, 2, ...) the next one waits: a minute, doubled up to an hour, and as
// long as the channel asks, up to a day.
std::chrono::seconds back_off(int64_t attempts, std::chrono::seconds retry_after);

struct Sending {
  std::vector<std::string> channels;        // that are set: what is for another one waits
  std::chrono::milliseconds budget{10000};  // for all together
  int64_t give_up_hours = 48;
  int most_failures = 3;  // a channel that fails so often is left alone until the next call
  // Sends one message.
  std::function<Answer(std::string_view channel, const Message& message, std::chrono::milliseconds limit)>
      send;
  std::function<std::chrono::seconds(int64_t attempts, std::chrono::seconds retry_after)> wait = back_off;
};

// What was done, a line each: "email: delivered", "slack: HTTP 429, again in 2 min".
// Sends what is due, until nothing is left or the budget is spent. Another process that sends meanwhile does
// it for this one: nothing is done then.
Result<std::vector<std::string>> deliver(store::Store& store, const Sending& sending);

// Those that failed, of troubles that are not resolved and notices of the last seven days, for `maeil doctor`
// and metrics; and how many wait.
struct Outbox {
  struct Channel {
    int64_t pending = 0, failed = 0;
    std::optional<Instant> oldest_pending;  // when it was made
  };
  std::map<std::string, Channel> channels;  // for which something waits or has failed
  int64_t pending = 0;                      // of all
  std::vector<std::string> failed;          // a sentence each
};
Result<Outbox> look_into(store::Store& store);

}  // namespace maeil::alerting
