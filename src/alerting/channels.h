// Where alerts go: the channels that are set, who gets what, and one attempt to send.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "alerting/message.h"
#include "base/error.h"

namespace maeil::alerting {

// As the settings have them; "": not set. Secrets: they appear in no error, log or document.
struct Channels {
  std::string smtp_url, email_from, email_to;  // smtp://user:password@host:587 or smtps://; several by comma
  std::string slack_webhook_url;
  std::string pagerduty_routing_key, pagerduty_url;
  std::string webhook_url, webhook_secret;
  std::string command;  // of the shell
  std::string ca_file;
  std::string routes;  // "CRITICAL: pagerduty, email; WARNING: slack"; severities that are not named: to all
};

// "email", "slack", "pagerduty", "webhook", "command": those that are set. kUsage names what is missing of
// one (an address without a sender).
Result<std::vector<std::string>> names_of(const Channels& channels);

// Those that get an alert of a severity. kUsage for a route that names a channel that is not set.
Result<std::vector<std::string>> routed(const Channels& channels, std::string_view severity);

// Those that get notices (a version was deployed): only what ALERT_ROUTES names for INFO, and never
// PagerDuty, which would wake somebody.
Result<std::vector<std::string>> noticed(const Channels& channels);

// How an attempt ended.
struct Answer {
  enum class Kind {
    kDelivered,
    kLater,
    kRefused
  } kind = Kind::kLater;                // refused: the same again gets the same
  std::string text;                     // for people: "HTTP 429", "it does not answer within 10 s"
  std::chrono::seconds retry_after{0};  // 0: the channel did not say
  std::string left_out = {};            // delivered, but not to these, "a@example.org (550)"
};

// Sends one message by one channel, within `limit`. Never fails: what goes wrong is the answer.
Answer send(const Channels& channels, std::string_view channel, const Message& message,
            std::chrono::milliseconds limit);

// Asks for an http(s) address, whose content is not read (HEARTBEAT_URL). It appears in no text.
Answer call(const std::string& url, const std::string& ca_file, std::chrono::milliseconds limit);

// What an HTTP answer means: 2xx delivered; 408, 425, 429 and 5xx later; all else refused.
Answer answer_of_http(const std::string& channel, int64_t status, const std::string& retry_after);

}  // namespace maeil::alerting
