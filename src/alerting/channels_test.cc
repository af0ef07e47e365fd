#include "alerting/channels.h"

#include <gtest/gtest.h>

namespace maeil::alerting {
namespace {

using Names = std::vector<std::string>;

TEST(Channels, OneThatIsSetIsAChannel) {
  EXPECT_EQ(names_of({}).value(), Names{});
  EXPECT_EQ(names_of({.slack_webhook_url = "https://x", .command = "cat"}).value(),
            (Names{"slack", "command"}));
  const Channels mail{.smtp_url = "smtp://x", .email_from = "a@b", .email_to = "c@d, e@f"};
  EXPECT_EQ(names_of(mail).value(), Names{"email"});
  const auto refusal = [&](std::string Channels::* field, const std::string& value) {
    Channels wrong = mail;
    wrong.*field = value;
    const auto names = names_of(wrong);
    return names ? std::string("accepted") : names.error().message;
  };
  EXPECT_EQ(refusal(&Channels::email_from, ""), "SMTP_URL is set, and ALERT_EMAIL_FROM is not");
  EXPECT_EQ(refusal(&Channels::email_to, ""), "SMTP_URL is set, and ALERT_EMAIL_TO is not");
  EXPECT_EQ(refusal(&Channels::smtp_url, "ftp://x"), "SMTP_URL must begin with smtp:// or smtps://");
  for (const char* injected : {"a@b>\r\nBcc: <z@z", "a@b\nX: y", "nobody"})
    EXPECT_EQ(refusal(&Channels::email_from, injected),
              "ALERT_EMAIL_FROM must be an address such as risk@example.org");
  EXPECT_NE(refusal(&Channels::webhook_url, "file:///etc/passwd").find("ALERT_WEBHOOK_URL must begin"),
            std::string::npos);
}

TEST(Channels, RoutesBySeverity) {
  Channels channels{.slack_webhook_url = "https://x", .pagerduty_routing_key = "k", .command = "cat"};
  EXPECT_EQ(routed(channels, "CRITICAL")->size(), 3u);
  channels.routes = "CRITICAL: pagerduty, slack; WARNING:slack ; INFO:";
  EXPECT_EQ(routed(channels, "CRITICAL").value(), (Names{"pagerduty", "slack"}));
  EXPECT_EQ(routed(channels, "WARNING").value(), Names{"slack"});
  EXPECT_EQ(routed(channels, "INFO").value(), Names{});
  EXPECT_EQ(routed(channels, "ERROR")->size(), 3u);  // not named: to all
  channels.routes = "CRITICAL: email";
  EXPECT_NE(routed(channels, "WARNING").error().message.find("'email', which is not set"), std::string::npos);
  channels.routes = "CRITICAL: slack; WARNNG: slack";
  EXPECT_NE(routed(channels, "CRITICAL").error().message.find("'WARNNG' is no severity"), std::string::npos);
  channels.routes = "slack";
  EXPECT_FALSE(routed(channels, "WARNING"));
}

TEST(Channels, NoticesGoOnlyWhereARouteSaysAndWakeNobody) {
  Channels channels{.slack_webhook_url = "https://x", .pagerduty_routing_key = "k", .command = "cat"};
  EXPECT_EQ(noticed(channels).value(), Names{});
  channels.routes = "INFO: pagerduty, slack";
  EXPECT_EQ(noticed(channels).value(), Names{"slack"});
  channels.routes = "INFO: email";
  EXPECT_FALSE(noticed(channels));
}

// Slack's and PagerDuty's documented answers.
TEST(Channels, WhatAnAnswerMeans) {
  using Kind = Answer::Kind;
  for (const auto& [status, kind] : {std::pair(200, Kind::kDelivered),
                                     {202, Kind::kDelivered},
                                     {400, Kind::kRefused},
                                     {403, Kind::kRefused},
                                     {404, Kind::kRefused},
                                     {410, Kind::kRefused},
                                     {301, Kind::kRefused},
                                     {408, Kind::kLater},
                                     {429, Kind::kLater},
                                     {500, Kind::kLater},
                                     {503, Kind::kLater}})
    EXPECT_EQ(answer_of_http("slack", status, "").kind, kind) << status;
  EXPECT_EQ(answer_of_http("slack", 429, "30").retry_after, std::chrono::seconds(30));
  for (const char* unread : {"Wed, 21 Oct 2026 07:28:00 GMT", "99999999999999999999", "-1"})
    EXPECT_EQ(answer_of_http("slack", 429, unread).retry_after, std::chrono::seconds(0)) << unread;
  EXPECT_EQ(answer_of_http("slack", 429, "30").text, "slack answers HTTP 429");
}

TEST(Channels, ACommandGetsTheMessageAndIsEndedWhenItHangs) {
  const Message message{Ring::kOpened, {.dataset = "loans", .rule = "R", .message = "이상", .count = 1}};
  const auto run = [&](const std::string& command) {
    return send({.command = command}, "command", message, std::chrono::milliseconds(10000));
  };
  EXPECT_EQ(run("grep -q '\"rule\":\"R\"'").kind, Answer::Kind::kDelivered);
  EXPECT_EQ(run("cat >/dev/null; exit 7").text, "the command ended with 7");
  EXPECT_EQ(run("exit 0").kind, Answer::Kind::kDelivered);  // without reading
  EXPECT_EQ(run("/no/such/program 2>/dev/null").text, "the command ended with 127");
  const auto hung =
      send({.command = "sleep 600 & sleep 600"}, "command", message, std::chrono::milliseconds(200));
  EXPECT_EQ(hung.kind, Answer::Kind::kLater);
  EXPECT_NE(hung.text.find("did not end"), std::string::npos);
}

}  // namespace
}  // namespace maeil::alerting
