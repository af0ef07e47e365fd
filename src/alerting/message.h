// What people are told when an alert rings, in the words of each channel: pure functions.
//
// Formats: Slack's incoming webhooks (https://api.slack.com/messaging/webhooks), PagerDuty's Events API v2
// (https://developer.pagerduty.com/docs/events-api-v2/overview/). Texts come from documents and files: each
// format escapes what would mean something in it, and cuts what is longer than it may be.
#pragma once

#include <string>

#include "alerting/alert_state.h"

namespace maeil::alerting {

struct Message {
  Ring ring = Ring::kNone;
  AlertState state;
  std::string id = {};  // of its delivery; not in its document
};
store::Document to_document(const Message& message);
Result<Message> message_from(const store::Document& document);

// "[maeil] CRITICAL MODEL_PERFORMANCE_FAILURE (corporate_loan)", "[maeil] resolved: ..."
std::string subject(const Message& message);
// The sentence, the likely cause, what has changed, the commands that help, since when and on how many dates.
std::string plain_text(const Message& message);
std::string html(const Message& message);

// JSON. The body of a webhook and the standard input of ALERT_COMMAND: {event: opened | repeated |
// acknowledged | resolved | notice, key, dataset, model_name, rule, segment, severity, state, message,
// diagnosis: {good_day, cause, changes, commands, environment}, first_seen, last_seen, count}.
std::string webhook_body(const Message& message);
// {"text", "blocks"}
std::string slack_body(const Message& message);
// trigger, acknowledge or resolve; dedup_key is the state's id, so that PagerDuty keeps one incident for one
// trouble.
std::string pagerduty_body(const Message& message, const std::string& routing_key);

}  // namespace maeil::alerting
